"""The page of a transfer: a bundle of another study beside a training from scratch, on the same individuals."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas

from sewall.report import trait_predicting, trait_training, words
from sewall.report.blocks import Answer, Block, Figure, Figures, Section, Table, Text, Tile
from sewall.report.comparison import METRICS
from sewall.report.drawing import ACCENT, INK, MUTED, NARROW, WIDE, drawing, grid_figure, style
from sewall.report.files import RunFiles, part, parts
from sewall.report.scores import interval, metric_name, metric_of, reached, target_name, with_what

TRANSFER, SCRATCH = "transfer", "scratch"


def answer(files: RunFiles, source: str, subtitle: str) -> Answer:
    """Return what the page says."""
    arms = {str(arm.get("key")): arm for arm in parts(files.evaluation, "arms")}
    scores = {key: part(part(arm, "metrics"), metric_of(files)) for key, arm in arms.items()}
    adds = part(files.evaluation, "transfer_adds")
    tiles = [
        _tile("With the bundle", scores.get(TRANSFER, {})),
        _tile("From scratch", scores.get(SCRATCH, {})),
        _tile("The bundle as it is", scores.get("zero_shot", {})),
        Tile("The transfer adds", words.signed(adds.get("value")), f"{words.signed(adds.get('lower'))} to "
             f"{words.signed(adds.get('upper'))}, {_reading(adds)}"),
    ]  # fmt: skip
    asked = [("Trait", target_name(files)), *trait_predicting.asked(files), *trait_training.asked(files)]
    section = Section("transfer", "Does the other study help?", _blocks(files, arms, scores))
    more = [trait_training.section(files), *trait_training.stack_sections(files), *trait_predicting.more(files)]
    doubts = trait_predicting.doubts(files)
    title = f"{target_name(files)} carried to {source}"
    return Answer(
        title, subtitle, _sentence(files, scores, adds), tiles[0], asked, section, doubts, more=more, tiles=tiles
    )


def _tile(label: str, known: dict[str, Any]) -> Tile:
    return Tile(label, words.decimal(known.get("value")), f"{interval(known)} (95 % interval)")


def _reading(adds: dict[str, Any]) -> str:
    if adds.get("lower", 0) > 0:
        return "a gain beyond chance"
    return "a loss beyond chance" if adds.get("upper", 0) < 0 else "within chance"


def _sentence(files: RunFiles, scores: dict[str, dict[str, Any]], adds: dict[str, Any]) -> str:
    with_it, without = (words.decimal(scores.get(key, {}).get("value")) for key in (TRANSFER, SCRATCH))
    return (
        f"In {files.evaluation.get('n', 0):,} individuals of the new study that were held out, predictions with the "
        f"bundle have {reached(files, with_it)}{with_what(files)}, those of a training from scratch {without}: the "
        f"transfer adds {words.signed(adds.get('value'))} ({words.signed(adds.get('lower'))} to "
        f"{words.signed(adds.get('upper'))}), {_reading(adds)}."
    )


def _blocks(files: RunFiles, arms: dict[str, Any], scores: dict[str, dict[str, Any]]) -> list[Block]:
    lead = (
        "Every way of using the bundle was judged on the same individuals, in the same folds, as a training from "
        "scratch with the genotypes of the new study alone."
    )
    return [Text([lead]), Figures([_forest(files, arms, scores)], columns=1), _table(arms)]


def _forest(files: RunFiles, arms: dict[str, Any], scores: dict[str, dict[str, Any]]) -> Figure:
    keys = [key for key in arms if scores[key].get("value") is not None]
    names = [str(arms[key].get("name")) for key in keys]

    def draw(width: int) -> Canvas:
        y = np.arange(len(keys))[::-1]
        with style():
            left = 150 if width <= NARROW else min(400, 24 + 7 * max(map(len, names)))
            canvas, (axes,) = grid_figure(width, 34 * len(keys) + 12, left=left, right=30, top=12)
            for place, key in zip(y, keys, strict=True):
                colour = MUTED if key.startswith(SCRATCH) else ACCENT
                known = scores[key]
                axes.hlines(place, known["lower"], known["upper"], color=colour, linewidth=1.6)
                axes.plot(known["value"], place, "o", color=colour, markersize=6.5)
            axes.set(ylim=(-0.6, len(keys) - 0.4), xlabel=f"{metric_name(files)} (higher is better)")
            axes.set_yticks(y, [name if width > NARROW else f"{name[:22]}…" for name in names], color=INK)
            axes.spines["left"].set_visible(False)
            axes.margins(x=0.12)
            axes.grid(axis="x")
        return canvas

    caption = "Coloured: with the bundle of the other study; grey: from scratch. Bars: 95 % intervals."
    return Figure("arms", "With the bundle and without", drawing("arms", "Scores of all ways", draw, WIDE), caption)


def _table(arms: dict[str, Any]) -> Table:
    metrics = list(dict.fromkeys(name for arm in arms.values() for name in part(arm, "metrics")))
    rows = [
        [str(arm.get("name")), *(words.decimal(part(part(arm, "metrics"), name).get("value")) for name in metrics)]
        for arm in arms.values()
    ]
    note = "The bundle of this run predicts by the stack with the bundle; that from scratch lies in scratch/bundle."
    return Table(["way", *(METRICS.get(name, name) for name in metrics)], rows, (0,), note=note)
