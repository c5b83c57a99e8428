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
from sewall.answering import Priors, kind_of
from sewall.bundle import Arrays, Bundle
from sewall.claims import flag
from sewall.errors import SewallError
from sewall.nets.network import Network
from sewall.task import Examples, Rows, Task, over_all
from sewall.train import Member, TrainConfig, Training, train_with_simple
from sewall.trust.compare import compare
from sewall.trust.metrics import METRICS
from sewall.trust.support import FEWEST_NULL, SupportCheck

Floats = NDArray[np.float64]
Progress = Callable[[float], None]

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
    unlabelled: Examples | None = None,
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
        unlabelled: examples with which the embeddings are aligned, where the budget says so.

    Returns:
        The bundle (with empty ``about``), and the losses by member and epoch.

    Raises:
        SewallError: a class without an example to learn from.
    """
    assert examples.target is not None
    kind, learnt = kind_of(task.target), task.target.forward(examples.target)
    remembered = kind.remembered(task.target, learnt[parts.train])
    seeds = [int(np.random.SeedSequence([seed, k]).generate_state(1)[0]) for k in range(config.members)]
    training = Training(task, examples, config, folder, unlabelled)
    members, simple_models = train_with_simple(
        training, [Member(s, parts.train, parts.tune) for s in seeds], task.simple_models(seed), parts.train, workers,
        progress,
    )  # fmt: skip
    networks = [network for network, _ in members]
    learning = [{"member": k, **row} for k, (_, history) in enumerate(members) for row in history]
    statistics = task.statistics(examples, parts.train)
    seen = {name: ensemble(networks, task, examples, getattr(parts, name)) for name in ("calibrate", "null", "train")}
    support = SupportCheck.fit(
        statistics.to_numpy(float), seen["train"][1],
        task.statistics(examples, parts.null).to_numpy(float), seen["null"][1],
        list(statistics.columns), kind.position(seen["null"][0]),
    )  # fmt: skip
    # Answers and truths of the calibration part, and of the test part, from which coverage is measured.
    calibration: Arrays = {
        "answer": seen["calibrate"][0], "truth": learnt[parts.calibrate],
        "test_answer": ensemble(networks, task, examples, parts.test)[0], "test_truth": learnt[parts.test],
        **remembered,
    }  # fmt: skip
    return Bundle({}, networks, simple_models, calibration, support), learning


def ensemble(networks: list[Network], task: Task, examples: Examples, rows: Rows) -> tuple[Floats, Floats]:
    """Return the answer of all members to *rows*, and the embedding of the first ``(rows, features)``."""
    answers = [train.apply_network(network, task, examples, rows) for network in networks]
    return kind_of(task.target).together([answer for answer, _ in answers]), answers[0][1]


@dataclass(frozen=True)
class Answer:
    """Raw and calibrated answers for some rows.

    Attributes:
        estimate: ``(rows,)`` mean of the predictive distribution in the target's unit, or ``(rows, classes)``
            probabilities.
        claimed: ``(rows, 2)`` ends of the calibrated interval, or ``(rows, classes)`` members of the set.
        simple: answer of each simple model, by key, shaped as the estimate.
        raw: of the ensemble on the learning scale, not calibrated: ``(rows, levels)`` quantiles, or ``(rows, classes)``
            log probabilities.
        embedding: ``(rows, features)``.
        statistics: ``(rows, statistics)``.
    """

    estimate: Floats
    claimed: NDArray[Any]
    simple: dict[str, Floats]
    raw: Floats
    embedding: Floats
    statistics: pd.DataFrame


def answer(
    bundle: Bundle, task: Task, examples: Examples, rows: Rows, level: float, priors: Priors | None = None
) -> Answer:
    """Answer *rows*, all of them usable, with intervals or sets at *level*; priors as in `predict`."""
    calibrator = kind_of(task.target)(bundle, task, priors)
    raw, embedding = ensemble(bundle.networks, task, examples, rows)
    simple = {m.key: calibrator.simple(m.predict(examples, rows)) for m in bundle.simple_models}
    claimed = calibrator.claimed(raw, examples.keys.iloc[rows], level)
    return Answer(calibrator.estimate(raw), claimed, simple, raw, embedding, task.statistics(examples, rows))


@dataclass(frozen=True)
class Predictions:
    """Answers for all examples of a source, one row each; nothing comes without its flag.

    Attributes:
        table: keys, ``estimate lower upper simple support reason`` in the target's unit; of classes ``label``, a column
            ``p_`` for each, ``set simple support reason``; NaN where unusable.
        support: what the support check says of the examples together, as JSON types.
        answers: of the models beside the one that is shown, by key, in the target's unit; NaN where unusable.
    """

    table: pd.DataFrame
    support: dict[str, Any]
    answers: dict[str, Floats]


def predict(
    bundle: Bundle, task: Task, examples: Examples, level: float, seed: int, few: str, priors: Priors | None = None
) -> Predictions:
    """Answer all examples, with interval or set, simple model and support flag.

    Args:
        bundle: a fitted bundle.
        task: its job.
        examples: data to be predicted.
        level: share of the true values that the intervals, or sets, shall hold.
        seed: of the permutations of the support check.
        few: reason given for examples that hold too little data.
        priors: how common each class is, by name, where it is not as in training; probabilities and calls follow it,
            sets hold either way.

    Raises:
        SewallError: no example holds enough data, or priors that cannot be.
    """
    rows = np.flatnonzero(task.usable(examples))
    if len(rows) == 0:
        raise SewallError(f"none of the {len(examples)} examples can be answered: {few}")
    answered = answer(bundle, task, examples, rows, level, priors)
    kind, best = kind_of(task.target), bundle.about.get("best_simple", bundle.simple_models[-1].key)
    columns = kind.columns(task.target, answered.estimate, answered.claimed, answered.simple[best])
    apart = getattr(task, "apart", None)
    table = examples.keys.reset_index(drop=True).join(pd.DataFrame(columns, index=rows))
    support = flag(
        table, bundle.support, answered.statistics, answered.embedding, rows, few, seed, task.labels,
        kind.position(answered.raw), "windows", apart(examples, rows) if apart is not None else None,
    )  # fmt: skip
    simple = {key: over_all(values, rows, len(table)) for key, values in answered.simple.items()}
    return Predictions(table, support, simple)


def evaluate(bundle: Bundle, task: Task, examples: Examples, rows: Rows, level: float, seed: int) -> dict[str, Any]:
    """Score all models of a bundle on held-out rows; return what ``evaluation.json`` holds of it.

    Args:
        bundle: a fitted bundle.
        task: its job.
        examples: labelled examples.
        rows: rows that nothing was fitted to, all usable.
        level: level of the intervals, or sets.
        seed: of the bootstrap.
    """
    assert examples.target is not None
    truth, target = examples.target[rows], task.target
    answered, calibrator = answer(bundle, task, examples, rows, level), kind_of(target)(bundle, task)
    size = sum(tensor.numel() for network in bundle.networks for tensor in network.parameters())
    names = {"network": f"network (ensemble of {len(bundle.networks)})"}
    compared = compare(
        truth,
        {"network": answered.estimate, **answered.simple},
        {"network": size, **{m.key: m.parameters for m in bundle.simple_models}},
        calibrator.metric,
        seed,
        None if examples.groups is None else np.asarray(examples.groups)[rows],
        names=names | {m.key: m.name for m in bundle.simple_models},
    )
    return {
        "target": {"name": target.name, "unit": target.unit, "transform": target.transform, "classes": target.classes},
        "n": len(rows), "level": level, "metric": calibrator.metric, **compared.to_dict(),
        "calibration": calibrator.calibration(answered.raw, target.forward(truth), level, seed),
        **calibrator.beside(answered.estimate, truth),
    }  # fmt: skip


def calibration(bundle: Bundle, task: Task, raw: Floats, truth: Floats, level: float, seed: int) -> dict[str, Any]:
    """Return how often the intervals or sets of a bundle hold at any level.

    Args:
        bundle: a fitted bundle.
        task: its job.
        raw: answers of its ensemble to examples that it was not fitted to, see `Answer`.
        truth: ``(rows,)`` on the learning scale.
        level: level of the intervals, or sets.
        seed: of the probability integral transforms.
    """
    return kind_of(task.target)(bundle, task).calibration(raw, truth, level, seed)


def described(bundle: Bundle, task: Task, about: dict[str, Any], scores: dict[str, Any]) -> Bundle:
    """Return the bundle with what is known of it: its job, its target, what it was trained on, its scores."""
    target: dict[str, Any] = {"name": task.target.name, "unit": task.target.unit}
    target |= {"classes": list(task.target.classes)} if task.target.classes else {"upper": task.target.upper}
    best = best_simple(scores, ("network",))
    known = {"target": target, "best_simple": best, "scores": in_short(scores), "scores_in_full": scores}
    return replace(bundle, about={**about, **known})


def best_simple(scores: dict[str, Any], others: tuple[str, ...]) -> str:
    """Return the key of the best simple model; *others* are none."""
    metric = scores["metric"]
    sign = -1.0 if METRICS[metric].higher is False else 1.0
    known = {m["key"]: sign * m["metrics"][metric]["value"] for m in scores["models"] if m["key"] not in others}
    return max(known, key=lambda key: known[key] if np.isfinite(known[key]) else -np.inf)


def in_short(scores: dict[str, Any]) -> dict[str, str]:
    """Return the score of each model and the coverage, for people."""
    metric, what = scores["metric"], "sets" if scores["target"]["classes"] else "intervals"
    short = {f"{METRICS[metric].name} of {m['name']}": words_of(m["metrics"][metric]) for m in scores["models"]}
    return short | {f"coverage of {scores['level']:.0%} {what}": words_of(scores["calibration"]["coverage"])}


def words_of(score: dict[str, float]) -> str:
    """Return a score with its interval, for people."""
    return f"{score['value']:.3f} ({score['lower']:.3f} to {score['upper']:.3f})"
