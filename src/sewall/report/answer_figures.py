"""Figures of answers: predictions beside measurements, folds, weights, and the predictions of new examples."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sewall.report.comparison import NETWORK, STACK, far_below, fold_name, off_axis
from sewall.report.drawing import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    NARROW,
    OUTSIDE,
    PAPER,
    WARN,
    grid_figure,
    heading,
    style,
)

MOST_POINTS = 1500
_PANEL = 300
_COLOURS = {"ok": ACCENT, "warn": WARN, "outside": OUTSIDE}
FoldRow = tuple[str, str, list[float]]
WeightRow = tuple[str, str, float, list[float]]


def draw_measured(people: pd.DataFrame, width: int, name: str) -> Figure:
    """Draw what was measured against what was predicted.

    Args:
        people: columns ``estimate`` and ``measured``, and ``lower`` and ``upper`` where there are intervals.
        width: of the figure, CSS pixels.
        name: of the target.
    """
    people = people.sort_values("estimate", kind="stable").reset_index(drop=True)
    shown = people.iloc[np.unique(np.linspace(0, len(people) - 1, min(len(people), MOST_POINTS)).astype(int))]
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL)
        beyond = np.zeros(len(shown), bool)
        if {"lower", "upper"} <= set(people):
            _band(axes, people)
            beyond = ((shown["measured"] < shown["lower"]) | (shown["measured"] > shown["upper"])).to_numpy()
        ends = float(people["estimate"].min()), float(people["estimate"].max())
        axes.plot(ends, ends, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        for mask, marker, size, colour, alpha in ((~beyond, "o", 4, ACCENT, 0.45), (beyond, "D", 4, WARN, 0.9)):
            points = shown[mask]
            axes.plot(
                points["estimate"], points["measured"], marker, color=colour, markersize=size, alpha=alpha,
                markeredgewidth=0,
            )  # fmt: skip
        axes.locator_params(nbins=5)
        axes.set_xlabel(f"Predicted {name}")
        axes.grid(axis="y")
        heading(axes, f"Measured {name}")
    return canvas


def _band(axes: Axes, people: pd.DataFrame) -> None:
    """Shade the usual interval at each prediction: the running median of its two ends."""
    window = max(len(people) // 12, 15)
    half = {end: people[end] - people["estimate"] for end in ("lower", "upper")}
    low, high = (half[end].rolling(window, center=True, min_periods=1).median() for end in ("lower", "upper"))
    x = people["estimate"]
    axes.fill_between(x, x + low, x + high, color=ACCENT, alpha=0.13, linewidth=0)


def draw_folds(rows: list[FoldRow], width: int, label: str) -> Figure:
    """Draw the score of every model in each fold, one row a model; *label* names it."""
    y = np.arange(len(rows))[::-1]
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL, left=150)
        best = max(float(np.mean(values)) for _, _, values in rows)
        for place, (key, _, values) in zip(y, rows, strict=True):
            if far_below(float(np.mean(values)), best):
                off_axis(axes, place, float(np.mean(values)))
                continue
            colour = ACCENT if key in (NETWORK, STACK) else MUTED
            axes.plot(
                values, np.full(len(values), place), "o", color=colour, markersize=6, alpha=0.55, markeredgewidth=0
            )
            axes.plot([np.mean(values)] * 2, [place - 0.3, place + 0.3], color=colour, linewidth=2.2)
        _rows(axes, [name for _, name, _ in rows], folded=True)
        axes.set_xlabel(label)
        axes.locator_params(axis="x", nbins=4)
        axes.margins(x=0.08)
    return canvas


def _rows(axes: Axes, names: list[str], folded: bool) -> None:
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_yticks(range(len(names))[::-1], [fold_name(name) if folded else name for name in names], color=INK)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def draw_weights(rows: list[WeightRow], width: int) -> Figure:
    """Draw the weights of the stack as bars, with those of the folds as circles."""
    narrow = width <= NARROW
    y = np.arange(len(rows))[::-1]
    with style():
        left = 150 if narrow else min(330, 24 + 7 * max(len(name) for _, name, _, _ in rows))
        canvas, (axes,) = grid_figure(width, 34 * len(rows) + 12, left=left, right=30, top=12)
        for place, (key, _, weight, folds) in zip(y, rows, strict=True):
            colour = ACCENT if key == NETWORK else MUTED
            axes.barh(place, weight, height=0.5, color=colour, alpha=0.55, linewidth=0)
            axes.plot(
                folds, np.full(len(folds), place), "o", color=colour, markersize=6, markeredgecolor=PAPER, clip_on=False
            )
        _rows(axes, [name for _, name, _, _ in rows], folded=narrow)
        axes.axvline(0, color=FAINT, linewidth=1)
        axes.set_xlim(left=min(0, *axes.get_xlim()))
        axes.set_xlabel("Weight")
        axes.locator_params(axis="x", nbins=4 if narrow else 7)
    return canvas


def draw_distribution(people: pd.DataFrame, width: int, name: str, noun: str) -> Figure:
    """Draw how many examples have which prediction, by support."""
    values = people["estimate"].to_numpy(float)
    support = people["support"].to_numpy(str) if "support" in people else np.full(len(people), "ok")
    bins = np.histogram_bin_edges(values, bins=min(30, max(5, round(len(values) ** 0.5))))
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL)
        bottom = np.zeros(len(bins) - 1)
        for status, colour in _COLOURS.items():
            counts = np.histogram(values[support == status], bins)[0]
            if counts.any():
                shade = {"color": colour, "alpha": 0.75} if status != "outside" else _HATCHED
                axes.bar(bins[:-1], counts, np.diff(bins) * 0.92, bottom, align="edge", linewidth=0, **shade)
            bottom += counts
        axes.set_ylim(0, 1.05 * bottom.max())
        axes.locator_params(axis="y", nbins=4, integer=True)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(f"Predicted {name}")
        axes.grid(axis="y")
        heading(axes, f"{noun.capitalize()}s")
    return canvas


_HATCHED = {"facecolor": "none", "edgecolor": OUTSIDE, "hatch": "////"}


def draw_ranked(people: pd.DataFrame, width: int, name: str, noun: str) -> Figure:
    """Draw all predictions in order, each with its interval where one is claimed."""
    people = people.sort_values("estimate", kind="stable").reset_index(drop=True)
    shown = people.iloc[np.unique(np.linspace(0, len(people) - 1, min(len(people), MOST_POINTS)).astype(int))]
    rank = shown.index.to_numpy() + 1
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL)
        if {"lower", "upper"} <= set(shown):
            thick = float(np.clip(250 / len(shown), 0.3, 3))
            axes.vlines(rank, shown["lower"], shown["upper"], color=ACCENT, alpha=0.3, linewidth=thick)
        for status, marker in (("ok", "o"), ("warn", "^"), ("outside", "D")):
            mask = (
                (shown["support"] == status).to_numpy() if "support" in shown else np.full(len(shown), status == "ok")
            )
            size = 3 if status == "ok" else 5
            axes.plot(rank[mask], shown["estimate"][mask], marker, color=_COLOURS[status], markersize=size)
        axes.locator_params(nbins=5)
        axes.set_xlabel(f"{noun.capitalize()}s, from the lowest prediction to the highest")
        axes.grid(axis="y")
        heading(axes, f"Predicted {name}")
    return canvas
