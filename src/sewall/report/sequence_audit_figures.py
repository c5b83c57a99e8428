"""Figures of an audit: what sequences are made of, by label, and what one number alone can do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from sewall.report.drawing import ACCENT, FAINT, MUTED, OUTSIDE, WARN, grid_figure, heading, style

MOST_CLASSES = 4
_PANEL, _ROW = 230, 26
_COLOURS = (ACCENT, WARN, OUTSIDE, MUTED)
_OF_STATUS = {"pass": ACCENT, "warn": WARN, "fail": OUTSIDE}


def draw_by_class(values: pd.Series[float], classes: pd.Series[str], width: int, name: str) -> Figure:
    """Draw how a number is spread within each class; of many classes the largest."""
    largest = classes.value_counts().index[:MOST_CLASSES]
    low, high = float(values.min()), float(values.max())
    pad = max(0.02 * (high - low), 0.005 * abs(high), 1e-3)
    edges = np.linspace(low - pad, high + pad, 41)
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL)
        for colour, one in zip(_COLOURS, sorted(largest), strict=False):
            own = values[classes == one].to_numpy(float)
            weights = np.full(len(own), 1 / max(len(own), 1))
            axes.hist(
                own, edges.tolist(), weights=weights, histtype="step", linewidth=1.8, color=colour, label=str(one)
            )
            axes.hist(own, edges.tolist(), weights=weights, color=colour, alpha=0.15)
        if len(largest) > 1:
            axes.legend(loc="upper left", bbox_to_anchor=(0, 1))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.locator_params(axis="both", nbins=5)
        axes.set_xlabel(name)
        axes.grid(axis="y")
        heading(axes, "Sequences of the class" if len(largest) > 1 else "Sequences")
    return canvas


def draw_numbers(names: list[str], strengths: list[float], statuses: list[str], quantity: bool, width: int) -> Figure:
    """Draw how well each number alone tells the label, the best above, beside the bounds of warning and failure."""
    scale = (lambda x: x) if quantity else (lambda x: (1 + x) / 2)
    rows = np.arange(len(names))[::-1]
    with style():
        canvas, (axes,) = grid_figure(width, _ROW * len(names), left=190, top=12)
        left = scale(0.0)
        for row, strength, status in zip(rows, strengths, statuses, strict=True):
            axes.barh(row, scale(strength) - left, left=left, height=0.6, color=_OF_STATUS[status])
        for bound, colour in ((0.2, WARN), (0.5, OUTSIDE)):
            axes.axvline(scale(bound), color=colour, linewidth=1, linestyle=(0, (4, 3)))
        axes.axvline(left, color=FAINT, linewidth=0.8)
        axes.set_yticks(rows.tolist(), names)
        axes.set_xlim(left, 1)
        axes.set_xlabel("|Spearman| of this number alone" if quantity else "AUROC of this number alone")
        axes.spines["left"].set_visible(False)
    return canvas
