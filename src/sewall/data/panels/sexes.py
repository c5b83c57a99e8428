"""The sex of individuals: as it is reported, as X and Y tell it, and which calls it rules out.

Copies by sex: two of an autosome in both; of X two in females and one in males; of Y none and one; one mitochondrion.
In the ZW system females have one Z and one W, and males two Z.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import BLOCK, FEMALE, MALE, UNKNOWN, Calls, OddCalls, Sexes, X, Y
from sewall.errors import SewallError, some_names

_WORDS = {
    **dict.fromkeys(["1", "m", "male"], MALE),
    **dict.fromkeys(["2", "f", "female"], FEMALE),
    **dict.fromkeys(["0", "", "na", "nan", "-9", ".", "unknown", "u"], UNKNOWN),
}
_ENOUGH = 5.0  # heterozygous calls expected on X, or sites on Y, below which they tell nothing
_LIKELY, _CERTAIN = 0.1, 0.3  # distance from the middle between the sexes, at 0.5


class SexSystem(NamedTuple):
    """Which sex has one copy of the large sex chromosome, and what the chromosomes are called.

    Attributes:
        large, small: X and Y, or Z and W.
        single: the sex with one copy of each.
        double: the sex with two copies of the large one.
    """

    large: str
    small: str
    single: int
    double: int

    @property
    def het_large(self) -> str:
        """Reason for which calls are set to missing."""
        return f"calls set to missing: heterozygous on the {self.large} of {_PLURAL[self.single]}"

    @property
    def het_small(self) -> str:
        """Reason for which calls are set to missing."""
        return f"calls set to missing: heterozygous on {self.small}"

    @property
    def absent_small(self) -> str:
        """Reason for which calls are left out."""
        return f"calls left out: on the {self.small} of {_PLURAL[self.double]}"


_PLURAL = {MALE: "males", FEMALE: "females"}
XY, ZW = SexSystem("X", "Y", MALE, FEMALE), SexSystem("Z", "W", FEMALE, MALE)
SYSTEMS = {"XY": XY, "ZW": ZW}
MALE_HET_X, MALE_HET_Y, FEMALE_Y = XY.het_large, XY.het_small, XY.absent_small


def sex_code(word: str) -> int | None:
    """Return the sex that a word or code means (1 male, 2 female, 0 unknown), or None for any other word."""
    return _WORDS.get(word.strip().lower().removesuffix(".0"))


def parse_sex(reported: Mapping[str, str], sample_ids: Sequence[str]) -> Sexes:
    """Return the sex of each individual from words or codes; unknown where nothing is reported.

    Raises:
        SewallError: a word is neither.

    >>> parse_sex({"a": "M", "b": "2"}, ["a", "b", "c"]).tolist() == [MALE, FEMALE, UNKNOWN]
    True
    """
    found = [sex_code(str(reported.get(name, ""))) for name in sample_ids]
    if None in found:
        name = sample_ids[found.index(None)]
        raise SewallError(f"sample {name}: sex '{reported[name]}' is not known; write male, female or unknown")
    return np.array(found, np.int8)


class SexSigns(NamedTuple):
    """What the genotypes say about sex.

    Attributes:
        inbreeding: ``(samples,)`` 1 - observed / expected heterozygous calls on X, near 0 in females and 1 in males
            (on Z the other way round); NaN where too few are expected.
        y_called: ``(samples,)`` share of the Y (or W) sites that are called; NaN where there are too few.
    """

    inbreeding: NDArray[np.float64]
    y_called: NDArray[np.float64]

    def sex(self, margin: float = _LIKELY, system: SexSystem = XY) -> Sexes:
        """Return the sex that X tells, or Y where X cannot; unknown within *margin* of the middle between the two."""
        low, high = 0.5 - margin, 0.5 + margin
        by_x = np.select([self.inbreeding > high, self.inbreeding < low], [system.single, system.double], UNKNOWN)
        by_y = np.select([self.y_called > high, self.y_called < low], [system.single, system.double], UNKNOWN)
        return np.where(by_x == UNKNOWN, by_y, by_x).astype(np.int8)

    def against(self, reported: Sexes, system: SexSystem = XY) -> NDArray[np.bool_]:
        """Return whose reported sex is, beyond doubt, another than the genotypes tell."""
        certain = self.sex(_CERTAIN, system)
        return np.asarray((reported != UNKNOWN) & (certain != UNKNOWN) & (certain != reported))


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


def believed(given: Sexes, filed: Sexes, sample_ids: Sequence[str]) -> tuple[Sexes, list[str]]:
    """Return the sex that the user gives, or else that of the file, and a sentence where the two disagree."""
    wrong = (given != UNKNOWN) & (filed != UNKNOWN) & (given != filed)
    said = f"the sex given for {wrong.sum()} individuals is not that of the genotype file ({_who(wrong, sample_ids)})"
    return np.where(given == UNKNOWN, filed, given).astype(np.int8), [
        f"{said}: the given one was believed"
    ] if wrong.any() else []


def settle_sex(
    reported: Sexes, signs: SexSigns, sample_ids: Sequence[str], system: SexSystem = XY
) -> tuple[Sexes, list[str]]:
    """Return the sex to use, the reported one where there is one, and what the user should know about it."""
    large, small = system.large, system.small
    found, wrong = signs.sex(system=system), signs.against(reported, system)
    notes = []
    if wrong.any():
        notes.append(
            f"the reported sex of {wrong.sum()} individuals disagrees with their {large} and {small} "
            f"({_who(wrong, sample_ids)}); the report was believed"
        )
    mixed = (signs.inbreeding < 0.5 - _CERTAIN) & (signs.y_called > 0.5 + _CERTAIN)
    if mixed.any():
        notes.append(
            f"{large} and {small} of {mixed.sum()} individuals tell different sexes ({_who(mixed, sample_ids)})"
        )
    used = np.where(reported == UNKNOWN, found, reported).astype(np.int8)
    inferred = (reported == UNKNOWN) & (found != UNKNOWN)
    if inferred.any():
        males = int((inferred & (found == MALE)).sum())
        notes.append(f"the sex of {inferred.sum()} individuals was inferred from {large} and {small}: {males} males")
    return used, notes


def unknown_note(sex: Sexes, sample_ids: Sequence[str], system: SexSystem = XY) -> list[str]:
    """Return a sentence on individuals of unknown sex."""
    unknown = sex == UNKNOWN
    taken = "female" if system.double == FEMALE else "male"
    said = f"the sex of {unknown.sum()} individuals is unknown ({_who(unknown, sample_ids)}): taken as {taken}"
    return [said] if unknown.any() else []


def _who(which: NDArray[np.bool_], sample_ids: Sequence[str]) -> str:
    return some_names([sample_ids[k] for k in np.flatnonzero(which).tolist()])


def copies_by_sex(sex: Sexes, ploidy: int | NDArray[np.int8] = 2, system: SexSystem = XY) -> NDArray[np.int8]:
    """Return the copies that each individual has: ``(4, samples)``, rows by inheritance.

    >>> copies_by_sex(np.array([MALE, FEMALE, UNKNOWN], np.int8)).tolist()
    [[2, 2, 2], [1, 2, 2], [1, 0, 0], [1, 1, 1]]
    """
    whole = np.broadcast_to(np.asarray(ploidy, np.int8), sex.shape)
    half, single = np.maximum(whole // 2, 1), sex == system.single
    no_y = np.where(whole == 1, 1, 0)  # a haploid individual has one copy of whatever was called
    rows = [whole, np.where(single, half, whole), np.where(single, half, no_y), np.ones_like(whole)]
    return np.stack(rows).astype(np.int8)


def clean_sex_calls(
    calls: Calls,
    odd: OddCalls,
    inheritance: NDArray[np.int8],
    copies: NDArray[np.int8],
    exact: bool = True,
    system: SexSystem = XY,
) -> dict[str, NDArray[np.int64]]:
    """Remove, in place, calls that an individual of its sex cannot have, and return how many by reason.

    Males heterozygous on X or Y become missing; calls on the Y of females go.

    Args:
        calls: of all sites.
        odd: calls with other alleles; two different ones in a male are heterozygous.
        inheritance: ``(sites,)``.
        copies: ``(4, samples)``.
        exact: False for dosages: one between the alleles is an uncertain call, not a heterozygous one.
        system: which sex has one X.

    Returns:
        ``(samples,)`` calls removed from each individual, by reason.
    """
    reasons = {X: system.het_large, Y: system.het_small}
    counts = {reason: np.zeros(calls.samples, np.int64) for reason in (*reasons.values(), system.absent_small)}
    mixed = (odd.code > 0).sum(axis=1) > 1
    for kind, reason in reasons.items():
        single, absent = copies[kind] == 1, copies[kind] == 0
        for block in blocks_of(inheritance == kind):
            codes = calls.codes(block).copy()
            called = codes != calls.missing
            het = (codes > 0) & (codes < calls.steps)
            here = mixed & np.isin(odd.site, block)
            het[np.searchsorted(block, odd.site[here]), odd.sample[here]] = True
            het &= called & single & exact
            counts[reason] += het.sum(axis=0)
            counts[system.absent_small] += (called & absent).sum(axis=0)
            codes[het | absent] = calls.missing
            calls.data[block] = Calls.pack(codes, calls.bits, calls.steps).data
    return counts


def blocks_of(which: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the indices of the flagged sites, a block at a time."""
    index = np.flatnonzero(which)
    return [index[k : k + BLOCK] for k in range(0, len(index), BLOCK)]
