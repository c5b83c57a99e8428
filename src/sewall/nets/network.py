"""What the spine asks of any network: an embedding of a batch, and an answer that stands on it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor, nn

from sewall.nets.heads import Head

Batch = dict[str, Tensor]


class Network(nn.Module):
    """A body that turns a batch into an embedding, and a head that answers and owns the loss.

    Attributes:
        head: reads the embedding; set by the subclass.
        most_at_once: examples of a batch where no gradient is wanted.
        most_standardised: examples from which the scale of inputs is taken.
    """

    head: Head
    most_at_once: int = 512
    most_standardised: int = 4_096

    @abstractmethod
    def embedding(self, batch: Batch) -> Tensor:
        """Return ``(batch, features)`` what the head reads; the support check reads it too."""

    def standardise(self, batch: Batch) -> None:
        """Take centre and scale of the inputs from training examples, where the network needs them."""

    def recipe(self) -> dict[str, Any]:
        """Return what the task needs beside the weights to build the same network again, as JSON types."""
        return {}

    @property
    def levels(self) -> tuple[float, ...]:
        """Which quantiles the answers are."""
        return self.head.levels

    def forward(self, batch: Batch) -> Tensor:
        """Return ``(batch, answers)`` on the target's learning scale; quantiles in rising order."""
        out: Tensor = self.head(self.embedding(batch))
        return out
