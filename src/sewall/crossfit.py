"""Cross-fitting: how jobs spend examples that are too few to set some aside (people, plants).

Examples are divided into folds, whole groups together. Every model is fitted once for each fold, without it, once for
each pair of folds, without both (unless examples are many), and once to everybody. What the answers are then put
together to, see `stacking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.borrowing import Borrowed, borrowed_answer, borrowed_key, shared_scale
from sewall.folds import Folds, Unit
from sewall.nets.network import Network
from sewall.rundir import atomic_path, write_text
from sewall.task import Examples, Rows, SimpleModel, Target, Task, over_all
from sewall.train import Member, TrainConfig, Trained, Training, apply_network, train_ensemble
from sewall.workers import worker_processes

Floats = NDArray[np.float64]
Models = Mapping[str, SimpleModel]
Progress = Callable[[float], None]

NETWORK = "network"
TUNE = 0.12  # share of a fit's examples that decides when its network stops
FEWEST_GROUPS = 3  # of which one is kept back to decide when training stops


class CrossTask(Task, Protocol):
    """A task whose examples are cross-fitted.

    Attributes:
        base: key of the simple model that all others correct: what is known without the genome. Networks learn what it
            leaves, and the stack is its answer and a weighted sum of corrections.
        stratum_names: what the codes of `strata` are called.
        lends: key of the simple model that other quantities of the same individuals may borrow.
        families: by simple model, the family in which the stack weighs it; a model that is not named is one of its own.
        lesser: smaller stacks that the whole one is compared with: by name, the models that they lack.
        abstains: whether a set of classes may be empty, which says that an example resembles none; else it always holds
            the called one.
    """

    base: str
    stratum_names: Mapping[int, str]
    lends: str
    families: Mapping[str, str]
    lesser: Mapping[str, tuple[str, ...]]
    abstains: bool

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
class Question:
    """What is to be predicted of the examples: a job asks one question, or several that one network learns at once.

    Attributes:
        task: the job, with the target of this question.
        examples: labelled with it.
        folds: of those that are labelled; all questions are drawn from one division.
    """

    task: CrossTask
    examples: Examples
    folds: Folds


@dataclass(frozen=True)
class Fits:
    """What every fit says of the examples that it was kept from.

    Attributes:
        folds: which examples belong together.
        answers: by fit and model, ``(examples,)`` or ``(examples, classes)`` on the learning scale, NaN where an
            example is not used. There are answers to the examples that the fit was kept from; of the base model, which
            networks correct, to all.
        located: by fit without one fold or none, where examples lie seen from its own.
        models: the simple models fitted to everybody.
        borrowed: keys of those simple models that are borrowed from other questions.
        networks: those kept from one fold each.
        column: which of a network's answers belongs to this question.
        learning: losses by member and epoch.
        seconds: by model, what it took to fit the one that is shipped: each simple model to everybody, and all networks
            that were kept from one fold together.
    """

    folds: Folds
    answers: dict[Unit, dict[str, Floats]]
    located: dict[Unit, Located]
    models: dict[str, SimpleModel]
    networks: list[Network]
    column: int
    learning: list[dict[str, float]]
    borrowed: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


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

    questions: Sequence[Question]
    folder: Path
    seed: int

    def fit(self, number: int, unit: Unit) -> Path:
        """Fit the simple models of one question without some folds and write what they answer; done once."""
        question = self.questions[number]
        name = f"without-{'-'.join(map(str, unit)) or 'none'}.npz"
        path = self.folder / f"question-{number}" / name if len(self.questions) > 1 else self.folder / name
        if path.exists():
            return path
        task, examples, rows = question.task, question.examples, question.folds.without(unit)
        models, seconds = _timed_fits(task.simple_models(self.seed), examples, rows)
        everybody = Folds.joint([each.folds for each in self.questions])
        every, held = np.flatnonzero(everybody.of >= 0), everybody.rows(*unit)
        arrays: dict[str, NDArray] = {}
        for key, model in models.items():
            asked = every if key == task.base else held  # networks learn what the base model leaves of their own rows
            arrays[f"answers/{key}"] = over_all(model.predict(examples, asked), asked, len(examples))
            if not unit:
                arrays |= {f"state/{key}/{name}": np.asarray(value) for name, value in model.state().items()}
                arrays[f"seconds/{key}"] = np.array(seconds[key])
        if len(unit) < 2:
            statistics, place = task.place(models, examples, every)
            spread = task.spread(models, examples, every)
            arrays |= {"rows": every, "spread": spread, "statistics": statistics.to_numpy(float), "place": place}
            arrays["names"] = np.array(statistics.columns, str)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        return path


def _timed_fits(
    untrained: Sequence[SimpleModel], examples: Examples, rows: Rows
) -> tuple[dict[str, SimpleModel], dict[str, float]]:
    """Return the models fitted to *rows*, and how many seconds each took."""
    models: dict[str, SimpleModel] = {}
    seconds: dict[str, float] = {}
    for model in untrained:
        started = perf_counter()
        models[model.key] = model.fit(examples, rows)
        seconds[model.key] = perf_counter() - started
    return models, seconds


_work: _Work | None = None  # of a worker process: sent once


def _receive(work: _Work) -> None:
    global _work
    _work = work


def _fit_unit(number: int, unit: Unit) -> Path:
    assert _work is not None
    return _work.fit(number, unit)


def fit_all(
    questions: Sequence[Question],
    config: TrainConfig,
    folder: Path,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
    kind: str = "checkpoints",
    pairs: bool = True,
) -> list[Fits]:
    """Fit all models to everybody, without each fold, and without each pair of folds.

    Simple models answer one question each; networks learn all questions at once, which must then be quantities.

    Args:
        questions: one, or several of the same examples.
        config: budget of the networks; ``members`` is how many are trained for each fit.
        folder: for what is finished, so that an interrupted run goes on.
        seed: of everything random.
        workers: processes; the result does not depend on it.
        progress: called with the number of fits done since.
        kind: names the networks in the folder, where several kinds stand beside the same simple models.
        pairs: whether pairs of folds are left out too, so that the weights of a stack are found strictly without the
            examples on which it is judged. Where examples are many and models few, single folds do.

    Returns:
        What was found, by question.
    """
    folds = questions[0].folds
    units: list[Unit] = [(), *folds.single, *(folds.paired if pairs else ())]
    work = _Work(questions, folder, seed)
    paths = _fitted(work, units, workers, progress)
    networks = _networks(work, paths, units[1:], config, workers, progress, kind)
    found = [_gathered(work, number, paths[number], networks) for number in range(len(questions))]
    return [_with_borrowed(questions, found, number) for number in range(len(questions))]


def _fitted(work: _Work, units: list[Unit], workers: int, progress: Progress | None) -> list[dict[Unit, Path]]:
    """Return, by question and fit, where its simple models' answers lie."""
    jobs = [(number, unit) for number in range(len(work.questions)) for unit in units]
    paths: list[dict[Unit, Path]] = [{} for _ in work.questions]
    with _mapped(work, jobs, workers) as found:
        for (number, unit), path in zip(jobs, found, strict=True):
            paths[number][unit] = path
            if progress is not None:
                progress(1)
    return paths


@contextmanager
def _mapped(work: _Work, jobs: list[tuple[int, Unit]], workers: int) -> Iterator[Iterator[Path]]:
    numbers, units = [number for number, _ in jobs], [unit for _, unit in jobs]
    if workers <= 1:
        yield map(work.fit, numbers, units)
        return
    with worker_processes(work.questions[0].task, workers, _receive, work) as executor:
        yield executor.map(_fit_unit, numbers, units)


@dataclass(frozen=True)
class _Networks:
    """The trained networks: what they add to the base model of each fit, ``(examples, answers)``, and the kept ones.

    The seconds are those of the kept ones.
    """

    added: dict[Unit, Floats]
    kept: list[Network]
    learning: list[dict[str, float]]
    seconds: float


@dataclass(frozen=True)
class _TimedTraining(Training):
    """A training whose members note beside their checkpoints what they took: who goes on later still knows it."""

    def member(self, number: int, member: Member) -> Trained:
        started = perf_counter()
        trained = super().member(number, member)
        if not self._note(number).exists():
            write_text(self._note(number), f"{perf_counter() - started:.3f}\n")
        return trained

    def seconds(self, number: int) -> float:
        """Return what a finished member took."""
        return float(self._note(number).read_text())

    def _note(self, number: int) -> Path:
        return self.folder / f"member{number}" / "seconds"


def _networks(
    work: _Work,
    paths: list[dict[Unit, Path]],
    units: list[Unit],
    config: TrainConfig,
    workers: int,
    progress: Progress | None,
    kind: str,
) -> _Networks:
    """Train the networks of all fits."""
    task, folds = work.questions[0].task, Folds.joint([question.folds for question in work.questions])
    examples = _together(work.questions)
    members = [
        member_of(work.seed, examples, folds.without(unit), (number, copy), _bases(work, paths, unit))
        for number, unit in enumerate(units)
        for copy in range(config.members)
    ]
    training = _TimedTraining(task, examples, config, work.folder / kind)

    def done(_: float) -> None:
        if progress is not None:
            progress(1)

    trained = train_ensemble(training, members, workers, done)
    added, kept, learning, seconds = {}, [], [], 0.0
    for number, unit in enumerate(units):
        own, held = trained[number * config.members : (number + 1) * config.members], folds.rows(*unit)
        found = np.mean([apply_network(network, task, examples, held)[0] for network, _ in own], axis=0)
        added[unit] = over_all(found, held, len(examples))
        if len(unit) == 1:
            kept += [network for network, _ in own]
            learning += [{"member": number * config.members + k, **row} for k, (_, h) in enumerate(own) for row in h]
            seconds += sum(training.seconds(number * config.members + k) for k in range(config.members))
    return _Networks(added, kept, learning, seconds)


def _together(questions: Sequence[Question]) -> Examples:
    """Return the examples labelled with all questions, NaN where a question does not use one."""
    if len(questions) == 1:
        return questions[0].examples
    targets = [np.where(q.folds.of >= 0, np.asarray(q.examples.target, float), np.nan) for q in questions]
    return questions[0].examples.labelled(np.column_stack(targets))


def _bases(work: _Work, paths: list[dict[Unit, Path]], unit: Unit) -> Floats:
    """Return the base models' answers, ``(examples, answers)``: what networks correct."""
    answers = [_arrays(path[unit], f"answers/{q.task.base}")[""] for q, path in zip(work.questions, paths, strict=True)]
    return np.nan_to_num(np.column_stack(answers))


def member_of(seed: int, examples: Examples, rows: Rows, key: tuple[int, ...], base: Floats) -> Member:
    """Return what a network learns from *rows*, of which a part decides when it stops; whole groups together.

    Of one or two groups none can be spared: then single rows decide.

    Args:
        seed: of everything random; *key* tells networks of one seed apart.
        examples: all of them.
        rows: that the network may know.
        base: ``(examples, answers)`` what it corrects.
    """
    groups = rows if examples.groups is None else np.asarray(examples.groups)[rows]
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < FEWEST_GROUPS:
        names, member = rows, np.arange(len(rows))
    sequence = np.random.SeedSequence([seed, *key])
    place = np.random.default_rng(sequence).permutation(len(names))[member] / len(names)
    tune = place < TUNE
    return Member(int(sequence.generate_state(1)[0]), rows[~tune], rows[tune], base)


def _gathered(work: _Work, number: int, paths: dict[Unit, Path], networks: _Networks) -> Fits:
    question = work.questions[number]
    task, length = question.task, len(question.examples)
    answers = {unit: _arrays(path, "answers/") for unit, path in paths.items()}
    for unit, added in networks.added.items():
        answers[unit][NETWORK] = network_answer(task.target, answers[unit][task.base], added, number)
    located = {unit: _located(path, length) for unit, path in paths.items() if len(unit) < 2}
    models = {m.key: m.with_state(_arrays(paths[()], f"state/{m.key}/")) for m in task.simple_models(work.seed)}
    seconds = {key: float(took) for key, took in _arrays(paths[()], "seconds/").items()} | {NETWORK: networks.seconds}
    return Fits(
        question.folds, answers, located, models, networks.kept, number, networks.learning, seconds=seconds
    )  # fmt: skip


def _with_borrowed(questions: Sequence[Question], fits: list[Fits], number: int) -> Fits:
    """Add to the simple models of one question what the others lend it."""
    task, own = questions[number].task, fits[number]
    answers = {unit: dict(found) for unit, found in own.answers.items()}
    models: dict[str, SimpleModel] = dict(own.models)
    for other, question in enumerate(questions):
        if other == number:
            continue
        theirs, lends = fits[other], question.task.lends
        key, scale = borrowed_key(question.task.target.name), 0.0
        for unit, found in theirs.answers.items():
            mine, base = _left(questions[number], own, unit), _left(question, theirs, unit)
            scale = shared_scale(mine, base, own.folds.without(unit))
            lent = found[lends] - found[question.task.base]
            answers[unit][key] = borrowed_answer(answers[unit][task.base], lent, scale)
            if not unit:
                name = f"{theirs.models[lends].name} of {question.task.target.name}"
                parts = own.models[task.base], theirs.models[question.task.base], theirs.models[lends]
                models[key] = Borrowed(key, name, *parts, scale)
    borrowed = tuple(key for key in models if key not in own.models)
    return replace(own, answers=answers, models=models, borrowed=borrowed)


def _left(question: Question, fits: Fits, unit: Unit) -> Floats:
    """Return what the base model of a fit leaves of the target; NaN where that is not known or used."""
    truth = question.task.target.forward(np.asarray(question.examples.target, float))
    return np.where(question.folds.of >= 0, truth - fits.answers[unit][question.task.base], np.nan)


def network_answer(target: Target, base: Floats, added: Floats, column: int) -> Floats:
    """Return what networks answer: the base model, corrected by their ``(rows, answers)``.

    Args:
        target: of the question.
        base: answers of the base model.
        added: by the networks.
        column: of them that belongs to the question, where they answer several.
    """
    return target.corrected(base, added if target.classes else added[:, column])


def _arrays(path: Path, prefix: str) -> dict[str, NDArray]:
    with np.load(path) as arrays:
        return {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)}


def _located(path: Path, length: int) -> Located:
    with np.load(path) as arrays:
        rows = arrays["rows"]
        spread, statistics, place = (over_all(arrays[name], rows, length) for name in ("spread", "statistics", "place"))
        return Located(spread, statistics, place, [str(name) for name in arrays["names"]])
