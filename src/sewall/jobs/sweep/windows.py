"""Windows of a genome as the models of this job read them: a landscape of places, and statistics by sub-window."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.encode.landscape import landscape
from sewall.encode.statistics import NAMES, statistics

ENCODED = ("landscape", "statistics", "known", "sites")
PLACES = 10  # of the landscape in a sub-window
FEWEST_SITES = 10  # in a window; strong sweeps leave few


def encode(window: Alignment, theta: float, least: int, known: NDArray[np.float64]) -> dict[str, NDArray]:
    """Return the arrays that networks and simple models read of one window.

    Args:
        window: of a sample.
        theta: 4 Ne mu per bp of the whole sample, the unit of length.
        least: smallest minor-allele count that was kept.
        known: ``(sub_windows,)`` log rates of recombination relative to the mean, zeros where nothing is known.

    Returns:
        ``landscape`` (numbers, places), ``statistics`` (sub-windows, statistics; NaN where one holds too few sites),
        ``known`` (sub-windows,), ``sites`` of the window.
    """
    rows = [statistics(part, theta, least) for part in parts(window, len(known))]
    return {
        "landscape": landscape(window, theta, PLACES * len(known)).astype(np.float16),
        "statistics": np.array([[row[name] for name in NAMES] for row in rows], np.float32),
        "known": known.astype(np.float32),
        "sites": np.array(window.sites, np.int32),
    }


def parts(window: Alignment, number: int) -> list[Alignment]:
    """Return the equal parts of a window, each with its share of the mask."""
    edges = np.linspace(0, window.length, number + 1).round().astype(np.int64)
    return [window.part(int(low), int(high)) for low, high in pairwise(edges)]
