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

from sewall.nets.heads import QuantileHead
from sewall.nets.network import Network
from sewall.simple import OnStatistics, Ridge
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

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(3))
        self.body = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 16), nn.GELU(), nn.Dropout(0.1))
        self.head = QuantileHead(16, (0.05, 0.25, 0.5, 0.75, 0.95))

    def standardise(self, batch: dict[str, Tensor]) -> None:
        self.centre.copy_(batch["numbers"].mean(0))

    def embedding(self, batch: dict[str, Tensor]) -> Tensor:
        out: Tensor = self.body(batch["numbers"] - self.centre)
        return out


class ToyTask:
    name = "toy"
    labels: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.target = Target("amount", "grams", "sqrt", 0.0, 60.0)

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


def _toy_examples(number: int = 3_000, seed: int = 1, empty: float = 0.02, shift: float = 0.0) -> Examples:
    """Targets whose noise depends on the second number; families of three, and some examples that hold nothing."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((number, 3)) + shift
    noise = 0.3 * (1 + np.abs(values[:, 1])) * rng.standard_normal(number)
    target = np.maximum(3 + values[:, 0] + noise, 0) ** 2
    values[rng.random(number) < empty] = np.nan
    groups = np.array([f"family{k // 3}" for k in range(number)])
    return Examples(pd.DataFrame({"sample_id": [f"s{k}" for k in range(number)]}), Numbers(values), target, groups)


@pytest.fixture(scope="session")
def toy_task() -> ToyTask:
    return ToyTask()


@pytest.fixture(scope="session")
def toy_examples() -> Callable[..., Examples]:
    return _toy_examples
