"""A VCF Zarr store, read block by block."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr
from numpy.typing import NDArray

from sewall.data.samples import refuse_duplicates
from sewall.errors import SewallError

_NEEDED = ("variant_position", "variant_contig", "variant_allele", "sample_id", "contig_id")
_BLOCKS_KEPT = 2


@dataclass(frozen=True)
class Contig:
    """A contig that has variants.

    Attributes:
        name: its name in the file.
        length: length in bp where the file declares it.
        first, last: positions of its first and last variant, counted from 0.
        variants: number of variants (rows), usable or not.
    """

    name: str
    length: int | None
    first: int
    last: int
    variants: int


class Block(NamedTuple):
    """One chunk of variants.

    Attributes:
        start: number of its first row.
        genotypes: ``(rows, samples, ploidy)`` int8 allele indices, -1 not called, -2 no such copy.
        alleles: ``(rows, alleles)`` text.
    """

    start: int
    genotypes: NDArray[np.int8]
    alleles: NDArray[np.object_]


class Store:
    """Positions of all variants in memory, everything else read by block.

    Args:
        path: VCF Zarr directory.
        name: the user's own path, for messages.
    """

    def __init__(self, path: Path, name: Path) -> None:
        self.name = name
        self._root = _open(path, name)
        self.sample_ids = [str(sample) for sample in self._root["sample_id"][:]]
        refuse_duplicates(str(name), self.sample_ids)
        self.positions = np.asarray(self._root["variant_position"][:], np.int32) - 1
        self._rows, self.contigs = self._index()
        self._calls = self._root["call_genotype"]
        self._kept: OrderedDict[int, Block] = OrderedDict()
        self.samples: NDArray[np.intp] | None = None

    def _index(self) -> tuple[dict[str, tuple[int, int]], list[Contig]]:
        codes = np.asarray(self._root["variant_contig"][:])
        if len(codes) == 0:
            raise SewallError(f"{self.name}: holds no variants; check how it was made")
        names = [str(name) for name in self._root["contig_id"][:]]
        lengths = self._root["contig_length"][:] if "contig_length" in self._root else [0] * len(names)
        starts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1))
        rows: dict[str, tuple[int, int]] = {}
        contigs = []
        for start, stop in zip(starts, [*starts[1:], len(codes)], strict=True):
            contig = names[codes[start]]
            if contig in rows:
                raise SewallError(f"{self.name}: contig {contig} comes a second time; sort the variants")
            rows[contig] = (int(start), int(stop))
            own = self._sorted(contig, int(start), int(stop))
            length = int(lengths[codes[start]]) or None
            contigs.append(Contig(contig, length, max(int(own[0]), 0), int(own[-1]), len(own)))
        return rows, contigs

    def _sorted(self, contig: str, start: int, stop: int) -> NDArray[np.int32]:
        own = self.positions[start:stop]
        back = np.flatnonzero(np.diff(own) < 0)
        if len(back):
            raise SewallError(
                f"{self.name}, record {start + back[0] + 2}: position {contig}:{own[back[0] + 1] + 1} comes after "
                f"{own[back[0]] + 1}; sort the variants"
            )
        return own

    def rows(self, contig: str, start: int, end: int) -> tuple[int, int]:
        """Return the range of rows of a contig whose positions lie in ``[start, end)``."""
        first, stop = self._rows[contig]
        low, high = np.searchsorted(self.positions[first:stop], [start, end])
        return first + int(low), first + int(high)

    def all_rows(self, contig: str) -> tuple[int, int]:
        """Return the range of rows of a whole contig."""
        return self._rows[contig]

    @property
    def rows_per_block(self) -> int:
        """Number of rows that are read at once."""
        return int(self._calls.chunks[0])

    def block(self, number: int) -> Block:
        """Read one chunk of variants; the last ones read are kept, so that neighbouring windows share them."""
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        start = number * self.rows_per_block
        rows = slice(start, start + self.rows_per_block)
        found = Block(start, self._genotypes(rows), self._root["variant_allele"][rows])
        self._kept[number] = found
        if len(self._kept) > _BLOCKS_KEPT:
            self._kept.popitem(last=False)
        return found

    def _genotypes(self, rows: slice) -> NDArray[np.int8]:
        calls = self._calls[rows] if self.samples is None else self._calls[rows][:, self.samples]
        return calls if calls.dtype == np.int8 else np.clip(calls, -2, 127).astype(np.int8)

    def phased_flags(self, rows: slice) -> NDArray[np.bool_]:
        """Return which genotypes are marked as phased, ``(rows, samples)``; none where the store does not say."""
        if "call_genotype_phased" not in self._root:
            width = len(self.sample_ids) if self.samples is None else len(self.samples)
            return np.zeros((min(rows.stop, len(self.positions)) - rows.start, width), bool)
        flags = self._root["call_genotype_phased"][rows]
        return flags if self.samples is None else flags[:, self.samples]

    def passed(self, rows: slice) -> NDArray[np.bool_]:
        """Return which rows passed the caller's filters: FILTER is PASS, ``.`` or absent."""
        count = min(rows.stop, len(self.positions)) - rows.start
        if "variant_filter" not in self._root or "filter_id" not in self._root:
            return np.ones(count, bool)
        failed = [str(name) != "PASS" for name in self._root["filter_id"][:]]
        return ~(self._root["variant_filter"][rows] & np.array(failed, bool)).any(axis=1)


def _open(path: Path, name: Path) -> Any:
    try:
        root = zarr.open_group(path, mode="r")
    except (OSError, ValueError, KeyError) as error:
        raise SewallError(f"{name}: cannot be opened as VCF Zarr ({error}); convert the VCF again") from None
    missing = [array for array in _NEEDED if array not in root]
    if missing:
        raise SewallError(f"{name}: lacks {', '.join(missing)}, so it is not VCF Zarr; convert the VCF again")
    if "call_genotype" not in root:
        raise SewallError(f"{name}: has no GT field (no call_genotype array); give variants with called genotypes")
    return root
