"""What a run of this job leaves behind beside its bundle: tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sewall.bundle import Bundle
from sewall.crossrun import STATUSES, chosen_columns, class_columns, quantity_columns
from sewall.stacking import STACK, Nested
from sewall.task import Examples, Target
from sewall.trust.held_out import held_out_intervals, held_out_sets


def predictions_table(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the table of predictions; nothing is claimed for individuals outside the support."""
    return _claimed(answers[chosen_columns(answers)])


def _claimed(answers: pd.DataFrame) -> pd.DataFrame:
    table = answers.copy()
    claims = [name for name in ("lower", "upper", "set") if name in table]
    table.loc[table["support"] == "outside", claims] = np.nan
    return table


def held_out_table(examples: Examples, nested: Nested, bundle: Bundle, target: Target, level: float) -> pd.DataFrame:
    """Return everybody's prediction by models that did not know them, beside what was measured."""
    assert examples.target is not None
    answers, measured = nested.answers, examples.target[nested.rows]
    beside = answers[bundle.about["best_simple"]], answers["network"]
    if target.classes:
        members = held_out_sets(bundle.calibration, level, 0)
        columns: dict[str, Any] = class_columns(target, answers[STACK], members, *beside)
        known: Any = np.array(target.classes, object)[measured.astype(int)]
    else:
        columns = quantity_columns(target, answers[STACK], held_out_intervals(bundle.calibration, level), *beside)
        known = measured
    table = pd.DataFrame({"sample_id": examples.keys["sample_id"].to_numpy()[nested.rows], **columns})
    table["support"] = [STATUSES[code] for code in bundle.calibration["status"]]
    table["measured"] = known
    return _claimed(table[chosen_columns(table, extra=("measured",))])


def models_table(examples: Examples, nested: Nested, target: Target) -> pd.DataFrame:
    """Return what every model answered about everybody without knowing them; of classes a column for each."""
    columns: dict[str, Any] = {"sample_id": examples.keys["sample_id"].to_numpy()[nested.rows]}
    for key, values in nested.answers.items():
        told = target.backward(values)
        if target.classes:
            columns |= {f"{key}:{name}": told[:, k] for k, name in enumerate(target.classes)}
        else:
            columns[key] = told
    return pd.DataFrame(columns)


def answer_of(table: pd.DataFrame, key: str, target: Target) -> np.ndarray:
    """Return one model's answers from a table of `models_table`: ``(rows,)``, or ``(rows, classes)`` chances."""
    if target.classes:
        return table[[f"{key}:{name}" for name in target.classes]].to_numpy(float)
    return table[key].to_numpy(float)


def measured_table(answers: pd.DataFrame, target: Target, truth: np.ndarray) -> pd.DataFrame:
    """Return the predictions of new individuals beside what was measured of them."""
    known = np.isfinite(truth)
    table = answers.copy()
    if target.classes:
        names = np.array([*target.classes, ""], object)
        table["measured"] = names[np.where(known, truth, -1).astype(int)]
        table.loc[~known, "measured"] = np.nan
    else:
        table["measured"] = truth
    return _claimed(table[chosen_columns(table, extra=("measured",))])


def header(trait: str, level: float, held_out: bool) -> list[str]:
    """Return the comment lines above a table."""
    what = "each by models that did not know the individual" if held_out else "individuals not in the training"
    return [f"units: {trait} as it was given; {100 * level:g} % intervals or sets", f"predictions: {what}"]
