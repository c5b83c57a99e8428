"""Was the network needed: every model on the same held-out examples, and the plain verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas

from sewall.report import words
from sewall.report.blocks import Block, Figure, Figures, Section, Table, Text, Tile
from sewall.report.drawing import ACCENT, INK, MUTED, NARROW, WIDE, drawing, grid_figure, style
from sewall.report.files import RunFiles, number_or_none, part, parts

NETWORK, STACK = "network", "stack"
METRICS = {
    "r2": "R²",
    "spearman": "rank correlation",
    "pearson": "correlation",
    "mae": "mean absolute error",
    "rmse": "root mean square error",
    "bias": "bias",
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "log_loss": "log loss",
    "brier": "Brier score",
}


def section(files: RunFiles) -> Section | None:
    """Return the section that compares the models, or None where none was evaluated."""
    models = parts(files.evaluation, "models")
    if not models:
        return None
    blocks: list[Block] = []
    said = [text for text in (_added(files), _verdict(files)) if text]
    if said:
        blocks.append(Text(said))
    metric = _first_metric(files)
    if metric:
        blocks.append(Figures([_forest(models, metric)], columns=1))
    blocks.append(_table(files, models, metric))
    differences = _differences(files, models)
    if differences:
        blocks.append(differences)
    return Section("models", "Was the network needed at all?", blocks)


def tile(files: RunFiles) -> Tile:
    """Return in one number what the network adds, or else how it does beside its best rival."""
    models = parts(files.evaluation, "models")
    metric = _first_metric(files)
    adds = part(files.evaluation, "network_adds")
    if metric and number_or_none(adds.get("value")) is not None:
        interval = f"{words.signed(adds.get('lower'))} to {words.signed(adds.get('upper'))}, {_reading(adds)}"
        return Tile(f"Network adds, {METRICS[metric]}", words.signed(adds["value"]), interval)
    if not models or metric is None:
        return Tile("Accuracy", words.MISSING, "not measured in this run")
    network = next((model for model in models if model.get("key") == NETWORK), models[0])
    rivals = [model for model in models if model is not network and _value(model, metric) is not None]
    best = max(rivals, key=lambda model: _value(model, metric) or 0.0, default=None)
    rival = f"{best.get('name', best.get('key'))}: {words.number(_value(best, metric))}" if best else "no rival"
    return Tile(f"Network, {METRICS[metric]}", words.number(_value(network, metric)), rival)


def sentence(files: RunFiles) -> str:
    """Return what the network adds where that was measured, or else the verdict."""
    return _added(files) or _verdict(files) or "No simple model was compared with the network in this run."


def _verdict(files: RunFiles) -> str:
    """Return the verdict, behind its short form where it has one."""
    phrase = str(files.evaluation.get("verdict_phrase") or "")
    short = f"{phrase[:1].upper()}{phrase[1:]}." if phrase else ""
    return f"{short} {str(files.evaluation.get('verdict') or '').strip()}".strip()


def _added(files: RunFiles) -> str:
    """Say what the stack gains by its network: their paired difference, whatever it is."""
    adds, metric = part(files.evaluation, "network_adds"), _first_metric(files)
    value, lower, upper = (number_or_none(adds.get(key)) for key in ("value", "lower", "upper"))
    if value is None or lower is None or upper is None or metric is None:
        return ""
    if value == lower == upper == 0:
        return "No: the stack gives the network no weight."
    gap = f"{words.signed(value)} (95 % interval {words.signed(lower)} to {words.signed(upper)})"
    said = f"with it the {METRICS[metric]} of the stack changes by {gap},"
    if lower > 0:
        return f"Yes: {said} a gain beyond chance."
    return f"No: {said} {'a loss beyond chance' if upper < 0 else 'which is within chance'}."


def _value(model: dict[str, Any], metric: str) -> float | None:
    return number_or_none(part(part(model, "metrics"), metric).get("value"))


def _first_metric(files: RunFiles) -> str | None:
    """Return the metric to draw: that of the verdict, or the first of those where more is better that a model has."""
    models = parts(files.evaluation, "models")
    judged = [
        files.evaluation.get("metric"),
        *(entry.get("metric") for entry in parts(files.evaluation, "differences")),
    ]
    more_is_better = ("r2", "spearman", "pearson", "auroc", "accuracy")
    drawn = [str(key) for key in judged if key in more_is_better] + list(more_is_better)
    return next((key for key in drawn if any(_value(model, key) is not None for model in models)), None)


def _forest(models: list[dict[str, Any]], metric: str) -> Figure:
    shown = [model for model in models if _value(model, metric) is not None]
    stacked = any(model.get("key") == STACK for model in shown)
    best = max(_value(model, metric) or 0 for model in shown)
    far = [model for model in shown if stacked and far_below(_value(model, metric) or 0, best)]

    def draw(width: int) -> Canvas:
        names = [str(model.get("name", model.get("key"))) for model in shown]
        y = np.arange(len(shown))[::-1]
        with style():
            left = 150 if width <= NARROW else min(330, 24 + 7 * max(len(name) for name in names))
            canvas, (axes,) = grid_figure(width, 34 * len(shown) + 12, left=left, right=30, top=12)
            for row, model in zip(y, shown, strict=True):
                if model in far:
                    off_axis(axes, row, float(_value(model, metric) or 0))
                    continue
                _forest_row(axes, row, part(part(model, "metrics"), metric), model.get("key") in (NETWORK, STACK))
            axes.set(ylim=(-0.6, len(shown) - 0.4), xlabel=f"{METRICS[metric]} (higher is better)")
            axes.set_yticks(y, [name if width > NARROW else fold_name(name) for name in names], color=INK)
            axes.spines["left"].set_visible(False)
            axes.locator_params(axis="x", nbins=4 if width <= NARROW else 7)
            axes.margins(x=0.12)
            axes.grid(axis="x")
        return canvas

    alt = f"{METRICS[metric]} of every model with 95 % intervals"
    caption = (
        "All models learned from the same examples and were tested on the same held-out ones. Bars: 95 % intervals."
    )
    if stacked:
        caption += " Coloured: the network, and the stack of all models, which gives the answer."
    if far:
        caption += " Triangles: lower than the picture reaches."
    return Figure("models", "Network and simple models", drawing("models", alt, draw, WIDE), caption)


def far_below(value: float, best: float) -> bool:
    """Return whether a model is so far below the best that drawing it to scale would press all others together.

    >>> far_below(0.1, 0.7), far_below(0.65, 0.7), far_below(-0.02, 0.03)
    (True, False, False)
    """
    return best > 0.1 and value < 0.6 * best


def off_axis(axes: Any, row: float, value: float) -> None:
    """Say in a row how low a model lies that would press all others together."""
    where = axes.get_yaxis_transform()
    axes.annotate(
        f"◂ {words.decimal(value, 2)}",
        (0, row),
        (4, 0),
        xycoords=where,
        textcoords="offset points",
        va="center",
        color=MUTED,
    )


def _forest_row(axes: Any, row: int, metric: dict[str, Any], coloured: bool) -> None:
    colour = ACCENT if coloured else MUTED
    value = float(metric["value"])
    lower, upper = (number_or_none(metric.get(side)) for side in ("lower", "upper"))
    axes.hlines(row, value if lower is None else lower, value if upper is None else upper, color=colour, linewidth=2)
    axes.plot(value, row, marker="o", markersize=8, color=colour)


def fold_name(name: str, limit: int = 18) -> str:
    """Break a name in two lines, the first of which has *limit* letters or the first word; a short one stays whole.

    >>> fold_name("clumping and thresholding")
    'clumping and\\nthresholding'
    """
    if len(name) <= limit + 3:
        return name
    head, _, tail = name.partition(" ")
    while tail and len(f"{head} {tail.partition(' ')[0]}") <= limit:
        word, _, tail = tail.partition(" ")
        head = f"{head} {word}"
    return f"{head}\n{tail}" if tail else head


def _table(files: RunFiles, models: list[dict[str, Any]], first: str | None) -> Table:
    present = [key for key in METRICS if any(_value(model, key) is not None for model in models)]
    present += sorted({key for model in models for key in part(model, "metrics")} - set(METRICS))
    present.sort(key=lambda key: key != first)
    timed = any(number_or_none(model.get("seconds")) is not None for model in models)
    columns = ["model", *(METRICS.get(key, key) for key in present), "parameters", *(["time to fit"] if timed else [])]
    rows = [_row(model, present)[: len(columns)] for model in models]
    simplest = files.evaluation.get("simplest_adequate")
    strong = tuple(i for i, model in enumerate(models) if model.get("key") == simplest)
    unit = part(files.evaluation, "target").get("unit")
    note = f"Errors are in {unit}. " if unit else ""
    note += "Below each value its 95 % interval. " + ("Bold: the simplest adequate model." if strong else "")
    return Table(columns, rows, (0,), strong=strong, note=note.strip())


def _row(model: dict[str, Any], present: list[str]) -> list[str]:
    metrics = [_cell(part(part(model, "metrics"), key)) for key in present]
    name = str(model.get("name", model.get("key")))
    return [name, *metrics, words.count(model.get("parameters")), words.duration(model.get("seconds"))]


def _cell(metric: dict[str, Any]) -> str:
    """Return a value over its interval."""
    value, bracket, interval = words.estimate(metric).partition(" (")
    return f"{value}\n{interval.rstrip(')')}" if bracket else value


def _differences(files: RunFiles, models: list[dict[str, Any]]) -> Table | None:
    names = {model.get("key"): str(model.get("name", model.get("key"))) for model in models}
    entries, stacked = parts(files.evaluation, "differences"), STACK in names
    rows = []
    for entry in _told(entries) if stacked else entries:
        model, against = (names.get(entry.get(side), str(entry.get(side))) for side in ("model", "against"))
        metric = METRICS.get(str(entry.get("metric")), str(entry.get("metric")))
        rows.append([f"{model} minus {against}", metric, words.estimate(entry), _reading(entry)])
    note = "Paired: both models on the same resampled examples. An interval that holds 0 shows no difference."
    columns, folded = ["difference", "measure", "value (95 % interval)", ""], ""
    if stacked:
        folded = "Differences of the stack and of the network from every other model"
    return Table(columns, rows, (0, 1, 3), folded=folded, note=note) if rows else None


def _told(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what sets the stack, then the network, apart from all others; the rest is for machines."""
    chosen = []
    for key in (STACK, NETWORK):
        for entry in entries:
            sides = {entry.get("model"), entry.get("against")}
            if key in sides and not (key == NETWORK and STACK in sides):
                chosen.append(entry if entry.get("model") == key else _turned(entry))
    return chosen


def _turned(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the same difference the other way round."""
    value, lower, upper = (number_or_none(entry.get(key)) for key in ("value", "lower", "upper"))
    numbers = {"value": value, "lower": upper, "upper": lower}
    sides = {"model": entry.get("against"), "against": entry.get("model")}
    return entry | sides | {key: None if number is None else -number for key, number in numbers.items()}


def _reading(entry: dict[str, Any]) -> str:
    lower, upper = (number_or_none(entry.get(side)) for side in ("lower", "upper"))
    if lower is None or upper is None:
        return ""
    return "beyond chance" if lower > 0 or upper < 0 else "within chance"
