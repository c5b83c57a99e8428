"""Windows of a genome as the models of this job read them: a landscape of places, and statistics by sub-window."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.encode.landscape import landscape
from sewall.encode.statistics import NAMES, statistics

ENCODED = ("landscape", "statistics", "sites")
PLACES = 10  # of the landscape in a sub-window
FEWEST_SITES = 10  # in a window; strong sweeps leave few


def encode(window: Alignment, sub_windows: int, theta: float, least: int) -> dict[str, NDArray]:
    """Return the arrays that networks and simple models read of one window.

    Args:
        window: of a sample.
        sub_windows: equal parts of it.
        theta: 4 Ne mu per bp of the whole sample, the unit of length.
        least: smallest minor-allele count that was kept.

    Returns:
        ``landscape`` (numbers, places), ``statistics`` (sub-windows, statistics; NaN where one holds too few sites),
        ``sites`` of the window.
    """
    rows = [statistics(part, theta, least) for part in parts(window, sub_windows)]
    return {
        "landscape": landscape(window, theta, PLACES * sub_windows).astype(np.float16),
        "statistics": np.array([[row[name] for name in NAMES] for row in rows], np.float32),
        "sites": np.array(window.sites, np.int32),
    }


def parts(window: Alignment, number: int) -> list[Alignment]:
    """Return the equal parts of a window, each with its share of the mask."""
    edges = np.linspace(0, window.length, number + 1).round().astype(np.int64)
    return [_part(window, int(low), int(high)) for low, high in pairwise(edges)]


def _part(window: Alignment, low: int, high: int) -> Alignment:
    first, last = np.searchsorted(window.positions, (low, high))
    kept = np.clip(window.accessible, low, high) - low
    kept = kept[kept[:, 1] > kept[:, 0]].astype(np.int32)
    if not len(kept):  # an alignment without a mask is accessible everywhere
        kept, last = np.array([[0, 0]], np.int32), first
    positions = (window.positions[first:last] - low).astype(np.int32)
    return Alignment(positions, window.calls[first:last], window.copies, high - low, kept)
