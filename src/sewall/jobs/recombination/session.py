"""A run of this job: its directory is opened, its threads are set, its progress is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sewall.console import Console
from sewall.jobs.recombination.options import Options
from sewall.rundir import RunDirectory


@contextmanager
def started(options: Options) -> Iterator[tuple[RunDirectory, Console]]:
    """Open the run directory of *options*, set the threads, and say which seed the run has."""
    import torch
    from threadpoolctl import threadpool_limits

    threads = options.threads or len(os.sched_getaffinity(0))
    folder = RunDirectory.open(
        options.out, options.identity(), seed=options.seed, force=options.force, inputs=options.input_files().values()
    )
    torch.set_num_threads(1)  # networks are small; how sums are divided among threads would show in the last digit
    with threadpool_limits(threads), Console(options.verbosity) as console:
        console.say(f"seed {folder.seed}")
        yield folder, console
