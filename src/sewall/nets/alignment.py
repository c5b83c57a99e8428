"""The network that reads an alignment."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sewall.encode import tables
from sewall.encode.statistics import NAMES
from sewall.nets.heads import QuantileHead
from sewall.nets.network import Batch, Network
from sewall.nets.potentials import Potentials

FURTHEST = 8.0  # standard deviations of any input; what training never saw must not run away with the answer
CLIP = 6.0  # standard deviations; a statistic further off is flagged by the support check, not extrapolated


class AlignmentNet(Network):
    """Pairs of sites, gaps between differences, copied stretches and classical statistics to quantiles.

    Args:
        quantiles: levels of the head's quantiles.
        channels: potentials per class of events.
        width: width of the hidden layers.
        dropout: share of hidden units dropped in training.
        classical: whether the classical statistics are fused with what the alignment gives.
        context: how many numbers a batch brings of what all windows of its data set show together.
    """

    centre: Tensor
    scale: Tensor

    def __init__(
        self,
        quantiles: tuple[float, ...],
        channels: int = 32,
        width: int = 256,
        dropout: float = 0.1,
        classical: bool = True,
        context: int = 0,
    ) -> None:
        super().__init__()
        self.classical, self.context, self.width = classical, context, width
        self.begun = False
        self.pairs = Potentials(tables.pair_descriptors(), channels)
        self.between = Potentials(tables.gap_descriptors(), channels)
        self.within = Potentials(tables.gap_descriptors(), channels)
        plain = len(tables.COPY_LEVELS) * (2 + tables.COPIES) + (len(NAMES) if classical else 0) + context
        self.register_buffer("centre", torch.zeros(plain))
        self.register_buffer("scale", torch.ones(plain))
        inputs = self.pairs.outputs + self.between.outputs + self.within.outputs + plain
        self.embed = nn.Sequential(
            nn.BatchNorm1d(inputs, eps=1e-3), nn.Hardtanh(-FURTHEST, FURTHEST),
            nn.Linear(inputs, width), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(width, width // 2), nn.GELU(),
        )  # fmt: skip
        self.head = QuantileHead(width // 2, quantiles)

    def recipe(self) -> dict[str, Any]:
        """Return width and context."""
        return {"width": self.width, "context": self.context}

    def copied(self) -> AlignmentNet:
        """Return a copy to train further: it keeps the scale of its inputs."""
        other = copy.deepcopy(self)
        other.begun = True
        return other

    def standardise(self, batch: Batch) -> None:
        """Take centre and scale of the plain numbers from the training examples, unless others were trained on."""
        if self.begun:
            return
        plain = self._plain(batch)
        self.centre.copy_(plain.mean(0))
        spread = plain.std(0)
        self.scale.copy_(torch.where(spread > 1e-6, spread, torch.inf))  # what never varied in training is not read

    def embedding(self, batch: Batch) -> Tensor:
        """Return ``(batch, width / 2)``."""
        plain = ((self._plain(batch) - self.centre) / self.scale).clamp(-CLIP, CLIP)
        parts = [
            self.pairs(batch["pairs"]),
            self.between(batch["between"].flatten(2)),
            self.within(batch["within"].flatten(2)),
            plain,
        ]
        out: Tensor = self.embed(torch.cat(parts, dim=1))
        return out

    def _plain(self, batch: Batch) -> Tensor:
        parts = [batch["copying"].flatten(1)]
        parts += [batch["statistics"]] if self.classical else []
        parts += [batch["context"]] if self.context else []
        return torch.cat(parts, dim=1)
