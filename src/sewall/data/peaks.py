"""Peaks of a genome: BED and narrowPeak files with their summits, strands and labels, and windows around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.genome import Genome
from sewall.data.headers import reading
from sewall.errors import SewallError, some_names

Numbers = NDArray[np.int64]
Line = tuple[int, list[str]]
"""Number of the line, counted from 1, and its fields."""

BEYOND, TOO_SHORT = "window reaches beyond its contig", "window is longer than its contig"
STRANDS = ("+", "-", ".")

_BED = ("chrom", "start", "end", "name", "score", "strand")
_NARROW_PEAK = (*_BED, "signalvalue", "pvalue", "qvalue", "peak")
_WANTED = "a BED file has lines of contig, start and end"


@dataclass(frozen=True)
class Peaks:
    """Intervals of a genome, in the order of their file.

    Attributes:
        path: the file, for messages.
        table: one row per peak: ``chrom`` as the file names it, ``start`` and ``end`` (half-open, from 0), ``centre``
            (the summit where the file tells it, else the middle), ``strand`` (``.`` where not told), ``line``.
        columns: of the file, by name, in their order.
        fields: what stands in each line.
    """

    path: Path
    table: pd.DataFrame
    columns: tuple[str, ...]
    fields: list[list[str]]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def summits(self) -> bool:
        """Whether any peak is centred on a summit, not on its middle."""
        middle = (self.table["start"] + self.table["end"]) // 2
        return bool((self.table["centre"] != middle).any())

    def labels(self, column: str | int) -> tuple[str, ...]:
        """Return what a column says of every peak.

        Args:
            column: its name (``name``, ``score`` ..., or as a header line ``#chrom start ...`` has it), or its number,
                counted from 1.

        Raises:
            SewallError: no such column, or a line without it.
        """
        names = [name.lower() for name in self.columns]
        text = str(column)
        number = int(text) if text.isdigit() else names.index(text.lower()) + 1 if text.lower() in names else 0
        if not 1 <= number <= len(names):
            raise SewallError(
                f"{self.path}: has no column {column}; its columns are {some_names(list(self.columns), 12)}"
            )
        for line, fields in zip(self.table["line"], self.fields, strict=True):
            if number > len(fields) or fields[number - 1] in ("", "."):
                raise SewallError(f"{self.path}, line {line}: has nothing in column {column}; give every line a label")
        return tuple(fields[number - 1] for fields in self.fields)


def read_peaks(path: str | Path) -> Peaks:
    """Read a BED or narrowPeak file, gzipped or not; comments, ``track`` and ``browser`` lines are passed over.

    Raises:
        SewallError: the file is missing, empty or not text, or a line is wrong; names the line.
    """
    path = Path(path)
    columns, lines = _lines(path)
    narrow = len(lines[0][1]) == len(_NARROW_PEAK) and not columns
    columns = columns or (*_NARROW_PEAK, *map(str, range(11, 99)))[: len(lines[0][1])]
    rows = [_row(path, number, fields, narrow) for number, fields in lines]
    table = pd.DataFrame(rows, columns=["chrom", "start", "end", "centre", "strand", "line"])
    return Peaks(path, table, columns, [fields for _, fields in lines])


def _lines(path: Path) -> tuple[tuple[str, ...], list[Line]]:
    """Return the names of the columns, where a header line tells them, and the fields of every line."""
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    with reading(path) as raw:
        try:
            lines = raw.read().decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise SewallError(f"{path}: is not a text file; {_WANTED}") from None
    columns: tuple[str, ...] = ()
    found: list[Line] = []
    for number, line in enumerate(lines, start=1):
        fields = line.lstrip("#").split("\t") if "\t" in line else line.lstrip("#").split()
        if line.startswith("#") and len(fields) >= 3 and fields[0].strip().lower() in ("chrom", "chr"):
            columns = tuple(field.strip() for field in fields)
        elif line.strip() and not line.startswith(("#", "track", "browser")):
            found.append((number, [field.strip() for field in fields]))
    if not found:
        raise SewallError(f"{path}: holds no intervals; {_WANTED}")
    return columns, found


def _row(path: Path, number: int, fields: list[str], narrow: bool) -> tuple[str, int, int, int, str, int]:
    here = f"{path}, line {number}"
    try:
        chrom, start, end = fields[0], int(fields[1]), int(fields[2])
        summit = int(fields[9]) if narrow else -1
    except (IndexError, ValueError):
        shown = " ".join(fields)[:60]
        raise SewallError(f"{here}: expected contig, start and end separated by tabs, found '{shown}'") from None
    if start < 0:
        raise SewallError(f"{here}: start {start} lies before the contig; positions of BED files count from 0")
    if end <= start:
        raise SewallError(f"{here}: end {end} is not beyond start {start}; mend the line")
    if summit >= end - start:
        raise SewallError(
            f"{here}: summit {summit} lies outside the peak of {end - start} letters; it counts from start"
        )
    strand = fields[5] if len(fields) > 5 else "."
    if strand not in STRANDS:
        raise SewallError(f"{here}: strand '{strand[:20]}' is none of + - .; mend column 6")
    return chrom, start, end, start + summit if summit >= 0 else (start + end) // 2, strand, number


def located(peaks: Peaks, genome: Genome) -> pd.DataFrame:
    """Return the table of the peaks with the genome's own names of contigs.

    Raises:
        SewallError: a contig that the genome lacks (shows both sets of names); a peak beyond the end of its contig.
    """
    names = genome.names_of(peaks.table["chrom"], peaks.path)
    table = peaks.table.assign(chrom=peaks.table["chrom"].map(names))
    beyond = table[table["end"] > table["chrom"].map(genome.lengths)]
    if len(beyond):
        first = beyond.iloc[0]
        raise SewallError(
            f"{peaks.path}, line {first['line']}: ends at {first['end']}, and {first['chrom']} of {genome.path.name} "
            f"has {genome.lengths[first['chrom']]} letters ({len(beyond)} of {len(table)} lines); give the "
            "genome of the same assembly"
        )
    return table


def windows_around(table: pd.DataFrame, lengths: Mapping[str, int], width: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return windows of one width around the centres of peaks, and how many were left out by reason.

    Args:
        table: with the columns ``chrom``, ``centre`` and ``strand``; all others are kept.
        lengths: letters by contig.
        width: letters of a window; letter ``width // 2`` is the centre, on strand ``-`` counted from the other end.

    >>> peaks = pd.DataFrame({"chrom": ["a", "a"], "centre": [5, 1], "strand": ["+", "+"]})
    >>> windows, left_out = windows_around(peaks, {"a": 20}, 6)
    >>> windows[["start", "end"]].to_numpy().tolist(), left_out
    ([[2, 8]], {'window reaches beyond its contig': 1})
    """
    start = table["centre"] - np.where(table["strand"] == "-", (width - 1) // 2, width // 2)
    length = table["chrom"].map(lengths)
    short = length < width
    beyond = ~short & ((start < 0) | (start + width > length))
    kept = table.assign(start=start, end=start + width)[~short & ~beyond]
    counts = {TOO_SHORT: int(short.sum()), BEYOND: int(beyond.sum())}
    return kept.reset_index(drop=True), {reason: number for reason, number in counts.items() if number}
