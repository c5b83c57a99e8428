"""From simulated windows to a trained bundle: the steps that are the same whatever is asked of a window."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sewall import bundle as bundles
from sewall import run
from sewall.bundle import Bundle
from sewall.console import Console
from sewall.jobs.windows.adapting import Nearest, Towards, aligned, nearest
from sewall.jobs.windows.observed import Observed
from sewall.jobs.windows.options import PriorOptions
from sewall.rundir import RunDirectory
from sewall.simulate.demography_files import read_demography
from sewall.simulate.fit_history import fit_histories
from sewall.simulate.history import HistorySource, OneHistory
from sewall.task import Examples, Task
from sewall.train import TrainConfig


@dataclass(frozen=True)
class Budget:
    """How much is trained, and on how many processors."""

    config: TrainConfig
    workers: int

    @classmethod
    def of(cls, quick: bool, device: str, threads: int | None) -> Budget:
        """Return the full or the quick budget; an accelerator is not shared."""
        workers = 1 if device != "cpu" else threads or len(os.sched_getaffinity(0))
        if quick:
            return cls(TrainConfig(members=3, device=device), workers)
        return cls(TrainConfig(device=device), workers)


def tuning(config: TrainConfig) -> TrainConfig:
    """Return the budget of networks that begin from trained ones: fewer and smaller steps."""
    return replace(config, epochs=12, patience=4, learning_rate=1e-3)


def histories_for(
    folder: RunDirectory, options: PriorOptions, observed: Observed, seed: int, look: Look | None, wide: HistorySource
) -> HistorySource:
    """Return what to draw histories from, as ``--adapt`` says (see `sewall.jobs.windows.adapting`).

    Args:
        folder: the run directory, which remembers what ``auto`` found.
        options: what was asked.
        observed: what the data show.
        seed: of the histories that fit the data.
        look: what ``auto`` compares; may be None where it was not asked for.
        wide: what ``randomise`` draws from.
    """
    if options.adapt != "auto":
        return _histories(options, observed, seed, _usual(options), wide)
    with folder.stage("adapt") as stage:
        if not stage.done:
            names = [*(["given"] if options.demography is not None else []), "resimulate", "randomise"]
            assert look is not None
            candidates = {name: _histories(options, observed, seed, name, wide) for name in names}
            chosen, away = nearest(candidates, look.simulated, look.data)
            stage.note(chosen=chosen, away=away)
    return Nearest(_histories(options, observed, seed, stage.notes["chosen"], wide), stage.notes["away"])


@dataclass(frozen=True)
class Look:
    """What ``--adapt auto`` compares.

    Attributes:
        data: ``(windows, statistics)`` of the data.
        simulated: returns those of a few hundred simulations under some histories, given their name.
    """

    data: pd.DataFrame
    simulated: Callable[[str, HistorySource], pd.DataFrame]


def _usual(options: PriorOptions) -> str:
    if options.adapt in ("randomise", "reweight"):
        return "randomise"
    return "resimulate" if options.adapt == "resimulate" or options.demography is None else "given"


def _histories(options: PriorOptions, observed: Observed, seed: int, name: str, wide: HistorySource) -> HistorySource:
    if name == "randomise":
        return wide
    if name == "given":
        assert options.demography is not None
        given = read_demography(
            options.demography,
            population=options.population,
            generation_time=options.generation_time,
            mutation_rate=options.mutation_rate,
        )
        return OneHistory(given, given.description)
    rng = np.random.default_rng(seed)
    return fit_histories(
        observed.spectrum, observed.spectrum_chromosomes, observed.least, rng, linkage=observed.linkage
    )


@dataclass(frozen=True)
class Seeds:
    """Seeds of a training: of the division of the examples, and of all else."""

    split: int
    train: int


def learn(
    folder: RunDirectory,
    place: str,
    task: Task,
    examples: Examples,
    seeds: Seeds,
    budget: Budget,
    level: float,
    about: dict[str, Any],
    console: Console,
    shares: run.Shares | None = None,
    towards: Towards | None = None,
) -> Bundle:
    """Train, calibrate and score a bundle, and write it to *place* in the run directory, once.

    Where the training is drawn *towards* data, so are calibration, support check and scores.
    """
    what = "" if place == "bundle" else f" for {task.target.name.replace('_', ' ')}"
    main = place == "bundle"
    with folder.stage(
        "train" if main else f"train {place}", {"upper": task.target.upper, "members": budget.config.members}
    ) as stage:
        if stage.done:
            console.skipped(f"training{what}")
            return bundles.load(folder.path / place, task)
        parts = run.split(task, examples, seeds.split, shares)
        if towards is not None:
            parts, found = towards.parts(task, examples, parts, seeds.split)
            about = {**about, "adapted": {"method": towards.method, **found}}
        config = aligned(budget.config, towards)
        checkpoints = folder.claim("checkpoints" if main else f"checkpoints/{place}")
        total = budget.config.epochs * budget.config.members
        with console.bar(f"training {budget.config.members} networks{what}", total) as bar:
            bundle, learning = run.fit(
                task, examples, parts, config, checkpoints, seeds.train, budget.workers, bar.advance,
                towards.data if towards is not None else None,
            )  # fmt: skip
        with console.bar("calibrating and scoring"):
            scores = run.evaluate(bundle, task, examples, parts.test, level, seeds.train)
        scores |= {"learning": learning, "held_out": held_out(parts)}
        bundle = run.described(bundle, task, about, scores)
        bundle.save(stage.makes(place))
    return bundle


def held_out(parts: run.Split) -> str:
    """Say what the scores were measured on, and what the other examples were for."""
    return (
        f"{len(parts.test):,} simulated windows that no model saw; {len(parts.train):,} were used for training, "
        f"{len(parts.tune):,} to stop it, {len(parts.calibrate):,} to calibrate the intervals and {len(parts.null):,} "
        f"as the null of the support check"
    )
