"""Windows of neighbouring sites, and the first layer of a network that reads them.

Every genotype is a sum of letter codes, and at a site with two alleles that sum is an affine function of the copies of
ALT. So the layer works on those, with the difference of two letters' weights, and sites x letters is never built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sewall.data.panel import Sites
from sewall.encode.alleles import NO_CHANNEL, OTHER, channels
from sewall.errors import SewallError

INHERITANCES = 4


@dataclass(frozen=True)
class Windows:
    """Stretches of sites, none of which crosses from one chromosome to the next.

    Attributes:
        site: ``(windows, length)`` index of each site; the number of sites where a short window ends before.
        chromosome: ``(windows,)`` index, rising.
        centre: ``(windows,)`` position half-way between the first and the last site.
    """

    site: NDArray[np.int64]
    chromosome: NDArray[np.int64]
    centre: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.site)


def chromosome_windows(sites: Sites, length: int | Mapping[str, int], factor: float = 1.0) -> Windows:
    """Lay windows over every chromosome, each beginning half a window after the one before.

    Args:
        sites: of the panel.
        length: of a window, in sites, for all chromosomes or by the name of each.
        factor: by which lengths are multiplied.
    """
    site, chromosome, centre = [], [], []
    scaled = {name: _length(length, name, factor) for name, _ in sites.chromosomes()}
    longest = max(scaled.values())
    for number, (name, where) in enumerate(sites.chromosomes()):
        stride = max(scaled[name] // 2, 1)
        beyond = max(where.stop - where.start - scaled[name], 0)
        for start in where.start + stride * np.arange(ceil(beyond / stride) + 1):
            stop = min(start + scaled[name], where.stop)
            site.append(np.r_[np.arange(start, stop), np.full(longest - (stop - start), len(sites))])
            chromosome.append(number)
            centre.append((int(sites.position[start]) + int(sites.position[stop - 1])) // 2)
    return Windows(np.stack(site), np.array(chromosome), np.array(centre))


def _length(length: int | Mapping[str, int], name: str, factor: float) -> int:
    found = length.get(name, 0) if isinstance(length, Mapping) else length
    if found < 1:
        raise SewallError(f"chromosome {name}: no window length of at least one site; give one")
    return max(round(factor * found), 1)


@dataclass(frozen=True)
class Odd:
    """Calls of a batch that are more than a share of ALT.

    Attributes:
        row, site: ``(odd calls,)``.
        excess: ``(odd calls, 5)`` code of the call less the code that the other inputs already stand for.
    """

    row: Tensor
    site: Tensor
    excess: Tensor


class WindowLayer(nn.Module):
    """Convolution of letter codes with kernels as long as a window, a stride of half a window.

    Args:
        sites: of the panel.
        windows: over them.
        outputs: channels that it makes.
        groups: ``(windows,)`` which kernel each window uses: its own, its chromosome's, or one for all.
        extras: further inputs per site beside the letters (heterozygosity, mask of missing calls).
        reference: whether called copies of REF are an input of their own; else they are part of the centre.
    """

    site: Tensor
    group: Tensor
    ref: Tensor
    step: Tensor
    kind: Tensor
    covering: Tensor

    def __init__(
        self,
        sites: Sites,
        windows: Windows,
        outputs: int,
        groups: NDArray[np.int64],
        extras: int = 0,
        reference: bool = False,
    ) -> None:
        super().__init__()
        self.reference, self.outputs = reference, outputs
        self.own = len(np.unique(groups)) == len(windows)
        shape = (int(groups.max()) + 1, windows.site.shape[1], outputs)
        bound = (windows.site < len(sites)).sum(1).max() ** -0.5
        width = max(OTHER, int(channels(sites).max()) + 1)
        self.kernel = nn.Parameter(torch.empty(width, *shape).uniform_(-bound, bound))
        self.extra = nn.Parameter(torch.empty(extras, *shape).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(shape[0], outputs, 1))
        self._register(windows, groups, reference_and_alternative(sites, width), np.r_[sites.inheritance, -1])

    def _register(self, windows: Windows, groups: NDArray, one_hot: NDArray, inheritance: NDArray) -> None:
        ref, alt = one_hot[:, windows.site]
        tables = {
            "site": windows.site,
            "group": groups,
            "ref": np.moveaxis(ref, 2, 0),  # (letters, windows, length)
            "step": np.moveaxis(alt - ref, 2, 0),
            "kind": (inheritance[windows.site][..., None] == np.arange(INHERITANCES)).astype(np.float32),
            "covering": _covering(windows.site, len(inheritance) - 1),
        }
        for name, table in tables.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(table)), persistent=False)

    def forward(self, inputs: Tensor, apart: Tensor, frequency: Tensor, odd: Odd | None = None) -> Tensor:
        """Return ``(windows, outputs, batch)`` before any non-linearity.

        Args:
            inputs: ``(features, sites + 1, batch)``: copies of ALT; called copies, with *reference*; then the extras;
                the last site is empty.
            apart: ``(batch, 4)`` copies of each inheritance less their mean in training; zeros with *reference*.
            frequency: ``(sites + 1,)`` of ALT in training.
            odd: calls of which the copies of ALT do not tell all.
        """
        kernel, extra, bias = (self._of_windows(weights) for weights in (self.kernel, self.extra, self.bias))
        change = (kernel * self.step.unsqueeze(-1)).sum(0)  # (windows, length, outputs)
        uneven = bool(apart.any())
        ref = (kernel * self.ref.unsqueeze(-1)).sum(0) if uneven or self.reference else change
        features = [change, *([ref] if self.reference else []), *extra]
        windows, length = self.site.shape
        seen = inputs.index_select(1, self.site.flatten()).view(len(features), windows, length, -1)
        out = torch.baddbmm(bias, torch.cat(features, 1).transpose(1, 2), seen.transpose(0, 1).flatten(1, 2))
        if uneven:
            constant = ref + frequency[self.site].unsqueeze(-1) * change
            out = out + (self.kind.transpose(1, 2) @ constant).transpose(1, 2) @ apart.T
        return out if odd is None else out + self._odd(odd, kernel, inputs.shape[2])

    def _of_windows(self, weights: Tensor) -> Tensor:
        return weights if self.own else weights.index_select(-3, self.group)

    def _odd(self, odd: Odd, kernel: Tensor, batch: int) -> Tensor:
        """What the odd calls add, in every window that covers their site."""
        windows, length = self.site.shape
        place = self.covering[odd.site]  # (odd calls, windows over a site)
        there = place >= 0
        weights = kernel.flatten(1, 2)[:, place[there]]
        call = torch.arange(len(place), device=place.device).unsqueeze(1).expand_as(place)[there]
        excess = torch.einsum("ca,aco->co", odd.excess[call, : len(kernel)], weights)
        target = torch.div(place[there], length, rounding_mode="floor") * batch + odd.row[call]
        total = excess.new_zeros(windows * batch, self.outputs).index_add(0, target, excess)
        return total.view(windows, batch, self.outputs).transpose(1, 2)


def reference_and_alternative(sites: Sites, width: int) -> NDArray[np.float32]:
    """Return ``(2, sites + 1, width)`` one-hot codes of REF and ALT; the last site is empty."""
    codes = np.vstack([np.eye(width, dtype=np.float32), np.zeros((1, width), np.float32)])
    return codes[np.vstack([channels(sites), [[NO_CHANNEL, NO_CHANNEL]]]).T]


def _covering(site: NDArray[np.int64], sites: int) -> NDArray[np.int64]:
    """``(sites, most)`` flat places in the windows at which each site stands; -1 where there are fewer."""
    flat = site.ravel()
    order = np.argsort(flat, kind="stable")
    order = order[: (flat < sites).sum()]
    count = np.bincount(flat[order], minlength=sites)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    found = np.full((sites, int(count.max(initial=1))), -1, np.int64)
    found[flat[order], rank] = order
    return found
