"""Scans by one number, or by a few: what is looked at where there is no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax

from sewall.odds import log_odds

Floats = NDArray[np.float64]

# Key, name, and the statistics that are read, of the central sub-window and of the others.
TAJIMAS_D = ("tajimas_d", "Tajima's D alone", ("tajimas_d",))
H12 = ("h12", "H12 alone", ("h12_40",))
COMPOSITE = ("composite", "composite of D, H12, diversity and linkage", ("tajimas_d", "h12_40", "pi", "theta_w", "zns"))

PENALTY = 1.0  # its inverse, on squared effects of scaled columns


@dataclass(frozen=True)
class OneNumber:
    """Logistic regression on a few statistics and their squares, in the central sub-window and beside it.

    Attributes:
        key, name: of the model.
        read: columns that are read.
        classes: how many there are.
        centre, scale: ``(columns,)``.
        effects: ``(1 + 2 x columns, classes)`` on the log odds, the intercepts first.
    """

    key: str
    name: str
    read: tuple[str, ...]
    classes: int
    centre: Floats = field(default_factory=lambda: np.zeros(0))
    scale: Floats = field(default_factory=lambda: np.ones(0))
    effects: Floats = field(default_factory=lambda: np.zeros((1, 0)))

    @classmethod
    def of(cls, scan: tuple[str, str, tuple[str, ...]], classes: int) -> OneNumber:
        """Return an unfitted model."""
        key, name, read = scan
        return cls(key, name, tuple(f"{place}_{column}" for place in ("middle", "beside") for column in read), classes)

    def fit(self, statistics: pd.DataFrame, labels: NDArray[np.int64]) -> OneNumber:
        """Fit to named ``(rows, statistics)`` and ``(rows,)`` numbers of classes."""
        values = statistics[list(self.read)].to_numpy(float)
        ready = replace(self, centre=values.mean(axis=0), scale=np.maximum(values.std(axis=0), 1e-9))
        return replace(ready, effects=log_odds(ready._columns(values), labels, self.classes, PENALTY))

    def predict(self, statistics: pd.DataFrame) -> Floats:
        """Return ``(rows, classes)`` log probabilities."""
        columns = self._columns(statistics[list(self.read)].to_numpy(float))
        return np.asarray(log_softmax(self.effects[0] + columns @ self.effects[1:], axis=1))

    def _columns(self, values: Floats) -> Floats:
        scaled = np.clip((values - self.centre) / self.scale, -6, 6)
        return np.hstack([scaled, scaled**2])

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        return len(self.effects) * (self.classes - 1)

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers."""
        return {"centre": self.centre, "scale": self.scale, "effects": self.effects}

    def from_state(self, state: Mapping[str, Any]) -> OneNumber:
        """Return the model whose `state` was *state*."""
        centre, scale, effects = (np.asarray(state[name]) for name in ("centre", "scale", "effects"))
        return replace(self, centre=centre, scale=scale, effects=effects)
