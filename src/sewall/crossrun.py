"""The steps of jobs whose examples are cross-fitted, strung together once: fit a bundle, predict with it, evaluate it.

The counterpart of `run` for people and plants: nothing is set aside, every example tests the models of the folds that
it is not in (see `crossfit`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.bundle import Arrays, Bundle
from sewall.crossfit import NETWORK, CrossTask, Fits, Floats
from sewall.errors import SewallError
from sewall.run import CURVE, MOST_SHOWN, Predictions, covers, words_of
from sewall.stacking import STACK, WITHOUT, Nested, Stack
from sewall.task import Examples, Rows
from sewall.train import apply_network
from sewall.trust import diagnose
from sewall.trust.calibrate import ConformalIntervals
from sewall.trust.compare import compare, paired_difference
from sewall.trust.support import SupportCheck

METRIC = "pearson"
STATUSES = ("ok", "warn", "outside")


def bundle_of(task: CrossTask, examples: Examples, fits: Fits, nested: Nested, extra: Arrays) -> Bundle:
    """Return the bundle of finished fits, with ``about`` holding the stack alone.

    The calibration part holds ``answer`` (of the stack, to people that it did not know), ``truth``, both on the
    learning scale, ``spread``, ``stratum``, ``fold`` and ``status`` (in `STATUSES`), all ``(people,)``.
    """
    rows = nested.rows
    located = [(unit, fits.located[unit], fits.folds.rows(*unit)) for unit in fits.folds.single]
    spread = np.full(len(examples), np.nan)
    for _, seen, held in located:
        spread[held] = seen.spread[held]
    parts = []
    for unit, seen, held in located:
        others = fits.folds.without(unit)
        parts.append(((seen.statistics[others], seen.place[others]), (seen.statistics[held], seen.place[held])))
    whole = fits.located[()]
    support, called = SupportCheck.cross_fitted((whole.statistics[rows], whole.place[rows]), parts, whole.names)
    status = np.full(len(examples), "outside", "U7")
    for (_, _, held), own in zip(located, called, strict=True):
        status[held] = own
    calibration: Arrays = {
        "answer": nested.answers[STACK], "truth": _truth(task, examples, rows), "spread": spread[rows],
        "stratum": task.strata(examples, rows), "fold": fits.folds.of[rows],
        "status": np.array([STATUSES.index(name) for name in status[rows]]),
    }  # fmt: skip
    about = {"stack": {"base": nested.final.base, "weights": nested.final.weights}}
    return Bundle(about, fits.networks, list(fits.models.values()), calibration, support, extra)


def _truth(task: CrossTask, examples: Examples, rows: Rows) -> Floats:
    assert examples.target is not None
    return task.target.forward(examples.target[rows])


@dataclass(frozen=True)
class Intervals:
    """Intervals around answers: conformal, in units of the predicted spread, by stratum where that has people enough.

    Residuals come from people that the models did not know; so the interval of somebody new is, if anything, a little
    wide, since the shipped models know everybody (the jackknife+ and CV+ of Barber et al. 2021, Ann Stat 49:486).
    """

    conformal: ConformalIntervals

    @classmethod
    def fit(cls, calibration: Arrays, level: float, rows: NDArray[np.bool_] | None = None) -> Intervals:
        """Fit to the calibration part of a bundle, or to some of its rows."""
        part = calibration if rows is None else {name: values[rows] for name, values in calibration.items()}
        answer = part["answer"]
        return cls(ConformalIntervals.fit(answer, answer, part["truth"], level, part["stratum"], part["spread"]))

    def around(self, answer: Floats, spread: Floats, stratum: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return both ends, ``(people,)`` each."""
        return self.conformal.apply(answer, answer, stratum, spread)


def held_out_intervals(calibration: Arrays, level: float) -> tuple[Floats, Floats]:
    """Return the interval of everybody, each from the residuals of the folds that they are not in."""
    lower, upper = np.empty(len(calibration["truth"])), np.empty(len(calibration["truth"]))
    for fold in np.unique(calibration["fold"]):
        mine = calibration["fold"] == fold
        intervals = Intervals.fit(calibration, level, ~mine)
        own = (calibration[name][mine] for name in ("answer", "spread", "stratum"))
        lower[mine], upper[mine] = intervals.around(*own)
    return lower, upper


def evaluate(task: CrossTask, examples: Examples, bundle: Bundle, nested: Nested, level: float, seed: int) -> Any:
    """Return what ``evaluation.json`` holds of the cross-fitted scores, all from people that models did not know."""
    rows, target = nested.rows, task.target
    truth = target.backward(_truth(task, examples, rows))
    answers = {key: target.backward(values) for key, values in nested.answers.items()}
    without = answers.pop(WITHOUT)
    names = {m.key: m.name for m in bundle.simple_models}
    names |= {NETWORK: f"network (mean of {len(bundle.networks)})", STACK: "stack of all models"}
    groups = None if examples.groups is None else np.asarray(examples.groups)[rows]
    compared = compare(
        truth, answers, _parameters(bundle, nested.final), METRIC, seed, groups, names=names,
        metrics=(METRIC, "r2", "spearman", "mae", "rmse", "bias"),
    )  # fmt: skip
    shown = np.linspace(0, len(rows) - 1, min(len(rows), MOST_SHOWN)).astype(int)
    adds = paired_difference(truth, answers[STACK], without, METRIC, groups=groups, seed=seed)
    return {
        "target": {"name": target.name, "unit": target.unit, "transform": target.transform},
        "n": len(rows), "level": level, "metric": METRIC, **compared.to_dict(),
        "beyond_base": beyond_base(answers, truth, task.base),
        "stack": {"base": nested.final.base, "weights": nested.final.weights, "by_fold": nested.weights},
        "network_adds": adds.to_dict(),
        "by_fold": by_fold(answers, truth, bundle.calibration["fold"]),
        "calibration": calibration(task, bundle, level),
        "scatter": np.column_stack([truth, answers[STACK]])[shown].tolist(),
    }  # fmt: skip


def _parameters(bundle: Bundle, stack: Stack) -> dict[str, int]:
    sizes = {m.key: m.parameters for m in bundle.simple_models}
    sizes[NETWORK] = sum(p.numel() for network in bundle.networks for p in network.parameters())
    sizes[STACK] = 1 + sum(sizes.values())
    return sizes


def beyond_base(answers: dict[str, Floats], truth: Floats, base: str) -> dict[str, float]:
    """Return, by model, the correlation of what it adds to the base model with what the base model leaves.

    With sex and other covariates as base this is the accuracy of the genetic part.
    """
    left = truth - answers[base]
    added = {key: values - answers[base] for key, values in answers.items() if key != base}
    return {key: _correlation(values, left) for key, values in added.items()}


def by_fold(answers: dict[str, Floats], truth: Floats, fold: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return the correlation of each model with the truth, fold by fold."""
    return [
        {"fold": int(k) + 1, "n": int((fold == k).sum())}
        | {"pearson": {key: _correlation(values[fold == k], truth[fold == k]) for key, values in answers.items()}}
        for k in np.unique(fold)
    ]


def _correlation(one: Floats, other: Floats) -> float:
    if min(one.std(), other.std()) < 1e-12:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def calibration(task: CrossTask, bundle: Bundle, level: float) -> dict[str, Any]:
    """Return coverage, width and interval score of intervals that were fitted without the fold they are judged on."""
    target, known = task.target, bundle.calibration
    truth = target.backward(known["truth"])

    def ends(at: float) -> tuple[Floats, Floats]:
        lower, upper = (target.backward(end) for end in held_out_intervals(known, at))
        return lower, upper

    lower, upper = ends(level)
    groups: list[dict[str, Any]] = []
    several = len(np.unique(known["stratum"])) > 1
    for code, name in task.stratum_names.items():
        rows = known["stratum"] == code
        if several and rows.any():
            width = float((upper - lower)[rows].mean())
            coverage = covers(lower[rows], upper[rows], truth[rows])
            groups.append({"group": name, "n": int(rows.sum()), "coverage": coverage, "width": width})
    score = diagnose.interval_score(lower, upper, truth, level).mean()
    return {
        "coverage": covers(lower, upper, truth), "width": float((upper - lower).mean()), "by_group": groups,
        "curve": [{"level": at, "coverage": covers(*ends(at), truth)} for at in CURVE],
        "interval_score": float(score),
    }  # fmt: skip


def answers(bundle: Bundle, task: CrossTask, examples: Examples, rows: Rows) -> dict[str, Floats]:
    """Return, by model, ``(rows,)`` answers on the learning scale, `STACK` and `NETWORK` among them."""
    found = {m.key: m.predict(examples, rows) for m in bundle.simple_models}
    networks = [apply_network(network, task, examples, rows)[0][:, 0] for network in bundle.networks]
    found[NETWORK] = found[task.base] + np.mean(networks, axis=0)
    return found | {STACK: Stack(**bundle.about["stack"]).answer(found)}


def predict(bundle: Bundle, task: CrossTask, examples: Examples, level: float, seed: int, few: str) -> Predictions:
    """Answer all examples with interval, simple model and support flag; arguments as in `run.predict`.

    Raises:
        SewallError: no example holds enough data.
    """
    rows = np.flatnonzero(task.usable(examples))
    if len(rows) == 0:
        raise SewallError(f"none of the {len(examples)} examples can be answered: {few}")
    models = {m.key: m for m in bundle.simple_models}
    found = answers(bundle, task, examples, rows)
    intervals = Intervals.fit(bundle.calibration, level)
    lower, upper = intervals.around(found[STACK], task.spread(models, examples, rows), task.strata(examples, rows))
    columns = {"estimate": found[STACK], "lower": lower, "upper": upper, "simple": found[bundle.about["best_simple"]]}
    table = examples.keys.reset_index(drop=True).copy()
    for name, values in columns.items():
        table[name] = np.nan
        table.loc[rows, name] = task.target.backward(values)
    support = _flag(table, bundle, task, models, examples, rows, few, seed)
    table["network"] = np.nan
    table.loc[rows, "network"] = task.target.backward(found[NETWORK])
    simple = {key: task.target.backward(found[key]) for key in models}
    return Predictions(table, support, simple)


def _flag(
    table: pd.DataFrame, bundle: Bundle, task: CrossTask, models: Any, examples: Examples, rows: Rows, few: str,
    seed: int,
) -> dict[str, Any]:  # fmt: skip
    statistics, place = task.place(models, examples, rows)
    values = statistics.to_numpy(float)
    each = bundle.support.examples(values, place)
    together = bundle.support.batch(values, place, seed)
    status = np.where(np.asarray(together.status) == "outside", "outside", each.status)
    table["support"], table["reason"] = "outside", few
    table.loc[rows, "support"] = status
    named = [f"unusual {task.labels.get(name, name)}" for name in each.reason]
    table.loc[rows, "reason"] = np.where(status == "ok", "", named)
    counts = {name: int((table["support"] == name).sum()) for name in ("ok", "warn", "outside")}
    support = together.to_dict() | {"examples": counts}
    for row in support["statistics"]:
        row["label"] = task.labels.get(row["name"], row["name"])
    return support


def described(bundle: Bundle, task: CrossTask, about: dict[str, Any], scores: dict[str, Any]) -> Bundle:
    """Return the bundle with what is known of it: its job, its target, what it was trained on, its scores."""
    known = {m["key"]: m["metrics"][METRIC]["value"] for m in scores["models"] if m["key"] not in (NETWORK, STACK)}
    best = max(known, key=lambda key: known[key] if np.isfinite(known[key]) else -1.0)
    short = {f"correlation of {m['name']}": words_of(m["metrics"][METRIC]) for m in scores["models"]}
    short[f"coverage of {scores['level']:.0%} intervals"] = words_of(scores["calibration"]["coverage"])
    target = {"name": task.target.name, "unit": task.target.unit}
    mine = {"target": target, "best_simple": best, "scores": short, "scores_in_full": scores}
    return replace(bundle, about={**about, **bundle.about, **mine})
