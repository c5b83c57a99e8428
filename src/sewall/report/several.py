"""The page that sets several traits, or labels, of one training side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas

from sewall.report import words
from sewall.report.blocks import Answer, Block, Figure, Figures, Section, Table, Tile
from sewall.report.comparison import METRICS
from sewall.report.drawing import ACCENT, INK, MUTED, WIDE, drawing, grid_figure, style
from sewall.report.files import RunFiles


def answer(files: RunFiles, title: str, subtitle: str, asked: list[tuple[str, str]]) -> Answer:
    """Return what the page says of a table whose first column names the targets, its third counts the examples."""
    table = files.side_by_side
    noun, examples = str(table.columns[0]), str(table.columns[2])
    gains = table[table["network_adds_lower"] > 0]
    sentence = (
        f"{words.counted(len(table), noun)} of the same {examples}, each with a page of its own. The network "
        f"added to the stack beyond chance in {len(gains)} of {len(table)}."
    )
    low, high = words.percent(table["coverage"].min()), words.percent(table["coverage"].max())
    level = f"{words.percent(files.level)} intervals or sets hold"
    tiles = [
        Tile(
            f"{noun.capitalize()}s", words.count(len(table)), f"{words.count(table[examples].max())} {examples} at most"
        ),
        Tile(level, low if low == high else f"{low} to {high}", f"of held-out {examples}, by {noun}"),
        Tile("Network adds", f"{len(gains)} of {len(table)}", f"{noun}s in which the gain is beyond chance"),
    ]
    blocks: list[Block] = [Figures([_forest(table)], columns=1), _table(table)]
    section = Section("several", "How well is each predicted?", blocks)
    return Answer(title, subtitle, sentence, tiles[0], asked, section, [], tiles=tiles, predicts=False)


def _forest(table: pd.DataFrame) -> Figure:
    def draw(width: int) -> Canvas:
        y = np.arange(len(table))[::-1]
        with style():
            canvas, (axes,) = grid_figure(width, 34 * len(table) + 40, left=150, right=30, top=12)
            axes.hlines(y, table["stack_lower"], table["stack_upper"], color=ACCENT, linewidth=1.6)
            axes.plot(table["simple"], y, "o", color=MUTED, markersize=5, label="best single model")
            axes.plot(table["stack"], y, "o", color=ACCENT, markersize=6.5, label="stack of all models")
            axes.set(ylim=(-0.6, len(table) - 0.4), xlabel=_metrics(table))
            axes.set_yticks(y, [name if len(name) < 20 else f"{name[:18]}…" for name in table.iloc[:, 0]], color=INK)
            axes.spines["left"].set_visible(False)
            axes.legend(frameon=False, loc="best")
            axes.grid(axis="x")
        return canvas

    noun = str(table.columns[0])
    caption = f"In {table.columns[2]} that the models did not know. Bars: 95 % intervals of the stack."
    picture = drawing("several", f"Score of every {noun}", draw, WIDE)
    return Figure("several", f"{noun.capitalize()} by {noun}", picture, caption)


def _metrics(table: pd.DataFrame) -> str:
    return " or ".join(METRICS.get(str(name), str(name)) for name in dict.fromkeys(table["metric"]))


def _table(table: pd.DataFrame) -> Table:
    noun, examples = str(table.columns[0]), str(table.columns[2])
    rows = [
        [str(row[noun]), words.count(row[examples]), METRICS.get(str(row["metric"]), str(row["metric"])),
         words.decimal(row["stack"]), words.decimal(row["simple"]), str(row["best_simple"]),
         f"{words.signed(row['network_adds'])} ({words.signed(row['network_adds_lower'])} to "
         f"{words.signed(row['network_adds_upper'])})", words.percent(row["coverage"])]
        for row in table.to_dict("records")
    ]  # fmt: skip
    heads = [noun, examples, "measure", "stack", "best single", "which", "network adds", "intervals or sets hold"]
    return Table(heads, rows, (0, 2, 5), note=f"The pages of the {noun}s lie in the folders beside this one.")
