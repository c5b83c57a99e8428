"""Draw a recombination map: steps, interval band, simple model and flags, one row per contig."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from sewall.data.ratemaps import CM_PER_MB
from sewall.report.drawing import ACCENT, INK, MUTED, OUTSIDE, WARN, WIDE, grid_figure, style

MAX_CONTIGS = 24
_BAND = 0.2
_DENSE = 300  # more windows than this in one row ask for a finer line
_DASHES, _DOTS = (0, (4, 2)), (0, (1, 1.5))
Floats = NDArray[np.float64]


def contigs_to_draw(windows: pd.DataFrame) -> list[str]:
    """Return the contigs with most windows, in the order of the table."""
    numerous = windows["chrom"].value_counts(sort=True).head(MAX_CONTIGS).index
    return [str(chrom) for chrom in windows["chrom"].unique() if chrom in numerous]


def draw_map(windows: pd.DataFrame, width: int, level: str, truth: Floats | None = None) -> Figure:
    """Draw the map of all contigs, one row each.

    Args:
        windows: the table of predictions, rates per bp per generation.
        width: width of the figure, CSS pixels.
        level: level of the intervals in words, for the legend.
        truth: ``(windows,)`` true rates where they are known, for instance in a demonstration.
    """
    if truth is not None:
        windows = windows.assign(truth=truth)
    contigs = contigs_to_draw(windows)
    alone = len(contigs) == 1
    row_height = (330 if width == WIDE else 230) if alone else 110
    narrow = width < WIDE
    with style():
        figure, panels = grid_figure(
            width,
            row_height,
            len(contigs),
            left=52 if not narrow else 40,
            top=76 if narrow else 40,
            gap=48,
            share_y=True,
        )
        for chrom, axes in zip(contigs, panels, strict=True):
            _draw_contig(axes, windows[windows["chrom"] == chrom].sort_values("start"))
            if not alone:
                axes.set_title(chrom, loc="left", fontsize=12.5, fontweight="bold", color=INK, pad=6)
        _finish(figure, panels, windows, f"Position on {contigs[0]} (Mb)" if alone else "Position (Mb)")
        _legend(figure, windows, level, columns=2 if narrow else 6)
    return figure


def _draw_contig(axes: Axes, windows: pd.DataFrame) -> None:
    start, end = windows["start"].to_numpy(float) / 1e6, windows["end"].to_numpy(float) / 1e6
    support = windows["support"].to_numpy(str) if "support" in windows else np.full(len(windows), "ok")
    _shade(axes, start, end, support)
    outside = support == "outside"
    rate = windows["estimate"].to_numpy(float) * CM_PER_MB
    if {"lower", "upper"} <= set(windows):
        lower, upper = (windows[side].to_numpy(float) * CM_PER_MB for side in ("lower", "upper"))
        x, low = steps(start, end, np.where(outside, np.nan, lower))
        _, high = steps(start, end, np.where(outside, np.nan, upper))
        axes.fill_between(x, low, high, color=ACCENT, alpha=_BAND, linewidth=0)
    if "simple" in windows:
        axes.plot(*steps(start, end, windows["simple"].to_numpy(float) * CM_PER_MB), color=MUTED, linewidth=0.9)
    if "truth" in windows:
        axes.plot(
            *steps(start, end, windows["truth"].to_numpy(float) * CM_PER_MB), color=INK, linewidth=1, linestyle=_DOTS
        )
    thick = 2 if len(windows) <= _DENSE else 1
    axes.plot(
        *steps(start, end, np.where(outside, np.nan, rate)), color=ACCENT, linewidth=thick, solid_joinstyle="miter"
    )
    axes.plot(*steps(start, end, np.where(outside, rate, np.nan)), color=OUTSIDE, linewidth=1.3, linestyle=_DASHES)
    axes.set_xlim(start.min(), end.max())


def steps(start: Floats, end: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return the corners of a step line over windows; it breaks where windows do not touch or a value is missing.

    Args:
        start, end: ``(windows,)`` in order.
        values: ``(windows,)``; NaN where unknown.

    >>> x, y = steps(np.array([0.0, 1.0, 5.0]), np.array([1.0, 2.0, 6.0]), np.array([3.0, 4.0, 5.0]))
    >>> x.tolist(), y.tolist()
    ([0.0, 1.0, 1.0, 2.0, 2.0, 5.0, 6.0], [3.0, 3.0, 4.0, 4.0, nan, 5.0, 5.0])
    """
    x = np.column_stack([start, end]).ravel()
    y = np.repeat(values, 2)
    gaps = 2 * (np.flatnonzero(start[1:] > end[:-1]) + 1)
    return np.insert(x, gaps, x[gaps - 1]), np.insert(y, gaps, np.nan)


def _shade(axes: Axes, start: Floats, end: Floats, support: NDArray[np.str_]) -> None:
    """Shade doubtful windows and hatch those outside, one patch per run of touching windows."""
    joined = (support[1:] == support[:-1]) & (start[1:] == end[:-1])
    firsts = np.flatnonzero(np.r_[True, ~joined])
    lasts = np.r_[firsts[1:] - 1, len(start) - 1]
    for first, last in zip(firsts, lasts, strict=True):
        if support[first] in _SHADES:
            axes.axvspan(start[first], end[last], zorder=0).set(**_SHADES[support[first]])


_SHADES: dict[str, dict[str, Any]] = {
    "warn": {"facecolor": WARN, "alpha": 0.18, "linewidth": 0},
    "outside": {"facecolor": "none", "edgecolor": OUTSIDE, "alpha": 0.5, "hatch": "///", "linewidth": 0},
}


def _finish(figure: Figure, panels: list[Axes], windows: pd.DataFrame, x_label: str) -> None:
    top = top_of_scale(windows)
    for axes in panels:
        axes.set_ylim(0, top)
        axes.yaxis.set_major_locator(MaxNLocator(4 if len(panels) == 1 else 2))
        axes.xaxis.set_major_locator(MaxNLocator(7 if figure.get_figwidth() * 72 == WIDE else 4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
        axes.grid(axis="y")
        axes.spines["left"].set_visible(False)
    panels[-1].set_xlabel(x_label, labelpad=6)
    figure.text(
        0.002, 1 - 5 / (72 * figure.get_figheight()), "Recombination rate (cM/Mb)", va="top", color=MUTED, fontsize=12.5
    )


def top_of_scale(windows: pd.DataFrame) -> float:
    """Return the top of the scale in cM/Mb: all believed estimates, and all but the widest of their intervals."""
    inside = windows[windows["support"] != "outside"] if "support" in windows else windows
    shown = inside if 2 * inside["estimate"].count() >= windows["estimate"].count() else windows
    highest = [float(shown[name].max()) for name in ("estimate", "truth") if name in shown]
    if "upper" in inside:
        highest.append(float(inside["upper"].quantile(0.98)))
    known = [value for value in highest if np.isfinite(value)]
    return 1.06 * CM_PER_MB * max(known) if known and max(known) > 0 else 1.0


def _legend(figure: Figure, windows: pd.DataFrame, level: str, columns: int) -> None:
    band = (Patch(facecolor=ACCENT, alpha=_BAND), Line2D([], [], color=ACCENT, linewidth=2))
    entries: list[tuple[object, str]] = [
        (band, f"estimate, {level} interval") if "lower" in windows else (band[1], "estimate")
    ]
    if "simple" in windows:
        entries.append((Line2D([], [], color=MUTED, linewidth=0.9), "simple model"))
    if "truth" in windows:
        entries.append((Line2D([], [], color=INK, linewidth=1, linestyle=_DOTS), "true rate"))
    statuses = set(windows["support"]) if "support" in windows else set()
    if "warn" in statuses:
        entries.append((Patch(facecolor=WARN, alpha=0.18), "doubtful"))
    if "outside" in statuses:
        entries.append((Patch(facecolor="none", edgecolor=OUTSIDE, alpha=0.7, hatch="////", linewidth=0), "outside"))
    handles, labels = zip(*entries, strict=True)
    height = figure.get_figheight() * 72
    figure.legend(
        handles,
        labels,
        loc="upper left" if columns == 2 else "upper right",
        bbox_to_anchor=(-0.01, 1 - 18 / height) if columns == 2 else (1.0, 1 + 2 / height),
        ncols=columns,
        handler_map={tuple: HandlerTuple(ndivide=1, pad=0)},
        labelcolor=INK,
        handlelength=1.8,
        columnspacing=1.6,
        borderaxespad=0.2,
    )
