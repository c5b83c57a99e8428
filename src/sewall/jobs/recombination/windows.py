"""Windows of a genome as the models of this job read them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.encode.pairs import site_pairs
from sewall.encode.statistics import NAMES, statistics
from sewall.encode.tables import tables

ENCODED = ("pairs", "between", "within", "copying", "statistics")


def encode(alignment: Alignment, theta: float, least: int) -> dict[str, NDArray]:
    """Return the arrays that networks and simple models read of one window.

    Args:
        alignment: the window.
        theta: 4 Ne mu per bp of the whole sample, the unit of length.
        least: smallest minor-allele count that was kept.
    """
    pairs = site_pairs(alignment)
    named = statistics(alignment, theta, least, pairs)
    return tables(alignment, pairs, theta) | {"statistics": np.array([named[name] for name in NAMES], np.float32)}
