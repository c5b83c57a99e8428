"""From the windows along the chromosomes to a few latent numbers per chromosome."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sewall.nets.windows import Windows

PARTS = 8  # of a chromosome, over which the layers that chromosomes share average
REACH = 3  # neighbouring windows that a shared convolution reads


class WithSquares(nn.Module):
    """Appends the squares of all channels: a sum of products of sites, once weighted and added up."""

    def forward(self, windows: Tensor) -> Tensor:
        """Map ``(windows, channels, batch)`` to ``(windows, 2 x channels, batch)``."""
        return torch.cat([windows, windows.square()], 1)


class QuickDropout(nn.Module):
    """Dropout (Srivastava et al. 2014) whose chance costs little: one random number decides eight units.

    Args:
        rate: share dropped in training, to the nearest 2 ** -8.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, values: Tensor) -> Tensor:
        """Return *values*, some of them zero and the rest scaled up in training."""
        if not self.training or self.rate == 0:
            return values
        draws = torch.empty(-(-values.numel() // 8), dtype=torch.int64, device=values.device).random_(-(2**63), None)
        kept = draws.view(torch.int8)[: values.numel()].view(values.shape).float()
        return values * kept.sub_(round((self.rate - 0.5) * 2**8) - 1).clamp_(0, 1).div_(1 - self.rate)


class IntervalPool(nn.Module):
    """Means of the windows whose centre lies in each interval of a fixed grid along the genome.

    An interval without windows gets a learned neutral value.

    Args:
        windows: along the chromosomes.
        width: of an interval, bp.
        numbers: of intervals, by chromosome; windows beyond either end belong to the one there.
        channels: of the windows.
    """

    interval: Tensor
    number: Tensor

    def __init__(self, windows: Windows, width: int, numbers: tuple[int, ...], channels: int) -> None:
        super().__init__()
        first = np.cumsum(numbers) - numbers
        within = np.clip(windows.centre // width, 0, np.array(numbers)[windows.chromosome] - 1)
        interval = first[windows.chromosome] + within
        self.chromosome = np.repeat(np.arange(len(numbers)), numbers)
        number = np.bincount(interval, minlength=len(self.chromosome))
        self.register_buffer("interval", torch.from_numpy(interval), persistent=False)
        self.register_buffer("number", torch.from_numpy(number).view(-1, 1, 1), persistent=False)
        self.neutral = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, windows: Tensor) -> Tensor:
        """Map ``(windows, channels, batch)`` to ``(intervals, channels, batch)``."""
        total = windows.new_zeros(len(self.number), *windows.shape[1:]).index_add(0, self.interval, windows)
        return torch.where(self.number > 0, total / self.number.clamp(min=1), self.neutral)


class OwnLatents(nn.Module):
    """A dense layer for each chromosome, from all its windows.

    Args:
        chromosome: ``(windows,)`` index, rising.
        channels: of the windows.
        latents: numbers per chromosome.
    """

    chromosome: Tensor

    def __init__(self, chromosome: NDArray[np.int64], channels: int, latents: int) -> None:
        super().__init__()
        self.register_buffer("chromosome", torch.from_numpy(chromosome), persistent=False)
        size = np.bincount(chromosome)
        bound = torch.from_numpy((channels * size[chromosome]) ** -0.5).float().view(-1, 1, 1)
        self.weight = nn.Parameter((2 * torch.rand(len(chromosome), latents, channels) - 1) * bound)
        self.bias = nn.Parameter(torch.zeros(len(size), latents, 1))

    def forward(self, windows: Tensor) -> Tensor:
        """Map ``(windows, channels, batch)`` to ``(chromosomes x latents, batch)``."""
        parts = torch.bmm(self.weight, windows)
        total = parts.new_zeros(len(self.bias), *parts.shape[1:]).index_add(0, self.chromosome, parts)
        return (total + self.bias).flatten(0, 1)


class SharedLatents(nn.Module):
    """The same layers for every chromosome, each on its own windows: convolution, means of eight parts, dense.

    Args:
        chromosome: ``(windows,)`` index, rising.
        channels: of the windows.
        latents: numbers per chromosome.
    """

    place: Tensor
    part: Tensor
    size: Tensor

    def __init__(self, chromosome: NDArray[np.int64], channels: int, latents: int) -> None:
        super().__init__()
        size = np.bincount(chromosome)
        within = np.arange(len(chromosome)) - np.repeat(np.cumsum(size) - size, size)
        place = np.full((len(size), size.max() + REACH - 1), len(chromosome))  # empty windows around every chromosome
        place[chromosome, within + REACH // 2] = np.arange(len(chromosome))
        part = chromosome * PARTS + within * PARTS // size[chromosome]
        self.register_buffer("place", torch.from_numpy(place), persistent=False)
        self.register_buffer("part", torch.from_numpy(part), persistent=False)
        self.register_buffer(
            "size", torch.from_numpy(np.bincount(part, minlength=PARTS * len(size))).view(-1, 1, 1), persistent=False
        )
        self.convolution = nn.Conv1d(channels, 2 * channels, REACH)
        self.dense = nn.Linear(2 * channels * PARTS, latents)

    def forward(self, windows: Tensor) -> Tensor:
        """Map ``(windows, channels, batch)`` to ``(chromosomes x latents, batch)``."""
        chromosomes, longest = self.place.shape
        padded = nn.functional.pad(windows, (0, 0, 0, 0, 0, 1))[self.place]  # (chromosomes, longest, channels, batch)
        strips = padded.permute(3, 0, 2, 1).flatten(0, 1)
        found = nn.functional.gelu(self.convolution(strips)).unflatten(0, (-1, chromosomes))
        filled = self.place[:, REACH // 2 : longest - REACH // 2] < len(windows)
        flat = found.permute(1, 3, 2, 0)[filled]  # (windows, 2 x channels, batch)
        mean = flat.new_zeros(len(self.size), *flat.shape[1:]).index_add(0, self.part, flat) / self.size.clamp(min=1)
        parts = mean.unflatten(0, (chromosomes, PARTS)).flatten(1, 2)  # (chromosomes, parts x channels, batch)
        out: Tensor = self.dense(parts.transpose(1, 2)).transpose(1, 2).flatten(0, 1)
        return out
