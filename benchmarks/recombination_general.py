"""What a map knows of a file that nobody told it anything of, against networks trained for the very setting.

    python benchmarks/recombination_general.py settings [--only 3]   # ten settings
    python benchmarks/recombination_general.py mutation              # one rate, mutation rates 25-fold apart

A file is a chromosome of 150 windows of 100 kb; the rate is even in each, r ~ U(0, 5e-8), theta 5e-4 per bp.
``general`` is ``recombination map --bundle general``, ``quick`` and ``full`` are maps with ``--quick`` and without, and
``own`` is a bundle that was trained from nothing on 9,000 simulations of the setting itself, whose history and rates it
knows. All answer the same windows, which decided nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msprime
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from reporting import fit, options, settings, share, words, write
from settings import code_digest, package_digest
from threadpoolctl import threadpool_limits
from variants import write_vcf

from sewall import run
from sewall.jobs import recombination
from sewall.jobs.recombination import learn
from sewall.jobs.recombination.every_data import DataSet, DataSetSimulator, RateSpread, examples_of
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.windows.observed import Sample
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.defects import Defects
from sewall.simulate.farm import run_farm
from sewall.simulate.history import History
from sewall.trust.compare import compare

LEVEL, LENGTH, THETA, UPPER, MUTATION_RATE = 0.9, 100_000, 5e-4, 4.0, 1.25e-8
PER_FILE = 150
WAYS: dict[str, dict[str, Any]] = {"general": {"bundle": "general"}, "quick": {"quick": True}, "full": {}}
TEST, CALIBRATE, NULL, TUNE, TRAIN = 10, 40, 20, 10, 150  # data sets of 60 windows, to train the own networks
WINDOWS = 60
RATES = RateSpread(UPPER)
CONSTANT = History((1e4,))
NECK = History((12_000, 1_000, 30_000), (800, 1_600))
GROWTH = History((2e5, 1e4), (1_000,))
DECLINE = History((2_000, 2e4), (2_000,))
HISTORIES = {"constant": CONSTANT, "bottleneck": NECK, "growth": GROWTH, "decline": DECLINE}
Floats = NDArray[np.float64]


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

    def data_set(self) -> DataSet:
        ploidy = np.full(self.chromosomes // 2, 2, np.int8)
        columns = self.chromosomes if self.phased else self.chromosomes // 2
        sample = Sample(self.phased, ploidy, np.zeros((0, columns), bool))
        return DataSet(sample, self.least, HISTORIES[self.history], THETA, 0.0, LENGTH, 1.0, RATES, Defects())

    def write_file(self, path: Path, ratios: Floats, theta: float, seed: int) -> None:
        """Write the variants of a chromosome, one rho / theta per window."""
        mu = theta / (4 * HISTORIES[self.history].effective_size(self.chromosomes, self.least))
        rates = msprime.RateMap(position=np.arange(len(ratios) + 1) * LENGTH, rate=ratios * mu)
        spec = WindowSpec(self.chromosomes, LENGTH * len(ratios), mu, rates, HISTORIES[self.history])
        sites = simulate_window(spec, np.random.SeedSequence([seed, 1]))
        carriers = sites.calls.sum(axis=1)
        kept = np.minimum(carriers, self.chromosomes - carriers) >= self.least
        write_vcf(path, LENGTH * len(ratios), sites.positions[kept], sites.calls[kept], self.phased)


SETTINGS = (
    Setting(6, True, 1, "constant"), Setting(6, False, 1, "bottleneck"), Setting(20, True, 1, "constant"),
    Setting(20, True, 2, "bottleneck"), Setting(20, False, 1, "growth"), Setting(64, True, 1, "growth"),
    Setting(64, False, 2, "constant"), Setting(200, True, 1, "decline"), Setting(200, True, 2, "growth"),
    Setting(200, False, 1, "bottleneck"),
)  # fmt: skip


def own_bundle(setting: Setting, arguments: argparse.Namespace) -> Path:
    """Return a bundle trained from nothing for a setting, made once: it does not change with the general one."""
    data_set = setting.data_set()
    made = f"{data_set!r} {code_digest()} {arguments.data_seed} {arguments.seed} {arguments.members}"
    key = hashlib.sha256(made.encode()).hexdigest()[:12]
    place = arguments.cache / f"own-{key}"
    if (place / "bundle.json").exists():
        return place
    sizes = (TEST, CALIBRATE, NULL, TUNE, TRAIN)

    def told(done: int, of: int) -> None:
        print(f"\r{done} of {of} data sets", end="" if done < of else "\n", flush=True)

    with threadpool_limits(1):
        paths = run_farm(
            DataSetSimulator(WINDOWS, data_set), sum(sizes), arguments.data_seed, arguments.cache / f"general-{key}",
            config={"key": key}, shard_size=5, workers=arguments.workers, progress=told,
        )  # fmt: skip
    examples, task = examples_of(paths), RecombinationTask(UPPER)
    assert examples.groups is not None
    part = np.searchsorted(np.cumsum(sizes), examples.groups, side="right")
    test, calibrate, null, tune, train = (np.flatnonzero((part == k) & task.usable(examples)) for k in range(5))
    fitted = fit(task, examples, run.Split(train, tune, calibrate, null, test), arguments.members, arguments.seed)
    with threadpool_limits(1):
        scores = run.evaluate(fitted.bundle, task, examples, test, LEVEL, arguments.seed)
    trained_on = {
        "chromosomes": [setting.chromosomes], "phased": [setting.phased], "least_minor_count": setting.least,
        "missing_calls": 0.0, "theta_per_bp": THETA, "window_bp": [LENGTH, LENGTH],
    }  # fmt: skip
    prior = {"upper": UPPER, "simulations": len(examples)}
    about = learn.about(trained_on, prior, setting.history, False)
    run.described(fitted.bundle, task, about, {**scores, "learning": [], "held_out": ""}).save(place)
    return place


def one_setting(setting: Setting, arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare all answers to the windows of a few files."""
    own, found, version = own_bundle(setting, arguments), [], package_digest()
    ways = {way: WAYS[way] for way in arguments.ways} | {"own": {"bundle": own}}
    for number in range(arguments.files):
        seed = arguments.data_seed + number
        folder = arguments.cache / f"files-{hashlib.sha256(repr(setting).encode()).hexdigest()[:12]}-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        ratios, file = np.random.default_rng(seed).uniform(0, UPPER, PER_FILE), folder / "variants.vcf"
        if not file.exists():
            setting.write_file(file, ratios, THETA, seed)
        for way, given in ways.items():
            place = folder / (own.name if way == "own" else f"{way}-{version}")
            if not (place / "report.html").exists():
                recombination.map(
                    file, out=place, mutation_rate=MUTATION_RATE, seed=arguments.seed, threads=arguments.workers,
                    verbosity=0, **given,
                )  # fmt: skip
            table = pd.read_csv(place / "predictions.tsv", sep="\t", comment="#")
            truth = ratios[(table["start"] // LENGTH).to_numpy()]
            stages = json.loads((place / "run.json").read_text(encoding="utf-8"))["stages"]
            found.append(table.assign(way=way, file=number, truth=truth, seconds=sum(stages.values())))
    rows = pd.concat(found)
    rows[["lower", "upper"]] /= MUTATION_RATE
    wide = rows.pivot_table(index=["file", "start"], columns="way", values="rho_over_theta").dropna()
    own_rows = rows[rows["way"] == "own"].set_index(["file", "start"]).loc[wide.index]
    answers = {way: wide[way].to_numpy() for way in ways}
    answers["own, simple"] = (own_rows["simple"] / MUTATION_RATE).to_numpy()
    truth = own_rows["truth"].to_numpy()
    scores: dict[str, Any] = {"n": len(wide), "correlation": {}, "coverage": {}, "outside": {}, "seconds": {}}
    for way, part in rows.groupby("way"):
        claimed = part.dropna(subset=["lower"])
        inside = (claimed["lower"] <= claimed["truth"]) & (claimed["truth"] <= claimed["upper"])
        scores["correlation"][way] = float(np.corrcoef(truth, answers[str(way)])[0, 1])
        scores["coverage"][way] = share(inside.to_numpy())
        scores["outside"][way] = float((part["support"] == "outside").mean())
        scores["seconds"][way] = float(part["seconds"].mean())
    return scores | compare(truth, answers, dict.fromkeys(answers, 1), "r2", arguments.seed).to_dict()


def ten_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare the networks in every setting."""
    chosen = SETTINGS if arguments.only is None else (SETTINGS[arguments.only],)
    found: dict[str, Any] = {}
    for setting in chosen:
        found[setting.name] = row = one_setting(setting, arguments)
        print(setting.name, {m["key"]: round(m["metrics"]["r2"]["value"], 3) for m in row["models"]}, flush=True)
        print("  covers", {way: words(covered, 3) for way, covered in row["coverage"].items()}, flush=True)
    return {"settings": found}


def mutation(arguments: argparse.Namespace) -> dict[str, Any]:
    """Change the mutation rate 25-fold where the recombination rate is 1e-8 everywhere."""
    found: dict[str, Any] = {}
    for way in arguments.ways:
        rows = []
        for factor in (0.2, 1.0, 5.0):
            mu, folder = MUTATION_RATE * factor, arguments.cache / f"mutation-{factor}"
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / "variants.vcf"
            SETTINGS[2].write_file(file, np.full(PER_FILE, 1e-8 / mu), 4e4 * mu, arguments.data_seed)
            result = recombination.map(
                file, out=folder / f"{way}-{package_digest()}", mutation_rate=mu, seed=arguments.seed,
                threads=arguments.workers, verbosity=0, **WAYS[way],
            )  # fmt: skip
            rates = result.table["estimate"].dropna()
            spread = {"sd": float(rates.std()), "n": len(rates)}
            rows.append({"mutation_rate": mu, "mean_rate": float(rates.mean()), **spread})
            print(way, rows[-1], flush=True)
        means = [row["mean_rate"] for row in rows]
        found[way] = {"rows": rows, "largest_over_smallest": max(means) / min(means)}
    return {"rate": 1e-8, "ways": found}


PARTS = {"settings": ten_settings, "mutation": mutation}


def main() -> None:
    parser = options("Maps of files that nothing is known of, against networks that were trained for the very setting.")
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--files", type=int, default=3, help="of each setting")
    parser.add_argument("--only", type=int, help="number of the setting")
    parser.set_defaults(data_seed=160)  # files of 60 to 62 were looked at while the training was designed
    arguments = parser.parse_args()
    results = PARTS[arguments.part](arguments)
    if arguments.only is None:
        own = settings(arguments, ("cache", "workers", "name", "only"))
        write(f"recombination_general_{arguments.part}-seed{arguments.seed}", {**results, "arguments": own})


if __name__ == "__main__":  # worker processes import this file and must not run it
    main()
