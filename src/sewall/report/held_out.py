"""Figures of cross-fitted models: every example predicted by models that did not know it."""

from __future__ import annotations

from sewall.report import words
from sewall.report.answer_figures import draw_folds, draw_measured, draw_weights
from sewall.report.blocks import Figure
from sewall.report.drawing import WIDE, drawing
from sewall.report.files import RunFiles, number_or_none, part, parts
from sewall.report.scores import known_answers, metric_name, metric_of, model_name, target_name


def measured(files: RunFiles) -> Figure:
    """Draw predictions of held-out examples against what was measured."""
    people, name = known_answers(files.predictions), target_name(files)
    alt = f"{name} as measured against its prediction, for {words.counted(len(people), 'held-out ' + files.noun)}"
    picture = drawing("measured", alt, lambda width: draw_measured(people, width, name))
    caption = (
        f"Each point is one {files.noun}, predicted by models that did not know it. Dashed: measured as predicted."
    )
    if {"lower", "upper"} <= set(people):
        level = words.percent(files.level)
        caption += f" Band: the usual {level} interval; a diamond marks one that is outside its own."
    return Figure("measured", "Measured against predicted", picture, caption)


def _fold_rows(files: RunFiles) -> list[tuple[str, str, list[float]]]:
    """Return, by model, its key, its name and its score in each fold."""
    folds = [part(entry, metric_of(files)) for entry in parts(files.evaluation, "by_fold")]
    keys = [str(model.get("key")) for model in parts(files.evaluation, "models")] or list(folds[0] if folds else ())
    found = [(key, [number_or_none(fold.get(key)) for fold in folds]) for key in keys]
    return [
        (key, model_name(files, key), [value for value in values if value is not None])
        for key, values in found
        if any(value is not None for value in values)
    ]


def folds(files: RunFiles) -> list[Figure]:
    """Draw the score of every model in each fold; nothing where a run has none."""
    rows = _fold_rows(files)
    if not rows:
        return []
    sizes = [number_or_none(entry.get("n")) for entry in parts(files.evaluation, "by_fold")]
    known = [int(size) for size in sizes if size is not None]
    name = metric_name(files)
    label = "Correlation with the measurement" if metric_of(files) == "pearson" else name
    picture = drawing("folds", f"{name} of every model in each fold", lambda width: draw_folds(rows, width, label))
    caption = "Each circle is one fold, the stroke their mean."
    if known:
        each = f"{min(known):,}" if min(known) == max(known) else f"{min(known):,} to {max(known):,}"
        caption = f"Each circle is one fold of {each} {files.noun}s, the stroke their mean."
    return [Figure("folds", "Fold by fold", picture, caption)]


def weights_by_fold(files: RunFiles, key: str) -> list[float]:
    """Return the weight of a model in the stack of each fold."""
    found = [number_or_none(fold.get(key)) for fold in parts(part(files.evaluation, "stack"), "by_fold")]
    return [value for value in found if value is not None]


def weights_of(files: RunFiles, weights: dict[str, float]) -> Figure:
    """Draw the weight of every model in the stack."""
    rows = [(key, model_name(files, key), float(value), weights_by_fold(files, key)) for key, value in weights.items()]
    picture = drawing("weights", "Weight of every model in the stack", lambda width: draw_weights(rows, width), WIDE)
    caption = (
        "Bars: the stack that is shipped. Circles: the stacks of the folds, which gave the scores. Models that say "
        "much the same share their weight by chance: a weight of 0 does not make a model worthless."
    )
    return Figure("weights", "Weights in the stack", picture, caption)
