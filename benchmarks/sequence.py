"""Sequences: the ladder, the network and the stack on known sets, in the splits that were published with them.

    SEWALL_DATA=... python benchmarks/sequence.py [--sets primer JUND ...] [--seeds 1]

Everything as in `sewall sequence train`. Tests are looked at once, after all else; where there is none, the score is
that of sequences held out in turn. A set that has its results is not run again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pandas as pd
from reporting import RESULTS, write
from sequence_sets import SETS

from sewall import sequence

SHOWN = ("composition", "positions", "coding", "matrices", "kmers", "small", "gapped", "placed", "network", "stack")
CURVES = 4_000  # sequences up to which learning curves are drawn


def run(name: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train on one set and return its scores."""
    known, place = SETS[name](), arguments.cache / f"{name}-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    tables = {"train": known.train, "test": known.test}
    for part, table in tables.items():
        if table is not None:
            table.to_csv(place / f"{part}.tsv", sep="\t", index=False)
    start = time.perf_counter()
    test = {} if known.test is None else {"test": place / "test.tsv"}
    result = sequence.train(
        place / "train.tsv", out=place / "out", seed=seed, threads=arguments.workers, verbosity=0, force=True,
        curve=len(known.train) <= CURVES, **test, **known.options,
    )  # fmt: skip
    assert isinstance(result, sequence.TrainResult)
    scores = result.evaluation
    seconds, judged = round(time.perf_counter() - start, 1), scores["test"] or scores
    elsewhere = {other: asked(place, other, table, seed) for other, table in known.elsewhere.items()}
    shutil.rmtree(place)
    return {
        "set": name, "seed": seed, "seconds": seconds, "metric": known.metric,
        "bar": known.bar, "known": known.known, "judged_on": "test" if known.test is not None else "held out",
        "n": judged["n"], "models": judged["models"], "held_out": scores["models"], "verdict": scores["verdict"],
        "weights": scores["stack"]["weights"], "coverage": judged["calibration"]["coverage"],
        "calibration_error": judged.get("calibration_error"), "audit": scores["audit"]["status"],
        "failed": [f["what"] for f in scores["audit"]["findings"] if f["status"] == "fail"],
        "word": scores["verdict_word"], "curve": scores["curve"], "elsewhere": elsewhere,
        "matched": judged.get("matched"), "fragility": judged.get("fragility"),
    }  # fmt: skip


def asked(place: Path, name: str, table: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Return what a bundle makes of sequences of another kind: its scores, and how many of them it says are unlike."""
    table.to_csv(place / f"{name}.tsv", sep="\t", index=False)
    found = sequence.evaluate(place / "out" / "bundle", place / f"{name}.tsv", out=place / name, seed=seed, verbosity=0)
    scores = found.evaluation
    keys = ("n", "models", "verdict", "calibration", "calibration_error", "support")
    return {key: scores.get(key) for key in keys} | {"flags": found.table["support"].value_counts().to_dict()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--cache", type=Path, default=Path("build/sequence"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    for name in arguments.sets:
        for seed in arguments.seeds:
            path = RESULTS / f"sequence_{name}_{seed}.json"
            found = json.loads(path.read_text()) if path.exists() else run(name, seed, arguments)
            if not path.exists():
                write(path.stem, found)
            values = {m["key"]: m["metrics"][found["metric"]]["value"] for m in found["models"]}
            said = "  ".join(f"{key} {values[key]:.4f}" for key in SHOWN if key in values)
            print(f"{name} seed {seed} {found['metric']} (bar {found['bar']:.4f}): {said}; covers "
                  f"{found['coverage']['value']:.3f}, {found['seconds']:.0f} s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
