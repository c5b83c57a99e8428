"""A job that has nothing to do with genetics: what the spine can do with it, it can do with any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sewall.nets.heads import ClassHead, QuantileHead
from sewall.nets.network import Network
from sewall.simple import ClassForest, OnStatistics, Ridge
from sewall.task import Examples, Rows, SimpleModel, Target

COLUMNS = ["first", "second", "third"]


@dataclass(frozen=True)
class Numbers:
    """A source of plain numbers, ``(rows, 3)``; NaN where an example holds too little."""

    table: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.table)

    def load(self, rows: Rows) -> list[Any]:
        return list(self.table[rows])


class ToyNet(Network):
    centre: Tensor

    def __init__(self, classes: int = 0) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(3))
        self.body = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 16), nn.GELU(), nn.Dropout(0.1))
        self.head = ClassHead(16, classes) if classes else QuantileHead(16, (0.05, 0.25, 0.5, 0.75, 0.95))

    def standardise(self, batch: dict[str, Tensor]) -> None:
        self.centre.copy_(batch["numbers"].mean(0))

    def embedding(self, batch: dict[str, Tensor]) -> Tensor:
        out: Tensor = self.body(batch["numbers"] - self.centre)
        return out


class ToyTask:
    name = "toy"
    labels: Mapping[str, str] = {}
    target = Target("amount", "grams", "sqrt", 0.0, 60.0)

    def usable(self, examples: Examples) -> NDArray[np.bool_]:
        return ~np.isnan(self._values(examples)[:, 0])

    def tensors(self, examples: Examples, rows: Rows) -> dict[str, Tensor]:
        return {"numbers": torch.from_numpy(self._values(examples)[rows].astype(np.float32))}

    def network(self, examples: Examples, rows: Rows) -> Network:
        return ToyNet()

    def network_like(self, recipe: Mapping[str, Any]) -> Network:
        return ToyNet()

    def statistics(self, examples: Examples, rows: Rows) -> pd.DataFrame:
        return pd.DataFrame(self._values(examples)[rows], columns=COLUMNS)

    def simple_models(self, seed: int) -> list[SimpleModel]:
        return [OnStatistics(self, Ridge())]

    def _values(self, examples: Examples) -> NDArray[np.float64]:
        assert isinstance(examples.source, Numbers)
        return examples.source.table


class ToyClasses(ToyTask):
    """Which of three kinds of toy it is."""

    target = Target("kind", "", "identity", 0, 2, ("ball", "car", "doll"))
    abstains = False

    def network(self, examples: Examples, rows: Rows) -> Network:
        return ToyNet(3)

    def network_like(self, recipe: Mapping[str, Any]) -> Network:
        return ToyNet(3)

    def simple_models(self, seed: int) -> list[SimpleModel]:
        return [OnStatistics(self, ClassForest(3, seed))]


def _toy_examples(number: int = 3_000, seed: int = 1, empty: float = 0.02, shift: float = 0.0) -> Examples:
    """Targets whose noise depends on the second number; families of three, and some examples that hold nothing."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((number, 3)) + shift
    noise = 0.3 * (1 + np.abs(values[:, 1])) * rng.standard_normal(number)
    target = np.maximum(3 + values[:, 0] + noise, 0) ** 2
    values[rng.random(number) < empty] = np.nan
    groups = np.array([f"family{k // 3}" for k in range(number)])
    return Examples(pd.DataFrame({"sample_id": [f"s{k}" for k in range(number)]}), Numbers(values), target, groups)


def _toy_kinds(number: int = 3_000, seed: int = 1, empty: float = 0.02, shares: tuple[float, ...] = ()) -> Examples:
    """Kinds whose log odds are multiples of two numbers, a third of each kind or so, or in the *shares* given."""
    rng = np.random.default_rng(seed)
    pool = rng.standard_normal((20 * number if shares else number, 3))
    kinds = (np.column_stack([1.6 * pool[:, :2], np.zeros(len(pool))]) + rng.gumbel(size=pool.shape)).argmax(axis=1)
    rows = np.arange(number)
    if shares:
        wanted = rng.choice(3, number, p=shares)
        for k in range(3):
            rows[wanted == k] = np.flatnonzero(kinds == k)[: (wanted == k).sum()]
    values = pool[rows]
    values[rng.random(number) < empty] = np.nan
    keys = pd.DataFrame({"shelf": "top", "place": np.arange(number)})
    return Examples(keys, Numbers(values), kinds[rows].astype(float))


@pytest.fixture(scope="session")
def toy_classes() -> ToyClasses:
    return ToyClasses()


@pytest.fixture(scope="session")
def toy_kinds() -> Callable[..., Examples]:
    return _toy_kinds


@pytest.fixture(scope="session")
def toy_task() -> ToyTask:
    return ToyTask()


@pytest.fixture(scope="session")
def toy_examples() -> Callable[..., Examples]:
    return _toy_examples
