"""What non-additive models gain over GBLUP in individuals held out, at a cost that allows it to be asked many times.

The models are those of `sewall.genomic.blup` and `sewall.genomic.gaussian`, fitted through sums over sites from which
sites can be taken out again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sewall.genomic.coding import BLOCK
from sewall.genomic.contract import FixedEffects, Floats
from sewall.genomic.gaussian import BANDWIDTHS
from sewall.genomic.kernels import Kernels
from sewall.genomic.reml import several_kernels
from sewall.genomic.tridiagonal import Tridiagonal
from sewall.task import Rows

FOLDS = 3
EXCHANGES = 999
ADDITIVE, DOMINANCE, GAUSSIAN = "gblup", "dominance", "gaussian"


def divided(labels: Rows, rng: np.random.Generator) -> Rows:
    """Return ``(n,)`` folds of about equal size, whole groups together."""
    names, member, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    fold, filled = np.zeros(len(names), np.intp), np.zeros(FOLDS)
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        fold[group] = filled.argmin()
        filled[fold[group]] += sizes[group]
    return fold[member]


@dataclass(frozen=True)
class Alike:
    """Sums over sites of what individuals share, ``(n, n)`` each, and over how much they are: kernels to be divided."""

    centred: Floats
    standardised: Floats
    dominance: Floats | None
    totals: tuple[float, float, float]

    @classmethod
    def of(cls, kernels: Kernels) -> Alike:
        """Take the sums from kernels of all individuals."""
        totals = (kernels.centred_total, float(kernels.standardised_total), kernels.coding.dominance_variance)
        dominance = None if kernels.dominance is None else kernels.dominance * totals[2]
        return cls(kernels.centred * totals[0], kernels.standardised * totals[1], dominance, totals)

    def without(self, kernels: Kernels, gone: Rows) -> Alike:
        """Return the same without the sites that are *gone*."""
        coding = kernels.coding
        centred, standardised = self.centred.copy(), self.standardised.copy()
        dominance = None if self.dominance is None else self.dominance.copy()
        for start in range(0, len(gone), BLOCK):
            sites = gone[start : start + BLOCK]
            z, scaled = kernels.columns.centred(sites), kernels.columns.standardised(sites)
            centred -= z @ z.T
            standardised -= scaled @ scaled.T
            if dominance is not None:
                codes = coding.dominance(kernels.panel, kernels.rows, sites)
                dominance -= codes @ codes.T
        lost = replace(coding, **{name: getattr(coding, name)[gone] for name in ("frequency", "scale", "variance")})
        taken = (float(lost.variance.sum(dtype=float)), float(lost.varying.sum()), lost.dominance_variance)
        totals = tuple(max(total - less, 1e-12) for total, less in zip(self.totals, taken, strict=True))
        return Alike(centred, standardised, dominance, (totals[0], totals[1], totals[2]))


@dataclass(frozen=True)
class Answers:
    """What models answer to individuals held out: ``(n,)`` arrays, the trait and the answers without covariates."""

    left: Floats
    answers: dict[str, Floats]
    folds: Rows

    def correlations(self) -> dict[str, float]:
        """Return by model the mean over folds of the correlation with the trait."""
        return {name: self._correlation(answer) for name, answer in self.answers.items()}

    def _correlation(self, answer: Floats) -> float:
        members = [self.folds == fold for fold in range(FOLDS)]
        return float(np.mean([_correlation(answer[m], self.left[m]) for m in members]))

    @property
    def best(self) -> str:
        """The better one of the non-additive models."""
        found = self.correlations()
        return max((name for name in found if name != ADDITIVE), key=lambda name: found[name])

    def gain(self) -> float:
        """Return how much better than GBLUP the best of the others correlates with the trait."""
        found = self.correlations()
        return found[self.best] - found[ADDITIVE]

    def exchanged(self, labels: Rows, rng: np.random.Generator) -> float:
        """Return the p value of the gain: how often it is as large when groups exchange the answers of both models."""
        one, other = (_unit(self.answers[name], self.folds) for name in (self.best, ADDITIVE))
        observed = self._correlation(one) - self._correlation(other)
        reached = 0
        for _ in range(EXCHANGES):
            swap = rng.integers(0, 2, labels.max() + 1, dtype=bool)[labels]
            gain = self._correlation(np.where(swap, other, one)) - self._correlation(np.where(swap, one, other))
            reached += gain >= observed
        return (reached + 1) / (EXCHANGES + 1)


def _unit(answer: Floats, folds: Rows) -> Floats:
    """Return answers with mean 0 and variance 1 in each fold, so that those of two models can be exchanged."""
    found = answer.copy()
    for fold in range(FOLDS):
        own = answer[folds == fold]
        found[folds == fold] = (own - own.mean()) / max(own.std(), 1e-12)
    return found


def _correlation(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if min(one.std(), other.std()) > 1e-12 else 0.0


def held_out(alike: Alike, target: Floats, covariates: Floats, folds: Rows) -> Answers:
    """Fit all models without each fold and let them answer it."""
    names = [ADDITIVE, GAUSSIAN] + ([] if alike.dominance is None else [DOMINANCE])
    left, answers = np.zeros(len(target)), {name: np.zeros(len(target)) for name in names}
    for fold in range(FOLDS):
        part = _Part.of(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold), target, covariates)
        base = part.outer @ (part.inner.T @ part.target)
        left[part.outside] = target[part.outside] - base
        for name, answer in part.all_answers(alike).items():
            answers[name][part.outside] = answer - base
    return Answers(left, answers, folds)


@dataclass(frozen=True)
class _Part:
    """Individuals to fit to, and those held out: indices, fixed effects, and the trait of those inside."""

    inside: Rows
    outside: Rows
    inner: Floats
    outer: Floats
    target: Floats

    @classmethod
    def of(cls, inside: Rows, outside: Rows, target: Floats, covariates: Floats) -> _Part:
        fixed = FixedEffects.of(covariates[inside])
        return cls(inside, outside, fixed.basis(covariates[inside]), fixed.basis(covariates[outside]), target[inside])

    def all_answers(self, alike: Alike) -> dict[str, Floats]:
        """Return ``(outside,)`` answers of every model, each with the kernel that is likeliest."""
        centred, standardised = alike.centred / alike.totals[0], alike.standardised / alike.totals[1]
        reduced = self._reduced(centred)
        found = {ADDITIVE: self._likeliest([centred, standardised], [reduced, self._reduced(standardised)])}
        own = np.diag(standardised)
        distances = np.maximum(own[:, None] + own - 2 * standardised, 0)
        among = distances[np.ix_(self.inside, self.inside)]
        median = max(float(np.median(among[np.triu_indices(len(among), 1)])), 1e-12)
        gaussian = [np.exp(-distances / (theta * median)) for theta in BANDWIDTHS]
        found[GAUSSIAN] = self._likeliest(gaussian, [self._reduced(kernel) for kernel in gaussian])
        if alike.dominance is not None:
            dominance = alike.dominance / alike.totals[2]
            found[DOMINANCE] = self._answer([centred, dominance], [reduced, self._reduced(dominance)])
        return found

    def _among(self, kernel: Floats) -> Floats:
        return kernel[np.ix_(self.inside, self.inside)]

    def _reduced(self, kernel: Floats) -> Tridiagonal:
        return Tridiagonal.of(self._among(kernel), self.inner)

    def _likeliest(self, kernels: list[Floats], reduced: list[Tridiagonal]) -> Floats:
        likelihoods = [each.likeliest_share(each.rotated(self.target))[1] for each in reduced]
        best = int(np.argmax(likelihoods))
        return self._answer([kernels[best]], [reduced[best]])

    def _answer(self, kernels: list[Floats], reduced: list[Tridiagonal]) -> Floats:
        among = [self._among(kernel) for kernel in kernels]
        fitted = several_kernels(among, self.inner, self.target, reduced)
        cross = sum(v * k[np.ix_(self.outside, self.inside)] for v, k in zip(fitted.variances, kernels, strict=True))
        return np.asarray(self.outer @ fitted.effects + cross @ fitted.dual)
