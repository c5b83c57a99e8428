"""Write ``docs/accuracy-sequences.md`` from the files of results.

python benchmarks/sequence_summary.py
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sequence_sets import BOUND, SPECIES
from summary import results, table

PAGE = Path(__file__).parents[1] / "docs" / "accuracy-sequences.md"
Scores = dict[str, Any]
RUNGS = {
    "composition": "composition", "positions": "letters by position", "coding": "reading frame", "matrices": "matrices",
    "kmers": "k-mers", "small": "small network", "gapped": "gapped k-mers", "placed": "k-mers by position",
    "network": "network", "stack": "stack",
}  # fmt: skip
METRICS = {"auroc": "AUROC", "accuracy": "accuracy", "r2": "R²"}
ORDER = ("primer", *BOUND, "splice", *SPECIES, "lncrna", "promoters")

HEAD = """# How well is it predicted what sequences do?

Every number here comes from `benchmarks/sequence.py` and can be made again; the page is written by
`benchmarks/sequence_summary.py`. All sets are learnt by the same command with the same settings; what is said beside
the files is in `benchmarks/sequence_sets.py` and in [the recipes](recipes.md). Where a set comes with a test, models
never see it before it is scored once; else the scores are those of sequences held out in turn, like ones and
windows that overlap together. In brackets: 95 % intervals of one run, by bootstrap over the sequences.
"""
LADDER = """
## The ladder
"""
AGAINST = """
## Against what is known

The stack is what a bundle answers with. Known figures are those of others on the same sequences, or were measured
before. Of C. elegans 6,000 of 111,458 training sequences were used. Minutes are those on two
cores, whatever else ran on them.
"""
KIN = """
The same models in the training sequences, held out in turn with all that is like them. Models of likeness that score
higher on the published test than here found their training's kin in it; the stack is weighted by what holds here.
"""
TRUST = """
## What stands beside the scores

90 % sets, or intervals, and how often they hold; the calibration error of the probability of the called class, freed of
what chance adds; the AUROC (correlation) of the stack where classes are alike in GC; answers that a few letters would
turn; the verdicts in a word.
"""
ELSEWHERE = """
## Asked about something else

Bundles, asked about sequences of another kind. They say themselves whether these are like the training.
"""


def main() -> None:
    runs = _runs()
    parts = [HEAD]
    for title, section in ((AGAINST, _against), (LADDER, _ladder), (TRUST, _trust), (ELSEWHERE, _elsewhere)):
        parts += [title, *section(runs)]
    PAGE.write_text("\n".join(part.strip("\n") + "\n" for part in parts), encoding="utf-8")
    print(f"written: {PAGE}")


def _runs() -> dict[str, list[Scores]]:
    """Return the runs of every set, in the order of the page."""
    found: dict[str, list[Scores]] = defaultdict(list)
    for run in results("sequence_*"):
        found[run["set"]].append(run)
    return {name: found[name] for name in ORDER if name in found}


def _against(runs: dict[str, list[Scores]]) -> Iterator[str]:
    rows = [_row(name, run) for name, own in runs.items() for run in own]
    yield table(
        ["set", "seed", "n", "scored on", "metric", "stack", "bar", "best single model", "known", "minutes"], rows
    )
    for names, bar in ((BOUND[:3], 0.957), (BOUND[3:], 0.9155)):
        if all(name in runs for name in names):
            means = {
                key: np.mean([_value(runs[name][0], key) for name in names]) for key in ("stack", "network", "gapped")
            }
            said = ", ".join(f"{RUNGS[key]} {value:.4f}" for key, value in means.items())
            yield f"Mean over {', '.join(names)}: {said} (bar {bar})."


def _row(name: str, run: Scores) -> list[str]:
    key, metric = _best(run), run["metric"]
    known = "; ".join(f"{who} {value:.3f}" for who, value in run["known"].items())
    best = f"{RUNGS[key]} {_value(run, key):.4f}"
    met = "" if _value(run, "stack") >= run["bar"] else " (missed)"
    return [
        name, str(run["seed"]), f"{run['n']:,}", run["judged_on"], METRICS[metric], _words(run, "stack"),
        f"{run['bar']:.4f}{met}", best, known or "–", f"{run['seconds'] / 60:.1f}",
    ]  # fmt: skip


def _ladder(runs: dict[str, list[Scores]]) -> Iterator[str]:
    rows = [
        [name, METRICS[run["metric"]], *(_cell(run, key) for key in RUNGS)]
        for name, own in runs.items()
        for run in own[:1]
    ]
    yield table(["set", "metric", *RUNGS.values()], rows)
    yield KIN
    with_test = {name: own[0] for name, own in runs.items() if own[0]["judged_on"] == "test"}
    rows = [
        [name, METRICS[run["metric"]], *(_cell(run | {"models": run["held_out"]}, key) for key in RUNGS)]
        for name, run in with_test.items()
    ]
    yield table(["set", "metric", *RUNGS.values()], rows)


def _trust(runs: dict[str, list[Scores]]) -> Iterator[str]:
    rows = []
    for name, own in runs.items():
        run = own[0]
        cover, error = run["coverage"], run["calibration_error"]
        fragile = (run["fragility"] or {}).get("fragile") or {}
        rows.append([
            name, f"{cover['value']:.3f} [{cover['lower']:.3f}, {cover['upper']:.3f}]",
            "–" if error is None else f"{error:.3f}", _matched(run),
            f"{fragile['value']:.1%}" if fragile else "–", run["word"], (run["curve"] or {}).get("verdict", "–"),
        ])  # fmt: skip
    yield table(
        ["set", "90 % hold", "calibration error", "all → alike in GC", "fragile", "verdict", "sample size"], rows
    )


def _matched(run: Scores) -> str:
    for part in run["matched"] or []:
        own = [model for model in part["models"] if model["key"] == "stack"]
        if part["number"] == "gc" and own:
            return f"{own[0]['before']:.3f} → {own[0]['metrics'][part['metric']]['value']:.3f}"
    return "–"


def _elsewhere(runs: dict[str, list[Scores]]) -> Iterator[str]:
    rows = []
    for name, own in runs.items():
        for other, found in (own[0].get("elsewhere") or {}).items():
            flags, metric = found["flags"], own[0]["metric"]
            home, here = (_words(scores, "stack") for scores in (own[0], found | {"metric": metric}))
            cover = (found["calibration"] or {}).get("coverage") or {}
            rows.append([
                f"{name} → {other}", f"{found['n']:,}", METRICS[metric], home, here,
                *(f"{flags.get(key, 0) / sum(flags.values()):.1%}" for key in ("ok", "warn", "outside")),
                f"{cover['value']:.3f}" if cover else "–",
            ])  # fmt: skip
    head = [
        "bundle → sequences",
        "n",
        "metric",
        "at home",
        "here",
        "like the training",
        "unusual",
        "outside",
        "90 % sets hold",
    ]
    yield table(head, rows) if rows else ""


def _model(run: Scores, key: str) -> Scores | None:
    return next((model["metrics"] for model in run["models"] if model["key"] == key), None)


def _value(run: Scores, key: str) -> float:
    found = _model(run, key)
    return float("nan") if found is None else float(found[run["metric"]]["value"])


def _cell(run: Scores, key: str) -> str:
    value = _value(run, key)
    return "–" if np.isnan(value) else f"{value:.4f}"


def _words(run: Scores, key: str) -> str:
    found = _model(run, key)
    assert found is not None
    own = found[run["metric"]]
    return f"{own['value']:.4f} [{own['lower']:.4f}, {own['upper']:.4f}]"


def _best(run: Scores) -> str:
    """Return the best model but the stack, on the sequences that are scored."""
    return max(
        (key for key in RUNGS if key != "stack" and not np.isnan(_value(run, key))), key=lambda k: _value(run, k)
    )


if __name__ == "__main__":
    main()
