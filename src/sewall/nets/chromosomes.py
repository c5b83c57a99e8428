"""A network per chromosome for genotypes: windows of linked sites, a few latent numbers each, a head over all.

After Karavani (2018), Applying Deep Learning to Genetic Prediction. By default each window has a kernel of its own
(locally connected), since letters are arbitrary from site to site; `NetShape.article` is the article's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sewall.data.panel import Sites
from sewall.encode.alleles import NO_CALL
from sewall.errors import SewallError
from sewall.nets.latents import IntervalPool, OwnLatents, QuickDropout, SharedLatents
from sewall.nets.network import Batch, Network
from sewall.nets.windows import INHERITANCES, Odd, WindowLayer, Windows, chromosome_windows, reference_and_alternative

AT_ONCE = 2_048  # sites whose frequencies are taken at once


@dataclass(frozen=True)
class NetShape:
    """What a `ChromosomeNet` is made of.

    Attributes:
        kernel: ``local`` (each window its own weights) or ``shared`` (one kernel slides along a chromosome).
        factors: lengths of parallel kernels, as multiples of the window, for instance ``(0.5, 1, 2)``.
        channels: of each kernel.
        share: what chromosomes share: ``none``; ``deep`` (the layers above the kernels); ``all`` (kernels too).
        latents: numbers to which each chromosome is reduced.
        hidden: units of the layer over all chromosomes; without any, nothing between chromosomes can be expressed.
        direct: whether the head reads the latent numbers themselves beside the hidden units.
        het: whether heterozygosity is an input, orthogonal to the copies: dominance.
        mask: whether missing calls are an input.
        centred: whether inputs are centred on the training mean, missing calls being the mean; else they are zeros.
        bins: width of the genomic intervals (bp) over which windows are averaged, so that the layers above fit another
            set of sites; 0 for none.
        dropout: share of kernel outputs dropped in training.
        latent_dropout: share of latent numbers and hidden units dropped in training.
    """

    kernel: str = "local"
    factors: tuple[float, ...] = (1.0,)
    channels: int = 8
    share: str = "none"
    latents: int = 4
    hidden: int = 32
    direct: bool = True
    het: bool = False
    mask: bool = False
    centred: bool = True
    bins: int = 0
    dropout: float = 0.5
    latent_dropout: float = 0.3

    def __post_init__(self) -> None:
        if self.kernel not in ("local", "shared"):
            raise SewallError(f"kernel {self.kernel!r}: choose local or shared")
        if self.share not in ("none", "deep", "all"):
            raise SewallError(f"share {self.share!r}: choose none, deep or all")
        if self.share == "all" and self.kernel == "local":
            raise SewallError(
                "windows with kernels of their own cannot share them between chromosomes: kernel='shared'"
            )
        if not (self.hidden or self.direct):
            raise SewallError("a network with neither hidden units nor a direct path has no output: give hidden units")

    @classmethod
    def article(cls) -> NetShape:
        """Return the article's form: two-hot as it stands, one kernel per chromosome, a hidden layer over all."""
        return cls(kernel="shared", direct=False, centred=False)


class ChromosomeNet(Network):
    """Genotypes to traits.

    Reads batches as from `sewall.encode.alleles.Individuals.batch`: ``codes`` (batch, sites) uint8, or in their place
    ``share`` (batch, sites) float, NaN where missing; ``copies`` (batch, 4); ``odd_row``, ``odd_site``, ``odd_code``
    where there are odd calls.

    Args:
        sites: of the panel.
        length: window of linkage in sites, for all chromosomes or by the name of each.
        shape: what it is made of.
        outputs: numbers that the head gives.
        steps: what a code is divided by for the share of ALT (the panel's ``calls.steps``).
        bins: intervals of each chromosome, where another panel has fixed them.
    """

    frequency: Tensor
    het: Tensor
    mean_copies: Tensor
    inheritance: Tensor
    ref: Tensor
    alt: Tensor

    def __init__(
        self,
        sites: Sites,
        length: int | Mapping[str, int],
        shape: NetShape | None = None,
        outputs: int = 1,
        steps: int = 2,
        bins: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.length = length if isinstance(length, int) else dict(length)
        self.shape, self.steps, self.outputs = shape or NetShape(), steps, outputs
        self.names = tuple(name for name, _ in sites.chromosomes())
        self.bins = bins or interval_numbers(sites, self.shape.bins)
        self.kinds = len(np.unique(sites.inheritance))
        self.register_buffer("frequency", torch.zeros(len(sites) + 1))
        self.register_buffer("het", torch.zeros(len(sites)))
        self.register_buffer("mean_copies", torch.full((INHERITANCES,), 2.0))
        self.register_buffer("inheritance", torch.from_numpy(sites.inheritance.astype(np.int64)), persistent=False)
        for name, table in zip(("ref", "alt"), reference_and_alternative(sites, 5), strict=True):
            self.register_buffer(name, torch.from_numpy(table), persistent=False)
        windows = [chromosome_windows(sites, length, factor) for factor in self.shape.factors]
        self.branches = nn.ModuleList(_Branch(sites, tiles, self.shape, self.bins) for tiles in windows)
        latents = len(self.names) * self.shape.latents
        self.dropout = nn.Dropout(self.shape.latent_dropout)
        layers = [nn.Linear(latents, self.shape.hidden), nn.GELU(), self.dropout] if self.shape.hidden else []
        self.hidden = nn.Sequential(*layers)
        self.features = latents * self.shape.direct + self.shape.hidden
        self.head = nn.Linear(self.features, outputs)

    @torch.no_grad()
    def standardise(self, batch: Batch) -> None:
        """Take frequencies, heterozygosity and copies from training individuals, a stretch of sites at a time."""
        self.mean_copies.copy_(batch["copies"].mean(0))
        for start in range(0, len(self.het), AT_ONCE):
            where = slice(start, min(start + AT_ONCE, len(self.het)))
            share, copies, called = self._calls(batch, where)
            weight = copies * called
            mean = (share * weight).sum(1) / weight.sum(1).clamp(min=1)
            double = (weight >= 2).float()
            self.frequency[where] = mean
            het = self._heterozygosity(batch, where, share) * double
            self.het[where] = het.sum(1) / double.sum(1).clamp(min=1)

    def embedding(self, batch: Batch) -> Tensor:
        """Return ``(batch, features)``: latent numbers of the chromosomes, and hidden units over all of them."""
        inputs = self._inputs(batch)
        apart = batch["copies"] - self.mean_copies if self.shape.centred else torch.zeros_like(batch["copies"])
        odd = self._odd(batch, inputs) if len(batch.get("odd_row", ())) else None
        latents = sum(branch(inputs, apart, self.frequency, odd) for branch in self.branches)
        assert isinstance(latents, Tensor)  # (chromosomes x latents, batch)
        kept = self.dropout(latents.T)
        parts = [kept] * self.shape.direct + ([self.hidden(kept)] if self.shape.hidden else [])
        return torch.cat(parts, dim=1)

    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error of the first output."""
        return ((answer[:, 0] - target) ** 2).mean()

    def recipe(self) -> dict[str, Any]:
        """Return window lengths and shape; the sites are the panel's own."""
        return {"length": self.length, "shape": asdict(self.shape), "steps": self.steps, "bins": self.bins}

    def moved_to(self, sites: Sites, length: int | Mapping[str, int], steps: int = 2) -> ChromosomeNet:
        """Return the same network on another set of sites of the same chromosomes; `standardise` it there.

        Kernels of each window's own belong to its sites: such a network can only be given the sites it knows, with
        the others missing.
        """
        if self.shape.kernel == "local" or not (self.shape.bins or self.shape.share != "none"):
            raise SewallError("only shared kernels with bins or shared layers fit new sites; mark absent sites missing")
        other = ChromosomeNet(sites, length, self.shape, self.outputs, steps, self.bins)
        if other.names != self.names:
            raise SewallError(f"the chromosomes are {' '.join(other.names)}, not {' '.join(self.names)}: rename them")
        mine, theirs = dict(self.named_parameters()), dict(other.named_parameters())
        if any(mine[name].shape != value.shape for name, value in theirs.items()):
            raise SewallError("the windows or the kinds of alleles are not those of the network: use its window length")
        with torch.no_grad():
            for name, value in theirs.items():
                value.copy_(mine[name])
        return other

    def _calls(self, batch: Batch, where: slice) -> tuple[Tensor, Tensor, Tensor]:
        """Share of ALT (of no meaning where not called), copies, and whether called: ``(sites, batch)``.

        An odd call stands on the way from REF to ALT as far as it has more of ALT than of REF, so that it does not
        matter which of the two is called REF.
        """
        copies = self._copies(batch, where)
        if "share" in batch:
            given = batch["share"].T[where].float()
            share, called = given.nan_to_num(), ~given.isnan()
        else:
            codes = batch["codes"].T[where]
            share, called = codes.float().div_(self.steps), codes != NO_CALL
        row, site, parts = _odd_parts(batch, where)
        if len(row):
            more = (parts * (self.alt - self.ref)[site + where.start]).sum(1)
            share[site, row], called[site, row] = (1 + more) / 2, True
        return share, copies, called

    def _copies(self, batch: Batch, where: slice) -> Tensor:
        """``(sites or 1, batch)`` copies that each individual has of each site."""
        if self.kinds == 1:
            return batch["copies"].T[self.inheritance[:1]]
        return batch["copies"].T.index_select(0, self.inheritance[where])

    def _heterozygosity(self, batch: Batch, where: slice, share: Tensor) -> Tensor:
        """Twice the chance that two copies of an individual differ: 1 for the heterozygote of a diploid."""
        row, site, parts = _odd_parts(batch, where)
        return (4 * share * (1 - share)).index_put((site, row), 2 * (1 - parts.square().sum(1)))

    def _inputs(self, batch: Batch) -> Tensor:
        """``(features, sites + 1, batch)``: the inputs of `WindowLayer`."""
        shape, sites = self.shape, len(self.het)
        share, copies, called = self._calls(batch, slice(0, sites))
        missing, frequency = ~called, self.frequency[:sites].unsqueeze(1)
        rows = []
        if shape.het:
            excess = self._heterozygosity(batch, slice(0, sites), share) - self.het.unsqueeze(1)
            excess -= 2 * (1 - 2 * frequency) * (share - frequency)
            rows.append(excess.masked_fill_(missing | (copies < 2), 0.0))
        if shape.mask:
            rows.append(missing & (copies > 0))
        if shape.centred:
            carried = [share.sub_(frequency).masked_fill_(missing, 0.0).mul_(copies)]
        else:
            carried = [share.masked_fill_(missing, 0.0).mul_(copies), called * copies]
        inputs = share.new_zeros(len(carried) + len(rows), sites + 1, share.shape[1])
        for place, row in zip(inputs, [*carried, *rows], strict=True):
            place[:sites] = row
        return inputs

    def _odd(self, batch: Batch, inputs: Tensor) -> Odd:
        row, site = batch["odd_row"], batch["odd_site"]
        ref, change = self.ref[site], (self.alt - self.ref)[site]
        copies = batch["copies"][row, self.inheritance[site]].unsqueeze(1)
        carried = inputs[0, site, row].unsqueeze(1)
        if self.shape.centred:
            stands = copies * (ref + self.frequency[site].unsqueeze(1) * change) + carried * change
        else:
            stands = inputs[1, site, row].unsqueeze(1) * ref + carried * change
        return Odd(row, site, batch["odd_code"] - stands)


class _Branch(nn.Module):
    """Kernels of one length, and the layers from them to the latent numbers of each chromosome."""

    def __init__(self, sites: Sites, windows: Windows, shape: NetShape, bins: tuple[int, ...]) -> None:
        super().__init__()
        groups = np.arange(len(windows)) if shape.kernel == "local" else windows.chromosome
        groups = np.zeros_like(groups) if shape.share == "all" else groups
        extras = shape.het + shape.mask
        self.layer = WindowLayer(sites, windows, shape.channels, groups, extras, not shape.centred)
        self.rest = nn.Sequential(nn.GELU(), QuickDropout(shape.dropout))
        chromosome = windows.chromosome
        if shape.bins:
            pool = IntervalPool(windows, shape.bins, bins, shape.channels)
            self.rest.append(pool)
            chromosome = pool.chromosome
        latents = OwnLatents if shape.share == "none" else SharedLatents
        self.rest.append(latents(chromosome, shape.channels, shape.latents))

    def forward(self, inputs: Tensor, apart: Tensor, frequency: Tensor, odd: Odd | None) -> Tensor:
        out: Tensor = self.rest(self.layer(inputs, apart, frequency, odd))
        return out


def _odd_parts(batch: Batch, where: slice) -> tuple[Tensor, Tensor, Tensor]:
    """Row, site counted from the start of *where*, and ``(odd calls, 5)`` shares of the letters, within *where*."""
    if "odd_row" not in batch:
        none = batch["copies"].new_zeros(0, dtype=torch.int64)
        return none, none, batch["copies"].new_zeros(0, 5)
    here = (batch["odd_site"] >= where.start) & (batch["odd_site"] < where.stop)
    code = batch["odd_code"][here]
    return (
        batch["odd_row"][here],
        batch["odd_site"][here] - where.start,
        code / code.sum(1, keepdim=True).clamp(min=1e-6),
    )


def interval_numbers(sites: Sites, width: int) -> tuple[int, ...]:
    """Return how many intervals of *width* bp each chromosome has up to its last site; none without a width."""
    if not width:
        return ()
    return tuple(max(int(sites.position[where].max()), 0) // width + 1 for _, where in sites.chromosomes())
