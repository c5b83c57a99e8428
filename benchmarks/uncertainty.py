"""Ways to say how sure a network is, side by side, each with and without conformal calibration.

    python benchmarks/uncertainty.py [--seeds 1 2 3]

Setting S1 (20 haplotypes, 200 kb, constant Ne 10,000, r ~ U(0, 5e-8)); then the same networks under an expansion and a
bottleneck that they never saw, with as many variants. Coverage of 90 % intervals, in the worst fifth of the
predictions, width, interval score (Gneiting and Raftery 2007, JASA 102:359; less is better), CPU seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from reporting import settings, write
from settings import (
    BOTTLENECK,
    CHROMOSOMES,
    CONSTANT,
    EXPANSION,
    HIGHEST_RATE,
    MUTATION_RATE,
    THETA,
    UPPER,
    Window,
    code_digest,
    parts,
    simulated,
)
from threadpoolctl import threadpool_limits
from uncertainty_methods import LEVEL, WAYS, FlowHead, GaussianHead, Headed, Networks, Said

from sewall.data.alignment import Alignment
from sewall.jobs.recombination.learn import simulated_examples
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.recombination.windows import encode
from sewall.nets.network import Network
from sewall.run import Split
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.farm import run_farm
from sewall.task import Examples, Rows
from sewall.train import Member, TrainConfig, Training, apply_network
from sewall.trust.calibrate import ConformalIntervals

Floats = NDArray[np.float64]
TEST, CALIBRATE, NULL, TUNE, TRAIN = 2_500, 5_000, 0, 1_000, 9_500
AWAY = {"expansion": EXPANSION, "bottleneck": BOTTLENECK}
MEMBERS = 5
RATES, AT_EACH = 40, 250  # simulations of the bootstrap
FIFTHS = 5


@dataclass(frozen=True)
class AtRates:
    """Simulates and encodes one window at the rate whose turn it is, for the parametric bootstrap."""

    def __call__(self, i: int, seed: np.random.SeedSequence) -> tuple[Alignment, dict[str, Any]]:
        rate = HIGHEST_RATE * (i // AT_EACH + 0.5) / RATES
        spec = WindowSpec(CHROMOSOMES, Window(CONSTANT).length, MUTATION_RATE, rate, CONSTANT.history)
        window = simulate_window(spec, seed)
        return window, {"rho_over_theta": rate / MUTATION_RATE, **encode(window, THETA, 1)}


@dataclass(frozen=True)
class Sets:
    """All windows: of S1, under histories that were never seen, and at the rates of the bootstrap."""

    home: Examples
    split: Split
    away: dict[str, Examples]
    rates: Examples


def sets(cache: Path, seed: int, workers: int) -> Sets:
    """Simulate them, or take them from the cache."""
    sizes = (TEST, CALIBRATE, NULL, TUNE, TRAIN)
    home = simulated(Window(CONSTANT), sum(sizes), seed, cache, "uncertainty-home", workers)
    split, _ = parts(RecombinationTask(UPPER), home, sizes)
    away = {
        name: simulated(Window(history), TEST, seed + k, cache, f"uncertainty-{name}", workers)
        for k, (name, history) in enumerate(AWAY.items(), 1)
    }
    folder = cache / f"uncertainty-rates-seed{seed}"
    paths = run_farm(
        AtRates(), RATES * AT_EACH, seed + 9, folder, config={"code": code_digest(), "rates": RATES, "at": AT_EACH},
        shard_size=500, workers=workers,
    )  # fmt: skip
    return Sets(home, split, away, simulated_examples(paths))


def benchmark(cache: Path, data_seed: int, seed: int) -> dict[str, Any]:
    """Train all networks from one seed; return the scores of every way in every place."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        given = sets(cache, data_seed, 1)
        found, training = trained(given, seed)
        split, task = given.split, found.task
        places = {"home": (given.home, split.test)}
        places |= {name: (examples, np.flatnonzero(task.usable(examples))) for name, examples in given.away.items()}
        results: dict[str, Any] = {}
        for key, (_, way) in WAYS.items():
            known = way(found, given.home, split.calibrate)
            begun = time.process_time()
            said = {place: way(found, *at) for place, at in places.items()}
            windows = sum(len(rows) for _, rows in places.values())
            seconds = (time.process_time() - begun) * 1000 / windows
            results[key] = {"training": training[key], "seconds_per_1000": seconds, "places": {
                place: both(task, known, _truth(task, given.home, split.calibrate), said[place], _truth(task, *at))
                for place, at in places.items()
            }}  # fmt: skip
    return results


def trained(given: Sets, seed: int) -> tuple[Networks, dict[str, float]]:
    """Train the networks that the ways need; return also the CPU seconds of training, by way."""
    task, split = RecombinationTask(UPPER), given.split
    seconds: dict[str, list[float]] = {}
    quantile = _members(task, given, seed, MEMBERS, seconds.setdefault("quantile", []))
    gaussian = _members(Headed(UPPER, GaussianHead), given, seed, MEMBERS, seconds.setdefault("gaussian", []))
    flow = _members(Headed(UPPER, FlowHead), given, seed, 1, seconds.setdefault("flow", []))
    rows = np.arange(len(given.rates))
    answers = apply_network(quantile[0], task, given.rates, rows)[0].mean(axis=1).reshape(RATES, AT_EACH)
    centres = HIGHEST_RATE * (np.arange(RATES) + 0.5) / RATES / MUTATION_RATE
    at_rates = (task.target.forward(centres), answers.astype(float))
    networks = Networks(task, quantile, gaussian, flow[0], given.home, split.train, at_rates)
    one = {kind: found[0] for kind, found in seconds.items()}
    return networks, {
        "quantile ensemble": sum(seconds["quantile"]), "quantile": one["quantile"], "gaussian": one["gaussian"],
        "deep ensemble": sum(seconds["gaussian"]), "dropout": one["gaussian"], "laplace": one["gaussian"],
        "flow": one["flow"], "bootstrap": one["quantile"],
    }  # fmt: skip


def _members(task: RecombinationTask, given: Sets, seed: int, number: int, seconds: list[float]) -> list[Network]:
    found = []
    for k in range(number):
        member = Member(
            int(np.random.SeedSequence([seed, k]).generate_state(1)[0]), given.split.train, given.split.tune
        )
        begun = time.process_time()
        with TemporaryDirectory() as folder:
            training = Training(task, given.home, TrainConfig(members=number), Path(folder))
            found.append(training.member(k, member)[0])
        seconds.append(time.process_time() - begun)
    return found


def _truth(task: RecombinationTask, examples: Examples, rows: Rows) -> Floats:
    assert examples.target is not None
    return np.asarray(task.target.forward(examples.target[rows]))


def both(task: RecombinationTask, known: Said, known_truth: Floats, said: Said, truth: Floats) -> dict[str, Any]:
    """Return scores of intervals as a way gives them, and calibrated by fifth of the predictions at home."""
    edges = np.quantile(known.middle, np.linspace(0, 1, FIFTHS + 1)[1:-1])
    conformal = ConformalIntervals.fit(
        known.lower, known.upper, known_truth, LEVEL, np.searchsorted(edges, known.middle).astype(np.int64)
    )
    ends = conformal.apply(said.lower, said.upper, np.searchsorted(edges, said.middle).astype(np.int64))
    return {
        "raw": scored(task, said.middle, said.lower, said.upper, truth),
        "conformal": scored(task, said.middle, *ends, truth),
    }


def scored(task: RecombinationTask, middle: Floats, lower: Floats, upper: Floats, truth: Floats) -> dict[str, float]:
    """Return the scores of 90 % intervals; width and interval score in units of 1e-8 crossovers per bp."""
    back: Callable[[Floats], Floats] = lambda x: np.clip(task.target.backward(x), 0, UPPER) * MUTATION_RATE / 1e-8  # noqa: E731
    low, high, true = back(lower), back(upper), back(truth)
    held = (low <= true) & (true <= high)
    fifth = np.searchsorted(np.quantile(middle, np.linspace(0, 1, FIFTHS + 1)[1:-1]), middle)
    beyond = np.maximum(low - true, 0) + np.maximum(true - high, 0)
    return {
        "coverage": float(held.mean()), "worst_fifth": float(min(held[fifth == k].mean() for k in range(FIFTHS))),
        "width": float((high - low).mean()), "score": float((high - low + 2 / (1 - LEVEL) * beyond).mean()),
    }  # fmt: skip


def told(results: dict[str, Any]) -> None:
    """Print one line per way, place and calibration."""
    for found in results["ways"].values():
        print(f"\n{found['name']}: training {found['training']:.0f} CPU s, {found['seconds_per_1000']:.2f} s per 1,000")
        for place, ways in found["places"].items():
            for way, row in ways.items():
                print(f"  {place:<11} {way:<10} covers {row['coverage']:.3f}  worst fifth {row['worst_fifth']:.3f}  "
                      f"width {row['width']:.3f}  interval score {row['score']:.3f}")  # fmt: skip


def mean_of(rows: list[Any]) -> Any:
    """Return the mean over seeds of nested numbers."""
    if isinstance(rows[0], dict):
        return {key: mean_of([row[key] for row in rows]) for key in rows[0]}
    return float(np.mean(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--data-seed", type=int, default=60)
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    given = sets(arguments.cache, arguments.data_seed, arguments.workers)
    number = len(arguments.seeds)
    with ProcessPoolExecutor(arguments.workers) as pool:
        found = list(pool.map(benchmark, [arguments.cache] * number, [arguments.data_seed] * number, arguments.seeds))
    ways = {key: {"name": name} | mean_of([row[key] for row in found]) for key, (name, _) in WAYS.items()}
    results = {"n": len(given.split.test), "ways": ways, "by_seed": found, "bootstrap_simulations": RATES * AT_EACH}
    told(results)
    write("uncertainty", {**results, "settings": settings(arguments, ("cache", "workers"))})


if __name__ == "__main__":
    main()
