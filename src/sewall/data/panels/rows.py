"""What every reader of genotypes hands on: some neighbouring sites of one chromosome, as they stand in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

DOSAGE_STEPS = 254
NO_DOSAGE = 255


@dataclass(frozen=True)
class SiteRows:
    """Sites of one chromosome, sorted by position.

    Attributes:
        chrom: the chromosome.
        position: ``(rows,)`` counted from 0; negative where it is unknown.
        name: ``(rows,)`` text.
        alleles: ``(rows, alleles)`` text, REF first; empty where a row has fewer alleles or does not know them.
        genotypes: ``(rows, samples, ploidy)`` int8 allele indices, -1 not called, -2 no such copy.
        dosages: in place of genotypes, ``(rows, samples)`` uint8: share of ALT copies in 254ths, 255 missing.
    """

    chrom: str
    position: NDArray[np.int32]
    name: NDArray[np.object_]
    alleles: NDArray[np.object_]
    genotypes: NDArray[np.int8]
    dosages: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.position)

    def take(self, which: slice | NDArray) -> SiteRows:
        """Return some of the rows."""
        return SiteRows(
            self.chrom,
            self.position[which],
            self.name[which],
            self.alleles[which],
            self.genotypes[which],
            None if self.dosages is None else self.dosages[which],
        )

    def followed_by(self, other: SiteRows) -> SiteRows:
        """Return these rows and then those of *other*."""
        pairs = zip(_columns(self), _columns(other), strict=True)
        position, name, alleles, genotypes, dosages = (np.concatenate(pair) for pair in pairs)
        return replace(
            self,
            position=position,
            name=name,
            alleles=alleles,
            genotypes=genotypes,
            dosages=None if self.dosages is None else dosages,
        )


def _columns(rows: SiteRows) -> tuple[NDArray, ...]:
    dosages = np.zeros(0, np.uint8) if rows.dosages is None else rows.dosages
    return rows.position, rows.name, rows.alleles, rows.genotypes, dosages


@dataclass
class Facts:
    """What a reader knows beyond the genotypes.

    Attributes:
        sex: by sample id, as the file tells it.
        build: name of the reference, or None.
        counts: what it left out, by reason.
        notes: sentences for the user.
    """

    sex: Mapping[str, str] = field(default_factory=dict)
    build: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


class GenotypeSource(Protocol):
    """A file of genotypes, ready to be read from front to end."""

    sample_ids: list[str]
    sites: int
    steps: int  # see `sewall.data.panel.Calls`
    facts: Facts

    def rows(self) -> Iterator[SiteRows]:
        """Yield all sites, chromosome by chromosome, by position."""
        ...


def whole_positions(blocks: Iterable[SiteRows]) -> Iterator[SiteRows]:
    """Cut *blocks* anew, so that all rows of one position come in the same block."""
    held: SiteRows | None = None
    for block in blocks:
        if held is not None and held.chrom == block.chrom:
            block = held.followed_by(block)
        elif held is not None:
            yield held
        cut = int(np.searchsorted(block.position, block.position[-1]))
        if cut:
            yield block.take(slice(0, cut))
        held = block.take(slice(cut, None))
    if held is not None:
        yield held


def texts(values: Iterable[str]) -> NDArray[np.object_]:
    """Return text as an array of objects, so that one long allele does not widen all the others."""
    listed = list(values)
    found = np.empty(len(listed), object)
    found[:] = listed
    return found
