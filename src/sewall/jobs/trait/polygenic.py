"""Polygenic scores of individuals: copies of effect alleles times their weights, summed over the sites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.panel import Panel, X
from sewall.data.score_files import Floats, ScoreFile
from sewall.data.score_matching import REF, THIRD, Matched
from sewall.errors import SewallError
from sewall.task import Rows

Missing = Literal["mean", "file", "zero"]
Males = Literal["one", "two"]

AT_ONCE = 2**22  # genotypes in floating point at any moment


def polygenic_scores(
    panel: Panel,
    scores: ScoreFile,
    matched: Matched,
    missing: Missing = "mean",
    x_males: Males = "two",
    progress: Callable[[float], None] | None = None,
) -> pd.DataFrame:
    """Return the score of every individual of a panel.

    Args:
        panel: genotypes.
        scores: what alleles weigh.
        matched: which sites they are.
        missing: what a missing call adds: ``mean``, what the frequency among the individuals called here lets expect;
            ``file``, the same with the frequency of the score file where it has one; ``zero``, nothing.
        x_males: copies as which a male's one copy of X counts.
        progress: called with the number of variants done since.

    Returns:
        Columns ``sample_id``; ``score``; ``average``, over the copies that count; ``called``, the copies that are
        called; ``effect_copies``, those of effect alleles among them.

    Raises:
        SewallError: weights by number of copies meet individuals with more than two.
    """
    used, totals = matched.used, np.zeros((4, len(panel)))
    if not scores.additive[used].all() and panel.copies.max() > 2:
        raise SewallError("weights for 0, 1 and 2 copies do not fit individuals with more; give additive weights")
    size = max(AT_ONCE // max(len(panel), 1), 1)
    for start in range(0, len(used), size):
        some = used[start : start + size]
        totals += _Block.of(panel, scores, matched, some, missing, x_males).sums()
        if progress is not None:
            progress(len(some))
    score, copies, called, effect = totals
    average = np.divide(score, copies, out=np.zeros(len(panel)), where=copies > 0)
    columns = {"score": score, "average": average, "called": called.astype(int), "effect_copies": effect}
    return pd.DataFrame({"sample_id": panel.sample_ids, **columns})


class _Block:
    """Some of the variants; all tables are ``(individuals, variants)``.

    Attributes:
        carried: copies of the effect allele; NaN where there is no call.
        copies: copies that individuals have of the site.
        frequency: ``(variants,)`` by which missing calls are filled; NaN where they add nothing.
        weight, by_copies: ``(variants,)`` and ``(variants, 3)`` as in the score file.
    """

    def __init__(self, carried: Floats, copies: Floats, frequency: Floats, weight: Floats, by_copies: Floats) -> None:
        self.carried, self.copies, self.frequency = carried, copies, frequency
        self.weight, self.by_copies = weight, by_copies

    @classmethod
    def of(
        cls, panel: Panel, scores: ScoreFile, matched: Matched, some: Rows, missing: Missing, x_males: Males
    ) -> _Block:
        sites = matched.site[some]
        copies = panel.copies[panel.sites.inheritance[sites]].T.astype(float)
        carried = _carried(panel, sites, matched.counted[some], matched.letter[some], copies)
        called = np.isfinite(carried)
        number = (copies * called).sum(axis=0)
        frequency = np.nansum(carried, axis=0) / np.where(number > 0, number, np.nan)
        given = scores.frequency[some]
        frequency = np.where(np.isfinite(given), given, frequency) if missing == "file" else frequency
        if missing == "zero":
            frequency[:] = np.nan
        if x_males == "two":
            doubled = np.where((panel.sites.inheritance[sites] == X) & (copies == 1), 2, 1)
            carried, copies = carried * doubled, copies * doubled
        return cls(carried, copies, frequency, scores.weight[some], scores.by_copies[some])

    def sums(self) -> Floats:
        """Return ``(4, individuals)``: scores, copies that count, copies called, copies of effect alleles."""
        called = np.isfinite(self.carried)
        filled = np.where(called, self.carried, np.nan_to_num(self.copies * self.frequency))
        counted = self.copies * (called | np.isfinite(self.frequency))
        additive = np.isnan(self.by_copies[:, 0])
        score = filled[:, additive] @ self.weight[additive] + self._by_copies(called, ~additive).sum(axis=1)
        return np.stack([score, counted.sum(1), (self.copies * called).sum(1), np.nansum(self.carried, axis=1)])

    def _by_copies(self, called: NDArray[np.bool_], here: NDArray[np.bool_]) -> Floats:
        """What variants with weights by number of copies add: a line between whole copies, where these are fractions.

        A missing call adds what random mating lets expect.
        """
        none, one, two = self.by_copies[here].T
        carried, p = np.nan_to_num(self.carried[:, here]), np.nan_to_num(self.frequency[here])
        found = none + (one - none) * np.minimum(carried, 1) + (two - one) * np.maximum(carried - 1, 0)
        of_two, of_one = (1 - p) ** 2 * none + 2 * p * (1 - p) * one + p**2 * two, (1 - p) * none + p * one
        expected = np.select([self.copies[:, here] == 2, self.copies[:, here] == 1], [of_two, of_one], 0.0)
        return np.where(called[:, here], found, expected * np.isfinite(self.frequency[here]))


def _carried(
    panel: Panel, sites: NDArray[np.intp], counted: NDArray[np.str_], letter: NDArray[np.int8], copies: Floats
) -> Floats:
    """Return ``(individuals, variants)`` copies of the effect allele, NaN where missing or where there is no copy."""
    found = panel.dosages(np.arange(len(panel)), sites).astype(float)
    found = np.where(counted == REF, copies - found, np.where(counted == THIRD, 0 * found, found))
    starts, stops = (np.searchsorted(panel.odd.site, sites, side) for side in ("left", "right"))
    for variant in np.flatnonzero((stops > starts) & (letter >= 0)):
        calls = slice(starts[variant], stops[variant])
        found[panel.odd.sample[calls], variant] = panel.odd.code[calls, letter[variant]]
    return found
