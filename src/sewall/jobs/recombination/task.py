"""The recombination job: how many crossovers per mutation, in each window of a genome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from sewall.encode.statistics import LABELS, NAMES
from sewall.jobs.recombination.context import CONTEXT, CONTEXT_LABELS
from sewall.jobs.windows.source import windows_of
from sewall.nets.alignment import AlignmentNet
from sewall.nets.heads import DECILES
from sewall.nets.network import Network
from sewall.simple import GradientBoosting, OnStatistics, Ridge
from sewall.task import Examples, Rows, SimpleModel, Target

TARGET = "rho_over_theta"
WIDTH_OF_ANY = 384  # of networks that serve data sets of every kind


class RecombinationTask:
    """Recombination per mutation (rho / theta) of a window of an alignment.

    Networks learn relative to theta, so that one network serves any species: r = mu * rho / theta.

    Args:
        upper: largest rho / theta in training.
        context: whether networks read what all windows of a data set show together.
        any_data: whether examples are of many data sets; simple models and support check then read the context, too.
        begun: trained networks, one of which each new one begins from.
    """

    name = "recombination"

    def __init__(
        self, upper: float, context: bool = False, any_data: bool = False, begun: Sequence[AlignmentNet] = ()
    ) -> None:
        self.target = Target(TARGET, "crossovers per mutation", "sqrt", 0.0, upper)
        self.context, self.any_data, self.begun = context, any_data, begun
        self.labels: Mapping[str, str] = LABELS | CONTEXT_LABELS if any_data else LABELS

    def usable(self, examples: Examples) -> NDArray[np.bool_]:
        """Return which windows have at least 10 sites."""
        return ~np.isnan(windows_of(examples).encoded["statistics"][:, 0])

    def tensors(self, examples: Examples, rows: Rows) -> dict[str, Tensor]:
        """Return the tables of *rows* as float tensors (see `sewall.encode.tables` for shapes)."""
        encoded = {name: v for name, v in windows_of(examples).encoded.items() if self.context or name != "context"}
        return {name: torch.from_numpy(np.nan_to_num(np.asarray(v[rows], np.float32))) for name, v in encoded.items()}

    def network(self, examples: Examples, rows: Rows) -> Network:
        """Return an untrained `AlignmentNet`, the same for all alignments; or a copy of one that is begun from."""
        if self.begun:
            return self.begun[int(torch.randint(len(self.begun), ()))].copied()
        return (
            AlignmentNet(DECILES, width=WIDTH_OF_ANY, context=len(CONTEXT)) if self.context else AlignmentNet(DECILES)
        )

    def network_like(self, recipe: Mapping[str, Any]) -> Network:
        """Return an untrained `AlignmentNet`."""
        return AlignmentNet(DECILES, **recipe)

    def statistics(self, examples: Examples, rows: Rows) -> pd.DataFrame:
        """Return the classical statistics of *rows*, with the context among many data sets; NaN below 10 sites."""
        encoded = windows_of(examples).encoded
        found = pd.DataFrame(encoded["statistics"][rows].astype(float), columns=list(NAMES))
        if not self.any_data:
            return found
        return found.join(pd.DataFrame(encoded["context"][rows].astype(float), columns=list(CONTEXT)))

    def simple_models(self, seed: int) -> list[SimpleModel]:
        """Return ridge regression and gradient boosting on the classical statistics."""
        return [OnStatistics(self, Ridge()), OnStatistics(self, GradientBoosting(seed))]
