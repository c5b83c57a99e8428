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
from numpy.typing import NDArray
from torch import Tensor, nn

from sewall.data.panel import Sites
from sewall.encode.alleles import NO_CALL, OTHER
from sewall.errors import SewallError
from sewall.nets.heads import MeanHead, head_like
from sewall.nets.latents import IntervalPool, OwnLatents, QuickDropout, SharedLatents, WithSquares
from sewall.nets.network import Batch, Network
from sewall.nets.windows import INHERITANCES, Odd, WindowLayer, Windows, chromosome_windows, reference_and_alternative

AT_ONCE = 2_048  # sites whose frequencies are taken at once
MANY = 2_000  # individuals from which what is not additive can be learnt
FEWEST_HETEROZYGOTES = 0.05  # of the calls; below, there is no dominance to see (inbred lines)


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
        letters: ``own`` (a weight for the difference of each site's two alleles) or ``all`` (each of A, C, G, T has its
            own, which calls with a third letter need; elsewhere it is the same network with four times the weights).
        squares: whether the layers above the kernels read the squares of their outputs beside the outputs themselves,
            which makes products of sites, in a window or of a site with itself (dominance), easy to learn; else a GELU
            bends them.
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
    letters: str = "all"
    squares: bool = False
    dropout: float = 0.5
    latent_dropout: float = 0.3

    def __post_init__(self) -> None:
        if self.kernel not in ("local", "shared"):
            raise SewallError(f"kernel {self.kernel!r}: choose local or shared")
        if self.share not in ("none", "deep", "all"):
            raise SewallError(f"share {self.share!r}: choose none, deep or all")
        if self.letters not in ("own", "all"):
            raise SewallError(f"letters {self.letters!r}: choose own or all")
        if self.share == "all" and self.kernel == "local":
            raise SewallError(
                "windows with kernels of their own cannot share them between chromosomes: kernel='shared'"
            )
        if not (self.hidden or self.direct):
            raise SewallError("a network with neither hidden units nor a direct path has no output: give hidden units")

    @classmethod
    def suited(cls, individuals: int, heterozygous: float, odd: bool) -> NetShape:
        """Return the form for a panel: few individuals teach a network no more than nearly additive windows.

        Args:
            individuals: to learn from.
            heterozygous: share of their calls.
            odd: whether there are calls with third alleles or uncertain letters.
        """
        many = individuals >= MANY
        het = many and heterozygous >= FEWEST_HETEROZYGOTES
        return cls(het=het, squares=many, letters="all" if odd else "own")

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
        head: what it answers: ``{"traits": 1}`` or ``{"classes": 2}`` (see `sewall.nets.heads`).
        steps: what a code is divided by for the share of ALT (the panel's ``calls.steps``).
        bins: intervals of each chromosome, where another panel has fixed them.
    """

    most_at_once = 128  # one individual has as many inputs as sites
    most_standardised = 1_024

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
        head: Mapping[str, int] | None = None,
        steps: int = 2,
        bins: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.length = length if isinstance(length, int) else dict(length)
        self.shape, self.steps, self.answers = shape or NetShape(), steps, dict(head or {"traits": 1})
        self.names = tuple(name for name, _ in sites.chromosomes())
        self.bins = bins or interval_numbers(sites, self.shape.bins)
        self.kinds = len(np.unique(sites.inheritance))
        self.register_buffer("frequency", torch.zeros(len(sites) + 1))
        self.register_buffer("het", torch.zeros(len(sites)))
        self.register_buffer("mean_copies", torch.full((INHERITANCES,), 2.0))
        self.register_buffer("inheritance", torch.from_numpy(sites.inheritance.astype(np.int64)), persistent=False)
        for name, table in zip(("ref", "alt"), _five_letters(sites), strict=True):
            self.register_buffer(name, torch.from_numpy(table), persistent=False)
        windows = [chromosome_windows(sites, length, factor) for factor in self.shape.factors]
        self.branches = nn.ModuleList(_Branch(sites, tiles, self.shape, self.bins) for tiles in windows)
        latents = len(self.names) * self.shape.latents
        self.dropout = QuickDropout(self.shape.latent_dropout)
        layers = [nn.Linear(latents, self.shape.hidden), nn.GELU(), self.dropout] if self.shape.hidden else []
        self.hidden = nn.Sequential(*layers)
        self.features = latents * self.shape.direct + self.shape.hidden
        self.head = head_like(self.answers, self.features)

    @torch.no_grad()
    def standardise(self, batch: Batch) -> None:
        """Take frequencies, heterozygosity and copies from training individuals, a stretch of sites at a time."""
        self.mean_copies.copy_(batch["copies"].mean(0))
        for start in range(0, len(self.het), AT_ONCE):
            where = slice(start, min(start + AT_ONCE, len(self.het)))
            share, copies, missing = self._calls(batch, where)
            weight = copies.expand_as(share) if missing is None else copies * ~missing
            self.frequency[where] = (share * weight).sum(1) / weight.sum(1).clamp(min=1)
            double = (weight >= 2).float()
            het = self._heterozygosity(batch, where, share) * double
            self.het[where] = het.sum(1) / double.sum(1).clamp(min=1)

    def embedding(self, batch: Batch) -> Tensor:
        """Return ``(batch, features)``: latent numbers of the chromosomes, and hidden units over all of them."""
        inputs = self._inputs(batch)
        apart = batch["copies"] - self.mean_copies if self.shape.centred else torch.zeros_like(batch["copies"])
        odd = self._odd(batch, inputs) if self.shape.letters == "all" and len(batch.get("odd_row", ())) else None
        latents = sum(branch(inputs, apart, self.frequency, odd) for branch in self.branches)
        assert isinstance(latents, Tensor)  # (chromosomes x latents, batch)
        kept = self.dropout(latents.T)
        parts = [kept] * self.shape.direct + ([self.hidden(kept)] if self.shape.hidden else [])
        return torch.cat(parts, dim=1)

    def recipe(self) -> dict[str, Any]:
        """Return window lengths, shape and head; the sites are the panel's own."""
        return {
            "length": self.length, "shape": asdict(self.shape), "steps": self.steps, "bins": self.bins,
            "head": self.answers,
        }  # fmt: skip

    def answering(self, column: int) -> ChromosomeNet:
        """Return the network with a head for one of its traits alone; itself where it has but one, or classes."""
        if self.answers.get("traits", 1) > 1:
            head = MeanHead(self.features)
            assert isinstance(self.head, MeanHead)
            with torch.no_grad():
                head.linear.weight.copy_(self.head.linear.weight[column : column + 1])
                head.linear.bias.copy_(self.head.linear.bias[column : column + 1])
                head.scale.copy_(self.head.scale[column : column + 1])
            self.head, self.answers = head, {"traits": 1}
        return self

    def moved_to(self, sites: Sites, length: int | Mapping[str, int], steps: int = 2) -> ChromosomeNet:
        """Return the same network on another set of sites of the same chromosomes; `standardise` it there.

        Kernels of each window's own belong to its sites: such a network can only be given the sites it knows, with
        the others missing.
        """
        if self.shape.kernel == "local" or not (self.shape.bins or self.shape.share != "none"):
            raise SewallError("only shared kernels with bins or shared layers fit new sites; mark absent sites missing")
        other = ChromosomeNet(sites, length, self.shape, self.answers, steps, self.bins)
        if other.names != self.names:
            raise SewallError(f"the chromosomes are {' '.join(other.names)}, not {' '.join(self.names)}: rename them")
        mine, theirs = dict(self.named_parameters()), dict(other.named_parameters())
        if any(mine[name].shape != value.shape for name, value in theirs.items()):
            raise SewallError("the windows or the kinds of alleles are not those of the network: use its window length")
        with torch.no_grad():
            for name, value in theirs.items():
                value.copy_(mine[name])
        return other

    def _calls(self, batch: Batch, where: slice) -> tuple[Tensor, Tensor, Tensor | None]:
        """Share of ALT (of no meaning where not called), copies, and what is missing: ``(sites, batch)`` or None.

        An odd call stands on the way from REF to ALT as far as it has more of ALT than of REF, so that it does not
        matter which of the two is called REF.
        """
        missing: Tensor | None
        if "share" in batch:
            given = batch["share"].T[where].float()
            share, missing = given.nan_to_num(), given.isnan()
        else:
            share = batch["codes"].T[where].float()
            missing = share == NO_CALL if share.amax() == NO_CALL else None
            share /= self.steps
        row, site, parts = _odd_parts(batch, where)
        if len(row):
            more = (parts * (self.alt - self.ref)[site + where.start]).sum(1)
            share[site, row] = (1 + more) / 2
            if missing is not None:
                missing[site, row] = False
        return share, self._copies(batch, where), missing

    def _copies(self, batch: Batch, where: slice) -> Tensor:
        """``(sites or 1, batch)`` copies that each individual has of each site."""
        if self.kinds == 1:
            return batch["copies"].T[self.inheritance[:1]]
        return batch["copies"].T.index_select(0, self.inheritance[where])

    def _heterozygosity(self, batch: Batch, where: slice, share: Tensor) -> Tensor:
        """Twice the chance that two copies of an individual differ: 1 for the heterozygote of a diploid."""
        row, site, parts = _odd_parts(batch, where)
        found = torch.addcmul(4 * share, share, share, value=-4)
        return found.index_put((site, row), 2 * (1 - parts.square().sum(1))) if len(row) else found

    def _excess(self, batch: Batch, share: Tensor) -> Tensor:
        """Heterozygosity beyond what the share of ALT lets expect, so that the two are uncorrelated."""
        frequency = self.frequency[:-1].unsqueeze(1)
        slope = 2 * (1 - 2 * frequency)
        found = self._heterozygosity(batch, slice(0, len(share)), share)
        return torch.addcmul(found, share, slope, value=-1).add_(slope * frequency - self.het.unsqueeze(1))

    def _inputs(self, batch: Batch) -> Tensor:
        """``(features, sites + 1, batch)``: the inputs of `WindowLayer`."""
        shape, sites = self.shape, len(self.het)
        share, copies, missing = self._calls(batch, slice(0, sites))
        rows = []
        if not shape.centred:
            rows.append(copies.expand_as(share))
        if shape.het:
            excess = self._excess(batch, share)
            rows.append(excess if self.kinds == 1 else excess * (copies >= 2))
        inputs = share.new_zeros(1 + len(rows) + shape.mask, sites + 1, share.shape[1])
        carried = share.clone() if share.requires_grad else share  # else spare the memory
        carried -= self.frequency[:sites].unsqueeze(1) * shape.centred
        carried *= copies
        for place, row in enumerate([carried, *rows]):
            inputs[place, :sites] = row if missing is None else row.masked_fill(missing, 0.0)
        if shape.mask and missing is not None:
            inputs[-1, :sites] = missing & (copies > 0)
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
        groups = None if shape.kernel == "local" else windows.chromosome * (shape.share != "all")
        extras, letters = shape.het + shape.mask, shape.letters == "all"
        self.layer = WindowLayer(sites, windows, shape.channels, groups, extras, not shape.centred, letters)
        channels = shape.channels * (1 + shape.squares)
        self.rest = nn.Sequential(WithSquares() if shape.squares else nn.GELU(), QuickDropout(shape.dropout))
        chromosome = windows.chromosome
        if shape.bins:
            pool = IntervalPool(windows, shape.bins, bins, channels)
            self.rest.append(pool)
            chromosome = pool.chromosome
        latents = OwnLatents if shape.share == "none" else SharedLatents
        self.rest.append(latents(chromosome, channels, shape.latents))

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


def _five_letters(sites: Sites) -> NDArray[np.float32]:
    codes = reference_and_alternative(sites)
    return np.pad(codes, ((0, 0), (0, 0), (0, OTHER + 1 - codes.shape[2])))


def interval_numbers(sites: Sites, width: int) -> tuple[int, ...]:
    """Return how many intervals of *width* bp each chromosome has up to its last site; none without a width."""
    if not width:
        return ()
    return tuple(max(int(sites.position[where].max()), 0) // width + 1 for _, where in sites.chromosomes())
