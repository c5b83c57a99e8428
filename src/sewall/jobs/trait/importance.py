"""What every variant has to do with the answers of networks, individual by individual and summed up on the way.

The reference of each network is the mean genotype of its training individuals, with the copies of X and Y that the
individual has. Nothing of the size individuals x sites is kept: attributions are made a batch at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sewall.data.panel import Sites
from sewall.encode.alleles import NO_CALL, Individuals
from sewall.nets.attribution import FIRST, Question, at_reference, integrated_gradients, knock_out
from sewall.nets.chromosomes import ChromosomeNet
from sewall.nets.network import Batch
from sewall.task import Rows

Floats = NDArray[np.float64]
Networks = Sequence[ChromosomeNet]

AT_ONCE = 2**21  # genotypes in floating point at any moment
LARGEST_BATCH = 256


@dataclass(frozen=True)
class Attributed:
    """Attributions of the mean of several networks, on the learning scale.

    Attributes:
        importance: ``(sites,)`` mean size of a variant's attribution over the individuals.
        per_copy: ``(sites,)`` what a copy of ALT adds on average: the slope of attributions on copies, through the mean
            genotype. Of a network that is linear it is the weight.
        by_stretch: ``(rows, stretches)`` attributions summed over stretches of sites.
        answer, reference: ``(rows,)`` of the individuals, and of the mean genotype in their place.
    """

    importance: Floats
    per_copy: Floats
    by_stretch: Floats
    answer: Floats
    reference: Floats

    @property
    def gap(self) -> float:
        """Largest difference between summed attributions and what they should sum to, over the SD of the answers."""
        missed = self.by_stretch.sum(axis=1) - (self.answer - self.reference)
        return float(np.abs(missed).max() / max(float(self.answer.std()), 1e-12))


def stretches(sites: Sites, length: int) -> list[slice]:
    """Return stretches of *length* sites side by side, none of which crosses from one chromosome to the next."""
    return [
        slice(start, min(start + length, where.stop))
        for _, where in sites.chromosomes()
        for start in range(where.start, where.stop, length)
    ]


def window_length(networks: Networks) -> int:
    """Return the length of the networks' linkage windows in sites; the median where they differ."""
    found = [network.length for network in networks]
    return int(np.median([np.median(list(n.values())) if isinstance(n, dict) else n for n in found]))


def attribute(
    networks: Networks,
    individuals: Individuals,
    rows: Rows,
    parts: Sequence[slice],
    asked: Question = FIRST,
    device: str = "cpu",
    progress: Callable[[float], None] | None = None,
) -> Attributed:
    """Attribute the answers of networks to variants (see `sewall.nets.attribution.integrated_gradients`).

    Args:
        networks: trained on the sites of the panel; their mean is explained.
        individuals: of the panel.
        rows: individuals that are explained.
        parts: stretches that together hold all sites, in their order.
        asked: which answer of the networks.
        device: where the work is done.
        progress: called with the number of individuals done since.
    """
    sites, starts = len(individuals.panel.sites), [part.start for part in parts]
    size, product, square = np.zeros(sites), np.zeros(sites), np.zeros(sites)
    frequency = np.mean([network.frequency[:-1].cpu().numpy() for network in networks], axis=0)
    sums, answers = [], []
    for some in _batches(rows, sites):
        each, ends = np.zeros((len(some), sites)), np.zeros((2, len(some)))
        for network in networks:
            own = _attributed(network.to(device), individuals, some, asked, device)
            each += own[0] / len(networks)
            ends += own[1] / len(networks)
        carried = _carried(individuals, some, frequency)
        size += np.abs(each).sum(axis=0)
        product += (each * carried).sum(axis=0)
        square += (carried**2).sum(axis=0)
        sums.append(np.add.reduceat(each, starts, axis=1))
        answers.append(ends)
        if progress is not None:
            progress(len(some))
    per_copy = np.divide(product, square, out=np.zeros(sites), where=square > 0)
    answer, reference = np.concatenate(answers, axis=1)
    return Attributed(size / len(rows), per_copy, np.concatenate(sums), answer, reference)


def knocked_out(
    networks: Networks,
    individuals: Individuals,
    rows: Rows,
    parts: Sequence[slice],
    asked: Question = FIRST,
    device: str = "cpu",
    progress: Callable[[float], None] | None = None,
) -> Floats:
    """Return ``(rows, parts)`` by how much the mean answer changes when a stretch of sites is the mean genotype.

    Arguments as for `attribute`; *parts* may be any stretches.
    """
    sites = len(individuals.panel.sites)
    found = []
    for some in _batches(rows, sites):
        changes = []
        for network in networks:
            batch = _inputs(network.to(device), individuals, some, device)
            flags = [_flags(batch, part, sites) for part in parts]
            changes.append(knock_out(network, batch, _reference(network, batch), flags, asked).cpu().numpy())
        found.append(np.mean(changes, axis=0, dtype=float))
        if progress is not None:
            progress(len(some))
    return np.concatenate(found)


def _batches(rows: Rows, sites: int) -> list[Rows]:
    size = int(np.clip(AT_ONCE // max(sites, 1), 1, LARGEST_BATCH))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _attributed(
    network: ChromosomeNet, individuals: Individuals, rows: Rows, asked: Question, device: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return ``(rows, sites)`` attributions and ``(2, rows)`` the answers to individuals and to the reference."""
    batch = _inputs(network, individuals, rows, device)
    reference = _reference(network, batch)
    found = integrated_gradients(network, batch, reference, asked)
    each = found["share"]
    if len(batch["odd_row"]):
        each = each.index_put((batch["odd_row"], batch["odd_site"]), found["odd_code"].sum(1), accumulate=True)
    with torch.no_grad():
        ends = torch.stack([asked.of(network(batch)), at_reference(network, batch, reference, asked)])
    return each.cpu().numpy(), ends.cpu().numpy()


def _inputs(network: ChromosomeNet, individuals: Individuals, rows: Rows, device: str) -> Batch:
    """Return a batch whose genotypes are numbers that may lie between calls."""
    batch = {key: torch.from_numpy(value).to(device) for key, value in individuals.batch(rows).items()}
    codes = batch.pop("codes")
    return batch | {"share": torch.where(codes == NO_CALL, torch.nan, codes.float() / network.steps)}


def _reference(network: ChromosomeNet, batch: Batch) -> Batch:
    """Return the mean genotype: the share of ALT, and the letters of calls of which that does not tell all."""
    site = batch["odd_site"]
    copies = batch["copies"][batch["odd_row"], network.inheritance[site]].unsqueeze(1)
    share = network.frequency[site].unsqueeze(1)
    letters = copies * ((1 - share) * network.ref[site] + share * network.alt[site])
    return {"share": network.frequency[:-1]} | ({"odd_code": letters} if len(site) else {})


def _flags(batch: Batch, part: slice, sites: int) -> dict[str, Tensor]:
    share = torch.zeros(sites, dtype=torch.bool, device=batch["share"].device)
    share[part] = True
    odd = share[batch["odd_site"]].unsqueeze(1)
    return {"share": share} | ({"odd_code": odd} if len(odd) else {})


def _carried(individuals: Individuals, rows: Rows, frequency: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``(rows, sites)`` copies of ALT less those of the mean genotype, 0 where there is no call."""
    panel = individuals.panel
    copies = panel.copies[panel.sites.inheritance][:, rows].T
    return np.nan_to_num(panel.dosages(rows, slice(None)) - copies * frequency)
