"""How far real genomes and real calls are from the textbook: drawn widely at first, then around what the data show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold, cross_val_predict

ABSENT = 0.4  # share of the first windows that lack a defect altogether
FOLDS = 5
FLOOR = 0.1  # of the most: less may be found in data that lack a defect, as a regression errs alike on one history
LEAST_SLOPE = 0.03  # below, the statistics say nothing of a defect
UNSEEN = 0.5  # share of its mean in the first look that such a defect then gets

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Defects:
    """What a simulated window has beyond an even rate and perfect calls.

    Attributes:
        unevenness: standard deviation of the log of the local recombination rate.
        gene_conversion: non-crossovers per crossover.
        switches: phase switches per heterozygous site of an individual.
        errors: genotype errors per heterozygous call.
    """

    unevenness: float = 0.0
    gene_conversion: float = 0.0
    switches: float = 0.0
    errors: float = 0.0


MOST = Defects(unevenness=2.0, gene_conversion=5.0, switches=0.01, errors=0.01)
NAMES = tuple(field.name for field in fields(Defects))


class AnyDefects:
    """Prior of the first look: each defect absent in four windows of ten, else uniform up to its `MOST`."""

    def draw(self, rng: np.random.Generator) -> Defects:
        """Draw the defects of one window."""
        there = rng.random(len(NAMES)) >= ABSENT
        return Defects(*(there * rng.uniform(0, list(asdict(MOST).values()))).tolist())


@dataclass(frozen=True)
class MatchedDefects:
    """Prior around estimated levels: uniform from 0 to twice the level, and never above `MOST`."""

    levels: Defects

    def draw(self, rng: np.random.Generator) -> Defects:
        """Draw the defects of one window."""
        drawn = 2 * rng.random(len(NAMES)) * list(asdict(self.levels).values())
        return Defects(*np.minimum(drawn, list(asdict(MOST).values())).tolist())


def match_defects(statistics: Floats, drawn: Mapping[str, Floats], data: Floats, seed: int) -> Defects:
    """Estimate the mean level of each defect in the data from simulations in which all vary.

    A regression of the defect on the statistics is averaged over the windows of the data. Such a regression shrinks
    towards the prior; how much is read off its out-of-fold predictions and undone, so that a level of 0 is found as 0.
    Of a defect that the statistics do not show (unevenness, as a rule) some is simulated in any case.

    Args:
        statistics: ``(simulations, statistics)``.
        drawn: by defect, ``(simulations,)`` levels.
        data: ``(windows, statistics)``.
        seed: of the regression.
    """
    levels = {}
    for name in NAMES:
        most = float(getattr(MOST, name))
        model = HistGradientBoostingRegressor(max_iter=120, max_leaf_nodes=8, learning_rate=0.05, random_state=seed)
        share = drawn[name] / most
        if np.ptp(share) == 0:  # all simulations have the same: nothing to learn from
            levels[name] = float(drawn[name][0])
            continue
        folds = KFold(FOLDS, shuffle=True, random_state=seed)
        predicted = cross_val_predict(model, statistics, share, cv=folds)
        slope, intercept = np.polyfit(share, predicted, 1)
        mean = float(model.fit(statistics, share).predict(data).mean())
        found = (mean - intercept) / slope if slope > LEAST_SLOPE else UNSEEN * float(share.mean())
        found = found if found > FLOOR else 0.0
        levels[name] = round(float(np.clip(found, 0, 1)) * most, 6)
    return Defects(**levels)
