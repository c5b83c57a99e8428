"""The network that reads sequences: motifs, what stands around them, and what all that comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sewall.nets.heads import head_like
from sewall.nets.network import Batch, Network


@dataclass(frozen=True)
class MotifShape:
    """The form of the network.

    Attributes:
        motifs: filters of the first layer.
        width: letters that each of them reads.
        pool: neighbouring places of which only the strongest is kept, after the first layer.
        blocks: residual convolutions after it, each reaching twice as far as the one before.
        reach: places that each of them reads.
        strands: 2 where a sequence and its reverse complement are the same thing, 1 where the strand matters.
        anchored: whether places count from the ends of the sequence, all of one length; else what is found counts
            wherever it is.
        dropout: share of the features that is left out in training.
        substituted: share of the letters that is changed at random in training.
    """

    motifs: int = 96
    width: int = 15
    pool: int = 2
    blocks: int = 1
    reach: int = 5
    strands: int = 2
    anchored: bool = False
    dropout: float = 0.2
    substituted: float = 0.0


class MotifNet(Network):
    """Convolution, residual convolutions, then the strongest and the mean answer of every filter.

    Anchored ones also read every place by a weight of its own. Where both strands count, training shows either at
    random, and an answer is the mean of both. Every activation is a module of its own that is used once a pass, as
    attributions by reference need it (Shrikumar et al. 2017, ICML 70:3145).

    Args:
        shape: the form.
        length: letters of a sequence, where places are anchored.
        head: recipe of the head.
    """

    most_at_once = 256

    def __init__(self, shape: MotifShape, length: int, head: dict[str, int]) -> None:
        super().__init__()
        self.shape, self.length, self.head_recipe = shape, length, head
        self.stem = nn.Sequential(
            nn.Conv1d(4, shape.motifs, shape.width, padding=shape.width // 2, bias=False),
            nn.BatchNorm1d(shape.motifs),
            nn.ReLU(),
        )
        self.pool = nn.MaxPool1d(shape.pool, ceil_mode=True)
        self.blocks = nn.ModuleList(_Residual(shape.motifs, shape.reach, 2**k) for k in range(shape.blocks))
        self.pooled = _Pooled()
        self.anchored = _Anchored(shape.motifs, -(-length // shape.pool)) if shape.anchored else None
        self.drop = nn.Dropout(shape.dropout)
        self.head = head_like(head, 2 * shape.motifs + (_Anchored.features if shape.anchored else 0))

    def strand(self, letters: Tensor) -> Tensor:
        """Return ``(batch, features)`` what is read of ``(batch, 4, letters)`` on the strand as given."""
        # Padding has no answers at any place, or a sequence would be read otherwise in longer company.
        held = (letters.sum(dim=1, keepdim=True) > 0).to(letters.dtype)
        hidden = self.pool(self.stem(letters)[:, :, : letters.shape[2]] * held)
        inside = nn.functional.max_pool1d(held, self.shape.pool, ceil_mode=True)
        for block in self.blocks:
            hidden = block(hidden) * inside
        features: Tensor = self.pooled(hidden, inside)
        if self.anchored is not None:
            features = torch.cat([features, self.anchored(hidden)], dim=1)
        out: Tensor = self.drop(features)
        return out

    def embedding(self, batch: Batch) -> Tensor:
        """Return ``(batch, features)``; of both strands their mean, in training one at random."""
        letters = batch["letters"]
        if self.training and self.shape.substituted:
            letters = _substituted(letters, self.shape.substituted)
        if self.shape.strands == 1:
            return self.strand(letters)
        if self.training:
            flipped = torch.rand(len(letters), 1, 1) < 0.5
            return self.strand(torch.where(flipped, other_strand(letters), letters))
        return (self.strand(letters) + self.strand(other_strand(letters))) / 2

    def recipe(self) -> dict[str, Any]:
        """Return shape, length and head, as JSON types."""
        return {"shape": asdict(self.shape), "length": self.length, "head": self.head_recipe}

    @classmethod
    def like(cls, recipe: Mapping[str, Any]) -> MotifNet:
        """Return an untrained network by its `recipe`."""
        return cls(MotifShape(**recipe["shape"]), recipe["length"], recipe["head"])


class _Residual(nn.Module):
    """What a filter finds, and what it makes of its surroundings (He et al. 2016, CVPR)."""

    def __init__(self, channels: int, reach: int, dilation: int) -> None:
        super().__init__()
        padding = dilation * (reach // 2)
        self.around = nn.Conv1d(channels, channels, reach, padding=padding, dilation=dilation, bias=False)
        self.norm, self.activation = nn.BatchNorm1d(channels), nn.ReLU()

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = hidden + self.activation(self.norm(self.around(hidden)))
        return out


class _Pooled(nn.Module):
    """The strongest and the mean answer of every filter, over the places that hold letters.

    The strongest is found by a module whose window is as wide as there are places: attributions by reference know what
    such modules do, and nothing of the bare operation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strongest = nn.MaxPool1d(1)

    def forward(self, hidden: Tensor, inside: Tensor) -> Tensor:
        self.strongest.kernel_size = self.strongest.stride = hidden.shape[2]
        mean = hidden.sum(dim=2) / inside.sum(dim=2).clamp(min=1)
        return torch.cat([self.strongest(hidden).squeeze(2), mean], dim=1)


class _Anchored(nn.Module):
    """Every answer of every filter with weights of its own."""

    features = 64

    def __init__(self, channels: int, places: int) -> None:
        super().__init__()
        self.drop, self.linear = nn.Dropout(0.3), nn.Linear(channels * places, self.features)
        self.activation = nn.ReLU()

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = self.activation(self.linear(self.drop(hidden.flatten(1))))
        return out


def _substituted(letters: Tensor, share: float) -> Tensor:
    """Return the letters with a share of them replaced by others, drawn evenly."""
    changed = (torch.rand(len(letters), 1, letters.shape[2]) < share) & (letters.sum(dim=1, keepdim=True) > 0)
    drawn = nn.functional.one_hot(torch.randint(4, (len(letters), letters.shape[2])), 4).movedim(2, 1)
    return torch.where(changed, drawn.to(letters.dtype), letters)


def other_strand(letters: Tensor) -> Tensor:
    """Return the reverse complement of ``(batch, 4, letters)``; padding stays on the right.

    >>> other_strand(torch.tensor([[[1, 0.0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]]])).tolist()
    [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]
    """
    flipped = letters.flip((1, 2))
    padding = (letters.sum(dim=1) <= 0).sum(dim=1)
    if not padding.any():
        return flipped
    places = torch.arange(letters.shape[2], device=letters.device)
    where = (places + padding[:, None]) % letters.shape[2]
    return flipped.gather(2, where[:, None].expand_as(flipped))
