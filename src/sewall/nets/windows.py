"""Windows of neighbouring sites, and the first layer of a network that reads them.

Every genotype is a sum of letter codes, and at a site with two alleles that sum is an affine function of the copies of
ALT. So the layer works on those, with the difference of two letters' weights, and sites x letters is never built.
Windows overlap by half; the sites lie in blocks half a window long, so that each is read once and weighed for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    """Stretches of sites, none of which crosses from one chromosome to the next: two neighbouring blocks each.

    Attributes:
        site: ``(blocks, stride)`` index of each site; the number of sites where a short block ends before.
        first: ``(windows,)`` the first block of each window; the second is the next one.
        chromosome: ``(windows,)`` index, rising.
        centre: ``(windows,)`` position half-way between the first and the last site.
    """

    site: NDArray[np.int64]
    first: NDArray[np.int64]
    chromosome: NDArray[np.int64]
    centre: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)


def chromosome_windows(sites: Sites, length: int | Mapping[str, int], factor: float = 1.0) -> Windows:
    """Lay windows over every chromosome, each beginning half a window after the one before.

    Args:
        sites: of the panel.
        length: of a window, in sites, for all chromosomes or by the name of each; two blocks of half of it, rounded
            down, make a window.
        factor: by which lengths are multiplied.
    """
    stride = {name: max(_length(length, name, factor) // 2, 1) for name, _ in sites.chromosomes()}
    within = np.arange(max(stride.values()))
    site, first, chromosome, centre = [], [], [], []
    blocks = 0
    for number, (name, where) in enumerate(sites.chromosomes()):
        start = np.arange(where.start, max(where.stop, where.start + stride[name] + 1), stride[name])  # two at least
        stop = np.minimum(start + stride[name], where.stop)
        site.append(np.where(within < (stop - start)[:, None], start[:, None] + within, len(sites)))
        first.append(blocks + np.arange(len(start) - 1))
        chromosome.append(np.full(len(start) - 1, number))
        ends = sites.position[[start[:-1], np.maximum(stop[1:], stop[:-1]) - 1]].astype(np.int64)
        centre.append(ends.sum(0) // 2)
        blocks += len(start)
    return Windows(*(np.concatenate(parts) for parts in (site, first, chromosome, centre)))


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
        groups: ``(windows,)`` which kernel each window uses (its chromosome's, or one for all); None for its own.
        extras: further inputs per site beside the letters (heterozygosity, mask of missing calls).
        reference: whether called copies of REF are an input of their own; else they are part of the centre.
        letters: whether each letter has a weight at each place of a kernel; else a site's two alleles have opposite
            ones, which is the same where calls hold no third.
    """

    place: Tensor
    source: Tensor
    first: Tensor
    group: Tensor
    block_group: Tensor
    site: Tensor
    ref: Tensor
    step: Tensor
    kind: Tensor

    def __init__(
        self,
        sites: Sites,
        windows: Windows,
        outputs: int,
        groups: NDArray[np.int64] | None = None,
        extras: int = 0,
        reference: bool = False,
        letters: bool = True,
    ) -> None:
        super().__init__()
        self.reference, self.outputs, self.own = reference, outputs, groups is None
        self.even = len(np.unique(sites.inheritance)) == 1
        blocks, stride = windows.site.shape
        kernels, biases = (blocks, len(windows)) if groups is None else (int(groups.max()) + 1,) * 2
        coded = reference_and_alternative(sites) if letters else opposite_codes(sites)
        bound = (2 * stride) ** -0.5
        shape = (kernels, stride, 2 * outputs)  # of the first half of a window, then of the second
        scale = bound if letters else bound * 2**-0.5  # so that REF and ALT are as far apart
        self.kernel = nn.Parameter(torch.empty(coded.shape[2], *shape).uniform_(-scale, scale))
        self.extra = nn.Parameter(torch.empty(extras, *shape).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(biases, outputs, 1))
        self._register(sites, windows, coded, np.arange(len(windows)) if groups is None else groups)

    def _register(self, sites: Sites, windows: Windows, coded: NDArray, groups: NDArray) -> None:
        ref, alt = coded[:, windows.site]
        block_group = np.zeros(len(windows.site), np.int64)
        block_group[windows.first], block_group[windows.first + 1] = groups, groups
        place = np.empty(len(sites) + 1, np.int64)
        place[windows.site.ravel()] = np.arange(windows.site.size)
        inheritance = np.r_[sites.inheritance, -1][windows.site]
        features = np.arange(1 + self.reference + len(self.extra))
        tables = {
            "place": place,
            "source": windows.site[:, None] + (len(sites) + 1) * features[:, None],
            "first": windows.first,
            "group": groups,
            "block_group": block_group,
            "site": windows.site,
            "ref": np.moveaxis(ref, 2, 0)[..., None],  # (letters, blocks, stride, 1)
            "step": np.moveaxis(alt - ref, 2, 0)[..., None],
            "kind": (inheritance[:, None] == np.arange(INHERITANCES)[:, None]).astype(np.float32),
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
        kernel, extra, bias = self._of_windows()
        change = (kernel * self.step).sum(0)  # (blocks, stride, 2 x outputs)
        uneven = not self.even and bool(apart.any())
        ref = (kernel * self.ref).sum(0) if uneven or self.reference else change
        weights = torch.cat([change, *([ref] if self.reference else []), *extra], 1)
        seen = inputs.flatten(0, 1).index_select(0, self.source.flatten())
        seen = seen.view(len(self.source), weights.shape[1], -1)
        if uneven:  # the copies of each kind of chromosome are inputs of every block
            constant = ref + frequency[self.site].unsqueeze(-1) * change
            weights = torch.cat([weights, self.kind @ constant], 1)
            seen = torch.cat([seen, apart.T.expand(len(seen), -1, -1)], 1)
        out: Tensor = _Product.apply(seen, weights, self.first)
        return out + bias if odd is None else out + bias + self._odd(odd, kernel, inputs.shape[2])

    def _of_windows(self) -> tuple[Tensor, Tensor, Tensor]:
        """Both kernels by block, and the bias by window."""
        if self.own:
            return self.kernel, self.extra, self.bias
        kernel, extra = (weights.index_select(1, self.block_group) for weights in (self.kernel, self.extra))
        return kernel, extra, self.bias.index_select(0, self.group)

    def _odd(self, odd: Odd, kernel: Tensor, batch: int) -> Tensor:
        """What the odd calls add to the windows over their sites."""
        place = self.place[odd.site]
        excess = torch.einsum("ca,aco->co", odd.excess[:, : len(kernel)], kernel.flatten(1, 2)[:, place])
        target = torch.div(place, self.site.shape[1], rounding_mode="floor") * batch + odd.row
        total = excess.new_zeros(len(self.site) * batch, 2 * self.outputs).index_add(0, target, excess)
        return _halves(total.view(len(self.site), batch, -1).transpose(1, 2), self.first)


def _halves(blocks: Tensor, first: Tensor) -> Tensor:
    """Add up, for each window, what its first block gives to first halves and its second block to second ones.

    Maps ``(blocks, 2 x outputs, batch)`` to ``(windows, outputs, batch)``.
    """
    outputs = blocks.shape[1] // 2
    return (blocks[:-1, :outputs] + blocks[1:, outputs:]).index_select(0, first)


class _Product(torch.autograd.Function):
    """`_halves` of the product of every block with its weights; the gradient is spelled out, since it is faster."""

    @staticmethod
    def forward(context: Any, seen: Tensor, weights: Tensor, first: Tensor) -> Tensor:
        """Map ``(blocks, inputs, batch)`` and ``(blocks, inputs, 2 x outputs)`` to ``(windows, outputs, batch)``."""
        context.save_for_backward(seen, weights, first)
        return _halves(torch.bmm(weights.transpose(1, 2), seen), first)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, None]:
        """Return the gradients of both factors."""
        (gradient,) = gradients
        seen, weights, first = context.saved_tensors
        outputs = gradient.shape[1]
        blocks = gradient.new_zeros(len(seen), 2 * outputs, gradient.shape[2])
        blocks[:, :outputs].index_copy_(0, first, gradient)
        blocks[:, outputs:].index_copy_(0, first + 1, gradient)
        of_seen = torch.bmm(weights, blocks) if context.needs_input_grad[0] else None
        return of_seen, torch.bmm(seen, blocks.transpose(1, 2)), None


def reference_and_alternative(sites: Sites) -> NDArray[np.float32]:
    """Return ``(2, sites + 1, letters)`` one-hot codes of REF and ALT; the last site is empty.

    Letters are A, C, G and T, and a fifth where some alleles are not letters.
    """
    found = channels(sites)
    width = max(OTHER, int(found.max()) + 1)
    codes = np.vstack([np.eye(width, dtype=np.float32), np.zeros((1, width), np.float32)])
    return codes[np.vstack([found, [[NO_CHANNEL, NO_CHANNEL]]]).T]


def opposite_codes(sites: Sites) -> NDArray[np.float32]:
    """Return ``(2, sites + 1, 1)`` codes of REF and ALT: 1 for the later letter, -1 for the other one."""
    ref, alt = np.vstack([channels(sites), [[NO_CHANNEL, NO_CHANNEL]]]).T
    sign = np.sign(alt - ref).astype(np.float32)
    return np.stack([-sign, sign])[..., None]
