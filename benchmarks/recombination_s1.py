"""Setting S1: everything but the rate is known.

    python benchmarks/recombination_s1.py [--train 9500] [--seed 1]
    python benchmarks/recombination_s1.py --phase unphased      # the same windows without phase
    python benchmarks/recombination_s1.py --missing 0.1         # the same windows with a tenth of the calls missing
    python benchmarks/recombination_s1.py --curve               # R2 by number of training windows

20 haplotypes, 200 kb, constant Ne 10,000, mutation rate 1.25e-8, r ~ U(0, 5e-8). R2 of network, gradient boosting and
ridge, their paired differences, coverage of the intervals, CPU seconds. A run with a defect prints what it loses
against the run without it, on the same windows, where that was run before with the same options.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reporting import evaluated, fit, options, settings, show, words, write
from settings import CONSTANT, LEVEL, UPPER, Window, parts, simulated

from sewall import run
from sewall.jobs.recombination.task import RecombinationTask
from sewall.trust.compare import resamples

TEST, CALIBRATE, NULL, TUNE = 2_500, 5_000, 1_500, 1_000
CURVE, LONG_CURVE = (3_000, 9_500, 30_000), 100_000
KEYS = ("network", "boosting", "ridge")


def main() -> None:
    arguments = _parsed()
    if arguments.curve:
        sizes = CURVE + ((LONG_CURVE,) if arguments.long else ())
        points = [benchmark(arguments, size) for size in sizes]
        print("\ntraining windows   network R2                    boosting R2                   network - boosting")
        for point in points:
            network, boosting = (_r2(point["scores"], key) for key in ("network", "boosting"))
            gaps = {(d["model"], d["against"]): d for d in point["scores"]["differences"]}
            gap = gaps["network", "boosting"]
            print(f"{point['train']:>16,}   {words(network)}   {words(boosting)}   {words(gap, sign='+')}")
        write(arguments.name or f"recombination_s1-curve-seed{arguments.seed}", {"setting": "S1", "points": points})
        return
    results = benchmark(arguments, arguments.train)
    write(arguments.name or f"recombination_s1{_variant(arguments)}-seed{arguments.seed}", results)


def _parsed() -> argparse.Namespace:
    parser = options("Recombination rates where the population history is known.")
    parser.add_argument("--train", type=int, default=9_500, help="training windows")
    parser.add_argument("--phase", choices=("phased", "unphased"), default="phased", help="what is known of the phase")
    parser.add_argument("--missing", type=float, default=0.0, help="share of missing calls")
    parser.add_argument("--curve", action="store_true", help=f"learning curve over {CURVE} training windows")
    parser.add_argument("--long", action="store_true", help=f"the curve goes on to {LONG_CURVE:,}")
    return parser.parse_args()


def benchmark(arguments: argparse.Namespace, train: int) -> dict[str, Any]:
    """Simulate, train, score and print one setting."""
    task, sizes = RecombinationTask(UPPER), (TEST, CALIBRATE, NULL, TUNE, train)
    window = Window(CONSTANT, unphased=arguments.phase == "unphased", missing=arguments.missing)
    name = f"s1{_variant(arguments)}"
    examples = simulated(window, sum(sizes), arguments.data_seed, arguments.cache, name, arguments.workers)
    split, few = parts(task, examples, sizes)
    fitted = fit(task, examples, split, arguments.members, arguments.seed)
    scores = evaluated(fitted.bundle, task, examples, split.test, LEVEL, arguments.seed)
    show(f"S1{_variant(arguments)}, {train:,} training windows, seed {arguments.seed}", scores)
    print(
        f"CPU seconds: networks {fitted.cpu_networks:.0f}, all of fitting {fitted.cpu_all:.0f}; {few} windows left out"
    )
    results = {"setting": "S1", **settings(arguments, ("cache", "workers", "name", "curve", "long")), "train": train}
    results |= {"left_out": few, **fitted.costs(), "scores": scores}
    answered = run.answer(fitted.bundle, task, examples, split.test, LEVEL)
    assert examples.target is not None
    mine: dict[str, Any] = {
        "rows": split.test,
        "truth": examples.target[split.test],
        "network": answered.estimate,
        **answered.simple,
    }
    np.savez(_predictions(arguments, train, _variant(arguments)), **mine)
    if _variant(arguments):
        results["loss"] = _loss(_predictions(arguments, train, ""), mine, arguments.seed)
    return results


def _variant(arguments: argparse.Namespace) -> str:
    unphased = "-unphased" if arguments.phase == "unphased" else ""
    return unphased + (f"-missing{arguments.missing:g}" if arguments.missing else "")


def _predictions(arguments: argparse.Namespace, train: int, variant: str) -> Path:
    tag = f"train{train}-members{arguments.members}-seed{arguments.seed}-data{arguments.data_seed}"
    return Path(arguments.cache) / f"s1{variant}-{tag}-predictions.npz"


def _loss(path: Path, mine: dict[str, NDArray], seed: int) -> dict[str, Any] | None:
    """Return and print R2 lost against the run without defects, by model, with paired 95 % intervals."""
    if not path.exists():
        print("run the same without defects first to see what they cost on the same windows")
        return None
    full = np.load(path)
    rows, at, own = np.intersect1d(full["rows"], mine["rows"], return_indices=True)
    truth, losses = full["truth"][at], {}
    for key in KEYS:
        errors = np.column_stack([(full[key][at] - truth) ** 2, (mine[key][own] - truth) ** 2])
        lost = [_lost(errors[r], truth[r]) for r in (np.arange(len(rows)), *resamples(len(rows), None, 1000, seed))]
        lower, upper = np.quantile(lost[1:], [0.025, 0.975])
        losses[key] = {"value": float(lost[0]), "lower": float(lower), "upper": float(upper)}
        print(f"  R2 lost by {key:<9} {words(losses[key], sign='+')}  (n = {len(rows):,}, paired)")
    return losses


def _lost(errors: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    mean = errors.mean(axis=0)
    return float((mean[1] - mean[0]) / truth.var())


def _r2(scores: dict[str, Any], key: str) -> dict[str, float]:
    return next(m["metrics"]["r2"] for m in scores["models"] if m["key"] == key)


if __name__ == "__main__":
    main()
