"""Calls among many windows: the share of false ones among those that are made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def q_values(false: Floats) -> Floats:
    """Return, for each case, the share of false calls if it and all that are surer were called.

    The mean of the probabilities that a call is false, over the calls that are made, is the false-discovery rate that
    is expected of them, if the probabilities hold (Newton et al. 2004, Biostatistics 5:155).

    Args:
        false: ``(cases,)`` probability that a call would be false; NaN stays NaN.

    >>> q_values(np.array([0.5, 0.0, 0.1])).round(3).tolist()
    [0.2, 0.0, 0.05]
    """
    found = np.full(len(false), np.nan)
    known = np.flatnonzero(np.isfinite(false))
    order = known[np.argsort(false[known], kind="stable")]
    found[order] = np.cumsum(false[order]) / np.arange(1, len(order) + 1)
    return found
