"""How sure is the answer, and where should it not be believed: measured on held-out examples."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import PercentFormatter

from sewall.report import words
from sewall.report.blocks import Answer, Block, Figure, Figures, Notice, Points, Section, Text, Tile
from sewall.report.drawing import ACCENT, FAINT, INK, WARN, drawing, grid_figure, heading, style
from sewall.report.files import RunFiles, number_or_none, part, parts

_PANEL = 300


def section(files: RunFiles, answer: Answer) -> Section:
    """Return the section on coverage, calibration and doubts."""
    evaluation = files.evaluation
    calibration = part(evaluation, "calibration")
    blocks: list[Block] = [Text([_lead(files)])]
    if files.support_status == "outside":
        like = f"These measurements hold for data like the {files.terms.examples}."
        blocks.append(Notice("outside", f"{like} Yours lie outside, so they do not carry over."))
    figures = [figure for figure in (_curve(files), _groups(files), _scatter(files), _pit(calibration)) if figure]
    if figures:
        blocks.append(Figures(figures))
    doubts = answer.doubts + _group_doubts(files) + [("note", str(note)) for note in files.run.get("notes") or []]
    blocks.append(Points("Where not to believe it", doubts or [_no_doubt(files)]))
    return Section("trust", "How sure is it, and where not to believe it?", blocks)


def _no_doubt(files: RunFiles) -> tuple[str, str]:
    if not part(files.evaluation, "calibration") and files.support_status is None:
        return "warn", "Nothing was checked in this run, so nothing is known against it or for it."
    return "ok", "Nothing that was checked speaks against it."


def tile(files: RunFiles) -> Tile:
    """Return the measured coverage in one number."""
    level = words.percent(files.level)
    coverage = part(part(files.evaluation, "calibration"), "coverage")
    value = number_or_none(coverage.get("value"))
    if value is None:
        return Tile(f"{level} {files.claims} hold", words.MISSING, "not measured in this run")
    upper = number_or_none(coverage.get("upper"))
    if files.support_status == "outside":
        note = f"of {files.terms.elsewhere}; not claimed for your data"
        return Tile(f"{level} {files.claims} hold", words.percent(value), note, "outside")
    status = "warn" if upper is not None and upper < files.level else ""
    tests = f"of {_tests(files)}" if files.evaluation.get("n") else files.terms.tests
    return Tile(f"{level} {files.claims} hold", words.percent(value), tests, status)


def sentence(files: RunFiles) -> str:
    """Say in one sentence how sure the answer is."""
    coverage = part(part(files.evaluation, "calibration"), "coverage")
    if number_or_none(coverage.get("value")) is None:
        return f"How often the {files.claims} hold was not measured in this run."
    held = f"The {words.percent(files.level)} {files.claims} held the truth in {words.share(coverage)}"
    return f"{held} of {_tests(files)}"


def _tests(files: RunFiles) -> str:
    n = files.evaluation.get("n")
    return f"{words.count(n)} {files.terms.tests}" if n else files.terms.tests


def _lead(files: RunFiles) -> str:
    calibration = part(files.evaluation, "calibration")
    said = [f"{sentence(files)}".rstrip(".") + "."]
    if files.evaluation.get("held_out"):
        held_out = str(files.evaluation["held_out"]).rstrip(".")
        said.append(f"Held out: {held_out}.")
    unit = part(files.evaluation, "target").get("unit")
    if number_or_none(calibration.get("width")) is not None:
        said.append(f"The mean width is {words.number(calibration['width'])}{f' {unit}' if unit else ''}.")
    if number_or_none(calibration.get("set_size")) is not None:
        said.append(f"A set holds {words.decimal(calibration['set_size'], 2)} classes on average.")
    return " ".join(said)


def _bars(metric: dict[str, Any]) -> tuple[float, float, float] | None:
    """Return value, lower and upper, the bounds equal to the value where they are absent."""
    value = number_or_none(metric.get("value"))
    if value is None:
        return None
    lower, upper = number_or_none(metric.get("lower")), number_or_none(metric.get("upper"))
    return value, value if lower is None else lower, value if upper is None else upper


def _curve(files: RunFiles) -> Figure | None:
    levels, bars = [], []
    for entry in parts(part(files.evaluation, "calibration"), "curve"):
        level, bar = number_or_none(entry.get("level")), _bars(part(entry, "coverage"))
        if level is not None and bar is not None:
            levels.append(level)
            bars.append(bar)
    if not levels:
        return None

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, _PANEL)
            _diagonal(axes, 0, 1)
            _dots(axes, np.array(levels), np.array(bars))
            axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="Level promised")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
            heading(axes, f"Share of {files.claims} that hold the truth")
        return canvas

    alt = "Coverage promised against coverage measured, at several levels"
    caption = f"On the line, {files.claims} hold the truth as often as they promise; below it, they promise too much."
    return Figure("calibration", "Promised and measured", drawing("calibration", alt, draw), caption)


def _dots(axes: Axes, x: np.ndarray, bars: np.ndarray) -> None:
    axes.vlines(x, bars[:, 1], bars[:, 2], color=ACCENT, linewidth=1.4)
    axes.plot(x, bars[:, 0], color=ACCENT, marker="o", markersize=6, linewidth=1.2)
    axes.grid(axis="y")


def _diagonal(axes: Axes, low: float, high: float) -> None:
    axes.plot([low, high], [low, high], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)


def _groups(files: RunFiles) -> Figure | None:
    entries = [(str(entry.get("group", "")), _bars(part(entry, "coverage"))) for entry in _by_group(files)]
    known = [(name, bar) for name, bar in entries if bar is not None]
    if not known or (len(known) == 1 and len(_by_group(files)) == 1):  # one group alone is everybody
        return None

    def draw(width: int) -> Canvas:
        names, bars = [name for name, _ in known], np.array([bar for _, bar in known])
        y = np.arange(len(names))[::-1]
        with style():
            canvas, (axes,) = grid_figure(width, _PANEL, left=150)
            axes.axvline(files.level, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
            for row, (value, lower, upper) in zip(y, bars, strict=True):
                colour = WARN if upper < files.level else ACCENT
                axes.hlines(row, lower, upper, color=colour, linewidth=1.6)
                axes.plot(value, row, marker="D" if upper < files.level else "o", markersize=6.5, color=colour)
            low = min(files.level - 0.1, float(bars.min()) - 0.02)
            axes.set(
                xlim=(max(low, 0), 1.005),
                ylim=(-0.6, len(names) - 0.4),
            )
            heading(axes, f"Share of {files.claims} that hold the truth", indent=146)
            axes.set_yticks(y, [_short(name) for name in names], color=INK)
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
            axes.spines["left"].set_visible(False)
            axes.grid(axis="x")
        return canvas

    alt = "Measured coverage by group, with 95 % intervals"
    caption = f"The dashed line is the promised {words.percent(files.level)}; bars are 95 % intervals. "
    caption += "A diamond marks a group that falls short beyond chance."
    return Figure("groups", "By group", drawing("groups", alt, draw), caption)


def _short(name: str) -> str:
    """Break a long name in two lines."""
    if len(name) <= 20:
        return name
    middle = min((i for i, letter in enumerate(name) if letter == " "), key=lambda i: abs(i - len(name) / 2), default=0)
    return f"{name[:middle]}\n{name[middle + 1 :]}" if middle else name


def _by_group(files: RunFiles) -> list[dict[str, Any]]:
    return parts(part(files.evaluation, "calibration"), "by_group")


def _group_doubts(files: RunFiles) -> list[tuple[str, str]]:
    found = []
    for entry in _by_group(files):
        bar = _bars(part(entry, "coverage"))
        if bar is not None and bar[2] < files.level:
            held = words.share(part(entry, "coverage"))
            level = words.percent(files.level)
            group = _sentence_case(str(entry.get("group")))
            found.append(("warn", f"{group}: {level} {files.claims} held in {held} of tests, less than promised."))
    return found


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _scatter(files: RunFiles) -> Figure | None:
    pairs = files.evaluation.get("scatter")
    if not isinstance(pairs, list) or not pairs or files.held_out:  # held-out answers are drawn by their job
        return None
    points = np.array([pair for pair in pairs if None not in pair], dtype=float)
    points = points[np.isfinite(points).all(axis=1)]
    target = part(files.evaluation, "target")
    name = {"rho_over_theta": "ρ/θ"}.get(str(target.get("name")), str(target.get("name") or "value"))

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, _PANEL)
            logarithmic = target.get("transform") == "log" and bool((points > 0).all())
            low, high = float(points.min()), float(points.max())
            _diagonal(axes, low, high)
            axes.plot(points[:, 0], points[:, 1], ".", color=ACCENT, markersize=5, alpha=0.35, markeredgewidth=0)
            if logarithmic:
                axes.set(xscale="log", yscale="log")
            else:
                margin = 0.03 * (high - low)
                axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
                axes.locator_params(nbins=5)
            axes.set_xlabel(files.terms.truth.format(name=name))
            axes.grid(axis="y")
            heading(axes, f"Estimated {name}")
        return canvas

    alt = f"Estimated against true {name} on held-out examples"
    caption = (
        f"{words.count(len(points))} held-out examples that no model had seen. On the line, estimate and truth agree."
    )
    return Figure("scatter", "Estimate and truth", drawing("scatter", alt, draw), caption)


def _pit(calibration: dict[str, Any]) -> Figure | None:
    counts = calibration.get("pit")
    if not isinstance(counts, list) or not counts or sum(counts) <= 0:
        return None
    total, bins = sum(counts), len(counts)
    expected = total / bins
    wobble = 1.96 * np.sqrt(expected * (1 - 1 / bins))

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, _PANEL)
            axes.axhspan(expected - wobble, expected + wobble, color=FAINT, alpha=0.25, linewidth=0)
            axes.axhline(expected, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
            axes.bar((np.arange(bins) + 0.5) / bins, counts, width=0.86 / bins, color=ACCENT, alpha=0.75)
            axes.set(xlim=(0, 1), ylim=(0, 1.1 * max(max(counts), expected + wobble)))
            axes.set_xlabel("Rank of the truth within its prediction")
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
            axes.locator_params(axis="y", nbins=4)
            heading(axes, "Held-out examples")
        return canvas

    alt = "Histogram of the rank of the truth within the predicted distribution"
    caption = "Flat, within the grey band, is right. A hill: intervals too wide; a valley: too narrow; a slope: biased."
    return Figure("ranks", "Where the truth falls", drawing("ranks", alt, draw), caption)
