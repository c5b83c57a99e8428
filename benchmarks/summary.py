"""Write ``docs/accuracy.md`` from the files of results.

python benchmarks/summary.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reporting import RESULTS, words

PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
Scores = dict[str, Any]

HEAD = """# How accurate is it?

Every number here comes from a script in [`benchmarks/`](../benchmarks/README.md) and can be made again; brackets hold
95 % intervals. Test windows decided nothing. This page is written by `benchmarks/summary.py` from the files of
results.
"""
S1 = """
## History known

20 haplotypes, 200 kb, constant size of 10,000, mutation rate 1.25e-8, crossover rates uniform from 0 to 5e-8; 9,500
training windows, 5,000 to calibrate, 2,500 to test. R² of the rate, and coverage of 90 % intervals.
"""
CURVE = """
R² by number of training windows, on the same test windows. With the true genealogies in sight, a regression reaches
{bound}: what is missing is not in the rate's chance but in what mutations show of the genealogies.
"""
S2 = """
## History unknown

The same windows, but every training window has another random history (7,000 of them), and the test histories are
others: random ones, and three that training does not know of. *Trained for it*: training windows are what
`sewall recombination simulate` makes of a file of 60 other windows of the bottleneck, histories and rates found there.
"""
SUPPORT = """
## The support check

Trained at constant size; batches of 50 windows of 100 kb, read with the theta of the data, as `map` does.
"""
LCT = """
## Real data

25 CEU genomes of the 1000 Genomes Project, chr2:134–140 Mb, windows of 100 kb, against the HapMap II genetic map:
Spearman's correlation, with circular block bootstrap. Without the sweep: windows in 135.2–137.0 Mb (lactase) left
out. The reference map is itself made from linkage in people of the same ancestry, and the windows are few: a sanity
check. Networks were trained from nothing, on 20,000 simulations; the shorter training of `--quick` was not measured
here yet.
"""
LEVEL = """
How high the rates are is another matter: the maps' means are {means} cM/Mb, the reference's {reference:.2f}. Where
rates are high and low can be read from these maps; their level is {low:.0%} to {high:.0%} of the reference's.
"""
FILES = """
## The level of the rates of a file

Files of known truth: 25 genomes, 6 Mb, windows of 100 kb; another mean rate, hotspots and up to four gene conversions
per crossover in each. The mean rate that `sewall recombination simulate --quick` finds before anything is trained,
with its 90 % interval. The last two rows are the same files, of Europeans who exchanged migrants with Africans and
Asians: their history inferred from the file, and given.
"""


def main() -> None:
    sections = [HEAD, S1, *_s1(), *_curve(), S2, *_s2(), SUPPORT, *_support(), LCT, *_lct(), *_level()]
    PAGE.write_text("\n".join(part.strip("\n") + "\n" for part in sections), encoding="utf-8")
    print(f"written: {PAGE}")


def results(pattern: str) -> list[Scores]:
    """Return the files of results whose names match, by name."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob(f"{pattern}.json"))]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def r2(scores: Scores, key: str) -> str:
    """Return R² of a model with its interval."""
    return words(next(m["metrics"]["r2"] for m in scores["models"] if m["key"] == key), 3)


def gap(scores: Scores) -> str:
    """Return the paired difference of network and boosting."""
    found = {(d["model"], d["against"]): d for d in scores["differences"]}
    return words(found["network", "boosting"], 3, "+")


def _s1() -> Iterator[str]:
    head = ["data", "seed", "network", "gradient boosting", "network − boosting", "coverage", "in the worst fifth"]
    head += ["CPU s of training"]
    rows = []
    runs = [found for found in results("recombination_s1*-seed*") if "points" not in found]
    for found in sorted(runs, key=lambda run: (run["missing"], run["phase"], run["seed"])):
        name = "phased, complete"
        if found["phase"] == "unphased":
            name = f"unphased: loses {words(found['loss']['network'], 3)}"
        if found["missing"]:
            name = f"{found['missing']:.0%} of calls missing: loses {words(found['loss']['network'], 3)}"
        scores = found["scores"]
        cover = words(scores["calibration"]["coverage"], 3)
        lowest = min(group["coverage"]["value"] for group in scores["calibration"]["by_group"])
        models = [r2(scores, "network"), r2(scores, "boosting"), gap(scores)]
        seconds = f"{found['cpu_seconds_networks']:.0f}"
        rows.append([name, str(found["seed"]), *models, cover, f"{lowest:.3f}", seconds])
    yield table(head, rows)


def _curve() -> Iterator[str]:
    for found in results("recombination_s1-curve-seed*"):
        bound = results("recombination_s1_bound")[0]
        yield CURVE.format(bound=words(bound["r2"], 3))
        rows = [
            [f"{p['train']:,}", r2(p["scores"], "network"), r2(p["scores"], "boosting"), gap(p["scores"])]
            for p in found["points"]
        ]
        yield table(["training windows", "network", "gradient boosting", "network − boosting"], rows)


def _s2() -> Iterator[str]:
    rows = []
    for pattern, way in (("recombination_s2-seed*", ""), ("recombination_s2_resimulate-seed*", ", trained for it")):
        for found in results(pattern):
            for name, scores in found["scores"].items():
                cover = words(scores["calibration"]["coverage"], 3)
                models = [r2(scores, "network"), r2(scores, "boosting"), gap(scores)]
                rows.append([name + (way if name == "bottleneck" else ""), str(found["seed"]), *models, cover])
    yield table(["tested on", "seed", "network", "gradient boosting", "network − boosting", "coverage"], rows)


def _support() -> Iterator[str]:
    rows = []
    for found in results("recombination_support-seed*"):
        for name, ways in found["scores"].items():
            flags = ways["as map"]
            keys = ("batches_outside", "batches_flagged", "p_at_most_5_percent", "windows_outside")
            shares = [words(flags[key], 3) if key in flags else "" for key in keys]
            rows.append([name, str(flags["batches"]), *shares])
    yield table(["data", "batches", "batches outside", "batches flagged at all", "p ≤ 0.05", "windows outside"], rows)


def _lct() -> Iterator[str]:
    rows, level = [], ""
    for found in results("recombination_lct-seed*"):
        for name, scores in found["scores"].items():
            for model, parts in scores.items():
                if isinstance(parts, dict) and "all" in parts:
                    values = [words(parts[part], 3) for part in ("all", "without the sweep")]
                    rows.append([name, model, *values])
        levels = [scores for scores in found["scores"].values() if "mean_cm_per_mb" in scores]
        means = ", ".join(f"{scores['mean_cm_per_mb']:.2f}" for scores in levels)
        reference = levels[0]["map_mean_cm_per_mb"]
        shares = [scores["mean_cm_per_mb"] / reference for scores in levels]
        level = LEVEL.format(means=means, reference=reference, low=min(shares), high=max(shares))
    yield table(["map", "model", "all windows", "without the sweep"], rows)
    yield level


def _level() -> Iterator[str]:
    for found in results("recombination_level"):
        yield FILES
        rows = [
            [name, str(row["files"]), words(row["inside"], 2), f"{row['ratio']:.2f}"]
            for name, row in found["scores"].items()
        ]
        yield table(["history", "files", "true mean inside", "found / true, geometric mean"], rows)


if __name__ == "__main__":
    main()
