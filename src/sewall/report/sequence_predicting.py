"""The page of a prediction: what is predicted of new sequences, and which of them not to believe."""

from __future__ import annotations

from pathlib import Path

from sewall.report import sequence_fragility, words
from sewall.report.answer_figures import draw_distribution, draw_ranked
from sewall.report.blocks import Block, Figure, Figures, Notice, Section, Text, Tile
from sewall.report.classes import calls, chances, classes_of, table_columns
from sewall.report.comparison import STACK
from sewall.report.drawing import drawing
from sewall.report.files import RunFiles, part
from sewall.report.scores import answers_table, in_words, known_answers, reached, score, target_name, with_what

_COLUMNS = {
    "estimate": "predicted", "lower": "lower", "upper": "upper", "simple": "best single model", "network": "network",
    "fragile": "fragile", "support": "status", "reason": "",
}  # fmt: skip
_UNUSABLE = " The data lie outside what the models were trained on: do not use these predictions as they stand."


def sentence(files: RunFiles) -> str:
    """Say what is predicted, of how many."""
    known, name = known_answers(files.predictions), target_name(files)
    if not len(known):
        return f"No sequence could be answered: {name} is not predicted for any."
    if classes_of(files):
        counts = known["label"].astype(str).value_counts()
        each = ", ".join(f"{called} {int(counts.get(called, 0)):,}" for called in classes_of(files))
        said = f"{name} is predicted for {words.counted(len(known), 'sequence')}: {each}."
    else:
        low, middle, high = (words.number(known["estimate"].quantile(at)) for at in (0, 0.5, 1))
        said = f"{name} is predicted for {words.counted(len(known), 'sequence')}, {low} to {high}, median {middle}."
    accuracy = score(files, STACK)
    if accuracy:
        said += f" Such predictions of held-out sequences had {reached(files, in_words(accuracy))}{with_what(files)}."
    return said + (_UNUSABLE if files.support_status == "outside" else "")


def tile(files: RunFiles) -> Tile:
    """Return the median prediction, or the commonest class."""
    known, name = known_answers(files.predictions), target_name(files)
    status = "outside" if files.support_status == "outside" else ""
    if not len(known):
        return Tile(name, words.MISSING, "no sequence could be answered")
    if classes_of(files):
        counts = known["label"].astype(str).value_counts()
        share = words.percent(int(counts.iloc[0]) / len(known))
        return Tile(f"Called {counts.index[0]}", share, f"of {words.counted(len(known), 'sequence')}", status)
    values = known["estimate"]
    spread = f"{words.number(values.min())} to {words.number(values.max())} across sequences"
    return Tile(f"Median {name}", words.number(values.median()), spread, status)


def beside(files: RunFiles) -> None:
    """Return nothing: the support of new sequences is checked and has the place."""


def asked(files: RunFiles) -> list[tuple[str, str]]:
    """Return which bundle was asked."""
    bundle = part(files.run, "arguments").get("bundle")
    return [("Bundle", str(Path(str(bundle))))] if bundle else []


def section(files: RunFiles) -> Section:
    """Return the section with the predictions."""
    known, name = known_answers(files.predictions), target_name(files)
    question = f"Which {name} is predicted?"
    if not len(known):
        return Section("sequence", question, [Text(["This run has no predictions to draw."])])
    blocks: list[Block] = []
    if files.support_status == "outside":
        blocks.append(Notice("outside", "Do not use these predictions as they stand: the data lie outside."))
    if classes_of(files):
        columns = {"fragile": "fragile", **table_columns(files, False)}
        blocks += [calls(files, known), Figures([chances(files, known, False)]), answers_table(files, columns)]
    else:
        spread = drawing("spread", f"Histogram of predicted {name}",
                         lambda width: draw_distribution(known, width, name, files.noun))  # fmt: skip
        ranked = drawing("ranked", f"Predicted {name} of each sequence",
                         lambda width: draw_ranked(known, width, name, files.noun))  # fmt: skip
        bars = f"Bars: {words.percent(files.level)} intervals."
        figures = [
            Figure("spread", "How predictions are distributed", spread, "Hatched: outside, where there are any."),
            Figure("ranked", "From the lowest to the highest", ranked, bars),
        ]
        blocks += [Figures(figures), answers_table(files, _COLUMNS)]
    return Section("sequence", question, blocks)


def more(files: RunFiles) -> list[Section]:
    """Return how steady the predictions are."""
    steady = sequence_fragility.section(files)
    return [] if steady is None else [steady]


def doubts(files: RunFiles) -> list[tuple[str, str]]:
    """Return how many sequences are in doubt, and how many answers hang on little."""
    counts = files.support_counts
    said = {"outside": "outside: nothing is claimed of them", "warn": "doubtful; the table says why"}
    found = [
        (status, f"{words.counted(counts[status], 'sequence')}: {text}.") for status, text in said.items()
        if counts[status]
    ]  # fmt: skip
    return found + sequence_fragility.doubts(files)
