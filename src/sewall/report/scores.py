"""What pages say of a target, of the scores of models, and of the answers one by one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sewall.report import words
from sewall.report.blocks import Table
from sewall.report.comparison import METRICS
from sewall.report.files import RunFiles, number_or_none, part, parts

MAX_ROWS = 500


def target_name(files: RunFiles) -> str:
    """Return the name of what is predicted, as its column is called; of several, their names."""
    asked = part(files.run, "arguments").get("trait")
    named = ", ".join(map(str, asked)) if isinstance(asked, list) else asked
    return str(part(files.evaluation, "target").get("name") or named or files.run.get("label") or "the trait")


def model_of(files: RunFiles, key: str) -> dict[str, Any]:
    """Return what the evaluation holds of one model, or nothing."""
    return next((model for model in parts(files.evaluation, "models") if model.get("key") == key), {})


def model_name(files: RunFiles, key: str) -> str:
    """Return the name of a model in front of people."""
    named = part(part(files.evaluation, "stack"), "names")
    return str(model_of(files, key).get("name") or named.get(key) or key)


def metric_of(files: RunFiles) -> str:
    """Return the key of the metric by which models are ranked."""
    return str(files.evaluation.get("metric") or "pearson")


def metric_name(files: RunFiles) -> str:
    """Return the metric in words."""
    return METRICS.get(metric_of(files), metric_of(files))


def reached(files: RunFiles, value: str) -> str:
    """Return the metric with its article and a value in words."""
    return f"a correlation of {value}" if metric_of(files) == "pearson" else f"an {metric_name(files)} of {value}"


def with_what(files: RunFiles) -> str:
    """Return what a correlation is with, to follow `reached`."""
    return " with the measurement" if metric_of(files) == "pearson" else ""


def score(files: RunFiles, key: str) -> dict[str, Any]:
    """Return a model's score, with its interval; empty where there is none."""
    found = part(part(model_of(files, key), "metrics"), metric_of(files))
    return found if number_or_none(found.get("value")) is not None else {}


def interval(known: dict[str, Any]) -> str:
    """Return the interval of a score in words."""
    return f"{words.decimal(known.get('lower'))} to {words.decimal(known.get('upper'))}"


def in_words(known: dict[str, Any]) -> str:
    """Return a score with its interval in words.

    >>> in_words({"value": 0.7312, "lower": -0.05, "upper": 0.8})
    '0.731 (−0.050 to 0.800)'
    """
    return f"{words.decimal(known.get('value'))} ({interval(known)})"


def answers_table(files: RunFiles, columns: dict[str, str]) -> Table:
    """Return the predictions as a table that is folded away.

    Args:
        files: the run.
        columns: headings by column of ``predictions.tsv``.
    """
    people = files.predictions
    shown, key = people.head(MAX_ROWS), str(people.columns[0])
    present = {name: heading for name, heading in columns.items() if name in people}
    rows = [[str(row[key]), *(_word(row[name]) for name in present)] for row in shown.to_dict("records")]
    note = "" if "set" in people else f"Lower and upper bound the {words.percent(files.level)} interval. "
    note += "The same table for machines: predictions.tsv."
    if len(shown) < len(people):
        note = f"The first {MAX_ROWS} of {words.counted(len(people), files.noun)}. {note}"
    flush = (0, *(i for i, name in enumerate(present, start=1) if not pd.api.types.is_numeric_dtype(people[name])))
    marks = [str(status) for status in shown["support"]] if "support" in present else []
    heads = [files.noun, *present.values()]
    return Table(heads, rows, flush, marks, folded=f"All {files.noun}s as a table", note=note)


def _word(value: object) -> str:
    if isinstance(value, str):
        return value
    return words.number(value) if number_or_none(value) is not None else ""


def known_answers(people: pd.DataFrame) -> pd.DataFrame:
    """Return the examples that were answered."""
    answer = next((name for name in ("estimate", "label") if name in people), None)
    return people[people[answer].notna()] if answer else people.iloc[:0]
