"""Write ``docs/accuracy-sweeps.md`` from the files of results.

python benchmarks/sweep_summary.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reporting import words
from summary import results, table

PAGE = Path(__file__).parents[1] / "docs" / "accuracy-sweeps.md"
Scores = dict[str, Any]
MODELS = {
    "network": "network", "boosting": "boosting", "forest": "forest", "composite": "composite", "h12": "H12",
    "tajimas_d": "Tajima's D",
}  # fmt: skip
CLASSES = ("neutral", "hard", "soft", "linked-hard", "linked-soft")

HEAD = """# How well are sweeps found?

Every number here comes from `benchmarks/sweep.py` or `benchmarks/sweep_lct.py` and can be made again; the page is
written by `benchmarks/sweep_summary.py`. The setting is in `benchmarks/sweep_settings.py`: 20 haplotypes, windows of
eleven sub-windows of 100 kb, constant size of 10,000, mutation rate 1.25e-8, recombination rates from 4e-9 to 2.5e-8,
uneven within a window; 2 N s from 250 to 2,500, soft sweeps from a frequency of 0.0005 to 0.1, ended up to 2,000
generations ago. 6,000 simulations to train on, which give 2,000 windows of each class; 2,400 others to test on. In
brackets: 95 % intervals of one run, simulations (which give several windows) drawn again together. Test windows decided
nothing.
"""
KINDS = """
## Which of five classes

Boosting and forest read the same statistics of every sub-window that the network reads; the other three are scans by
one number.
"""
DETECTION = """
## A sweep or none

AUROC of windows with a sweep in their middle, by kind and 2 N s, against all windows without one, linked ones among
them. Weak sweeps (25 to 250) are outside the training, which begins at 250.
"""
CHANCES = """
## Are the chances right?
"""
HISTORY = """
## Another history than that of the training

Trained at constant size, or on random histories; tested at constant size, and under the history of CEU as SMC++ found
it. Both have as many variants. AUROC of any complete sweep in the middle; what the support check says of all windows
together, and how many single ones it leaves outside. A wrong history is doubted (`warn`), not refused: its windows lie
where sweeps of the right one would. Sweeps are still found; what kind they are is not.
"""
CHROMOSOME = """
## One window in a hundred

Chromosomes of 20 Mb, each with two sweeps in 190 windows that begin at every sub-window; called at the default priors.
A called region (of up to eleven windows) is right if it holds the site of a sweep.
"""
LCT = """
## Lactase

25 CEU genomes, chr2:134–140 Mb, all by default; then all individuals of each of seven populations, 300 kb around the
gene, `--quick --window 275kb`. In CEU, GBR and FIN the allele that lets adults drink milk is at 59 to 74 %, in the
others absent. A window of 275 kb lies inside the swept stretch, so the middle of the sweep cannot be told in it;
highest probabilities of two windows.
"""


def main() -> None:
    parts = [HEAD]
    for title, section in (
        (KINDS, _kinds), (DETECTION, _detection), (CHANCES, _chances), (HISTORY, _history), (CHROMOSOME, _chromosome),
        (LCT, _lct),
    ):  # fmt: skip
        found = list(section())
        parts += [title, *found] if found else []
    PAGE.write_text("\n".join(part.strip("\n") + "\n" for part in parts), encoding="utf-8")
    print(f"written: {PAGE}")


def _settings() -> Iterator[tuple[str, Scores]]:
    for part, name in (("classes", "phased"), ("unphased", "unphased")):
        for run in results(f"sweep_{part}-seed*"):
            yield name, run


def _kinds() -> Iterator[str]:
    rows = []
    for name, run in _settings():
        scores = {model["key"]: model["metrics"]["accuracy"] for model in run["models"]}
        rows.append([name, f"{run['n']:,}", *(words(scores[key], 3) for key in MODELS), _against(run)])
    if rows:
        yield table(["calls", "n", *MODELS.values(), "network − best simple"], rows)
    for name, run in _settings():
        if name == "phased":
            yield "\nTrue classes in rows, called ones in columns:\n"
            cells = [[CLASSES[k], *(str(n) for n in row)] for k, row in enumerate(run["confusion"])]
            yield table(["", *CLASSES], cells)


def _against(run: Scores) -> str:
    rows = [row for row in run["differences"] if row["model"] == "network"]
    return words(min(rows, key=lambda row: row["value"]), 3, "+")


def _detection() -> Iterator[str]:
    rows = [
        [kind, *(f"{by_model[key]:.3f}" for key in MODELS)]
        for _, run in _settings()
        for kind, by_model in run.get("detection", {}).items()
    ]
    if rows:
        yield table(["sweeps", *MODELS.values()], rows)


def _chances() -> Iterator[str]:
    rows = []
    for name, run in _settings():
        groups = {row["group"]: row["coverage"]["value"] for row in run["calibration"]["by_group"]}
        least = min(groups, key=lambda group: groups[group])
        cover = words(run["calibration"]["coverage"], 3)
        rows.append([name, f"{run['n']:,}", f"{run['calibration_error']:.3f}", cover, f"{groups[least]:.3f} ({least})"])
    if rows:
        head = ["calls", "n", "calibration error", "90 % sets hold", "least, by class"]
        yield table(head, rows)


def _history() -> Iterator[str]:
    rows = []
    for run in results("sweep_history-seed*"):
        for name, part in run.items():
            if "support" not in part:
                continue
            flags = part["support"]["windows"]
            outside = f"{flags.get('outside', 0) / sum(flags.values()):.1%}"
            accuracy = next(model["metrics"]["accuracy"] for model in part["models"] if model["key"] == "network")
            aurocs = [f"{part['detection'][kind]['network']:.3f}" for kind in ("hard", "soft")]
            rows.append([
                name, f"{part['n']:,}", words(accuracy, 3), *aurocs, f"{part['calibration_error']:.3f}",
                words(part["calibration"]["coverage"], 3), part["support"]["status"], outside,
            ])  # fmt: skip
    if rows:
        head = ["trained on", "n", "accuracy", "AUROC, hard", "AUROC, soft", "calibration error", "90 % sets hold"]
        head += ["support", "outside"]
        yield table(head, rows)


def _chromosome() -> Iterator[str]:
    rows = []
    for run in results("sweep_chromosome-seed*"):
        for level, found in run["levels"].items():
            false = words(found["false"], 3) if found["false"] else "–"
            wide = f"{found['windows']:.1f}" if found["windows"] else "–"
            rows.append([level, f"{run['sweeps']}", str(found["called"]), wide, false, words(found["power"], 3)])
    if rows:
        yield table(["q up to", "sweeps", "regions called", "windows in each", "false", "of the sweeps called"], rows)


def _lct() -> Iterator[str]:
    for run in results("sweep_lct_scan-seed*"):
        top, beside = run["top"], run["flanks_labelled"]
        yield (
            f"Seed {run['settings']['seed']}: the top window is {top['start'] / 1e6:.1f}–{top['end'] / 1e6:.1f} Mb "
            f"({top['label']}, probability of a sweep in its middle {top['p_sweep']:.2f}). Called at q 0.05:\n"
            f"{'; '.join(map(_region, run['regions'])) or 'nothing'}. Of {run['flanks']} windows in the flanks "
            f"{beside['value']:.1%} are classed as sweeps;\n{run['support'].get('outside', 0)} of {run['windows']} "
            f"windows lie outside. From nothing in {run['seconds'] / 60:.1f} minutes on two cores, with the bundle in "
            f"{run['seconds_with_bundle']:.0f} seconds.\n"
        )
        yield "On simulations like these data that no model saw:\n"
        head = ["asked", "n", "score", "network", "best simple", "network − best simple", "90 % sets or intervals hold"]
        yield table(head, [_row(name, part) for name, part in run["held_out"].items()])
        yield ""
    for run in results("sweep_lct_populations-seed*"):
        rows = [
            [
                name,
                "yes" if name in run["swept"] else "no",
                f"{found['p_within']:.3f}",
                f"{found['p_sweep']:.3f}",
                found["label"],
                found["support"],
            ]
            for name, found in run["populations"].items()
        ]
        yield table(
            ["population", "allele common", "sweep within the window", "in its middle", "class", "support"], rows
        )


def _region(region: Scores) -> str:
    return f"{region['start'] / 1e6:.1f}–{region['end'] / 1e6:.1f} Mb ({region['kind']})"


def _row(name: str, part: Scores) -> list[str]:
    against = min(part["network_less"], key=lambda key: part["network_less"][key]["value"])
    asked = {"kind": "class of seven", "s": "strength s", "age": "age"}[name]
    metric = {"accuracy": "accuracy", "r2": "R²"}[part["metric"]]
    best = f"{part['models'][against]['value']:.3f} ({MODELS.get(against, against)})"
    return [asked, f"{part['n']:,}", metric, words(part["models"]["network"], 3), best,
            words(part["network_less"][against], 3, "+"), words(part["coverage"], 3)]  # fmt: skip


if __name__ == "__main__":
    main()
