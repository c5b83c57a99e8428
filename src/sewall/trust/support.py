"""Do the data lie where the training examples lie? Per example, for all together, and which statistic is off.

The question is whether the data are *inside* what was simulated, not whether they are distributed like it: a genome
has one history and its own rates, while training covers many. So the verdict rests on how far out examples lie, and on
how many do; data that keep to a corner of the training range are named (`warn`) but not condemned (`outside`). How well
the two can be told apart is reported beside it, within strata of the predicted target where predictions are given.

Thresholds come from a null of held-out examples that were used for nothing else. What no statistic and no feature of
the network sees is invisible here, and so is a shift that stays inside the training range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, rankdata

from sewall.errors import SewallError
from sewall.trust.space import Floats, Space
from sewall.trust.two_sample import Strata, classifier_accuracy, kernel, mmd_p

OUTSIDE, WARN = 0.001, 0.01  # shares of the null called so, one by one
TOGETHER = 0.01  # share of null batches that is flagged
MOST_BEYOND = 0.1  # share of examples beyond the null's 99 % from which all of them are outside
MOST_OUTSIDE = 0.5  # share of examples outside one by one that makes all of them outside
CHANCE = 0.001  # a share beyond is taken seriously only where chance gives it less often than this
FEWEST_NULL, FEWEST_BATCH, PERMUTATIONS = 200, 10, 4_000
FEWEST_CROSS_FITTED = 50
MOST_COMPARED, STRATA = 1_000, 5

Seen = tuple[Floats, Floats]  # statistics and embedding of some examples, one row each


@dataclass(frozen=True)
class ExampleSupport:
    """Flags one by one: ``status`` (ok, warn, outside), ``p`` and the statistic most off, ``(examples,)`` each."""

    status: NDArray[np.str_]
    p: Floats
    reason: NDArray[np.str_]


@dataclass(frozen=True)
class BatchSupport:
    """Flag of all examples together.

    Attributes:
        status: ok, warn or outside; fewer than ten examples are ok, each still has its own flag.
        p: how often as many examples drawn from simulations and data alike lie as far out.
        beyond_99: share of examples beyond the null's 99 % (expected 1 %).
        mmd_p: p-value of the difference in distribution, or NaN; decides nothing.
        c2st: how often a classifier tells data from simulations, 0.5 being chance, or NaN; decides nothing.
        statistics: per statistic its median, the central 98 % of the null, p and p by Holm (1979).
    """

    status: str
    p: float
    beyond_99: float
    mmd_p: float
    c2st: float
    statistics: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return the support part of ``evaluation.json``; what was not measured is None."""
        return {
            "status": self.status,
            "p": self.p,
            "beyond_99": self.beyond_99,
            "mmd_p": None if np.isnan(self.mmd_p) else self.mmd_p,
            "c2st": None if np.isnan(self.c2st) else self.c2st,
            "statistics": self.statistics,
            "null_rate": TOGETHER,
        }


@dataclass(frozen=True)
class SupportCheck:
    """Fitted on training examples, with a null of held-out examples that were used for nothing else.

    Per example the Mahalanobis distance (Ledoit and Wolf 2004) and the distance to the tenth nearest training example
    are taken in both spaces; each is put on the scale of the null (median 0, 99 % quantile 1) and the largest of the
    four is the example's score.

    Attributes:
        names: of the statistics.
        spaces: distances among statistics and in the embedding.
        middle, reach: ``(4,)`` median of the null's log distances, and from there to their 99 % quantile.
        null_scores: ``(null examples,)`` sorted.
        null_statistics: ``(null examples, statistics)``; `null_embedding` likewise.
        null_estimate: ``(null examples,)`` predicted targets, or empty.
    """

    names: list[str]
    spaces: tuple[Space, Space]
    middle: Floats
    reach: Floats
    null_scores: Floats
    null_statistics: NDArray[np.float32]
    null_embedding: NDArray[np.float32]
    null_estimate: Floats

    @classmethod
    def fit(
        cls,
        statistics: Floats,
        embedding: Floats,
        null_statistics: Floats,
        null_embedding: Floats,
        names: list[str],
        null_estimate: Floats | None = None,
    ) -> SupportCheck:
        """Fit to training examples; the null gives all thresholds.

        Args:
            statistics: ``(examples, statistics)`` of training examples; rows with NaN are left out.
            embedding: ``(examples, features)`` of the same.
            null_statistics, null_embedding: of the held-out examples; 1,000 or more for the full resolution.
            names: of the statistics.
            null_estimate: ``(null examples,)`` predicted targets, for comparing distributions at equal prediction.

        Raises:
            SewallError: fewer than 200 examples in the null.
        """
        kept = _finite(null_statistics, null_embedding)
        if kept.sum() < FEWEST_NULL:
            raise SewallError(
                f"{kept.sum()} held-out examples are too few for a support check; "
                f"{FEWEST_NULL} are needed: simulate more"
            )
        spaces = _spaces(statistics, embedding)
        null = np.asarray(null_statistics)[kept], np.asarray(null_embedding)[kept]
        estimate = np.empty(0) if null_estimate is None else np.asarray(null_estimate, np.float64)[kept]
        return cls._of(spaces, _log_distances(spaces, *null), null, names, estimate)

    @classmethod
    def cross_fitted(
        cls, whole: Seen, folds: Sequence[tuple[Seen, Seen]], names: list[str]
    ) -> tuple[SupportCheck, list[NDArray[np.str_]]]:
        """Fit to examples that are too few to set a null aside: each fold is the null of the others.

        Args:
            whole: statistics and embedding of all training examples.
            folds: for each fold, those of the others and its own, as they are seen from the others.
            names: of the statistics.

        Returns:
            The check, and for each fold the status of its examples among all others that were held out.

        Raises:
            SewallError: fewer than 50 examples.
        """
        logs, nulls = [], []
        for reference, (statistics, embedding) in folds:
            kept = _finite(statistics, embedding)
            nulls.append((statistics[kept], embedding[kept]))
            logs.append(_log_distances(_spaces(*reference), *nulls[-1]))
        null = np.concatenate([s for s, _ in nulls]), np.concatenate([e for _, e in nulls])
        if len(null[0]) < FEWEST_CROSS_FITTED:
            raise SewallError(
                f"{len(null[0])} examples are too few for a support check; {FEWEST_CROSS_FITTED} are needed"
            )
        check = cls._of(_spaces(*whole), np.concatenate(logs), null, names, np.empty(0))
        return check, [
            check._held_out(own, statistics, embedding)
            for own, (_, (statistics, embedding)) in zip(logs, folds, strict=True)
        ]

    def _held_out(self, logs: Floats, statistics: Floats, embedding: Floats) -> NDArray[np.str_]:
        p = np.zeros(len(statistics))
        p[_finite(statistics, embedding)] = _tail(self.null_scores, ((logs - self.middle) / self.reach).max(axis=1))
        return self._called(p)

    def _called(self, p: Floats) -> NDArray[np.str_]:
        return np.select([p <= self._outside, p <= WARN], ["outside", "warn"], "ok")

    @classmethod
    def _of(
        cls, spaces: tuple[Space, Space], logs: Floats, null: Seen, names: list[str], estimate: Floats
    ) -> SupportCheck:
        middle, far = np.quantile(logs, [0.5, 0.99], axis=0)
        reach = np.maximum(far - middle, 1e-9)
        scores = np.sort(((logs - middle) / reach).max(axis=1))
        stored = null[0].astype(np.float32), null[1].astype(np.float32)
        return cls(list(names), spaces, middle, reach, scores, *stored, estimate)

    def examples(self, statistics: Floats, embedding: Floats) -> ExampleSupport:
        """Flag examples one by one; where a statistic is not defined the example is outside.

        Args:
            statistics: ``(examples, statistics)``.
            embedding: ``(examples, features)``.
        """
        _, p = self._scores(statistics, embedding)
        status = self._called(p)
        space = self.spaces[0]
        z = np.abs((statistics - space.centre) / space.scale)
        off = np.where(np.isfinite(statistics), np.where(space.moved(statistics), np.inf, z), np.inf)
        worst = np.array(self.names)[np.argmax(off, axis=1)]
        return ExampleSupport(status, p, worst)

    def batch(
        self,
        statistics: Floats,
        embedding: Floats,
        seed: int,
        estimate: Floats | None = None,
        distributions: bool = True,
    ) -> BatchSupport:
        """Flag examples together.

        Examples outside one by one are left aside (a sweep in a genome is not the genome's fault) unless they are more
        than half; the mean extremeness of the others is compared with the null's by permuting both pooled, which
        keeps its level whatever the sizes. All are outside where they lie significantly far out *and* more than
        10 % of them lie beyond the null's 99 %.

        Args:
            statistics: ``(examples, statistics)``.
            embedding: ``(examples, features)``.
            seed: of the permutations.
            estimate: ``(examples,)`` predicted targets, on the scale of `fit`'s ``null_estimate``.
            distributions: whether to measure ``mmd_p`` and ``c2st``, which takes most of the time.
        """
        scores, every = self._scores(statistics, embedding)
        beyond = float((every <= WARN).mean()) if len(every) else 0.0
        kept = _finite(statistics, embedding)
        p, table = every[kept], self._table(statistics[kept])
        if len(p) < FEWEST_BATCH:
            return BatchSupport("ok", 1.0, beyond, np.nan, np.nan, table)
        together = self._far_out(scores[kept], p, seed)
        status = self._status(p, together)
        if not distributions:
            return BatchSupport(status, together, beyond, np.nan, np.nan, table)
        predicted = None if estimate is None else np.asarray(estimate, np.float64)[kept]
        apart = self._apart(statistics[kept], embedding[kept], predicted, seed)
        return BatchSupport(status, together, beyond, *apart, table)

    @property
    def _outside(self) -> float:
        """A small null cannot tell one in a thousand: there, what lies beyond all of it is outside."""
        return max(OUTSIDE, 1.0 / (1 + len(self.null_scores)))

    def _scores(self, statistics: Floats, embedding: Floats) -> tuple[Floats, Floats]:
        """Return how far out each example lies, and the share of the null that lies there or beyond."""
        scores = np.full(len(statistics), np.inf)
        p = np.full(len(statistics), 1.0 / (1 + len(self.null_scores)))
        kept = np.flatnonzero(_finite(statistics, embedding))
        if len(kept):
            logs = _log_distances(self.spaces, statistics[kept], embedding[kept])
            scores[kept] = ((logs - self.middle) / self.reach).max(axis=1)
            p[kept] = _tail(self.null_scores, scores[kept])
            moved = kept[self.spaces[0].moved(statistics[kept]).any(axis=1)]
            scores[moved] = np.maximum(scores[moved], np.quantile(self.null_scores, 1 - WARN / 2))
            p[moved] = np.minimum(p[moved], WARN / 2)
        return scores, p

    def _far_out(self, scores: Floats, p: Floats, seed: int) -> float:
        """Return the permutation p of how far out examples lie on average, by their ranks in the pooled sample.

        What lies beyond the null's own outermost is left aside in data and null alike: given where that limit lies, the
        others of both are draws of one distribution where data are like the null, and so can change places.
        """
        limit = len(self.null_scores) - max(1, int(self._outside * (1 + len(self.null_scores))))
        inside = scores[p > self._outside]
        if len(p) - len(inside) > MOST_OUTSIDE * len(p):
            return 1.0 / (1 + PERMUTATIONS)
        pooled = np.concatenate([inside, self.null_scores[:limit]])
        extremeness = -np.log((len(pooled) + 0.5 - rankdata(pooled)) / len(pooled))
        size, rng = len(inside), np.random.default_rng(seed)
        observed = extremeness[:size].mean()
        drawn = [rng.choice(extremeness, size, replace=False, shuffle=False).mean() for _ in range(PERMUTATIONS)]
        return float((1 + (np.array(drawn) >= observed - 1e-12).sum()) / (1 + PERMUTATIONS))

    def _status(self, p: Floats, together: float) -> str:
        beyond, outside = int((p <= WARN).sum()), float((p <= self._outside).mean())
        many = beyond > MOST_BEYOND * len(p) and binom.sf(beyond - 1, len(p), WARN) <= CHANCE
        if outside > MOST_OUTSIDE or (many and together <= TOGETHER):
            return "outside"
        return "warn" if many or together <= TOGETHER else "ok"

    def _apart(self, statistics: Floats, embedding: Floats, estimate: Floats | None, seed: int) -> tuple[float, float]:
        """Permutation p of the kernel test and accuracy of the classifier, on a thousand rows of either side."""
        rng = np.random.default_rng([seed, 1])
        ours, theirs = (
            np.sort(rng.permutation(n)[:MOST_COMPARED]) for n in (len(statistics), len(self.null_statistics))
        )
        parts = ((statistics, self.null_statistics), (embedding, self.null_embedding))
        columns = [
            space.standardised(np.vstack([new[ours], null[theirs]]))
            for space, (new, null) in zip(self.spaces, parts, strict=True)
        ]
        first = np.arange(len(ours) + len(theirs)) < len(ours)
        strata = self._strata(estimate, ours, theirs)
        similarity = kernel(columns[0]) + kernel(columns[1])
        return mmd_p(similarity, first, strata, seed), classifier_accuracy(np.hstack(columns), first, strata, seed)

    def _strata(self, estimate: Floats | None, ours: NDArray[np.intp], theirs: NDArray[np.intp]) -> Strata:
        if estimate is None or not len(self.null_estimate):
            return np.zeros(len(ours) + len(theirs), dtype=np.int64)
        edges = np.quantile(self.null_estimate, np.arange(1, STRATA) / STRATA)
        both = np.concatenate([estimate[ours], self.null_estimate[theirs]])
        return np.searchsorted(edges, both).astype(np.int64)

    def _table(self, statistics: Floats) -> list[dict[str, Any]]:
        if not len(statistics):
            return []
        median = np.median(statistics, axis=0)
        low, high = np.quantile(self.null_statistics.astype(np.float64), [0.01, 0.99], axis=0)
        rounded = median.astype(np.float32)
        above = (self.null_statistics >= rounded).sum(axis=0)
        below = (self.null_statistics <= rounded).sum(axis=0)
        p = np.minimum(1.0, 2 * (1 + np.minimum(above, below)) / (1 + len(self.null_statistics)))
        corrected = holm(p)
        return [
            {
                "name": name,
                "observed": float(median[k]),
                "low": float(low[k]),
                "high": float(high[k]),
                "p": float(p[k]),
                "holm_p": float(corrected[k]),
            }
            for k, name in enumerate(self.names)
        ]

    def state(self) -> dict[str, Any]:
        """Return plain texts and arrays from which `from_state` makes the same check."""
        fields = ("middle", "reach", "null_scores", "null_statistics", "null_embedding", "null_estimate")
        numbers: dict[str, Any] = {"names": list(self.names)} | {name: getattr(self, name) for name in fields}
        for number, space in enumerate(self.spaces):
            numbers |= {f"space{number}_{name}": value for name, value in vars(space).items()}
        return numbers

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> SupportCheck:
        """Return the check whose `state` was *state*."""
        fields = ("centre", "scale", "mean", "whiten", "reference")
        first, second = (Space(*(state[f"space{number}_{name}"] for name in fields)) for number in range(2))
        own = ("middle", "reach", "null_scores", "null_statistics", "null_embedding", "null_estimate")
        return cls(list(state["names"]), (first, second), *(state[name] for name in own))


def holm(p: Floats) -> Floats:
    """Return p-values corrected for their number by Holm's step-down method (Holm 1979).

    >>> holm(np.array([0.01, 0.5, 0.02])).tolist()
    [0.03, 0.5, 0.04]
    """
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _finite(statistics: Floats, embedding: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(statistics).all(axis=1) & np.isfinite(embedding).all(axis=1))


def _spaces(statistics: Floats, embedding: Floats) -> tuple[Space, Space]:
    known = _finite(statistics, embedding)
    return Space.fit(np.asarray(statistics)[known]), Space.fit(np.asarray(embedding)[known])


def _log_distances(spaces: tuple[Space, Space], statistics: Floats, embedding: Floats) -> Floats:
    parts = zip(spaces, (statistics, embedding), strict=True)
    return np.log(np.maximum(np.hstack([space.distances(values) for space, values in parts]), 1e-12))


def _tail(ordered: Floats, values: Floats) -> Floats:
    """Return the share of the ordered null at or beyond each value, itself counted."""
    return np.asarray((1 + len(ordered) - np.searchsorted(ordered, values)) / (1 + len(ordered)))
