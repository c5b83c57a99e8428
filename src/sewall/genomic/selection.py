"""Ridge regression on some of the sites: those below a p value, or the best of each window.

Never least squares on the survivors: neighbours that are copies of each other would make it explode.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Panel
from sewall.genomic.association import CUTOFFS, Associations, Part, parts
from sewall.genomic.clumping import Rank
from sewall.genomic.coding import BLOCK
from sewall.genomic.contract import Floats, State, inner_folds
from sewall.genomic.kernels import Kernels
from sewall.genomic.reml import Components, one_kernel
from sewall.genomic.score import LinearScore, ScoreModel
from sewall.task import Rows

WINDOW = 50  # sites; a window in sites is short in base pairs where sites are dense
BEST = (1, 2, 5, 10, 20)  # sites kept in a window


class _RidgeOnSelection(ScoreModel):
    """Ridge regression on a growing series of selections; inner folds choose how far it grows.

    Attributes:
        chosen: index of the selection.
        sites: number of sites in it.
    """

    settings: tuple[float, ...]

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.chosen = self.sites = 0

    @abstractmethod
    def _levels(self, kernels: Kernels, p_value: Floats) -> NDArray[np.int64]:
        """Return ``(sites,)`` first setting under which each site is selected; the number of settings if never."""

    def fit(
        self,
        panel: Panel,
        rows: Rows,
        target: Floats,
        covariates: Floats,
        kernels: Kernels | None = None,
        folds: Rows | None = None,
    ) -> Self:
        """Fit to the training individuals; see `GenomicModel.fit`."""
        kernels = Kernels.shared(panel, rows, kernels)
        divided = parts(inner_folds(len(rows), folds, self.seed), target, covariates[rows])
        p_value = Associations.of(kernels, divided).p_value.T
        levels = [np.where(kernels.coding.varying, self._levels(kernels, p), len(self.settings)) for p in p_value]
        errors = [self._errors(kernels, part, own) for part, own in zip(divided[:-1], levels[:-1], strict=True)]
        self.chosen = int(np.argmin(np.sum(errors, axis=0)))
        sites = np.flatnonzero(levels[-1] <= self.chosen)
        self.sites = len(sites)
        self.score = _ridge(kernels, divided[-1], sites)
        return self

    def _errors(self, kernels: Kernels, part: Part, levels: NDArray[np.int64]) -> list[float]:
        """Return for each setting the squared error outside a part."""
        products, used, errors = np.zeros((len(kernels.rows), len(part.inside))), 0, list[float]()
        for setting in range(len(self.settings)):
            added = np.flatnonzero(levels == setting)
            used += len(added)
            if used == kernels.standardised_total:
                products = kernels.standardised[:, part.inside] * used
            else:
                for _, columns in _columns(kernels, added):
                    products += columns @ columns[part.inside].T
            if setting == 0 or len(added):
                errors.append(_error_outside(products / max(used, 1), part))
            else:
                errors.append(errors[-1])
        return errors

    @property
    def setting(self) -> float:
        """The cutoff or number that was chosen."""
        return self.settings[self.chosen]

    def state(self) -> State:
        """Return the fitted numbers."""
        return super().state() | {"selection": np.array([self.chosen, self.sites])}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Self:
        """Return the fitted model whose `state` was *state*."""
        model = super().from_state(state)
        model.chosen, model.sites = (int(value) for value in state["selection"])
        return model


class PValueCutoff(_RidgeOnSelection):
    """Ridge regression on the sites whose p value passes a cutoff that the inner folds choose.

    Args:
        seed: of the inner folds, where none are given.
    """

    key = "cutoff"
    name = "p-value cutoff + ridge"
    settings = CUTOFFS

    def _levels(self, kernels: Kernels, p_value: Floats) -> NDArray[np.int64]:
        return np.searchsorted(self.settings, p_value)


class BestPerWindow(_RidgeOnSelection):
    """Ridge regression on the best sites of each window of 50; the inner folds choose how many.

    Args:
        rank: the best site has the smallest p value (``p``), or stands for most neighbours, whatever the trait
            (``value``).
        seed: of the inner folds, where none are given.
    """

    key = "windows"
    name = "best sites per window + ridge"
    settings = BEST

    def __init__(self, rank: Rank = "p", seed: int = 0) -> None:
        super().__init__(seed)
        self.rank = rank

    def _levels(self, kernels: Kernels, p_value: Floats) -> NDArray[np.int64]:
        value = p_value if self.rank == "p" else -kernels.linkage.value()
        place = np.zeros(len(value), np.int64)
        for _, chromosome in kernels.panel.sites.chromosomes():
            for start in range(chromosome.start, chromosome.stop, WINDOW):
                window = slice(start, min(start + WINDOW, chromosome.stop))
                place[window] = np.argsort(np.argsort(value[window], kind="stable"), kind="stable") + 1
        return np.searchsorted(self.settings, place)


def _columns(kernels: Kernels, sites: Rows) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
    for start in range(0, len(sites), BLOCK):
        some = sites[start : start + BLOCK]
        yield some, kernels.columns.standardised(some)


def _error_outside(kernel: Floats, part: Part) -> float:
    """Return the squared error outside a part, given the ``(n, inside)`` kernel with those inside it."""
    fitted = one_kernel(kernel[part.inside], part.inner, part.target)
    genetic = kernel[part.outside] @ fitted.dual * fitted.variances[0]
    return float(((part.unseen - part.outer @ fitted.effects - genetic) ** 2).sum())


def _ridge(kernels: Kernels, whole: Part, sites: Rows) -> LinearScore:
    """Fit ridge regression on *sites*, which all weigh alike, to all training individuals."""
    kernel = np.zeros((len(kernels.rows),) * 2)
    if len(sites) == kernels.standardised_total:
        kernel = kernels.standardised
    else:
        for _, columns in _columns(kernels, sites):
            kernel += columns @ columns.T / len(sites)
    fitted: Components = one_kernel(kernel, whole.inner, whole.target)
    additive = np.zeros(len(kernels.panel.sites))
    for some, columns in _columns(kernels, sites):
        scale = kernels.coding.scale[some].astype(float) / len(sites)
        additive[some] = scale * (columns.T @ fitted.dual) * fitted.variances[0]
    return LinearScore(whole.fixed, fitted.effects, kernels.coding, additive)
