"""Do the data lie where the training examples lie? Per example, for all together, and which statistic is off.

The question is whether the data are *inside* what was simulated, not whether they are distributed like it: a genome
has one history and its own rates, while training covers many. So every measure here is a distance from the training
examples, and data that keep to a corner of the training range are not called unusual.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors

from sewall.errors import SewallError

Floats = NDArray[np.float64]

OUTSIDE, WARN = 0.002, 0.01  # shares of the null called so, one by one
TOGETHER = 0.001  # share of null batches called outside
MOST_OUTSIDE = 0.5  # share of examples outside one by one that makes all of them outside
NEIGHBOURS, MOST_REFERENCE = 10, 2_000
FEWEST_NULL, FEWEST_BATCH, BATCHES = 200, 10, 4_000
SEEN_FROM = 3.0  # robust standard deviations from which differences count only by their logarithm


@dataclass(frozen=True)
class Space:
    """Distances in one space: from the centre (Mahalanobis) and from the nearest training examples.

    Attributes:
        centre, scale: ``(features,)`` robust location and spread.
        mean: ``(features,)`` mean of the squeezed features.
        whiten: ``(features, kept)`` to uncorrelated features of unit variance.
        reference: ``(examples, kept)`` whitened training examples.
    """

    centre: Floats
    scale: Floats
    mean: Floats
    whiten: Floats
    reference: Floats

    @classmethod
    def fit(cls, values: Floats) -> Space:
        """Fit to ``(examples, features)``; constant features are left out of the distances."""
        quartiles = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        spread = np.maximum((quartiles[2] - quartiles[0]) / 1.349, 0.2 * values.std(axis=0))
        scale = np.where(spread > 1e-9, spread, np.inf)
        squeezed = _squeeze((values - quartiles[1]) / scale)
        covariance = LedoitWolf().fit(squeezed)
        variance, axes = np.linalg.eigh(covariance.covariance_)
        kept = variance > 1e-6 * variance.max()
        whiten = axes[:, kept] / np.sqrt(variance[kept])
        chosen = np.linspace(0, len(values) - 1, min(len(values), MOST_REFERENCE)).astype(int)
        reference = (squeezed[chosen] - covariance.location_) @ whiten
        return cls(quartiles[1], scale, covariance.location_, whiten, reference.astype(np.float32))

    def standardised(self, values: Floats) -> Floats:
        """Return robust z-scores, their far ends squeezed."""
        return _squeeze((values - self.centre) / self.scale)

    def distances(self, values: Floats) -> Floats:
        """Return ``(examples, 2)`` distances from the centre and to the tenth nearest training example."""
        white = (self.standardised(values) - self.mean) @ self.whiten
        near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(self.reference))).fit(self.reference)
        return np.column_stack([(white**2).sum(1), near.kneighbors(white)[0][:, -1]])


def _squeeze(z: Floats) -> Floats:
    far = np.abs(z) > SEEN_FROM
    return np.where(far, np.sign(z) * (SEEN_FROM + np.log1p(np.maximum(np.abs(z) - SEEN_FROM, 0))), z)


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
        status: ok, warn or outside; too few examples are ok.
        p: share of null batches of the same size that lie as far out.
        beyond_99: share of examples beyond the null's 99 % (expected 1 %).
        statistics: per statistic its median, the central 98 % of the null, p and p corrected for their number.
    """

    status: str
    p: float
    beyond_99: float
    statistics: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return the support part of ``evaluation.json``."""
        return {
            "status": self.status, "p": self.p, "beyond_99": self.beyond_99, "statistics": self.statistics,
            "null_rate": TOGETHER,
        }  # fmt: skip


@dataclass(frozen=True)
class SupportCheck:
    """Fitted on training examples, with a null of held-out examples that were used for nothing else.

    Attributes:
        names: of the statistics.
        spaces: distances among statistics and in the embedding.
        null_distances: ``(null examples, 4)`` sorted within each column.
        null_least: ``(null examples,)`` least p of each null example over its distances, sorted.
        null_statistics: ``(null examples, statistics)``.
    """

    names: list[str]
    spaces: tuple[Space, Space]
    null_distances: Floats
    null_least: Floats
    null_statistics: Floats

    @classmethod
    def fit(
        cls, statistics: Floats, embedding: Floats, null_statistics: Floats, null_embedding: Floats, names: list[str]
    ) -> SupportCheck:
        """Fit to training examples; the null gives all thresholds.

        Args:
            statistics: ``(examples, statistics)`` of training examples, no NaN.
            embedding: ``(examples, features)`` of the same.
            null_statistics, null_embedding: of the held-out examples.
            names: of the statistics.

        Raises:
            SewallError: fewer than 200 examples in the null.
        """
        if len(null_statistics) < FEWEST_NULL:
            raise SewallError(
                f"{len(null_statistics)} held-out examples are too few for a support check; "
                f"{FEWEST_NULL} are needed: simulate more"
            )
        spaces = (Space.fit(statistics), Space.fit(embedding))
        distances = np.hstack([s.distances(v) for s, v in zip(spaces, (null_statistics, null_embedding), strict=True)])
        ordered = np.sort(distances, axis=0)
        least = np.sort(_tail(ordered, distances).min(axis=1))
        return cls(names, spaces, ordered, least, np.asarray(null_statistics, np.float64))

    def examples(self, statistics: Floats, embedding: Floats) -> ExampleSupport:
        """Flag examples one by one."""
        p = self._p(statistics, embedding)
        z = np.abs((statistics - self.spaces[0].centre) / self.spaces[0].scale)
        worst = np.array(self.names)[np.argmax(np.nan_to_num(z, nan=np.inf), axis=1)]
        status = np.select([p <= OUTSIDE, p <= WARN], ["outside", "warn"], "ok")
        return ExampleSupport(status, p, np.array([f"unusual {name}" for name in worst]))

    def batch(self, statistics: Floats, embedding: Floats, seed: int) -> BatchSupport:
        """Flag examples together.

        Those that are outside one by one are left aside (a sweep in a genome is not the genome's fault), unless they
        are more than half; the others are compared, by how far out they lie on average, with batches of the null.
        """
        p = self._p(statistics, embedding)
        beyond, inside = float((p <= WARN).mean()), p[p > OUTSIDE]
        table = self._statistics(statistics)
        if len(p) < FEWEST_BATCH:
            return BatchSupport("ok", 1.0, beyond, table)
        if 1 - len(inside) / len(p) > MOST_OUTSIDE:
            return BatchSupport("outside", 1 / (BATCHES + 1), beyond, table)
        null = _rank(self.null_least, self.null_least)
        null = -np.log(null[null > OUTSIDE])
        draws = np.random.default_rng(seed).choice(null, (BATCHES, len(inside))).mean(axis=1)
        rank = float((1 + (draws >= -np.log(inside).mean()).sum()) / (BATCHES + 1))
        status = "outside" if rank <= TOGETHER else "warn" if rank <= WARN else "ok"
        return BatchSupport(status, rank, beyond, table)

    def _p(self, statistics: Floats, embedding: Floats) -> Floats:
        distances = np.hstack([s.distances(v) for s, v in zip(self.spaces, (statistics, embedding), strict=True)])
        return _rank(self.null_least, _tail(self.null_distances, distances).min(axis=1))

    def _statistics(self, statistics: Floats) -> list[dict[str, Any]]:
        median = np.median(statistics, axis=0)
        low, high = np.quantile(self.null_statistics, [0.01, 0.99], axis=0)
        above = (self.null_statistics >= median).sum(axis=0)
        below = (self.null_statistics <= median).sum(axis=0)
        p = np.minimum(1.0, 2 * (1 + np.minimum(above, below)) / (1 + len(self.null_statistics)))
        corrected = false_discovery_control(p, method="by")
        return [
            {
                "name": name, "observed": float(median[k]), "low": float(low[k]), "high": float(high[k]),
                "p": float(p[k]), "holm_p": float(corrected[k]),
            }
            for k, name in enumerate(self.names)
        ]  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return the fitted numbers, for a bundle."""
        numbers: dict[str, Any] = {
            "null_distances": self.null_distances, "null_least": self.null_least,
            "null_statistics": self.null_statistics, "names": list(self.names),
        }  # fmt: skip
        for number, space in enumerate(self.spaces):
            numbers |= {f"space{number}_{name}": value for name, value in vars(space).items()}
        return numbers

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> SupportCheck:
        """Return the check whose `state` was *state*."""
        fields = ("centre", "scale", "mean", "whiten", "reference")
        first, second = (Space(*(state[f"space{number}_{name}"] for name in fields)) for number in range(2))
        names = list(state["names"])
        return cls(names, (first, second), state["null_distances"], state["null_least"], state["null_statistics"])


def _tail(ordered: Floats, values: Floats) -> Floats:
    """Return, per column, the share of the ordered null at or beyond each value, itself counted."""
    columns = [len(ordered) - np.searchsorted(ordered[:, k], values[:, k]) for k in range(ordered.shape[1])]
    return (1 + np.column_stack(columns)) / (1 + len(ordered))


def _rank(ordered: Floats, values: Floats) -> Floats:
    """Return the share of the ordered null at or below each value, itself counted."""
    return np.asarray((1 + np.searchsorted(ordered, values, side="right")) / (1 + len(ordered)))
