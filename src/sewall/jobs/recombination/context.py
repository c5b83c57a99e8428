"""What all windows of a data set show together: it tells a network of whose genome a window is.

One window says little of the history of its population, or of how recombination is spread over its genome; many windows
say it well. A network that reads both answers as one would who had first looked at the whole file (empirical Bayes,
Robbins 1956, learned).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sewall.encode.statistics import LABELS

MOST_WINDOWS = 12  # more tell a little more, but training never sees more
OF_SAMPLE = {
    "chromosomes": "chromosomes (log)",
    "phased": "phased",
    "rarest": "smallest share of the rarer allele (log)",
    "windows": "windows (log)",
}
CONTEXT_LABELS = {
    **OF_SAMPLE,
    **{f"mean_{name}": f"{label}, mean over the windows" for name, label in LABELS.items()},
    **{f"sd_{name}": f"{label}, spread over the windows" for name, label in LABELS.items()},
}
CONTEXT = tuple(CONTEXT_LABELS)


def context(statistics: NDArray[np.floating], chromosomes: int, phased: bool, least: int) -> NDArray[np.float32]:
    """Return ``(context,)`` what the windows of one kind of contig show together (see `CONTEXT`).

    Args:
        statistics: ``(windows, statistics)`` as `sewall.encode.statistics.statistics` gives them; rows of windows with
            too few sites are NaN and left out, and at least one must not be.
        chromosomes: copies in the sample.
        phased: whether columns are chromosome copies.
        least: smallest minor-allele count that was kept.
    """
    known = np.asarray(statistics, float)[~np.isnan(np.asarray(statistics)[:, 0])]
    of_sample = [np.log(chromosomes), float(phased), np.log(least / chromosomes)]
    windows = np.log(min(len(known), MOST_WINDOWS))
    return np.concatenate([of_sample, [windows], known.mean(axis=0), known.std(axis=0)]).astype(np.float32)


def contexts(
    statistics: NDArray[np.floating], kinds: NDArray[np.int64], samples: Iterable[tuple[int, bool]], least: int
) -> NDArray[np.float32]:
    """Return ``(windows, context)``: to each window the `context` of the windows of its kind of contig.

    Args:
        statistics: ``(windows, statistics)``, NaN where a window has too few sites.
        kinds: ``(windows,)`` number of each window's kind of contig.
        samples: chromosomes of each kind, and whether they are phased.
        least: smallest minor-allele count that was kept.
    """
    found = np.full((len(statistics), len(CONTEXT)), np.nan, np.float32)
    for number, (chromosomes, phased) in enumerate(samples):
        own = kinds == number
        if own.any() and not np.isnan(statistics[own, 0]).all():
            found[own] = context(statistics[own], chromosomes, phased, least)
    return found
