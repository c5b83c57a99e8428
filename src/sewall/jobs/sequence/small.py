"""The small network of the ladder: one layer of motifs, the strongest and mean answer of each, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from sewall.crossfit import TUNE
from sewall.nets.motif import MotifNet, MotifShape
from sewall.task import Examples, Rows, Target, Task
from sewall.train import Member, TrainConfig, apply_network, train_network

SMALL = MotifShape(motifs=32, width=12, pool=1, blocks=0)


class MotifTask(Task, Protocol):
    """A task whose networks are motif networks."""

    def small(self) -> MotifNet:
        """Return the untrained small network."""
        ...


@dataclass(frozen=True)
class SmallNetwork:
    """A network of 32 motifs without anything on top.

    Attributes:
        task: says how sequences become tensors, and how the small network looks.
        config: budget.
        seed: of weights and order.
        network: the trained one.
    """

    task: MotifTask
    config: TrainConfig
    seed: int
    network: MotifNet | None = None

    key = "small"
    name = "small network: 32 motifs"

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.task.target

    def fit(self, examples: Examples, rows: Rows) -> SmallNetwork:
        """Train on labelled *rows*, of which a part decides when to stop; whole groups together."""
        assert examples.target is not None
        groups = rows if examples.groups is None else np.asarray(examples.groups)[rows]
        names, member = np.unique(groups, return_inverse=True)
        tune = (np.random.default_rng(self.seed).permutation(len(names))[member] / len(names)) < TUNE
        with TemporaryDirectory() as folder:
            learner = Member(self.seed, rows[~tune], rows[tune])
            trained, _ = train_network(_Small(self.task), examples, learner, self.config, Path(folder))
        assert isinstance(trained, MotifNet)
        return replace(self, network=trained)

    def predict(self, examples: Examples, rows: Rows) -> NDArray[np.float64]:
        """Return ``(rows,)``, or ``(rows, classes)`` log probabilities."""
        assert self.network is not None
        if len(rows) == 0:
            return np.zeros((0, len(self.target.classes)) if self.target.classes else 0)
        found = apply_network(self.network, self.task, examples, rows)[0].astype(float)
        return self.target.corrected(found, np.zeros(1)) if self.target.classes else found[:, 0]

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        network = self.network or self.task.small()
        return sum(weights.numel() for weights in network.parameters())

    def state(self) -> Mapping[str, Any]:
        """Return the weights."""
        assert self.network is not None
        return {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}

    def with_state(self, state: Mapping[str, Any]) -> SmallNetwork:
        """Return the trained network whose `state` was *state*."""
        network = self.task.small()
        network.load_state_dict({name: torch.from_numpy(np.array(values)) for name, values in state.items()})
        return replace(self, network=network.eval())


class _Small:
    """The task, with the small network in place of the large one."""

    def __init__(self, task: MotifTask) -> None:
        self.task, self.target = task, task.target

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)

    def network(self, examples: Examples, rows: Rows) -> MotifNet:
        """Return the untrained small network."""
        return self.task.small()
