"""Variants of a sample along the genome, whatever file they came in: the one door between files and the jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sewall.data import sites
from sewall.data.alignment import Alignment
from sewall.data.convert import as_vcz
from sewall.data.masks import Mask, covered
from sewall.data.regions import Region, check_contigs
from sewall.data.samples import find_samples
from sewall.data.store import Contig, Store
from sewall.data.vcf import Progress
from sewall.errors import SewallError, some_names

__all__ = ["Contig", "Variants", "check_sample_size", "open_variants"]

_PHASED_SHARE = 0.999
_BLOCKS_LOOKED_AT = 32


class Variants:
    """The variants of chosen samples, read window by window; memory does not grow with the chromosome.

    Attributes:
        path: the file as the user named it.
        sample_ids: the chosen samples.
        digest: of the content of the file.
        contigs: those with variants, in the order of the file.
        notes: what was mended while reading, in sentences for the user.
    """

    def __init__(
        self, path: Path, store: Store, samples: Sequence[str] | None, digest: str, notes: Sequence[str]
    ) -> None:
        if samples is not None:
            store.samples = np.array(find_samples(str(path), store.sample_ids, samples), np.intp)
        self.path, self.digest, self.notes = path, digest, tuple(notes)
        self.sample_ids = list(samples) if samples is not None else store.sample_ids
        self.contigs = store.contigs
        self._store = store
        self._looked: dict[str, tuple[bool, NDArray[np.int8]]] = {}
        self._dropped: dict[Region, Counter[str]] = {}
        self._read: dict[Region, int] = {}

    @property
    def contig_names(self) -> list[str]:
        """Names of the contigs that have variants."""
        return [contig.name for contig in self.contigs]

    @property
    def counts(self) -> dict[str, int]:
        """Rows left out of the alignments read so far, by reason; a region read twice counts once."""
        return dict(sum(self._dropped.values(), Counter()).most_common())

    @property
    def rows_read(self) -> int:
        """Rows in the regions read so far, used or not."""
        return sum(self._read.values())

    def phase(self, contig: str) -> bool:
        """Return whether the phase is known: 99.9 % of the heterozygous calls are phased, or there are none."""
        return self._look(contig)[0]

    def ploidy(self, contig: str) -> NDArray[np.int8]:
        """Return the chromosome copies of each sample: its most frequent number of copies among called genotypes.

        Returns:
            ``(samples,)`` int8; 0 where a sample has no call on this contig.
        """
        return self._look(contig)[1]

    def _look(self, contig: str) -> tuple[bool, NDArray[np.int8]]:
        """Look at up to 32 blocks spread evenly over the contig."""
        if contig not in self._looked:
            check_contigs(str(self.path), [contig], self.contig_names)
            first, stop = self._store.all_rows(contig)
            size = self._store.rows_per_block
            numbers = np.arange(first // size, (stop - 1) // size + 1)
            chosen = numbers[np.linspace(0, len(numbers) - 1, min(len(numbers), _BLOCKS_LOOKED_AT)).astype(int)]
            self._looked[contig] = self._detect([(max(first, k * size), min(stop, (k + 1) * size)) for k in chosen])
        return self._looked[contig]

    def _detect(self, ranges: Sequence[tuple[int, int]]) -> tuple[bool, NDArray[np.int8]]:
        by_copies: NDArray[np.int64] | int = 0
        het_calls = phased_calls = 0
        for start, stop in ranges:
            block = self._store.block(start // self._store.rows_per_block)
            genotypes = block.genotypes[start - block.start : stop - block.start]
            by_copies = by_copies + sites.call_ploidy(genotypes)
            het = sites.heterozygous(genotypes)
            het_calls += int(het.sum())
            phased_calls += int((het & self._store.phased_flags(slice(start, stop))).sum())
        tally = np.asarray(by_copies)[:, 1:]
        ploidy = np.where(tally.any(axis=1), tally.argmax(axis=1) + 1, 0).astype(np.int8)
        return phased_calls >= _PHASED_SHARE * het_calls, ploidy

    def check_regions(self, regions: Iterable[Region], what: str = "the regions") -> None:
        """Refuse regions on contigs that are not in the file, and regions of which none holds a variant."""
        regions = list(regions)
        check_contigs(what, [region.chrom for region in regions], self.contig_names)
        spans = (self._store.rows(region.chrom, region.start, region.end) for region in regions)
        if not any(stop > start for start, stop in spans):
            held = [f"{c.name}:{c.first}-{c.last + 1}" for c in self.contigs]
            raise SewallError(
                f"{self.path}: holds no variants in {what} ({some_names([str(r) for r in regions])}); "
                f"it covers {some_names(held)}"
            )

    def alignment(self, region: Region, mask: Mask | None = None, phased: bool | None = None) -> Alignment:
        """Read the biallelic single-nucleotide variants of a region that vary among the called copies.

        Rows with more than two alleles in the sample, other kinds of variants, several variants at one position,
        rows that failed the caller's filters, and rows outside the mask are left out and counted in `counts`.

        Args:
            region: where; positions of the result are offsets from its start.
            mask: where variants could be called.
            phased: True for one column per chromosome copy, False for one per individual with the dosage of the
                alternate allele (a partly called individual is missing), None to take what `phase` finds.

        Raises:
            SewallError: the region's contig is not in the file.
        """
        check_contigs(str(region), [region.chrom], self.contig_names)
        phased = self.phase(region.chrom) if phased is None else phased
        ploidy = self.ploidy(region.chrom)
        intervals = mask.accessible(region) if mask is not None else np.array([[0, region.length]], np.int32)
        start, stop = self._store.rows(region.chrom, region.start, region.end)
        dropped: Counter[str] = Counter()
        parts = [self._part(low, high, region, intervals, phased, dropped) for low, high in self._pieces(start, stop)]
        offsets = np.concatenate([np.zeros(0, np.int32), *(part[0] for part in parts)]).astype(np.int32)
        width = int((ploidy > 0).sum()) if not phased else int(ploidy.sum())
        calls = np.concatenate([np.zeros((0, width), np.int8), *(part[1] for part in parts)])
        twice = sites.repeated(offsets)
        dropped[sites.DUPLICATE] += int(twice.sum())
        self._dropped[region], self._read[region] = +dropped, stop - start
        copies = np.ones(width, np.int8) if phased else ploidy[ploidy > 0]
        return Alignment(offsets[~twice], calls[~twice], copies, region.length, intervals)

    def alignments(
        self, regions: Iterable[Region], mask: Mask | None = None, phased: bool | None = None
    ) -> Iterator[Alignment]:
        """Read one region after the other; regions in the order of the file share the blocks they touch."""
        return (self.alignment(region, mask, phased) for region in regions)

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        size = self._store.rows_per_block
        for number in range(start // size, -(-stop // size) if stop > start else 0):
            yield max(start, number * size), min(stop, (number + 1) * size)

    def _part(
        self, start: int, stop: int, region: Region, intervals: NDArray[np.int32], phased: bool, dropped: Counter[str]
    ) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """Read the usable sites of some rows of one block."""
        ploidy = self.ploidy(region.chrom)
        offsets = self._store.positions[start:stop] - region.start
        inside, passed = covered(offsets, intervals), self._store.passed(slice(start, stop))
        dropped[sites.OUTSIDE_MASK] += int((~inside).sum())
        dropped[sites.FILTERED] += int((inside & ~passed).sum())
        block = self._store.block(start // self._store.rows_per_block)
        rows = slice(start - block.start, stop - block.start)
        laid = sites.columns(block.genotypes[rows], ploidy)
        laid = laid if phased else sites.whole_calls(laid, ploidy)
        found = sites.usable(laid, block.alleles[rows], inside & passed)
        dropped.update(found.dropped)
        return offsets[found.rows], found.calls if phased else sites.dosages(found.calls, ploidy)


def open_variants(
    path: str | Path, cache: str | Path, samples: Sequence[str] | None = None, progress: Progress | None = None
) -> Variants:
    """Open a file of variants.

    Args:
        path: VCF (plain, gzip or bgzip; no index needed), BCF, VCF Zarr, PLINK 1 ``.bed`` or tree sequence.
        cache: directory for the copy as VCF Zarr, made once and reused.
        samples: ids of the samples to use; all by default.
        progress: called with variants converted and their total while a VCF or BCF is converted.

    Raises:
        SewallError: the file is missing, empty, cut, not of a known format, without genotypes or variants, unsorted,
            has duplicate samples, or lacks some of *samples*. Nothing half-written is left in *cache*.
    """
    converted = as_vcz(path, cache, progress)
    return Variants(Path(path), Store(converted.store, Path(path)), samples, converted.digest, converted.notes)


def check_sample_size(variants: Variants, contigs: Iterable[str] | None = None, minimum: int = 4) -> None:
    """Refuse a sample of fewer than *minimum* chromosome copies on any of the *contigs* (all by default)."""
    for contig in variants.contig_names if contigs is None else contigs:
        copies = int(variants.ploidy(contig).sum())
        if copies == 0:
            raise SewallError(f"{variants.path}: contig {contig}: all calls are missing; leave it out or call it again")
        if copies < minimum:
            raise SewallError(
                f"{variants.path}: contig {contig}: {copies} chromosomes are too few, at least {minimum} are needed; "
                "add samples or leave the contig out"
            )
