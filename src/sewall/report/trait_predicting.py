"""The page of a prediction: what is predicted for new individuals, and what became of the sites of the bundle."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sewall.data.panels.harmonise import USED
from sewall.report import words
from sewall.report.answer_figures import draw_distribution, draw_ranked
from sewall.report.blocks import Block, Figure, Figures, Notice, Section, Table, Text, Tile
from sewall.report.classes import calls, chances, classes_of, table_columns
from sewall.report.comparison import STACK
from sewall.report.drawing import drawing
from sewall.report.files import RunFiles, part
from sewall.report.scores import (
    answers_table,
    in_words,
    known_answers,
    reached,
    score,
    target_name,
    with_what,
)

FEW_SITES = 0.9  # share of the variation of the bundle's sites below which accuracy is in doubt
_COLUMNS = {
    "estimate": "predicted", "lower": "lower", "upper": "upper", "simple": "best single model", "network": "network",
    "support": "status", "reason": "",
}  # fmt: skip
_UNUSABLE = " The data lie outside what the models were trained on: do not use these predictions as they stand."


def sentence(files: RunFiles) -> str:
    """Say what is predicted, for how many."""
    people, name = known_answers(files.predictions), target_name(files)
    if not len(people):
        return f"No individual could be answered: {name} is not predicted for anybody."
    if classes_of(files):
        return _called(files, people)
    low, middle, high = (words.number(people["estimate"].quantile(at)) for at in (0, 0.5, 1))
    all_of = "" if len(people) == len(files.predictions) else f" of {len(files.predictions):,}"
    who = f"{len(people):,}{all_of} {'individual' if len(files.predictions) == 1 else 'individuals'}"
    said = f"{name} is predicted for {who}"
    said += f": {middle}." if len(people) == 1 else f", from {low} to {high} with a median of {middle}."
    return said + _accuracy(files) + (_UNUSABLE if files.support_status == "outside" else "")


def _called(files: RunFiles, people: pd.DataFrame) -> str:
    """Say how many are called what."""
    counts = people["label"].astype(str).value_counts()
    each = ", ".join(f"{name} {int(counts.get(name, 0)):,}" for name in classes_of(files))
    said = f"{target_name(files)} is predicted for {words.counted(len(people), 'individual')}: {each}."
    return said + _accuracy(files) + (_UNUSABLE if files.support_status == "outside" else "")


def _accuracy(files: RunFiles) -> str:
    known = score(files, STACK)
    if not known:
        return ""
    return f" Such predictions of held-out individuals had {reached(files, in_words(known))}{with_what(files)}."


def tile(files: RunFiles) -> Tile:
    """Return the median prediction."""
    if classes_of(files):
        return _commonest(files)
    estimates, label = known_answers(files.predictions).get("estimate"), f"Median {target_name(files)}"
    if estimates is None or not len(estimates):
        return Tile(label, words.MISSING, "nobody could be answered")
    spread = f"{words.number(estimates.min())} to {words.number(estimates.max())} across individuals"
    return Tile(label, words.number(estimates.median()), spread, "outside" if files.support_status == "outside" else "")


def _commonest(files: RunFiles) -> Tile:
    people = known_answers(files.predictions)
    if not len(people):
        return Tile(target_name(files), words.MISSING, "nobody could be answered")
    counts = people["label"].astype(str).value_counts()
    share = words.percent(int(counts.iloc[0]) / len(people))
    status = "outside" if files.support_status == "outside" else ""
    return Tile(f"Called {counts.index[0]}", share, f"of {words.counted(len(people), 'individual')}", status)


def beside(files: RunFiles) -> None:
    """Return nothing: the support of new individuals is checked and has the place."""


def asked(files: RunFiles) -> list[tuple[str, str]]:
    """Return which bundle was asked."""
    bundle = part(files.run, "arguments").get("bundle")
    rows = [("Bundle", str(Path(str(bundle))))] if bundle else []
    used, total = _matched(files)
    if total:
        rows.append(("Sites of the bundle", f"{used:,} of {total:,} are in these data"))
    return rows


def _matched(files: RunFiles) -> tuple[int, int]:
    """Return how many sites of the bundle were found and could be used, and how many it has."""
    outcomes = files.matches.get("outcome", pd.Series(dtype=str))
    return int(outcomes.isin(USED).sum()), len(outcomes)


def _told(files: RunFiles) -> float | None:
    """Return the share of the variation of the bundle's sites that these data tell, filled in sites included."""
    if "known" in files.matches:
        return float(files.matches["known"].mean())
    used, total = _matched(files)
    return used / total if total else None


def section(files: RunFiles) -> Section:
    """Return the section with the predictions."""
    people, name = known_answers(files.predictions), target_name(files)
    question = f"Which {name} is predicted?"
    if not len(people):
        return Section("trait", question, [Text(["This run has no predictions to draw."])])
    blocks: list[Block] = []
    if files.support_status == "outside":
        blocks.append(Notice("outside", "Do not use these predictions as they stand: the data lie outside."))
    if classes_of(files):
        columns = table_columns(files, False)
        blocks += [calls(files, people), Figures([chances(files, people, False)]), answers_table(files, columns)]
    else:
        blocks += [Figures(_figures(files, people)), answers_table(files, _COLUMNS)]
    return Section("trait", question, blocks)


def _figures(files: RunFiles, people: pd.DataFrame) -> list[Figure]:
    name = target_name(files)
    spread = drawing(
        "spread", f"Histogram of predicted {name}", lambda width: draw_distribution(people, width, name, files.noun)
    )
    ranked = drawing(
        "ranked", f"Predicted {name} of each individual", lambda width: draw_ranked(people, width, name, files.noun)
    )
    caption = "Predictions vary less than the trait itself: they leave out what genotypes do not tell."
    marked = _marks(people, "Amber: doubtful.", "Hatched: outside.")
    order = f"Bars: {words.percent(files.level)} intervals." if "lower" in people else ""
    shapes = _marks(people, "Triangles: doubtful.", "Diamonds: outside, no interval claimed.")
    return [
        Figure("spread", "How predictions are distributed", spread, " ".join(filter(None, [caption, marked]))),
        Figure("ranked", "From the lowest to the highest", ranked, " ".join(filter(None, [order, shapes]))),
    ]


def _marks(people: pd.DataFrame, doubtful: str, outside: str) -> str:
    statuses = set(people["support"]) if "support" in people else set()
    said = {"warn": doubtful, "outside": outside}
    return " ".join(text for status, text in said.items() if status in statuses)


def more(files: RunFiles) -> list[Section]:
    """Return the section on the sites of the bundle."""
    used, total = _matched(files)
    if not total:
        return []
    counts = files.matches["outcome"].value_counts()
    order = [name for name in USED if name in counts] + [str(name) for name in counts.index if name not in USED]
    rows = [[name, words.count(int(counts[name])), words.percent(counts[name] / total)] for name in order]
    lead = (
        f"Of the {total:,} sites that the bundle was trained on, {used:,} ({words.percent(used / total)}) were found "
        "and used. Sites are matched by place and letters, whichever way round they are written."
    )
    told = _told(files)
    if used < total and told is not None:
        lead += (
            f" The others were filled in from the linkage among the training individuals: {words.percent(told)} of the "
            "variation of the bundle's sites is told by these data."
        )
    note = "Every site with what became of it: match_report.tsv."
    table = Table(["what became of it", "sites", "share"], rows, (0,), note=note)
    return [Section("sites", "What became of the bundle's sites?", [Text([lead]), table])]


def doubts(files: RunFiles) -> list[tuple[str, str]]:
    """Return who and what is in doubt."""
    found: list[tuple[str, str]] = []
    counts = files.support_counts
    if counts["outside"]:
        lie = "lies" if counts["outside"] == 1 else "lie"
        text = f"{words.counted(counts['outside'], 'individual')} {lie} outside: no interval is claimed for them."
        found.append(("outside", text))
    if counts["warn"]:
        be = "is" if counts["warn"] == 1 else "are"
        found.append(("warn", f"{words.counted(counts['warn'], 'individual')} {be} doubtful; the table says why."))
    told = _told(files)
    if told is not None and told < FEW_SITES:
        text = f"Only {words.percent(told)} of the variation of the bundle's sites is told by these data: expect less"
        found.append(("warn", f"{text} than the scores say."))
    return found
