"""What tables claim and how often claims hold: one place for models that were split and for those cross-fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.task import Rows
from sewall.trust import diagnose
from sewall.trust.held_out import EMPTY
from sewall.trust.support import SupportCheck

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.int64]

STATUSES = ("ok", "warn", "outside")
CURVE = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # levels at which claims are tried, beside the one that was asked for
BINS = 10  # of the called class's probability, to set beside how often it is right
MOST_SHOWN = 1_000


def class_columns(
    classes: tuple[str, ...], probabilities: Floats, members: Flags, beside: Mapping[str, Floats]
) -> dict[str, Any]:
    """Return the columns of a table of predicted classes.

    Args:
        classes: their names.
        probabilities: ``(rows, classes)``.
        members: ``(rows, classes)`` which classes each set holds.
        beside: by column, ``(rows, classes)`` answers of other models, of which the call is shown.
    """
    names = np.array(classes, object)
    sets = [",".join(names[held]) or EMPTY for held in members]
    return {
        "label": names[probabilities.argmax(axis=1)],
        **{f"p_{name}": probabilities[:, k] for k, name in enumerate(classes)},
        "set": np.array(sets, object),
        **{column: names[values.argmax(axis=1)] for column, values in beside.items()},
    }


def flag(
    table: pd.DataFrame, check: SupportCheck, statistics: pd.DataFrame, place: Floats, rows: Rows, few: str, seed: int,
    labels: Mapping[str, str], estimate: Floats | None = None, counted: str = "examples", apart: Flags | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Add the columns ``support`` and ``reason`` to a table; return what the check says of all examples together.

    Args:
        table: one row per example.
        check: of the bundle.
        statistics: named numbers of *rows*.
        place: ``(rows, features)`` of the same.
        rows: examples that were answered.
        few: reason given for all others.
        seed: of the permutations.
        labels: what statistics are called in front of people.
        estimate: see `SupportCheck.batch`.
        counted: key of the numbers of examples by status.
        apart: ``(rows,)`` which of the answered examples do not overlap: only these are judged together, because what
            is said of many holds for independent ones.
    """
    values = statistics.to_numpy(float)
    own = np.ones(len(values), bool) if apart is None else apart
    each = check.examples(values, place)
    together = check.batch(values[own], place[own], seed, None if estimate is None else estimate[own])
    status = np.where(np.asarray(together.status) == "outside", "outside", each.status)
    table["support"], table["reason"] = "outside", few
    table.loc[rows, "support"] = status
    named = [f"unusual {labels.get(name, name)}" for name in each.reason]
    table.loc[rows, "reason"] = np.where(status == "ok", "", named)
    counts = {name: int((table["support"] == name).sum()) for name in STATUSES}
    support = together.to_dict() | {counted: counts}
    for row in support["statistics"]:
        row["label"] = labels.get(row["name"], row["name"])
    return support


def held_by_intervals(
    ends: Callable[[float], tuple[Floats, Floats]], truth: Floats, groups: Mapping[str, Flags], level: float
) -> dict[str, Any]:
    """Return coverage, width and interval score of intervals: of all, by group, and coverage by level.

    Args:
        ends: gives both ends, ``(examples,)`` each, at any level.
        truth: ``(examples,)`` in the same unit.
        groups: by name, ``(examples,)`` who is in it.
        level: that was asked for.
    """
    lower, upper = ends(level)
    by_group = [
        {"group": name, "n": int(rows.sum()), "coverage": _covered(lower[rows], upper[rows], truth[rows]),
         "width": float((upper - lower)[rows].mean())}
        for name, rows in groups.items()
    ]  # fmt: skip
    return {
        "coverage": _covered(lower, upper, truth), "width": float((upper - lower).mean()), "by_group": by_group,
        "curve": [{"level": at, "coverage": _covered(*ends(at), truth)} for at in CURVE],
        "interval_score": float(diagnose.interval_score(lower, upper, truth, level).mean()),
    }  # fmt: skip


def _covered(lower: Floats, upper: Floats, truth: Floats) -> dict[str, float]:
    return diagnose.coverage(lower, upper, truth).to_dict()


def held_by_sets(
    sets: Callable[[float], Flags], labels: Labels, classes: tuple[str, ...], level: float
) -> dict[str, Any]:
    """Return coverage and size of sets: of all, by true class, and by level.

    Args:
        sets: gives ``(examples, classes)`` members at any level.
        labels: ``(examples,)`` numbers of the true classes.
        classes: their names.
        level: that was asked for.
    """

    def told(members: Flags, rows: Any) -> dict[str, Any]:
        held = members[np.arange(len(labels)), labels]
        size = float(members[rows].sum(axis=1).mean())
        return {"coverage": diagnose.share(held[rows]).to_dict(), "set_size": size}

    asked = sets(level)
    own = {name: labels == k for k, name in enumerate(classes) if (labels == k).any()}
    return {
        **told(asked, slice(None)),
        "by_group": [{"group": name, "n": int(rows.sum()), **told(asked, rows)} for name, rows in own.items()],
        "curve": [{"level": at, **told(sets(at), slice(None))} for at in CURVE],
    }


def reliable(probabilities: Floats, labels: Labels) -> dict[str, Any]:
    """Return whether ``(examples, classes)`` probabilities hold: ``reliability``, and the ``calibration_error``."""
    right = probabilities.argmax(axis=1) == labels
    return {
        "reliability": reliability(probabilities, labels),
        "calibration_error": diagnose.ece(probabilities.max(axis=1), right),
    }


def reliability(probabilities: Floats, labels: Labels) -> list[dict[str, Any]]:
    """Return, by bins of the called class's probability, its mean and how often the call was right."""
    called, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((called * BINS).astype(int), BINS - 1)
    return [
        {"said": float(called[bins == k].mean()), "right": diagnose.share(right[bins == k]).to_dict(),
         "n": int((bins == k).sum())}
        for k in np.unique(bins)
    ]  # fmt: skip
