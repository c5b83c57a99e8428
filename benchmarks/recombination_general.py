"""The general bundle against networks that were trained for the very setting.

    python benchmarks/recombination_general.py settings [--only 3]   # ten settings
    python benchmarks/recombination_general.py mutation              # one rate, mutation rates 25-fold apart

Windows of 100 kb, constant rate in each, r ~ U(0, 5e-8), theta 5e-4 per bp; a data set has 60 of them. The general
bundle sees each data set as it would see a file. The other network is trained on 9,000 windows of the setting itself,
with all of the budget of ``recombination map``. Test windows decided nothing.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from reporting import evaluated, fit, options, settings, share, words, write
from settings import code_digest
from threadpoolctl import threadpool_limits

from sewall import run
from sewall.jobs.recombination.every_data import DataSet, DataSetSimulator, RateSpread, examples_of
from sewall.jobs.recombination.mapping import GENERAL, trained_in
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.windows.observed import Sample
from sewall.simulate.defects import Defects
from sewall.simulate.farm import run_farm
from sewall.simulate.history import History
from sewall.task import Examples
from sewall.trust.compare import compare

LEVEL, WINDOWS, LENGTH, THETA, UPPER = 0.9, 60, 100_000, 5e-4, 4.0
TEST, CALIBRATE, NULL, TUNE, TRAIN = 40, 40, 20, 10, 150  # data sets of 60 windows
CONSTANT = History((1e4,))
NECK = History((12_000, 1_000, 30_000), (800, 1_600))
GROWTH = History((2e5, 1e4), (1_000,))
DECLINE = History((2_000, 2e4), (2_000,))


@dataclass(frozen=True)
class Setting:
    """What is known of a data set."""

    chromosomes: int
    phased: bool
    least: int
    history: str

    @property
    def name(self) -> str:
        lost = "" if self.least == 1 else ", no singletons"
        return f"n {self.chromosomes}, {'phased' if self.phased else 'unphased'}, {self.history}{lost}"

    def data_set(self, theta: float = THETA, rates: RateSpread | None = None) -> DataSet:
        ploidy = np.full(self.chromosomes // 2, 2, np.int8)
        columns = self.chromosomes if self.phased else self.chromosomes // 2
        sample = Sample(self.phased, ploidy, np.zeros((0, columns), bool))
        return DataSet(
            sample, self.least, HISTORIES[self.history], theta, 0.0, LENGTH, 1.0, rates or RateSpread(UPPER), Defects()
        )


HISTORIES = {"constant": CONSTANT, "bottleneck": NECK, "growth": GROWTH, "decline": DECLINE}
SETTINGS = (
    Setting(6, True, 1, "constant"), Setting(6, False, 1, "bottleneck"), Setting(20, True, 1, "constant"),
    Setting(20, True, 2, "bottleneck"), Setting(20, False, 1, "growth"), Setting(64, True, 1, "growth"),
    Setting(64, False, 2, "constant"), Setting(200, True, 1, "decline"), Setting(200, True, 2, "growth"),
    Setting(200, False, 1, "bottleneck"),
)  # fmt: skip


def simulated(data_set: DataSet, number: int, seed: int, arguments: argparse.Namespace) -> Examples:
    """Return the windows of so many data sets of one kind; those that lie in the cache are not made again."""
    key = hashlib.sha256(repr(data_set).encode()).hexdigest()[:12]

    def told(done: int, of: int) -> None:
        print(f"\r{done} of {of} data sets", end="" if done < of else "\n", flush=True)

    with threadpool_limits(1):
        paths = run_farm(
            DataSetSimulator(WINDOWS, data_set), number, seed, arguments.cache / f"general-{key}-{seed}",
            config={"code": code_digest(), "kind": key}, shard_size=5, workers=arguments.workers, progress=told,
        )  # fmt: skip
    return examples_of(paths)


def ten_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare both networks in every setting."""
    general, bundle = trained_in(arguments.bundle)
    chosen = SETTINGS if arguments.only is None else (SETTINGS[arguments.only],)
    found: dict[str, Any] = {}
    for setting in chosen:
        sizes = (TEST,) if arguments.general_alone else (TEST, CALIBRATE, NULL, TUNE, TRAIN)
        examples = simulated(setting.data_set(), sum(sizes), arguments.data_seed, arguments)
        assert examples.target is not None and examples.groups is not None
        part = np.searchsorted(np.cumsum(sizes), examples.groups, side="right")
        usable = general.usable(examples)
        test = np.flatnonzero((part == 0) & usable)
        with threadpool_limits(1):
            theirs = run.answer(bundle, general, examples, test, LEVEL)
        truth = examples.target[test]
        inside = (theirs.claimed[:, 0] <= truth) & (truth <= theirs.claimed[:, 1])
        answers = {"general": theirs.estimate}
        row: dict[str, Any] = {"coverage": share(inside), "width": float(np.diff(theirs.claimed, axis=1).mean())}
        if not arguments.general_alone:
            test_rows, *others = (np.flatnonzero((part == k) & usable) for k in range(5))
            calibrate, null, tune, train = others
            task = RecombinationTask(UPPER)
            own = fit(
                task, examples, run.Split(train, tune, calibrate, null, test_rows), arguments.members, arguments.seed
            )
            with threadpool_limits(1):
                answered = run.answer(own.bundle, task, examples, test, LEVEL)
            answers |= {"own": answered.estimate, **answered.simple}
            row["own"] = evaluated(own.bundle, task, examples, test, LEVEL, arguments.seed)["calibration"]["coverage"]
        else:
            answers |= theirs.simple
        row |= compare(truth, answers, dict.fromkeys(answers, 1), "r2", arguments.seed, examples.groups[test]).to_dict()
        found[setting.name] = row
        print(setting.name, {m["key"]: round(m["metrics"]["r2"]["value"], 4) for m in row["models"]},
              "covers", words(row["coverage"], 3), flush=True)  # fmt: skip
    return {"n": TEST * WINDOWS, "settings": found}


def mutation(arguments: argparse.Namespace) -> dict[str, Any]:
    """Change the mutation rate 25-fold where the recombination rate is 1e-8 everywhere."""
    general, bundle = trained_in(arguments.bundle)
    rows = []
    for factor in (0.2, 1.0, 5.0):
        mu = 1.25e-8 * factor
        data_set = SETTINGS[2].data_set(4e4 * mu, RateSpread(1e-8 / mu, 1e-8 / mu, 0.0))
        examples = simulated(data_set, 10, arguments.data_seed + 1, arguments)
        usable = np.flatnonzero(general.usable(examples))
        with threadpool_limits(1):
            answered = run.answer(bundle, general, examples, usable, LEVEL)
        rates = answered.estimate * mu
        rows.append({"mutation_rate": mu, "mean_rate": float(rates.mean()), "windows": len(rates),
                     "sd": float(rates.std())})  # fmt: skip
        print(rows[-1], flush=True)
    means = [row["mean_rate"] for row in rows]
    return {"rate": 1e-8, "rows": rows, "largest_over_smallest": max(means) / min(means)}


PARTS = {"settings": ten_settings, "mutation": mutation}


def main() -> None:
    parser = options("The general bundle against networks that were trained for the very setting.")
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("--bundle", type=Path, default=GENERAL)
    parser.add_argument("--only", type=int, help="number of the setting")
    parser.add_argument("--general-alone", action="store_true", help="train nothing")
    parser.set_defaults(data_seed=60)
    arguments = parser.parse_args()
    results = PARTS[arguments.part](arguments)
    if arguments.only is None and not arguments.general_alone:
        own = settings(arguments, ("cache", "workers", "name", "bundle", "only", "general_alone"))
        write(f"recombination_general_{arguments.part}-seed{arguments.seed}", {**results, "settings": own})


if __name__ == "__main__":
    main()
