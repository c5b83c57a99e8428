"""The tables that a run with cross-fitted models leaves behind beside its bundle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.bundle import Bundle
from sewall.claims import STATUSES, class_columns
from sewall.crossrun import quantity_columns
from sewall.stacking import STACK, Nested
from sewall.task import Examples, Target
from sewall.trust.held_out import held_out_intervals, held_out_sets


def predictions_table(answers: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return the table of predictions under its *keys*; nothing is claimed for examples outside the support."""
    return _claimed(answers[chosen_columns(answers, keys)])


def chosen_columns(table: pd.DataFrame, keys: Sequence[str], extra: Sequence[str] = ()) -> list[str]:
    """Return the columns of a table of predictions in the order in which people read them."""
    answer = [name for name in ("estimate", "lower", "upper", "label") if name in table]
    chances = [str(name) for name in table.columns if str(name).startswith("p_")]
    after = [name for name in ("set", "simple", "support", "network", *extra, "reason") if name in table]
    return [*map(str, keys), *answer, *chances, *after]


def _claimed(answers: pd.DataFrame) -> pd.DataFrame:
    table = answers.copy()
    claims = [name for name in ("lower", "upper", "set") if name in table]
    table.loc[table["support"] == "outside", claims] = np.nan
    return table


def held_out_table(examples: Examples, nested: Nested, bundle: Bundle, target: Target, level: float) -> pd.DataFrame:
    """Return the prediction of every example by models that did not know it, beside what was measured."""
    assert examples.target is not None
    answers, measured = nested.answers, examples.target[nested.rows]
    beside = {"simple": answers[bundle.about["best_simple"]], "network": answers["network"]}
    if target.classes:
        members = held_out_sets(bundle.calibration, level, 0, bundle.about["abstains"])
        columns: dict[str, Any] = class_columns(target.classes, target.backward(answers[STACK]), members, beside)
        known: Any = np.array(target.classes, object)[measured.astype(int)]
    else:
        columns = quantity_columns(target, answers[STACK], held_out_intervals(bundle.calibration, level), beside)
        known = measured
    keys = examples.keys.iloc[nested.rows].reset_index(drop=True)
    table = keys.assign(**columns)
    table["support"] = [STATUSES[code] for code in bundle.calibration["status"]]
    table["measured"] = known
    return _claimed(table[chosen_columns(table, list(map(str, keys.columns)), ("measured",))])


def models_table(examples: Examples, nested: Nested, target: Target) -> pd.DataFrame:
    """Return what every model answered about every example without knowing it; of classes a column for each."""
    name = str(examples.keys.columns[0])
    columns: dict[str, Any] = {name: examples.keys[name].to_numpy()[nested.rows]}
    for key, values in nested.answers.items():
        told = target.backward(values)
        if target.classes:
            columns |= {f"{key}:{name}": told[:, k] for k, name in enumerate(target.classes)}
        else:
            columns[key] = told
    return pd.DataFrame(columns)


def answer_of(table: pd.DataFrame, key: str, target: Target) -> NDArray[np.float64]:
    """Return one model's answers from a table of `models_table`: ``(rows,)``, or ``(rows, classes)`` chances."""
    if target.classes:
        return table[[f"{key}:{name}" for name in target.classes]].to_numpy(float)
    return table[key].to_numpy(float)


def measured_table(
    answers: pd.DataFrame, keys: Sequence[str], target: Target, truth: NDArray[np.float64]
) -> pd.DataFrame:
    """Return the predictions of new examples beside what was measured of them."""
    known = np.isfinite(truth)
    table = answers.copy()
    if target.classes:
        names = np.array([*target.classes, ""], object)
        table["measured"] = names[np.where(known, truth, -1).astype(int)]
        table.loc[~known, "measured"] = np.nan
    else:
        table["measured"] = truth
    return _claimed(table[chosen_columns(table, keys, ("measured",))])


def header(name: str, level: float, held_out: bool) -> list[str]:
    """Return the comment lines above a table of the target *name*."""
    what = "each by models that did not know the example" if held_out else "examples that are not in the training"
    return [f"units: {name} as it was given; {100 * level:g} % intervals or sets", f"predictions: {what}"]
