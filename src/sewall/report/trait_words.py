"""What both verbs of the trait job say the same way."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sewall.report import words
from sewall.report.blocks import Table
from sewall.report.files import RunFiles, number_or_none, part, parts

MAX_ROWS = 500
PEARSON = "pearson"


def trait_name(files: RunFiles) -> str:
    """Return the name of the trait, as its column is called."""
    asked = part(files.run, "arguments").get("trait")
    return str(asked or part(files.evaluation, "target").get("name") or "the trait")


def model_of(files: RunFiles, key: str) -> dict[str, Any]:
    """Return what the evaluation holds of one model, or nothing."""
    return next((model for model in parts(files.evaluation, "models") if model.get("key") == key), {})


def model_name(files: RunFiles, key: str) -> str:
    """Return the name of a model in front of people."""
    return str(model_of(files, key).get("name") or key)


def correlation(files: RunFiles, key: str) -> dict[str, Any]:
    """Return a model's correlation with what was measured, with its interval; empty where there is none."""
    found = part(part(model_of(files, key), "metrics"), PEARSON)
    return found if number_or_none(found.get("value")) is not None else {}


def interval(known: dict[str, Any]) -> str:
    """Return the interval of a correlation in words."""
    return f"{words.decimal(known.get('lower'))} to {words.decimal(known.get('upper'))}"


def in_words(known: dict[str, Any]) -> str:
    """Return a correlation with its interval in words.

    >>> in_words({"value": 0.7312, "lower": -0.05, "upper": 0.8})
    '0.731 (−0.050 to 0.800)'
    """
    return f"{words.decimal(known.get('value'))} ({interval(known)})"


def people_table(files: RunFiles, columns: dict[str, str]) -> Table:
    """Return the predictions as a table that is folded away.

    Args:
        files: the run.
        columns: headings by column of ``predictions.tsv``; those with text are ``support`` and ``reason``.
    """
    people = files.predictions
    shown = people.head(MAX_ROWS)
    present = {name: heading for name, heading in columns.items() if name in people}
    text = ("support", "reason")
    rows = [
        [str(row["sample_id"]), *(_word(row[name]) if name in text else words.number(row[name]) for name in present)]
        for row in shown.to_dict("records")
    ]
    note = f"Lower and upper bound the {words.percent(files.level)} interval. "
    note += "The same table for machines: predictions.tsv."
    if len(shown) < len(people):
        note = f"The first {MAX_ROWS} of {words.counted(len(people), 'individual')}. {note}"
    flush = (0, *(i for i, name in enumerate(present, start=1) if name in text))
    marks = [str(status) for status in shown["support"]] if "support" in present else []
    heads = ["individual", *present.values()]
    return Table(heads, rows, flush, marks, folded="All individuals as a table", note=note)


def _word(value: object) -> str:
    return str(value) if isinstance(value, str) and value else ""


def known_answers(people: pd.DataFrame) -> pd.DataFrame:
    """Return the individuals that were answered."""
    return people[people["estimate"].notna()] if "estimate" in people else people.iloc[:0]
