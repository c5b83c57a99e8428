"""Are there enough examples: scores of models that were fitted to fewer of them, and what twice as many would bring."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sewall.report import words
from sewall.report.blocks import Block, Figure, Figures, Section, Table, Text
from sewall.report.comparison import NETWORK
from sewall.report.drawing import ACCENT, INK, MUTED, NARROW, WIDE, drawing, grid_figure, heading, style
from sewall.report.files import RunFiles, number_or_none, part
from sewall.report.scores import in_words, metric_name, model_name

_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
Points = list[dict[str, Any]]


def section(files: RunFiles) -> Section | None:
    """Return the section on the number of examples, or None where it was not looked at."""
    curve = part(files.evaluation, "curve")
    known = {key: _known(points) for key, points in part(curve, "models").items()}
    known = {key: points for key, points in known.items() if points}
    if not known:
        return None
    blocks: list[Block] = [Text([str(curve.get("said") or "")])]
    if max(map(len, known.values())) > 1:
        blocks += [Figures([_figure(files, curve, known)], columns=1), _table(files, known)]
    return Section("enough", f"Are there enough {files.noun}s?", blocks)


def _name(files: RunFiles, key: str) -> str:
    return "network" if key == NETWORK else model_name(files, key)


def _known(points: object) -> Points:
    rows = points if isinstance(points, list) else []
    return [row for row in rows if all(number_or_none(row.get(key)) is not None for key in ("n", "value"))]


def _figure(files: RunFiles, curve: dict[str, Any], known: dict[str, Points]) -> Figure:
    laws, name = part(curve, "fit"), metric_name(files)

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, 260, right=26 if width <= NARROW else 220)
            for number, (key, points) in enumerate(known.items()):
                colour = ACCENT if key == NETWORK else (INK, MUTED)[number % 2]
                aside = 2 ** (0.04 * (number - 1))  # so that bars stand side by side
                _line(axes, points, part(laws, key), colour, _DASHES[number % 3], _name(files, key), aside)
            _numbered(axes, sorted({int(point["n"]) for points in known.values() for point in points}))
            axes.set_xlabel(f"{files.noun.capitalize()}s that models were fitted to")
            axes.locator_params(axis="y", nbins=5)
            axes.grid(axis="y")
            below = {"loc": "lower right"} if width <= NARROW else {"loc": "upper left", "bbox_to_anchor": (1.01, 1)}
            axes.legend(**below)
            heading(axes, f"{name} (higher is better)")
        return canvas

    held = words.counted(int(number_or_none(curve.get("held_out")) or 0), files.noun)
    caption = (
        f"Models fitted to nested parts of the training, all judged on the same {held} that none knew; the last point "
        "of each is the fit to all. Bars: 95 % intervals. Thin: the power law through the points, drawn on to "
        "twice as many."
    )
    picture = drawing("enough", f"{name} by number of {files.noun}s, for each model", draw, WIDE)
    return Figure("enough", "Learning curve", picture, caption)


def _line(axes: Axes, points: Points, law: dict[str, Any], colour: str, dashes: Any, name: str, aside: float) -> None:
    n = np.array([point["n"] for point in points], float)
    value = np.array([point["value"] for point in points], float)
    lower, upper = (_ends(points, end) for end in ("lower", "upper"))
    axes.vlines(n * aside, lower, upper, color=colour, alpha=0.35, linewidth=2)
    axes.plot(n * aside, value, marker="o", markersize=6, color=colour, linestyle=dashes, linewidth=1.8, label=name)
    floor, left, power, most = (number_or_none(law.get(key)) for key in ("floor", "left", "power", "most"))
    if floor is not None and left is not None and power is not None and most:
        on = np.geomspace(n[0], 2 * most, 60)
        axes.plot(on, 1 - floor - left * (on / most) ** -power, color=colour, linewidth=0.9, alpha=0.7)


def _ends(points: Points, end: str) -> list[float]:
    known = [number_or_none(point.get(end)) for point in points]
    return [float(point["value"]) if found is None else found for point, found in zip(points, known, strict=True)]


def _numbered(axes: Axes, numbers: list[int]) -> None:
    """Count in doublings, and name the numbers of examples that models were fitted to."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(numbers))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value):,}"))


def _table(files: RunFiles, known: dict[str, Points]) -> Table:
    numbers = sorted({int(point["n"]) for points in known.values() for point in points})
    found = {key: {int(point["n"]): in_words(point) for point in points} for key, points in known.items()}
    rows = [[f"{n:,}", *(found[key].get(n, words.MISSING) for key in known)] for n in numbers]
    columns = [f"{files.noun}s", *(_name(files, key) for key in known)]
    return Table(columns, rows, (), folded="The same as a table", note=f"{metric_name(files)} with its 95 % interval.")
