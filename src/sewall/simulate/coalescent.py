"""Neutral windows from the coalescent with recombination (msprime; Baumdicker et al. 2022, Genetics 220:iyab229)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sewall.data.alignment import Alignment

if TYPE_CHECKING:
    import msprime
    import tskit

    from sewall.simulate.history import PopulationHistory


TRACT_LENGTH = 300  # mean bp copied by a non-crossover: tens to hundreds in mammals, some 400 in flies


@dataclass(frozen=True)
class WindowSpec:
    """What one simulated window is made of.

    Attributes:
        chromosomes: chromosome copies in the sample.
        length: length of the window in bp.
        mutation_rate: per bp per generation.
        recombination_rate: crossovers per bp per generation, or a map of them along the window.
        history: sizes of the population (diploid individuals) in generations ago.
        gene_conversion_rate: non-crossover events per bp per generation.
    """

    chromosomes: int
    length: int
    mutation_rate: float
    recombination_rate: float | msprime.RateMap
    history: PopulationHistory
    gene_conversion_rate: float = 0.0


def simulate_window(spec: WindowSpec, seed: np.random.SeedSequence) -> Alignment:
    """Simulate the haplotypes of one window.

    Ancestry and mutations have seeds of their own. Give each window its own child of a `numpy.random.SeedSequence`.

    Returns:
        An `Alignment` with one column per chromosome copy (derived allele = 1) and only the sites that vary.
    """
    ancestry, mutations = msprime_seeds(seed, 2)
    return haplotypes(_mutate(_ancestry(spec, ancestry), spec.mutation_rate, mutations), spec.length)


def msprime_seeds(seed: np.random.SeedSequence, k: int) -> list[int]:
    """Return *k* independent seeds in msprime's range, 1 to 2^32 - 1."""
    return [int(x) % (2**32 - 1) + 1 for x in seed.generate_state(k)]


def haplotypes(trees: tskit.TreeSequence, length: int) -> Alignment:
    """Return the sites of *trees* that vary, one column per sample."""
    calls = trees.genotype_matrix().astype(np.int8)
    carriers = calls.sum(axis=1, dtype=np.int64)
    varies = (carriers > 0) & (carriers < trees.num_samples)  # a second hit may flip the site back
    positions = trees.tables.sites.position[varies].astype(np.int32)
    return Alignment(positions, calls[varies], np.ones(trees.num_samples, np.int8), length)


def _ancestry(spec: WindowSpec, seed: int) -> tskit.TreeSequence:
    import msprime

    # Haploid samples of a diploid population: ploidy=1 for the whole model would halve theta = 4 N mu.
    sample = msprime.SampleSet(spec.chromosomes, population=spec.history.population, ploidy=1)
    return msprime.sim_ancestry(
        samples=[sample],
        ploidy=2,
        demography=spec.history.demography(),
        sequence_length=spec.length,
        recombination_rate=spec.recombination_rate,
        gene_conversion_rate=spec.gene_conversion_rate or None,
        gene_conversion_tract_length=TRACT_LENGTH if spec.gene_conversion_rate else None,
        random_seed=seed,
        record_provenance=False,
    )


def _mutate(trees: tskit.TreeSequence, rate: float, seed: int) -> tskit.TreeSequence:
    import msprime

    model = msprime.BinaryMutationModel()
    return msprime.sim_mutations(trees, rate=rate, random_seed=seed, model=model, record_provenance=False)
