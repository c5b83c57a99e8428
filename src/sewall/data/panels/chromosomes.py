"""How chromosomes are inherited, which parts of X and Y behave like autosomes, and the sex of individuals.

Copies by sex: two of an autosome in both; of X two in females and one in males; of Y none and one; one mitochondrion.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import AUTOSOME, BLOCK, HAPLOID, Calls, OddCalls, X, Y
from sewall.errors import SewallError, some_names

UNKNOWN, MALE, FEMALE = range(3)

MALE_HET_X = "calls set to missing: heterozygous on the X of males"
MALE_HET_Y = "calls set to missing: heterozygous on Y"
FEMALE_Y = "calls left out: on the Y of females"

PSEUDO_AUTOSOMAL = {
    "GRCh37": {
        X: [(60_000, 2_699_520), (154_931_043, 155_260_560)],
        Y: [(10_000, 2_649_520), (59_034_049, 59_363_566)],
    },
    "GRCh38": {
        X: [(10_000, 2_781_479), (155_701_382, 156_030_895)],
        Y: [(10_000, 2_781_479), (56_887_902, 57_217_415)],
    },
}
"""Pseudo-autosomal regions of the human X and Y by build, counted from 0, half-open."""

_BUILD_NAMES = {"grch37": "GRCh37", "hg19": "GRCh37", "b37": "GRCh37", "grch38": "GRCh38", "hg38": "GRCh38"}
_LENGTHS = {249_250_621: "GRCh37", 155_270_560: "GRCh37", 248_956_422: "GRCh38", 156_040_895: "GRCh38"}  # of 1 and X
_NAMES = {
    **dict.fromkeys(["X"], X),
    **dict.fromkeys(["Y"], Y),
    **dict.fromkeys(["M", "MT", "MITO", "MITOCHONDRION", "PT", "CP", "PLASTID", "CHLOROPLAST"], HAPLOID),
}
_HUMAN_AUTOSOMES = 22
_AFTER_AUTOSOMES = (X, Y, AUTOSOME, HAPLOID)  # the codes of PLINK: X, Y, pseudo-autosomal, mitochondria
_ROMAN = {"VI", "VII", "VIII", "IX", "XI", "XII"}

_SEX_WORDS = {
    **dict.fromkeys(["1", "m", "male"], MALE),
    **dict.fromkeys(["2", "f", "female"], FEMALE),
    **dict.fromkeys(["0", "", "na", "nan", "-9", ".", "unknown", "u"], UNKNOWN),
}
_ENOUGH = 5.0  # heterozygous calls expected on X, or sites on Y, below which they tell nothing
_LIKELY, _CERTAIN = 0.1, 0.3  # distance from the middle between the sexes, at 0.5

Sexes = NDArray[np.int8]


def build_name(build: str | None) -> str | None:
    """Return ``GRCh37`` or ``GRCh38`` for the names in use (hg19, b37, hg38 ...).

    >>> build_name("hg19")
    'GRCh37'
    """
    if build is None:
        return None
    if build.lower() not in _BUILD_NAMES:
        raise SewallError(f"build {build} is not known; give GRCh37 or GRCh38, or none for other species")
    return _BUILD_NAMES[build.lower()]


def build_of_lengths(lengths: Iterable[int | None]) -> str | None:
    """Tell the human build from the lengths of chromosomes that a file declares."""
    return next((_LENGTHS[length] for length in lengths if length in _LENGTHS), None)


def inheritance_of(names: Sequence[str], autosomes: int | None = None) -> tuple[list[int], str]:
    """Tell from the names of all chromosomes of a panel how each is inherited.

    Numbers after the last autosome mean X, Y, the pseudo-autosomal region and mitochondria, as in PLINK: 23 to 26 in
    humans. Without *autosomes* they do so only where no number is larger than 26.

    Args:
        names: of the chromosomes.
        autosomes: number of autosomes of the species.

    Returns:
        `AUTOSOME`, `X`, `Y` or `HAPLOID` of each, and a sentence for the user where numbers were taken for X or Y.

    >>> inheritance_of(["chr1", "X", "24", "MT", "A1"])[0] == [AUTOSOME, X, Y, HAPLOID, AUTOSOME]
    True
    """
    bare = [re.sub(r"^(chromosome|chrom|chr)[_ ]?", "", name, flags=re.IGNORECASE).upper() for name in names]
    numbers = [int(name) for name in bare if name.isdecimal()]
    last = autosomes if autosomes is not None else _HUMAN_AUTOSOMES
    coded = autosomes is not None or max(numbers, default=0) <= _HUMAN_AUTOSOMES + len(_AFTER_AUTOSOMES)
    roman = bool(_ROMAN & set(bare))
    kinds = [_kind(name, last if coded else None, roman) for name in bare]
    taken = [name for name, b, kind in zip(names, bare, kinds, strict=True) if b.isdecimal() and kind in (X, Y)]
    said = f"chromosome {' and '.join(taken)} was read as X or Y, as in humans; else give the number of autosomes"
    return kinds, said if taken and autosomes is None else ""


def _kind(name: str, last: int | None, roman: bool) -> int:
    if name.isdecimal() and last is not None and last < int(name) <= last + len(_AFTER_AUTOSOMES):
        return _AFTER_AUTOSOMES[int(name) - last - 1]
    return AUTOSOME if roman else _NAMES.get(name, AUTOSOME)


def pseudo_autosomal(kind: int, position: NDArray[np.int32], build: str | None) -> NDArray[np.bool_]:
    """Return which sites of X or Y lie in a pseudo-autosomal region; none where the build is unknown."""
    found = np.zeros(len(position), bool)
    for start, end in PSEUDO_AUTOSOMAL.get(build or "", {}).get(kind, []):
        found |= (position >= start) & (position < end)
    return found


def parse_sex(reported: Mapping[str, str], sample_ids: Sequence[str]) -> Sexes:
    """Return the sex of each individual from words or codes (1 male, 2 female, 0 unknown).

    Raises:
        SewallError: a word is neither.

    >>> parse_sex({"a": "M", "b": "2"}, ["a", "b", "c"]).tolist() == [MALE, FEMALE, UNKNOWN]
    True
    """
    words = [str(reported.get(name, "")).strip().lower() for name in sample_ids]
    wrong = [(name, word) for name, word in zip(sample_ids, words, strict=True) if word not in _SEX_WORDS]
    if wrong:
        raise SewallError(f"sample {wrong[0][0]}: sex '{wrong[0][1]}' is not known; write male, female or unknown")
    return np.array([_SEX_WORDS[word] for word in words], np.int8)


class SexSigns(NamedTuple):
    """What the genotypes say about sex.

    Attributes:
        inbreeding: ``(samples,)`` 1 - observed / expected heterozygous calls on X, near 0 in females and 1 in males;
            NaN where too few are expected.
        y_called: ``(samples,)`` share of the Y sites that are called; NaN where there are too few.
    """

    inbreeding: NDArray[np.float64]
    y_called: NDArray[np.float64]

    def sex(self, margin: float = _LIKELY) -> Sexes:
        """Return the sex that X tells, or Y where X cannot; unknown within *margin* of the middle between the two."""
        low, high = 0.5 - margin, 0.5 + margin
        by_x = np.select([self.inbreeding > high, self.inbreeding < low], [MALE, FEMALE], UNKNOWN)
        by_y = np.select([self.y_called > high, self.y_called < low], [MALE, FEMALE], UNKNOWN)
        return np.where(by_x == UNKNOWN, by_y, by_x).astype(np.int8)


def sex_signs(calls: Calls, inheritance: NDArray[np.int8]) -> SexSigns:
    """Measure heterozygosity on X (the F of PLINK's ``--check-sex``) and calls on Y, a block of sites at a time."""
    observed, expected, y_called = (np.zeros(calls.samples) for _ in range(3))
    for block in blocks_of(inheritance == X):
        codes = calls.codes(block)
        called = codes != calls.missing
        share = np.where(called, codes / calls.steps, 0.0)
        copies = 2 * called.sum(axis=1, keepdims=True)
        p = 2 * share.sum(axis=1, keepdims=True) / np.maximum(copies, 1)
        observed += ((share > 0.25) & (share < 0.75)).sum(axis=0)
        expected += (called * 2 * p * (1 - p) * copies / np.maximum(copies - 1, 1)).sum(axis=0)
    on_y = inheritance == Y
    for block in blocks_of(on_y):
        y_called += (calls.codes(block) != calls.missing).sum(axis=0)
    inbreeding = 1 - observed / np.where(expected >= _ENOUGH, expected, np.nan)
    enough = on_y.sum() >= _ENOUGH
    return SexSigns(inbreeding, y_called / on_y.sum() if enough else np.full(calls.samples, np.nan))


def settle_sex(reported: Sexes, signs: SexSigns, sample_ids: Sequence[str]) -> tuple[Sexes, list[str]]:
    """Return the sex to use, the reported one where there is one, and what the user should know about it."""
    found, certain = signs.sex(), signs.sex(_CERTAIN)
    notes = []
    wrong = (reported != UNKNOWN) & (certain != UNKNOWN) & (certain != reported)
    if wrong.any():
        notes.append(
            f"the reported sex of {wrong.sum()} individuals disagrees with their X and Y ({_who(wrong, sample_ids)}); "
            "the report was believed"
        )
    mixed = (signs.inbreeding < 0.5 - _CERTAIN) & (signs.y_called > 0.5 + _CERTAIN)
    if mixed.any():
        notes.append(f"X and Y of {mixed.sum()} individuals tell different sexes ({_who(mixed, sample_ids)})")
    used = np.where(reported == UNKNOWN, found, reported).astype(np.int8)
    inferred = (reported == UNKNOWN) & (found != UNKNOWN)
    if inferred.any():
        males = int((inferred & (found == MALE)).sum())
        notes.append(f"the sex of {inferred.sum()} individuals was inferred from X and Y: {males} males")
    if (used == UNKNOWN).any():
        unknown = used == UNKNOWN
        notes.append(
            f"the sex of {unknown.sum()} individuals is unknown ({_who(unknown, sample_ids)}): taken as female"
        )
    return used, notes


def _who(which: NDArray[np.bool_], sample_ids: Sequence[str]) -> str:
    return some_names([sample_ids[k] for k in np.flatnonzero(which).tolist()])


def copies_by_sex(sex: Sexes, ploidy: int | NDArray[np.int8] = 2) -> NDArray[np.int8]:
    """Return the copies that each individual has: ``(4, samples)``, rows by inheritance.

    >>> copies_by_sex(np.array([MALE, FEMALE, UNKNOWN], np.int8)).tolist()
    [[2, 2, 2], [1, 2, 2], [1, 0, 0], [1, 1, 1]]
    """
    whole = np.broadcast_to(np.asarray(ploidy, np.int8), sex.shape)
    half, male = np.maximum(whole // 2, 1), sex == MALE
    no_y = np.where(whole == 1, 1, 0)  # a haploid individual has one copy of whatever was called
    rows = [whole, np.where(male, half, whole), np.where(male, half, no_y), np.ones_like(whole)]
    return np.stack(rows).astype(np.int8)


def clean_sex_calls(
    calls: Calls, odd: OddCalls, inheritance: NDArray[np.int8], copies: NDArray[np.int8], exact: bool = True
) -> Counter[str]:
    """Remove, in place, calls that an individual of its sex cannot have, and return how many by reason.

    Males heterozygous on X or Y become missing; calls on the Y of females go.

    Args:
        calls: of all sites.
        odd: calls with other alleles; two different ones in a male are heterozygous.
        inheritance: ``(sites,)``.
        copies: ``(4, samples)``.
        exact: False for dosages: one between the alleles is an uncertain call, not a heterozygous one.
    """
    counts: Counter[str] = Counter()
    mixed = (odd.code > 0).sum(axis=1) > 1
    for kind, reason in ((X, MALE_HET_X), (Y, MALE_HET_Y)):
        single, absent = copies[kind] == 1, copies[kind] == 0
        for block in blocks_of(inheritance == kind):
            codes = calls.codes(block).copy()
            called = codes != calls.missing
            het = (codes > 0) & (codes < calls.steps)
            here = mixed & np.isin(odd.site, block)
            het[np.searchsorted(block, odd.site[here]), odd.sample[here]] = True
            het &= called & single & exact
            counts[reason] += int(het.sum())
            counts[FEMALE_Y] += int((called & absent).sum())
            codes[het | absent] = calls.missing
            calls.data[block] = Calls.pack(codes, calls.bits, calls.steps).data
    return counts


def blocks_of(which: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the indices of the flagged sites, a block at a time."""
    index = np.flatnonzero(which)
    return [index[k : k + BLOCK] for k in range(0, len(index), BLOCK)]
