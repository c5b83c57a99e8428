"""Figures of an inspection: calls, frequencies, sexes, and the decay of linkage."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sewall.report.drawing import ACCENT, FAINT, WARN, grid_figure, heading, style

_PANEL = 260
_ROWS = {"female": 0.0, "male": 1.0}


def draw_shares(values: pd.Series[float], width: int, name: str) -> Figure:
    """Draw how many individuals have which share of calls of a kind."""
    known = values.dropna().to_numpy(float)
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    pad = max(0.02 * (high - low), 5e-4)
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL)
        axes.hist(known, np.linspace(low - pad, high + pad, 41).tolist(), color=ACCENT, alpha=0.75, rwidth=0.92)
        axes.set_yscale("symlog", linthresh=10)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(name)
        axes.grid(axis="y")
        heading(axes, "Individuals")
    return canvas


def draw_frequencies(sites: pd.DataFrame, width: int) -> Figure:
    """Draw how many sites have which frequency of their rarer allele; sites that do not vary are left out."""
    frequency = sites["frequency"].dropna().to_numpy(float)
    minor = np.minimum(frequency, 1 - frequency)
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL, left=58)
        axes.hist(minor[minor > 0], np.linspace(0, 0.5, 26).tolist(), color=ACCENT, alpha=0.75, rwidth=0.92)
        axes.set_xlim(0, 0.5)
        axes.locator_params(axis="y", nbins=4, integer=True)
        axes.set_xlabel("Frequency of the rarer allele")
        axes.grid(axis="y")
        heading(axes, "Sites", indent=50)
    return canvas


def draw_sexes(people: pd.DataFrame, width: int, large: str) -> Figure:
    """Draw heterozygosity on X by reported (else used) sex; diamonds where X and Y tell another one."""
    shown = people["sex_reported"].fillna(people["sex"])
    told, x = shown.map(_ROWS).fillna(2.0), people["x_inbreeding"].to_numpy(float)
    jitter = np.random.default_rng(0).uniform(-0.25, 0.25, len(people))
    wrong = people["sex_disagrees"] == "yes"
    rows = ["female", "male", *(["unknown"] if (told == 2).any() else [])]
    with style():
        canvas, (axes,) = grid_figure(width, 60 * len(rows), left=84)
        for mask, marker, colour, size in ((~wrong, "o", ACCENT, 4), (wrong, "D", WARN, 6)):
            axes.plot(
                x[mask], (told + jitter)[mask], marker, color=colour, markersize=size, alpha=0.5, markeredgewidth=0
            )
        axes.axvline(0.5, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_yticks(range(len(rows)), rows)
        axes.set_ylim(-0.5, len(rows) - 0.5)
        axes.set_xlabel(f"Inbreeding on {large}")
        axes.spines["left"].set_visible(False)
    return canvas
