"""Sweeps: five classes, detection, calibration, and what a wrong history, lost phase and rarity cost.

    python benchmarks/sweep.py classes        # trained and tested on the setting of sweep_settings.py
    python benchmarks/sweep.py unphased       # the same simulations without phase
    python benchmarks/sweep.py history        # tested under a European history, trained at constant and random sizes
    python benchmarks/sweep.py chromosome     # false calls where one window of a hundred holds a sweep

2,000 training windows a class. The test part decided nothing.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from reporting import settings, share, words, write
from sklearn.metrics import roc_auc_score
from sweep_chromosome import chromosome as read_chromosome
from sweep_chromosome import make_chromosome
from sweep_settings import CHROMOSOMES, CONSTANT, MUTATION_RATE, SUB_WINDOWS, THETA, prior_of, simulated, simulator
from threadpoolctl import threadpool_limits

from sewall import bundle as bundles
from sewall import run
from sewall.bundle import Bundle
from sewall.jobs.sweep import calls
from sewall.jobs.sweep.learn import config_of
from sewall.jobs.sweep.prior import ScaledHistories
from sewall.jobs.sweep.task import SweepTask, kind_task
from sewall.simulate.demography_files import read_demography
from sewall.simulate.history import REFERENCE_SIZE, History, HistorySource, OneHistory, RandomHistories
from sewall.simulate.sweeps import COMPLETE, Range
from sewall.task import Examples

NAMES = COMPLETE
TRAIN, TUNE, CALIBRATE, NULL = 6_000, 600, 1_800, 900  # simulations; three give five windows
TEST, WEAK = 2_400, 900
LEVEL, STRONG = 0.9, 1_000.0  # of 2 N s
CHROMOSOMES_OF_20_MB = 60
OFFSETS = {"test": 1_000, "weak": 2_000, "shifted": 3_000}


@dataclass(frozen=True)
class Trained:
    """A bundle, and how long its parts took."""

    bundle: Bundle
    task: SweepTask
    seconds: dict[str, float]


def trained(
    arguments: argparse.Namespace, histories: HistorySource, unphased: bool, name: str, theta: float = THETA
) -> Trained:
    """Simulate and train, or take the bundle of an earlier part; parts are simulations in their order."""
    place = arguments.cache / f"bundle-{name}-{arguments.data_seed}-{arguments.seed}"
    task = kind_task(NAMES, SUB_WINDOWS)
    if (place / bundles.ABOUT).exists():
        return Trained(bundles.load(place, task), task, {})
    number, begun = TRAIN + TUNE + CALIBRATE + NULL, time.perf_counter()
    work = simulator(prior_of(histories), unphased, theta)
    examples = simulated(work, name, number, arguments.data_seed, arguments.cache, arguments.workers)
    middle = time.perf_counter()
    edges = np.cumsum([TRAIN, TUNE, CALIBRATE, NULL])
    part = np.searchsorted(edges, np.asarray(examples.groups), side="right")
    usable = task.usable(examples)
    rows = [np.flatnonzero((part == k) & usable) for k in range(4)]
    split = run.Split(*rows, rows[2])
    with TemporaryDirectory() as folder, threadpool_limits(1):
        bundle, _ = run.fit(
            task, examples, split, replace(config_of(False, "cpu"), members=arguments.members), Path(folder),
            arguments.seed, arguments.workers,
        )  # fmt: skip
    replace(bundle, about={"job": task.name}).save(place)
    return Trained(bundle, task, {"simulating": middle - begun, "training": time.perf_counter() - middle})


def scored(found: Trained, examples: Examples, seed: int) -> dict[str, Any]:
    """Return what ``evaluation.json`` would hold, without what only a report draws."""
    rows = np.flatnonzero(found.task.usable(examples))
    with threadpool_limits(1):
        scores = run.evaluate(found.bundle, found.task, examples, rows, LEVEL, seed)
    keys = ("n", "level", "models", "differences", "verdict", "calibration", "calibration_error", "confusion")
    return {key: scores[key] for key in keys}


def chances(found: Trained, examples: Examples) -> dict[str, NDArray[np.float64]]:
    """Return, by model, the probability of a sweep of either kind in every window."""
    rows = np.flatnonzero(found.task.usable(examples))
    answered = run.answer(found.bundle, found.task, examples, rows, LEVEL)
    every = {"network": answered.estimate, **answered.simple}
    full = {key: np.zeros(len(examples)) for key in every}  # what holds too few variants is no call
    for key, values in every.items():
        full[key][rows] = values[:, [NAMES.index("hard"), NAMES.index("soft")]].sum(axis=1)
    return full


def detection(found: Trained, examples: Examples, kind: str, least: float, most: float) -> dict[str, float]:
    """Return, by model, the AUROC of sweeps of one kind and strength against all windows without one."""
    assert examples.target is not None
    strength = 2 * REFERENCE_SIZE * examples.keys["s"].to_numpy(float)
    label = examples.target.astype(int)
    own = (label == NAMES.index(kind)) & (strength >= least) & (strength < most)
    others = ~np.isin(label, [NAMES.index("hard"), NAMES.index("soft")])
    kept = own | others
    return {key: float(roc_auc_score(own[kept], values[kept])) for key, values in chances(found, examples).items()}


def classes(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train and test on the same setting."""
    found = trained(arguments, CONSTANT, False, "constant")
    test = _test(arguments, CONSTANT, False, "constant")
    weak = simulated(
        simulator(prior_of(strength=Range(25, 250))), "weak", WEAK, arguments.data_seed + OFFSETS["weak"],
        arguments.cache, arguments.workers,
    )  # fmt: skip
    spans = {"strong": (STRONG, np.inf), "moderate": (250.0, STRONG)}
    found_at = {f"{kind}, {name}": detection(found, test, kind, *span) for kind in ("hard", "soft")
                for name, span in spans.items()}  # fmt: skip
    found_at |= {f"{kind}, weak": detection(found, weak, kind, 0, np.inf) for kind in ("hard", "soft")}
    return {**scored(found, test, arguments.seed), "detection": found_at, "seconds": found.seconds}


def unphased(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train and test on the same simulations without phase."""
    found = trained(arguments, CONSTANT, True, "unphased")
    return {**scored(found, _test(arguments, CONSTANT, True, "unphased"), arguments.seed), "seconds": found.seconds}


def _test(arguments: argparse.Namespace, histories: HistorySource, unphased: bool, name: str) -> Examples:
    work, seed = simulator(prior_of(histories), unphased), arguments.data_seed + OFFSETS["test"]
    return simulated(work, f"{name}-test", TEST, seed, arguments.cache, arguments.workers)


def history(arguments: argparse.Namespace) -> dict[str, Any]:
    """Test under a European history what was trained at constant size, and under random histories."""
    given = read_demography(
        Path(os.environ["SEWALL_DATA"]) / "smcpp_1kg" / "smcpp_popsizes_1kg.csv",
        population="CEU",
        generation_time=29,
        mutation_rate=MUTATION_RATE,
    )
    european = OneHistory(given, given.description)
    size = given.effective_size(CHROMOSOMES)
    theta = 4 * size * MUTATION_RATE
    constant = OneHistory(History((size,)), "constant size, as many variants")
    random = ScaledHistories(RandomHistories(CHROMOSOMES), size, CHROMOSOMES)
    work = simulator(prior_of(european), theta=theta)
    shifted = simulated(
        work, "european", TEST, arguments.data_seed + OFFSETS["shifted"], arguments.cache, arguments.workers
    )
    home = simulator(prior_of(constant), theta=theta)
    own = simulated(
        home, "matched-test", TEST, arguments.data_seed + OFFSETS["test"], arguments.cache, arguments.workers
    )
    results: dict[str, Any] = {}
    for name, histories in (("constant", constant), ("random", random)):
        found = trained(arguments, histories, False, f"matched-{name}", theta)
        for where, examples in (("constant", own), ("european", shifted)):
            predicted = run.predict(found.bundle, found.task, examples, LEVEL, arguments.seed, "too few variants")
            results[f"{name} on {where}"] = {
                **scored(found, examples, arguments.seed),
                "detection": {kind: detection(found, examples, kind, 0, np.inf) for kind in ("hard", "soft")},
                "support": {key: predicted.support[key] for key in ("status", "windows")},
            }
    return results


def chromosome(arguments: argparse.Namespace) -> dict[str, Any]:
    """Call sweeps on chromosomes of 20 Mb that hold two, at the prior that says so."""
    found = trained(arguments, CONSTANT, False, "constant")
    priors = calls.default_priors(NAMES)
    paths = [arguments.cache / f"chromosome-{arguments.data_seed}-{k}.npz" for k in range(CHROMOSOMES_OF_20_MB)]
    with ProcessPoolExecutor(arguments.workers) as pool:
        list(pool.map(make_chromosome, paths, [arguments.data_seed] * len(paths), range(len(paths))))
    tables, found_at = [], []
    for number, path in enumerate(paths):
        examples, places = read_chromosome(path, number)
        with threadpool_limits(1):
            predicted = run.predict(found.bundle, found.task, examples, LEVEL, number, "too few variants", priors)
        tables.append(predicted.table)
        found_at += [(str(number), place) for place in places]
    levels = {str(fdr): _level(calls.called(pd.concat(tables, ignore_index=True), fdr), found_at)
              for fdr in (0.05, 0.1, 0.2)}  # fmt: skip
    outside = float((pd.concat(tables)["support"] == "outside").mean())
    return {"windows": sum(map(len, tables)), "sweeps": len(found_at), "levels": levels, "outside": outside}


def _level(table: pd.DataFrame, places: list[tuple[str, float]]) -> dict[str, Any]:
    """Return how many regions are called, how many of them hold no sweep, and how many sweeps are in one."""
    made = calls.regions(table).to_dict("records")
    inside = np.array(
        [[r["chrom"] == chrom and r["start"] <= at < r["end"] for chrom, at in places] for r in made]
    ).reshape(len(made), len(places))
    return {
        "called": len(made), "false": share(~inside.any(axis=1)) if made else None,
        "power": share(inside.any(axis=0)), "windows": float(np.mean([r["windows"] for r in made])) if made else None,
    }  # fmt: skip


PARTS = {"classes": classes, "unphased": unphased, "history": history, "chromosome": chromosome}


def told(results: dict[str, Any]) -> None:
    """Print the scores."""
    if "levels" in results:
        for level, row in results["levels"].items():
            print(f"  q {level}: {row['called']} called, false {words(row['false'])}, power {words(row['power'])}")
        return
    if "n" not in results:
        for name, part in results.items():
            print(f"\n{name}: {part['support']}")
            told(part)
        return
    print(f"n = {results['n']:,}; brackets: 95 % intervals, simulations drawn again together")
    for model in results["models"]:
        print(f"  accuracy {model['key']:<10} {words(model['metrics']['accuracy'])}")
    for row in results["differences"]:
        print(f"  accuracy {row['model']} - {row['against']:<10} {words(row, sign='+')}")
    print(f"  calibration error {results['calibration_error']}")
    print(f"  coverage of {results['level']:.0%} sets {words(results['calibration']['coverage'], 3)}")
    for name, by_model in results.get("detection", {}).items():
        print(f"  AUROC {name}: " + "  ".join(f"{key} {value:.3f}" for key, value in by_model.items()))
    print(pd.DataFrame(results["confusion"], NAMES, NAMES).to_string())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("--seed", type=int, default=1, help="of training")
    parser.add_argument("--data-seed", type=int, default=40, help="of the simulations")
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/sweep"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    results = PARTS[arguments.part](arguments)
    told(results)
    write(
        f"sweep_{arguments.part}-seed{arguments.seed}",
        {**results, "settings": settings(arguments, ("cache", "workers"))},
    )


if __name__ == "__main__":
    main()
