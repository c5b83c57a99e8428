"""The steps of jobs whose examples are cross-fitted, strung together once: fit a bundle, and predict with it.

The counterpart of `run` for people and plants: nothing is set aside, every example tests the models of the folds that
it is not in (see `crossfit`; scores: `crossscores`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.bundle import Arrays, Bundle
from sewall.crossfit import NETWORK, CrossTask, Fits, Floats, network_answer
from sewall.crossscores import known_truth
from sewall.errors import SewallError
from sewall.nets.network import Network
from sewall.run import Predictions, words_of
from sewall.stacking import STACK, Nested, Stack
from sewall.task import Examples, Rows, SimpleModel, Target, over_all
from sewall.train import apply_network
from sewall.trust.held_out import EMPTY, Intervals, Sets
from sewall.trust.metrics import METRICS
from sewall.trust.support import SupportCheck

STATUSES = ("ok", "warn", "outside")


def bundle_of(task: CrossTask, examples: Examples, fits: Fits, nested: Nested, extra: Arrays) -> Bundle:
    """Return the bundle of finished fits, with ``about`` holding the stack alone.

    The calibration part holds ``answer`` (of the stack, to people that it did not know), ``truth``, both on the
    learning scale, ``spread``, ``stratum``, ``fold`` and ``status`` (in `STATUSES`), one row for each of the people.
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
        "answer": nested.answers[STACK], "truth": task.target.forward(known_truth(task, examples, rows)),
        "spread": spread[rows], "stratum": task.strata(examples, rows), "fold": fits.folds.of[rows],
        "status": np.array([STATUSES.index(name) for name in status[rows]]),
    }  # fmt: skip
    stack = {"base": nested.final.base, "weights": nested.final.weights}
    about = {
        "stack": stack, "column": fits.column, "borrowed": list(fits.borrowed), "abstains": task.abstains
    }  # fmt: skip
    return Bundle(about, fits.networks, list(fits.models.values()), calibration, support, extra)


class Answering(Protocol):
    """The part of a bundle that answers.

    Attributes:
        about: with its ``stack`` and the ``column`` of its networks.
        networks, simple_models: as in `Bundle`.
    """

    @property
    def about(self) -> dict[str, Any]:
        """What is known of the models."""
        ...

    @property
    def networks(self) -> list[Network]:
        """The ensemble."""
        ...

    @property
    def simple_models(self) -> list[SimpleModel]:
        """The fitted simple models."""
        ...


def answers(bundle: Answering, task: CrossTask, examples: Examples, rows: Rows) -> dict[str, Floats]:
    """Return, by model, the answers to *rows* on the learning scale, `STACK` and `NETWORK` among them."""
    found = {m.key: m.predict(examples, rows) for m in bundle.simple_models}
    added = np.mean([apply_network(network, task, examples, rows)[0] for network in bundle.networks], axis=0)
    found[NETWORK] = network_answer(task.target, found[task.base], added, bundle.about["column"])
    return found | {STACK: Stack(task.target, **bundle.about["stack"]).answer(found)}


def predict(bundle: Bundle, task: CrossTask, examples: Examples, level: float, seed: int, few: str) -> Predictions:
    """Answer all examples with interval or set, simple model and support flag; arguments as in `run.predict`.

    Raises:
        SewallError: no example holds enough data.
    """
    rows = np.flatnonzero(task.usable(examples))
    if len(rows) == 0:
        raise SewallError(f"none of the {len(examples)} examples can be answered: {few}")
    models = {m.key: m for m in bundle.simple_models}
    found = answers(bundle, task, examples, rows)
    simple, network = found[bundle.about["best_simple"]], found[NETWORK]
    if task.target.classes:
        names = [str(name) for name in examples.keys.iloc[rows, 0]]
        members = Sets.fit(bundle.calibration, level, 0, task.abstains).around(found[STACK], names)
        columns = class_columns(task.target, found[STACK], members, simple, network)
    else:
        spread, strata = task.spread(models, examples, rows), task.strata(examples, rows)
        ends = Intervals.fit(bundle.calibration, level).around(found[STACK], spread, strata)
        columns = quantity_columns(task.target, found[STACK], ends, simple, network)
    table = examples.keys.reset_index(drop=True).join(pd.DataFrame(columns, index=rows))
    support = _flag(table, bundle, task, models, examples, rows, few, seed)
    known = {key: task.target.backward(values) for key, values in found.items()}
    return Predictions(table, support, {key: over_all(values, rows, len(table)) for key, values in known.items()})


def quantity_columns(
    target: Target, answer: Floats, ends: tuple[Floats, Floats], simple: Floats, network: Floats
) -> dict[str, Floats]:
    """Return the columns of a table of predicted quantities, from values on the learning scale."""
    values = {"estimate": answer, "lower": ends[0], "upper": ends[1], "simple": simple, "network": network}
    return {name: target.backward(column) for name, column in values.items()}


def class_columns(
    target: Target, answer: Floats, members: NDArray[np.bool_], simple: Floats, network: Floats
) -> dict[str, NDArray[Any]]:
    """Return the columns of a table of predicted classes, from log probabilities and ``(rows, classes)`` sets."""
    names = np.array(target.classes, object)
    probabilities = target.backward(answer)
    sets = [",".join(target.classes[k] for k in np.flatnonzero(held)) or EMPTY for held in members]
    return {
        "label": names[answer.argmax(axis=1)],
        **{f"p_{name}": probabilities[:, k] for k, name in enumerate(target.classes)},
        "set": np.array(sets, object),
        "simple": names[simple.argmax(axis=1)],
        "network": names[network.argmax(axis=1)],
    }


def _flag(
    table: pd.DataFrame, bundle: Bundle, task: CrossTask, models: Mapping[str, SimpleModel], examples: Examples,
    rows: Rows, few: str, seed: int,
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
    counts = {name: int((table["support"] == name).sum()) for name in STATUSES}
    support = together.to_dict() | {"examples": counts}
    for row in support["statistics"]:
        row["label"] = task.labels.get(row["name"], row["name"])
    return support


def described(bundle: Bundle, task: CrossTask, about: dict[str, Any], scores: dict[str, Any]) -> Bundle:
    """Return the bundle with what is known of it: its job, its target, what it was trained on, its scores."""
    metric = scores["metric"]
    known = {m["key"]: m["metrics"][metric]["value"] for m in scores["models"] if m["key"] not in (NETWORK, STACK)}
    best = max(known, key=lambda key: known[key] if np.isfinite(known[key]) else -1.0)
    called, what = METRICS[metric].name, "sets" if task.target.classes else "intervals"
    short = {f"{called} of {m['name']}": words_of(m["metrics"][metric]) for m in scores["models"]}
    short[f"coverage of {scores['level']:.0%} {what}"] = words_of(scores["calibration"]["coverage"])
    target = {"name": task.target.name, "unit": task.target.unit, "classes": list(task.target.classes)}
    mine = {"target": target, "best_simple": best, "scores": short, "scores_in_full": scores}
    return replace(bundle, about={**about, **bundle.about, **mine})
