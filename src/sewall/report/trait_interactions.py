"""Is there more than additive effects: the gain, and what untyped additive causes would give."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas

from sewall.report import words
from sewall.report.blocks import Block, Figure, Figures, Section, Table, Text
from sewall.report.drawing import ACCENT, FAINT, INK, MUTED, drawing, grid_figure, heading, style
from sewall.report.files import RunFiles, number_or_none, part

_PANEL = 240
_NAMES = {"gblup": "GBLUP", "dominance": "additive + dominance", "gaussian": "Gaussian kernel"}


def section(files: RunFiles) -> Section | None:
    """Return the section; None where the run did not ask."""
    told = part(files.evaluation, "interactions")
    gain = part(told, "gain")
    if number_or_none(gain.get("value")) is None:
        return None
    control = part(told, "control")
    blocks: list[Block] = [Text(_said(gain, control, bool(told.get("claim")), bool(told.get("grouped"))))]
    if control:
        blocks += [Figures([_null(control)]), _table(control)]
    return Section("interactions", "Is there more than additive effects?", blocks)


def _said(gain: dict[str, Any], control: dict[str, Any], claim: bool, grouped: bool) -> list[str]:
    lower, upper = float(gain["lower"]), float(gain["upper"])
    first = (
        "The stack of all models against that of additive ones alone (GBLUP, LASSO, p-value cutoff, clumping and the "
        f"like): {words.signed(gain['value'])} (95 % interval {words.signed(lower)} to {words.signed(upper)})."
    )
    if not control:
        after = "beyond chance, but no control was made." if lower > 0 else "which is within chance: none is claimed."
        return [first.removesuffix(".") + f", {after}"]
    words_of_it = str(control.get("words"))
    if claim:
        return [first, words_of_it]
    why = " No effect that is not additive is claimed"
    if control.get("verdict") == "non-additive" and not grouped:
        why += ": folds were drawn at random, and relatives share more than their genes. Groups (--groups) would tell"
    return [first, f"{words_of_it}{why}."]


def _null(control: dict[str, Any]) -> Figure:
    null = np.array(control["null"], float)

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, _PANEL)
            axes.hist(null, bins=12, color=MUTED, alpha=0.6)
            axes.axvline(control["upper"], color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)))
            axes.axvline(control["observed"], color=ACCENT, linewidth=2.2)
            side = "right" if control["observed"] > np.mean(axes.get_xlim()) else "left"
            axes.text(control["observed"], axes.get_ylim()[1], " observed ", color=INK, va="top", ha=side, fontsize=10)
            axes.locator_params(axis="y", nbins=4, integer=True)
            axes.set_xlabel("Gain of the best non-additive model over GBLUP")
            axes.grid(axis="y")
            heading(axes, "Simulated additive traits")
        return canvas

    caption = (
        f"Grey: additive traits with {control['causal']} causal sites, which were then removed with all that say the "
        "same. Dashed: 95 % of them lie below."
    )
    return Figure("tagging", "Could untyped causes do this?", drawing("tagging", "Gains by tagging", draw), caption)


def _table(control: dict[str, Any]) -> Table:
    found = part(control, "correlations")
    rows = [[_NAMES.get(key, key), words.decimal(value)] for key, value in found.items()]
    note = (
        f"Three folds of their own. p against tagging {words.decimal(control['p'])}; p when individuals exchange the "
        f"answers of both models {words.decimal(control['exchanged'])}."
    )
    return Table(["model", "correlation, covariates taken out"], rows, (0,), note=note)
