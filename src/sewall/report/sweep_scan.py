"""Pictures of a scan: the probability of a sweep along the genome, and haplotypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import PercentFormatter

from sewall.report.drawing import ACCENT, FAINT, INK, MUTED, grid_figure, heading, style

MAX_CONTIGS = 6
_PANEL = 240
_MB = 1e6


def draw_scan(windows: pd.DataFrame, width: int) -> Canvas:
    """Draw the probability of a sweep of each window, contig by contig."""
    counts = windows.groupby("chrom", sort=False).size().sort_values(ascending=False, kind="stable")
    contigs = [name for name in windows["chrom"].unique() if name in set(counts.index[:MAX_CONTIGS])]
    with style():
        canvas, panels = grid_figure(width, _PANEL, rows=len(contigs))
        for axes, name in zip(panels, contigs, strict=True):
            _contig(axes, windows[windows["chrom"] == name])
            heading(axes, f"Probability of a sweep, {name}")
    return canvas


def _contig(axes: Axes, windows: pd.DataFrame) -> None:
    middle = ((windows["start"] + windows["end"]) / 2 / _MB).to_numpy(float)
    chance = windows["p_sweep"].to_numpy(float)
    called = windows["called"].astype(bool).to_numpy()
    outside = (windows["support"] == "outside").to_numpy()
    for start, end in windows.loc[outside, ["start", "end"]].to_numpy() / _MB:
        axes.axvspan(start, end, facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0)
    axes.plot(middle, chance, color=MUTED, linewidth=0.8, zorder=1)
    axes.plot(middle[~called], chance[~called], "o", color=ACCENT, markersize=4, fillstyle="none", zorder=2)
    axes.plot(middle[called], chance[called], "o", color=ACCENT, markersize=6, zorder=3)
    for _, region in windows[called].groupby("region"):
        ends = region["start"].min() / _MB, region["end"].max() / _MB
        height = [region["p_region"].iloc[0]] * 2
        axes.plot(ends, height, "|-", color=ACCENT, linewidth=3, markersize=9, markeredgewidth=1.5, zorder=4)
    axes.set(ylim=(-0.03, 1.05), xlabel="Position, Mb")
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.grid(axis="y")


def draw_haplotypes(picture: dict[str, Any], width: int) -> Canvas:
    """Draw haplotypes as rows, alike ones together."""
    calls = np.asarray(picture["calls"], float)
    shown = np.where(calls < 0, np.nan, np.minimum(calls, 1))
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL)
        colours = ListedColormap(["#ffffff00", INK])
        axes.imshow(shown, aspect="auto", interpolation="nearest", cmap=colours, vmin=0, vmax=1)
        places = np.asarray(picture["positions"], float) / _MB
        marks = np.linspace(0, len(places) - 1, 4).round().astype(int)
        axes.set_xticks(marks, [f"{places[k]:.2f}" for k in marks])
        axes.set_yticks([])
        axes.set_xlabel("Position, Mb")
        middle = float(np.interp((picture["start"] + picture["end"]) / 2 / _MB, places, np.arange(len(places))))
        axes.axvline(middle, color=ACCENT, linewidth=1)
    return canvas
