"""Networks that add up learned values of small events: the composite likelihood, learned."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Potentials(nn.Module):
    """Counts of classes in, their learned mean potentials out.

    What a class is worth is a smooth function (a small network) of what it stands for, so that classes seen rarely
    borrow from their neighbours. The function is evaluated once per step, not once per event.

    Args:
        descriptors: ``(groups, classes, features)`` what each class stands for.
        channels: number of potentials per class.
        width: width of the small network.
    """

    descriptors: Tensor

    def __init__(self, descriptors: NDArray[np.float32], channels: int = 24, width: int = 64) -> None:
        super().__init__()
        self.register_buffer("descriptors", torch.from_numpy(descriptors), persistent=False)
        self.value = nn.Sequential(
            nn.Linear(descriptors.shape[-1], width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Linear(width, channels),
        )
        self.outputs = descriptors.shape[0] * (channels + 1)

    def forward(self, counts: Tensor) -> Tensor:
        """Map ``(batch, groups, classes)`` counts to ``(batch, outputs)`` mean potentials and log numbers of events."""
        number = counts.sum(-1)
        share = counts / number.clamp(min=1).unsqueeze(-1)
        mean = torch.einsum("bgc,gck->bgk", share, self.value(self.descriptors))
        return torch.cat([mean.flatten(1), torch.log1p(number)], dim=1)
