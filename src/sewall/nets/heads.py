"""What stands on top of an embedding: quantiles of a quantity."""

from __future__ import annotations

import torch
from torch import Tensor, nn

DECILES = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)


class QuantileHead(nn.Module):
    """Quantiles of the target on its learning scale, never crossing.

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


def pinball_loss(quantiles: Tensor, target: Tensor, levels: tuple[float, ...]) -> Tensor:
    """Return the mean pinball loss (Koenker & Bassett 1978) of ``(batch, levels)`` quantiles for ``(batch,)`` targets.

    >>> pinball_loss(torch.tensor([[0.0, 2.0]]), torch.tensor([1.0]), (0.25, 0.75)).item()
    0.25
    """
    level = torch.tensor(levels, dtype=quantiles.dtype, device=quantiles.device)
    error = target.unsqueeze(1) - quantiles
    return torch.maximum(level * error, (level - 1) * error).mean()
