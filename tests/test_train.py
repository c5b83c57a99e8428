from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sewall.nets.network import Network
from sewall.task import Examples, Rows, Task
from sewall.train import Member, TrainConfig, apply_network, train_network

CONFIG = TrainConfig(epochs=6, patience=6, learning_rate=1e-2, members=1)
TRAIN, TUNE = np.arange(600), np.arange(600, 800)


class Interrupted(Exception):
    pass


def interrupt_after(epochs: int) -> Callable[[int], None]:
    left = iter(range(epochs))

    def progress(_: int) -> None:
        if next(left, None) is None:
            raise Interrupted

    return progress


@pytest.fixture(scope="module")
def examples(toy_examples: Callable[..., Examples]) -> Examples:
    return toy_examples(1_000, empty=0)


@pytest.fixture
def fit(toy_task: Task, examples: Examples, tmp_path: Path) -> Callable[..., tuple[Network, list[dict[str, float]]]]:
    def run(name: str, seed: int = 3, config: TrainConfig = CONFIG, progress: Any = None) -> Any:
        return train_network(toy_task, examples, Member(seed, TRAIN, TUNE), config, tmp_path / name, progress)

    return run


def assert_identical(first: Network, second: Network) -> None:
    one, other = first.state_dict(), second.state_dict()
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_the_seed_decides_the_network_and_nothing_else(fit: Callable[..., Any]) -> None:
    first, losses = fit("first")
    torch.rand(17)  # whatever happened before
    np.random.default_rng().random()
    second, again = fit("second")
    assert_identical(first, second)
    assert losses == again
    third, _ = fit("third", seed=4)
    assert not torch.equal(first.head.linear.weight, third.head.linear.weight)


@pytest.mark.parametrize("epochs", [1, 2, 4, 5])
def test_an_interrupted_training_goes_on_to_the_same_network(fit: Callable[..., Any], epochs: int) -> None:
    whole, losses = fit("whole")
    with pytest.raises(Interrupted):
        fit("broken", progress=interrupt_after(epochs))
    done: list[int] = []
    resumed, again = fit("broken", progress=done.append)
    assert_identical(whole, resumed)
    assert losses == again
    assert len(done) == 6 - epochs  # the epochs before were not repeated


def test_a_finished_training_is_not_done_again(fit: Callable[..., Any]) -> None:
    first, losses = fit("one")
    done: list[int] = []
    second, again = fit("one", progress=done.append)
    assert (done, again) == ([], losses)
    assert_identical(first, second)


def test_a_training_that_stopped_early_is_not_gone_on_with(fit: Callable[..., Any]) -> None:
    config = TrainConfig(epochs=30, patience=2, learning_rate=0.3, members=1)
    first, losses = fit("one", config=config)
    assert len(losses) < 30
    done: list[int] = []
    second, again = fit("one", config=config, progress=done.append)
    assert (done, again) == ([], losses)
    assert_identical(first, second)


def test_an_interruption_while_nothing_gets_better_changes_nothing(fit: Callable[..., Any]) -> None:
    config = TrainConfig(epochs=30, patience=4, learning_rate=0.3, members=1)
    whole, losses = fit("whole", config=config)
    assert len(losses) < 30
    with pytest.raises(Interrupted):
        fit("broken", config=config, progress=interrupt_after(len(losses) - 2))
    done: list[int] = []
    resumed, again = fit("broken", config=config, progress=done.append)
    assert_identical(whole, resumed)
    assert (losses, len(done)) == (again, 2)


def test_losses_fall_and_the_best_epoch_is_kept(
    fit: Callable[..., Any], toy_task: Task, examples: Examples, tmp_path: Path
) -> None:
    network, losses = fit("one", config=TrainConfig(epochs=10, patience=3, learning_rate=0.05, members=1))
    assert [row["epoch"] for row in losses] == list(range(1, len(losses) + 1))
    assert losses[-1]["train"] < 0.6 * losses[0]["train"]
    from sewall.nets.heads import pinball_loss

    quantiles, _ = apply_network(network, toy_task, examples, TUNE)
    truth = torch.from_numpy(np.sqrt(examples.target[TUNE])).float()
    tune = pinball_loss(torch.from_numpy(quantiles), truth, network.levels).item()
    assert tune == pytest.approx(min(row["tune"] for row in losses), rel=1e-5)
    assert all(math.isfinite(value) for row in losses for value in row.values())


def test_fewer_rows_than_a_batch_will_do(toy_task: Task, examples: Examples, tmp_path: Path) -> None:
    config = TrainConfig(epochs=2, patience=2, members=1)
    network, losses = train_network(toy_task, examples, Member(1, TRAIN[:40], TUNE[:10]), config, tmp_path / "few")
    assert len(losses) == 2
    quantiles, embedding = apply_network(network, toy_task, examples, TUNE)
    assert quantiles.shape == (200, 5)
    assert embedding.shape == (200, 16)
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_answers_do_not_depend_on_what_else_is_asked(
    fit: Callable[..., Any], toy_task: Task, examples: Examples
) -> None:
    network, _ = fit("one", config=TrainConfig(epochs=1, patience=1, members=1))
    together, _ = apply_network(network, toy_task, examples, np.arange(1_000))  # two batches
    some, _ = apply_network(network, toy_task, examples, np.array([999, 3, 700]))
    np.testing.assert_allclose(some, together[[999, 3, 700]], rtol=1e-5, atol=1e-6)


def test_examples_of_like_size_are_read_together_and_answers_stay_in_order(
    fit: Callable[..., Any], toy_task: Task, examples: Examples, tmp_path: Path
) -> None:
    sizes = np.random.default_rng(0).integers(100, 1_000, len(examples))
    sized, seen = replace(examples, sizes=sizes), list[Rows]()

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(toy_task, name)

        def tensors(self, examples: Examples, rows: Rows) -> Any:
            seen.append(rows)
            return toy_task.tensors(examples, rows)

    config = TrainConfig(epochs=1, patience=1, batch=50, members=1)
    network, _ = train_network(Watched(), sized, Member(1, TRAIN, TUNE), config, tmp_path / "sized")
    batches = [rows for rows in seen if len(rows) == 50]
    assert sorted(np.concatenate(batches).tolist()) == TRAIN.tolist()
    assert np.mean([sizes[rows].max() - sizes[rows].min() for rows in batches]) < 200
    first, _ = apply_network(network, toy_task, sized, TUNE)
    second, _ = apply_network(network, toy_task, examples, TUNE)
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
