"""The page of a score file that was applied: the scores, and what became of its variants."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Canvas

from sewall.data.score_matching import MATCHED
from sewall.report import words
from sewall.report.blocks import Answer, Block, Figure, Figures, Section, Table, Text, Tile
from sewall.report.drawing import ACCENT, drawing, grid_figure, heading, style
from sewall.report.files import RunFiles, number_or_none, part
from sewall.tables import read_table

FEW = 0.75  # share of the weight below which the score is another than that of the file
_FILLED = {
    "mean": "what the frequency in these data lets expect",
    "file": "what the frequency in the score file lets expect",
    "zero": "nothing",
}


def answer(files: RunFiles, source: str) -> Answer:
    """Return what the page says of scores.

    Args:
        files: the run.
        source: name of the file that the genotypes came from.
    """
    told, scores = part(files.evaluation, "scored"), _scores(files)
    name = str(told.get("name") or "the score")
    used, total = int(told.get("used") or 0), int(told.get("variants") or 0)
    weight = number_or_none(told.get("weight"))
    doubtful = weight is not None and weight < FEW
    return Answer(
        title=f"{name} of {source}",
        subtitle=f"{words.counted(len(scores), 'individual')} · {words.counted(total, 'variant')} in the score file",
        sentence=(
            f"{used:,} of {total:,} variants, with {words.percent(weight)} of the weight, were found and counted in "
            f"{words.counted(len(scores), 'individual')}."
        ),
        tile=Tile("Weight found", words.percent(weight), f"{used:,} of {total:,} variants", "warn" if doubtful else ""),
        asked=_asked(told),
        section=_section(scores),
        doubts=_doubts(weight) if doubtful else [],
        beside=_spread(scores),
        more=_variants(files),
        predicts=False,
    )


def _scores(files: RunFiles) -> pd.DataFrame:
    path = files.directory / "scores.tsv"
    return read_table(path) if path.is_file() else pd.DataFrame({"score": []})


def _asked(told: dict[str, Any]) -> list[tuple[str, str]]:
    header = part(told, "header")
    keys = (("Trait", "trait_reported"), ("Build", "genome_build"), ("Weights", "weight_type"), ("Cite", "citation"))
    rows = [(label, str(header[key])) for label, key in keys if header.get(key)]
    rows.append(("A missing call adds", _FILLED.get(str(told.get("missing")), words.MISSING)))
    return [*rows, ("A male's X counts as", f"{told.get('x_males')} copies".replace("one copies", "one copy"))]


def _section(scores: pd.DataFrame) -> Section:
    question = "How are the scores distributed?"
    if not len(scores):
        return Section("trait", question, [Text(["The scores (scores.tsv) are not in this directory."])])
    picture = drawing("scores", "Histogram of the scores", lambda width: _histogram(scores, width))
    caption = "Sum of weights times copies. A score ranks individuals; it is no prediction in units of the trait."
    blocks: list[Block] = [Figures([Figure("scores", "Scores of all individuals", picture, caption)])]
    return Section("trait", question, blocks)


def _histogram(scores: pd.DataFrame, width: int) -> Canvas:
    with style():
        canvas, (axes,) = grid_figure(width, 300)
        axes.hist(
            scores["score"].to_numpy(float), bins=min(40, max(5, round(len(scores) ** 0.5))), color=ACCENT, alpha=0.75
        )
        axes.locator_params(axis="y", nbins=4, integer=True)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("Score")
        axes.grid(axis="y")
        heading(axes, "Individuals")
    return canvas


def _spread(scores: pd.DataFrame) -> Tile | None:
    if not len(scores):
        return None
    values = scores["score"].astype(float)
    return Tile(
        "Median score", words.number(values.median()), f"{words.number(values.min())} to {words.number(values.max())}"
    )


def _doubts(weight: float | None) -> list[tuple[str, str]]:
    said = f"Only {words.percent(weight)} of the weight was found: these scores are not those of the file's authors."
    return [("warn", said)]


def _variants(files: RunFiles) -> list[Section]:
    if "outcome" not in files.matches:
        return []
    counts = files.matches["outcome"].value_counts()
    order = [name for name in MATCHED if name in counts] + [str(name) for name in counts.index if name not in MATCHED]
    rows = [[name, words.count(int(counts[name])), words.percent(counts[name] / len(files.matches))] for name in order]
    lead = "Variants are found by place (or by name, where the file has no place) and then read by their letters."
    note = "Every variant with what became of it: match_report.tsv."
    table = Table(["what became of it", "variants", "share"], rows, (0,), note=note)
    return [Section("sites", "What became of the variants?", [Text([lead]), table])]
