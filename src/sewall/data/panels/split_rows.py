"""One site that stands in several rows: records of a multi-allelic site that was split, and sites given twice."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import LETTERS
from sewall.data.panels.rows import SiteRows

REPEATED = "another record of a site that was read already"
TOO_MANY_COPIES = "calls set to missing: records of one site count more copies than there are"


def joined_sites(rows: SiteRows, counts: Counter[str]) -> SiteRows:
    """Merge rows of one position into one site where they share one allele; of the others the first is kept.

    Only rows of single letters are merged, and which allele a file calls the reference does not matter: the shared one
    becomes the first. Rows with other alleles stay as they are.

    Args:
        rows: all rows of the positions that occur.
        counts: what was left out is added here.
    """
    starts = np.flatnonzero(np.diff(rows.position, prepend=-2))
    stops = [*starts[1:].tolist(), len(rows)]
    several = [(a, b) for a, b in zip(starts.tolist(), stops, strict=True) if b - a > 1]
    if not several or rows.dosages is not None:
        return rows
    kept = np.ones(len(rows), bool)
    merged = SiteRows(
        rows.chrom, rows.position, rows.name, _widened(rows, several), rows.genotypes.copy(), rows.dosages
    )
    for start, stop in several:
        group = [row for row in range(start, stop) if _letters(rows, row)]
        parts, repeats = _parts(rows, group)
        kept[repeats] = False
        counts[REPEATED] += len(repeats)
        if len(parts) > 1:
            kept[parts[1:]] = False
            _merge(rows, parts, merged, counts)
    return merged.take(kept)


def _letters(rows: SiteRows, row: int) -> list[str]:
    """Return the alleles of a row, or none where one of them is not a letter."""
    named = [allele for allele in rows.alleles[row] if allele]
    return named if len(named) > 1 and all(allele in LETTERS for allele in named) else []


def _parts(rows: SiteRows, group: list[int]) -> tuple[list[int], list[int]]:
    """Return the rows that are parts of one site, the first of them first, and those that repeat or contradict it."""
    parts, repeats, seen = list[int](), list[int](), set[str]()
    for row in group:
        alleles = set(_letters(rows, row))
        shared = set.intersection(alleles, *(set(_letters(rows, part)) for part in parts))
        if parts and (alleles <= seen or len(shared) != 1):
            repeats.append(row)
        else:
            parts.append(row)
            seen |= alleles
    return parts, repeats


def _widened(rows: SiteRows, several: list[tuple[int, int]]) -> NDArray[np.object_]:
    """Return the alleles with room for all letters of the widest group."""
    width = max(rows.alleles.shape[1], *(len({a for row in rows.alleles[x:y] for a in row}) for x, y in several))
    wide = np.full((len(rows), width), "", object)
    wide[:, : rows.alleles.shape[1]] = rows.alleles
    return wide


def _merge(rows: SiteRows, parts: list[int], merged: SiteRows, counts: Counter[str]) -> None:
    """Write the site made of *parts* into the first of their rows."""
    sets = [_letters(rows, part) for part in parts]
    shared = next(iter(set.intersection(*map(set, sets))))
    alleles = [shared, *dict.fromkeys(letter for named in sets for letter in named if letter != shared)]
    copies = np.zeros((len(alleles), rows.genotypes.shape[1]), np.int16)
    for part in parts:
        for index, letter in enumerate(rows.alleles[part]):
            if letter and letter != shared:
                copies[alleles.index(letter)] += (rows.genotypes[part] == index).sum(axis=1)
    calls = rows.genotypes[parts]
    present = (calls != -2).any(axis=0).sum(axis=1)
    whole = (copies.sum(axis=0) == present) | ((calls != -1).all(axis=(0, 2)) & (copies.sum(axis=0) < present))
    counts[TOO_MANY_COPIES] += int((copies.sum(axis=0) > present).sum())
    copies[0] = present - copies.sum(axis=0)
    merged.alleles[parts[0]] = alleles + [""] * (merged.alleles.shape[1] - len(alleles))
    merged.genotypes[parts[0]] = _laid_out(copies, present, whole, rows.genotypes.shape[2])


def _laid_out(
    copies: NDArray[np.int16], present: NDArray[np.intp], whole: NDArray[np.bool_], ploidy: int
) -> NDArray[np.int8]:
    """Return ``(samples, ploidy)`` genotypes with so many copies of each allele."""
    ends = np.vstack([np.zeros(copies.shape[1], np.int16), np.cumsum(copies, axis=0)])
    slots = np.arange(ploidy)
    found = np.full((copies.shape[1], ploidy), -1, np.int8)
    for allele, (low, high) in enumerate(pairwise(ends)):
        found[(slots >= low[:, None]) & (slots < high[:, None]) & whole[:, None]] = allele
    found[slots >= present[:, None]] = -2
    return found
