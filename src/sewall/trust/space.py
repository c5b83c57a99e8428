"""Distances from the training examples in one space: of the named statistics, or of the network's embedding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors

Floats = NDArray[np.float64]

NEIGHBOURS, MOST_REFERENCE = 10, 2_000
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

    def moved(self, values: Floats) -> NDArray[np.bool_]:
        """Return ``(examples, features)``: features that were constant in training and here are something else."""
        off = np.abs(values - self.centre) > 1e-6 * np.maximum(1.0, np.abs(self.centre))
        return np.isinf(self.scale) & off

    def distances(self, values: Floats) -> Floats:
        """Return ``(examples, 2)`` distances from the centre and to the tenth nearest training example."""
        white = (self.standardised(values) - self.mean) @ self.whiten
        near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(self.reference))).fit(self.reference)
        return np.column_stack([(white**2).sum(1), near.kneighbors(white)[0][:, -1]])


def _squeeze(z: Floats) -> Floats:
    far = np.abs(z) > SEEN_FROM
    return np.where(far, np.sign(z) * (SEEN_FROM + np.log1p(np.maximum(np.abs(z) - SEEN_FROM, 0))), z)
