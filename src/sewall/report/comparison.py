"""Was the network needed: every model on the same held-out examples, and the plain verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas

from sewall.report import words
from sewall.report.blocks import Block, Figure, Figures, Section, Table, Text, Tile
from sewall.report.drawing import ACCENT, INK, MUTED, NARROW, WIDE, drawing, grid_figure, style
from sewall.report.files import RunFiles, number_or_none, part, parts

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
    if files.evaluation.get("verdict"):
        blocks.append(Text([str(files.evaluation["verdict"])]))
    metric = _first_metric(models)
    if metric:
        blocks.append(Figures([_forest(models, metric)], columns=1))
    blocks.append(_table(files, models))
    differences = _differences(files, models)
    if differences:
        blocks.append(differences)
    return Section("models", "Was the network needed at all?", blocks)


def tile(files: RunFiles) -> Tile:
    """Return the network and its best rival in one number."""
    models = parts(files.evaluation, "models")
    metric = _first_metric(models)
    if not models or metric is None:
        return Tile("Accuracy", words.MISSING, "not measured in this run")
    network = next((model for model in models if model.get("key") == "network"), models[0])
    rivals = [model for model in models if model is not network and _value(model, metric) is not None]
    best = max(rivals, key=lambda model: _value(model, metric) or 0.0, default=None)
    rival = f"{best.get('name', best.get('key'))}: {words.number(_value(best, metric))}" if best else "no rival"
    return Tile(f"Network, {METRICS[metric]}", words.number(_value(network, metric)), rival)


def sentence(files: RunFiles) -> str:
    """Return the verdict."""
    verdict = str(files.evaluation.get("verdict") or "").strip()
    return verdict or "No simple model was compared with the network in this run."


def _value(model: dict[str, Any], metric: str) -> float | None:
    return number_or_none(part(part(model, "metrics"), metric).get("value"))


def _first_metric(models: list[dict[str, Any]]) -> str | None:
    """Return the metric to draw: the first of those where more is better that a model has."""
    drawn = ("r2", "spearman", "pearson", "auroc", "accuracy")
    return next((key for key in drawn if any(_value(model, key) is not None for model in models)), None)


def _forest(models: list[dict[str, Any]], metric: str) -> Figure:
    shown = [model for model in models if _value(model, metric) is not None]

    def draw(width: int) -> Canvas:
        names = [str(model.get("name", model.get("key"))) for model in shown]
        y = np.arange(len(shown))[::-1]
        with style():
            left = 150 if width <= NARROW else min(330, 24 + 7 * max(len(name) for name in names))
            canvas, (axes,) = grid_figure(width, 34 * len(shown) + 12, left=left, right=30, top=12)
            for row, model in zip(y, shown, strict=True):
                _forest_row(axes, row, part(part(model, "metrics"), metric), model.get("key") == "network")
            axes.set(ylim=(-0.6, len(shown) - 0.4), xlabel=f"{METRICS[metric]} (higher is better)")
            axes.set_yticks(y, [name if width > NARROW else _fold(name) for name in names], color=INK)
            axes.spines["left"].set_visible(False)
            axes.locator_params(axis="x", nbins=4 if width <= NARROW else 7)
            axes.margins(x=0.12)
            axes.grid(axis="x")
        return canvas

    alt = f"{METRICS[metric]} of every model with 95 % intervals"
    caption = (
        "All models learned from the same examples and were tested on the same held-out ones. Bars: 95 % intervals."
    )
    return Figure("models", "Network and simple models", drawing("models", alt, draw, WIDE), caption)


def _forest_row(axes: Any, row: int, metric: dict[str, Any], network: bool) -> None:
    colour = ACCENT if network else MUTED
    value = float(metric["value"])
    lower, upper = (number_or_none(metric.get(side)) for side in ("lower", "upper"))
    axes.hlines(row, value if lower is None else lower, value if upper is None else upper, color=colour, linewidth=2)
    axes.plot(value, row, marker="o", markersize=8, color=colour)


def _fold(name: str, limit: int = 18) -> str:
    head, _, tail = name.partition(" ")
    while tail and len(f"{head} {tail.partition(' ')[0]}") <= limit:
        word, _, tail = tail.partition(" ")
        head = f"{head} {word}"
    return f"{head}\n{tail}" if tail else head


def _table(files: RunFiles, models: list[dict[str, Any]]) -> Table:
    present = [key for key in METRICS if any(_value(model, key) is not None for model in models)]
    present += sorted({key for model in models for key in part(model, "metrics")} - set(METRICS))
    columns = ["model", *(METRICS.get(key, key) for key in present), "parameters", "time to fit"]
    rows = [_row(model, present) for model in models]
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
    rows = []
    for entry in parts(files.evaluation, "differences"):
        model, against = (names.get(entry.get(side), str(entry.get(side))) for side in ("model", "against"))
        metric = METRICS.get(str(entry.get("metric")), str(entry.get("metric")))
        rows.append([f"{model} minus {against}", metric, words.estimate(entry), _reading(entry)])
    note = "Paired: both models on the same resampled examples. An interval that holds 0 shows no difference."
    return Table(["difference", "measure", "value (95 % interval)", ""], rows, (0, 1, 3), note=note) if rows else None


def _reading(entry: dict[str, Any]) -> str:
    lower, upper = (number_or_none(entry.get(side)) for side in ("lower", "upper"))
    if lower is None or upper is None:
        return ""
    return "beyond chance" if lower > 0 or upper < 0 else "within chance"
