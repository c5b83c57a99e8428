"""What a wrong history costs, and what each way of adapting gives back.

    python benchmarks/misspecification.py                # five targets, with and without other rates, three seeds
    python benchmarks/misspecification.py --only 0       # one target
    SEWALL_DATA=folder ...                               # for the fifth, the European history of ``smcpp_1kg``

Networks are trained on 2,100 windows (80 kb, 20 haplotypes; of the last target 300 kb and 32) of constant size and
asked about a population that never had one. Arms: *naive* (that network), *oracle* (trained on labelled windows of
the target), *resimulate* (trained on what ``recombination simulate --quick`` makes of a file of 300 windows),
*randomise*, *reweight*, *align* and *auto* (which know the range of the rates, and look at the histories alone), and
*general*, the bundle that the package ships, where it is there. Of the last target at other rates there is neither
*resimulate* nor *auto*: they would take longer than all else together. Error: mean absolute error of the log10 of the
rate. Recovered: the share of the gap between naive and oracle that an arm closes, in brackets its 95 % interval
(windows drawn again, the mean over seeds each time); no gap where it is less than three standard errors. Test windows
decide nothing. The figure goes to ``docs/misspecification.png``.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from misspecified import CONSTANT, Reading, Target, look, simulated, targets, with_context
from numpy.typing import NDArray
from reporting import settings, share, words, write
from settings import package_digest
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits
from variants import resimulated

from sewall import run
from sewall.bundle import Bundle
from sewall.errors import SewallError
from sewall.jobs.recombination.mapping import trained_in
from sewall.jobs.recombination.options import GENERAL
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.windows.adapting import Towards, aligned, nearest
from sewall.jobs.windows.source import windows_of
from sewall.simulate.demography_files import read_demography
from sewall.simulate.fit_history import design_effect, fit_histories
from sewall.simulate.ghosts import WithGhosts
from sewall.simulate.history import HistorySource, OneHistory, RandomHistories
from sewall.task import Examples
from sewall.train import TrainConfig

LEVEL = 0.9
TEST, CALIBRATE, NULL, TUNE, TRAIN = 1_000, 500, 500, 150, 2_100
UNLABELLED, NEAR = 300, 600  # windows of the target that an arm may see; simulations that auto looks at
TESTING, HOME, TRAINING, NEARBY, SEEN = 1, 2, 3, 4, 100  # seeds of the sets
SIMULATED = CALIBRATE + NULL + TUNE + TRAIN
SHARES = run.Shares(*(part / SIMULATED for part in (TRAIN, TUNE, CALIBRATE, NULL)))
ARMS = ("naive", "resimulate", "randomise", "reweight", "align", "auto", "general", "oracle")
BATCHES, TOGETHER = 400, (1, 10, 25, 50)
LOWEST = 1e-3  # rho / theta that estimates below it count as
Floats = NDArray[np.float64]


class Sets:
    """The windows of one target, simulated once; seeds divide them, train on them and look at others of the target.

    Args:
        target: a population.
        cache: folder of simulations.
        workers: processes that simulate.
    """

    def __init__(self, target: Target, cache: Path, workers: int) -> None:
        self.target, self.cache, self.workers = target, cache, workers
        self.number = round(SIMULATED * target.part)  # windows of each training
        self.readings = {"plain": Reading(), "copied": target.known}
        self.units, self.spectra = {}, {}
        for name, reading in self.readings.items():
            self.units[name], self.spectra[name] = look(replace(target.place, reading=reading), UNLABELLED, 1)

    def of_target(self, reading: str, shift: bool, number: int, purpose: int) -> Examples:
        """Return windows of the target, with rates as in training or others; the unit of length is its own theta."""
        rates = self.target.shifted if shift else self.target.place.rates
        place = replace(self.target.place, reading=self.readings[reading], unit=self.units[reading], rates=rates)
        return with_context(simulated(place, number, purpose, self.cache, self.workers), place)

    def like(self, reading: str, histories: HistorySource, number: int, purpose: int) -> Examples:
        """Return what `map` would simulate: what is known of the calls, as many variants, the rates of the prior."""
        place = self.target.place.like(self.readings[reading], histories, self.units[reading])
        return simulated(place, number, purpose, self.cache, self.workers)

    def resimulated(self, shift: bool) -> tuple[Examples, RecombinationTask]:
        """Return what the command simulates for a file of the target, and the task with the rates that it found."""
        place, rates = self.target.place, "other" if shift else "same"
        seen = windows_of(self.of_target("copied", shift, UNLABELLED, SEEN)).load(np.arange(UNLABELLED))
        folder = self.cache / f"file-{package_digest()}-{self.target.name.replace(' ', '-')}-{rates}-rates"
        return resimulated(seen, folder, place.stated, self.number, quick=True, threads=self.workers)

    def resimulates(self, shift: bool) -> bool:
        """Return whether the command is asked: long windows of other rates take it longer than all else together."""
        return not shift or self.target.part == 1

    def histories(self, arm: str) -> HistorySource:
        """Return the histories of an arm."""
        n, least = self.target.place.chromosomes, self.target.known.least
        if arm in ("naive", "given", "align"):
            return CONSTANT
        if arm in ("randomise", "reweight"):
            return WithGhosts(RandomHistories(n, least))
        spectra, rng = self.spectra["copied"], np.random.default_rng(1)
        return fit_histories(spectra.sum(axis=0), n, least, rng, linkage=design_effect(spectra[:, least - 1 :]))

    def make(self, seeds: list[int]) -> None:
        """Simulate all that the seeds will read, so that it lies in the cache."""
        for arm in ("given", "randomise"):
            self.like("copied", self.histories(arm), self.number, TRAINING)
        for arm in ("given", "randomise", "resimulate"):
            self.like("copied", self.histories(arm), NEAR, NEARBY)
        self.like("plain", CONSTANT, self.number, TRAINING)
        self.like("plain", CONSTANT, TEST, HOME)
        for shift in (False, True):
            self.of_target("copied", shift, self.number, TRAINING)
            for reading in self.readings:
                self.of_target(reading, shift, TEST, TESTING)
                for seed in seeds:
                    self.of_target(reading, shift, UNLABELLED, SEEN + seed)
            if self.resimulates(shift):
                self.resimulated(shift)


@dataclass(frozen=True)
class Case:
    """One target and one seed."""

    target: Target
    seed: int
    cache: Path


def benchmark(case: Case) -> list[dict[str, Any]]:
    """Train and score all arms of one target, at the rates of training and at others."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        return list(_Arms(case).run())


class _Arms:
    def __init__(self, case: Case) -> None:
        self.case, self.sets = case, Sets(case.target, case.cache, 1)
        prior = case.target.place
        self.task = RecombinationTask(float(prior.rates[1] / prior.stated))

    def run(self) -> Iterator[dict[str, Any]]:
        sets, plain = self.sets, {}
        plain["naive"] = self._trained(sets.like("plain", CONSTANT, sets.number, TRAINING))
        plain["randomise"] = self._trained(sets.like("copied", sets.histories("randomise"), sets.number, TRAINING))
        for shift in (False, True):
            seen = sets.of_target("copied", shift, UNLABELLED, SEEN + self.case.seed)
            tests = {name: sets.of_target(name, shift, TEST, TESTING) for name in sets.readings}
            rows = {
                arm: self._scored(bundle, tests["plain" if arm == "naive" else "copied"])
                for arm, bundle in plain.items()
            }
            if sets.resimulates(shift):
                examples, task = sets.resimulated(shift)
                rows["resimulate"] = self._scored(self._trained(examples, task=task), tests["copied"], task)
            for arm in ("reweight", "align"):
                rows[arm] = self._towards(arm, seen, tests["copied"])
            chosen, away = self._auto(seen)
            if sets.resimulates(shift):
                rows["auto"] = rows[chosen] if chosen != "given" else self._given(rows["naive"], tests["copied"])
            if GENERAL.exists():
                task, bundle = trained_in(GENERAL)
                rows["general"] = self._scored(bundle, tests["copied"], task)
            labelled = sets.of_target("copied", shift, sets.number, TRAINING)
            rows["oracle"] = self._scored(self._trained(labelled), tests["copied"])
            yield {
                "case": self.case.target.name + (", other rates" if shift else ""), "seed": self.case.seed,
                "arms": rows, "auto": {"chosen": chosen, "away": away},
                "support": self._support(plain["naive"], tests["plain"]),
            }  # fmt: skip

    def _given(self, naive: dict[str, Any], test: Examples) -> dict[str, Any]:
        """Return the scores of constant size with all that is known of the calls."""
        if self.case.target.known == Reading():
            return naive
        return self._scored(self._trained(self.sets.like("copied", CONSTANT, self.sets.number, TRAINING)), test)

    def _towards(self, arm: str, seen: Examples, test: Examples) -> dict[str, Any]:
        towards = Towards("align" if arm == "align" else "reweight", seen)
        examples = self.sets.like("copied", self.sets.histories(arm), self.sets.number, TRAINING)
        try:
            return self._scored(self._trained(examples, towards), test)
        except SewallError as refused:
            return {"refused": str(refused)}

    def _trained(
        self, examples: Examples, towards: Towards | None = None, task: RecombinationTask | None = None
    ) -> Bundle:
        task = task or self.task
        split = run.split(task, examples, self.case.seed, SHARES)
        split = replace(split, test=split.tune)  # scored elsewhere
        if towards is not None:
            split, _ = towards.parts(task, examples, split, self.case.seed)
        config = aligned(TrainConfig(members=1), towards)
        unlabelled = towards.data if towards is not None else None
        with TemporaryDirectory() as folder:
            return run.fit(
                task, examples, split, config, Path(folder), self.case.seed, unlabelled=unlabelled
            )[0]  # fmt: skip

    def _scored(self, bundle: Bundle, test: Examples, task: RecombinationTask | None = None) -> dict[str, Any]:
        task = task or self.task
        rows = np.flatnonzero(task.usable(test))
        answered = run.answer(bundle, task, test, rows, LEVEL)
        assert test.target is not None
        truth = np.log10(test.target[rows])
        error = _log(answered.estimate) - truth
        lower, upper = (_log(end) for end in answered.claimed.T)
        held = (lower <= np.maximum(truth, np.log10(LOWEST))) & (truth <= upper)
        full = np.full(len(test), np.nan)
        full[rows] = np.abs(error)
        return {
            "n": len(rows), "errors": full, "error": float(np.abs(error).mean()), "bias": float(error.mean()),
            "coverage": share(held), "width": float(np.mean(upper - lower)),
            "simple": {key: float(np.abs(_log(v) - truth).mean()) for key, v in answered.simple.items()},
        }  # fmt: skip

    def _auto(self, seen: Examples) -> tuple[str, dict[str, float]]:
        def statistics(examples: Examples) -> pd.DataFrame:
            return self.task.statistics(examples, np.flatnonzero(self.task.usable(examples)))

        def near(_: str, histories: HistorySource) -> pd.DataFrame:
            return statistics(self.sets.like("copied", histories, NEAR, NEARBY))

        candidates = {arm: self.sets.histories(arm) for arm in ("given", "resimulate", "randomise")}
        return nearest(candidates, near, statistics(seen))

    def _support(self, naive: Bundle, away: Examples) -> dict[str, Any]:
        """Return how well the check tells batches of the target from batches of the source, and its false alarms."""
        home = self.sets.like("plain", CONSTANT, TEST, HOME)
        rng, seen = np.random.default_rng(self.case.seed), {}
        for name, examples in (("home", home), ("away", away)):
            rows = np.flatnonzero(self.task.usable(examples))
            statistics = self.task.statistics(examples, rows).to_numpy(float)
            seen[name] = statistics, run.ensemble(naive.networks, self.task, examples, rows)[1]
        far = {name: -np.log(naive.support.examples(*values).p) for name, values in seen.items()}
        auroc = {}
        for size in TOGETHER:
            drawn = [[rng.choice(values, size).mean() for _ in range(BATCHES)] for values in far.values()]
            auroc[str(size)] = float(roc_auc_score(np.repeat([0, 1], BATCHES), np.concatenate(drawn)))
        statuses = {}
        for name, (statistics, embedding) in seen.items():
            batches = [rng.choice(len(statistics), 50, replace=False) for _ in range(BATCHES // 2)]
            called = [
                naive.support.batch(statistics[b], embedding[b], k, distributions=False).status
                for k, b in enumerate(batches)
            ]
            statuses[name] = share(np.array(called) == "outside")
        return {"auroc": auroc, "outside": statuses}


def _log(values: Floats) -> Floats:
    return np.asarray(np.log10(np.maximum(values, LOWEST)))


def summed(found: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Return the scores of one target over all seeds."""
    errors = {arm: _stacked(found, arm) for arm in ARMS}
    known = {arm: values for arm, values in errors.items() if values is not None}
    rng = np.random.default_rng(seed)
    size = len(next(iter(known.values()))[0])
    drawn = rng.integers(size, size=(1_000, size))
    means = {arm: np.nanmean(values.mean(axis=0)[drawn], axis=1) for arm, values in known.items()}
    gap = means["naive"] - means["oracle"]
    value = {arm: float(np.nanmean(values)) for arm, values in known.items()}
    rows = {}
    for arm, values in known.items():
        own = [row["arms"][arm] for row in found if "refused" not in row["arms"][arm]]
        rows[arm] = {
            "error": value[arm], "by_seed": np.nanmean(values, axis=1).tolist(),
            **{key: float(np.mean([row[key] for row in own])) for key in ("bias", "width")},
            "coverage": float(np.mean([row["coverage"]["value"] for row in own])),
            "simple": {key: float(np.mean([row["simple"][key] for row in own])) for key in own[0]["simple"]},
            "worse_than_naive": float(value[arm] / value["naive"] - 1),
        }  # fmt: skip
        if gap.mean() > 3 * gap.std() and arm not in ("naive", "oracle"):
            recovered = (means["naive"] - means[arm]) / gap
            low, high = np.quantile(recovered, [0.025, 0.975])
            whole = (value["naive"] - value[arm]) / (value["naive"] - value["oracle"])
            rows[arm]["recovered"] = {"value": float(whole), "lower": float(low), "upper": float(high)}
    refused = {arm: next(row["arms"][arm]["refused"] for row in found if "refused" in row["arms"].get(arm, {}))
               for arm in ARMS if any("refused" in row["arms"].get(arm, {}) for row in found)}  # fmt: skip
    support = {
        "auroc": {
            size: float(np.mean([row["support"]["auroc"][size] for row in found])) for size in map(str, TOGETHER)
        },
        "outside": {
            k: float(np.mean([row["support"]["outside"][k]["value"] for row in found])) for k in ("home", "away")
        },
    }
    return {"n": size, "seeds": [row["seed"] for row in found], "arms": rows, "refused": refused, "support": support,
            "auto": [row["auto"]["chosen"] for row in found]}  # fmt: skip


def _stacked(found: list[dict[str, Any]], arm: str) -> Floats | None:
    rows = [row["arms"][arm]["errors"] for row in found if "errors" in row["arms"].get(arm, {})]
    return np.stack(rows) if len(rows) == len(found) else None


def told(name: str, scores: dict[str, Any]) -> None:
    """Print one target."""
    support = scores["support"]
    auroc = "  ".join(f"{size}: {value:.3f}" for size, value in support["auroc"].items())
    print(f"\n{name}: n = {scores['n']:,} windows, seeds {scores['seeds']}")
    print(f"  detection by windows seen  {auroc}; outside: home {support['outside']['home']:.3f}, "
          f"target {support['outside']['away']:.3f}; auto took {scores['auto']}")  # fmt: skip
    for arm, row in scores["arms"].items():
        recovered = words(row["recovered"], 2) if "recovered" in row else ""
        print(f"  {arm:<11} error {row['error']:.3f}  bias {row['bias']:+.3f}  covers {row['coverage']:.3f}  "
              f"width {row['width']:.2f}  boosting {row['simple']['boosting']:.3f}  {recovered}")  # fmt: skip
    for arm, why in scores["refused"].items():
        print(f"  {arm:<11} {why}")


def draw(found: dict[str, dict[str, Any]], path: Path) -> None:
    """Draw error and coverage of every arm and target."""
    figure = Figure(figsize=(11, 0.55 * len(found) + 5.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    marks = dict(zip(ARMS, ("o", "s", "D", "^", "v", "P", "*", "|"), strict=True))
    for panel, key in zip(panels, ("error", "coverage"), strict=True):
        for number, arm in enumerate(ARMS):
            beside = 0.07 * (number - len(ARMS) / 2)  # so that no mark hides another
            at = [
                (scores["arms"][arm][key], -k - beside)
                for k, scores in enumerate(found.values()) if arm in scores["arms"]
            ]  # fmt: skip
            if at:
                last = {"color": "black", "markersize": 13, "markeredgewidth": 2.5} if arm == "oracle" else {}
                panel.plot(*zip(*at, strict=True), marks[arm], label=arm, **{"markersize": 8, "alpha": 0.85} | last)
        panel.set_yticks([-k for k in range(len(found))], list(found))
        panel.grid(axis="y", alpha=0.3)
    panels[0].set_xlabel("mean absolute error of log10 rate")
    panels[1].set_xlabel("coverage of 90 % intervals")
    panels[1].axvspan(0.85, 0.95, color="0.9", zorder=0)
    panels[1].axvline(0.9, color="0.6", linewidth=1, zorder=0)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(ARMS))
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", type=int, help="number of the target")
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/misspecification"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--before", type=float, default=0, help="minutes that interrupted runs took to fill the cache")
    arguments = parser.parse_args()
    begun, folder = time.monotonic(), os.environ.get("SEWALL_DATA")
    european = None
    if folder is not None:
        file = Path(folder) / "smcpp_1kg" / "smcpp_popsizes_1kg.csv"
        given = read_demography(file, population="CEU", generation_time=29, mutation_rate=1.25e-8)
        european = OneHistory(given, given.description)
    chosen = targets(arguments.cache, european)
    chosen = chosen if arguments.only is None else [chosen[arguments.only]]
    for target in chosen:
        Sets(target, arguments.cache, arguments.workers).make(arguments.seeds)
        print(f"{target.name}: simulated, {time.monotonic() - begun:.0f} s", flush=True)
    cases = [Case(target, seed, arguments.cache) for target in chosen for seed in arguments.seeds]
    results: dict[str, list[dict[str, Any]]] = {}
    with ProcessPoolExecutor(arguments.workers) as pool:
        for case, rows in zip(cases, pool.map(benchmark, cases), strict=True):
            for row in rows:
                results.setdefault(row["case"], []).append(row)
            print(f"{case.target.name}, seed {case.seed}: {time.monotonic() - begun:.0f} s", flush=True)
    found = {name: summed(rows, arguments.seeds[0]) for name, rows in results.items()}
    for name, scores in found.items():
        told(name, scores)
    if arguments.only is None:
        own = settings(arguments, ("cache", "workers", "only", "before"))
        spent = {"minutes": (time.monotonic() - begun) / 60, "processor_minutes": sum(os.times()[:4]) / 60}
        spent["minutes_before"] = arguments.before
        write("misspecification", {"targets": found, **spent, "settings": own})
        draw(found, Path(__file__).parents[1] / "docs" / "misspecification.png")


if __name__ == "__main__":
    main()
