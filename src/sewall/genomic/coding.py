"""How genotypes become columns of numbers, learnt from the training individuals alone.

A call is read as ``z = d - c p``: copies of ALT, less the copies that the individual has times the frequency of ALT
among the training individuals. A male's X and an absent Y are thus centred by what he carries, a missing call is 0, and
exchanging REF and ALT only turns the sign, which no kernel sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Panel, X
from sewall.genomic.contract import Floats, State
from sewall.task import Rows

Block = NDArray[np.float32]
Code = Callable[[Panel, Rows, slice | Rows], Block]

RAREST = 0.01  # frequency below which a site's scale grows no more: a column of a handful of carriers is mostly chance
BLOCK = 2048  # sites at once


@dataclass(frozen=True)
class Coding:
    """Frequencies and scales of the sites among the training individuals; all arrays are ``(sites,)``.

    Attributes:
        frequency: share of copies that carry ALT.
        scale: one over the standard deviation of ``z``; 0 where the site does not vary.
        variance: expected variance of ``z`` under random mating, mean copies times ``p (1 - p)``.
        heterozygous: share of the calls on two copies that are heterozygous.
    """

    frequency: Block
    scale: Block
    variance: Block
    heterozygous: float

    @classmethod
    def learn(cls, panel: Panel, rows: Rows) -> Coding:
        """Learn the coding from the training individuals *rows* in one pass."""
        frequency, scale, variance = (np.zeros(len(panel.sites), np.float32) for _ in range(3))
        heterozygous = calls = 0.0
        for start in range(0, len(panel.sites), BLOCK):
            sites = slice(start, min(start + BLOCK, len(panel.sites)))
            share, called = _shares(panel, rows, sites)
            copies = _copies(panel, rows, sites) * called
            p = (share * copies).sum(1) / np.maximum(copies.sum(1), 1)
            centred = (share - p[:, None]) * copies
            seen = np.maximum((copies > 0).sum(1), 1)
            mean_copies = copies.sum(1) / seen
            square = np.einsum("ij,ij->i", centred, centred)
            spread = np.sqrt(np.maximum(square / seen, mean_copies * RAREST * (1 - RAREST)))
            frequency[sites], variance[sites] = p, mean_copies * p * (1 - p)
            scale[sites] = np.where(variance[sites] > 0, 1 / spread, 0)
            pairs = copies == 2
            heterozygous += float(((np.abs(share - 0.5) < 0.25) & pairs).sum())
            calls += float(pairs.sum())
        return cls(frequency, scale, variance, heterozygous / max(calls, 1))

    @classmethod
    def empty(cls) -> Coding:
        """Return the coding of no sites, for a model that reads none."""
        nothing = np.zeros(0, np.float32)
        return cls(nothing, nothing, nothing, 0.0)

    @property
    def varying(self) -> NDArray[np.bool_]:
        """Return ``(sites,)``: which have both alleles among the training individuals."""
        return np.asarray(self.scale > 0)

    @property
    def dominance_variance(self) -> float:
        """Return the sum over sites of the variance of the dominance code, ``(2pq)²``."""
        return float((2 * self.frequency * (1 - self.frequency)).astype(float) ** 2 @ self.varying)

    def centred(self, panel: Panel, rows: Rows, sites: slice | Rows) -> Block:
        """Return ``(rows, sites)`` values of z, 0 where a call is missing or there is no copy."""
        share, called = _shares(panel, rows, sites)
        share -= self.frequency[sites][:, None]
        share *= _copies(panel, rows, sites)
        share *= called
        return share.T

    def standardised(self, panel: Panel, rows: Rows, sites: slice | Rows) -> Block:
        """Return ``(rows, sites)`` values of z over their standard deviation."""
        return np.asarray(self.centred(panel, rows, sites) * self.scale[sites])

    def dominance(self, panel: Panel, rows: Rows, sites: slice | Rows) -> Block:
        """Return ``(rows, sites)`` dominance codes: -2p², 2pq, -2q² for 0, 1, 2 copies of ALT.

        Uncorrelated with z under random mating; 0 where a call is missing or the individual has not two copies.
        """
        share, called = _shares(panel, rows, sites)
        share *= 2
        p = self.frequency[sites][:, None]
        codes = share * (1 + 2 * p - share) - 2 * p**2
        codes *= called & (_copies(panel, rows, sites) == 2) & self.varying[sites][:, None]
        return np.asarray(codes.T, np.float32)

    def blocks(self, panel: Panel, rows: Rows) -> Iterator[tuple[slice, Block]]:
        """Yield the sites and `centred` values block by block."""
        for start in range(0, len(panel.sites), BLOCK):
            sites = slice(start, min(start + BLOCK, len(panel.sites)))
            yield sites, self.centred(panel, rows, sites)

    def score(self, panel: Panel, rows: Rows, weights: Floats) -> Floats:
        """Return ``(rows, ...)`` sums of z times the ``(sites, ...)`` weights; see `weighted_sum`."""
        return weighted_sum(self.centred, panel, rows, weights)

    def state(self) -> State:
        """Return the learnt numbers."""
        return {
            "frequency": self.frequency, "scale": self.scale, "variance": self.variance,
            "heterozygous": np.array([self.heterozygous]),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Coding:
        """Return the coding whose `state` is part of *state*."""
        return cls(state["frequency"], state["scale"], state["variance"], float(state["heterozygous"][0]))


def weighted_sum(code: Code, panel: Panel, rows: Rows, weights: Floats) -> Floats:
    """Return ``(rows, ...)`` sums of coded genotypes times the ``(sites, ...)`` weights.

    Sites without a weight are not read.
    """
    total = np.zeros((len(rows), *weights.shape[1:]))
    used = np.flatnonzero(weights.reshape(len(weights), -1).any(1)) if weights.size else np.zeros(0, np.intp)
    for start in range(0, len(used), BLOCK):
        sites = used[start : start + BLOCK]
        total += code(panel, rows, sites) @ weights[sites]
    return total


def _shares(panel: Panel, rows: Rows, sites: slice | Rows) -> tuple[Block, NDArray[np.bool_]]:
    """Return ``(sites, rows)`` shares of copies that carry ALT, and which are called; shares of others mean nothing."""
    codes = panel.calls.of(rows, sites)
    share = codes.astype(np.float32)
    share *= np.float32(1 / panel.calls.steps)
    return share, codes != panel.calls.missing


def _copies(panel: Panel, rows: Rows, sites: slice | Rows) -> Block:
    """Return ``(sites, rows)`` copies, or ``(1, 1)`` where all individuals have as many at all of the sites."""
    kinds = panel.sites.inheritance[sites]
    found = panel.copies[np.unique(kinds)][:, rows]
    if found.size and found.min() == found.max():
        return np.full((1, 1), found.flat[0], np.float32)
    return panel.copies[kinds][:, rows].astype(np.float32)


def x_sign(panel: Panel, rows: Rows) -> Floats:
    """Return ``(rows,)`` 1 for individuals with two copies of X and -1 for those with one."""
    return np.where(panel.copies[X][rows] == 2, 1.0, -1.0)
