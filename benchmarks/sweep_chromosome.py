"""A chromosome of 20 Mb with two sweeps: independent stretches, end to end.

A sweep lies in the middle of more than 6 Mb of one genealogy, so that all that it does to its surroundings is there,
and no end of a stretch stands in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sweep_settings import CHROMOSOMES, MUTATION_RATE, SUB_LENGTH, SUB_WINDOWS, THETA, prior_of
from threadpoolctl import threadpool_limits

from sewall.data.alignment import Alignment
from sewall.data.regions import Region
from sewall.jobs.sweep.windows import ENCODED, encode_along
from sewall.jobs.windows.source import Windows, stacked
from sewall.rundir import atomic_path
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.local_rates import local_rates
from sewall.simulate.sweep_ancestry import simulate_sweep
from sewall.simulate.sweep_course import Sweep
from sewall.task import Examples, Rows

NEUTRAL = (20, 20, 20, 18)  # sub-windows of each stretch without a sweep
SWEEPS, SWEPT = 2, 61  # sweeps, and sub-windows of the stretch of each


@dataclass(frozen=True)
class _Unread:
    """Windows of which only what was read off them is kept."""

    number: int

    def __len__(self) -> int:
        return self.number

    def load(self, rows: Rows) -> list[Alignment]:
        """Refuse."""
        raise NotImplementedError


def chromosome(path: Path, number: int) -> tuple[Examples, list[float]]:
    """Return the windows of a chromosome that `make_chromosome` wrote, and where its sweeps lie."""
    with np.load(path) as arrays:
        encoded, places = {name: arrays[name] for name in ENCODED}, arrays["places"].tolist()
    start = (np.arange(len(encoded["sites"])) + SUB_WINDOWS // 2) * SUB_LENGTH
    keys = pd.DataFrame({"chrom": str(number), "start": start, "end": start + SUB_LENGTH})
    return Examples(keys, Windows(_Unread(len(keys)), encoded)), places


def make_chromosome(path: Path, seed: int, number: int) -> None:
    """Simulate one chromosome and write what its windows hold, unless that was done before."""
    if path.exists():
        return
    with threadpool_limits(1):
        whole, places = _simulated(seed, number)
        count = whole.length // SUB_LENGTH - SUB_WINDOWS + 1
        regions = [Region(str(number), k * SUB_LENGTH, (k + SUB_WINDOWS) * SUB_LENGTH) for k in range(count)]
        windows = (whole.part(region.start, region.end) for region in regions)
        arrays = stacked(encode_along(regions, windows, THETA, 1, lambda _: np.zeros(SUB_WINDOWS)))
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, places=np.array(places), **arrays)


def _simulated(seed: int, number: int) -> tuple[Alignment, list[float]]:
    own, *children = np.random.SeedSequence([seed, 77, number]).spawn(1 + SWEEPS + len(NEUTRAL))
    rng = np.random.default_rng(own)
    order = rng.permutation(len(children))
    stretches, places, length = [], [], 0
    for k in order:
        swept = k < SWEEPS
        size = (SWEPT if swept else NEUTRAL[k - SWEEPS]) * SUB_LENGTH
        prior = prior_of()
        rates = local_rates(prior.recombination_rate.draw(rng), size, prior.unevenness, rng)
        spec = WindowSpec(CHROMOSOMES, size, MUTATION_RATE, rates, prior.histories.draw(rng))
        if swept:
            sweep = _sweep(rng)
            places.append(float(length + sweep.position))
            stretch, _ = simulate_sweep(spec, sweep, children[k])
        else:
            stretch = simulate_window(spec, children[k])
        stretches.append((length, stretch, rng.permutation(CHROMOSOMES)))
        length += size
    positions = np.concatenate([start + stretch.positions for start, stretch, _ in stretches]).astype(np.int32)
    haplotypes = np.concatenate([stretch.calls[:, columns] for _, stretch, columns in stretches])
    return Alignment(positions, haplotypes, np.ones(CHROMOSOMES, np.int8), length), places


def _sweep(rng: np.random.Generator) -> Sweep:
    prior, chromosomes = prior_of(), 20_000
    position = int((SWEPT // 2 + rng.random()) * SUB_LENGTH)
    s, age = prior.strength.draw(rng) / chromosomes, round(prior.age.draw(rng) * chromosomes)
    start = prior.start_frequency.draw(rng) if rng.random() < 0.5 else None
    return Sweep(position, s, dominance=prior.dominance, age=age, start_frequency=start)
