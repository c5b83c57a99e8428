"""The classical genomic predictors as simple models of this job."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.genomic.blup import XLinked
from sewall.genomic.catalogue import ALL
from sewall.genomic.contract import GenomicModel
from sewall.genomic.kernels import Kernels
from sewall.jobs.trait.people import People
from sewall.task import Examples, Rows, SimpleModel, Target

Floats = NDArray[np.float64]

BASE, SPREAD, PLACE = "covariates", "gblup", "components"
FAMILIES = dict.fromkeys(("gblup", "lasso", "cutoff", "clumping", "windows"), "additive")
NOT_ADDITIVE = ("dominance", "gaussian")  # classical models that see more than the sum over alleles
INNER_FOLDS = 3


def kernels_of(examples: Examples, rows: Rows) -> Kernels:
    """Return the kernels among *rows*, shared by all models that are fitted to the same rows one after the other."""
    people = people_of(examples)
    key = np.asarray(rows).tobytes()
    if key not in people.kept:
        people.kept.clear()
        people.kept[key] = Kernels(people.panel, rows)
    kernels: Kernels = people.kept[key]
    return kernels


def people_of(examples: Examples) -> People:
    """Return the individuals behind examples of this job."""
    assert isinstance(examples.source, People)
    return examples.source


@dataclass(frozen=True)
class Genomic:
    """A genomic predictor with the contract of a simple model.

    Attributes:
        target: gives the learning scale.
        model: the predictor.
    """

    target: Target
    model: GenomicModel

    @property
    def key(self) -> str:
        """Short name, the same in every run."""
        return self.model.key

    @property
    def name(self) -> str:
        """Name in front of people."""
        return self.model.name

    def fit(self, examples: Examples, rows: Rows) -> Genomic:
        """Fit to labelled *rows*; penalties and cutoffs are chosen by inner folds that keep groups together."""
        people = people_of(examples)
        assert examples.target is not None
        target = self.target.forward(examples.target[rows])
        folds = inner_folds(len(rows), None if examples.groups is None else np.asarray(examples.groups)[rows])
        fitted = copy.copy(self.model).fit(
            people.panel, rows, target, people.covariates, kernels_of(examples, rows), folds
        )
        return replace(self, model=fitted)

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)`` predictions on the learning scale."""
        people = people_of(examples)
        return np.asarray(self.model.predict(people.panel, rows, people.covariates), float)

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        return self.model.parameters

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers."""
        return self.model.state()

    def with_state(self, state: Mapping[str, Any]) -> Genomic:
        """Return the fitted model whose `state` was *state*."""
        return replace(self, model=type(self.model).from_state(state))


def inner_folds(number: int, groups: NDArray[Any] | None) -> Rows:
    """Return ``(individuals,)`` inner folds, whole groups together; always the same for the same individuals."""
    member = np.arange(number) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(member.max()) + 1
    return np.random.default_rng(count).permutation(np.arange(count) % INNER_FOLDS)[member]


def classical(target: Target, x_linked: bool) -> list[SimpleModel]:
    """Return the untrained predictors that stand beside the network, the simplest first."""
    return [Genomic(target, kind()) for kind in ALL if x_linked or kind is not XLinked]
