"""Rows of genotypes as packed sites: one REF, one ALT, a code for each call, and the calls that need more than that."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import LETTERS, Floats
from sewall.data.panels.rows import DOSAGE_STEPS, NO_DOSAGE, SiteRows
from sewall.data.sites import CONSTANT, NOT_CALLED

NO_PLACE = "no chromosome or position"
SAME_ALLELES = "both alleles are the same"
UNKNOWN_ALLELE = "an allele is unknown (0)"
NOT_LETTERS = "kept: alleles that are not single letters"
SYMBOLIC = "kept: symbolic alleles (<DEL>, *)"
MANY_ALLELES = "kept: more than two alleles"
DOSAGE_ALLELES = "more than two alleles, of which dosages count only one"

UNNAMED = frozenset({"0", ".", ""})
_LONGEST = 32

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class CodedSites:
    """Sites ready for a panel.

    Attributes:
        position: ``(sites,)``.
        name: ``(sites,)`` text.
        alleles: ``(sites, 2)`` REF and the commonest ALT.
        codes: ``(sites, samples)`` uint8: `steps` times the share of ALT, `missing` where not called.
        odd: site, sample and ``(odd calls, 5)`` counts of A, C, G, T and other alleles, where a third is carried.
    """

    position: NDArray[np.int32]
    name: NDArray[np.object_]
    alleles: NDArray[np.object_]
    codes: NDArray[np.uint8]
    odd: tuple[NDArray[np.int64], NDArray[np.int64], Floats]

    def __len__(self) -> int:
        return len(self.position)


def coded(rows: SiteRows, steps: int, missing: int, keep_constant: bool, counts: Counter[str]) -> CodedSites:
    """Choose the usable rows and code their calls.

    A call of which some copies are not called is missing. Haploid calls count as the whole share.

    Args:
        rows: one row per site.
        steps: number of steps between no ALT and nothing but ALT.
        missing: code of a missing call.
        keep_constant: keep sites that do not vary in these individuals.
        counts: reasons are added here.
    """
    placed = np.flatnonzero(rows.position >= 0) if rows.chrom != "0" else np.zeros(0, np.intp)
    counts[NO_PLACE] += len(rows) - len(placed)
    rows = rows.take(placed)
    rows.genotypes[(rows.genotypes == -1).any(axis=2)] = -1
    tally = _tally(rows)
    rows, tally = _with_clean_alleles(rows, tally, counts)
    carried = np.count_nonzero(tally, axis=1)
    called, varies = carried > 0, carried > 1
    counts[NOT_CALLED] += int((~called).sum())
    counts[CONSTANT] += int((called & ~varies).sum()) if not keep_constant else 0
    kept: Flags = called if keep_constant else varies
    if rows.dosages is not None:
        many = (rows.alleles[:, 2:] != "").any(axis=1)
        counts[DOSAGE_ALLELES] += int((kept & many).sum())
        kept &= ~many
    rows, tally = rows.take(kept), tally[kept]
    _count_kinds(rows, counts)
    return _coded(rows, tally, steps, missing)


def _tally(rows: SiteRows) -> NDArray[np.int64]:
    """Count the copies of each allele: ``(rows, alleles)``."""
    if rows.dosages is None:
        width = rows.alleles.shape[1]
        return np.stack([(rows.genotypes == k).sum(axis=(1, 2)) for k in range(width)], axis=1)
    known = np.where(rows.dosages == NO_DOSAGE, 0, rows.dosages.astype(np.int64))
    rest = np.where(rows.dosages == NO_DOSAGE, 0, DOSAGE_STEPS - known)
    return np.stack([rest.sum(axis=1), known.sum(axis=1)], axis=1)


def _with_clean_alleles(
    rows: SiteRows, tally: NDArray[np.int64], counts: Counter[str]
) -> tuple[SiteRows, NDArray[np.int64]]:
    """Leave out rows whose alleles cannot be told apart; where nothing varies, the allele not carried is unnamed.

    PLINK writes monomorphic sites with an allele ``0`` or twice the same allele.
    """
    first, second = rows.alleles[:, 0], rows.alleles[:, 1]
    same = (first == second) & (first != "")
    unknown = np.isin(rows.alleles[:, :2], ["0", "."]).any(axis=1) & ~same
    vague = (same | unknown) & ((tally > 0).sum(axis=1) > 1)
    counts[SAME_ALLELES] += int((same & vague).sum())
    counts[UNKNOWN_ALLELE] += int((unknown & vague).sum())
    for row in np.flatnonzero((same | unknown) & ~vague):
        carried = int(tally[row].argmax())
        name = rows.alleles[row, carried]
        rows.alleles[row] = ["" if name in UNNAMED else name] + [""] * (rows.alleles.shape[1] - 1)
        if carried:
            tally[row, 0], tally[row, carried] = tally[row, carried], 0
            _swap(rows, int(row), carried)
    return rows.take(~vague), tally[~vague]


def _swap(rows: SiteRows, row: int, carried: int) -> None:
    if rows.dosages is not None:
        known = rows.dosages[row] != NO_DOSAGE
        rows.dosages[row, known] = DOSAGE_STEPS - rows.dosages[row, known]
    else:
        calls = rows.genotypes[row]
        calls[calls == carried] = 0


def _count_kinds(rows: SiteRows, counts: Counter[str]) -> None:
    named = rows.alleles != ""
    symbolic = (np.char.find(rows.alleles.astype(str), "<") == 0) | (rows.alleles == "*")
    other = named & ~symbolic & ~np.isin(rows.alleles, list(LETTERS))
    counts[SYMBOLIC] += int(symbolic.any(axis=1).sum())
    counts[NOT_LETTERS] += int((other.any(axis=1) & ~symbolic.any(axis=1)).sum())


def _coded(rows: SiteRows, tally: NDArray[np.int64], steps: int, missing: int) -> CodedSites:
    alt = 1 + tally[:, 1:].argmax(axis=1)
    alleles = np.stack([rows.alleles[:, 0], rows.alleles[np.arange(len(rows)), alt]], axis=1)
    if rows.dosages is not None:
        codes = _dosage_codes(rows.dosages, steps, missing)
    else:
        codes = _call_codes(rows.genotypes, alt, steps, missing)
    odd = _odd(rows, alt, codes == missing)
    return CodedSites(rows.position, rows.name, _shortened(alleles), codes, odd)


def _call_codes(genotypes: NDArray[np.int8], alt: NDArray[np.intp], steps: int, missing: int) -> NDArray[np.uint8]:
    copies = (genotypes >= 0).sum(axis=2, dtype=np.int16)
    carried = (genotypes == alt[:, None, None]).sum(axis=2, dtype=np.int16)
    unknown = copies == 0
    share = np.rint(carried * (steps / np.maximum(copies, 1)))
    return np.where(unknown, missing, share).astype(np.uint8)


def _dosage_codes(dosages: NDArray[np.uint8], steps: int, missing: int) -> NDArray[np.uint8]:
    share = np.rint(dosages * (steps / DOSAGE_STEPS))
    return np.where(dosages == NO_DOSAGE, missing, share).astype(np.uint8)


def _odd(rows: SiteRows, alt: NDArray[np.intp], missing: Flags) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Find the calls that carry an allele other than REF and ALT, and count their alleles by letter."""
    if rows.alleles.shape[1] < 3 or rows.dosages is not None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 5), np.float32)
    third = (rows.genotypes > 0) & (rows.genotypes != alt[:, None, None])
    site, sample = np.nonzero(third.any(axis=2) & ~missing)
    calls = rows.genotypes[site, sample]
    channel = np.array([LETTERS.find(a) if len(a) == 1 else 4 for a in rows.alleles.ravel()])
    channel = np.where(channel < 0, 4, channel).reshape(rows.alleles.shape)
    code = np.zeros((len(site), 5), np.float32)
    for copy in range(calls.shape[1]):
        here = np.flatnonzero(calls[:, copy] >= 0)
        code[here, channel[site[here], calls[here, copy]]] += 1
    return site, sample, code


def _shortened(alleles: NDArray[np.object_]) -> NDArray[np.object_]:
    """Give very long alleles a short unmistakable name: their start, their length and a digest.

    Text in a panel takes as much room at every site as at the longest.
    """
    long = np.array([len(allele) > _LONGEST for allele in alleles.ravel()], bool).reshape(alleles.shape)
    if long.any():
        alleles[long] = [
            f"{text[:8]}~{len(text)}~{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
            for text in alleles[long]
        ]
    return alleles
