"""Does a non-additive model see interactions, or only causes that were not typed?

Where causal sites are missing from a panel, several of their neighbours together tag them better than a sum over sites
can say, and kernels of whole genotypes look non-additive though every effect is additive (Wood 2014, Nature 514:E3).
The control: traits that are purely additive, of the heritability and with as many, as common and as linked causal
sites as the fitted models suggest, from which these sites are then removed. Only a gain beyond theirs is called
non-additive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Panel
from sewall.genomic.contract import FixedEffects, Floats, without
from sewall.genomic.gain import Alike, divided, held_out
from sewall.genomic.kernels import Kernels
from sewall.genomic.linkage import LEVELS
from sewall.genomic.reml import one_kernel
from sewall.genomic.sparse import Lasso
from sewall.task import Rows

REPEATS = 40
MOST = 2_000  # individuals; of more, some are drawn
DUPLICATE = 0.95  # r² from which a neighbour is as good as the causal site
FEWEST_CAUSAL = 10
BINS = 5  # of the allele frequency, and of linkage, within which causal sites are drawn
CHANCE = 0.05

Progress = Callable[[float], None]


@dataclass(frozen=True)
class TaggingNull:
    """The gain of the best non-additive model, and what tagging alone would give.

    The gain is the mean over folds of its correlation with the held-out trait, less that of GBLUP; among the
    non-additive models (dominance beside additive effects; a Gaussian kernel) the better one counts, in real and in
    simulated traits alike.

    Attributes:
        observed: the gain in the trait.
        null: ``(repeats,)`` gains in additive traits whose causal sites were removed.
        upper: what 95 % of them do not exceed.
        p: share of the null that reaches the observed gain, the trait counted in.
        exchanged: p value of the gain when individuals (or groups) exchange the answers of the two models.
        correlations: of each model with the held-out trait, without covariates.
        heritability, causal, removed: of the simulated traits; causal sites, and sites removed on average.
    """

    observed: float
    null: Floats
    upper: float
    p: float
    exchanged: float
    correlations: dict[str, float]
    heritability: float
    causal: int
    removed: float

    @property
    def verdict(self) -> str:
        """Return ``non-additive``, ``tagging`` or ``no gain``."""
        if self.observed <= 0:
            return "no gain"
        return "non-additive" if self.observed > self.upper and self.exchanged < CHANCE else "tagging"

    def words(self) -> str:
        """Return the verdict in a sentence."""
        gain = f"The best non-additive model gains {self.observed:+.3f} of correlation over GBLUP"
        limit = f"{self.upper:+.3f} (95 % point of {len(self.null)} simulated traits)"
        if self.verdict == "non-additive":
            return f"{gain}, more than untyped additive causes would give, {limit}: effects are not all additive."
        if self.verdict == "no gain":
            return (
                f"No non-additive model predicts better than GBLUP ({self.observed:+.3f}): nothing but tagging at most."
            )
        return f"{gain}; untyped additive causes give up to {limit}: consistent with tagging."

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers for a file of results."""
        numbers = {name: getattr(self, name) for name in ("observed", "upper", "p", "exchanged", "heritability")}
        numbers |= {"causal": self.causal, "removed": self.removed, "correlations": self.correlations}
        return numbers | {"null": self.null.tolist(), "verdict": self.verdict, "words": self.words()}


def tagging_null(
    panel: Panel,
    rows: Rows,
    target: Floats,
    covariates: Floats,
    groups: NDArray[Any] | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
    progress: Progress | None = None,
) -> TaggingNull:
    """Compare the gain of non-additive models with that in additive traits whose causal sites are not typed.

    Frequencies and scales of sites are those of all *rows*, which hold nothing of the trait; all else is learnt without
    the held-out fold.

    Args:
        panel: genotypes.
        rows: individuals with the trait.
        target: ``(rows,)`` trait.
        covariates: ``(panel, k)``, without an intercept.
        groups: ``(rows,)`` families or cages, which stay in one fold; without them what relatives share beside their
            genes may pass for a gain.
        repeats: simulated traits, 20 at least.
        seed: of folds and traits.
        progress: called with 1 after each simulated trait.
    """
    if repeats < 20:
        raise ValueError(f"{repeats} simulated traits do not tell their 95 % point; simulate 20 or more")
    rng = np.random.default_rng(seed)
    some = np.sort(rng.choice(len(rows), MOST, replace=False)) if len(rows) > MOST else np.arange(len(rows))
    rows, target = rows[some], np.asarray(target, float)[some]
    labels = some if groups is None else np.unique(np.asarray(groups)[some], return_inverse=True)[1]
    kernels, known = Kernels(panel, rows), covariates[rows]
    alike, folds = Alike.of(kernels), divided(labels, rng)
    answers = held_out(alike, target, known, folds)
    architecture = _Architecture.of(kernels, alike, target, covariates)
    null, removed = np.zeros(repeats), np.zeros(repeats)
    for number in range(repeats):
        trait, gone = architecture.trait(rng)
        null[number] = held_out(alike.without(kernels, gone), trait, known, folds).gain()
        removed[number] = len(gone)
        if progress is not None:
            progress(1)
    observed, upper = answers.gain(), float(np.quantile(null, 0.95, method="higher"))
    p, exchanged = float((null >= observed).sum() + 1) / (repeats + 1), answers.exchanged(labels, rng)
    size, found = len(architecture.sizes), answers.correlations()
    return TaggingNull(
        observed, null, upper, p, exchanged, found, architecture.heritability, size, float(removed.mean())
    )


@dataclass(frozen=True)
class _Architecture:
    """What additive traits like the estimated one look like.

    Attributes:
        kernels: of the individuals.
        basis: ``(n, q)`` their fixed effects.
        heritability: of the trait, by GBLUP.
        classes: ``(sites,)`` class of frequency and linkage; -1 where a site does not vary.
        wanted: ``(causal,)`` class of each causal site that is drawn.
        sizes: ``(causal,)`` effects of a standard deviation of each.
    """

    kernels: Kernels
    basis: Floats
    heritability: float
    classes: Rows
    wanted: Rows
    sizes: Floats

    @classmethod
    def of(cls, kernels: Kernels, alike: Alike, target: Floats, covariates: Floats) -> _Architecture:
        """Take heritability from GBLUP, and number, frequency, linkage and effects of causal sites from LASSO."""
        known = covariates[kernels.rows]
        basis = FixedEffects.of(known).basis(known)
        blup = one_kernel(alike.standardised / alike.totals[1], basis, target)
        lasso = Lasso().fit(kernels.panel, kernels.rows, target, covariates, kernels)
        classes = _classes(kernels)
        effects = np.abs(lasso.weights) / np.where(classes >= 0, kernels.coding.scale, 1)
        chosen = np.flatnonzero(effects)
        if len(chosen) < FEWEST_CAUSAL:  # LASSO saw next to nothing: causes like any sites, of one size
            chosen = np.flatnonzero(classes >= 0)[:: max((classes >= 0).sum() // (10 * FEWEST_CAUSAL), 1)]
            effects = np.ones(len(classes))
        return cls(kernels, basis, blup.heritability, classes, classes[chosen], effects[chosen])

    def trait(self, rng: np.random.Generator) -> tuple[Floats, Rows]:
        """Return ``(n,)`` an additive trait, and its causal sites with those that say the same, to be removed."""
        causal = np.zeros(len(self.wanted), np.intp)
        for number in np.unique(self.wanted):
            place, members = np.flatnonzero(self.wanted == number), np.flatnonzero(self.classes == number)
            causal[place] = rng.choice(members, len(place), replace=len(members) < len(place))
        effects = rng.permutation(self.sizes) * rng.choice([-1.0, 1.0], len(causal))
        genetic = without(self.basis, self.kernels.columns.standardised(causal) @ effects)
        noise = without(self.basis, rng.standard_normal(len(genetic)))
        share = np.sqrt([self.heritability, 1 - self.heritability])
        trait = share[0] * genetic / max(genetic.std(), 1e-12) + share[1] * noise / noise.std()
        return trait, self._copies(np.unique(causal))

    def _copies(self, causal: Rows) -> Rows:
        linkage = self.kernels.linkage
        gone = np.zeros(len(linkage.squared) + 2 * linkage.reach, bool)
        for site in causal:
            gone[site : site + 2 * linkage.reach + 1] |= linkage.squared[site] > DUPLICATE * LEVELS
            gone[site + linkage.reach] = True
        return np.flatnonzero(gone[linkage.reach : linkage.reach + len(linkage.squared)])


def _classes(kernels: Kernels) -> Rows:
    """Return ``(sites,)`` class of the rarer allele's frequency and of linkage; -1 without variation."""
    coding = kernels.coding
    rarer = np.minimum(coding.frequency, 1 - coding.frequency)
    found, inner = np.zeros(len(rarer), np.intp), np.linspace(0, 1, BINS + 1)[1:-1]
    for values in (rarer, kernels.linkage.value()):
        found = BINS * found + np.searchsorted(np.quantile(values[coding.varying], inner), values)
    return np.where(coding.varying, found, -1)
