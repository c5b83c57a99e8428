"""Comparison of the network with simple models on the same held-out examples, and the verdict.

Every model is judged by the same metrics on the same bootstrap samples (Efron 1979), so that differences are paired.
Where examples come in groups (a chromosome, a family, a simulated stretch), whole groups are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sewall.errors import SewallError
from sewall.trust.metrics import CLASSIFICATION, METRICS, REGRESSION

Rows = NDArray[np.intp]
Floats = NDArray[np.float64]

REPEATS = 1000
LEVEL = 0.95
NEGLIGIBLE = {"auroc": 0.005}  # differences that are no reason for another model, however certain they are


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % bootstrap interval."""

    value: float
    lower: float
    upper: float

    def to_dict(self) -> dict[str, float]:
        """Return ``{"value", "lower", "upper"}``."""
        return {"value": self.value, "lower": self.lower, "upper": self.upper}


@dataclass(frozen=True)
class Difference:
    """Metric of `model` minus the same metric of `against`, on the same examples."""

    model: str
    against: str
    metric: str
    estimate: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``differences`` in evaluation.json."""
        return {"model": self.model, "against": self.against, "metric": self.metric, **self.estimate.to_dict()}


@dataclass(frozen=True)
class ModelScore:
    """One model's metrics; `parameters` is the number of fitted parameters, `seconds` what fitting took."""

    key: str
    name: str
    parameters: int
    metrics: dict[str, Estimate]
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``models`` in evaluation.json."""
        return {
            "name": self.name,
            "key": self.key,
            "parameters": self.parameters,
            "seconds": self.seconds,
            "metrics": {metric: estimate.to_dict() for metric, estimate in self.metrics.items()},
        }


@dataclass(frozen=True)
class Comparison:
    """All models on the same examples.

    Attributes:
        models: in the order given.
        differences: every model minus every model with fewer parameters, in the metric of the verdict.
        verdict: one plain sentence.
        simplest_adequate: key of the model with the fewest parameters whose paired interval includes the best.
    """

    models: list[ModelScore]
    differences: list[Difference]
    verdict: str
    simplest_adequate: str

    def to_dict(self) -> dict[str, Any]:
        """Return the ``models``, ``differences``, ``verdict`` and ``simplest_adequate`` of evaluation.json."""
        return {
            "models": [model.to_dict() for model in self.models],
            "differences": [difference.to_dict() for difference in self.differences],
            "verdict": self.verdict,
            "simplest_adequate": self.simplest_adequate,
        }


def resamples(n: int, groups: ArrayLike | None, repeats: int, seed: int) -> Iterator[Rows]:
    """Yield *repeats* bootstrap samples of ``range(n)``; with *groups* whole groups are drawn with replacement."""
    rng = np.random.default_rng(seed)
    if groups is None:
        for _ in range(repeats):
            yield rng.integers(n, size=n)
        return
    _, labels = np.unique(np.asarray(groups), return_inverse=True)
    members = np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels))[:-1])
    for _ in range(repeats):
        yield np.concatenate([members[g] for g in rng.integers(len(members), size=len(members))])


def score(
    truth: ArrayLike,
    prediction: ArrayLike,
    metrics: Sequence[str] | None = None,
    *,
    groups: ArrayLike | None = None,
    seed: int,
    repeats: int = REPEATS,
) -> dict[str, Estimate]:
    """Return each metric with its 95 % bootstrap interval.

    Args:
        truth: ``(n,)`` values, or integer labels of a class job.
        prediction: ``(n,)`` values, or ``(n, classes)`` probabilities.
        metrics: keys of `sewall.trust.metrics.METRICS`; by default all that fit the kind of prediction.
        groups: ``(n,)`` what is drawn together (cluster bootstrap).
        seed: same seed, same bootstrap samples.

    Raises:
        SewallError: values that are not finite, lengths that differ, or an unknown metric.

    >>> score([1.0, 2.0, 4.0], [1.5, 2.5, 4.5], ["mae"], seed=1)["mae"]
    Estimate(value=0.5, lower=0.5, upper=0.5)
    """
    y, predictions = _checked(truth, {"the model": prediction})
    names = _metric_names(metrics, predictions["the model"])
    values = _bootstrap(y, predictions, names, groups, repeats, seed)["the model"]
    return {name: _estimate(values[name]) for name in names}


def paired_difference(
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    metric: str,
    *,
    groups: ArrayLike | None = None,
    seed: int,
    repeats: int = REPEATS,
) -> Estimate:
    """Return metric(first) - metric(second) with its paired 95 % bootstrap interval; arguments as in `score`."""
    y, predictions = _checked(truth, {"first": first, "second": second})
    names = _metric_names([metric], predictions["first"])
    values = _bootstrap(y, predictions, names, groups, repeats, seed)
    return _estimate(values["first"][metric] - values["second"][metric])


def compare(
    truth: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    parameters: Mapping[str, int],
    metric: str,
    seed: int,
    groups: ArrayLike | None = None,
    *,
    metrics: Sequence[str] | None = None,
    names: Mapping[str, str] | None = None,
    seconds: Mapping[str, float] | None = None,
    repeats: int = REPEATS,
) -> Comparison:
    """Judge all models on the same examples and name the simplest adequate one.

    The best model is the one with the best *metric*. Adequate is every model whose paired difference to the best has a
    95 % interval that includes zero, or lies within what is negligible in that metric; the simplest of them has the
    fewest parameters.

    Args:
        truth: ``(n,)`` values, or integer labels of a class job.
        predictions: by key, ``(n,)`` values or ``(n, classes)`` probabilities.
        parameters: by key, the number of fitted parameters.
        metric: key of the metric of the verdict.
        names: by key, the name to print; `seconds` by key, what fitting took.

    Raises:
        SewallError: values that are not finite, lengths that differ, or an unknown metric.
    """
    y, checked = _checked(truth, predictions)
    wanted = _metric_names(metrics, next(iter(checked.values())), metric)
    values = _bootstrap(y, checked, wanted, groups, repeats, seed)
    labels = {key: (names or {}).get(key, key) for key in checked}
    models = [
        ModelScore(
            key, labels[key], parameters[key], {m: _estimate(values[key][m]) for m in wanted}, (seconds or {}).get(key)
        )
        for key in checked
    ]
    columns = {key: values[key][metric] for key in checked}
    order = sorted(checked, key=lambda key: parameters[key])
    differences = [
        Difference(key, other, metric, _estimate(columns[key] - columns[other]))
        for i, key in enumerate(order)
        for other in order[:i]
    ]
    best = max(order, key=lambda key: _goodness(metric, float(columns[key][0])))
    simplest = next(key for key in order if key == best or _adequate(metric, columns[best] - columns[key]))
    return Comparison(models, differences, _verdict(metric, columns, labels, order, best, simplest), simplest)


def _verdict(
    metric: str, columns: Mapping[str, Floats], labels: Mapping[str, str], order: list[str], best: str, simplest: str
) -> str:
    name = METRICS[metric].name
    if len(order) == 1:
        return f"Only {labels[best]} was fitted; nothing simpler was tried."
    if simplest != best:
        difference = columns[best] - columns[simplest]
        gap = _in_words(difference)
        return (
            f"The simplest adequate model is {labels[simplest]}: the best, {labels[best]}, differs from it in {name} "
            f"by {gap}, {'an interval that includes zero' if _includes_zero(difference) else 'which is negligible'}."
        )
    simpler = order[: order.index(best)]
    if not simpler:
        return f"The simplest model, {labels[best]}, is also the best in {name}; nothing more complex is needed."
    rival = max(simpler, key=lambda key: _goodness(metric, float(columns[key][0])))
    gap = _in_words(columns[best] - columns[rival])
    return (
        f"The simplest adequate model is {labels[best]}: in {name} it differs from {labels[rival]}, the best of the "
        f"simpler models, by {gap}."
    )


def _in_words(column: Floats) -> str:
    e = _estimate(column)
    return f"{e.value:+.3g} (95 % interval {e.lower:+.3g} to {e.upper:+.3g})"


def _goodness(metric: str, value: float) -> float:
    higher = METRICS[metric].higher
    if not np.isfinite(value):
        return -np.inf
    return value if higher else -abs(value)


def _adequate(metric: str, column: Floats) -> bool:
    """Tell whether a model is good enough whose difference from the best is given."""
    return _includes_zero(column) or max(map(abs, _interval(column))) <= NEGLIGIBLE.get(metric, 0.0)


def _interval(column: Floats) -> tuple[float, float]:
    e = _estimate(column)
    return e.lower, e.upper


def _includes_zero(column: Floats) -> bool:
    e = _estimate(column)
    return e.lower <= 0.0 <= e.upper


def _estimate(column: Floats) -> Estimate:
    """First entry: the value on all examples; the rest: its bootstrap replicates."""
    if np.isnan(column[1:]).all():
        return Estimate(float(column[0]), np.nan, np.nan)
    lower, upper = np.nanquantile(column[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(column[0]), float(lower), float(upper))


def _bootstrap(
    truth: Floats,
    predictions: Mapping[str, Floats],
    metrics: Sequence[str],
    groups: ArrayLike | None,
    repeats: int,
    seed: int,
) -> dict[str, dict[str, Floats]]:
    """By model and metric, ``(1 + repeats,)``: the value on all examples, then on each bootstrap sample."""
    table = {key: {m: np.empty(1 + repeats) for m in metrics} for key in predictions}
    samples = resamples(len(truth), groups, repeats, seed)
    for i in range(1 + repeats):
        rows = next(samples) if i else np.arange(len(truth))
        y = truth[rows]
        for key, prediction in predictions.items():
            drawn = prediction[rows]
            for m in metrics:
                table[key][m][i] = METRICS[m].function(y, drawn)
    return table


def _checked(truth: ArrayLike, predictions: Mapping[str, ArrayLike]) -> tuple[Floats, dict[str, Floats]]:
    y = np.asarray(truth, dtype=np.float64)
    arrays = {key: np.asarray(values, dtype=np.float64) for key, values in predictions.items()}
    if not arrays or len(y) == 0:
        raise SewallError("nothing to compare: give at least one model and one held-out example")
    for key, values in [("the truth", y), *arrays.items()]:
        bad = int((~np.isfinite(values)).sum())
        if len(values) != len(y) or bad:
            raise SewallError(
                f"{key}: {len(values)} values, {bad} of them not finite, for {len(y)} held-out examples; "
                "leave out the examples without a prediction first"
            )
    return y, arrays


def _metric_names(metrics: Sequence[str] | None, prediction: Floats, needed: str | None = None) -> list[str]:
    fitting = REGRESSION if prediction.ndim == 1 else CLASSIFICATION
    chosen = list(fitting if metrics is None else metrics)
    chosen += [needed] if needed and needed not in chosen else []
    unknown = [m for m in chosen if m not in fitting]
    if unknown:
        raise SewallError(f"no metric {unknown[0]!r} for this kind of prediction; choose among {', '.join(fitting)}")
    return chosen
