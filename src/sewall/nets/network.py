"""What the spine asks of any network: an embedding of a batch, and an answer that stands on it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor, nn

from sewall.nets.heads import QuantileHead, pinball_loss

Batch = dict[str, Tensor]


class Network(nn.Module):
    """A body that turns a batch into an embedding, and a head that answers.

    Attributes:
        head: reads the embedding; set by the subclass.
        levels: which quantiles the answers are; one number, of no level in particular, for a network that gives means.
    """

    head: nn.Module
    levels: tuple[float, ...] = (0.5,)

    @abstractmethod
    def embedding(self, batch: Batch) -> Tensor:
        """Return ``(batch, features)`` what the head reads; the support check reads it too."""

    @abstractmethod
    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        """Return the mean loss of ``(batch, answers)`` for ``(batch,)`` targets on the learning scale."""

    def standardise(self, batch: Batch) -> None:
        """Take centre and scale of the inputs from training examples, where the network needs them."""

    def recipe(self) -> dict[str, Any]:
        """Return what the task needs beside the weights to build the same network again, as JSON types."""
        return {}

    def forward(self, batch: Batch) -> Tensor:
        """Return ``(batch, answers)`` on the target's learning scale; quantiles in rising order."""
        out: Tensor = self.head(self.embedding(batch))
        return out


class QuantileNetwork(Network):
    """A network that answers with quantiles, and is scored by the pinball loss."""

    head: QuantileHead

    def __init__(self, quantiles: tuple[float, ...]) -> None:
        super().__init__()
        self.levels = quantiles

    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        """Return the mean pinball loss, the proper score of quantiles."""
        return pinball_loss(answer, target, self.levels)
