"""Runs many simulations, on the processors of this machine or on a Dask cluster, and keeps what is done.

Simulation i depends on the seed and i alone, so neither the number of workers nor an interruption changes the result.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from sewall.data.alignment import Alignment
from sewall.errors import SewallError
from sewall.simulate.shards import pack, shard_fingerprint, write_whole
from sewall.workers import worker_processes

Labelled = tuple[Alignment, Mapping[str, Any]]
Work = Callable[[int, np.random.SeedSequence], Labelled | list[Labelled]]
Progress = Callable[[int, int], None]
CLUSTER_TIMEOUT = 20.0  # seconds


@dataclass(frozen=True)
class Shard:
    """Simulations ``start`` to ``stop`` (half-open) and what they are made from."""

    start: int
    stop: int
    path: Path
    fingerprint: str


def run_farm(
    work: Work,
    n: int,
    seed: int,
    directory: Path,
    *,
    config: Mapping[str, Any],
    shard_size: int = 500,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Run simulations 0 … n - 1 and write them as shards; whole shards of the same kind are kept, not run again.

    Args:
        work: ``work(i, seed) -> (alignment, labels)``, or a list of such pairs, where one simulation gives several
            examples; picklable: a function or instance of a class of a module.
        n: number of simulations. More may be asked for later; those that exist are kept.
        seed: of all simulations together; simulation i gets ``SeedSequence(seed, spawn_key=(i,))``.
        directory: where ``shard-00000.npz`` … lie; made if absent.
        config: all that *work* depends on, as JSON. A shard made from another config is run again.
        shard_size: simulations per file and per task of a worker.
        workers: processes; by default one per processor. One runs in this process.
        cluster: address of a Dask scheduler to use instead; nothing but this process writes files.
        progress: called with the number of simulations done and *n*.

    Returns:
        Paths of the shards, in order.

    Raises:
        SewallError: where a simulation raises one (names the simulation), the disk is full or the cluster is away.
        RuntimeError: where a simulation fails in any other way (names the simulation).
    """
    directory.mkdir(parents=True, exist_ok=True)
    shards = _plan(n, seed, directory, config, shard_size)
    missing = [s for s in shards if shard_fingerprint(s.path) != s.fingerprint]
    done = n - sum(s.stop - s.start for s in missing)
    if progress:
        progress(done, n)
    for shard, content in _run(work, seed, missing, workers, cluster):
        write_whole(shard.path, content)
        done += shard.stop - shard.start
        if progress:
            progress(done, n)
    return [s.path for s in shards]


def _plan(n: int, seed: int, directory: Path, config: Mapping[str, Any], shard_size: int) -> list[Shard]:
    made_from = {"config": config, "seed": seed, "versions": {p: version(p) for p in ("msprime", "tskit")}}
    text = json.dumps(made_from, sort_keys=True)
    shards = []
    for index, start in enumerate(range(0, n, shard_size)):
        stop = min(start + shard_size, n)
        fingerprint = hashlib.sha256(f"{text} {start} {stop}".encode()).hexdigest()
        shards.append(Shard(start, stop, directory / f"shard-{index:05d}.npz", fingerprint))
    return shards


def simulate_shard(work: Work, seed: int, shard: Shard) -> bytes:
    """Run the simulations of one shard and return its bytes; what a worker does."""
    made = [example for i in range(shard.start, shard.stop) for example in _one(work, seed, i)]
    rows = [labels for _, labels in made]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return pack([alignment for alignment, _ in made], columns, shard.fingerprint)


def _one(work: Work, seed: int, i: int) -> list[Labelled]:
    try:
        made = work(i, np.random.SeedSequence(seed, spawn_key=(i,)))
        return made if isinstance(made, list) else [made]
    except SewallError as error:
        raise SewallError(f"simulation {i}: {error}") from error
    except Exception as error:
        raise RuntimeError(f"simulation {i} (seed {seed}) failed: {type(error).__name__}: {error}") from error


def _run(
    work: Work, seed: int, shards: list[Shard], workers: int | None, cluster: str | None
) -> Iterator[tuple[Shard, bytes]]:
    workers = min(workers or len(os.sched_getaffinity(0)), len(shards))
    if cluster is None and workers <= 1:
        for shard in shards:
            yield shard, simulate_shard(work, seed, shard)
        return
    with _dask(cluster) if cluster else worker_processes(work, workers) as executor:
        waiting = {executor.submit(simulate_shard, work, seed, shard): shard for shard in shards}
        yield from _as_they_come(waiting)


def _as_they_come(waiting: dict[Future[bytes], Shard]) -> Iterator[tuple[Shard, bytes]]:
    try:
        for future in as_completed(waiting):
            yield waiting.pop(future), future.result()
    except BrokenProcessPool:
        raise SewallError(
            "a simulation worker was ended from outside, perhaps for lack of memory; use fewer --threads and run again"
        ) from None
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError:
        raise SewallError("--cluster needs dask.distributed; install it with: pip install 'sewall[cluster]'") from None
    try:
        client = Client(address, timeout=CLUSTER_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SewallError(f"no Dask scheduler answers at {address} ({error}); check the address") from None
    with client, client.get_executor(pure=False, retries=2) as executor:
        yield executor
