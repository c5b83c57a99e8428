"""What pages show of a target in classes: which examples are recognised, and whether probabilities hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import PercentFormatter

from sewall.report import words
from sewall.report.blocks import Figure, Table
from sewall.report.drawing import ACCENT, FAINT, MUTED, drawing, grid_figure, heading, style
from sewall.report.files import RunFiles, number_or_none, part, parts
from sewall.report.scores import target_name

_PANEL = 300
_BINS = [k / 20 for k in range(21)]


def classes_of(files: RunFiles) -> list[str]:
    """Return the names of the classes; none of a quantity."""
    named = part(files.evaluation, "target").get("classes")
    return [str(name) for name in named] if isinstance(named, list) else []


def table_columns(files: RunFiles, measured: bool) -> dict[str, str]:
    """Return the headings of the table of predictions by column."""
    chances = {f"p_{name}": f"chance of {name}" for name in classes_of(files)}
    first = {"measured": "observed"} if measured else {}
    last = {} if measured else {"support": "status", "reason": ""}
    return {**first, "label": "called", **chances, "set": "set", "simple": "best single model", **last}


def confusion(files: RunFiles, people: pd.DataFrame) -> Table:
    """Return how many examples of each class were called what."""
    names = classes_of(files)
    rows = []
    for name in names:
        own = people[people["measured"].astype(str) == name]
        counts = [int((own["label"].astype(str) == called).sum()) for called in names]
        right = counts[names.index(name)] / max(len(own), 1)
        rows.append([name, *(words.count(count) for count in counts), words.percent(right)])
    heads = ["observed", *(f"called {name}" for name in names), "called rightly"]
    note = f"Each {files.noun} was called by models that did not know it. The called class is the most probable one."
    return Table(heads, rows, (0,), note=note)


def reliability(files: RunFiles) -> Figure:
    """Draw how probable the called class was said to be against how often the call was right."""
    bins = [row for row in parts(files.evaluation, "reliability") if number_or_none(row.get("said")) is not None]
    said = np.array([row["said"] for row in bins])
    right = np.array([[part(row, "right")[end] for end in ("value", "lower", "upper")] for row in bins]).reshape(-1, 3)

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, _PANEL)
            axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
            axes.vlines(said, right[:, 1], right[:, 2], color=ACCENT, linewidth=1.4)
            axes.plot(said, right[:, 0], "o", color=ACCENT, markersize=6)
            axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="Chance given to the called class")
            _percent(axes)
            heading(axes, "Share of calls that were right")
        return canvas

    caption = "On the line, a class that is given a chance of 70 % is right in 70 % of calls. Bars: 95 % intervals."
    alt = "Chance given to the called class against the share of calls that were right"
    return Figure("reliability", "Are the chances right?", drawing("reliability", alt, draw), caption)


def chances(files: RunFiles, people: pd.DataFrame, measured: bool) -> Figure:
    """Draw the chances that were given to a class: to its own members and to others, or to new examples."""
    names = classes_of(files)
    shown = names[-1] if len(names) == 2 else names[0]
    values = people[f"p_{shown}"].to_numpy(float)
    own = people["measured"].astype(str).to_numpy() == shown if measured else np.ones(len(values), bool)

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, _PANEL)
            if measured:
                axes.hist(values[~own], _BINS, color=MUTED, alpha=0.55, label="others")
            axes.hist(values[own], _BINS, color=ACCENT, alpha=0.6, label=shown)
            axes.set(xlim=(0, 1), xlabel=f"Chance of {shown}")
            axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
            axes.locator_params(axis="y", nbins=4, integer=True)
            axes.grid(axis="y")
            if measured:
                axes.legend(frameon=False)
            heading(axes, f"{files.noun.capitalize()}s")
        return canvas

    whose = (
        f"Of those observed as {shown}, and of all others." if measured else f"Of all {files.noun}s that were answered."
    )
    alt = f"Histogram of the chance of {shown}"
    title = f"Chance of {shown}"
    return Figure("chances", title, drawing("chances", alt, draw), f"{whose} Chances that are apart tell them apart.")


def calls(files: RunFiles, people: pd.DataFrame) -> Table:
    """Return how many new examples were called what, and how many sets hold one class alone."""
    alone = people["set"].astype(str).str.count(",") == 0
    rows = []
    for name in classes_of(files):
        own = people["label"].astype(str) == name
        rows.append([name, words.count(int(own.sum())), words.count(int((own & alone & people["set"].notna()).sum()))])
    heads = [target_name(files), "called", "of these, with no other class in the set"]
    note = f"A set holds the true class in {words.percent(files.level)} of {files.noun}s like those of the training."
    return Table(heads, rows, (0,), note=note)


def _percent(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.grid(axis="y")
