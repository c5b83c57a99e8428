"""Copies and kin where they do harm: in two parts of a split, under two labels, in two groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sewall.dna.findings import EXAMPLES, FAIL, PASS, WARN, Finding
from sewall.dna.kinship import EXACT, NEAR, RELATIVE, REVERSE, SIMILAR, Kinship

if TYPE_CHECKING:
    import pandas as pd

Names = NDArray[Any]
Marked = NDArray[np.bool_]

TRAIN = "train"
_MOST_NEAR = 0.005  # share of the held-out part that may have near copies elsewhere
_SAID = {
    EXACT: "a copy, letter by letter,",
    REVERSE: "its reverse complement",
    NEAR: "a near copy (95 % identity)",
    SIMILAR: "a similar sequence (80 % identity)",
    RELATIVE: "a relative (80 % identity over half of it)",
}


@dataclass(frozen=True)
class Kin:
    """Who is alike, in the sequences of a set.

    Attributes:
        ids: ``(sequences,)`` names.
        found: copies and pairs.
    """

    ids: tuple[str, ...]
    found: Kinship

    @cached_property
    def table(self) -> pd.DataFrame:
        """Pairs: ``first``, ``second`` (rows of the set), ``kind``, ``strand``, ``identity``, ``coverage``.

        A copy stands beside the first one; near copies and relatives are named by their first copies.
        """
        import pandas as pd

        same, either = self.found.same, self.found.either
        rows = np.arange(len(same))
        copies = rows[same != rows]
        turned = rows[(same == rows) & (either != rows)]
        first = np.concatenate([same[copies], either[turned]])
        kind = [EXACT] * len(copies) + [REVERSE] * len(turned)
        strand = ["+"] * len(copies) + ["-"] * len(turned)
        exact = pd.DataFrame(
            {"first": first, "second": np.concatenate([copies, turned]), "kind": kind, "strand": strand}
        )
        exact = exact.assign(identity=1.0, coverage=1.0)
        return pd.concat([exact, self.found.pairs[list(exact.columns)]], ignore_index=True)

    def elsewhere(self, kind: str, places: Names) -> Marked:
        """Return ``(sequences,)`` which have kin of that kind at another of the ``(sequences,)`` places."""
        _, place = np.unique(places.astype(str), return_inverse=True)
        if kind == EXACT:
            return _mixed(self.found.same, place)
        if kind == REVERSE:
            return _mixed(self.found.either, place) & ~_mixed(self.found.same, place)
        original, pairs = self.found.original, self.found.among(kind)
        low, high = _ends(original, place)
        met = np.zeros(len(place), bool)
        for own, other in (("first", "second"), ("second", "first")):
            a, b = pairs[own].to_numpy(), pairs[other].to_numpy()
            met[a[(np.minimum(low[a], low[b]) < np.maximum(high[a], high[b]))]] = True
        return met[original]

    def beside(self, kind: str, places: Names) -> Marked:
        """Return ``(sequences,)`` which have one of their kin of that kind before them, at the same place."""
        rows, names = np.arange(len(places)), places.astype(str)
        exact = _first_at(self.found.same, names)
        if kind == EXACT:
            return exact != rows
        if kind == REVERSE:
            return (_first_at(self.found.either, names) != rows) & (exact == rows)
        pairs = self.found.among(kind)
        later = pairs["second"].to_numpy()[names[pairs["first"]] == names[pairs["second"]]]
        return np.isin(rows, later)

    def named(self, which: Marked, *kinds: str, places: Names | None = None) -> tuple[str, ...]:
        """Return a few of the marked sequences, each with one of its kin, from another place if there are places."""
        named, table = [], self.table[self.table["kind"].isin(kinds)]
        for row in np.flatnonzero(which)[:EXAMPLES]:
            kin = [*table.loc[table["first"] == row, "second"], *table.loc[table["second"] == row, "first"]]
            kin.sort(key=lambda other: places is not None and bool(places[other] == places[row]))
            named.append(f"{self.ids[row]} ~ {self.ids[kin[0]]}" if kin else self.ids[row])
        return tuple(named)


def leaks(kin: Kin, parts: Names) -> list[Finding]:
    """Return what the held-out sequences have in another part of a split: one finding per kind.

    Args:
        kin: who is alike.
        parts: ``(sequences,)`` names of the parts, of which ``train`` is not held out.
    """
    held, told, found = parts.astype(str) != TRAIN, np.zeros(len(parts), bool), []
    for kind in _SAID:
        here = kin.elsewhere(kind, parts) & held & ~told
        told |= here
        found.append(_leak(kin, kind, here, int(held.sum()), parts))
    return found


def _leak(kin: Kin, kind: str, here: Marked, of: int, parts: Names) -> Finding:
    count, check = int(here.sum()), f"leak: {kind}"
    if not count:
        return Finding(check, PASS, f"No held-out sequence has {_SAID[kind]} in another part.", 0, of)
    different = len(np.unique(kin.found.either[here]))
    twice = f" ({different:,} without repeats)" if different < count else ""
    what = f"{_of(count, of, 'held-out sequences')} {_SAID[kind]} in another part{twice}."
    if kind == REVERSE and kin.found.stranded:
        return Finding(check, PASS, f"{what} Strands are told apart, so these are other sequences.", count, of)
    grave = kind in (EXACT, REVERSE) or (kind == NEAR and count > _MOST_NEAR * of)
    mend = "Remove them from training with --clean" if kind in (EXACT, REVERSE, NEAR) else "Score with and without them"
    advice = f"{mend}, or split by homology: a score on them rewards memory."
    return Finding(check, FAIL if grave else WARN, what, count, of, kin.named(here, kind, places=parts), advice)


def repeats(kin: Kin, parts: Names | None) -> list[Finding]:
    """Return what is there more than once within the set, or within a part of it: one finding per kind."""
    places = np.zeros(len(kin.ids)) if parts is None else parts
    found = []
    for kind in _SAID:
        here = kin.beside(kind, places)
        count, of, check = int(here.sum()), len(kin.ids), kind
        if not count:
            found.append(Finding(check, PASS, f"No sequence has {_SAID[kind]} before it in the file.", 0, of))
            continue
        what = f"{_of(count, of, 'sequences')} {_SAID[kind]} before it in the file."
        if kind == REVERSE and kin.found.stranded:
            found.append(Finding(check, PASS, f"{what} Strands are told apart: these are others.", count, of))
            continue
        advice = "Keep whole homology clusters in one fold, or keep one of each with --clean."
        if kind in (SIMILAR, RELATIVE):
            advice = "Keep whole homology clusters in one fold."
        found.append(Finding(check, WARN, what, count, of, kin.named(here, kind), advice))
    return found


def conflicting(kin: Kin, labels: Names) -> Marked:
    """Return ``(sequences,)`` which have copies with another label; of quantities, one that is a deviation away."""
    known = known_labels(labels)
    if labels.dtype.kind == "f":
        low, high = _ends(kin.found.original[known], labels[known], len(labels))
        spread = float(np.std(labels[known])) if known.any() else 0.0
        far = high - low > max(spread, 0.0)
    else:
        _, number = np.unique(labels.astype(str), return_inverse=True)
        low, high = _ends(kin.found.original[known], number[known].astype(float), len(labels))
        far = high > low
    return far[kin.found.original] & known


def conflicts(kin: Kin, labels: dict[str, Names]) -> list[Finding]:
    """Return which sequences, and which near copies, have more than one label."""
    here = np.any([conflicting(kin, own) for own in labels.values()], axis=0)
    count, of = len(np.unique(kin.found.original[here])), len(kin.ids)
    first = Finding("conflict", PASS, "No sequence has two labels.", 0, of)
    if count:
        what = f"{count:,} sequence{'s have' if count > 1 else ' has'} copies with different labels."
        advice = "Find out which label is right, or leave them out with --clean."
        first = Finding("conflict", WARN, what, count, of, kin.named(here, EXACT, REVERSE), advice)
    pairs = kin.found.among(NEAR)
    a, b = pairs["first"].to_numpy(), pairs["second"].to_numpy()
    differ = np.zeros(len(pairs), bool)
    for own in labels.values():
        if own.dtype.kind != "f":
            known = known_labels(own)
            differ |= (own.astype(str)[a] != own.astype(str)[b]) & known[a] & known[b]
    if not differ.any():
        return [first, Finding("near conflict", PASS, "No near copies have different labels.", 0, of)]
    met = np.isin(np.arange(of), np.concatenate([a[differ], b[differ]]))
    what = f"{_of(int(met.sum()), of, 'sequences')} a near copy (95 % identity) with another label."
    advice = "Look at some: are the labels right, or is the difference of a few letters what matters?"
    return [first, Finding("near conflict", WARN, what, int(met.sum()), of, kin.named(met, NEAR), advice)]


def straddling(kin: Kin, groups: Names, parts: Names | None) -> list[Finding]:
    """Return whether groups lie in several parts, and whether kin lie in several groups."""
    names, of = np.unique(groups.astype(str), return_inverse=True)
    found = []
    if parts is not None:
        _, place = np.unique(parts.astype(str), return_inverse=True)
        low, high = _ends(of, place.astype(float), len(names))
        over = names[high > low]
        finding = Finding("leak: groups", PASS, "Every group lies in one part.", 0, len(names))
        if len(over):
            what = f"{len(over):,} of {len(names):,} groups lie in more than one part."
            advice = "Divide the set again, whole groups together."
            finding = Finding(
                "leak: groups", FAIL, what, len(over), len(names), tuple(over[:EXAMPLES].tolist()), advice
            )
        found.append(finding)
    kinds = (EXACT, NEAR) if kin.found.stranded else (EXACT, REVERSE, NEAR)
    apart = np.any([kin.elsewhere(kind, groups) for kind in kinds], axis=0)
    count, total = int(apart.sum()), len(groups)
    if not count:
        return [*found, Finding("groups", PASS, "Copies and near copies are in the same group.", 0, total)]
    first = kin.named(apart, *kinds, places=groups)
    what = f"{_of(count, total, 'sequences')} a copy or near copy in another group."
    advice = "Groups do not keep them together; divide by homology instead, or merge those groups."
    return [*found, Finding("groups", WARN, what, count, total, first, advice)]


def _of(count: int, of: int, what: str) -> str:
    return f"{count:,} of {of:,} {what} {'has' if count == 1 else 'have'}"


def known_labels(labels: Names) -> Marked:
    """Return ``(sequences,)`` which have a label.

    >>> known_labels(np.array(["yes", ""])).tolist(), known_labels(np.array([0.5, np.nan])).tolist()
    ([True, False], [True, False])
    """
    if labels.dtype.kind == "f":
        return np.asarray(np.isfinite(labels))
    return np.array([one is not None and one == one and str(one) != "" for one in labels.tolist()], bool)


def _ends(owner: Any, values: Any, number: int | None = None) -> tuple[Any, Any]:
    """Return ``(number,)`` the smallest and the largest of the values of each owner."""
    size = len(owner) if number is None else number
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, owner, values)
    np.maximum.at(high, owner, values)
    return low, high


def _mixed(owner: Any, place: Any) -> Marked:
    low, high = _ends(owner, place)
    return np.asarray((low < high)[owner])


def _first_at(owner: Any, names: Names) -> Any:
    """Return ``(sequences,)`` the first row of the same owner at the same place."""
    _, place = np.unique(names, return_inverse=True)
    _, first, inverse = np.unique(
        owner * (int(place.max(initial=0)) + 1) + place, return_index=True, return_inverse=True
    )
    return first[inverse]
