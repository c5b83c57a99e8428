"""Make the general recombination bundle that the package ships.

    python training/recombination.py

Simulates data sets of every kind (see `sewall.jobs.recombination.every_data`), trains on them and writes the bundle to
``src/sewall/shipped/recombination``. Data set i depends on the seed and i alone; shards of simulations and checkpoints
of networks that are there are kept, so that a run that was interrupted goes on. An accelerator is used where there is
one (``--device auto``). A little over an hour on two cores.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

import sewall
from sewall import run
from sewall.bundle import Bundle
from sewall.jobs.recombination import every_data
from sewall.jobs.recombination.every_data import DataSetSimulator, examples_of
from sewall.jobs.recombination.task import RecombinationTask
from sewall.simulate.farm import run_farm
from sewall.task import Examples
from sewall.train import TrainConfig

PLACE = Path(sewall.__file__).parent / "shipped" / "recombination"
SHARD = 20
SHARES = run.Shares(train=0.82, tune=0.03, calibrate=0.07, null=0.03)
LEVEL = 0.9
MAKES = tuple(
    f"{room}/{name}.py"
    for room, names in {
        "simulate": ("coalescent", "defects", "history", "local_rates", "nuisances"),
        "encode": ("copying", "pairs", "statistics", "tables"),
        "jobs/windows": ("calls",),
        "jobs/recombination": ("context", "every_data", "windows"),
    }.items()
    for name in names
)


def simulated(number: int, seed: int, cache: Path, workers: int) -> Examples:
    """Return the windows of data sets 0 to *number* - 1; those that lie in the cache are not made again."""
    source = Path(sewall.__file__).parent
    code = hashlib.sha256(b"".join((source / name).read_bytes() for name in MAKES)).hexdigest()
    begun = time.monotonic()

    def told(done: int, of: int) -> None:
        print(f"\r{done:,} of {of:,} data sets, {time.monotonic() - begun:.0f} s", end="", flush=True)

    with threadpool_limits(1):
        paths = run_farm(
            DataSetSimulator(), number, seed, cache / f"data-sets-{seed}", config={"code": code}, shard_size=SHARD,
            workers=workers, progress=told,
        )  # fmt: skip
    print()
    return examples_of(paths)


def about(number: int, windows: int, seed: int) -> dict[str, Any]:
    """Return what the bundle says of itself before it is scored."""
    return {
        "job": RecombinationTask.name,
        "description": "Crossovers per mutation (rho / theta) of windows of a genome, from an alignment of any sample.",
        "trained_on": {
            "any_data": True, "context": True, "chromosomes": list(every_data.CHROMOSOMES), "phased": [False, True],
            "missing_calls": every_data.MOST_MISSING, "window_bp": list(every_data.LENGTHS),
            "theta_per_window": list(every_data.INFORMATION), "theta_per_bp": list(every_data.THETA),
            "rho_over_theta": [0.0, every_data.HIGHEST], "data_sets": number, "simulations": windows, "seed": seed,
            "history": "random histories of one to four epochs", "quick": False,
        },
        "limits": [
            "Valid for data like the simulations above; the support check says where data are not.",
            "Selection was not simulated, nor structure within the sample.",
            "Rates per bp are proportional to the mutation rate that the user states.",
        ],
    }  # fmt: skip


def trained(
    examples: Examples, config: TrainConfig, checkpoints: Path, seed: int, workers: int, shares: run.Shares = SHARES
) -> Bundle:
    """Train on the windows of many data sets; none of those that are scored was seen in training."""
    assert examples.groups is not None
    task = RecombinationTask(every_data.HIGHEST, context=True, any_data=True)
    parts = run.split(task, examples, seed, shares)
    bundle, learning = run.fit(task, examples, parts, config, checkpoints, seed, workers)
    scores = run.evaluate(bundle, task, examples, parts.test, LEVEL, seed)
    scores |= {"learning": learning, "held_out": f"{len(parts.test):,} windows of data sets that no model saw"}
    return run.described(bundle, task, about(len(np.unique(examples.groups)), len(examples), seed), scores)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--cache", type=Path, default=Path("build/training/recombination"))
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", choices=("cpu", "auto"), default="auto")
    parser.add_argument("--out", type=Path, default=PLACE)
    arguments = parser.parse_args()
    examples = simulated(arguments.data_sets, arguments.seed, arguments.cache, arguments.workers)
    config = TrainConfig(epochs=arguments.epochs, members=arguments.members, device=arguments.device)
    key = hashlib.sha256(repr((config, arguments.data_sets)).encode()).hexdigest()[:12]
    workers = arguments.workers if arguments.device == "cpu" or not torch.cuda.is_available() else 1
    begun = time.monotonic()
    bundle = trained(examples, config, arguments.cache / "checkpoints" / key, arguments.seed, workers)
    print(f"trained in {time.monotonic() - begun:.0f} s; {asdict(config)}")
    shutil.rmtree(arguments.out, ignore_errors=True)
    bundle.save(arguments.out)
    size = sum(path.stat().st_size for path in arguments.out.iterdir()) / 1e6
    print(f"{arguments.out}: {size:.1f} MB; {bundle.about['scores']}")


if __name__ == "__main__":
    main()
