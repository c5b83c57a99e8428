"""Tables that tell where the sites of a genotype matrix lie and which alleles they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sewall.data.delimited import table_rows
from sewall.data.panels.rows import texts
from sewall.errors import SewallError

_NAME = ("snp_id", "snp", "name", "id", "marker", "rs", "site", "variant")
_CHROM = ("chr", "chrom", "chromosome")
_POSITION = ("pos", "position", "bp", "mbp", "mb", "cm", "ps")
_ALLELES = ("alleles",)


class SiteMap(NamedTuple):
    """Where sites lie, in the order of chromosomes (as they first appear) and positions.

    Attributes:
        column: ``(sites,)`` which column of the matrix each is.
        chrom, name: ``(sites,)`` text.
        position: ``(sites,)`` counted from 0; the rank on the chromosome where positions are not in bp; -1 unknown.
        alleles: ``(sites, 2)`` text, the counted allele second; empty where unknown.
    """

    column: NDArray[np.intp]
    chrom: NDArray[np.object_]
    name: NDArray[np.object_]
    position: NDArray[np.int32]
    alleles: NDArray[np.object_]


def without_map(names: Sequence[str]) -> SiteMap:
    """Place all columns of a matrix on one chromosome, in their order."""
    count = len(names)
    blank = np.full((count, 2), "", object)
    order = np.arange(count)
    return SiteMap(order, texts(["1"] * count), texts(names), order.astype(np.int32), blank)


def read_site_map(path: Path, columns: Sequence[str]) -> SiteMap:
    """Find the *columns* of a matrix in a table; those that it does not hold are left out.

    Positions that are not whole numbers (cM, Mb) give an order only. The counted allele is the one at the end of a
    name such as ``rs3683945_G``, which is taken off, or else the second in the column ``alleles``.

    Raises:
        SewallError: the table lacks a column, or holds none of the sites.
    """
    with table_rows(path) as rows:
        header = [name.strip().lower() for name in next(rows)[1]]
        places = [_column(path, header, wanted) for wanted in (_NAME, _CHROM, _POSITION)]
        alleles = next((k for k, name in enumerate(header) if name in _ALLELES), None)
        table = {}
        for number, fields in rows:
            if len(fields) < len(header):
                raise SewallError(f"{path}, line {number}: has {len(fields)} columns, not {len(header)}; mend the line")
            name, chrom, position = (fields[k].strip() for k in places)
            table[name] = (chrom, _number(path, number, position), fields[alleles] if alleles is not None else "")
    found = [k for k, name in enumerate(columns) if name in table]
    if not found:
        raise SewallError(
            f"{path}: holds none of the {len(columns)} sites of the matrix (the first is {columns[0]}, "
            f"and here {next(iter(table), 'none')}); give the map that belongs to it"
        )
    return placed(found, columns, table)


def placed(found: list[int], columns: Sequence[str], table: Mapping[str, tuple[str, float, str]]) -> SiteMap:
    """Put sites in the order of chromosomes and positions.

    Args:
        found: columns of the matrix that the table holds.
        columns: names of all columns.
        table: chromosome, position counted from 1 (NaN where unknown) and alleles, by name.
    """
    ranks = {chrom: rank for rank, chrom in enumerate(dict.fromkeys(table[columns[k]][0] for k in found))}
    position = np.array([table[columns[k]][1] for k in found])
    chrom = np.array([ranks[table[columns[k]][0]] for k in found])
    order = np.lexsort((position, chrom))
    chrom, position = chrom[order], position[order]
    if np.isnan(position).all() or (position[~np.isnan(position)] % 1 != 0).any():
        first = np.searchsorted(chrom, chrom)
        place = np.where(np.isnan(position), -1, np.arange(len(order)) - first)
    else:
        place = np.where(np.isnan(position) | (position <= 0), 0, position) - 1
    named = [_alleles(columns[found[k]], table[columns[found[k]]][2]) for k in order]
    pairs = np.empty((len(order), 2), object)
    pairs[:] = [pair for _, pair in named]
    chroms = list(ranks)
    return SiteMap(
        np.array(found)[order],
        texts(chroms[code] for code in chrom),
        texts(name for name, _ in named),
        place.astype(np.int32),
        pairs,
    )


def _alleles(name: str, listed: str) -> tuple[str, tuple[str, str]]:
    """Return the name of a site and its two alleles, the counted one second.

    >>> _alleles("rs1_A", "A;G")
    ('rs1', ('G', 'A'))
    """
    pair = listed.replace("/", ";").split(";")
    if len(pair) != 2:
        return name, ("", "")
    stem, _, counted = name.rpartition("_")
    if stem and counted in pair:
        return stem, (pair[1 - pair.index(counted)], counted)
    return name, (pair[0], pair[1])


def _column(path: Path, header: Sequence[str], wanted: Sequence[str]) -> int:
    found = [header.index(name) for name in wanted if name in header]
    if not found:
        raise SewallError(f"{path}: has no column {wanted[0]} (its columns are {', '.join(header[:8])}); name it so")
    return found[0]


def _number(path: Path, line: int, text: str) -> float:
    try:
        return float(text) if text not in {"", "NA", "."} else np.nan
    except ValueError:
        raise SewallError(f"{path}, line {line}: position '{text}' is not a number; mend the line") from None
