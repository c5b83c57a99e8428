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

from sewall.bundle import Arrays, Bundle
from sewall.claims import STATUSES, class_columns, flag
from sewall.crossfit import NETWORK, CrossTask, Fits, Floats, network_answer
from sewall.crossscores import known_truth
from sewall.errors import SewallError
from sewall.nets.network import Network
from sewall.run import Predictions, best_simple, in_short
from sewall.stacking import STACK, Nested, Stack
from sewall.task import Examples, Rows, SimpleModel, Target, over_all
from sewall.train import apply_network
from sewall.trust.held_out import Intervals, Sets
from sewall.trust.support import SupportCheck


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
    beside = {"simple": found[bundle.about["best_simple"]], "network": found[NETWORK]}
    if task.target.classes:
        names = [str(name) for name in examples.keys.iloc[rows, 0]]
        members = Sets.fit(bundle.calibration, level, 0, task.abstains).around(found[STACK], names)
        columns = class_columns(task.target.classes, task.target.backward(found[STACK]), members, beside)
    else:
        spread, strata = task.spread(models, examples, rows), task.strata(examples, rows)
        ends = Intervals.fit(bundle.calibration, level).around(found[STACK], spread, strata)
        columns = quantity_columns(task.target, found[STACK], ends, beside)
    table = examples.keys.reset_index(drop=True).join(pd.DataFrame(columns, index=rows))
    support = flag(table, bundle.support, *task.place(models, examples, rows), rows, few, seed, task.labels)
    known = {key: task.target.backward(values) for key, values in found.items()}
    return Predictions(table, support, {key: over_all(values, rows, len(table)) for key, values in known.items()})


def quantity_columns(
    target: Target, answer: Floats, ends: tuple[Floats, Floats], beside: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return the columns of a table of predicted quantities, from values on the learning scale."""
    values = {"estimate": answer, "lower": ends[0], "upper": ends[1], **beside}
    return {name: target.backward(column) for name, column in values.items()}


def described(bundle: Bundle, task: CrossTask, about: dict[str, Any], scores: dict[str, Any]) -> Bundle:
    """Return the bundle with what is known of it: its job, its target, what it was trained on, its scores."""
    best = best_simple(scores, (NETWORK, STACK))
    target = {"name": task.target.name, "unit": task.target.unit, "classes": list(task.target.classes)}
    mine = {"target": target, "best_simple": best, "scores": in_short(scores), "scores_in_full": scores}
    return replace(bundle, about={**about, **bundle.about, **mine})
