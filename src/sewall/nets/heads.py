"""What stands on top of an embedding: quantiles of a quantity, means of several, or the scores of classes.

A head owns the loss by which its answers are judged. Targets come as ``(batch, traits)``, one column for most; classes
as the number of the class.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

DECILES = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)


class Head(nn.Module):
    """Reads an embedding and answers.

    Attributes:
        levels: which quantiles the answers are; one number, of no level in particular, where they are none.
    """

    levels: tuple[float, ...] = (0.5,)

    @abstractmethod
    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        """Return the mean loss of ``(batch, answers)`` for ``(batch, traits)`` targets on the learning scale."""

    def standardise(self, target: Tensor, offset: Tensor) -> None:
        """Take the scale of the answers from training targets and from what answers are added to, where needed."""


class QuantileHead(Head):
    """Quantiles of the target on its learning scale, never crossing; judged by the pinball loss.

    The first is free, each further one lies a positive step above it.

    Args:
        inputs: size of the embedding.
        levels: rising levels in (0, 1).
    """

    def __init__(self, inputs: int, levels: tuple[float, ...] = DECILES) -> None:
        super().__init__()
        self.levels = levels
        self.linear = nn.Linear(inputs, len(levels))
        nn.init.constant_(self.linear.bias[1:], -2.0)

    def forward(self, embedding: Tensor) -> Tensor:
        """Map ``(batch, inputs)`` to ``(batch, levels)``."""
        raw = self.linear(embedding)
        steps = torch.cat([raw[:, :1], nn.functional.softplus(raw[:, 1:])], dim=1)
        return steps.cumsum(dim=1)

    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        """Return the mean pinball loss, the proper score of quantiles."""
        return pinball_loss(answer, target[:, 0], self.levels)


class MeanHead(Head):
    """Means of one or several traits; judged by the squared error, each trait in units of its standard deviation.

    Args:
        inputs: size of the embedding.
        traits: how many.
    """

    scale: Tensor

    def __init__(self, inputs: int, traits: int = 1) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, traits)
        self.register_buffer("scale", torch.ones(traits))

    def forward(self, embedding: Tensor) -> Tensor:
        """Map ``(batch, inputs)`` to ``(batch, traits)``."""
        out: Tensor = self.linear(embedding) * self.scale
        return out

    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error over the traits that were measured (the others are NaN)."""
        known = ~target.isnan()
        error = torch.where(known, answer - target, 0.0) / self.scale
        return error.square().sum() / known.sum().clamp(min=1)

    def standardise(self, target: Tensor, offset: Tensor) -> None:
        """Take the standard deviation of each trait about its offset, so that its unit does not matter."""
        known = ~target.isnan()
        left = torch.where(known, target - offset, 0.0)
        number = known.sum(0).clamp(min=1)
        variance = torch.where(known, left - left.sum(0) / number, 0.0).square().sum(0) / number
        self.scale.copy_(torch.where(variance > 0, variance.sqrt(), 1.0))


class ClassHead(Head):
    """Scores of classes, log probabilities up to a constant; judged by the cross-entropy.

    Args:
        inputs: size of the embedding.
        classes: how many.
    """

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, classes)

    def forward(self, embedding: Tensor) -> Tensor:
        """Map ``(batch, inputs)`` to ``(batch, classes)``."""
        out: Tensor = self.linear(embedding)
        return out

    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        """Return the mean negative log probability of the true class."""
        return nn.functional.cross_entropy(answer, target[:, 0].long())


def head_like(recipe: dict[str, Any], inputs: int) -> MeanHead | ClassHead:
    """Return an untrained head by its recipe: ``{"traits": 2}`` or ``{"classes": 3}``.

    >>> head_like({"classes": 3}, 8)(torch.zeros(1, 8)).shape
    torch.Size([1, 3])
    """
    return ClassHead(inputs, recipe["classes"]) if "classes" in recipe else MeanHead(inputs, recipe["traits"])


def pinball_loss(quantiles: Tensor, target: Tensor, levels: tuple[float, ...]) -> Tensor:
    """Return the mean pinball loss (Koenker & Bassett 1978) of ``(batch, levels)`` quantiles for ``(batch,)`` targets.

    >>> pinball_loss(torch.tensor([[0.0, 2.0]]), torch.tensor([1.0]), (0.25, 0.75)).item()
    0.25
    """
    level = torch.tensor(levels, dtype=quantiles.dtype, device=quantiles.device)
    error = target.unsqueeze(1) - quantiles
    return torch.maximum(level * error, (level - 1) * error).mean()
