"""What a linear model makes of every allele, in numbers that can leave the model.

All linear predictors (GBLUP, which is ridge regression on all sites, LASSO, a cutoff of the p value, clumping, the best
sites of each window) end as weights of sites; those of GBLUP were found from the packed genotypes of its training
individuals, ``w = Z'a`` with ``a`` the weight of each individual (Henderson 1975; VanRaden 2008).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Panel, Sites, X
from sewall.genomic.contract import Floats
from sewall.genomic.kernels import Kernels
from sewall.genomic.reml import one_kernel
from sewall.genomic.score import LinearScore, ScoreModel
from sewall.task import Rows

FEMALE = np.array([2, 2, 0, 1])  # copies that a diploid has, by inheritance
MALE = np.array([2, 1, 1, 1])
NOTHING_LEFT = 1e-8  # share of the variance below which there is nothing more to explain


@dataclass(frozen=True)
class AlleleWeights:
    """What copies of ALT add to a prediction, in units of the trait.

    Attributes:
        per_copy: ``(sites,)`` of each copy; with weights by number of copies, the part that is proportional to it.
        by_copies: ``(sites, 3)`` of 0, 1 and 2 copies where these are not proportional (dominance); the first is 0.
        at_frequencies: the score of somebody who carries the training frequencies: a score less this number is what
            the genotypes add to the prediction.
    """

    per_copy: Floats
    by_copies: Floats | None
    at_frequencies: float

    @property
    def used(self) -> NDArray[np.bool_]:
        """Return ``(sites,)``: which have a weight."""
        if self.by_copies is None:
            return np.asarray(self.per_copy != 0)
        return np.asarray((self.by_copies != 0).any(axis=1))


def linear_scores(models: Iterable[object]) -> dict[str, tuple[str, LinearScore]]:
    """Return, by key, the name and the score of each of the *models* that is a sum over sites."""
    linear = [model for model in models if isinstance(model, ScoreModel)]
    return {model.key: (model.name, model.score) for model in linear if len(model.score.additive)}


def depends_on_sex(score: LinearScore, sites: Sites) -> bool:
    """Return whether an allele of X weighs otherwise in males than in females."""
    on_x = sites.inheritance == X
    parts = (part for part in (score.dominance, score.by_sex) if len(part))
    return any(bool(part[on_x].any()) for part in parts)


def allele_weights(score: LinearScore, sites: Sites, male: bool = False) -> AlleleWeights:
    """Return what each allele adds to the predictions of a score.

    Missing calls that are given the training frequency, under random mating, add what they add to the prediction.

    Args:
        score: fitted to a panel with these sites.
        sites: of the panel.
        male: whether of individuals with one copy of X and one of Y, or with two and none.
    """
    copies, frequency = (MALE if male else FEMALE)[sites.inheritance], score.coding.frequency.astype(float)
    additive = score.additive.astype(float)
    if len(score.by_sex):
        additive = additive + np.where(male, -1.0, 1.0) * score.by_sex
    dominance = np.zeros(len(additive))
    if len(score.dominance):
        dominance = score.dominance * (copies == 2) * score.coding.varying
    at_frequencies = float(copies * frequency @ additive + 2 * frequency**2 @ dominance)
    if not dominance.any():
        return AlleleWeights(additive, None, at_frequencies)
    carried = np.arange(3)
    own = carried * (1 + 2 * frequency[:, None] - carried)  # the dominance code less that of no copy
    return AlleleWeights(additive, carried * additive[:, None] + dominance[:, None] * own, at_frequencies)


def chromosome_scores(score: LinearScore, panel: Panel, rows: Rows) -> Floats:
    """Return ``(rows, chromosomes)`` what the sites of each chromosome add to the predictions of a score."""
    found = [_within(score, where).genetic(panel, rows) for _, where in panel.sites.chromosomes()]
    return np.column_stack(found)


def _within(score: LinearScore, where: slice) -> LinearScore:
    """Return the score with the weights of some sites alone."""
    kept = np.zeros(len(score.additive), bool)
    kept[where] = True
    parts = {name: getattr(score, name) for name in ("additive", "dominance", "by_sex")}
    return replace(score, **{name: part * kept for name, part in parts.items() if len(part)})


def variance_shares(parts: Floats) -> Floats:
    """Return ``(parts,)`` shares of the variance of a sum, each the covariance of the part with the sum.

    Shares sum to 1; a part that works against the others has a negative one. All are 0 where the sum does not vary.

    >>> variance_shares(np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])).tolist()
    [1.0, 0.0, 0.0]
    """
    centred = parts - parts.mean(axis=0)
    total = centred.sum(axis=1)
    variance = float(total @ total)
    return np.asarray(total @ centred / variance) if variance > 0 else np.zeros(parts.shape[1])


def linear_share(kernels: Kernels, answer: Floats, score: Floats, folds: Rows) -> float:
    """Return the share of the variance of answers that a linear function of the dosages reproduces.

    The function is a given linear score, scaled, and ridge regression of what it leaves, the latter judged on folds
    that it did not see. With fewer individuals than sites it is a lower bound.

    Args:
        kernels: of the individuals.
        answer: ``(n,)`` of a model of any kind.
        score: ``(n,)`` linear in the dosages, as near to the answers as is known.
        folds: ``(n,)``.
    """
    design = np.column_stack([np.ones(len(answer)), score])
    left = answer - design @ np.linalg.lstsq(design, answer, rcond=None)[0]
    total = float(((answer - answer.mean()) ** 2).sum())
    if total == 0:
        return float("nan")
    unexplained = float(left @ left)
    if unexplained > NOTHING_LEFT * total:
        unexplained = min(unexplained, float(((left - _held_out(kernels.standardised, left, folds)) ** 2).sum()))
    return 1 - unexplained / total


def _held_out(kernel: Floats, values: Floats, folds: Rows) -> Floats:
    """Return ``(n,)`` ridge predictions of *values*, each from the other folds."""
    found = np.zeros(len(values))
    for fold in np.unique(folds):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        basis = np.full((len(inside), 1), len(inside) ** -0.5)
        fitted = one_kernel(kernel[np.ix_(inside, inside)], basis, values[inside])
        mean = float(fitted.effects[0]) * len(inside) ** -0.5
        found[outside] = mean + kernel[np.ix_(outside, inside)] @ fitted.dual * fitted.variances[0]
    return found
