"""Traits: which strand and which allele come first in a file changes nothing.

    SEWALL_DATA=... python benchmarks/trait_invariance.py [--seed 1]

Half of the variants of rice44k are written on the other strand, with REF and ALT exchanged. Sites where both strands
read the same (A/T, C/G) and whose minor allele has a frequency of .4 or more are left out, since nothing in them tells
the strand. Models trained on the file as it was predict held-out accessions from the other file after harmonisation.
All are also trained on the other file as it stands (a network then starts from weights of other signs, and ends
elsewhere). The linkage window is compared on the two files as they stand.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from reporting import write
from threadpoolctl import threadpool_limits
from trait_simple import BASE, Trial, data, inner_folds, measured

from sewall.data.joining import match
from sewall.data.panel import Panel
from sewall.data.panels.harmonise import CLEAR, frequencies, harmonise
from sewall.data.panels.reading import open_panel
from sewall.data.phenotypes import read_phenotypes
from sewall.encode.ld import ld_windows
from sewall.genomic.blup import XLinked
from sewall.genomic.catalogue import ALL
from sewall.genomic.contract import GenomicModel
from sewall.genomic.kernels import Kernels
from sewall.jobs.trait.networks import FEW
from sewall.jobs.trait.people import People
from sewall.jobs.trait.task import TraitTask
from sewall.task import Examples, Rows, Target
from sewall.train import Member, Training, apply_network, train_ensemble

Floats = NDArray[np.float64]

TRAIT = "Plant.height"
COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}
EPOCHS = 10


def rice(cache: Path) -> Trial:
    """Return plant height of rice44k."""
    path = data() / "rice44k" / "UNL.bed"
    panel = open_panel(path, cache)
    table = read_phenotypes(path.parent / "44kPhenos.csv", [TRAIT], ids="PlinkIDs")
    joined = match(panel.sample_ids, table, path, allow_missing=True)
    target: Floats = joined.over_panel(joined.phenotypes.traits[[TRAIT]])[:, 0]
    return measured(Trial(panel, "rice44k", TRAIT, target, np.zeros((len(panel), 0))))


def telling(panel: Panel, train: Rows) -> Panel:
    """Return the panel at sites whose strand can be told, from the frequency in all and in those to be trained on."""
    ref, alt = panel.sites.alleles.T
    both = np.array([COMPLEMENT.get(one) == other for one, other in zip(ref, alt, strict=True)])
    everyone = [frequencies(panel, np.arange(len(panel.sites)), rows) for rows in (None, train)]
    rarer = np.max([np.minimum(frequency, 1 - frequency) for frequency in everyone], axis=0)
    return panel.take_sites(~both | (rarer < CLEAR))


def turned(panel: Panel, which: NDArray[np.bool_]) -> Panel:
    """Return the panel with some variants on the other strand, REF and ALT exchanged."""
    codes, alleles = panel.calls.codes(slice(None)).copy(), panel.sites.alleles.copy()
    codes[which] = np.where(codes[which] == panel.calls.missing, codes[which], panel.calls.steps - codes[which])
    alleles[which] = [[COMPLEMENT[letter] for letter in pair[::-1]] for pair in alleles[which]]
    return Panel.from_codes(codes, replace(panel.sites, alleles=alleles), panel.sample_ids, panel.copies)


def classical(trial: Trial, panel: Panel, train: Rows) -> dict[str, GenomicModel]:
    """Return all classical models, trained."""
    kernels, inner = Kernels(panel, train), inner_folds(len(train), None)
    kinds = [kind for kind in ALL if kind is not XLinked]
    return {kind.key: kind().fit(panel, train, trial.target[train], trial.covariates, kernels, inner) for kind in kinds}


@dataclass(frozen=True)
class Learner:
    """A network of plant height.

    Attributes:
        trial: the trait.
        base: ``(individuals,)`` what is known without genotypes.
    """

    trial: Trial
    base: Floats

    def examples(self, panel: Panel) -> Examples:
        """Return the accessions as they stand in a panel."""
        people = People(panel, self.trial.covariates)
        return Examples(pd.DataFrame({"sample_id": panel.sample_ids}), people, self.trial.target)

    def task(self, panel: Panel) -> TraitTask:
        """Return the job."""
        low, high = float(self.trial.target.min()), float(self.trial.target.max())
        return TraitTask(Target(TRAIT, "", "identity", low, high), panel.sites)

    def trained(self, panel: Panel, train: Rows, seed: int) -> Any:
        """Return a network trained on one thread."""
        torch.set_num_threads(1)
        order = np.random.default_rng(seed).permutation(train)
        tune = len(order) // 8
        member = Member(seed, order[tune:], order[:tune], self.base[:, None])
        with TemporaryDirectory() as folder:
            config = replace(FEW, epochs=EPOCHS)
            training = Training(self.task(panel), self.examples(panel), config, Path(folder))
            return train_ensemble(training, [member], 1)[0][0]

    def answers(self, network: Any, panel: Panel, rows: Rows) -> Floats:
        """Return ``(rows,)`` predictions."""
        found, _ = apply_network(network, self.task(panel), self.examples(panel), rows)
        return np.asarray(self.base[rows] + found[:, 0])


def benchmark(cache: Path, seed: int) -> dict[str, Any]:
    """Train on one file, predict from the other, and return the largest differences in SD of the trait."""
    trial, rng = rice(cache), np.random.default_rng(seed)
    order = rng.permutation(len(trial.target))
    train, test = np.sort(order[len(order) // 5 :]), np.sort(order[: len(order) // 5])
    panel = telling(trial.panel, train)
    other = turned(panel, rng.random(len(panel.sites)) < 0.5)
    harmonised, table = harmonise(other, panel.sites, frequencies(panel, np.arange(len(panel.sites)), train))
    same = np.array_equal(harmonised.calls.codes(slice(None)), panel.calls.codes(slice(None)))
    spread = float(trial.target.std())

    models, again = classical(trial, panel, train), classical(trial, other, train)
    rows = []
    for key, model in models.items():
        answer, moved = (model.predict(p, test, trial.covariates) for p in (panel, harmonised))
        anew = again[key].predict(other, test, trial.covariates)
        rows.append({"model": key, "harmonised": _apart(answer, moved) / spread, "anew": _apart(answer, anew) / spread})
    learner = Learner(trial, models[BASE].predict(panel, np.arange(len(panel)), trial.covariates))
    network = learner.trained(panel, train, seed)
    answer, moved = (learner.answers(network, p, test) for p in (panel, harmonised))
    anew = learner.answers(learner.trained(other, train, seed), other, test)
    rows.append(
        {"model": "network", "harmonised": _apart(answer, moved) / spread, "anew": _apart(answer, anew) / spread}
    )
    windows = [ld_windows(p, train).genome.sites for p in (panel, other)]
    return {
        "setting": "invariance", "data": "rice44k", "trait": TRAIT, "n": len(trial.target), "sites": len(panel.sites),
        "seed": seed, "outcomes": table["outcome"].value_counts().to_dict(), "calls_identical": same,
        "windows": windows, "rows": rows,
    }  # fmt: skip


def _apart(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max())


def main() -> None:
    parser = argparse.ArgumentParser(description="Complemented and swapped variants.")
    parser.add_argument("--seed", type=int, default=1, help="of the variants, the held-out accessions and the network")
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/panels"), help="folder of copies")
    parser.add_argument("--name", default="trait_invariance", help="of the file of results")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        results = benchmark(arguments.cache / "rice44k", arguments.seed)
    print(f"rice44k, {results['trait']}: n = {results['n']}, {results['sites']:,} sites")
    for outcome, count in results["outcomes"].items():
        print(f"  {count:>6,} {outcome}")
    print(f"calls after harmonisation are {'identical' if results['calls_identical'] else 'NOT identical'}")
    print(f"linkage window: {results['windows'][0]} sites in the one file, {results['windows'][1]} in the other")
    print("largest difference of a prediction, in SD of the trait: from the other file, and trained on the other file")
    for row in results["rows"]:
        print(f"  {row['model']:<11} {row['harmonised']:.1e}   {row['anew']:.1e}")
    write(arguments.name, results)


if __name__ == "__main__":
    main()
