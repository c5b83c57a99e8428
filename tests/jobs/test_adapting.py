"""What is done where the data may not have lived through what was simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch

from sewall import run
from sewall.errors import SewallError
from sewall.jobs.windows.adapting import (
    ALIGN,
    Nearest,
    Towards,
    aligned,
    density_ratio,
    nearest,
    reweighted,
    targets_apart,
)
from sewall.jobs.windows.learning import Look, histories_for
from sewall.jobs.windows.options import Method
from sewall.nets.discrepancy import discrepancy
from sewall.rundir import RunDirectory
from sewall.simulate.history import HistorySource, RandomHistories
from sewall.task import Examples, Task
from sewall.train import Member, TrainConfig, apply_network, train_network
from sewall.trust.weighted import effective_examples

ToyMaker = Callable[..., Examples]


@pytest.fixture(scope="module")
def simulations(toy_examples: ToyMaker) -> Examples:
    return toy_examples(4_000, seed=1)


@pytest.fixture(scope="module")
def parts(toy_task: Task, simulations: Examples) -> run.Split:
    return run.split(toy_task, simulations, 1)


def test_weights_are_the_ratio_of_the_densities(toy_task: Task, toy_examples: ToyMaker, simulations: Examples) -> None:
    usable = np.flatnonzero(toy_task.usable(simulations))
    weights = density_ratio(toy_task, simulations, usable, toy_examples(2_000, seed=2, shift=0.6), 1)
    values = toy_task.statistics(simulations, usable).to_numpy()
    truth = np.exp(0.6 * values.sum(axis=1) - 3 * 0.6**2 / 2)  # of two normals of unit variance, 0.6 apart
    assert np.isnan(weights).sum() == len(simulations) - len(usable)
    assert np.corrcoef(np.log(weights[usable]), np.log(truth))[0, 1] > 0.98
    assert np.polyfit(np.log(truth), np.log(weights[usable]), 1)[0] == pytest.approx(1, abs=0.2)


def test_data_like_the_simulations_leave_the_weights_alike(
    toy_task: Task, toy_examples: ToyMaker, simulations: Examples
) -> None:
    usable = np.flatnonzero(toy_task.usable(simulations))
    weights = density_ratio(toy_task, simulations, usable, toy_examples(60, seed=3), 1)[usable]
    assert effective_examples(weights) > 0.8 * len(usable)


def test_rows_are_drawn_again_by_weight_within_their_part(parts: run.Split, simulations: Examples) -> None:
    weights = np.where(np.arange(len(simulations)) % 2, 3.0, 1.0)
    found, worth = reweighted(parts, weights, 1)
    for name, rows in vars(found).items():
        assert set(rows) <= set(getattr(parts, name)) and len(rows) == len(getattr(parts, name))
    assert (found.train % 2).mean() == pytest.approx(0.75, abs=0.03)
    assert worth["effective_train"] == pytest.approx(0.8 * len(parts.train), rel=0.02)


def test_weights_that_rest_on_a_few_are_refused(parts: run.Split, simulations: Examples) -> None:
    weights = np.full(len(simulations), 1e-6)
    weights[parts.calibrate[:20]] = 1.0
    with pytest.raises(SewallError, match=r"are worth 20 .*fewer than 100.*resimulate or randomise"):
        reweighted(parts, weights, 1)


def test_intervals_hold_for_shifted_data_once_simulations_are_reweighted(
    toy_task: Task, toy_examples: ToyMaker, simulations: Examples, parts: run.Split, tmp_path: Path
) -> None:
    """The noise grows with the second number: where the data have more of it, unweighted intervals are too narrow."""
    large = toy_examples(3_000, seed=4, empty=0, shift=0.8)
    config = TrainConfig(epochs=4, patience=4, learning_rate=1e-2, members=1)
    drawn, _ = Towards("reweight", large).parts(toy_task, simulations, parts, 1)
    assert large.target is not None
    cover = {}
    for name, used in (("plain", parts), ("reweighted", drawn)):
        bundle, _ = run.fit(toy_task, simulations, used, config, tmp_path / name, 1)
        ends = run.answer(bundle, toy_task, large, np.arange(len(large)), 0.9).claimed
        cover[name] = float(((ends[:, 0] <= large.target) & (large.target <= ends[:, 1])).mean())
    assert cover["reweighted"] == pytest.approx(0.9, abs=0.05)


def test_alignment_is_declined_where_the_targets_differ(
    toy_task: Task, toy_examples: ToyMaker, simulations: Examples, parts: run.Split
) -> None:
    alike, other = toy_examples(300, seed=5), toy_examples(300, seed=5, shift=1.5)
    assert targets_apart(toy_task, simulations, parts, alike, 1) < 0.15
    assert Towards("align", alike).parts(toy_task, simulations, parts, 1)[0] == parts
    with pytest.raises(SewallError, match="--adapt align: rates of the data seem to be spread unlike"):
        Towards("align", other).parts(toy_task, simulations, parts, 1)


@pytest.mark.parametrize("method", ["align", "reweight"])
def test_a_handful_of_windows_is_nothing_to_be_drawn_towards(
    method: Method, toy_task: Task, toy_examples: ToyMaker, simulations: Examples, parts: run.Split
) -> None:
    with pytest.raises(SewallError, match=f"--adapt {method}: 4 windows of the data hold enough variants"):
        Towards(method, toy_examples(4, empty=0)).parts(toy_task, simulations, parts, 1)


def test_alignment_brings_embeddings_together(
    toy_task: Task, toy_examples: ToyMaker, simulations: Examples, tmp_path: Path
) -> None:
    data = toy_examples(300, seed=6, empty=0, shift=1.0)
    usable = np.flatnonzero(toy_task.usable(simulations))
    member, apart = Member(1, usable[:1_000], usable[1_000:1_200]), []
    config = TrainConfig(epochs=20, patience=20, learning_rate=1e-2, members=1)
    for towards in (None, Towards("align", data)):
        budget = aligned(config, towards)
        assert budget.align == (ALIGN if towards else 0)
        network, _ = train_network(toy_task, simulations, member, budget, tmp_path / str(budget.align), unlabelled=data)
        ours, theirs = (
            torch.from_numpy(apply_network(network, toy_task, part, rows)[1])
            for part, rows in ((simulations, usable[1_200:1_500]), (data, np.arange(300)))
        )
        apart.append(discrepancy(ours, theirs).item())
    assert apart[1] < 0.5 * apart[0]


def test_the_nearest_histories_are_those_whose_simulations_the_data_lie_among() -> None:
    rng = np.random.default_rng(1)
    centres = {"given": 3.0, "resimulate": 0.2, "randomise": 1.0}
    candidates = {name: cast(HistorySource, SimpleNamespace(name=name)) for name in centres}
    simulated = {name: pd.DataFrame(rng.normal(c, 1, (600, 4))) for name, c in centres.items()}
    name, away = nearest(candidates, lambda name, _: simulated[name], pd.DataFrame(rng.normal(0, 1, (60, 4))))
    assert name == "resimulate" and away["given"] > away["randomise"] > away["resimulate"]


def test_what_auto_chose_is_remembered(tmp_path: Path) -> None:
    options = SimpleNamespace(adapt="auto", demography=None)
    spectrum = np.array([100.0, 50, 33, 25, 20, 17, 14, 12, 11, 5])
    observed = SimpleNamespace(spectrum=spectrum, spectrum_chromosomes=20, linkage=1.0, least=1)
    rng, seen = np.random.default_rng(1), []

    def simulated(name: str, _: HistorySource) -> pd.DataFrame:
        seen.append(name)
        return pd.DataFrame(rng.normal(0 if name == "randomise" else 4, 1, (300, 3)))

    look = Look(pd.DataFrame(rng.normal(0, 1, (50, 3))), simulated)

    def chosen(look: Look | None) -> HistorySource:
        folder = RunDirectory.open(tmp_path / "run", {"a": 1}, seed=1)
        return histories_for(folder, cast(Any, options), cast(Any, observed), 1, look, RandomHistories(20))

    found = chosen(look)
    assert isinstance(found, Nearest) and isinstance(found.histories, RandomHistories)
    assert seen == ["resimulate", "randomise"] and "(resimulate 1.64, randomise -0.14)" in found.description
    assert chosen(replace(look)) == found and len(seen) == 2
