"""Whether simulated rates can be as uneven as human ones within a window."""

from __future__ import annotations

import os
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from sewall.jobs.recombination.genomes import ANY_DEFECTS
from sewall.simulate.local_rates import local_rates

WINDOW, STRETCH = 100_000, 2_000
PLACES = np.arange(0, WINDOW + 1, STRETCH)


def in_a_tenth(crossovers: NDArray[np.float64]) -> float:
    """Return the share of the crossovers in the tenth of the stretches that has most."""
    return float(np.sort(crossovers)[::-1][: len(crossovers) // 10].sum() / crossovers.sum())


def simulated(unevenness: float) -> float:
    rng, found = np.random.default_rng(1), []
    for _ in range(300):
        rates = local_rates(1e-8, WINDOW, unevenness, rng)
        assert isinstance(rates, msprime.RateMap)
        found.append(in_a_tenth(np.diff(rates.get_cumulative_mass(PLACES))))
    return float(np.mean(found))


def test_simulations_reach_beyond_the_human_map() -> None:
    if (data := os.environ.get("SEWALL_DATA")) is None:
        pytest.skip("SEWALL_DATA is not set")
    known = pd.read_csv(Path(data) / "hapmap_b37" / "chr2.b37.gmap.gz", sep=r"\s+")
    windows = [
        np.diff(np.interp(start + PLACES, known["pos"], known["cM"]))
        for start in range(134_000_000, 140_000_000, WINDOW)
    ]  # fmt: skip
    human = float(np.mean([in_a_tenth(window) for window in windows if window.sum() > 0]))
    assert simulated(2.0) + 0.05 < human < simulated(ANY_DEFECTS.most.unevenness)
    assert simulated(2.6) == pytest.approx(human, abs=0.03)
