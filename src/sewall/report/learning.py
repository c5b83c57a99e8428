"""How the network learned: its loss by epoch."""

from __future__ import annotations

from matplotlib.figure import Figure as Canvas

from sewall.report import words
from sewall.report.blocks import Figure, Figures, Section
from sewall.report.drawing import ACCENT, MUTED, WIDE, drawing, grid_figure, heading, style
from sewall.report.files import RunFiles, number_or_none, parts

Curve = list[tuple[float, float]]


def section(files: RunFiles) -> Section | None:
    """Return the section on learning, or None where this run trained nothing."""
    rows = parts(files.evaluation, "learning")
    members = sorted({str(row.get("member", 0)) for row in rows})
    curves = {
        kind: [_curve([row for row in rows if str(row.get("member", 0)) == member], kind) for member in members]
        for kind in ("train", "tune")
    }
    if not any(curves["train"] + curves["tune"]):
        return None

    def draw(width: int) -> Canvas:
        with style():
            canvas, (axes,) = grid_figure(width, 230)
            for kind, colour, strength in (("train", MUTED, 0.9), ("tune", ACCENT, 1.8)):
                for curve in filter(None, curves[kind]):
                    axes.plot(*zip(*curve, strict=True), color=colour, linewidth=strength, alpha=0.75)
            for curve in filter(None, curves["tune"]):
                axes.plot(*min(curve, key=lambda point: point[1]), marker="o", markersize=5, color=ACCENT)
            axes.set_xlabel("Epoch (one pass over the training examples)")
            axes.locator_params(axis="y", nbins=4)
            axes.locator_params(axis="x", integer=True)
            axes.grid(axis="y")
            heading(axes, "Loss (lower is better)")
        return canvas

    caption = (
        f"{words.counted(len(members), 'network')} {files.terms.members}. Coloured: loss on examples kept for tuning, "
        "with a dot at its best; grey: loss on the training examples. A widening gap is memorising."
    )
    figure = Figure("learning", "Learning curve", drawing("learning", "Loss by epoch", draw, WIDE), caption)
    return Section("learning", "How did it learn?", [Figures([figure], columns=1)])


def _curve(rows: list[dict[str, object]], kind: str) -> Curve:
    points = [(number_or_none(row.get("epoch")), number_or_none(row.get(kind))) for row in rows]
    return sorted((epoch, loss) for epoch, loss in points if epoch is not None and loss is not None)
