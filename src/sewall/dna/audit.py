"""The audit of a set of sequences: what would make a score too good, or a model learn something else than meant.

Nothing is fitted here. Copies and kin are looked for across parts, labels and groups (`leaks`), single numbers are held
against the labels (`confounders`), and size, classes, order and letters are looked over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import rankdata

from sewall.data.sequences import Floats, Sequences
from sewall.dna.clusters import Clusters, clusters
from sewall.dna.composition import composition
from sewall.dna.confounders import NAMES, POSITION, confounders, telling_word
from sewall.dna.findings import EXAMPLES, FAIL, PASS, WARN, Finding, gravest_first, worst
from sewall.dna.kinship import NEAR, SHORTEST, Kinship, kinship
from sewall.dna.leaks import (
    TRAIN,
    Kin,
    Marked,
    Names,
    conflicting,
    conflicts,
    known_labels,
    leaks,
    repeats,
    straddling,
)
from sewall.dna.overlaps import Overlaps, overlaps
from sewall.task import Rows

if TYPE_CHECKING:
    import pandas as pd

SMALL, FEWEST = 1_000, 50  # labelled sequences: below, networks are seldom worth it; below, nothing is
FEWEST_OF_A_CLASS = 5
UNEVEN = 5.0  # times as many of one class as of another
MOST_AMBIGUOUS = 0.1  # share of the letters of a sequence
MOST_OVERLAPPING = 0.05  # share of the sequences
IN_BLOCKS = 0.5  # share of the changes of label, from line to line, that chance lets expect
TWO_LABELS = "copies with different labels"
AMBIGUOUS = f"more than {MOST_AMBIGUOUS:.0%} of the letters are ambiguous"
COPIES, NEAR_COPIES = "copy of another, on either strand", "near copy of another (95 % identity)"
_ALONE = ("gc", "length", "cpg", "complexity", "n_share", "lower", "first_base", "last_base")


@dataclass(frozen=True)
class Audit:
    """A finished audit.

    Attributes:
        findings: of all checks, the gravest first.
        numbers: what each number alone can do (`confounders`), with the column ``label``.
        kin: copies, near copies and relatives.
        overlaps: windows that were cut from one genome side by side.
    """

    findings: tuple[Finding, ...]
    numbers: pd.DataFrame
    kin: Kin
    overlaps: Overlaps

    def together(self) -> Clusters:
        """Return the clusters that must not straddle training and test."""
        return clusters(self.kin.found, self.overlaps.pairs)

    @property
    def status(self) -> str:
        """``pass``, ``warn`` or ``fail``: the worst of the findings."""
        return worst(self.findings)

    def finding(self, check: str) -> Finding:
        """Return what one check found."""
        return next(finding for finding in self.findings if finding.check == check)


def audit(
    sequences: Sequences,
    labels: Mapping[str, Names] | None = None,
    groups: Names | None = None,
    parts: Names | None = None,
    *,
    stranded: bool = False,
    ordered: bool = True,
    headers: Sequence[str] | None = None,
    seed: int = 0,
) -> Audit:
    """Look a set of sequences over before anything is learnt from it.

    Args:
        sequences: all of them.
        labels: by name, ``(sequences,)`` names of classes, or quantities where they are floating numbers; empty text or
            NaN where not known.
        groups: ``(sequences,)`` what must not straddle a split, or None.
        parts: ``(sequences,)`` names of the parts of a given split, one of them ``train``, or None.
        stranded: tells strands apart.
        ordered: whether the sequences are in the order of one file.
        headers: ``(sequences,)`` what stands above each in its file; by default their names.
        seed: of the order in which sequences are compared.
    """
    kin = Kin(sequences.ids, kinship(sequences, stranded=stranded, seed=seed))
    beside = overlaps(sequences, stranded=stranded, seed=seed)
    given = dict(labels or {})
    numbers = _numbers(sequences, given, ordered)
    found = [
        *(leaks(kin, parts) if parts is not None else []), *conflicts(kin, given), *repeats(kin, parts),
        *(straddling(kin, groups, parts) if groups is not None else []), *_alone(numbers),
        *_orders(given, numbers, ordered), *_headers(given, sequences.ids if headers is None else headers),
        *_overlaps(sequences.ids, beside, groups, parts), *_sizes(given, parts), *_letters(sequences),
    ]  # fmt: skip
    return Audit(tuple(gravest_first(found)), numbers, kin, beside)


def _overlaps(ids: Sequence[str], beside: Overlaps, groups: Names | None, parts: Names | None) -> list[Finding]:
    """Look for windows that overlap: within the set, between its groups, and between its parts."""
    every, found = np.zeros(len(ids)), []
    if parts is not None:
        over = beside.among(parts, same=False)
        held = parts.astype(str) != TRAIN
        over, of = over[held[over]], int(held[beside.rows].sum())
        what = f"{len(over):,} of {of:,} held-out sequences overlap one of another part."
        advice = (
            "Divide the set by homology, which keeps windows that overlap together: a score on them rewards memory."
        )
        found.append(_overlapping("leak: overlap", ids, over, of, what, advice, 0.0))
    rows, of, advice = beside.among(every, same=True), len(beside.rows), "Keep whole homology clusters in one fold."
    what = f"{len(rows):,} of {of:,} sequences overlap another one: they were cut from one genome side by side."
    if groups is not None:
        rows = beside.among(groups, same=False)
        what = f"{len(rows):,} of {of:,} sequences overlap one of another group: they were cut from one genome."
        advice = "Groups do not keep them together; divide by homology instead, or merge those groups."
    return [*found, _overlapping("overlaps", ids, rows, of, what, advice, MOST_OVERLAPPING)]


def _overlapping(check: str, ids: Sequence[str], rows: Rows, of: int, what: str, advice: str, most: float) -> Finding:
    first = tuple(ids[row] for row in rows[:EXAMPLES])
    if len(rows) <= most * of:
        return Finding(check, PASS, what, len(rows), of, first)
    return Finding(check, WARN, what, len(rows), of, first, advice)


@dataclass(frozen=True)
class Cleaned:
    """Which sequences a clean set keeps, and why it does without the others.

    Attributes:
        rows: what is kept, in the order of the file.
        counts: what is left out, by reason.
    """

    rows: Rows
    counts: dict[str, int]


def clean(
    sequences: Sequences, kin: Kin, labels: Mapping[str, Names] | None = None, parts: Names | None = None
) -> Cleaned:
    """Return a set without sequences of two labels, with many ambiguous letters, or alike to others, each once.

    Of copies and near copies the first is kept. Where there are parts, only sequences of training are left out, those
    that are alike to held-out ones, too: what is held out stays as it is.
    """
    number = len(sequences)
    may_go = np.ones(number, bool) if parts is None else parts.astype(str) == TRAIN
    order = np.argsort(may_go if parts is not None else np.zeros(number), kind="stable")
    out, counts = np.zeros(number, bool), dict[str, int]()
    checks: dict[str, Callable[[Rows], Marked]] = {
        TWO_LABELS: lambda _: np.any([conflicting(kin, own) for own in (labels or {}).values()] or [out], axis=0),
        AMBIGUOUS: lambda _: _unknown(sequences) > MOST_AMBIGUOUS,
        COPIES: lambda rows: _repeated(kin.found, rows),
        NEAR_COPIES: lambda rows: _nearly_repeated(kin.found, rows, may_go),
    }
    for reason, check in checks.items():
        gone = check(order[~out[order]]) & may_go & ~out
        out = out | gone
        if gone.any():
            counts[reason] = int(gone.sum())
    return Cleaned(np.flatnonzero(~out), counts)


def _unknown(sequences: Sequences) -> Floats:
    """Return ``(sequences,)`` shares of ambiguous letters."""
    return composition(sequences, np.arange(len(sequences)))["n_share"].to_numpy()


def _repeated(found: Kinship, order: Rows) -> Marked:
    """Mark the sequences of which a copy stands before them in *order*."""
    again = np.zeros(len(found.same), bool)
    _, first = np.unique(found.original[order], return_index=True)
    again[np.delete(order, first)] = True
    return again


def _nearly_repeated(found: Kinship, order: Rows, may_go: Marked) -> Marked:
    """Mark the sequences that may go and of which a near copy stands before them in *order*, not marked itself."""
    near: dict[int, list[int]] = defaultdict(list)
    for a, b in found.among(NEAR)[["first", "second"]].itertuples(index=False):
        near[a].append(b)
        near[b].append(a)
    again, kept = np.zeros(len(found.same), bool), np.zeros(len(found.same), bool)
    for row, original in zip(order.tolist(), found.original[order].tolist(), strict=True):
        again[row] = may_go[row] and any(kept[other] for other in near[original])
        kept[original] |= not again[row]
    return again


def _numbers(sequences: Sequences, labels: Mapping[str, Names], ordered: bool) -> pd.DataFrame:
    """Return what each number alone can do for each label."""
    import pandas as pd

    tables = []
    for name, own in labels.items():
        rows = np.flatnonzero(known_labels(own))
        if len(rows):
            found = confounders(sequences if len(rows) == len(own) else sequences.take(rows), own[rows], ordered)
            tables.append(found.assign(label=name, quantity=own.dtype.kind == "f"))
    columns = ["number", "value", "strength", "towards", "status", "label", "quantity"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _alone(numbers: pd.DataFrame) -> list[Finding]:
    """Return whether composition or the ends tell the label; of pairs of neighbours, the one that tells most."""
    if numbers.empty:
        return []
    pairs = numbers["number"].str.startswith("pair_")
    kinds = {name: numbers[numbers["number"] == name] for name in _ALONE} | {"pairs": numbers[pairs]}
    return [_single(name, own.iloc[int(own["strength"].argmax())]) for name, own in kinds.items()]


def _single(check: str, told: pd.Series[Any]) -> Finding:
    name, measure = NAMES[str(told["number"])], "|Spearman|" if told["quantity"] else "AUROC"
    said = f"{name[0].upper()}{name[1:]} alone: {measure} {told['value']:.2f}"
    if told["status"] == PASS:
        return Finding(check, PASS, f"{said}.")
    what = f"{said} for {told['label']} (more with {told['towards']})."
    advice = "Take negatives that match in it, or score on a part that is matched: else a model may learn this alone."
    if told["quantity"]:
        advice = "Compare every model with this number alone."
    return Finding(check, str(told["status"]), what, advice=advice)


def _orders(labels: Mapping[str, Names], numbers: pd.DataFrame, ordered: bool) -> list[Finding]:
    """Return whether the lines of the file follow the labels: from first to last, or in blocks."""
    if not ordered or not labels:
        return []
    place = numbers[numbers["number"] == POSITION]
    for name, own in labels.items():
        known = own[known_labels(own)]
        told = place[(place["label"] == name) & (place["status"] != PASS)]
        if len(told) or _in_blocks(known):
            what = f"The file is ordered by {name}."
            if len(told) and own.dtype.kind != "f":
                what = f"The file is ordered by {name}: its lines alone tell it with AUROC {told['value'].iloc[0]:.2f}."
            advice = "Harmless here, where splits are drawn by chance; never divide such a file by its lines."
            return [Finding("order", WARN, what, len(known), len(own), advice=advice)]
    return [Finding("order", PASS, "The file is not ordered by label.")]


def _in_blocks(labels: Names) -> bool:
    """Return whether neighbours in the file have the same label much more often than chance lets expect."""
    if len(labels) < FEWEST:
        return False
    if labels.dtype.kind == "f":
        centred = rankdata(labels) - (len(labels) + 1) / 2
        return float(centred[1:] @ centred[:-1]) > IN_BLOCKS * float(centred @ centred)
    _, of, counts = np.unique(labels.astype(str), return_inverse=True, return_counts=True)
    expected = len(labels) - (counts**2).sum() / len(labels)
    return len(counts) > 1 and float((of[1:] != of[:-1]).sum()) < IN_BLOCKS * expected


def _headers(labels: Mapping[str, Names], headers: Sequence[str]) -> list[Finding]:
    """Return which word in the headers goes with a label; nothing is said of headers that are names alone."""
    found: list[Finding] = []
    for name, own in labels.items():
        rows = np.flatnonzero(known_labels(own))
        best = telling_word([headers[row] for row in rows.tolist()], own[rows]) if len(rows) else None
        if best is None:
            continue
        if best.told.status == PASS:
            found.append(Finding("header", PASS, f"No word in the headers goes with {name}."))
            continue
        value = best.told.value(own.dtype.kind == "f")
        measure = "|Spearman|" if own.dtype.kind == "f" else "AUROC"
        what = (
            f"Headers tell {name}: the word {best.word} alone has {measure} {value:.2f} (more in {best.told.towards})."
        )
        advice = "No model here reads headers; make no features of them, and ask whether classes come from two sources."
        found.append(Finding("header", WARN, what, advice=advice))
    return gravest_first(found)[:1]


def _sizes(labels: Mapping[str, Names], parts: Names | None) -> list[Finding]:
    """Return whether there are enough sequences, of every class and in every part."""
    found = []
    for name, own in labels.items():
        known = known_labels(own)
        found += [_size(name, own, known), _classes(name, own, known, parts)]
    return found


def _size(name: str, labels: Names, known: Marked) -> Finding:
    count, of = int(known.sum()), len(labels)
    what = f"{count:,} of {of:,} sequences have a {name}." if count < of else f"{count:,} sequences."
    if count >= SMALL:
        return Finding("size", PASS, what, count, of)
    if count < FEWEST:
        return Finding(
            "size", FAIL, what, count, of, advice=f"Nothing can be learnt from fewer than {FEWEST}; add more."
        )
    return Finding("size", WARN, what, count, of, advice=f"Below {SMALL:,} a simple model is mostly as good; add more.")


def _classes(name: str, labels: Names, known: Marked, parts: Names | None) -> Finding:
    if labels.dtype.kind == "f":
        constant = len(np.unique(labels[known])) < 2
        what = f"{name} is the same for all." if constant else f"{name} varies."
        advice = "There is nothing to learn; check the column." if constant else ""
        return Finding("classes", FAIL if constant else PASS, what, advice=advice)
    names, counts = np.unique(labels[known].astype(str), return_counts=True)
    what = ", ".join(f"{count:,} {own}" for own, count in zip(names.tolist(), counts, strict=True)) + "."
    fewest, of = int(counts.min(initial=len(labels))), int(counts.sum())
    absent = [] if parts is None else [
        f"{own} in {part}" for part in np.unique(parts.astype(str)) for own in names.tolist()
        if not ((labels.astype(str) == own) & (parts.astype(str) == part)).any()
    ]  # fmt: skip
    if len(names) < 2:
        return Finding("classes", FAIL, f"There is one class only: {what}", advice="Give sequences of another class.")
    if absent:
        return Finding("classes", FAIL, f"{what} There are none of {absent[0]}.", advice="Divide the set again.")
    if fewest < FEWEST_OF_A_CLASS:
        return Finding(
            "classes", FAIL, what, fewest, of, advice=f"Fewer than {FEWEST_OF_A_CLASS} of a class; add more."
        )
    if fewest * UNEVEN < counts.max():
        advice = "Judge models by AUPRC beside the share of the rarer class, not by accuracy."
        return Finding("classes", WARN, what, fewest, of, advice=advice)
    return Finding("classes", PASS, what, fewest, of)


def _letters(sequences: Sequences) -> list[Finding]:
    """Return which sequences have many ambiguous letters, and which are too short to be compared."""
    unknown = _unknown(sequences)
    many, some = unknown > MOST_AMBIGUOUS, unknown > 0
    count, of = int(many.sum()), len(sequences)
    what = f"{int(some.sum()):,} of {of:,} sequences have ambiguous letters"
    finding = Finding("ambiguous", PASS, f"{what}, none more than {MOST_AMBIGUOUS:.0%}.", int(some.sum()), of)
    if count:
        first = tuple(sequences.ids[row] for row in np.flatnonzero(many)[:EXAMPLES])
        advice = "Leave them out with --clean, or mend them."
        finding = Finding(
            "ambiguous", WARN, f"{what}, {count:,} more than {MOST_AMBIGUOUS:.0%}.", count, of, first, advice
        )
    short = sequences.lengths < SHORTEST
    if not short.any():
        return [finding]
    first = tuple(sequences.ids[row] for row in np.flatnonzero(short)[:EXAMPLES])
    what = (
        f"{int(short.sum()):,} sequences have fewer than {SHORTEST} letters: only copies of them are found for certain."
    )
    advice = "Look for near copies of these by yourself."
    return [finding, Finding("short", WARN, what, int(short.sum()), of, first, advice)]
