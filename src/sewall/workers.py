"""Processes that share the work of a run on this machine: one thread each, and never outliving their parent."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any


@contextmanager
def worker_processes(work: Any, workers: int, receive: Any = None, *sent: Any) -> Iterator[Executor]:
    """Give an executor of processes with one thread each.

    Args:
        work: what will be sent, to see whether the user's script is needed to understand it.
        workers: number of processes.
        receive: called in each process at its start with *sent*; a function of a module.
    """
    context = multiprocessing.get_context("spawn")  # forking a process that holds torch or zarr threads may hang it
    with _one_thread_each(), _without_main(work):
        executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(receive, sent))
        try:
            yield executor
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def _start_worker(receive: Any, sent: tuple[Any, ...]) -> None:
    """Make a worker end silently on Ctrl-C and when its parent is no more, and give it what was sent."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if receive is not None:
        receive(*sent)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _without_main(work: Any) -> Iterator[None]:
    """Keep workers from running the user's script again, which a script without a main guard would not survive.

    A spawned process imports the main module to find what was defined there; work from other modules needs none of it.
    """
    main = sys.modules["__main__"]
    names = [] if b"__main__" in pickle.dumps(work) else ["__file__", "__spec__"]
    hidden = {name: getattr(main, name) for name in names if hasattr(main, name)}
    for name in hidden:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in hidden.items():
            setattr(main, name, value)
