"""Recombination maps as files: HapMap and PLINK format (cumulative, cM) and bedGraph (per bp).

A cumulative map has no way to say "unknown" between two positions. So windows without an estimate at either end are
left off; inside, they get the mean rate of the known windows, which keeps distances across them sensible. The bedGraph
leaves them out, and is the file to tell estimates from fillings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sewall.data.headers import reading
from sewall.data.regions import Region
from sewall.errors import SewallError
from sewall.rundir import atomic_path

CM_PER_MB = 1e8
"""A rate of 1 per bp per generation in cM/Mb: 100 cM per crossover, 1e6 bp per Mb."""

HIGHEST_RATE = 1e-4
"""Per bp per generation; the hottest spots known stay below, and rates in cM/Mb are above."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GeneticMap:
    """The genetic map of one contig.

    Attributes:
        chrom: name of the contig, empty where the file has none.
        positions: ``(k,)`` bp, increasing.
        cm: ``(k,)`` cumulative map in cM, never decreasing.
    """

    chrom: str
    positions: NDArray[np.int64]
    cm: Floats

    def mean_rate(self, region: Region) -> float:
        """Return the mean crossover rate per bp per generation of a region, NaN where the map does not cover it.

        >>> GeneticMap("1", np.array([0, 1_000_000]), np.array([0.0, 1.0])).mean_rate(Region("1", 0, 500_000))
        1e-08
        """
        return float(self.rates([region.start, region.end])[0])

    def rates(self, edges: Sequence[float] | Floats) -> Floats:
        """Return the mean crossover rate per bp per generation from each of ``(k,)`` *edges* (bp) to the next.

        Returns:
            ``(k - 1,)``, NaN where the map does not reach from one edge to the other.
        """
        edges = np.asarray(edges, float)
        outside = (edges < self.positions[0]) | (edges > self.positions[-1])
        totals = np.where(outside, np.nan, np.interp(edges, self.positions, self.cm))
        return np.diff(totals) / 100 / np.diff(edges)


def cumulative(regions: Sequence[Region], rates: Sequence[float] | Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Turn window rates of one contig into a cumulative map.

    Args:
        regions: windows of one contig, in order, not overlapping; gaps are unknown.
        rates: ``(windows,)`` per bp per generation, NaN where unknown.

    Returns:
        ``(k,)`` positions in bp, ``(k,)`` rate in cM/Mb from each position to the next (0 at the last), ``(k,)``
        cumulative cM; empty arrays where no rate is known.
    """
    rates = np.asarray(rates, float)
    known = np.flatnonzero(np.isfinite(rates))
    if len(regions) != len(rates) or any(b.start < a.end for a, b in pairwise(regions)):
        raise ValueError("a cumulative map needs one rate per window and windows in order that do not overlap")
    if len(known) == 0:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    inner, values = regions[known[0] : known[-1] + 1], rates[known[0] : known[-1] + 1]
    lengths = np.array([region.length for region in inner], float)
    mean = np.average(values[np.isfinite(values)], weights=lengths[np.isfinite(values)])
    steps = dict(
        zip((region.end for region in inner), [mean] * len(inner), strict=True)
    )  # a gap may follow each window
    steps.update(zip((region.start for region in inner), np.where(np.isfinite(values), values, mean), strict=True))
    positions = np.array(sorted(steps), np.int64)
    per_mb = np.array([steps[int(position)] for position in positions]) * CM_PER_MB
    per_mb[-1] = 0.0
    cm = np.concatenate([[0.0], np.cumsum(per_mb[:-1] * np.diff(positions) / 1e6)])
    return positions, per_mb, cm


def write_hapmap(path: str | Path, regions: Sequence[Region], rates: Sequence[float] | Floats) -> None:
    """Write the map of one contig in HapMap format, as `msprime.RateMap.read_hapmap` reads it.

    Columns are contig, position (bp; the window borders), rate from there on (cM/Mb) and cumulative map (cM). The
    format holds one contig a file. What lies before the first known window is unknown to the reader as well.

    Raises:
        SewallError: no window has a rate.
    """
    chroms = {region.chrom for region in regions}
    if len(chroms) != 1:
        raise ValueError(f"HapMap format holds one contig a file, not {sorted(chroms)}")
    positions, per_mb, cm = cumulative(regions, rates)
    if len(positions) == 0:
        raise SewallError(f"{path}: no window of contig {regions[0].chrom} has a rate, so there is no map to write")
    rows = zip(positions, per_mb, cm, strict=True)
    lines = [f"{regions[0].chrom}\t{position}\t{rate:.10g}\t{total:.10g}" for position, rate, total in rows]
    _write(path, ["Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)", *lines])


def write_plink_map(path: str | Path, regions: Sequence[Region], rates: Sequence[float] | Floats) -> None:
    """Write the map of any contigs in PLINK format (contig, ``.``, cM, bp; no header), as Beagle reads it.

    Beagle wants positions of at least 1, so a map that begins at 0 begins at 1 here.
    """
    lines = []
    for chrom, (own, values) in _by_contig(regions, rates):
        positions, _, cm = cumulative(own, values)
        lines += [f"{chrom}\t.\t{total:.10g}\t{max(at, 1)}" for at, total in zip(positions, cm, strict=True)]
    _write(path, lines)


def write_bedgraph(path: str | Path, regions: Sequence[Region], rates: Sequence[float] | Floats) -> None:
    """Write rates per bp per generation as bedGraph (positions count from 0); unknown windows are left out."""
    values = np.asarray(rates, float)
    rows = [(region, rate) for region, rate in zip(regions, values, strict=True) if np.isfinite(rate)]
    _write(path, [f"{region.chrom}\t{region.start}\t{region.end}\t{rate:.6g}" for region, rate in rows])


def read_hapmap(path: str | Path) -> GeneticMap:
    """Read a genetic map of one contig: HapMap format, or any table whose header names position and cM columns.

    Raises:
        SewallError: as `read_maps`, and for several contigs.
    """
    maps = read_maps(path)
    if len(maps) > 1:
        raise SewallError(f"{path}: holds several contigs ({', '.join(sorted(maps)[:3])}); give one file per contig")
    return next(iter(maps.values()))


def read_maps(path: str | Path) -> dict[str, GeneticMap]:
    """Read the genetic maps of any contigs, by name of the contig (empty where a table has no such column).

    Formats are told apart by their first line: a table whose header names position and cM columns (HapMap format);
    without a header, PLINK format (contig, identifier, cM, bp) or a bedGraph of rates per bp.

    Raises:
        SewallError: the file is missing, of none of these formats, or holds a map that goes down; names the line.
    """
    path = Path(path)
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    with reading(path) as stream:
        lines = [line.decode("utf-8", "replace").split() for line in stream]
    rows = [
        (k, row) for k, row in enumerate(lines, 1) if row and row[0][0] != "#" and row[0] not in ("track", "browser")
    ]
    if len(rows) < 2:
        raise SewallError(f"{path}: holds no map; it needs at least two positions")
    first = rows[0][1]
    if len(first) == 4 and _number(first[1]) is not None and _number(first[2]) is not None:
        return _from_bedgraph(path, rows)
    if len(first) == 4 and _number(first[2]) is not None:
        return _cumulative_maps(path, rows, 0, 3, 2)
    chrom, position, cm = _columns(path, first)
    if len(rows) < 3:
        raise SewallError(f"{path}: holds no map; it needs a header and at least two positions")
    return _cumulative_maps(path, rows[1:], chrom, position, cm)


Rows = Sequence[tuple[int, Sequence[str]]]
"""Lines that say something, split, each with its number."""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _columns(path: Path, header: Sequence[str]) -> tuple[int | None, int, int]:
    names = [name.lower() for name in header]
    chrom = next((i for i, name in enumerate(names) if name.startswith("chr")), None)
    position = next((i for i, name in enumerate(names) if name.startswith(("pos", "bp"))), None)
    cm = next((i for i, name in enumerate(names) if name in {"cm", "map(cm)", "genetic_map(cm)"}), None)
    if position is None or cm is None:
        raise SewallError(f"{path}, line 1: the header names no position and cM columns: '{' '.join(header)[:60]}'")
    return chrom, position, cm


def _cumulative_maps(path: Path, rows: Rows, chrom: int | None, position: int, cm: int) -> dict[str, GeneticMap]:
    found: dict[str, list[tuple[int, float]]] = {}
    for number, row in rows:
        try:
            name, here = row[chrom] if chrom is not None else "", (int(row[position]), float(row[cm]))
        except (ValueError, IndexError):
            raise SewallError(
                f"{path}, line {number}: expected a position and a map in cM: '{' '.join(row)[:60]}'"
            ) from None
        own = found.setdefault(name, [])
        if own and (here[0] <= own[-1][0] or not here[1] >= own[-1][1]):
            raise SewallError(f"{path}, line {number}: position or map goes down; sort the file by position")
        own.append(here)
    return {
        name: GeneticMap(name, np.array([at for at, _ in own], np.int64), np.array([total for _, total in own]))
        for name, own in found.items()
    }


def _from_bedgraph(path: Path, rows: Rows) -> dict[str, GeneticMap]:
    regions, rates = [], []
    for number, row in rows:
        try:
            region, rate = Region(row[0], int(row[1]), int(row[2])), float(row[3])
        except (ValueError, IndexError):
            raise SewallError(
                f"{path}, line {number}: expected contig, start, end and rate: '{' '.join(row)[:60]}'"
            ) from None
        if not 0 <= rate < HIGHEST_RATE:
            raise SewallError(
                f"{path}, line {number}: a rate of {rate:g} per bp per generation; give crossovers per bp (1 cM/Mb is "
                "1e-8)"
            )
        regions.append(region)
        rates.append(rate)
    try:
        maps = {chrom: cumulative(own, values) for chrom, (own, values) in _by_contig(regions, rates)}
    except ValueError:
        raise SewallError(f"{path}: intervals overlap or are out of order; sort the file by position") from None
    return {chrom: GeneticMap(chrom, positions, cm) for chrom, (positions, _, cm) in maps.items()}


def _by_contig(
    regions: Sequence[Region], rates: Sequence[float] | Floats
) -> list[tuple[str, tuple[list[Region], list[float]]]]:
    pairs = groupby(zip(regions, np.asarray(rates, float), strict=True), key=lambda pair: pair[0].chrom)
    groups = [(chrom, list(group)) for chrom, group in pairs]
    return [(chrom, ([region for region, _ in group], [float(rate) for _, rate in group])) for chrom, group in groups]


def _write(path: str | Path, lines: Sequence[str]) -> None:
    with atomic_path(Path(path)) as temporary:
        temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
