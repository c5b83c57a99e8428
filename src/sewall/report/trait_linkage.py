"""How far linkage reaches: the window of networks, the decay it was taken from, and a stretch of the matrix."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas

from sewall.report import words
from sewall.report.blocks import Block, Figure, Figures, Section, Table, Text
from sewall.report.drawing import ACCENT, FAINT, INK, MUTED, drawing, grid_figure, heading, style
from sewall.report.files import number_or_none, part, parts

_PANEL = 300


def section(linkage: dict[str, Any], lead: str) -> Section | None:
    """Return the section on linkage; None where it was not measured.

    Args:
        linkage: what the run wrote of it.
        lead: what it meant for the run.
    """
    if not any(number_or_none(value) is not None for value in linkage.get("decay") or []):
        return None
    figures = [_decay(linkage), *([_matrix(linkage)] if part(linkage, "matrix") else [])]
    blocks: list[Block] = [Text([lead, _codes(linkage)]), Figures(figures), _table(linkage)]
    return Section("linkage", "How far does linkage reach?", blocks)


def _codes(linkage: dict[str, Any]) -> str:
    """Say what the other ways of measuring it give."""
    decay, block = linkage.get("by_decay") or [], linkage.get("by_block") or []
    if len(decay) != 2 or len(block) != 2:
        return ""
    if decay[0] == decay[1] and block[0] == block[1]:
        ways = f"by the decay of r² {decay[0]:,} sites, by the median block {block[0]:,}"
        return f"Measured both ways: {ways}; the two numeric codes of letters agree."
    ways = f"by the decay of r² {decay[0]:,} and {decay[1]:,} sites, by the median block {block[0]:,} and {block[1]:,}"
    return f"Measured both ways, with both numeric codes of letters: {ways}."


def _decay(linkage: dict[str, Any]) -> Figure:
    values = np.array([np.nan if value is None else value for value in linkage["decay"]], float)

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, _PANEL)
            axes.plot(np.arange(1, len(values) + 1), values, color=ACCENT)
            axes.axhline(0, color=FAINT, linewidth=1)
            axes.axvline(float(linkage.get("sites") or 0), color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)))
            axes.locator_params(nbins=5)
            axes.set_xlabel("Distance in sites")
            axes.grid(axis="y")
            heading(axes, "Mean r², beyond chance")
        return canvas

    apart = words.decimal(linkage.get("apart"))
    caption = f"Mean r² of sites so far apart, less the {apart} of unlinked sites. Dashed: the window."
    return Figure("decay", "Decay of linkage", drawing("decay", "Linkage of sites by distance", draw), caption)


def _matrix(linkage: dict[str, Any]) -> Figure:
    matrix = part(linkage, "matrix")
    square = np.array(matrix["hundredths"], float) / 100
    edges = [*matrix.get("blocks", []), len(square)]

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, _PANEL)
            axes.imshow(square, cmap="Greys", vmin=0, vmax=1, interpolation="nearest", aspect="equal")
            for left, right in pairwise(edges):
                corners = np.array([left, right, right, left, left]) - 0.5
                axes.plot(corners, np.array([left, left, right, right, left]) - 0.5, color=ACCENT, linewidth=1)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_xlim(-0.5, len(square) - 0.5)
            axes.set_ylim(len(square) - 0.5, -0.5)
            for side in axes.spines.values():
                side.set(visible=True, color=INK, linewidth=0.6)
            heading(axes, f"r² of {len(square)} neighbours")
        return canvas

    place = f"{matrix.get('chrom')}:{int(matrix.get('first', 0)):,}–{int(matrix.get('last', 0)):,}"
    caption = f"Chromosome {place}; dark is linked. Frames: blocks of linked sites, as they were told apart."
    return Figure(
        "matrix", "Sites against sites", drawing("matrix", "Matrix of linkage with its blocks", draw), caption
    )


def _table(linkage: dict[str, Any]) -> Table:
    rows = [
        [str(entry.get("chrom")), words.count(entry.get("sites")), words.count(entry.get("span")),
         *(words.count((entry.get(way) or [None])[0]) for way in ("by_decay", "by_block"))]
        for entry in parts(linkage, "chromosomes")
    ]  # fmt: skip
    columns = ["chromosome", "window (sites)", "spans (bp)", "by decay", "by blocks"]
    return Table(columns, rows, (0,), folded="By chromosome")
