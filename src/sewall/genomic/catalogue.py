"""All genomic predictors, the simplest first."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import NDArray

from sewall.genomic.blup import GBLUP, AdditiveDominance, XLinked
from sewall.genomic.clumping import Clumping
from sewall.genomic.contract import GenomicModel
from sewall.genomic.gaussian import GaussianKernel
from sewall.genomic.principal import CovariatesOnly, PrincipalComponents
from sewall.genomic.selection import BestPerWindow, PValueCutoff
from sewall.genomic.sparse import Lasso

Kind = (
    type[CovariatesOnly]
    | type[PrincipalComponents]
    | type[GBLUP]
    | type[AdditiveDominance]
    | type[XLinked]
    | type[GaussianKernel]
    | type[Lasso]
    | type[PValueCutoff]
    | type[Clumping]
    | type[BestPerWindow]
)

ALL: tuple[Kind, ...] = (
    CovariatesOnly, PrincipalComponents, GBLUP, AdditiveDominance, XLinked, GaussianKernel, Lasso, PValueCutoff,
    Clumping, BestPerWindow,
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.key: kind for kind in ALL}


def from_state(key: str, state: Mapping[str, NDArray]) -> GenomicModel:
    """Return the fitted model of kind *key* whose state was *state*."""
    return KINDS[key].from_state(state)
