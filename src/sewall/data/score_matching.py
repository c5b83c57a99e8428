"""The variants of a score file in a panel: which sites they are, and which allele of the site is counted.

Variants are found by place, or by name where the file tells no place; then letters decide, as in
`sewall.data.panels.harmonise`: the effect allele may be REF, ALT or a third allele, and stand on either strand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.panel import LETTERS, NO_LETTER, Panel, Sites
from sewall.data.panels.harmonise import (
    ABSENT,
    AMBIGUOUS,
    BY_FREQUENCY,
    CLEAR,
    DIFFERENT,
    FEWEST_TELLING,
    ONE_STRAND,
    frequencies,
    plain_name,
)
from sewall.data.score_files import NO_PLACE, ScoreFile
from sewall.task import Rows

Flags = NDArray[np.bool_]

COUNTS_ALT, COUNTS_REF = "effect allele is ALT", "effect allele is REF"
FLIPPED_ALT, FLIPPED_REF = "other strand, effect allele is ALT", "other strand, effect allele is REF"
COUNTS_THIRD = "effect allele is a third allele"
REPEATED = "left out: repeats an earlier line"
MATCHED = (COUNTS_ALT, COUNTS_REF, COUNTS_THIRD, FLIPPED_ALT, FLIPPED_REF, BY_FREQUENCY)

ALT, REF, THIRD = "ALT", "REF", "third"
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class Matched:
    """What became of the variants of a score file; all arrays are ``(variants,)``.

    Attributes:
        site: index in the panel, of those that are used.
        counted: `ALT`, `REF` or `THIRD`: which allele of the site is the effect allele.
        letter: of the effect allele as the panel writes it, index in A, C, G, T; `NO_LETTER` where it is longer.
        outcome: in words; one of `MATCHED` for those that are used.
    """

    site: NDArray[np.intp]
    counted: NDArray[np.str_]
    letter: NDArray[np.int8]
    outcome: NDArray[np.str_]

    @property
    def used(self) -> Rows:
        """Return the variants that are used, in the order of the panel's sites."""
        here = np.flatnonzero(np.isin(self.outcome, MATCHED))
        return here[np.argsort(self.site[here], kind="stable")]


def match_report(scores: ScoreFile, matched: Matched) -> pd.DataFrame:
    """Return one row per variant of the file, positions from 1: what became of it; ``.`` where it tells no place."""
    position = pd.Series(scores.position + 1, dtype="Int64").mask(scores.position == NO_PLACE)
    chrom = np.where(scores.chrom == "", ".", scores.chrom)
    return pd.DataFrame(
        {"chrom": chrom, "position": position, "name": scores.name, "effect_allele": scores.effect,
         "other_allele": scores.other, "outcome": matched.outcome}
    )  # fmt: skip


def match_scores(panel: Panel, scores: ScoreFile, keep_ambiguous: bool = False) -> Matched:
    """Find the variants of a score file among the sites of a panel.

    Args:
        panel: the data.
        scores: the file.
        keep_ambiguous: read A/T and C/G as they stand, also where nothing tells that both are on one strand.
    """
    pairs = _pairs(panel.sites, scores)
    read = _Reading.of(panel, scores, pairs)
    outcome, counted = read.settled(panel, scores, keep_ambiguous)
    best = _best(pairs["variant"].to_numpy(), outcome)
    found = Matched(
        np.full(len(scores), -1), np.full(len(scores), ALT, "U5"), np.full(len(scores), NO_LETTER, np.int8),
        np.where(scores.problem == "", ABSENT, scores.problem).astype(object),
    )  # fmt: skip
    variant = pairs["variant"].to_numpy()[best]
    found.site[variant], found.counted[variant] = pairs["site"].to_numpy()[best], counted[best]
    found.outcome[variant] = outcome[best]
    found.letter[variant] = _letters(panel.sites, found.counted[variant], found.site[variant], scores.effect[variant])
    keys = pd.DataFrame({"site": found.site, "counted": found.counted})[np.isin(found.outcome, MATCHED)]
    found.outcome[keys.index[keys.duplicated()]] = REPEATED
    return Matched(found.site, found.counted, found.letter, found.outcome.astype(str))


def _pairs(sites: Sites, scores: ScoreFile) -> pd.DataFrame:
    """Return which variant (``variant``) may be which site (``site``), by place, or by name where there is none."""
    own = np.flatnonzero(scores.problem == "")
    placed = own[scores.position[own] != NO_PLACE]
    named = own[(scores.position[own] == NO_PLACE) & (scores.name[own] != "")]
    written = set(scores.chrom[placed]) <= set(sites.chrom)
    by_place = {"chrom": _names(sites.chrom, written), "position": sites.position}
    wanted = {"chrom": _names(scores.chrom[placed], written), "position": scores.position[placed]}
    index = np.arange(len(sites))
    found = [
        pd.DataFrame({"variant": placed, **wanted}).merge(pd.DataFrame({"site": index, **by_place})),
        pd.DataFrame({"variant": named, "name": scores.name[named]}).merge(
            pd.DataFrame({"site": index, "name": sites.name})
        ),
    ]
    return pd.concat([part[["variant", "site"]] for part in found], ignore_index=True)


def _names(chrom: NDArray[np.str_], as_written: bool) -> NDArray:
    """Return the names of chromosomes as they stand, or as all programs would write them."""
    if as_written:
        return chrom.astype(object)
    names, place = np.unique(chrom, return_inverse=True)
    return np.array([plain_name(str(name)) for name in names], object)[place]


@dataclass(frozen=True)
class _Reading:
    """How the letters of variants and of sites fit, pair by pair.

    Attributes:
        variant, site: indices.
        alt, ref: the effect allele is ALT, or REF, as it is written.
        flipped_alt, flipped_ref: the same on the other strand.
        third: it is neither, and some individuals carry it.
        letters: all alleles are single letters.
        both_strands: REF and ALT are each other's complement.
        alone: the file does not say the other allele.
    """

    variant: NDArray[np.intp]
    site: NDArray[np.intp]
    alt: Flags
    ref: Flags
    flipped_alt: Flags
    flipped_ref: Flags
    third: Flags
    letters: Flags
    both_strands: Flags
    alone: Flags

    @classmethod
    def of(cls, panel: Panel, scores: ScoreFile, pairs: pd.DataFrame) -> _Reading:
        variant, site = pairs["variant"].to_numpy(np.intp), pairs["site"].to_numpy(np.intp)
        effect, other = scores.effect[variant], scores.other[variant]
        ref, alt = np.char.upper(panel.sites.alleles[site].T)
        letters = (panel.sites.letters[site] != NO_LETTER).all(axis=1) & np.isin(effect, list(LETTERS))
        turned, beside = _complement(effect), _complement(other)
        carried = np.zeros((len(panel.sites), 4), bool)
        carried[panel.odd.site] |= panel.odd.code[:, :4] > 0
        neither = letters & (effect != ref) & (effect != alt) & (_names_allele(other, ref) | _names_allele(other, alt))
        return cls(
            variant, site,
            alt=(effect == alt) & _names_allele(other, ref), ref=(effect == ref) & _names_allele(other, alt),
            flipped_alt=letters & (turned == alt) & _names_allele(beside, ref),
            flipped_ref=letters & (turned == ref) & _names_allele(beside, alt),
            third=neither & carried[site, np.maximum(_letter(effect), 0)],
            letters=letters, both_strands=letters & (_complement(ref) == alt), alone=other == "",
        )  # fmt: skip

    def settled(self, panel: Panel, scores: ScoreFile, keep_ambiguous: bool) -> tuple[NDArray[np.str_], NDArray]:
        """Return for each pair what becomes of it, and which allele is counted."""
        plain = self.alt | self.ref
        telling = self.letters & ~self.both_strands & ~self.alone & (plain | self.flipped_alt | self.flipped_ref)
        one_strand = telling.sum() >= FEWEST_TELLING and plain[telling].mean() >= ONE_STRAND
        doubtful = self.both_strands & plain & (not (one_strand or keep_ambiguous))
        clear, far = self._by_frequency(panel, scores, doubtful)
        cases = [doubtful & clear, doubtful, self.alt, self.ref, self.third, self.flipped_alt, self.flipped_ref]
        names = [BY_FREQUENCY, AMBIGUOUS, COUNTS_ALT, COUNTS_REF, COUNTS_THIRD, FLIPPED_ALT, FLIPPED_REF]
        outcome = np.select(cases, names, DIFFERENT)
        of_alt = np.isin(outcome, (COUNTS_ALT, FLIPPED_ALT)) | ((outcome == BY_FREQUENCY) & (self.alt != far))
        return outcome, np.where(of_alt, ALT, np.where(outcome == COUNTS_THIRD, THIRD, REF))

    def _by_frequency(self, panel: Panel, scores: ScoreFile, asked: Flags) -> tuple[Flags, Flags]:
        """Return whether frequencies tell the strand, and whether they are on different sides of one half."""
        here = np.full(len(asked), np.nan)
        here[asked] = frequencies(panel, self.site[asked])
        here = np.where(self.alt, here, 1 - here)
        there = scores.frequency[self.variant]
        clear = (np.minimum(here, 1 - here) <= CLEAR) & (np.minimum(there, 1 - there) <= CLEAR)
        return clear, (here > 0.5) != (there > 0.5)


def _names_allele(other: NDArray[np.str_], allele: NDArray[np.str_]) -> Flags:
    """Return whether the other alleles of a variant, joined by ``/``, may be *allele*; unknown ones may be any."""
    among = np.char.find(_bounded(other), _bounded(allele)) >= 0
    return np.asarray((other == "") | among)


def _complement(alleles: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return the letters of the other strand."""
    texts, place = np.unique(alleles, return_inverse=True)
    return np.array([str(text).translate(_COMPLEMENT) for text in texts], str)[place]


def _bounded(text: NDArray[np.str_]) -> NDArray[np.str_]:
    return np.char.add(np.char.add("/", text), "/")


def _letter(alleles: NDArray[np.str_]) -> NDArray[np.int8]:
    found = np.full(len(alleles), NO_LETTER, np.int8)
    for index, letter in enumerate(LETTERS):
        found[alleles == letter] = index
    return found


def _letters(sites: Sites, counted: NDArray, site: NDArray[np.intp], effect: NDArray[np.str_]) -> NDArray[np.int8]:
    """Return the letter that is counted, on the strand of the panel."""
    own = sites.letters[site]
    return np.select([counted == ALT, counted == REF], [own[:, 1], own[:, 0]], _letter(effect))


def _best(variant: NDArray, outcome: NDArray[np.str_]) -> Rows:
    """Return for each variant the pair that is used, or the first where none is."""
    left_out = ~np.isin(outcome, MATCHED)
    order = np.lexsort((np.arange(len(variant)), left_out, variant))
    first = np.r_[True, variant[order][1:] != variant[order][:-1]] if len(order) else np.zeros(0, bool)
    return order[first]
