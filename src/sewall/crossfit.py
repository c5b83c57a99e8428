"""Cross-fitting: how jobs spend examples that are too few to set some aside (people, plants).

Examples are divided into folds, whole groups together. Every model is fitted once for each fold, without it, once for
each pair of folds, without both, and once to everybody. What the answers are then put together to, see `stacking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.errors import SewallError
from sewall.nets.network import Network
from sewall.rundir import atomic_path
from sewall.task import Examples, Rows, SimpleModel, Task
from sewall.train import Member, TrainConfig, Training, apply_network, train_ensemble
from sewall.workers import worker_processes

Floats = NDArray[np.float64]
Unit = tuple[int, ...]
Models = Mapping[str, SimpleModel]
Progress = Callable[[float], None]

NETWORK = "network"
TUNE = 0.12  # share of a fit's examples that decides when its network stops


class CrossTask(Task, Protocol):
    """A task whose examples are cross-fitted.

    Attributes:
        base: key of the simple model that all others correct: what is known without the genome. Networks learn what it
            leaves, and the stack is its answer and a weighted sum of corrections.
        stratum_names: what the codes of `strata` are called.
    """

    base: str
    stratum_names: Mapping[int, str]

    def strata(self, examples: Examples, rows: Rows) -> NDArray[np.int64]:
        """Return ``(rows,)`` which stratum (sex, ancestry) each is in; intervals are calibrated in each by itself."""
        ...

    def spread(self, models: Models, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)`` predicted standard deviation of the truth around the answer, on the learning scale."""
        ...

    def place(self, models: Models, examples: Examples, rows: Rows) -> tuple[pd.DataFrame, Floats]:
        """Return where examples lie seen from those that *models* were fitted to: named numbers, and coordinates."""
        ...


@dataclass(frozen=True)
class Folds:
    """Which fold each example belongs to.

    Attributes:
        of: ``(examples,)`` number of the fold; -1 where the example is not used.
        number: of folds.
    """

    of: NDArray[np.int64]
    number: int

    def rows(self, *folds: int) -> Rows:
        """Return the examples of some folds."""
        return np.flatnonzero(np.isin(self.of, folds))

    def without(self, unit: Unit) -> Rows:
        """Return the examples of all other folds."""
        return np.flatnonzero((self.of >= 0) & ~np.isin(self.of, unit))

    @property
    def single(self) -> list[Unit]:
        """The fits without one fold."""
        return [(k,) for k in range(self.number)]

    @property
    def paired(self) -> list[Unit]:
        """The fits without two folds."""
        return list(combinations(range(self.number), 2))


def divide(task: Task, examples: Examples, number: int, seed: int) -> Folds:
    """Divide the usable, labelled examples into folds of about equal size, whole groups together.

    Raises:
        SewallError: fewer groups than folds, or fewer than three folds.
    """
    assert examples.target is not None
    rows = np.flatnonzero(task.usable(examples) & np.isfinite(examples.target))
    groups = rows if examples.groups is None else np.asarray(examples.groups)[rows]
    names, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if number < 3 or len(names) < number:
        what = "individuals" if examples.groups is None else "groups"
        raise SewallError(f"{number} folds of {len(names)} {what}: give 3 folds or more, and no more than {what}")
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]  # the largest first, each to the emptiest fold
    fold, filled = np.zeros(len(names), np.int64), np.zeros(number)
    for group in order:
        fold[group] = filled.argmin()
        filled[fold[group]] += sizes[group]
    of = np.full(len(examples), -1)
    of[rows] = fold[member]
    return Folds(of, number)


@dataclass(frozen=True)
class Fits:
    """What every fit says of the examples that it was kept from.

    Attributes:
        folds: which examples belong together.
        answers: by fit and model ``(examples,)`` on the learning scale, NaN where an example is not used; only those
            to examples that the fit was kept from tell anything.
        located: by fit without one fold or none, where examples lie seen from its own.
        models: the simple models fitted to everybody.
        networks: those kept from one fold each.
        learning: losses by member and epoch.
    """

    folds: Folds
    answers: dict[Unit, dict[str, Floats]]
    located: dict[Unit, Located]
    models: dict[str, SimpleModel]
    networks: list[Network]
    learning: list[dict[str, float]]


@dataclass(frozen=True)
class Located:
    """Where examples lie, seen from the examples of one fit: arrays have one row for every example.

    Attributes:
        spread: ``(examples,)`` predicted standard deviation.
        statistics: ``(examples, statistics)``.
        place: ``(examples, coordinates)``.
        names: of the statistics.
    """

    spread: Floats
    statistics: Floats
    place: Floats
    names: list[str]


@dataclass(frozen=True)
class _Work:
    """What the processes that fit simple models share."""

    task: CrossTask
    examples: Examples
    folds: Folds
    folder: Path
    seed: int

    def fit(self, unit: Unit) -> Path:
        """Fit the simple models without some folds and write what they answer; done once."""
        path = self.folder / f"without-{'-'.join(map(str, unit)) or 'none'}.npz"
        if path.exists():
            return path
        rows = self.folds.without(unit)
        models = {m.key: m.fit(self.examples, rows) for m in self.task.simple_models(self.seed)}
        every = np.flatnonzero(self.folds.of >= 0)
        arrays: dict[str, NDArray] = {}
        for key, model in models.items():
            arrays[f"answers/{key}"] = _spread_out(model.predict(self.examples, every), every, len(self.examples))
            if not unit:
                arrays |= {f"state/{key}/{name}": np.asarray(value) for name, value in model.state().items()}
        if len(unit) < 2:
            statistics, place = self.task.place(models, self.examples, every)
            spread = self.task.spread(models, self.examples, every)
            arrays |= {"rows": every, "spread": spread, "statistics": statistics.to_numpy(float), "place": place}
            arrays["names"] = np.array(statistics.columns, str)
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        return path


_work: _Work | None = None  # of a worker process: sent once


def _receive(work: _Work) -> None:
    global _work
    _work = work


def _fit_unit(unit: Unit) -> Path:
    assert _work is not None
    return _work.fit(unit)


def fit_all(
    task: CrossTask,
    examples: Examples,
    folds: Folds,
    config: TrainConfig,
    folder: Path,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
) -> Fits:
    """Fit all models to everybody, without each fold, and without each pair of folds.

    Args:
        task: the job.
        examples: labelled examples.
        folds: from `divide`.
        config: budget of the networks; ``members`` is how many are trained for each fit.
        folder: for what is finished, so that an interrupted run goes on.
        seed: of everything random.
        workers: processes; the result does not depend on it.
        progress: called with the number of fits done since.
    """
    units: list[Unit] = [(), *folds.single, *folds.paired]
    work = _Work(task, examples, folds, folder, seed)
    paths = _fitted(work, units, workers, progress)
    answers = {unit: _arrays(path, "answers/") for unit, path in zip(units, paths, strict=True)}
    located = {unit: _located(path, len(examples)) for unit, path in zip(units, paths, strict=True) if len(unit) < 2}
    models = {m.key: m.with_state(_arrays(paths[0], f"state/{m.key}/")) for m in task.simple_models(seed)}
    networks, learning = _networks(work, answers, units[1:], config, workers, progress)
    return Fits(folds, answers, located, models, networks, learning)


def _fitted(work: _Work, units: list[Unit], workers: int, progress: Progress | None) -> list[Path]:
    work.folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with _mapped(work, units, workers) as found:
        for path in found:
            paths.append(path)
            if progress is not None:
                progress(1)
    return paths


@contextmanager
def _mapped(work: _Work, units: list[Unit], workers: int) -> Iterator[Iterator[Path]]:
    if workers <= 1:
        yield map(work.fit, units)
        return
    with worker_processes(work.task, workers, _receive, work) as executor:
        yield executor.map(_fit_unit, units)


def _networks(
    work: _Work,
    answers: dict[Unit, dict[str, Floats]],
    units: list[Unit],
    config: TrainConfig,
    workers: int,
    progress: Progress | None,
) -> tuple[list[Network], list[dict[str, float]]]:
    """Train the networks of all fits, add their answers to *answers*, and return those kept from one fold."""
    members = [
        _member(work, unit, answers[unit][work.task.base], number, copy)
        for number, unit in enumerate(units)
        for copy in range(config.members)
    ]
    training = Training(work.task, work.examples, config, work.folder / "checkpoints")

    def done(_: float) -> None:
        if progress is not None:
            progress(1)

    trained = train_ensemble(training, members, workers, done)
    kept, learning = [], []
    for number, unit in enumerate(units):
        own = trained[number * config.members : (number + 1) * config.members]
        every = np.flatnonzero(work.folds.of >= 0)
        found = np.mean([apply_network(n, work.task, work.examples, every)[0][:, 0] for n, _ in own], axis=0)
        base = answers[unit][work.task.base]
        answers[unit][NETWORK] = base + _spread_out(found, every, len(base))
        if len(unit) == 1:
            kept += [network for network, _ in own]
            learning += [{"member": number * config.members + k, **row} for k, (_, h) in enumerate(own) for row in h]
    return kept, learning


def _member(work: _Work, unit: Unit, base: Floats, number: int, copy: int) -> Member:
    rows = work.folds.without(unit)
    groups = rows if work.examples.groups is None else np.asarray(work.examples.groups)[rows]
    names, member = np.unique(groups, return_inverse=True)
    sequence = np.random.SeedSequence([work.seed, number, copy])
    place = np.random.default_rng(sequence).permutation(len(names))[member] / len(names)
    tune = place < TUNE
    return Member(int(sequence.generate_state(1)[0]), rows[~tune], rows[tune], np.nan_to_num(base))


def _spread_out(values: Floats, rows: Rows, length: int) -> Floats:
    full = np.full((length, *values.shape[1:]), np.nan)
    full[rows] = values
    return full


def _arrays(path: Path, prefix: str) -> dict[str, NDArray]:
    with np.load(path) as arrays:
        return {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)}


def _located(path: Path, length: int) -> Located:
    with np.load(path) as arrays:
        rows = arrays["rows"]
        spread, statistics, place = (
            _spread_out(arrays[name], rows, length) for name in ("spread", "statistics", "place")
        )
        return Located(spread, statistics, place, [str(name) for name in arrays["names"]])
