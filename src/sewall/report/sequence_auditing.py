"""The page of an audit: can these sequences be learnt from, and what must be mended first?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from sewall.report import words
from sewall.report.blocks import Answer, Block, Facts, Figure, Figures, Notice, Points, Section, Table, Text, Tile
from sewall.report.drawing import WIDE, drawing
from sewall.report.files import RunFiles, part, parts
from sewall.report.sequence_audit_figures import MOST_CLASSES, draw_by_class, draw_numbers
from sewall.tables import read_table

MOST_ROWS, MOST_NUMBERS, MOST_LABELS = 100, 10, 4
_LIGHT = {"fail": "outside", "warn": "warn", "pass": "ok"}
_WORD = {"fail": "mend", "warn": "look", "pass": "good"}


def answer(files: RunFiles) -> Answer:
    """Return what the page says of an audit."""
    told = part(files.evaluation, "audit")
    given: dict[str, Any] = next(iter(parts(files.run, "inputs")), {})
    tiles = _tiles(told)
    return Answer(
        title=f"Can {Path(str(given.get('path') or 'these sequences')).name} be learnt from?",
        subtitle=f"{words.counted(int(told.get('sequences') or 0), 'sequence')} · {_lengths(told)}",
        sentence=_sentence(told),
        tile=tiles[0],
        asked=[],
        section=_findings(told),
        doubts=[],
        more=[section for section in (_composition(files, told), _pairs(files, told)) if section is not None],
        tiles=tiles,
        predicts=False,
    )


def _lengths(told: dict[str, Any]) -> str:
    shortest, longest = told.get("shortest"), told.get("longest")
    of = words.count(shortest) if shortest == longest else f"{words.count(shortest)} to {words.count(longest)}"
    return f"{of} letters"


def _of(told: dict[str, Any], status: str) -> list[dict[str, Any]]:
    return [finding for finding in parts(told, "findings") if finding.get("status") == status]


def _sentence(told: dict[str, Any]) -> str:
    grave, doubtful = _of(told, "fail"), _of(told, "warn")
    if grave:
        more = f" {words.counted(len(grave) - 1, 'other thing')} must be mended, too." if len(grave) > 1 else ""
        return f"Not yet: {_small(str(grave[0].get('what')))}{more}"
    if doubtful:
        return f"Yes, but look at {words.counted(len(doubtful), 'thing')} first."
    return "Yes: nothing was found that would make a score too good."


def _small(sentence: str) -> str:
    """Return a sentence to stand after a colon; abbreviations stay as they are."""
    first = sentence.split()[0] if sentence else ""
    return sentence if first.isupper() or not first.isalpha() else sentence[:1].lower() + sentence[1:]


def _tiles(told: dict[str, Any]) -> list[Tile]:
    found = {str(finding.get("check")): finding for finding in parts(told, "findings")}
    copies = sum(int(found.get(check, {}).get("count") or 0) for check in ("copy", "near copy"))
    leaks = [finding for check, finding in found.items() if check.startswith("leak: ")]
    leaked = sum(int(finding.get("count") or 0) for finding in leaks)
    numbers = sorted(parts(told, "numbers"), key=lambda one: -float(one.get("strength") or 0))
    held, status = part(told, "clusters"), str(told.get("status"))
    spread = f"the largest of {words.count(held.get('largest'))}"
    tiles = [
        Tile("Audit", _WORD.get(status, words.MISSING), f"{len(_of(told, 'fail'))} to mend, {len(_of(told, 'warn'))} "
             "to look at", _LIGHT.get(status, "")),
        Tile("Copies and near copies", words.count(copies), "within the set, or a part of it"),
        Tile("Held out, but known", words.count(leaked), "copies, kin or groups in training") if leaks
        else Tile("Homology clusters", words.count(held.get("number")), spread),
    ]  # fmt: skip
    composed = [one for one in numbers if one.get("number") != "position"]
    if composed:
        best = composed[0]
        measure = "|Spearman|" if best.get("quantity") else "AUROC"
        tiles.append(Tile("One number alone", words.decimal(best.get("value"), 2), f"{measure} of {_named(best)}"))
    return tiles


def _named(row: dict[str, Any]) -> str:
    return str(row.get("name") or row.get("number"))


def _findings(told: dict[str, Any]) -> Section:
    """Return the lights: what must be mended, what to look at, and, folded away, what is good."""
    grave, doubtful, good = (_of(told, status) for status in ("fail", "warn", "pass"))
    blocks: list[Block] = []
    if not grave and not doubtful:
        blocks.append(Notice("ok", "Nothing was found that would make a score too good."))
    for title, found in (("To mend", grave), ("To look at", doubtful)):
        if found:
            blocks.append(Points(title, [(_LIGHT[str(one.get("status"))], _said(one)) for one in found]))
    if good:
        rows = [[str(finding.get("what"))] for finding in good]
        folded = f"{words.counted(len(good), 'check')} passed"
        blocks.append(Table(["what was found"], rows, (0,), folded=folded))
    cleaned = part(told, "cleaned")
    if cleaned:
        left_out = ", ".join(f"{words.count(n)} {why}" for why, n in part(cleaned, "left_out").items())
        kept = f"{words.count(cleaned.get('kept'))} sequences; left out: {left_out or 'none'}"
        blocks.append(Facts([("Clean set", kept)]))
    return Section("asked", "What was found?", blocks)


def _said(finding: dict[str, Any]) -> str:
    """Return what was found, examples, and what to do."""
    examples = ", ".join(str(name) for name in finding.get("first") or [])
    said = [str(finding.get("what")), f"For instance {examples}." if examples else "", str(finding.get("advice") or "")]
    return " ".join(filter(None, said))


def _composition(files: RunFiles, told: dict[str, Any]) -> Section | None:
    """Return lengths and GC by class, and what each number alone can do, for each label."""
    path = files.directory / "composition.tsv"
    if not path.is_file():
        return None
    table, blocks = read_table(path), list[Block]()
    labels = list(part(told, "labels").items())[:MOST_LABELS]
    for index, (name, classes) in enumerate(labels or [("", [])]):
        by = table[name].fillna("").astype(str) if classes else pd.Series("all", index=table.index)
        shown = table[by != ""]
        if figures := _spreads(shown, by[by != ""], index, name if len(labels) > 1 else ""):
            blocks.append(Figures(figures))
        blocks += _alone(told, name, index)
    if len(part(told, "labels")) > MOST_LABELS:
        blocks.append(Text([f"numbers.tsv holds all {len(part(told, 'labels'))} labels."]))
    if not blocks:
        return None
    return Section("composition", "Could one number alone tell the label?", blocks)


def _spreads(table: pd.DataFrame, by: pd.Series[str], index: int, label: str) -> list[Figure]:
    caption = f"The {MOST_CLASSES} largest classes." if by.nunique() > MOST_CLASSES else ""
    more = f" of {label}" if label else ""
    named = (("length", "Length, letters"), ("gc", "GC content"))
    return [
        _spread(f"{key}-{index}", table[key], by, name, more, caption)
        for key, name in named
        if table[key].max() > table[key].min()
    ]


def _spread(key: str, values: pd.Series[float], by: pd.Series[str], name: str, more: str, caption: str) -> Figure:
    title = f"{name.partition(',')[0]}, by class{more}"
    return Figure(key, title, drawing(key, title, lambda width: draw_by_class(values, by, width, name)), caption)


def _alone(told: dict[str, Any], label: str, index: int) -> list[Block]:
    rows = [row for row in parts(told, "numbers") if row.get("label") == label]
    rows = sorted(rows, key=lambda row: -float(row.get("strength") or 0))[:MOST_NUMBERS]
    if not rows:
        return []
    names, quantity = [_named(row) for row in rows], bool(rows[0].get("quantity"))
    strengths, statuses = [float(row["strength"]) for row in rows], [str(row["status"]) for row in rows]
    picture = drawing(
        f"alone-{index}", "How well each number alone tells the label",
        lambda width: draw_numbers(names, strengths, statuses, quantity, width), WIDE,
    )  # fmt: skip
    caption = "Bars beyond the first line deserve a look; beyond the second, a model may learn nothing else."
    return [
        Figures([Figure(f"alone-{index}", f"What one number alone can do for {label}", picture, caption)], columns=1)
    ]


def _pairs(files: RunFiles, told: dict[str, Any]) -> Section | None:
    path = files.directory / "duplicates.tsv"
    if not told.get("pairs") or not path.is_file():
        return None
    table, held = read_table(path).head(MOST_ROWS), part(told, "clusters")
    more = [column for column in table.columns if column.endswith(("_first", "_second"))]
    rows = [
        [str(row["first"]), str(row["second"]), str(row["kind"]), str(row["strand"]), words.percent(row["identity"]),
         words.percent(row["coverage"]), *(str(row[column]) for column in more)]
        for row in table.to_dict("records")
    ]  # fmt: skip
    columns = ["sequence", "sequence", "kind", "strand", "identity", "of the shorter",
               *(column.replace("_first", "").replace("_second", ", second") for column in more)]  # fmt: skip
    note = f"The first {len(rows)} of {words.count(told.get('pairs'))}; duplicates.tsv holds all."
    cut = f"; {words.count(held.get('cut'))} pairs lie in different ones, to keep them small" if held.get("cut") else ""
    text = (
        f"All of common descent together make {words.count(held.get('number'))} homology clusters, the largest of "
        f"{words.count(held.get('largest'))} sequences{cut}. Folds should keep clusters whole."
    )
    words_ = (0, 1, 2, 3, *range(6, len(columns)))
    return Section("pairs", "Which are alike?", [Text([text]), Table(columns, rows, words_, folded="Pairs", note=note)])
