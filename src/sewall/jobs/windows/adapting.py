"""What is done where the data may not have lived through what was simulated.

Five ways, each followed by calibration and support check as any training is:

- ``resimulate``: histories are inferred from the frequency spectrum of the data (by a map from its linkage as well,
  with or without migrants from a population that was not sampled), simulations follow them. The default where no
  history is given.
- ``randomise``: simulations follow histories of all kinds, so that no one of them is taken for granted; for maps also
  such as exchange migrants with a population that was not sampled.
- ``reweight``: of those, simulations that look like the data count more.
- ``align``: a training in which the network may not tell simulations from data.
- ``auto``: of the histories, those whose simulations lie nearest to the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from sewall import run
from sewall.errors import SewallError
from sewall.jobs.windows.options import Method
from sewall.simple import Ridge
from sewall.simulate.history import HistorySource, PopulationHistory
from sewall.task import Examples, Rows, Task
from sewall.train import TrainConfig
from sewall.trust.space import Space
from sewall.trust.weighted import FEWEST_EFFECTIVE, effective_examples

ALIGN = 1.0  # weight of the discrepancy, in units of the loss
MOST_APART = 0.3  # Kolmogorov-Smirnov distance of predicted targets from which data are not aligned
PENALTIES, FOLDS = (0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0), 5
HEAVIEST = 50.0  # times the mean weight; one simulation must not stand for all

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Towards:
    """The data that a training is drawn towards, and how.

    Attributes:
        method: ``reweight`` or ``align``.
        data: windows of the data, encoded as those of the training.
    """

    method: Method
    data: Examples

    def parts(self, task: Task, examples: Examples, parts: run.Split, seed: int) -> tuple[run.Split, dict[str, float]]:
        """Return rows to train, tune, calibrate and judge support with, and what was found.

        Raises:
            SewallError: too few windows of the data, too few simulations that resemble them, or rates so different that
                nothing may be aligned.
        """
        known = int(task.usable(self.data).sum())
        if known < FOLDS:
            raise SewallError(
                f"--adapt {self.method}: {known} windows of the data hold enough variants, and it takes {FOLDS}; use "
                "--adapt resimulate, or shorter windows (--window)"
            )
        if self.method == "align":
            apart = targets_apart(task, examples, parts, self.data, seed)
            if apart > MOST_APART:
                raise SewallError(
                    f"--adapt align: rates of the data seem to be spread unlike those of the simulations (distance "
                    f"{apart:.2f}, at most {MOST_APART:g}), and aligning would undo that; use --adapt resimulate"
                )
            return parts, {"targets_apart": apart}
        weights = density_ratio(task, examples, np.concatenate([parts.train, parts.tune]), self.data, seed)
        return reweighted(parts, weights, seed)


def density_ratio(task: Task, examples: Examples, rows: Rows, data: Examples, seed: int) -> Floats:
    """Return ``(examples,)`` how much more of the data than of the simulations looks like each; NaN where unusable.

    A logistic regression on the classical statistics tells simulations from data; its odds are the ratio, up to a
    factor (Bickel et al. 2009, J Mach Learn Res 10:2137). Its penalty is chosen by cross-validation.

    Args:
        task: gives the statistics.
        examples: simulations.
        rows: simulations to learn from, all usable.
        data: the data.
        seed: of the folds.
    """
    usable = np.flatnonzero(task.usable(examples))
    ours, theirs = (
        task.statistics(part, which).to_numpy(float)
        for part, which in ((examples, rows), (data, np.flatnonzero(task.usable(data))))
    )
    space = Space.fit(ours)

    def seen(values: Floats) -> Floats:
        return (space.standardised(values) - space.mean) @ space.whiten

    x = np.vstack([seen(ours), seen(theirs)])
    y = np.repeat([0, 1], [len(ours), len(theirs)])
    model = min((_Told.by(x, y, penalty, seed) for penalty in PENALTIES), key=lambda told: told.loss).model.fit(x, y)
    weights = np.full(len(examples), np.nan)
    odds = np.exp(model.decision_function(seen(task.statistics(examples, usable).to_numpy(float))))
    weights[usable] = np.minimum(odds / odds.mean(), HEAVIEST)
    return weights


@dataclass(frozen=True)
class _Told:
    """A regression that tells simulations from data, and its loss on folds that it did not know."""

    model: LogisticRegression
    loss: float

    @classmethod
    def by(cls, x: Floats, y: NDArray[np.int64], penalty: float, seed: int) -> _Told:
        model = LogisticRegression(C=1 / penalty, class_weight="balanced", max_iter=500)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
        score = cross_val_predict(model, x, y, cv=folds, method="decision_function")
        return cls(model, float(sum(np.logaddexp(0, -sign * score[y == k]).mean() for k, sign in ((0, -1), (1, 1)))))


def reweighted(parts: run.Split, weights: Floats, seed: int) -> tuple[run.Split, dict[str, float]]:
    """Return the parts with rows drawn again in proportion to their weights, and how many rows they are worth.

    Drawing again gives networks, simple models, conformal intervals and the null of the support check their weights
    at once. The test part is drawn again as well: scores are those that data like the data would have.

    Raises:
        SewallError: the calibration part is worth fewer than 100 rows.
    """
    rng, found, worth = np.random.default_rng(seed), {}, {}
    for name, rows in vars(parts).items():
        own = weights[rows]
        found[name] = np.sort(rng.choice(rows, len(rows), p=own / own.sum()))
        worth[name] = effective_examples(own)
    if worth["calibrate"] < FEWEST_EFFECTIVE:
        raise SewallError(
            f"--adapt reweight: the {len(parts.calibrate):,} simulations of the calibration are worth "
            f"{worth['calibrate']:.0f} of the data's kind, fewer than {FEWEST_EFFECTIVE}; simulations and data overlap "
            "too little. Use --adapt resimulate or randomise"
        )
    return run.Split(**found), {f"effective_{name}": round(value, 1) for name, value in worth.items()}


def targets_apart(task: Task, examples: Examples, parts: run.Split, data: Examples, seed: int) -> float:
    """Return how differently predicted targets are spread in the data and in the simulations (Kolmogorov-Smirnov).

    Predictions are those of ridge regression on the classical statistics, which needs no network.
    """
    assert examples.target is not None
    train = parts.train
    model = Ridge().fit(task.statistics(examples, train), task.target.forward(examples.target[train]))
    held = np.concatenate([parts.tune, parts.test])
    ours = model.predict(task.statistics(examples, held))
    theirs = model.predict(task.statistics(data, np.flatnonzero(task.usable(data))))
    return float(ks_2samp(ours, theirs).statistic)


def nearest(
    candidates: Mapping[str, HistorySource], simulated: Callable[[str, HistorySource], pd.DataFrame], data: pd.DataFrame
) -> tuple[str, dict[str, float]]:
    """Return which histories give simulations that lie nearest to the data, and how far away each lies.

    Args:
        candidates: histories by name; of equally near ones the first is taken.
        simulated: returns the ``(windows, statistics)`` of a few hundred simulations under some histories.
        data: ``(windows, statistics)``.

    Returns:
        A name, and by name the median distance of the windows of the data, on a scale on which 0 is the median of
        simulations of that kind and 1 their 99 % quantile.
    """
    found = {name: _away(simulated(name, histories), data) for name, histories in candidates.items()}
    return min(found, key=lambda name: found[name]), found


@dataclass(frozen=True)
class Nearest:
    """The histories that ``auto`` took.

    Attributes:
        histories: whose simulations lie nearest to the data.
        away: how far those of each candidate lie, see `nearest`.
    """

    histories: HistorySource
    away: Mapping[str, float]

    @property
    def description(self) -> str:
        """What the histories are, in words for a report."""
        others = ", ".join(f"{name} {away:.2f}" for name, away in self.away.items())
        return f"{self.histories.description}; taken because their simulations lie nearest to the data ({others})"

    def draw(self, rng: np.random.Generator) -> PopulationHistory:
        """Draw a history."""
        return self.histories.draw(rng)

    def state(self) -> dict[str, Any]:
        """Return all that the draws depend on, as plain numbers and text for JSON."""
        return self.histories.state()


def in_words(adapted: Mapping[str, Any]) -> str:
    """Say how a training was drawn towards the data, for a report.

    >>> in_words({"method": "align", "targets_apart": 0.12})
    'Adapted to these data: the networks may not tell simulations from data (predicted rates lie 0.12 apart).'
    """
    if adapted["method"] == "align":
        apart = adapted["targets_apart"]
        what = f"the networks may not tell simulations from data (predicted rates lie {apart:.2f} apart)"
    else:
        worth = f"{adapted['effective_train']:,.0f} for training, {adapted['effective_calibrate']:,.0f} for calibration"
        what = f"simulations that look like them count more (worth {worth})"
    return f"Adapted to these data: {what}."


def _away(simulated: pd.DataFrame, data: pd.DataFrame) -> float:
    known = simulated.dropna().to_numpy(float)
    half = len(known) // 2
    space = Space.fit(known[:half])
    null = np.log(space.distances(known[half:]))
    middle, reach = np.quantile(null, [0.5, 0.99], axis=0)
    theirs = np.log(space.distances(data.dropna().to_numpy(float)))
    return float(np.median((theirs - middle) / (reach - middle), axis=0).max())


def aligned(config: TrainConfig, towards: Towards | None) -> TrainConfig:
    """Return the budget with the weight of the alignment, where there is one."""
    return replace(config, align=ALIGN) if towards is not None and towards.method == "align" else config
