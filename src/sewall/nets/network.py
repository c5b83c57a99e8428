"""What the spine asks of any network: an embedding of a batch, and quantiles that stand on it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor, nn

from sewall.nets.heads import QuantileHead, pinball_loss

Batch = dict[str, Tensor]


class Network(nn.Module):
    """A body that turns a batch into an embedding, and a head of quantiles.

    Attributes:
        head: reads the embedding; set by the subclass.
    """

    head: QuantileHead

    @abstractmethod
    def embedding(self, batch: Batch) -> Tensor:
        """Return ``(batch, features)`` what the head reads; the support check reads it too."""

    def standardise(self, batch: Batch) -> None:
        """Take centre and scale of the inputs from training examples, where the network needs them."""

    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        """Return the mean loss of answers to ``(batch,)`` targets: pinball, the proper score of quantiles."""
        return pinball_loss(answer, target, self.head.levels)

    def shape(self) -> dict[str, Any]:
        """Return what the task needs beside the weights to build the same network again, as JSON types."""
        return {}

    def forward(self, batch: Batch) -> Tensor:
        """Return ``(batch, quantiles)`` on the target's learning scale, in rising order."""
        out: Tensor = self.head(self.embedding(batch))
        return out
