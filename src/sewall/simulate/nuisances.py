"""What stands between a genealogy and a VCF: errors, masks, missing calls, lost rare variants, lost phase.

Simulations that lack the defects of the data teach a network a genome that does not exist. Each function puts one
defect on an alignment and returns a new one that holds only the sites that still vary. Apply them in the order
`add_errors`, `switch_phase`, `apply_mask`, `unphase`, `mask_calls`, `drop_rare`; copy from the data what can be
measured, draw the rest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import MISSING, Alignment
from sewall.errors import SewallError

Bools = NDArray[np.bool_]


def allele_counts(alignment: Alignment) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, per site, the copies of the alternate allele and the chromosome copies that were called.

    Returns:
        Two arrays ``(sites,)``.
    """
    called = alignment.calls != MISSING
    alternate = np.where(called, alignment.calls, 0).sum(axis=1, dtype=np.int64)
    return alternate, called @ alignment.copies.astype(np.int64)


def keep_sites(alignment: Alignment, keep: Bools) -> Alignment:
    """Return the alignment with the sites of the mask *keep*, ``(sites,)``."""
    if keep.all():
        return alignment
    return replace(alignment, positions=alignment.positions[keep], calls=alignment.calls[keep])


def drop_rare(alignment: Alignment, min_count: int) -> Alignment:
    """Keep the sites whose rarer allele is carried by at least *min_count* of the called chromosome copies.

    ``min_count=1`` keeps all that varies; the 1000 Genomes calls lack most singletons, hence ``min_count=2`` there.
    """
    alternate, called = allele_counts(alignment)
    return keep_sites(alignment, np.minimum(alternate, called - alternate) >= max(min_count, 1))


def apply_mask(alignment: Alignment, accessible: NDArray[np.int32]) -> Alignment:
    """Drop the sites outside the accessible stretches and remember these.

    Args:
        alignment: any.
        accessible: ``(intervals, 2)`` half-open offsets in bp, sorted, not overlapping; none means nothing accessible.
    """
    if len(accessible) == 0:
        # An alignment without intervals would count as accessible throughout.
        accessible = np.zeros((1, 2), np.int32)
    begin, end = accessible[:, 0], accessible[:, 1]
    interval = np.searchsorted(begin, alignment.positions, side="right") - 1
    inside = (interval >= 0) & (alignment.positions < end[np.maximum(interval, 0)])
    kept = keep_sites(alignment, inside)
    return replace(kept, accessible=np.asarray(accessible, np.int32))


def mask_calls(alignment: Alignment, missing: Bools, rng: np.random.Generator) -> Alignment:
    """Lose calls in the pattern of the data.

    A run of consecutive rows of the data's pattern is laid over the sites from a random start (and round the end), so
    each sample keeps its own rate of missing calls, and calls that go missing together still do.

    Args:
        alignment: any.
        missing: ``(rows, columns)`` True where a call of the data is missing; columns are drawn with replacement where
            their number differs from the alignment's.
        rng: draws the start, and the columns where needed.
    """
    if missing.shape[0] == 0 or not missing.any():
        return alignment
    if missing.shape[1] != len(alignment.copies):
        missing = missing[:, rng.integers(missing.shape[1], size=len(alignment.copies))]
    rows = (rng.integers(missing.shape[0]) + np.arange(alignment.sites)) % missing.shape[0]
    calls = np.where(missing[rows], np.int8(MISSING), alignment.calls)
    return drop_rare(replace(alignment, calls=calls), 1)


def unphase(alignment: Alignment, copies: NDArray[np.int8]) -> Alignment:
    """Forget which allele lies on which chromosome: sum neighbouring haplotypes to the dosages of individuals.

    Args:
        alignment: haplotypes, one column per chromosome copy.
        copies: ``(individuals,)`` chromosome copies of each; they sum to the number of haplotypes.

    Raises:
        SewallError: where the copies do not sum to the number of haplotypes.

    >>> one_site = Alignment(np.array([5], np.int32), np.array([[0, 1, 1]], np.int8), np.ones(3, np.int8), 10)
    >>> unphase(one_site, np.array([2, 1], np.int8)).calls
    array([[1, 1]], dtype=int8)
    """
    copies = np.asarray(copies, np.int8)
    _check_individuals(alignment, copies)
    starts = np.concatenate(([0], np.cumsum(copies[:-1], dtype=np.intp)))
    dosage = np.add.reduceat(alignment.calls, starts, axis=1, dtype=np.int8)
    lost = np.logical_or.reduceat(alignment.calls == MISSING, starts, axis=1)
    dosage[lost] = MISSING
    return drop_rare(replace(alignment, calls=dosage, copies=copies), 1)


def add_errors(
    alignment: Alignment,
    rate: float,
    rng: np.random.Generator,
    copies: NDArray[np.int8] | None = None,
    gained: float = 0.1,
) -> Alignment:
    """Miscall genotypes: heterozygotes as homozygotes more often than the reverse.

    An individual that carries both alleles has one chromosome copy miscalled with probability *rate*; one that carries
    a single allele, with *rate* times *gained*. A haploid is miscalled with *rate* times *gained*. Only sites that
    vary are touched: false variants at other sites are singletons that callers and a minimum count remove.

    Args:
        alignment: haplotypes, one column per chromosome copy.
        rate: errors per heterozygous call.
        rng: draws the errors.
        copies: ``(individuals,)`` chromosome copies of each, in the order of the columns; diploids if absent and the
            number of columns is even, haploids otherwise.
        gained: rate of the reverse error relative to *rate*.
    """
    if rate <= 0 or alignment.sites == 0:
        return alignment
    copies = _individuals(alignment, copies)
    starts = np.concatenate(([0], np.cumsum(copies[:-1], dtype=np.intp)))
    carried = np.add.reduceat(np.maximum(alignment.calls, 0), starts, axis=1, dtype=np.int64)
    heterozygous = (carried > 0) & (carried < copies)
    wrong = rng.random(carried.shape) < np.where(heterozygous, rate, rate * gained)
    site, individual = np.nonzero(wrong)
    column = starts[individual] + rng.integers(copies[individual])
    calls = alignment.calls.copy()
    called = calls[site, column] != MISSING
    calls[site[called], column[called]] ^= 1
    return drop_rare(replace(alignment, calls=calls), 1)


def switch_phase(alignment: Alignment, rate: float, rng: np.random.Generator) -> Alignment:
    """Swap the two haplotypes of a diploid from random points on, as statistical phasing does.

    Args:
        alignment: haplotypes of diploids, neighbouring columns; a last odd column is left alone.
        rate: switches per heterozygous site of an individual.
        rng: draws the switches.
    """
    pairs = len(alignment.copies) // 2
    if rate <= 0 or alignment.sites == 0 or pairs == 0:
        return alignment
    calls = alignment.calls.copy()
    first, second = calls[:, 0 : 2 * pairs : 2], calls[:, 1 : 2 * pairs : 2]
    switch = (first != second) & (rng.random(first.shape) < rate)
    swapped = np.cumsum(switch, axis=0) % 2 == 1
    first[...], second[...] = np.where(swapped, second, first), np.where(swapped, first, second)
    return replace(alignment, calls=calls)


def _individuals(alignment: Alignment, copies: NDArray[np.int8] | None) -> NDArray[np.int8]:
    if copies is None:
        columns = len(alignment.copies)
        copies = np.full(columns // 2, 2, np.int8) if columns % 2 == 0 else np.ones(columns, np.int8)
    _check_individuals(alignment, copies)
    return np.asarray(copies, np.int8)


def _check_individuals(alignment: Alignment, copies: NDArray[np.int8]) -> None:
    if not alignment.phased:
        raise SewallError("individuals are made of haplotypes, but the alignment holds genotypes already")
    if int(copies.sum()) != len(alignment.copies) or (copies < 1).any():
        raise SewallError(
            f"{len(copies)} individuals with {int(copies.sum())} copies do not match "
            f"{len(alignment.copies)} haplotypes; give one or more copies per individual"
        )
