"""The general bundle against networks that were trained for the very setting.

    python benchmarks/recombination_general.py settings [--only 3]   # ten settings
    python benchmarks/recombination_general.py mutation              # one rate, mutation rates 25-fold apart

Windows of 100 kb, constant rate in each, r ~ U(0, 5e-8), theta 5e-4 per bp; a data set has 60 of them. The general
bundle sees each data set as it would see a file. The *own* networks are trained on 9,000 windows of the setting itself,
with all of the budget of ``recombination map``; the *refit* ones begin from the general ones, as ``--refit`` does, and
see 1,800 of those windows. Test windows decided nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from reporting import evaluated, fit, options, settings, share, words, write
from settings import code_digest
from threadpoolctl import threadpool_limits

from sewall import run
from sewall.bundle import Bundle
from sewall.jobs.recombination.every_data import DataSet, DataSetSimulator, RateSpread, examples_of
from sewall.jobs.recombination.mapping import GENERAL, trained_in
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.windows.learning import tuning
from sewall.jobs.windows.observed import Sample
from sewall.simulate.defects import Defects
from sewall.simulate.farm import run_farm
from sewall.simulate.history import History
from sewall.task import Examples
from sewall.train import TrainConfig
from sewall.trust.compare import compare

LEVEL, WINDOWS, LENGTH, THETA, UPPER = 0.9, 60, 100_000, 5e-4, 4.0
TEST, CALIBRATE, NULL, TUNE, TRAIN = 40, 40, 20, 10, 150  # data sets of 60 windows
REFIT = 30  # of those for training
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


def trained(
    task: RecombinationTask, examples: Examples, split: run.Split, config: TrainConfig, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Train on windows of a setting; return what is answered to its test windows, and how often intervals hold."""
    fitted = fit(task, examples, split, arguments.members, arguments.seed, config)
    with threadpool_limits(1):
        answered = run.answer(fitted.bundle, task, examples, split.test, LEVEL)
    scores = evaluated(fitted.bundle, task, examples, split.test, LEVEL, arguments.seed)
    answers = {"network": answered.estimate} | answered.simple
    return {
        "answers": {name: values.tolist() for name, values in answers.items()},
        "scores": {"coverage": scores["calibration"]["coverage"], **fitted.costs()},
    }


def kept(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what *make* returns, made once: it does not change with the general bundle."""
    if not path.exists():
        path.write_text(json.dumps(make()), encoding="utf-8")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def one_setting(
    setting: Setting, general: RecombinationTask, bundle: Bundle, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Compare the general networks, those of the setting itself, and those between, on the same windows."""
    sizes = (TEST,) if arguments.general_alone else (TEST, CALIBRATE, NULL, TUNE, TRAIN)
    examples = simulated(setting.data_set(), sum(sizes), arguments.data_seed, arguments)
    assert examples.target is not None and examples.groups is not None
    part = np.searchsorted(np.cumsum(sizes), examples.groups, side="right")
    usable = general.usable(examples)
    test, calibrate, null, tune, train = (np.flatnonzero((part == k) & usable) for k in range(5))
    with threadpool_limits(1):
        theirs = run.answer(bundle, general, examples, test, LEVEL)
    truth = examples.target[test]
    inside = (theirs.claimed[:, 0] <= truth) & (truth <= theirs.claimed[:, 1])
    answers = {"general": theirs.estimate}
    row: dict[str, Any] = {"coverage": share(inside), "width": float(np.diff(theirs.claimed, axis=1).mean())}
    if arguments.general_alone:
        answers |= theirs.simple
    else:
        digest = hashlib.sha256(f"{setting} {code_digest()} {arguments.data_seed} {arguments.members}".encode())
        file = arguments.cache / f"own-{digest.hexdigest()[:12]}-{arguments.seed}.json"
        split, config = run.Split(train, tune, calibrate, null, test), TrainConfig()
        own = kept(file, lambda: trained(RecombinationTask(UPPER), examples, split, config, arguments))
        few = train[examples.groups[train] < sum(sizes[:-1]) + REFIT]
        task, split = RecombinationTask(UPPER, True, bundle.networks), replace(split, train=few)
        refit = trained(task, examples, split, tuning(config), arguments)
        answers |= {name: np.array(v) for name, v in own["answers"].items() if name != "network"}
        answers |= {name: np.array(v["answers"]["network"]) for name, v in (("own", own), ("refit", refit))}
        row |= {"own": own["scores"], "refit": refit["scores"]}
    return (
        row | compare(truth, answers, dict.fromkeys(answers, 1), "r2", arguments.seed, examples.groups[test]).to_dict()
    )


def ten_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare the networks in every setting."""
    general, bundle = trained_in(arguments.bundle)
    chosen = SETTINGS if arguments.only is None else (SETTINGS[arguments.only],)
    found: dict[str, Any] = {}
    for setting in chosen:
        found[setting.name] = row = one_setting(setting, general, bundle, arguments)
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
