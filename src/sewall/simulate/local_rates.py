"""Uneven recombination inside a window: hotspots, which real genomes have and a constant rate lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import msprime

EVEN_SHARE = 0.4
SEGMENT_BP = (500.0, 20_000.0)
LARGEST_LOG_SD = 2.0


def local_rates(mean: float, length: int, rng: np.random.Generator) -> float | msprime.RateMap:
    """Draw how the rate varies along a window whose mean rate is known.

    Four windows in ten are even. In the others the rate is constant in segments of exponential lengths around
    500 to 20,000 bp and log-normal between them, with a standard deviation of the log of up to 2: at the upper end
    most crossovers fall into a tenth of the window, as in human hotspots.

    Args:
        mean: crossovers per bp per generation, averaged over the window.
        length: of the window in bp.
        rng: draws the segments and their rates.

    Returns:
        The mean itself, or a map whose mean rate is *mean*.
    """
    if rng.random() < EVEN_SHARE:
        return mean
    import msprime

    segment = np.exp(rng.uniform(*np.log(SEGMENT_BP)))
    inside = np.unique(rng.integers(1, length, rng.poisson(length / segment))) if length > 1 else np.zeros(0, int)
    edges = np.concatenate([[0], inside, [length]]).astype(float)
    rates = np.exp(rng.uniform(0, LARGEST_LOG_SD) * rng.standard_normal(len(edges) - 1))
    rates *= mean * length / (rates @ np.diff(edges))
    return msprime.RateMap(position=edges, rate=rates)
