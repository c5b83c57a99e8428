"""The network that reads a window of a genome along its length: where within it something happened, and what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sewall.nets.heads import ClassHead, Head, QuantileHead
from sewall.nets.network import Batch, Network

CLIP = 6.0  # standard deviations of any input; what is further off is flagged by the support check, not extrapolated


@dataclass(frozen=True)
class LandscapeShape:
    """The form of the network.

    Attributes:
        channels: numbers at each place of the landscape.
        statistics: numbers of each sub-window.
        sub_windows: in a window.
        places: of the landscape in a sub-window.
        width: channels of the hidden layers.
        blocks: residual convolutions along the landscape, each reaching twice as far as the one before.
        heads: weighted means over all places, each with weights of its own (Bahdanau et al. 2015, ICLR): what stands at
            one place, wherever it is, stays together.
        features: of the embedding.
        dropout: share of what is left out in training.
        classes: how many the head tells apart; 0 for quantiles of a quantity.
    """

    channels: int
    statistics: int
    sub_windows: int
    places: int
    width: int = 64
    blocks: int = 3
    heads: int = 6
    features: int = 128
    dropout: float = 0.2
    classes: int = 0


class LandscapeNet(Network):
    """Convolutions along the landscape, joined with the statistics of each sub-window, then of all sub-windows.

    A genome has no direction: training shows a window from either end at random, and the embedding is the mean of both.

    Args:
        shape: the form.
    """

    centre: Tensor
    scale: Tensor
    centre_statistics: Tensor
    scale_statistics: Tensor

    def __init__(self, shape: LandscapeShape) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        for name, size in (("", shape.channels), ("_statistics", shape.statistics)):
            self.register_buffer(f"centre{name}", torch.zeros(size, 1))
            self.register_buffer(f"scale{name}", torch.ones(size, 1))
        self.stem = _Layer(shape.channels, width, 1)
        self.along = nn.Sequential(*(_Residual(width, 5, 2**k, shape.dropout) for k in range(shape.blocks)))
        self.image = nn.Sequential(_Layer(shape.statistics, width, 1), _Residual(width, 3, 1, shape.dropout))
        self.looks = nn.Conv1d(width, shape.heads, 1)
        self.joined = nn.Sequential(_Layer(3 * width, width, 3), _Residual(width, 3, 1, shape.dropout))
        self.embed = nn.Sequential(
            nn.Dropout(2 * shape.dropout),
            nn.Linear((shape.sub_windows + shape.heads) * width, shape.features),
            nn.ReLU(),
            nn.Dropout(2 * shape.dropout),
        )
        self.head: Head = ClassHead(shape.features, shape.classes) if shape.classes else QuantileHead(shape.features)

    def standardise(self, batch: Batch) -> None:
        """Take centre and scale of the inputs from the training examples."""
        for name, values in (("", batch["landscape"]), ("_statistics", batch["statistics"])):
            spread = values.std((0, 2)).unsqueeze(1)
            getattr(self, f"centre{name}").copy_(values.mean((0, 2)).unsqueeze(1))
            # What never varied in training is not read.
            getattr(self, f"scale{name}").copy_(torch.where(spread > 1e-6, spread, torch.inf))

    def embedding(self, batch: Batch) -> Tensor:
        """Return ``(batch, features)``; of both directions their mean, in training one at random."""
        landscape = ((batch["landscape"] - self.centre) / self.scale).clamp(-CLIP, CLIP)
        statistics = ((batch["statistics"] - self.centre_statistics) / self.scale_statistics).clamp(-CLIP, CLIP)
        if self.training:
            turned = torch.rand(len(landscape), 1, 1) < 0.5
            return self._one_way(
                torch.where(turned, landscape.flip(2), landscape), torch.where(turned, statistics.flip(2), statistics)
            )
        return (self._one_way(landscape, statistics) + self._one_way(landscape.flip(2), statistics.flip(2))) / 2

    def _one_way(self, landscape: Tensor, statistics: Tensor) -> Tensor:
        along = self.along(self.stem(landscape))
        looked_at = torch.einsum("bhp,bcp->bhc", self.looks(along).softmax(2), along)
        places = along.unflatten(2, (self.shape.sub_windows, self.shape.places))
        joined = self.joined(torch.cat([places.mean(3), places.amax(3), self.image(statistics)], dim=1))
        out: Tensor = self.embed(torch.cat([joined.flatten(1), looked_at.flatten(1)], dim=1))
        return out

    def recipe(self) -> dict[str, Any]:
        """Return the shape, as JSON types."""
        return asdict(self.shape)

    @classmethod
    def like(cls, recipe: Mapping[str, Any]) -> LandscapeNet:
        """Return an untrained network by its `recipe`."""
        return cls(LandscapeShape(**recipe))


class _Layer(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, reach: int) -> None:
        convolution = nn.Conv1d(inputs, outputs, reach, padding=reach // 2, bias=False)
        super().__init__(convolution, nn.BatchNorm1d(outputs), nn.ReLU())


class _Residual(nn.Module):
    """What is there, and what is made of its surroundings (He et al. 2016, CVPR)."""

    def __init__(self, channels: int, reach: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.around = nn.Conv1d(
            channels, channels, reach, padding=dilation * (reach // 2), dilation=dilation, bias=False
        )
        self.norm, self.drop = nn.BatchNorm1d(channels), nn.Dropout1d(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = hidden + self.drop(torch.relu(self.norm(self.around(hidden))))
        return out
