"""Genotypes of individuals at sites of the genome, packed: what the trait job reads instead of alignments.

A call is kept as the share of its copies that carry ALT (0, 1/2 or 1 in a diploid), two bits each, and the number of
copies separately, since it depends only on the kind of chromosome and the sex. Nothing of the size individuals x sites
is ever held in floating point; models ask for blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sewall.task import Rows

Floats = NDArray[np.float32]
Sexes = NDArray[np.int8]

LETTERS = "ACGT"
NO_LETTER = -1
AUTOSOME, X, Y, HAPLOID = range(4)  # how a site is inherited; mitochondria and plastids are HAPLOID, Z is X and W is Y
UNKNOWN, MALE, FEMALE = range(3)  # the sex of an individual, in the numbers of PLINK
BLOCK = 2048  # sites read at once

# The four codes of a byte stand in one number, so that unpacking looks up a quarter as often.
_FOUR = np.array([[(byte >> 2 * k) & 3 for k in range(4)] for byte in range(256)], np.uint8).view(np.uint32).ravel()


@dataclass(frozen=True)
class Sites:
    """Where the sites lie and which alleles they have; all arrays are ``(sites,)`` unless said otherwise.

    Attributes:
        chrom: name of the chromosome; sites of one chromosome stand together, by position.
        position: counted from 0; rank within the chromosome where no position is known.
        name: identifier, or an empty text.
        alleles: ``(sites, 2)`` REF and ALT as text; empty where unknown.
        inheritance: `AUTOSOME`, `X`, `Y` or `HAPLOID`; pseudo-autosomal sites are `AUTOSOME`.
    """

    chrom: NDArray[np.str_]
    position: NDArray[np.int32]
    name: NDArray[np.str_]
    alleles: NDArray[np.str_]
    inheritance: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.chrom)

    @property
    def letters(self) -> NDArray[np.int8]:
        """``(sites, 2)`` indices of REF and ALT in A, C, G, T; -1 where an allele is not one letter."""
        found = np.full(self.alleles.shape, NO_LETTER, np.int8)
        for index, letter in enumerate(LETTERS):
            found[self.alleles == letter] = index
        return found

    def chromosomes(self) -> list[tuple[str, slice]]:
        """Return the name and the range of sites of each chromosome, in the order of the panel."""
        starts = np.flatnonzero(np.r_[True, self.chrom[1:] != self.chrom[:-1]]) if len(self) else np.zeros(0, int)
        stops = [*starts[1:], len(self)]
        return [(str(self.chrom[a]), slice(int(a), int(b))) for a, b in zip(starts, stops, strict=True)]

    def take(self, which: NDArray) -> Sites:
        """Return some of the sites, by index or flag."""
        columns = (self.chrom, self.position, self.name, self.alleles, self.inheritance)
        return Sites(*(column[which] for column in columns))


@dataclass(frozen=True)
class Calls:
    """Packed calls, site by site.

    Attributes:
        data: ``(sites, bytes)`` uint8: four calls a byte, the first in the lowest bits (``bits`` 2), or one (8).
        samples: number of individuals.
        bits: 2 or 8 per call; all ones is a missing call.
        steps: a code over this is the share of copies that carry ALT: 2 for diploids, the ploidy or 254 with 8 bits.
    """

    data: NDArray[np.uint8]
    samples: int
    bits: int = 2
    steps: int = 2

    @classmethod
    def pack(cls, codes: NDArray[np.uint8], bits: int = 2, steps: int = 2) -> Calls:
        """Pack ``(sites, samples)`` codes; 3 (2 bits) or 255 (8 bits) is missing."""
        sites, samples = codes.shape
        if bits == 8:
            return cls(np.ascontiguousarray(codes, np.uint8), samples, 8, steps)
        padded = np.zeros((sites, -(-samples // 4) * 4), np.uint8)
        padded[:, :samples] = codes
        quads = padded.reshape(sites, padded.shape[1] // 4, 4)
        return cls(quads[..., 0] | quads[..., 1] << 2 | quads[..., 2] << 4 | quads[..., 3] << 6, samples, 2, steps)

    @property
    def missing(self) -> int:
        """The code of a missing call."""
        return 2**self.bits - 1

    @property
    def shares(self) -> Floats:
        """``(256,)`` the share of ALT that each code means, NaN for a missing call."""
        found = np.arange(256, dtype=np.float32) / np.float32(self.steps)
        found[self.missing] = np.nan
        return found

    def codes(self, sites: slice | Rows) -> NDArray[np.uint8]:
        """Return ``(sites, samples)`` codes."""
        data = self.data[sites]
        if self.bits == 8:
            return data
        return np.take(_FOUR, data).view(np.uint8)[:, : self.samples]

    def of(self, rows: Rows, sites: slice | Rows) -> NDArray[np.uint8]:
        """Return ``(sites, rows)`` codes of some individuals; only their bytes are touched."""
        rows = np.asarray(rows)
        if self.bits == 8:
            return np.take(self.data[sites], rows, axis=1)
        return (np.take(self.data[sites], rows >> 2, axis=1) >> (2 * (rows & 3)).astype(np.uint8)) & np.uint8(3)


@dataclass(frozen=True)
class OddCalls:
    """Calls that a share of ALT cannot hold: third alleles and ambiguous letters; sorted by site, then individual.

    Attributes:
        site, sample: ``(odd calls,)`` indices.
        code: ``(odd calls, 5)`` copies of A, C, G, T and of alleles that are not one letter; may be fractions.
    """

    site: NDArray[np.int64]
    sample: NDArray[np.int64]
    code: Floats

    def __len__(self) -> int:
        return len(self.site)


@dataclass(frozen=True)
class SexCheck:
    """What X and Y (or Z and W) said of the sexes while a panel was read; all arrays are ``(samples,)``.

    Attributes:
        reported, inferred: `UNKNOWN`, `MALE` or `FEMALE`, from tables and from genotypes.
        disagree: where genotypes tell another sex than is reported, beyond doubt.
        inbreeding: 1 - observed / expected heterozygous calls on X; NaN where there are too few sites.
        y_called: share of the Y sites that were called; NaN where there are too few.
        impossible: calls that were set to missing, by reason: heterozygous where there is one copy, Y of females.
    """

    reported: Sexes
    inferred: Sexes
    disagree: NDArray[np.bool_]
    inbreeding: NDArray[np.float64]
    y_called: NDArray[np.float64]
    impossible: Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Panel:
    """Genotypes of individuals.

    Attributes:
        sample_ids: of the individuals, as text.
        sites: where and which alleles.
        calls: packed shares of ALT; an odd call stands here as the share of its copies that are this ALT.
        copies: ``(4, samples)`` copies that each individual has, by inheritance (2 for an autosome of a diploid; X: 1
            in a male; Y: 0 in a female).
        odd: calls that are more than a share of ALT.
        counts: what was left out or changed while reading, by reason.
        notes: what was mended while reading, in sentences for the user.
        sex: ``(samples,)`` `UNKNOWN`, `MALE` or `FEMALE`; unknown for all where nothing else is said.
        check: what X and Y said of the sexes, where the panel has any.
        build: of the reference, where it was given or the file tells it.
    """

    sample_ids: list[str]
    sites: Sites
    calls: Calls
    copies: NDArray[np.int8]
    odd: OddCalls
    counts: dict[str, int]
    notes: tuple[str, ...] = ()
    sex: Sexes = field(default_factory=lambda: np.zeros(0, np.int8))
    check: SexCheck | None = None
    build: str | None = None

    def __post_init__(self) -> None:
        if not len(self.sex):
            object.__setattr__(self, "sex", np.full(len(self.sample_ids), UNKNOWN, np.int8))

    def __len__(self) -> int:
        return len(self.sample_ids)

    def shares(self, rows: Rows, sites: slice | Rows) -> Floats:
        """Return ``(rows, sites)`` share of copies that carry ALT, NaN where missing or where there is no copy."""
        found: Floats = np.take(self.calls.shares, self.calls.of(rows, sites)).T
        copies = self._copies(rows, sites)
        if not copies.all():
            found[np.broadcast_to(copies == 0, found.shape)] = np.nan
        return found

    def dosages(self, rows: Rows, sites: slice | Rows) -> Floats:
        """Return ``(rows, sites)`` copies of ALT (0 or 1 on a male's X), NaN where missing or without a copy."""
        found = self.shares(rows, sites)
        found *= self._copies(rows, sites)
        return found

    def blocks(self, rows: Rows, size: int = BLOCK) -> Iterator[tuple[slice, Floats]]:
        """Yield `dosages` of *rows* block by block along the sites."""
        for start in range(0, len(self.sites), size):
            block = slice(start, min(start + size, len(self.sites)))
            yield block, self.dosages(rows, block)

    def _copies(self, rows: Rows, sites: slice | Rows) -> NDArray[np.int8]:
        """Return ``(rows, sites)`` copies, or ``(1, 1)`` where all individuals have as many at all of the sites."""
        kinds = self.sites.inheritance[sites]
        found = self.copies[np.unique(kinds)][:, rows]
        if found.size and found.min() == found.max():
            return found[:1, :1]
        return self.copies[kinds][:, rows].T

    def take_sites(self, which: NDArray) -> Panel:
        """Return the panel at some sites, by rising index or by flag."""
        index = np.flatnonzero(which) if which.dtype == bool else np.asarray(which)
        calls = replace(self.calls, data=self.calls.data[index])
        place = np.full(len(self.sites), -1)
        place[index] = np.arange(len(index))
        kept = place[self.odd.site] >= 0
        odd = OddCalls(place[self.odd.site[kept]], self.odd.sample[kept], self.odd.code[kept])
        return replace(self, sites=self.sites.take(index), calls=calls, odd=odd)

    @classmethod
    def from_codes(
        cls, codes: NDArray[np.uint8], sites: Sites, sample_ids: list[str], copies: NDArray[np.int8] | None = None,
        sex: Sexes | None = None,
    ) -> Panel:  # fmt: skip
        """Return a panel of ``(sites, samples)`` codes 0, 1, 2 (half the copies that carry ALT times two), 3 missing.

        Args:
            codes: two-bit codes.
            sites: as many sites.
            sample_ids: as many ids.
            copies: ``(4, samples)``; by default all diploid females: 2, 2, 0, 1.
            sex: ``(samples,)``; unknown by default.
        """
        if copies is None:
            copies = np.repeat(np.array([[2], [2], [0], [1]], np.int8), len(sample_ids), axis=1)
        none = OddCalls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 5), np.float32))
        known = np.zeros(0, np.int8) if sex is None else sex
        return cls(sample_ids, sites, Calls.pack(codes), copies, none, {}, sex=known)
