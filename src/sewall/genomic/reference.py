"""Training genotypes that a model keeps because it predicts, or says how sure it is, by likeness to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Calls, OddCalls, Panel
from sewall.genomic.coding import Coding
from sewall.genomic.contract import Floats, State
from sewall.genomic.kernels import Kernels, repacked
from sewall.genomic.reml import ErrorVariance
from sewall.task import Rows

ROWS = 4096  # individuals that are compared with the training individuals at once


@dataclass(frozen=True)
class Reference:
    """Packed calls and copies of the training individuals, and how their sites are coded.

    Attributes:
        calls: of the training individuals.
        copies: ``(4, n)`` copies by inheritance.
        coding: frequencies and scales.
        scaling: ``(sites,)`` by which the centred columns are multiplied before products are taken.
    """

    calls: Calls
    copies: NDArray[np.int8]
    coding: Coding
    scaling: NDArray[np.float32]

    @classmethod
    def of(cls, kernels: Kernels, scaling: Floats, among: Rows | None = None) -> Reference:
        """Return the training individuals of *kernels*, or some *among* them, by index."""
        calls, copies = kernels.packed, kernels.panel.copies[:, kernels.rows]
        if among is not None:
            calls, copies = repacked(calls, among), copies[:, among]
        return cls(calls, copies, kernels.coding, scaling.astype(np.float32))

    def __len__(self) -> int:
        return self.calls.samples

    def products(self, panel: Panel, rows: Rows) -> tuple[Floats, Floats]:
        """Return ``(rows, n)`` cross-products with the training individuals, and ``(rows,)`` with themselves."""
        none = OddCalls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 5), np.float32))
        training = replace(panel, calls=self.calls, copies=self.copies, sample_ids=[""] * len(self), odd=none)
        blocks = self.coding.blocks(training, np.arange(len(self)))
        cross, own = np.zeros((len(rows), len(self))), np.zeros(len(rows))
        for sites, reference in blocks:
            scaled = self.coding.centred(panel, rows, sites) * self.scaling[sites]
            own += np.einsum("ij,ij->i", scaled, scaled)
            cross += (scaled * self.scaling[sites]) @ reference.T
        return cross, own

    def state(self) -> State:
        """Return the packed calls and the coding."""
        kind = np.array([self.calls.bits, self.calls.steps, self.calls.samples])
        kept = {"reference_calls": self.calls.data, "reference_kind": kind, "reference_copies": self.copies}
        return kept | {"reference_scaling": self.scaling} | self.coding.state()

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Reference:
        """Return the genotypes whose `state` is part of *state*."""
        bits, steps, samples = (int(value) for value in state["reference_kind"])
        calls = Calls(state["reference_calls"], samples, bits, steps)
        return cls(calls, state["reference_copies"], Coding.from_state(state), state["reference_scaling"])


@dataclass(frozen=True)
class Likeness:
    """What is known of the error of predictions from the likeness to the training individuals.

    Attributes:
        own: ``(rows,)`` kernel of each individual with itself.
        unknown: ``(rows,)`` error variance of g with the fixed effects known.
        through: ``(rows, q)`` what the fixed effects of the training individuals weigh in the predictions.
        errors: variances.
    """

    own: Floats
    unknown: Floats
    through: Floats
    errors: ErrorVariance

    @classmethod
    def of(cls, kernel: Callable[[Rows], tuple[Floats, Floats]], rows: Rows, errors: ErrorVariance) -> Likeness:
        """Judge *rows*, some at a time; *kernel* gives their kernel with the training individuals, and their own."""
        parts = []
        for some in in_parts(rows):
            cross, own = kernel(some)
            parts.append((own, errors.genetic_error(cross, own), errors.through(cross)))
        own, unknown, through = (np.concatenate(each) for each in zip(*parts, strict=True))
        return cls(own, unknown, through, errors)

    def spread(self, basis: Floats) -> Floats:
        """Return ``(rows,)`` standard deviations of trait minus prediction; *basis* holds the fixed effects."""
        return np.sqrt(self.errors.total(self.unknown, self.through, basis))

    def reliability(self) -> Floats:
        """Return ``(rows,)`` shares of the genetic variance that the prediction knows; 0 where there is none."""
        genetic = self.errors.genetic * self.own
        return np.where(genetic > 0, 1 - self.unknown / np.where(genetic > 0, genetic, 1), 0.0)


def in_parts(rows: Rows) -> Iterator[Rows]:
    """Yield *rows* some at a time, so that no matrix grows with their number; nothing is yielded once as nothing."""
    for start in range(0, max(len(rows), 1), ROWS):
        yield rows[start : start + ROWS]
