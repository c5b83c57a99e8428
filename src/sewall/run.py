"""The steps that all jobs share, strung together once: fit a bundle, predict with it, evaluate it.

Examples are split by group into five parts that never mix: *train* (networks and simple models), *tune* (when to
stop), *calibrate* (width of the intervals), *null* (what the support check may call unusual) and *test* (looked at
once, for the scores).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall import train
from sewall.bundle import Arrays, Bundle
from sewall.errors import SewallError
from sewall.nets.network import Network
from sewall.task import Examples, Rows, Task, over_all
from sewall.train import Member, TrainConfig, Training, train_ensemble
from sewall.trust import diagnose
from sewall.trust.calibrate import ConformalIntervals
from sewall.trust.compare import compare
from sewall.trust.support import FEWEST_NULL, SupportCheck

Floats = NDArray[np.float64]
Progress = Callable[[float], None]

FIFTHS = 5
FIFTH_NAMES = ("lowest fifth of predictions", "second fifth", "middle fifth", "fourth fifth", "highest fifth")
CURVE = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
MOST_SHOWN = 1_000
FEWEST_CALIBRATION = 100


@dataclass(frozen=True)
class Shares:
    """Shares of the examples that go to each part; what is left is for testing."""

    train: float = 0.62
    tune: float = 0.05
    calibrate: float = 0.14
    null: float = 0.07


@dataclass(frozen=True)
class Split:
    """Rows of each part."""

    train: Rows
    tune: Rows
    calibrate: Rows
    null: Rows
    test: Rows


def fewest_examples(shares: Shares | None = None) -> int:
    """Return how many examples are needed so that each part gets enough."""
    shares = shares or Shares()
    return math.ceil(1.02 * max(FEWEST_CALIBRATION / shares.calibrate, FEWEST_NULL / shares.null))


def split(task: Task, examples: Examples, seed: int, shares: Shares | None = None) -> Split:
    """Split the usable examples into parts, whole groups together.

    Raises:
        SewallError: too few usable examples to calibrate an interval.
    """
    shares = shares or Shares()
    usable = np.flatnonzero(task.usable(examples))
    groups = usable if examples.groups is None else np.asarray(examples.groups)[usable]
    names, member = np.unique(groups, return_inverse=True)
    place = np.random.default_rng(seed).permutation(len(names))[member] / len(names)
    edges = np.cumsum([shares.train, shares.tune, shares.calibrate, shares.null])
    part = np.searchsorted(edges, place, side="right")
    rows = [usable[part == k] for k in range(5)]
    if len(rows[2]) < FEWEST_CALIBRATION or len(rows[3]) < FEWEST_NULL:
        raise SewallError(
            f"only {len(usable)} of {len(examples)} examples hold enough data to learn from, and about "
            f"{fewest_examples(shares):,} are needed; make more (--simulations), or larger ones (for windows: longer, "
            "--window)"
        )
    return Split(*rows)


def fit(
    task: Task,
    examples: Examples,
    parts: Split,
    config: TrainConfig,
    folder: Path,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[Bundle, list[dict[str, float]]]:
    """Train the networks and simple models, and everything that a prediction needs beside them.

    Args:
        task: the job.
        examples: labelled examples.
        parts: rows of each part; of the test part only the answers are kept, for the scores.
        config: budget of the networks.
        folder: for checkpoints; an unfinished training there goes on.
        seed: of all members together.
        workers: processes that train members side by side; the result does not depend on it.
        progress: called with the number of epochs done since.

    Returns:
        The bundle (with empty ``about``), and the losses by member and epoch.
    """
    assert examples.target is not None
    seeds = [int(np.random.SeedSequence([seed, k]).generate_state(1)[0]) for k in range(config.members)]
    training = Training(task, examples, config, folder)
    members = train_ensemble(training, [Member(s, parts.train, parts.tune) for s in seeds], workers, progress)
    networks = [network for network, _ in members]
    learning = [{"member": k, **row} for k, (_, history) in enumerate(members) for row in history]
    simple_models = [model.fit(examples, parts.train) for model in task.simple_models(seed)]
    statistics = task.statistics(examples, parts.train)
    quantiles, _ = _ensemble(networks, task, examples, parts.calibrate)
    truth = task.target.forward(examples.target[parts.calibrate])
    null_quantiles, null_embedding = _ensemble(networks, task, examples, parts.null)
    support = SupportCheck.fit(
        statistics.to_numpy(float), _ensemble(networks, task, examples, parts.train)[1],
        task.statistics(examples, parts.null).to_numpy(float), null_embedding,
        list(statistics.columns), null_quantiles.mean(axis=1),
    )  # fmt: skip
    # Ensemble quantiles and truths of the calibration part, and of the test part, from which coverage is measured.
    calibration: Arrays = {"quantiles": quantiles, "truth": truth}
    calibration["test_quantiles"] = _ensemble(networks, task, examples, parts.test)[0]
    calibration["test_truth"] = task.target.forward(examples.target[parts.test])
    return Bundle({}, networks, simple_models, calibration, support), learning


def _ensemble(networks: list[Network], task: Task, examples: Examples, rows: Rows) -> tuple[Floats, Floats]:
    """Return mean quantiles ``(rows, levels)`` of the members, and the embedding of the first ``(rows, features)``."""
    answers = [train.apply_network(network, task, examples, rows) for network in networks]
    return np.mean([quantiles for quantiles, _ in answers], axis=0), answers[0][1]


@dataclass(frozen=True)
class Answer:
    """Raw and calibrated answers for some rows, in the target's unit.

    Attributes:
        estimate: ``(rows,)`` mean of the predictive distribution.
        lower, upper: ``(rows,)`` ends of the calibrated interval.
        simple: ``(rows,)`` answer of each simple model, by key.
        quantiles: ``(rows, levels)`` of the ensemble on the learning scale, not calibrated.
        embedding: ``(rows, features)``.
        statistics: ``(rows, statistics)``.
    """

    estimate: Floats
    lower: Floats
    upper: Floats
    simple: dict[str, Floats]
    quantiles: Floats
    embedding: Floats
    statistics: pd.DataFrame


def answer(bundle: Bundle, task: Task, examples: Examples, rows: Rows, level: float) -> Answer:
    """Answer *rows*, all of them usable, with intervals at *level*."""
    quantiles, embedding = _ensemble(bundle.networks, task, examples, rows)
    statistics = task.statistics(examples, rows)
    lower, upper = Calibrator(bundle, task, level).interval(quantiles)
    target = task.target
    simple = {
        m.key: np.clip(target.backward(m.predict(examples, rows)), target.lower, target.upper)
        for m in bundle.simple_models
    }
    estimate = np.clip(target.backward(quantiles), target.lower, target.upper).mean(axis=1)
    return Answer(estimate, lower, upper, simple, quantiles, embedding, statistics)


class Calibrator:
    """Conformalised quantile intervals of a bundle at one level, by fifth of the predictions."""

    def __init__(self, bundle: Bundle, task: Task, level: float) -> None:
        self.task, self.level, self.levels = task, level, np.array(bundle.networks[0].levels)
        quantiles, truth = bundle.calibration["quantiles"], bundle.calibration["truth"]
        self.edges = np.quantile(self._middle(quantiles), np.linspace(0, 1, FIFTHS + 1)[1:-1])
        lower, upper = self._raw(quantiles)
        self.conformal = ConformalIntervals.fit(lower, upper, truth, level, self.fifth(quantiles))

    def fifth(self, quantiles: Floats) -> NDArray[np.int64]:
        """Return ``(rows,)`` which fifth of the calibration predictions each row falls in, from 0."""
        return np.searchsorted(self.edges, self._middle(quantiles)).astype(np.int64)

    def interval(self, quantiles: Floats) -> tuple[Floats, Floats]:
        """Return the calibrated ends in the target's unit, inside its trained range."""
        target = self.task.target
        lower, upper = self.conformal.apply(*self._raw(quantiles), self.fifth(quantiles))
        low, high = (np.clip(target.backward(end), target.lower, target.upper) for end in (lower, upper))
        return low, high

    def _middle(self, quantiles: Floats) -> Floats:
        return np.array([np.interp(0.5, self.levels, row) for row in quantiles])

    def _raw(self, quantiles: Floats) -> tuple[Floats, Floats]:
        ends = (1 - self.level) / 2, (1 + self.level) / 2
        lower, upper = (np.array([np.interp(end, self.levels, row) for row in quantiles]) for end in ends)
        return lower, upper


@dataclass(frozen=True)
class Predictions:
    """Answers for all examples of a source, one row each; nothing comes without its flag.

    Attributes:
        table: keys, ``estimate lower upper simple support reason`` in the target's unit; NaN where unusable.
        support: what the support check says of the examples together, as JSON types.
        answers: of the models beside the one that is shown, by key, in the target's unit; NaN where unusable.
    """

    table: pd.DataFrame
    support: dict[str, Any]
    answers: dict[str, Floats]


def predict(bundle: Bundle, task: Task, examples: Examples, level: float, seed: int, few: str) -> Predictions:
    """Answer all examples, with interval, simple model and support flag.

    Args:
        bundle: a fitted bundle.
        task: its job.
        examples: data to be predicted.
        level: share of the true values that the intervals shall cover.
        seed: of the permutations of the support check.
        few: reason given for examples that hold too little data.

    Raises:
        SewallError: no example holds enough data.
    """
    rows = np.flatnonzero(task.usable(examples))
    if len(rows) == 0:
        raise SewallError(f"none of the {len(examples)} examples can be answered: {few}")
    answered = answer(bundle, task, examples, rows, level)
    statistics, embedding = answered.statistics.to_numpy(float), answered.embedding
    each = bundle.support.examples(statistics, embedding)
    together = bundle.support.batch(statistics, embedding, seed, answered.quantiles.mean(axis=1))
    best = bundle.about.get("best_simple", bundle.simple_models[-1].key)
    table = examples.keys.reset_index(drop=True).copy()
    columns = {"estimate": answered.estimate, "lower": answered.lower, "upper": answered.upper}
    for name, values in (columns | {"simple": answered.simple[best]}).items():
        table[name] = over_all(values, rows, len(table))
    status = np.where(np.asarray(together.status) == "outside", "outside", each.status)
    table["support"], table["reason"] = "outside", few
    table.loc[rows, "support"] = status
    named = [f"unusual {task.labels.get(name, name)}" for name in each.reason]
    table.loc[rows, "reason"] = np.where(status == "ok", "", named)
    counts = {name: int((table["support"] == name).sum()) for name in ("ok", "warn", "outside")}
    simple = {key: over_all(values, rows, len(table)) for key, values in answered.simple.items()}
    support = together.to_dict() | {"windows": counts}
    for row in support["statistics"]:
        row["label"] = task.labels.get(row["name"], row["name"])
    return Predictions(table, support, simple)


def evaluate(bundle: Bundle, task: Task, examples: Examples, rows: Rows, level: float, seed: int) -> dict[str, Any]:
    """Score all models of a bundle on held-out rows; return what ``evaluation.json`` holds of it.

    Args:
        bundle: a fitted bundle.
        task: its job.
        examples: labelled examples.
        rows: rows that nothing was fitted to, all usable.
        level: level of the intervals.
        seed: of the bootstrap.
    """
    assert examples.target is not None
    truth = examples.target[rows]
    answered = answer(bundle, task, examples, rows, level)
    size = sum(tensor.numel() for network in bundle.networks for tensor in network.parameters())
    names = {"network": f"network (ensemble of {len(bundle.networks)})"}
    compared = compare(
        truth,
        {"network": answered.estimate, **answered.simple},
        {"network": size, **{m.key: m.parameters for m in bundle.simple_models}},
        "r2",
        seed,
        None if examples.groups is None else np.asarray(examples.groups)[rows],
        names=names | {m.key: m.name for m in bundle.simple_models},
    )
    shown = np.linspace(0, len(rows) - 1, min(len(rows), MOST_SHOWN)).astype(int)
    return {
        "target": {"name": task.target.name, "unit": task.target.unit, "transform": task.target.transform},
        "n": len(rows), "level": level, **compared.to_dict(),
        "calibration": calibration(bundle, task, answered.quantiles, task.target.forward(truth), level, seed),
        "scatter": np.column_stack([truth, answered.estimate])[shown].tolist(),
    }  # fmt: skip


def calibration(
    bundle: Bundle, task: Task, quantiles: Floats, truth: Floats, level: float, seed: int
) -> dict[str, Any]:
    """Return coverage, width and interval score of the intervals of a bundle, overall and by fifth of the predictions.

    Args:
        bundle: a fitted bundle.
        task: its job.
        quantiles: ``(rows, levels)`` of the ensemble on the learning scale, for examples it was not fitted to.
        truth: ``(rows,)`` on the learning scale.
        level: level of the intervals.
        seed: of the probability integral transforms.
    """
    calibrator = Calibrator(bundle, task, level)
    lower, upper = calibrator.interval(quantiles)
    transforms = diagnose.pit_from_quantiles(quantiles, calibrator.levels, truth, seed)
    truth = task.target.backward(truth)
    fifth = calibrator.fifth(quantiles)
    groups = [
        {"group": FIFTH_NAMES[k], "n": int(rows.sum()), "coverage": covers(lower[rows], upper[rows], truth[rows]),
         "width": float((upper - lower)[rows].mean())}
        for k in range(FIFTHS) if (rows := fifth == k).any()
    ]  # fmt: skip
    curve = [
        {"level": nominal, "coverage": covers(*Calibrator(bundle, task, nominal).interval(quantiles), truth)}
        for nominal in CURVE
    ]
    return {
        "coverage": covers(lower, upper, truth), "width": float((upper - lower).mean()), "by_group": groups,
        "curve": curve, "interval_score": float(diagnose.interval_score(lower, upper, truth, level).mean()),
        "pit": diagnose.uniformity(transforms).counts,
    }  # fmt: skip


def covers(lower: Floats, upper: Floats, truth: Floats) -> dict[str, float]:
    """Return the share of truths inside their intervals, with its 95 % Wilson interval."""
    share = diagnose.coverage(lower, upper, truth)
    return {"value": share.value, "lower": share.lower, "upper": share.upper}


def described(bundle: Bundle, task: Task, about: dict[str, Any], scores: dict[str, Any]) -> Bundle:
    """Return the bundle with what is known of it: its job, its target, what it was trained on, its scores."""
    simple = [m for m in scores["models"] if m["key"] != "network"]
    best = max(simple, key=lambda m: m["metrics"]["r2"]["value"])
    short = {f"R² of {m['name']}": words_of(m["metrics"]["r2"]) for m in scores["models"]}
    short[f"coverage of {scores['level']:.0%} intervals"] = words_of(scores["calibration"]["coverage"])
    target = {"name": task.target.name, "unit": task.target.unit, "upper": task.target.upper}
    known = {"target": target, "best_simple": best["key"], "scores": short, "scores_in_full": scores}
    return replace(bundle, about={**about, **known})


def words_of(score: dict[str, float]) -> str:
    """Return a score with its interval, for people."""
    return f"{score['value']:.3f} ({score['lower']:.3f} to {score['upper']:.3f})"
