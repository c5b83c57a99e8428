"""A chromosome of 20 Mb with two sweeps: independent stretches, end to end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sweep_settings import CHROMOSOMES, MUTATION_RATE, SUB_LENGTH, SUB_WINDOWS, THETA, prior_of

from sewall.data.alignment import Alignment
from sewall.jobs.sweep.windows import ENCODED, encode
from sewall.jobs.windows.source import Windows, stacked
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.local_rates import local_rates
from sewall.simulate.sweep_ancestry import simulate_sweep
from sewall.simulate.sweep_course import Sweep
from sewall.task import Examples, Rows

NEUTRAL = (20, 20, 20, 20, 20, 20, 20, 18)  # sub-windows of each stretch without a sweep
SWEEPS = 2
WINDOW = SUB_WINDOWS * SUB_LENGTH


@dataclass(frozen=True)
class _Parts:
    """Windows of a chromosome."""

    whole: Alignment

    def __len__(self) -> int:
        return self.whole.length // SUB_LENGTH - SUB_WINDOWS + 1

    def load(self, rows: Rows) -> list[Alignment]:
        """Return the windows of *rows*."""
        return [self.whole.part(int(row) * SUB_LENGTH, int(row) * SUB_LENGTH + WINDOW) for row in rows]


def whole_chromosome(which: tuple[int, int]) -> tuple[Examples, list[float]]:
    """Return the windows of one chromosome, by seed and number, and where its sweeps lie."""
    seed, number = which
    own, *children = np.random.SeedSequence([seed, 77, number]).spawn(1 + SWEEPS + len(NEUTRAL))
    rng = np.random.default_rng(own)
    order = rng.permutation(len(children))
    stretches, places, length = [], [], 0
    for k in order:
        swept = k < SWEEPS
        size = (2 * SUB_WINDOWS - 1 if swept else NEUTRAL[k - SWEEPS]) * SUB_LENGTH
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
    windows = _Parts(Alignment(positions, haplotypes, np.ones(CHROMOSOMES, np.int8), length))
    arrays = stacked(
        encode(window, THETA, 1, np.zeros(SUB_WINDOWS)) for window in windows.load(np.arange(len(windows)))
    )
    start = (np.arange(len(windows)) + SUB_WINDOWS // 2) * SUB_LENGTH
    keys = pd.DataFrame({"chrom": str(number), "start": start, "end": start + SUB_LENGTH})
    return Examples(keys, Windows(windows, {name: arrays[name] for name in ENCODED})), places


def _sweep(rng: np.random.Generator) -> Sweep:
    prior, chromosomes = prior_of(), 20_000
    position = int((SUB_WINDOWS - 1 + rng.random()) * SUB_LENGTH)
    s, age = prior.strength.draw(rng) / chromosomes, round(prior.age.draw(rng) * chromosomes)
    start = prior.start_frequency.draw(rng) if rng.random() < 0.5 else None
    return Sweep(position, s, dominance=prior.dominance, age=age, start_frequency=start)
