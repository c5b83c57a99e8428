"""A run of any job: its directory is opened, its threads are bounded, its progress is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from sewall.console import Console
from sewall.jobs.options import Options
from sewall.rundir import RunDirectory


@contextmanager
def started(options: Options) -> Iterator[tuple[RunDirectory, Console]]:
    """Open the run directory of *options*, and say which seed the run has."""
    import torch
    from threadpoolctl import threadpool_limits

    folder = RunDirectory.open(
        options.out, options.identity(), seed=options.seed, force=options.force, inputs=options.input_files().values()
    )
    # Work is divided among processes. Threads would gain little on matrices so small, and show in the last digit.
    torch.set_num_threads(1)
    with threadpool_limits(1), Console(options.verbosity) as console:
        console.say(f"seed {folder.seed}")
        yield folder, console


def stream(seed: int, purpose: int) -> int:
    """Return the seed of one purpose of a run."""
    return int(np.random.SeedSequence([seed, purpose]).generate_state(1)[0])
