"""The simulated settings of the recombination benchmarks: what a window is, and the sets of windows.

Window i of a set depends on the set's seed and i alone. A set lies in shards under the cache folder and is simulated
again when the code that makes or encodes windows changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import sewall
from sewall.data.alignment import Alignment
from sewall.jobs.recombination.learn import simulated_examples
from sewall.jobs.recombination.windows import encode
from sewall.run import Split
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.farm import run_farm
from sewall.simulate.history import (
    REFERENCE_SIZE,
    History,
    HistorySource,
    OneHistory,
    RandomHistories,
    theta_matched,
)
from sewall.simulate.nuisances import mask_calls, unphase
from sewall.task import Examples, Rows, Task

CHROMOSOMES = 20
MUTATION_RATE = 1.25e-8  # per bp per generation
HIGHEST_RATE = 5e-8  # crossovers per bp per generation
UPPER = HIGHEST_RATE / MUTATION_RATE  # of rho / theta
THETA = 4 * REFERENCE_SIZE * MUTATION_RATE
LEVEL = 0.9
SHARD = 500
SIMULATORS = ("coalescent", "defects", "demography_files", "farm", "history", "local_rates", "nuisances", "shards")

CONSTANT = OneHistory(History((REFERENCE_SIZE,)), "constant size")
UNKNOWN = RandomHistories(CHROMOSOMES)
BOTTLENECK = OneHistory(theta_matched(History((1e4, 500, 1e4), (1000, 2000)), CHROMOSOMES), "bottleneck")
EXPANSION = OneHistory(theta_matched(History((2e5, 1e4), (1000,)), CHROMOSOMES), "expansion")


@dataclass(frozen=True)
class Window:
    """Simulates and encodes one window with an even rate, uniform from 0 to `HIGHEST_RATE`.

    Defects have a stream of their own, so that windows with and without them share rate, genealogy and mutations.

    Attributes:
        histories: what the population history of each window is drawn from.
        length: in bp.
        unphased: whether pairs of haplotypes are summed to genotypes.
        missing: share of calls that are missing, independently of each other.
    """

    histories: HistorySource
    length: int = 200_000
    unphased: bool = False
    missing: float = 0.0

    def __call__(self, i: int, seed: np.random.SeedSequence) -> tuple[Alignment, dict[str, Any]]:
        window, rate = self.simulated(seed)
        return window, {"rho_over_theta": rate / MUTATION_RATE, **encode(window, THETA, 1)}

    def simulated(self, seed: np.random.SeedSequence) -> tuple[Alignment, float]:
        """Return a window, and its rate per bp."""
        draws, ancestry, defects = seed.spawn(3)
        rng = np.random.default_rng(draws)
        rate = rng.uniform(0, HIGHEST_RATE)
        history = self.histories.draw(rng)
        spec = WindowSpec(CHROMOSOMES, self.length, MUTATION_RATE, rate, history)
        return self.as_called(simulate_window(spec, ancestry), np.random.default_rng(defects)), rate

    def as_called(self, window: Alignment, rng: np.random.Generator) -> Alignment:
        """Return the window with its defects."""
        if self.unphased:
            window = unphase(window, np.full(CHROMOSOMES // 2, 2, np.int8))
        if self.missing:
            window = mask_calls(window, rng.random(window.calls.shape) < self.missing, rng)
        return window


def simulated(window: Window, n: int, seed: int, cache: Path, name: str, workers: int) -> Examples:
    """Return *n* labelled windows; those that lie in the cache are not simulated again."""

    def progress(done: int, total: int) -> None:
        print(f"\rsimulating {name}: {done:,} of {total:,}", end="" if done < total else "\n", flush=True)

    config = {"window": repr(asdict(window)), "code": code_digest()}
    folder = cache / f"{name}-seed{seed}"
    paths = run_farm(window, n, seed, folder, config=config, shard_size=SHARD, workers=workers, progress=progress)
    return simulated_examples(paths)


def code_digest() -> str:
    """Return a digest of the code that makes and encodes windows."""
    package = Path(sewall.__file__).parent
    files = [Path(__file__), package / "jobs/recombination/windows.py"]
    files += [package / "encode" / f"{name}.py" for name in ("copying", "pairs", "statistics", "tables")]
    files += [package / "simulate" / f"{name}.py" for name in SIMULATORS]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def package_digest() -> str:
    """Return a digest of all code of the package."""
    package = Path(sewall.__file__).parent
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(package.rglob("*.py")))).hexdigest()[:12]


def parts(task: Task, examples: Examples, sizes: Sequence[int]) -> tuple[Split, int]:
    """Return rows of test, calibration, null, tuning and training windows, in this order along the set.

    Training comes last, so that more of it leaves all else as it is.

    Returns:
        The split, and how many windows were left out because they hold too few variants.
    """
    usable = task.usable(examples)
    ends = np.cumsum([0, *sizes])
    rows: list[Rows] = [np.flatnonzero(usable[a:b]) + a for a, b in pairwise(ends)]
    test, calibrate, null, tune, train = rows
    return Split(train, tune, calibrate, null, test), int((~usable[: ends[-1]]).sum())
