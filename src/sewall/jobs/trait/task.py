"""The trait job: what will be measured of this individual, from its genotypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from sewall.borrowing import Borrowed
from sewall.crossfit import NETWORK
from sewall.data.panel import Sites, X
from sewall.encode.alleles import NO_CALL
from sewall.encode.ld import ld_windows
from sewall.genomic.blup import GBLUP
from sewall.genomic.principal import PrincipalComponents
from sewall.jobs.trait import models
from sewall.jobs.trait.class_models import ClassScores, classical_of_classes
from sewall.jobs.trait.models import Floats, Genomic, people_of
from sewall.jobs.trait.people import MOST_MISSING
from sewall.nets.chromosomes import ChromosomeNet, NetShape
from sewall.nets.network import Network
from sewall.task import Examples, Rows, SimpleModel, Target

FEW_MISSING = 0.05
STEPS = 2  # what networks divide a code by: copies of a diploid

LABELS = {
    "missing": "missing calls beyond 5 %",
    "heterozygous": "heterozygous calls",
    "reliability": "likeness to the training individuals (reliability of GBLUP)",
}


class TraitTask:
    """A trait of individuals, from genotypes and covariates.

    Args:
        target: the trait.
        sites: of the panel that it is learnt on.
        shape: of the networks.
        window: linkage window in sites, or None to find it in the training individuals of each fit.
        borrowed: other traits from which a bundle that is to be read has borrowed a model.
    """

    name = "trait"
    base = models.BASE
    labels: Mapping[str, str] = LABELS
    stratum_names: Mapping[int, str] = {0: "females", 1: "males"}
    families: Mapping[str, str] = models.FAMILIES
    lends = models.SPREAD
    abstains = False
    lesser: Mapping[str, tuple[str, ...]] = {"additive": (*models.NOT_ADDITIVE, NETWORK)}

    def __init__(
        self,
        target: Target,
        sites: Sites,
        shape: NetShape | None = None,
        window: int | None = None,
        borrowed: Sequence[str] = (),
    ) -> None:
        self.target, self.sites, self.shape, self.window = target, sites, shape or NetShape(), window
        self.borrowed = borrowed

    def usable(self, examples: Examples) -> NDArray[np.bool_]:
        """Return who has at least half of the calls, and all covariates."""
        people = people_of(examples)
        known = np.isfinite(people.covariates).all(axis=1)
        return np.asarray(known & (people.called["missing"].to_numpy() <= MOST_MISSING))

    def tensors(self, examples: Examples, rows: Rows) -> dict[str, Tensor]:
        """Return the calls of *rows* (see `sewall.encode.alleles.Individuals.batch`).

        Calls that are not counts of two copies (dosages, other ploidies) come as shares of ALT, so that networks read
        all panels alike, whatever they were trained on.
        """
        people = people_of(examples)
        batch = {key: torch.from_numpy(value) for key, value in people.individuals.batch(rows).items()}
        if people.panel.calls.steps != STEPS:
            codes = batch.pop("codes")
            batch["share"] = torch.where(codes == NO_CALL, torch.nan, codes.float() / people.panel.calls.steps)
        return batch

    def network(self, examples: Examples, rows: Rows) -> Network:
        """Return an untrained network with windows as long as linkage among *rows*."""
        people = people_of(examples)
        people.kept.clear()  # kernels are large, and the simple models are done when networks begin
        panel = people.panel
        length = self.window or ld_windows(panel, rows).genome.sites
        return ChromosomeNet(self.sites, length, self.shape, self._head(examples), STEPS)

    def _head(self, examples: Examples) -> dict[str, int]:
        if self.target.classes:
            return {"classes": len(self.target.classes)}
        traits = 1 if examples.target is None or examples.target.ndim == 1 else examples.target.shape[1]
        return {"traits": traits}

    def network_like(self, recipe: Mapping[str, Any]) -> Network:
        """Return an untrained network by what `ChromosomeNet.recipe` gave."""
        shape: dict[str, Any] = recipe["shape"] | {"factors": tuple(recipe["shape"]["factors"])}
        bins = tuple(recipe["bins"]) if recipe["bins"] else None
        return ChromosomeNet(self.sites, recipe["length"], NetShape(**shape), recipe["head"], recipe["steps"], bins)

    def statistics(self, examples: Examples, rows: Rows) -> pd.DataFrame:
        """Return shares of missing calls, beyond what is nothing to speak of, and of heterozygous calls."""
        table = people_of(examples).called.iloc[rows].reset_index(drop=True)
        return table.assign(missing=np.maximum(table["missing"] - FEW_MISSING, 0.0))

    def simple_models(self, seed: int) -> list[SimpleModel]:
        """Return the classical predictors."""
        kinds = classical_of_classes if self.target.classes else models.classical
        found = list(kinds(self.target, bool((self.sites.inheritance == X).any())))
        known = {model.key: model for model in found}
        for key in self.borrowed:
            name = f"{known[self.lends].name} {key}"
            found.append(Borrowed(key, name, known[self.base], known[self.base], known[self.lends]))
        return found

    def strata(self, examples: Examples, rows: Rows) -> NDArray[np.int64]:
        """Return 1 for males, where the panel tells the sexes by their X, 0 for all others."""
        return people_of(examples).male[rows].astype(np.int64)

    def spread(self, fitted: Mapping[str, SimpleModel], examples: Examples, rows: Rows) -> Floats:
        """Return the standard deviation of the trait around its prediction by GBLUP; of a class nothing but 1."""
        if self.target.classes:
            return np.ones(len(rows))
        people, blup = people_of(examples), genomic_model(fitted, models.SPREAD)
        assert isinstance(blup, GBLUP)
        return blup.spread(people.panel, rows, people.covariates)

    def place(
        self, fitted: Mapping[str, SimpleModel], examples: Examples, rows: Rows
    ) -> tuple[pd.DataFrame, NDArray[np.float64]]:
        """Return likeness to the training individuals and the state of the calls, and ancestry components."""
        people, blup = people_of(examples), genomic_model(fitted, models.SPREAD)
        components = genomic_model(fitted, models.PLACE)
        assert isinstance(blup, GBLUP) and isinstance(components, PrincipalComponents)
        table = self.statistics(examples, rows)
        table["reliability"] = blup.reliability(people.panel, rows)
        return table, components.scores(people.panel, rows)


def genomic_model(fitted: Mapping[str, SimpleModel], key: str) -> Any:
    """Return the genomic predictor behind a fitted simple model; of several classes that of the first with a score."""
    model = fitted[key]
    if isinstance(model, ClassScores):
        return model.scores[0]
    assert isinstance(model, Genomic)
    return model.model
