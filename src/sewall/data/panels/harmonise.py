"""Another panel at the sites of a model: which of its variants are the same ones, and which way round they are written.

Letters are absolute, so most of it is reading: REF and ALT may have changed places, or stand on the other strand. Where
both strands read the same (A/T and C/G), the other sites tell whether the two files are on one strand throughout; if
they are not, frequency decides, and where it cannot, the site is left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.panel import BLOCK, NO_LETTER, Calls, OddCalls, Panel, Sites
from sewall.task import Rows

SAME, SWAPPED = "same alleles", "REF and ALT swapped"
FLIPPED, FLIPPED_SWAPPED = "other strand", "other strand, REF and ALT swapped"
BY_FREQUENCY = "A/T or C/G, turned by its frequency"
AMBIGUOUS = "left out: A/T or C/G, and its frequency does not say which strand"
DIFFERENT, ABSENT = "left out: other alleles", "left out: not in these data"
USED = (SAME, SWAPPED, FLIPPED, FLIPPED_SWAPPED, BY_FREQUENCY)

ONE_STRAND = 0.99  # share of the telling sites on one strand from which all sites are
FEWEST_TELLING = 20  # sites that tell the strand
CLEAR = 0.4  # minor-allele frequency up to which it tells the strand of an A/T or C/G site
_SUM_OF_COMPLEMENTS = 3  # of the indices of A and T, of C and G


def harmonise(panel: Panel, sites: Sites, frequency: NDArray[np.float64]) -> tuple[Panel, pd.DataFrame]:
    """Return the panel at the sites of a model, and what became of each site.

    Args:
        panel: the data; chromosomes are matched by name, with or without ``chr``, sites by position.
        sites: of the model.
        frequency: ``(sites,)`` of ALT in the model's training data.

    Returns:
        A panel with exactly *sites*; where a site is left out all its calls are missing. A table with ``chrom position
        name ref alt outcome``, one row per site of the model, positions from 1.
    """
    found = _places(panel.sites, sites)
    present = found >= 0
    theirs = panel.sites.take(np.maximum(found, 0))
    own = np.full(len(sites), np.nan)
    own[present] = frequencies(panel, found[present])
    outcome = np.where(present, _outcomes(sites, theirs, frequency, own), ABSENT)
    used = np.isin(outcome, USED)
    turned = np.isin(outcome, (SWAPPED, FLIPPED_SWAPPED)) | ((outcome == BY_FREQUENCY) & _far_apart(frequency, own))
    other_strand = np.isin(outcome, (FLIPPED, FLIPPED_SWAPPED))
    table = pd.DataFrame(
        {"chrom": sites.chrom, "position": sites.position + 1, "name": sites.name, "ref": sites.alleles[:, 0],
         "alt": sites.alleles[:, 1], "outcome": outcome}
    )  # fmt: skip
    moved = replace(
        panel,
        sites=sites,
        calls=_moved(panel.calls, found, used, turned),
        odd=_moved_odd(panel.odd, found, used, other_strand),
        counts=panel.counts | dict(Counter(outcome[~used].tolist())),
    )
    return moved, table


def frequencies(panel: Panel, sites: Rows, rows: Rows | None = None) -> NDArray[np.float64]:
    """Return ``(sites,)`` frequency of ALT among copies called in *rows* (all by default); NaN where none is.

    Args:
        panel: the data.
        sites: indices.
        rows: indices of individuals.
    """
    rows = np.arange(len(panel)) if rows is None else rows
    found = np.full(len(sites), np.nan)
    for start in range(0, len(sites), 4096):
        part = sites[start : start + 4096]
        dosage = panel.dosages(rows, part)
        copies = panel.copies[panel.sites.inheritance[part]][:, rows].T
        called = np.where(np.isnan(dosage), 0, copies).sum(axis=0)
        found[start : start + 4096] = np.nansum(dosage, axis=0) / np.where(called > 0, called, np.nan)
    return found


def plain_name(chrom: str) -> str:
    """Return a chromosome's name as all builds and programs would write it.

    >>> plain_name("chrX"), plain_name("Chr01"), plain_name("23")
    ('X', '1', 'X')
    """
    bare = chrom[3:] if chrom.lower().startswith("chr") else chrom
    bare = bare.lstrip("0") or bare
    return {"23": "X", "24": "Y", "25": "XY", "26": "MT", "M": "MT"}.get(bare.upper(), bare)


def _places(theirs: Sites, ours: Sites) -> NDArray[np.intp]:
    """Return ``(sites of ours,)`` index of the site of theirs at the same place, -1 where there is none."""
    raw = set(theirs.chrom) & set(ours.chrom)
    name = (lambda c: c) if raw == set(ours.chrom) else plain_name
    keys = {(name(str(c)), int(p)): k for k, (c, p) in enumerate(zip(theirs.chrom, theirs.position, strict=True))}
    wanted = zip(ours.chrom, ours.position, strict=True)
    return np.array([keys.get((name(str(c)), int(p)), -1) for c, p in wanted], np.intp)


def _outcomes(
    ours: Sites, theirs: Sites, frequency: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.str_]:
    same = (ours.alleles == theirs.alleles).all(axis=1)
    swapped = (ours.alleles == theirs.alleles[:, ::-1]).all(axis=1)
    mine, yours = ours.letters, theirs.letters
    known = (mine != NO_LETTER).all(axis=1) & (yours != NO_LETTER).all(axis=1)
    flipped = known & (mine == _SUM_OF_COMPLEMENTS - yours).all(axis=1)
    both = known & (mine == _SUM_OF_COMPLEMENTS - yours[:, ::-1]).all(axis=1)
    both_strands = known & (mine.sum(axis=1) == _SUM_OF_COMPLEMENTS)
    telling = known & ~both_strands & (same | swapped | flipped | both)
    one_strand = telling.sum() >= FEWEST_TELLING and (same | swapped)[telling].mean() >= ONE_STRAND
    ambiguous = both_strands & (same | swapped) & (not one_strand)
    clear = (np.minimum(frequency, 1 - frequency) <= CLEAR) & (np.minimum(other, 1 - other) <= CLEAR)
    cases = [ambiguous & clear, ambiguous, same, swapped, flipped, both]
    names = [BY_FREQUENCY, AMBIGUOUS, SAME, SWAPPED, FLIPPED, FLIPPED_SWAPPED]
    return np.select(cases, names, DIFFERENT)


def _far_apart(frequency: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (frequency > 0.5) != (other > 0.5)


def _moved(calls: Calls, found: Rows, used: NDArray[np.bool_], turned: NDArray[np.bool_]) -> Calls:
    """Return calls at other sites: turned where ALT is the other allele, missing where a site is not used."""
    width = calls.data.shape[1]
    data = np.zeros((len(found), width), np.uint8)
    for start in range(0, len(found), BLOCK):
        some = slice(start, start + BLOCK)
        there, here = used[some], turned[some] & used[some]
        codes = np.full((len(there), calls.samples), calls.missing, np.uint8)
        codes[there] = calls.codes(found[some][there])
        called = codes[here]
        codes[here] = np.where(called == calls.missing, called, calls.steps - np.minimum(called, calls.steps))
        data[some] = Calls.pack(codes, calls.bits, calls.steps).data
    return replace(calls, data=data)


def _moved_odd(odd: OddCalls, found: Rows, used: NDArray[np.bool_], other_strand: NDArray[np.bool_]) -> OddCalls:
    place = {int(theirs): ours for ours, theirs in enumerate(found) if used[ours]}
    kept = np.array([k for k, site in enumerate(odd.site) if int(site) in place], np.intp)
    site = np.array([place[int(s)] for s in odd.site[kept]], np.int64)
    code = odd.code[kept].copy()
    flipped = other_strand[site] if len(site) else np.zeros(0, bool)
    code[flipped] = code[flipped][:, [3, 2, 1, 0, 4]]
    order = np.lexsort((odd.sample[kept], site))
    return OddCalls(site[order], odd.sample[kept][order], code[order])
