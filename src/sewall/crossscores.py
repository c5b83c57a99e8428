"""What ``evaluation.json`` holds of cross-fitted models: every score is from people that the models did not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.bundle import Bundle
from sewall.claims import MOST_SHOWN, held_by_intervals, held_by_sets, reliable
from sewall.crossfit import NETWORK, CrossTask, Floats
from sewall.errors import SewallError
from sewall.run import Predictions
from sewall.stacking import STACK, WITHOUT, Nested, Stack
from sewall.task import Examples, Rows, Target
from sewall.trust import diagnose
from sewall.trust.compare import compare, paired_difference
from sewall.trust.held_out import EMPTY, held_out_intervals, held_out_sets
from sewall.trust.metrics import CLASSIFICATION, METRICS

QUANTITY = ("pearson", "r2", "spearman", "mae", "rmse", "bias")


def metric_of(task: CrossTask) -> str:
    """Return the metric by which models of a task are ranked."""
    return "auroc" if task.target.classes else "pearson"


def evaluate(
    task: CrossTask, examples: Examples, bundle: Bundle, nested: Nested, level: float, seed: int,
    seconds: Mapping[str, float] | None = None,
) -> Any:  # fmt: skip
    """Return what ``evaluation.json`` holds; *seconds* by model are what fitting took, see `Fits`."""
    rows, target, metric = nested.rows, task.target, metric_of(task)
    truth = known_truth(task, examples, rows)
    lent = set(bundle.about["borrowed"])  # corrections by other traits: part of the stack, and no models of this one
    answers = {key: target.backward(values) for key, values in nested.answers.items() if key not in lent}
    names = {m.key: m.name for m in bundle.simple_models}
    names |= {NETWORK: f"network (mean of {len(bundle.networks)})", STACK: "stack of all models"}
    groups = None if examples.groups is None else np.asarray(examples.groups)[rows]
    compared = compare(
        truth, answers, _parameters(bundle, nested.final), metric, seed, groups, names=names,
        metrics=CLASSIFICATION if target.classes else QUANTITY, seconds=_with_stack(seconds),
    )  # fmt: skip
    adds = {
        kind: paired_difference(
            truth, answers[STACK], target.backward(values), metric, groups=groups, seed=seed
        ).to_dict()
        for kind, values in nested.lesser.items()
    }
    return {
        "target": {"name": target.name, "unit": target.unit, "transform": target.transform, "classes": target.classes},
        "n": len(rows), "level": level, "metric": metric, **compared.to_dict(),
        "beyond_base": {} if target.classes else beyond_base(answers, truth, task.base),
        "stack": {
            "base": nested.final.base, "weights": nested.final.weights, "by_fold": nested.weights, "names": names,
        },
        "network_adds": adds.pop(WITHOUT), "adds_to": adds,
        "by_fold": by_fold(answers, truth, bundle.calibration["fold"], metric),
        **(_of_classes if target.classes else _of_a_quantity)(task, bundle, answers[STACK], truth, level, seed),
    }  # fmt: skip


def evaluate_new(
    task: CrossTask,
    bundle: Bundle,
    predicted: Predictions,
    truth: Floats,
    strata: NDArray[np.int64],
    level: float,
    seed: int,
) -> dict[str, Any]:
    """Return what ``evaluation.json`` holds of a bundle's predictions of individuals that it does not know.

    Args:
        task: the job.
        bundle: that predicted.
        predicted: of everybody, with the answers of all models.
        truth: ``(examples,)`` in the target's unit, or the number of the class; NaN where it is not known.
        strata: ``(examples,)``.
        level: of intervals or sets.
        seed: of the bootstrap.

    Raises:
        SewallError: nobody was both answered and measured.
    """
    table, target, metric = predicted.table, task.target, metric_of(task)
    used = np.flatnonzero(np.isfinite(truth) & table.iloc[:, 1].notna().to_numpy())
    if len(used) < 3:
        raise SewallError(f"{len(used)} examples were both predicted and measured; give 3 or more")
    lent = set(bundle.about["borrowed"])
    answers = {key: values[used] for key, values in predicted.answers.items() if key not in lent}
    names = {m.key: m.name for m in bundle.simple_models}
    names |= {NETWORK: f"network (mean of {len(bundle.networks)})", STACK: "stack of all models"}
    compared = compare(
        truth[used], answers, _parameters(bundle, Stack(target, **bundle.about["stack"])), metric, seed, names=names,
        metrics=CLASSIFICATION if target.classes else QUANTITY,
    )  # fmt: skip
    claimed = used[(table["support"] != "outside").to_numpy()[used]]
    return {
        "target": {"name": target.name, "unit": target.unit, "transform": target.transform, "classes": target.classes},
        "n": len(used), "level": level, "metric": metric, **compared.to_dict(),
        "calibration": _held(table, target, truth, strata, claimed, task.stratum_names),
        **(reliable(answers[STACK], truth[used].astype(np.int64)) if target.classes else {}),
    }  # fmt: skip


def _held(
    table: pd.DataFrame, target: Target, truth: Floats, strata: NDArray[np.int64], rows: Rows,
    names: Mapping[int, str],
) -> dict[str, Any]:  # fmt: skip
    """Return how often what was claimed of *rows* holds, of all and by stratum."""
    if len(rows) == 0:
        return {}
    if target.classes:
        true = np.array(target.classes, object)[truth[rows].astype(int)]
        held = np.array([name in str(s).split(",") for name, s in zip(true, table["set"].iloc[rows], strict=True)])
        sets = table["set"].iloc[rows]
        size = {"set_size": float(np.where(sets == EMPTY, 0, sets.str.count(",") + 1).mean())}
    else:
        lower, upper = (table[end].to_numpy(float)[rows] for end in ("lower", "upper"))
        held = (lower <= truth[rows]) & (truth[rows] <= upper)
        size = {"width": float((upper - lower).mean())}
    groups = [
        {"group": name, "n": int(mine.sum()), "coverage": diagnose.share(held[mine]).to_dict()}
        for code, name in names.items()
        if 0 < (mine := strata[rows] == code).sum() < len(rows)
    ]
    return {"coverage": diagnose.share(held).to_dict(), **size, "by_group": groups}


def known_truth(task: CrossTask, examples: Examples, rows: Rows) -> Floats:
    """Return the target of *rows* in its unit, or the number of the class."""
    assert examples.target is not None
    return np.asarray(examples.target[rows], float)


def _parameters(bundle: Bundle, stack: Stack) -> dict[str, int]:
    sizes = {m.key: m.parameters for m in bundle.simple_models}
    sizes[NETWORK] = sum(p.numel() for network in bundle.networks for p in network.parameters())
    sizes[STACK] = 1 + sum(sizes.values())
    return sizes


def _with_stack(seconds: Mapping[str, float] | None) -> dict[str, float]:
    """Return what fitting took, of the stack what all its models took together."""
    return {**seconds, STACK: sum(seconds.values())} if seconds else {}


def beyond_base(answers: dict[str, Floats], truth: Floats, base: str) -> dict[str, float]:
    """Return, by model, the correlation of what it adds to the base model with what the base model leaves.

    With sex and other covariates as base this is the accuracy of the genetic part.
    """
    left = truth - answers[base]
    added = {key: values - answers[base] for key, values in answers.items() if key != base}
    return {key: _metric("pearson", left, values) for key, values in added.items()}


def by_fold(answers: dict[str, Floats], truth: Floats, fold: NDArray[np.int64], metric: str) -> list[dict[str, Any]]:
    """Return the metric of each model, fold by fold."""
    found = []
    for k in np.unique(fold):
        mine = fold == k
        scores = {key: _metric(metric, truth[mine], values[mine]) for key, values in answers.items()}
        found.append({"fold": int(k) + 1, "n": int(mine.sum()), metric: scores})
    return found


def _metric(metric: str, truth: Floats, answer: Floats) -> float:
    """Return a metric; 0 for the correlation with an answer that does not vary."""
    if answer.ndim == 1 and min(truth.std(), answer.std()) < 1e-12:
        return 0.0
    return METRICS[metric].function(truth, answer)


def _of_a_quantity(
    task: CrossTask, bundle: Bundle, answer: Floats, truth: Floats, level: float, seed: int
) -> dict[str, Any]:
    shown = np.linspace(0, len(truth) - 1, min(len(truth), MOST_SHOWN)).astype(int)
    scatter = np.column_stack([truth, answer])[shown].tolist()
    return {"calibration": _intervals(task, bundle, truth, level), "scatter": scatter}


def _intervals(task: CrossTask, bundle: Bundle, truth: Floats, level: float) -> dict[str, Any]:
    """Return coverage, width and interval score of intervals that were fitted without the fold they are judged on."""

    def ends(at: float) -> tuple[Floats, Floats]:
        lower, upper = (task.target.backward(end) for end in held_out_intervals(bundle.calibration, at))
        return lower, upper

    stratum = bundle.calibration["stratum"]
    groups = {
        name: rows for code, name in task.stratum_names.items() if (rows := stratum == code).any() and not rows.all()
    }
    return held_by_intervals(ends, truth, groups, level)


def _of_classes(
    task: CrossTask, bundle: Bundle, answer: Floats, truth: Floats, level: float, seed: int
) -> dict[str, Any]:
    """Return coverage and size of sets that were fitted without the fold they are judged on, and reliability."""
    labels = truth.astype(np.int64)

    def sets(at: float) -> NDArray[np.bool_]:
        return held_out_sets(bundle.calibration, at, seed, task.abstains)

    return {"calibration": held_by_sets(sets, labels, task.target.classes, level), **reliable(answer, labels)}
