"""How steady answers are: the section on small changes that should not matter, the same for all verbs that predict."""

from __future__ import annotations

from typing import Any

from sewall.report import words
from sewall.report.blocks import Notice, Section, Table, Text
from sewall.report.classes import classes_of
from sewall.report.files import RunFiles, number_or_none, part, parts

QUESTION = "How steady are answers?"
_NOTE = "A single letter can matter in truth: where it does, the answer should follow it."


def section(files: RunFiles) -> Section | None:
    """Return what small changes do to answers, or None where it was not asked."""
    told = _told(files)
    changes = parts(told, "changes")
    if not changes:
        return None
    unit = "of the log odds" if classes_of(files) else "half widths of the interval"
    faults = [
        Notice("outside", f"Sequences {change['name']} must get the same answer, and move by up to "
                          f"{words.number(change.get('most'))} {unit}. This is a fault of the program.")
        for change in parts(told, "exact") if not _same(change, told)
    ]  # fmt: skip
    return Section("steady", QUESTION, [Text([_lead(files, told)]), *faults, _table(files, changes)])


def doubts(files: RunFiles) -> list[tuple[str, str]]:
    """Return how many answers hang on little."""
    told = _told(files)
    asked, found = int(told.get("n") or 0), number_or_none(part(told, "fragile").get("value"))
    if not asked or not found:
        return []
    number = words.counted(round(found * asked), "answer")
    return [("note", f"{number} of {words.count(asked)} would turn with a few letters: see “{QUESTION}”.")]


def _told(files: RunFiles) -> dict[str, Any]:
    """Return what was asked of the predictions, or else of the test."""
    return part(files.evaluation, "fragility") or part(part(files.evaluation, "test"), "fragility")


def _same(change: dict[str, Any], told: dict[str, Any]) -> bool:
    most = number_or_none(change.get("most"))
    return most is not None and most <= float(told.get("same") or 0)


def _lead(files: RunFiles, told: dict[str, Any]) -> str:
    turns = "turns the call" if classes_of(files) else "moves the estimate by more than half the width of its interval"
    asked = words.counted(int(told.get("n") or 0), "sequence")
    said = (
        f"{asked} were changed a little, at random, and asked about again. "
        f"{words.share(part(told, 'fragile'))} of answers are fragile: one of the changes {turns}."
    )
    same = [str(change["name"]) for change in parts(told, "exact") if _same(change, told)]
    return said + (f" Sequences {words.listed(same)} get the same answer." if same else "")


def _table(files: RunFiles, changes: list[dict[str, Any]]) -> Table:
    unit, turned = "log odds of the called class", "calls that turn"
    if not classes_of(files):
        unit, turned = "estimate, in half widths of its interval", "estimates that move by more than one"
    rows = [
        [str(change["name"]), words.count(change.get("n")), words.number(change.get("median"), 2),
         words.number(change.get("high"), 2), words.share(part(change, "flipped"))]
        for change in changes
    ]  # fmt: skip
    heads = ["what was changed", "sequences", "median change", "95 % change less than", turned]
    return Table(heads, rows, (0,), note=f"Changes of the {unit}. {_NOTE}")
