"""Do the data look like what the models learned from: which statistics are off, and by how much."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from sewall.report import words
from sewall.report.blocks import Block, Figure, Figures, Notice, Section, Table, Text, Tile
from sewall.report.drawing import ACCENT, FAINT, INK, NARROW, OUTSIDE, WIDE, drawing, grid_figure, style
from sewall.report.files import RunFiles, number_or_none, part, parts
from sewall.report.terms import Terms

MAX_STATISTICS = 24
_EDGE = 3.0
_VERDICTS = {
    "ok": "As a whole, the data look like the {source}.",
    "warn": "As a whole, the data differ somewhat from the {examples}. The intervals stand, with doubt.",
    "outside": "As a whole, the data do not look like the {examples}. The intervals are not claimed to hold.",
}
_BLIND = "What this check cannot see: {blind}. “Like the {examples}” is therefore a necessary condition, not a proof."


def section(files: RunFiles) -> Section | None:
    """Return the section on support, or None where nothing was checked."""
    support = part(files.evaluation, "support")
    if not support and not sum(files.support_counts.values()):
        return None
    status = files.support_status
    said = asdict(files.terms)
    blocks: list[Block] = [Notice(status, _VERDICTS[status].format(**said))] if status else []
    blocks.append(Text([_counts(files)]))
    rows = _rows(support)
    if rows:
        blocks.append(Figures([_figure(rows, files.terms)], columns=1))
        blocks.append(_table(rows, files.terms))
    blocks.append(Text([_BLIND.format(**said)]))
    return Section("support", f"Do the data look like the {files.terms.examples}?", blocks)


def tile(files: RunFiles) -> Tile:
    """Return how many rows look like what the models learned from."""
    counts, label = files.support_counts, f"Like the {files.terms.examples}"
    total = sum(counts.values())
    if not total:
        return Tile(label, words.MISSING, "not checked in this run")
    status = files.support_status or ("warn" if counts["warn"] + counts["outside"] else "ok")
    note = f"{counts['warn']:,} doubtful, {counts['outside']:,} outside"
    return Tile(label, f"{counts['ok']:,} of {total:,}", note, "" if status == "ok" else status)


def sentence(files: RunFiles) -> str:
    """Say in half a sentence how many rows look like what the models learned from."""
    counts = files.support_counts
    total = sum(counts.values())
    if not total:
        return ""
    verdict = {"outside": "as a whole the data lie outside", "warn": "as a whole the data are doubtful"}
    overall = verdict.get(files.support_status or "", "")
    said = f"{counts['ok']:,} of your {words.counted(total, files.noun)} look like the {files.terms.examples}"
    return f"{said}; {overall}" if overall else said


def _counts(files: RunFiles) -> str:
    counts, support = files.support_counts, part(files.evaluation, "support")
    examples = files.terms.examples
    said = [
        f"{files.noun.capitalize()} by {files.noun}: {counts['ok']:,} like the {examples}, "
        f"{counts['warn']:,} doubtful, {counts['outside']:,} outside."
    ]
    if number_or_none(support.get("beyond_99")) is not None:
        beyond = words.percent(support["beyond_99"])
        said.append(f"{beyond} of {files.noun}s lie beyond the range that holds 99 % of {examples} (1 % expected).")
    if number_or_none(support.get("mmd_p")) is not None:
        p = words.probability(support["mmd_p"])
        said.append(f"Test that data and {examples} come from one source (MMD, by permutation): p {_equals(p)}.")
    if number_or_none(support.get("c2st")) is not None:
        said.append(
            f"A classifier tells the two apart {words.percent(support['c2st'], 0)} of the time (50 % is guessing)."
        )
    if number_or_none(support.get("null_rate")) is not None:
        said.append(f"The check itself flags {words.percent(support['null_rate'])} of sets that are {examples}.")
    return " ".join(said)


def _equals(p: str) -> str:
    return p if p.startswith("<") else f"= {p}"


def _rows(support: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statistics with a range, the most deviant first, each with its place relative to that range."""
    rows = []
    for entry in parts(support, "statistics"):
        observed, low, high = (number_or_none(entry.get(key)) for key in ("observed", "low", "high"))
        if observed is None or low is None or high is None:
            continue
        half = (high - low) / 2
        # -1 and 1 are the ends of the range; a range without width puts any deviation at the edge of the picture.
        off = (observed - (low + high) / 2) / half if half > 0 else np.sign(observed - low) * 2 * _EDGE
        rows.append({**entry, "off": float(off)})
    return sorted(rows, key=lambda row: -abs(row["off"]))[:MAX_STATISTICS]


def _name(row: dict[str, Any]) -> str:
    return str(row.get("label") or row.get("name") or "")


def _figure(rows: list[dict[str, Any]], terms: Terms) -> Figure:
    def draw(width: int) -> Canvas:
        narrow = width <= NARROW
        with style():
            left = 132 if narrow else min(330, 24 + 7 * max(len(_name(row)) for row in rows))
            canvas, (axes,) = grid_figure(
                width, (34 if narrow else 25) * len(rows), left=left, right=30, top=12, bottom=52
            )
            axes.axvspan(-1, 1, color=FAINT, alpha=0.22, linewidth=0)
            axes.axvline(0, color=FAINT, linewidth=0.8)
            for y, row in enumerate(rows):
                _dot(axes, y, row["off"])
            axes.set(xlim=(-_EDGE - 0.25, _EDGE + 0.25), ylim=(len(rows) - 0.4, -0.6))
            axes.set_yticks(range(len(rows)), [_wrapped(_name(row), narrow) for row in rows], color=INK)
            names = (
                ["lowest 1 % ", " highest 1 %"]
                if narrow
                else ["far below", "lowest 1 %", "middle", "highest 1 %", "far above"]
            )
            axes.set_xticks([-1, 1] if narrow else [-_EDGE, -1, 0, 1, _EDGE], names)
            if narrow:
                below, above = axes.get_xticklabels()
                below.set_horizontalalignment("right")
                above.set_horizontalalignment("left")
            axes.spines["left"].set_visible(False)
            axes.spines["bottom"].set_visible(False)
            axes.tick_params(axis="x", length=0)
            if not narrow:
                axes.set_xlabel(f"Your data within the {terms.range}")
        return canvas

    off = [row for row in rows if abs(row["off"]) > 1]
    title = f"Every statistic lies within the {terms.range}"
    if off:
        title = f"{words.counted(len(off), 'statistic')} outside the {terms.range}"
    caption = f"Grey: where 98 % of {terms.examples} lie. "
    caption += "Circle: your data. Diamond: outside that range; arrow: far outside."
    return Figure("support", title, drawing("support", title, draw, WIDE), caption)


def _dot(axes: Axes, y: int, off: float) -> None:
    inside = abs(off) <= 1
    far = abs(off) > _EDGE
    marker = "o" if inside else ((">" if off > 0 else "<") if far else "D")
    x = float(np.clip(off, -_EDGE, _EDGE))
    axes.hlines(y, 0, x, color=ACCENT if inside else OUTSIDE, linewidth=1, alpha=0.5)
    axes.plot(x, y, marker=marker, markersize=7, color=ACCENT if inside else OUTSIDE, clip_on=False)


def _wrapped(name: str, narrow: bool) -> str:
    limit = 19 if narrow else 44
    if len(name) <= limit:
        return name
    cut = name.rfind(" ", 0, limit)
    rest = name[cut + 1 :]
    return f"{name[:cut]}\n{rest if len(rest) <= limit else rest[: limit - 1] + '…'}" if narrow and cut > 0 else name


def _table(rows: list[dict[str, Any]], terms: Terms) -> Table:
    cells = [
        [
            _name(row),
            words.number(row["observed"]),
            f"{words.number(row['low'])} to {words.number(row['high'])}",
            words.probability(row.get("p")),
            words.probability(row.get("holm_p")),
        ]
        for row in rows
    ]
    note = f"Range: from the lowest to the highest 1 % of {terms.examples}. "
    note += "Corrected p: for the number of statistics (Holm)."
    columns = ["statistic", "your data", terms.range, "p", "corrected p"]
    marks = ["outside" if abs(row["off"]) > 1 else "ok" for row in rows]
    return Table(columns, cells, (0,), marks, folded="These statistics in numbers", note=note)
