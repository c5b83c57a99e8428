"""Uneven recombination inside a window: hotspots, which real genomes have and a constant rate lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import msprime

SEGMENT_BP = (500.0, 20_000.0)


def local_rates(mean: float, length: int, log_sd: float, rng: np.random.Generator) -> float | msprime.RateMap:
    """Draw how the rate varies along a window whose mean rate is known.

    The rate is constant in segments of exponential lengths around 500 to 20,000 bp, and log-normal between them.

    Args:
        mean: crossovers per bp per generation, averaged over the window.
        length: of the window in bp.
        log_sd: standard deviation of the log of a segment's rate. At 2 about half of the crossovers fall into a
            fiftieth of the segments, as in human hotspots; at 0 the rate is even.
        rng: draws the segments and their rates.

    Returns:
        The mean itself, or a map whose mean rate is *mean*.
    """
    if log_sd <= 0 or length < 2:
        return mean
    import msprime

    segment = np.exp(rng.uniform(*np.log(SEGMENT_BP)))
    inside = np.unique(rng.integers(1, length, rng.poisson(length / segment)))
    edges = np.concatenate([[0], inside, [length]]).astype(float)
    rates = np.exp(log_sd * rng.standard_normal(len(edges) - 1))
    rates *= mean * length / (rates @ np.diff(edges))
    return msprime.RateMap(position=edges, rate=rates)


def along(rates: float | msprime.RateMap, parts: NDArray[np.float64], length: int) -> msprime.RateMap:
    """Return rates times what is known of each of the equal *parts* of a stretch of *length* bp."""
    import msprime

    own = msprime.RateMap.uniform(length, rates) if isinstance(rates, float) else rates
    edges = np.linspace(0, length, len(parts) + 1)
    position = np.union1d(own.position, edges)
    part = np.minimum(np.searchsorted(edges, position[:-1], side="right") - 1, len(parts) - 1)
    return msprime.RateMap(position=position, rate=own.get_rate(position[:-1]) * parts[part])
