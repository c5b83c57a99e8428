"""Is the level of the rates of a file known as well as the simulations claim?

    python benchmarks/recombination_level.py [--files 6] [--workers 2]

A level of rates, gene conversion, hotspots and a history can each make linkage look alike. `sewall recombination
simulate --quick` weighs them by what a file shows; here the mean rate that it simulates is compared with that of files
whose truth is known: 25 diploid genomes, 6 Mb, windows of 100 kb, rates that are drawn for each file (mean about 1
cM/Mb, uneven between windows, hotspots of about 2 kb by a gamma distribution), up to four gene conversions per
crossover. Histories: constant size; growth after a bottleneck; Europeans among three populations that exchange
migrants (Gutenkunst et al. 2009, PLoS Genet 5:e1000695), inferred from the file, and given.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import demes
import msprime
import numpy as np
from reporting import options, settings, share, write
from settings import MUTATION_RATE
from variants import write_vcf

from sewall.jobs.recombination.looking import histories_of, make_prior
from sewall.jobs.recombination.mapping import Data
from sewall.jobs.recombination.options import SimulateOptions
from sewall.jobs.session import started

DIPLOIDS, LENGTH, WINDOW = 25, 6_000_000, 100_000
MEAN, MEAN_SPREAD = 1e-8, 0.35  # of a file's rate: per bp, and standard deviation of its log
BETWEEN, SHAPES, STRETCH = (0.2, 0.8), (0.12, 2.0), 2_000  # of windows' log rates; of the gamma; its stretches in bp
CONVERTED, MOST_CONVERSIONS, TRACT = 0.65, 4.0, 300
LEVEL = 0.9


def constant() -> msprime.Demography:
    """Return a population that never changed."""
    return msprime.Demography.isolated_model([10_000])


def growth() -> msprime.Demography:
    """Return a population that grows since it was small."""
    found = msprime.Demography.isolated_model([30_000], growth_rate=[0.003])
    found.add_population_parameters_change(time=800, initial_size=2_500, growth_rate=0)
    found.add_population_parameters_change(time=4_000, initial_size=12_000)
    return found


def three_populations() -> msprime.Demography:
    """Return Europeans (population ``EU``) as Gutenkunst et al. inferred them, at 25 years per generation."""
    split, out_of_africa, old = 848, 5_600, 8_800
    found = msprime.Demography()
    for name, size, rate in (("AF", 12_300, 0), ("EU", 1_000, 0.004), ("AS", 510, 0.0055), ("B", 2_100, 0)):
        found.add_population(name=name, initial_size=size * np.exp(rate * split), growth_rate=rate)
    found.add_population(name="A", initial_size=7_300)
    for pair, rate in ((["AF", "EU"], 3e-5), (["AF", "AS"], 1.9e-5), (["EU", "AS"], 9.6e-5)):
        found.set_symmetric_migration_rate(pair, rate)
    found.add_population_split(time=split, derived=["EU", "AS"], ancestral="B")
    found.add_symmetric_migration_rate_change(time=split, populations=["AF", "B"], rate=25e-5)
    found.add_population_split(time=out_of_africa, derived=["B", "AF"], ancestral="A")
    found.add_population_parameters_change(time=old, initial_size=7_300, population="A")
    found.sort_events()
    return found


HISTORIES: dict[str, tuple[Callable[[], msprime.Demography], str | None]] = {
    "constant size": (constant, None), "growth": (growth, None), "three populations": (three_populations, "EU"),
}  # fmt: skip
GIVEN = "three populations, history given"


@dataclass(frozen=True)
class File:
    """A file to be drawn, and what is asked of it."""

    history: str
    given: bool
    seed: int
    cache: Path

    def made(self) -> dict[str, float]:
        """Draw the file if it is not there; return its mean rate and its gene conversions per crossover."""
        truth = self.cache / f"{self._name}.json"
        if truth.exists():
            return dict(json.loads(truth.read_text(encoding="utf-8")))
        rng = np.random.default_rng(self.seed)
        conversions = float(rng.uniform(0, MOST_CONVERSIONS)) * float(rng.random() < CONVERTED)
        rates = _rates(rng)
        made, population = HISTORIES[self.history]
        ancestry, mutations = (int(x) for x in rng.integers(1, 2**31, 2))
        converted = {"gene_conversion_rate": conversions * rates.mean_rate, "gene_conversion_tract_length": TRACT}
        trees = msprime.sim_ancestry(
            [msprime.SampleSet(DIPLOIDS, population=population)], demography=made(), recombination_rate=rates,
            random_seed=ancestry, **(converted if conversions else {}),
        )  # fmt: skip
        trees = msprime.sim_mutations(trees, rate=MUTATION_RATE, random_seed=mutations, model="binary")
        positions = trees.tables.sites.position.astype(int)
        write_vcf(self.variants, LENGTH, positions, trees.genotype_matrix().astype(np.int8))
        found = {"mean": float(rates.mean_rate), "gene_conversion": conversions}
        truth.write_text(json.dumps(found), encoding="utf-8")
        return found

    @property
    def variants(self) -> Path:
        """Where it lies."""
        return self.cache / f"{self._name}.vcf"

    @property
    def _name(self) -> str:
        return f"level-{self.history.replace(' ', '-')}-{self.seed}"

    def asked(self) -> dict[str, Any]:
        """Return what the simulations claim of the mean rate, and the truth."""
        truth, extra, name = self.made(), {}, self._name + ("-given" if self.given else "")
        if self.given:
            graph = self.cache / f"{name}.yaml"
            demes.dump(HISTORIES[self.history][0]().to_demes(), graph)
            extra = {"demography": graph, "population": HISTORIES[self.history][1]}
        given = SimulateOptions.of(
            variants=self.variants, out=self.cache / name, mutation_rate=MUTATION_RATE, window=WINDOW, quick=True,
            seed=self.seed, threads=1, verbosity=0, **extra,
        )  # fmt: skip
        with started(given) as (folder, console):
            data = Data.read(given, folder, console, given.min_count)
            histories = histories_of(folder, given, data.observed, data.examples, console)
            general = data.general(folder.seed)
            prior = make_prior(folder, given, data.observed, data.examples, histories, console, general)
        genomes = prior["genomes"]
        levels = (np.square(genomes["middle"]) + np.square(genomes["spread"])) * MUTATION_RATE
        lower, upper = np.quantile(levels, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        ours = GIVEN if self.given else self.history
        return {
            "history": ours, "seed": self.seed, **truth, "claimed": float(levels.mean()), "lower": float(lower),
            "upper": float(upper),
        }  # fmt: skip


def _rates(rng: np.random.Generator) -> msprime.RateMap:
    """Draw a map: a mean for the file, one for each window, and stretches within."""
    mean = MEAN * np.exp(MEAN_SPREAD * rng.standard_normal())
    between, shape = rng.uniform(*BETWEEN), float(np.exp(rng.uniform(*np.log(SHAPES))))
    windows = mean * np.exp(between * rng.standard_normal(LENGTH // WINDOW) - between**2 / 2)
    ends = np.unique(np.cumsum(rng.exponential(STRETCH, 2 * LENGTH // STRETCH)).astype(int))
    edges = np.concatenate(([0], ends[(ends > 0) & (ends < LENGTH)], [LENGTH]))
    within = rng.gamma(shape, 1 / shape, len(edges) - 1)
    return msprime.RateMap(position=edges, rate=windows[edges[:-1] // WINDOW] * within)


def main() -> None:
    arguments = _parsed()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    seeds = range(arguments.data_seed, arguments.data_seed + arguments.files)
    files = [File(history, False, seed, arguments.cache) for seed in seeds for history in HISTORIES]
    # Later, so that each file has been drawn by then.
    files += [File("three populations", True, seed, arguments.cache) for seed in seeds]
    with ProcessPoolExecutor(arguments.workers) as pool:
        rows = []
        for row in pool.map(File.asked, files):
            rows.append(row)
            print("{history:<33} {mean:.2e}: claimed {claimed:.2e} ({lower:.2e} to {upper:.2e})".format(**row))
    write("recombination_level", {**settings(arguments), "files_asked": rows, "scores": _scores(rows)})


def _parsed() -> argparse.Namespace:
    parser = options("Is the level of the rates of a file known?")
    parser.add_argument("--files", type=int, default=6, help="of each history")
    parser.set_defaults(data_seed=500)
    return parser.parse_args()


def _scores(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for history in (*HISTORIES, GIVEN):
        own = [row for row in rows if row["history"] == history]
        ratio = np.array([row["claimed"] / row["mean"] for row in own])
        inside = np.array([row["lower"] <= row["mean"] <= row["upper"] for row in own])
        closeness = float(np.exp(np.log(ratio).mean()))
        found[history] = {"files": len(own), "ratio": closeness, "inside": share(inside)}
        print(f"{history}: {inside.sum()} of {len(own)} inside {LEVEL:.0%} intervals, claimed / true {closeness:.2f}")
    return found


if __name__ == "__main__":
    main()
