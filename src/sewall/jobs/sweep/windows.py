"""Windows of a genome as the models of this job read them: a landscape of places, and statistics by sub-window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.data.regions import Region
from sewall.encode.landscape import landscape
from sewall.encode.statistics import NAMES, statistics

ENCODED = ("landscape", "statistics", "known", "sites")
PLACES = 10  # of the landscape in a sub-window
Known = Callable[[Region], NDArray[np.float64]]
FEWEST_SITES = 10  # in a window; strong sweeps leave few


def encode_along(
    regions: Sequence[Region], windows: Iterable[Alignment], theta: float, least: int, known: Known
) -> Iterator[dict[str, NDArray]]:
    """Yield the arrays of windows along a genome, as `encode` does; sub-windows that they share are looked at once.

    Args:
        regions: where the windows lie.
        windows: as many.
        theta, least: as in `encode`.
        known: what is known of recombination in a region.
    """
    shared: dict[Region, NDArray] = {}
    for region, window in zip(regions, windows, strict=True):
        rates = known(region)
        edges = region.start + _edges(window, len(rates))
        places = [Region(region.chrom, int(low), int(high)) for low, high in pairwise(edges)]
        found: dict[Region, NDArray] = {}
        for place, part in zip(places, parts(window, len(rates)), strict=True):
            found[place] = shared[place] if place in shared else _statistics(part, theta, least)
        shared = found
        yield _encoded(window, theta, rates, np.array(list(found.values())))


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
    rows = [_statistics(part, theta, least) for part in parts(window, len(known))]
    return _encoded(window, theta, known, np.array(rows, np.float32))


def _statistics(part: Alignment, theta: float, least: int) -> NDArray[np.float32]:
    found = statistics(part, theta, least)
    return np.array([found[name] for name in NAMES], np.float32)


def _encoded(
    window: Alignment, theta: float, known: NDArray[np.float64], rows: NDArray[np.float32]
) -> dict[str, NDArray]:
    return {
        "landscape": landscape(window, theta, PLACES * len(known)).astype(np.float16),
        "statistics": rows,
        "known": known.astype(np.float32),
        "sites": np.array(window.sites, np.int32),
    }


def parts(window: Alignment, number: int) -> list[Alignment]:
    """Return the equal parts of a window, each with its share of the mask."""
    return [window.part(int(low), int(high)) for low, high in pairwise(_edges(window, number))]


def _edges(window: Alignment, number: int) -> NDArray[np.int64]:
    return np.linspace(0, window.length, number + 1).round().astype(np.int64)
