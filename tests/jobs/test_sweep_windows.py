"""Windows of a genome as the models of sweeps read them."""

from __future__ import annotations

import numpy as np

from sewall.data.alignment import Alignment
from sewall.data.regions import Region
from sewall.jobs.sweep.windows import encode, encode_along
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.history import History

THETA = 4e-4 * 2
SUB_WINDOWS, SIZE = 5, 10_000


def genome() -> Alignment:
    spec = WindowSpec(10, 150_000, 2e-8, 1e-8, History((10_000,)))
    return simulate_window(spec, np.random.SeedSequence(4))


def test_windows_along_a_genome_are_what_each_is_alone() -> None:
    whole, known = genome(), np.linspace(-1, 1, SUB_WINDOWS)
    starts = [*range(0, 100_000, SIZE), 95_000]  # the last one shares no edge with its neighbours
    windows = [whole.part(start, start + SUB_WINDOWS * SIZE) for start in starts]
    regions = [Region("1", start, start + SUB_WINDOWS * SIZE) for start in starts]
    along = list(encode_along(regions, windows, THETA, 1, lambda region: known))
    for window, found in zip(windows, along, strict=True):
        alone = encode(window, THETA, 1, known)
        assert all(np.array_equal(found[name], alone[name], equal_nan=True) for name in alone)
