"""The simulated settings of the sweep benchmarks: what a window is, and the sets of windows.

20 haplotypes; windows of 1.1 Mb, of eleven sub-windows; size 10,000, mutation rate 1.25e-8; recombination rates
log-uniform from 4e-9 to 2.5e-8, uneven within a window. Sweeps have 2 N s uniform from 250 to 2,500 and ended up to
2,000 generations ago; soft ones began at a frequency uniform from .0005 to .1. Simulation i of a set depends on the
set's seed and i alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

import sewall
from sewall.jobs.sweep.learn import examples_of
from sewall.jobs.sweep.prior import Clean, SweepSimulator
from sewall.jobs.windows.observed import Sample, Template
from sewall.simulate.farm import run_farm
from sewall.simulate.history import REFERENCE_SIZE, History, HistorySource, OneHistory
from sewall.simulate.sweeps import Range, SweepPrior
from sewall.task import Examples

CHROMOSOMES, SUB_WINDOWS, SUB_LENGTH = 20, 11, 100_000
MUTATION_RATE = 1.25e-8
RATES = Range(4e-9, 2.5e-8, log=True)
THETA = 4 * REFERENCE_SIZE * MUTATION_RATE
CONSTANT = OneHistory(History((REFERENCE_SIZE,)), "constant size")
SHARD = 120
MAKES = (
    "simulate/sweep*.py", "simulate/coalescent.py", "simulate/nuisances.py", "encode/*.py", "jobs/sweep/windows.py",
    "jobs/sweep/prior.py", "jobs/windows/calls.py",
)  # fmt: skip


def prior_of(histories: HistorySource = CONSTANT, strength: Range | None = None) -> SweepPrior:
    """Return what is simulated."""
    prior = SweepPrior(
        CHROMOSOMES, histories, Range(MUTATION_RATE, MUTATION_RATE), RATES, unevenness=0.5, sub_windows=SUB_WINDOWS,
        sub_length=SUB_LENGTH, linked=1,
    )  # fmt: skip
    return prior if strength is None else replace(prior, strength=strength)


def simulator(prior: SweepPrior, unphased: bool = False, theta: float = THETA) -> SweepSimulator:
    """Return the simulator of windows with perfect calls, of known or unknown phase."""
    length = prior.window_length
    ploidy = np.full(CHROMOSOMES // 2, 2, np.int8) if unphased else np.ones(CHROMOSOMES, np.int8)
    columns = CHROMOSOMES // 2 if unphased else CHROMOSOMES
    sample = Sample(not unphased, ploidy, np.zeros((0, columns), bool))
    frame = Template(0, length, np.array([[0, length]], np.int32), float(np.log(theta)))
    return SweepSimulator(prior, (sample,), (frame,), Clean(), theta, 1)


def simulated(work: SweepSimulator, name: str, number: int, seed: int, cache: Path, workers: int) -> Examples:
    """Return the windows of simulations 0 to *number* - 1; those that lie in the cache are not made again."""
    source = Path(sewall.__file__).parent
    code = hashlib.sha256(b"".join(p.read_bytes() for glob in MAKES for p in sorted(source.glob(glob)))).hexdigest()
    prior = work.prior
    ranges = {key: asdict(value) for key, value in vars(prior).items() if isinstance(value, Range)}
    config = {"code": code, "ranges": ranges, "histories": prior.histories.state(), "phased": work.samples[0].phased}
    paths = run_farm(
        work, number, seed, cache / f"{name}-{seed}", config=config, shard_size=SHARD, workers=workers,
        progress=lambda done, of: print(f"\r{name}: {done:,} of {of:,} simulations", end="", flush=True),
    )  # fmt: skip
    print()
    return examples_of(paths)
