"""What a run says while it works: one bar per stage and short lines, all on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress

QUIET, NORMAL, VERBOSE = 0, 1, 2


@dataclass
class Bar:
    """Progress of one stage.

    Attributes:
        label: what is being done, for people.
        total: how many steps there are, None where it is not known.
        done: steps so far.
    """

    label: str
    total: float | None = None
    done: float = 0
    _progress: Progress | None = None
    _task: Any = None

    def advance(self, steps: float = 1) -> None:
        """Say that *steps* more are done."""
        self.update(self.done + steps)

    def update(self, done: float, total: float | None = None) -> None:
        """Say how many steps are done, and how many there are where that has become known."""
        self.done = done
        self.total = self.total if total is None else total
        if self._progress is not None:
            self._progress.update(self._task, completed=done, total=self.total)


@dataclass
class Console:
    """Lines and bars on stderr. On a terminal bars move; elsewhere each stage leaves one line, so that logs stay short.

    >>> console = Console(verbosity=0)
    >>> with console.bar("simulating", total=2) as bar:
    ...     bar.advance()
    >>> bar.done
    1
    """

    verbosity: int = NORMAL
    _progress: Progress | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        if self.verbosity >= NORMAL and sys.stderr.isatty():
            self._progress = _moving_bars()
            self._progress.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def say(self, text: str) -> None:
        """Print a line unless the run is quiet."""
        if self.verbosity >= NORMAL:
            self._print(text)

    def detail(self, text: str) -> None:
        """Print a line only with ``--verbose``."""
        if self.verbosity >= VERBOSE:
            self._print(text)

    @contextmanager
    def bar(self, label: str, total: float | None = None) -> Iterator[Bar]:
        """Show the progress of one stage while the block runs."""
        task = None if self._progress is None else self._progress.add_task(label, total=total)
        bar, started = Bar(label, total, _progress=self._progress, _task=task), time.monotonic()
        yield bar
        if self._progress is None or task is None:
            self.say(f"{label}: {_duration(time.monotonic() - started)}")
        else:
            self._progress.update(task, completed=bar.total or 1, total=bar.total or 1)

    def skipped(self, label: str) -> None:
        """Say that a stage was finished by an earlier run."""
        self.say(f"{label}: done before")

    def _print(self, text: str) -> None:
        if self._progress is not None:
            self._progress.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    """Return a duration for people.

    >>> _duration(7.24), _duration(754)
    ('7.2 s', '12 min 34 s')
    """
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _moving_bars() -> Progress:
    from rich.console import Console as Terminal
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        console=Terminal(stderr=True),
    )
