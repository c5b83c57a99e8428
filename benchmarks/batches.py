"""Batches of windows for the benchmark of the support check: every batch is read as `map` reads the data of a user."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from settings import CHROMOSOMES, HIGHEST_RATE, MUTATION_RATE, THETA, code_digest

from sewall.data.alignment import Alignment
from sewall.encode.statistics import watterson_theta
from sewall.jobs.recombination.task import TARGET
from sewall.jobs.recombination.windows import ENCODED, encode
from sewall.jobs.windows.source import Windows, stacked
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.farm import run_farm
from sewall.simulate.history import HistorySource
from sewall.simulate.shards import ShardedAlignments
from sewall.task import Examples

WINDOWS = 50
SPREAD = 0.05  # of the log of a window's mutation rate: the least that `map` puts on its simulations
SHARD = 10


@dataclass(frozen=True)
class Batch:
    """Simulates and encodes `WINDOWS` windows with even rates, uniform from 0 to `HIGHEST_RATE`.

    Attributes:
        history: of all windows.
        own_unit: whether theta of the batch's own windows is the unit of length, as for data; else `THETA`, as for the
            simulations that a network is trained on.
        length: of a window in bp.
        spread: standard deviation of the log of a window's mutation rate.
    """

    history: HistorySource
    own_unit: bool
    length: int = 100_000
    spread: float = SPREAD

    def __call__(self, i: int, seed: np.random.SeedSequence) -> tuple[Alignment, dict[str, Any]]:
        drawn = [self._window(child) for child in seed.spawn(WINDOWS)]
        windows, ratios = [window for window, _ in drawn], np.array([ratio for _, ratio in drawn])
        unit = float(np.mean([watterson_theta(w) for w in windows])) if self.own_unit else THETA
        return windows[0], {TARGET: ratios, **stacked(encode(window, unit, 1) for window in windows)}

    def _window(self, seed: np.random.SeedSequence) -> tuple[Alignment, float]:
        draws, ancestry = seed.spawn(2)
        rng = np.random.default_rng(draws)
        ratio = rng.uniform(0, HIGHEST_RATE) / MUTATION_RATE
        mutation_rate = MUTATION_RATE * np.exp(self.spread * rng.standard_normal())
        spec = WindowSpec(CHROMOSOMES, self.length, mutation_rate, ratio * mutation_rate, self.history.draw(rng))
        return simulate_window(spec, ancestry), ratio


def simulated_batches(batch: Batch, n: int, seed: int, cache: Path, name: str, workers: int) -> Examples:
    """Return the windows of *n* batches end to end; ``groups`` is the number of the batch."""

    def progress(done: int, total: int) -> None:
        print(f"\rsimulating {name}: {done:,} of {total:,} batches", end="" if done < total else "\n", flush=True)

    config = {"batch": repr(asdict(batch)), "code": code_digest() + Path(__file__).read_text(encoding="utf-8")}
    folder = cache / f"{name}-seed{seed}"
    paths = run_farm(batch, n, seed, folder, config=config, shard_size=SHARD, workers=workers, progress=progress)
    shards = ShardedAlignments(paths)
    encoded = {key: _flat(shards.array(key)) for key in ENCODED}
    groups = np.repeat(np.arange(n), WINDOWS)
    return Examples(pd.DataFrame({"batch": groups}), Windows(shards, encoded), _flat(shards.array(TARGET)), groups)


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, *values.shape[2:])
