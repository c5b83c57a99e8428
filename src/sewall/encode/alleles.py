"""Alleles as numbers: every copy of a site adds the code of its letter, whatever the ploidy.

An individual is sites x 4 over A, C, G, T: GA is (1, 0, 1, 0), CC is (0, 2, 0, 0), a male's X is one letter (Karavani
2018, Applying Deep Learning to Genetic Prediction). A letter read with doubt is the mean of the letters it may be. The
coding is absolute: which allele is called REF or is the rarer one does not enter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from sewall.data.panel import LETTERS, NO_LETTER, Floats, Panel, Sites
from sewall.data.sequences import MAY_BE
from sewall.errors import SewallError
from sewall.task import Rows

MISSING_LETTERS = "-.?"
COMPLEMENT = str.maketrans("ACGTURYSWKMBDHVN", "TGCAAYRSWMKVHDBN")
CODE1 = np.array([0, 1, 2, 3], np.float32)  # the two numeric codes of A, C, G, T for linkage; CODE2 keeps purines and
CODE2 = np.array([1, -2, 2, -1], np.float32)  # pyrimidines apart, so that transitions are nearer than transversions

OTHER = 4  # the channel of alleles that are not one letter
NO_CHANNEL = -1
UNKNOWN_ALLELES = ("", "0", ".")
NO_CALL = 255  # in batches
AT_ONCE = 1_024  # sites unpacked at once


def letter_code(letter: str, purine_i: bool = False, among: str | Mapping[str, float] = LETTERS) -> Floats:
    """Return ``(4,)`` the mass of one copy on A, C, G and T; zeros where it is missing.

    Args:
        letter: one IUPAC letter, in either case; ``-``, ``.`` and ``?`` are missing, which N is not.
        purine_i: read I as a purine, as the article writes it; elsewhere I is inosine, so that it is refused.
        among: letters that the site is known to have, over which an uncertain one is spread; a mapping weighs them.

    >>> letter_code("R").tolist(), letter_code("n", among="CT").tolist()
    ([0.5, 0.0, 0.5, 0.0], [0.0, 0.5, 0.0, 0.5])
    """
    upper = "R" if purine_i and letter in ("I", "i") else letter.upper()
    if upper and upper in MISSING_LETTERS:
        return np.zeros(4, np.float32)
    if upper not in MAY_BE:
        raise SewallError(f"allele {letter!r} is not a letter of DNA; {_remedy(upper)}")
    weights = among if isinstance(among, Mapping) else dict.fromkeys(among, 1.0)
    mass = np.array([weights.get(base, 0.0) if base in MAY_BE[upper] else 0.0 for base in LETTERS], np.float32)
    if upper in LETTERS + "U":  # read without doubt: what the site was known to have does not overrule it
        mass = np.array([base == MAY_BE[upper] for base in LETTERS], np.float32)
    if mass.sum() <= 0:
        raise SewallError(f"letter {letter!r} can be none of the letters {''.join(weights)} of its site; drop the call")
    return mass / mass.sum()


def _remedy(letter: str) -> str:
    if letter == "I":
        return "purine_i=True reads I as a purine (R)"
    return "other=True counts it in a fifth channel"


def two_hot(
    genotype: str | Sequence[str],
    purine_i: bool = False,
    among: str | Mapping[str, float] = LETTERS,
    other: bool = False,
) -> Floats:
    """Return ``(4,)`` the summed codes of all copies, or ``(5,)`` with *other*.

    Args:
        genotype: text of one letter per copy (``AAAG``, ``A/G``), or a sequence of alleles.
        purine_i, among: see `letter_code`.
        other: whether alleles that are not a letter of DNA are counted in a fifth channel, or refused.

    >>> two_hot("IG", purine_i=True).tolist(), two_hot("AAAG").tolist()
    ([0.5, 0.0, 1.5, 0.0], [3.0, 0.0, 1.0, 0.0])
    >>> two_hot(["A", "ATT"], other=True).tolist()
    [1.0, 0.0, 0.0, 0.0, 1.0]
    """
    copies = [*genotype.replace("/", "").replace("|", "")] if isinstance(genotype, str) else list(genotype)
    total = np.zeros(5, np.float32)
    for allele in copies:
        if other and not _is_letter(allele, purine_i):
            total[OTHER] += 1
        else:
            total[:4] += letter_code(allele, purine_i, among)
    return total if other else total[:4]


def _is_letter(allele: str, purine_i: bool) -> bool:
    upper = allele.upper()
    return len(upper) == 1 and (upper in MAY_BE or upper in MISSING_LETTERS or (purine_i and upper == "I"))


def numeric(code: NDArray, letters: NDArray) -> NDArray:
    """Return ``(...)`` the numeric code, `CODE1` or `CODE2`, of ``(..., 4)`` codes: summed over the copies."""
    return np.asarray(code)[..., :4] @ letters


def expected_share(likelihoods: NDArray, frequency: NDArray) -> NDArray[np.float64]:
    """Return ``(...)`` the expected share of copies that carry ALT, under Hardy-Weinberg proportions.

    Args:
        likelihoods: ``(..., ploidy + 1)`` of 0, 1, ... copies of ALT, on a plain scale (``10 ** (-PL / 10)``).
        frequency: ``(...)`` of ALT.

    >>> expected_share(np.array([1.0, 1.0, 1.0]), np.array(0.3)).round(6).item()
    0.3
    """
    ploidy = np.asarray(likelihoods).shape[-1] - 1
    counts = np.arange(ploidy + 1)
    posterior = likelihoods * binom.pmf(counts, ploidy, np.asarray(frequency)[..., None])
    return (posterior @ counts) / posterior.sum(-1) / ploidy


def channels(sites: Sites) -> NDArray[np.int8]:
    """Return ``(sites, 2)`` the channel of REF and of ALT: A, C, G, T, `OTHER`, or `NO_CHANNEL`.

    Where neither is a letter, the longer one (the later of the alphabet at equal length) is counted in `OTHER` and the
    other nowhere, since together they would be the same in everybody. Where both are unknown it is ALT.
    """
    found = sites.letters.copy()
    known = ~np.isin(sites.alleles, UNKNOWN_ALLELES)
    found[(found == NO_LETTER) & known] = OTHER
    for site in np.flatnonzero((found == OTHER).all(1)):
        ref, alt = ((len(text), text) for text in sites.alleles[site].tolist())
        found[site, 1 if ref > alt else 0] = NO_CHANNEL
    found[~known.any(1), 1] = OTHER
    return found


@dataclass(frozen=True)
class Dense:
    """Calls as codes, for checks and small panels.

    Attributes:
        code: ``(rows, sites, 4 or 5)`` copies of each letter; zeros where there is no call.
        called: ``(rows, sites)`` mask of calls.
        present: ``(rows, sites)`` whether the individual has any copy: a missing call is present, a female's Y is not.
    """

    code: Floats
    called: NDArray[np.bool_]
    present: NDArray[np.bool_]


def dense(panel: Panel, rows: Rows, sites: slice | Rows, other: bool = False) -> Dense:
    """Return the codes of *rows* at *sites*; alleles that are not one letter count only with *other*."""
    batch = Individuals(panel).batch(rows)
    index = np.arange(len(panel.sites))[sites]
    codes = batch["codes"][:, index]
    copies = batch["copies"][:, panel.sites.inheritance[index]]
    share = codes.astype(np.float32) / np.float32(panel.calls.steps)
    one_hot = np.vstack([np.eye(5, dtype=np.float32), np.zeros((1, 5), np.float32)])  # the last row: `NO_CHANNEL`
    ref, alt = one_hot[channels(panel.sites)[index].T]
    code = (copies * (1 - share))[..., None] * ref + (copies * share)[..., None] * alt
    present, called = copies > 0, (codes != NO_CALL) & (copies > 0)
    code[~called] = 0
    for row, site, odd in zip(batch["odd_row"], batch["odd_site"], batch["odd_code"], strict=True):
        here = index == site
        code[row, here], called[row, here] = odd, True
    return Dense(code if other else code[..., :4], called, present)


class Individuals:
    """Individuals of a panel in batches, as networks read them; only the rows asked for are ever unpacked."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self._order = np.lexsort((panel.odd.site, panel.odd.sample))  # odd calls person by person
        self._bounds = np.searchsorted(panel.odd.sample[self._order], np.arange(len(panel) + 1))

    def codes(self, rows: Rows, sites: slice | Rows = slice(None)) -> NDArray[np.uint8]:
        """Return ``(rows, sites)`` codes, 255 where missing: over the panel's ``calls.steps`` the share of ALT."""
        calls = self.panel.calls
        if calls.bits == 8:
            return calls.data[sites][:, rows].T
        rows, data = np.asarray(rows), calls.data[sites]
        shift = (2 * (rows % 4)).astype(np.uint8)
        found = np.empty((len(data), len(rows)), np.uint8)
        for start in range(0, len(data), AT_ONCE):
            part = np.take(data[start : start + AT_ONCE], rows // 4, axis=1) >> shift & 3
            part |= (part & part >> 1) * np.uint8(NO_CALL - calls.missing)  # 3, both bits set, becomes 255
            found[start : start + AT_ONCE] = part
        return found.T  # a view: networks read it site by site

    def batch(self, rows: Rows) -> dict[str, NDArray]:
        """Return what a network reads.

        Keys: ``codes`` (rows, sites) uint8; ``copies`` (rows, 4) float32, by inheritance; ``odd_row``, ``odd_site``
        (odd calls,) int64 and ``odd_code`` (odd calls, 5) float32, where the row counts within the batch.
        """
        rows = np.asarray(rows)
        start, stop = self._bounds[rows], self._bounds[rows + 1]
        number = stop - start
        within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        odd = self._order[np.repeat(start, number) + within]
        return {
            "codes": self.codes(rows),
            "copies": self.panel.copies[:, rows].T.astype(np.float32),
            "odd_row": np.repeat(np.arange(len(rows)), number),
            "odd_site": self.panel.odd.site[odd],
            "odd_code": self.panel.odd.code[odd],
        }
