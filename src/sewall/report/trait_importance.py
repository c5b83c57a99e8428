"""Figures of an explanation: importance of variants along the genome over p values, and chromosomes side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from sewall.report.drawing import ACCENT, FAINT, INK, MUTED, NARROW, RULE, grid_figure, heading, style

Floats = NDArray[np.float64]

MOST_DOTS = 4_000  # in one panel: more cannot be told apart, and would make the page heavy
_PANEL = 170
_CELL = 3.0  # CSS pixels in which one dot hides the others
_GAP = 0.012  # of the genome, between chromosomes


@dataclass(frozen=True)
class Genome:
    """Places of variants along one axis from 0 to 1, chromosome after chromosome.

    Attributes:
        x: ``(variants,)``.
        chromosome: ``(variants,)`` index.
        names: of the chromosomes.
        spans: ``(chromosomes, 2)`` where each begins and ends.
    """

    x: Floats
    chromosome: NDArray[np.int64]
    names: list[str]
    spans: Floats

    @classmethod
    def of(cls, variants: pd.DataFrame) -> Genome:
        """Lay out the columns ``chrom`` and ``position``; chromosomes have the length that their variants span."""
        chromosome, found = pd.factorize(variants["chrom"])
        names = [str(name) for name in found]
        position = variants["position"].to_numpy(float)
        ends = variants.groupby("chrom", sort=False)["position"].agg(["min", "max"]).to_numpy(float)
        length = np.maximum(ends[:, 1] - ends[:, 0], 1)
        room = 1 - _GAP * (len(names) - 1)
        span = length / length.sum() * room
        start = np.cumsum(span + _GAP) - span - _GAP
        x = start[chromosome] + (position - ends[chromosome, 0]) / length[chromosome] * span[chromosome]
        return cls(x, chromosome.astype(np.int64), names, np.column_stack([start, start + span]))


def draw_manhattan(variants: pd.DataFrame, width: int) -> Figure:
    """Draw the importance of variants upwards, and below it, downwards, their p values or their linear weights.

    Args:
        variants: the table of variants.
        width: of the figure, CSS pixels.
    """
    genome = Genome.of(variants)
    with style():
        canvas, panels = grid_figure(width, _PANEL, rows=2, gap=26, top=34, bottom=30)
        below, name = lower_values(variants)
        upper = variants["importance"].to_numpy(float)
        for axes, values, colour in ((panels[0], upper, ACCENT), (panels[1], below, INK)):
            _dots(axes, genome, values, colour, width)
        panels[1].invert_yaxis()
        _label(panels, genome, width)
        heading(panels[0], "Importance to the network")
        panels[1].annotate(name, (0, 0), (-44, -14), xycoords="axes fraction", textcoords="offset points", color=MUTED)
        panels[1].spines["left"].set_visible(False)
    return canvas


def lower_values(variants: pd.DataFrame) -> tuple[Floats, str]:
    """Return what stands below the importance, and what it is called: p values where there are any."""
    p_value = variants["p_value"].to_numpy(float)
    if np.isfinite(p_value).any():
        return -np.log10(np.maximum(np.nan_to_num(p_value, nan=1.0), 1e-300)), "−log₁₀ p of the association"
    return np.abs(variants["linear_weight"].to_numpy(float)), "Linear weight, size"


def _dots(axes: Axes, genome: Genome, values: Floats, colour: str, width: int) -> None:
    top = 1.06 * max(float(values.max(initial=0)), 1e-12)
    axes.set_xlim(-0.006, 1.006)
    axes.set_ylim(0, top)
    shown = thinned(genome.x, values / top, width - 78, _PANEL)
    for parity, alpha in enumerate((0.9, 0.45)):
        some = shown[genome.chromosome[shown] % 2 == parity]
        points = np.repeat(np.column_stack([genome.x[some], values[some]]), 2, axis=0)
        # One path of empty strokes with round ends is a tenth of the size of as many markers.
        codes = np.tile(np.array([Path.MOVETO, Path.LINETO], Path.code_type), len(some))
        path = Path(points, codes)
        path.should_simplify = False
        stroke = {"edgecolor": colour, "alpha": alpha, "linewidth": 3.2, "capstyle": "round"}
        axes.add_patch(PathPatch(path, fill=False, clip_on=False, **stroke))
    axes.locator_params(axis="y", nbins=4)
    axes.grid(axis="y")


def thinned(x: Floats, y: Floats, width: float, height: float, most: int = MOST_DOTS) -> NDArray[np.int64]:
    """Return the points that can be seen: the highest of each small cell, in cells that leave no more than *most*.

    Args:
        x, y: ``(points,)`` from 0 to 1.
        width, height: of the picture, CSS pixels.
        most: points.
    """
    size = _CELL
    while True:
        columns, rows = np.floor(x * width / size), np.floor(y * height / size)
        order = np.lexsort((-y, rows, columns))
        cells = np.column_stack([columns, rows])[order]
        first = np.r_[True, (cells[1:] != cells[:-1]).any(axis=1)] if len(order) else np.zeros(0, bool)
        if first.sum() <= most:
            return order[first]
        size *= 1.25


def _label(panels: list[Axes], genome: Genome, width: int) -> None:
    """Name the chromosomes between the panels, as many as there is room for."""
    middle, taken, kept = genome.spans.mean(axis=1), -1.0, []
    for index, name in enumerate(genome.names):
        half = (6 * len(name) + 8) / 2 / (width - 78)
        if middle[index] - half > taken:
            kept.append(index)
            taken = middle[index] + half
    panels[0].set_xticks(middle[kept], [genome.names[k] for k in kept])
    panels[0].tick_params(axis="x", length=0, pad=5)
    panels[1].set_xticks([])
    panels[1].spines["bottom"].set_visible(False)
    for axes in panels:
        for _, stop in genome.spans[:-1]:
            axes.axvline(stop + _GAP / 2, color=RULE, linewidth=0.6, zorder=0)


def draw_chromosomes(chromosomes: pd.DataFrame, width: int, linear: str) -> Figure:
    """Draw each chromosome's share of the variance of predictions, of the network and of the linear model."""
    place = np.arange(len(chromosomes))[::-1].astype(float)
    with style():
        canvas, (axes,) = grid_figure(width, max(22 * len(chromosomes), 120), left=52, top=34)
        for offset, column, colour in ((0.2, "network", ACCENT), (-0.2, "linear", MUTED)):
            axes.barh(place + offset, 100 * chromosomes[column], height=0.36, color=colour, alpha=0.75, linewidth=0)
        axes.axvline(0, color=FAINT, linewidth=1)
        axes.set_yticks(place, [str(name) for name in chromosomes["chrom"]], color=INK)
        axes.set_ylim(-0.6, len(chromosomes) - 0.4)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_xlabel("Per cent of the variance")
        handles = [Line2D([], [], color=colour, linewidth=6, alpha=0.75) for colour in (ACCENT, MUTED)]
        axes.legend(handles, ["network", linear], loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=2, borderpad=0)
    return canvas


def draw_weights_compared(variants: pd.DataFrame, width: int, linear: str) -> Figure:
    """Draw what a copy of each allele adds to the network's answer against its weight in the linear model."""
    x, y = variants["linear_weight"].to_numpy(float), variants["network_weight"].to_numpy(float)
    ends = [max(float(np.abs(values).max(initial=0)), 1e-12) * 1.05 for values in (x, y)]
    side = width - 78
    shown = thinned((x / ends[0] + 1) / 2, (y / ends[1] + 1) / 2, side, 300, 1_500)
    with style():
        canvas, (axes,) = grid_figure(width, 300)
        axes.axhline(0, color=FAINT, linewidth=0.8)
        axes.axvline(0, color=FAINT, linewidth=0.8)
        size = 4 if width > NARROW else 3
        axes.plot(x[shown], y[shown], "o", color=ACCENT, markersize=size, alpha=0.5, markeredgewidth=0)
        axes.set_xlim(-ends[0], ends[0])
        axes.set_ylim(-ends[1], ends[1])
        axes.locator_params(nbins=5)
        axes.set_xlabel(f"Weight of a copy in {linear}")
        heading(axes, "What a copy adds to the network's answer")
    return canvas
