"""What is called, how often, and how heterozygous: by individual and by site, in one pass over a panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.panel import AUTOSOME, BLOCK, HAPLOID, Panel, X, Y
from sewall.data.panels.rows import DOSAGE_STEPS

INBRED = 0.8  # median inbreeding from which individuals are inbred lines
KINDS = {AUTOSOME: "autosome", X: "X", Y: "Y", HAPLOID: "mitochondria or plastid"}


@dataclass(frozen=True)
class Survey:
    """Shares, NaN where there is nothing to divide by.

    Attributes:
        individuals: ``missing`` (of the calls that a sex can have), ``heterozygous`` (of the autosomal calls) and
            ``inbreeding`` (1 - observed / expected heterozygous autosomal calls).
        sites: ``frequency`` of ALT, ``missing`` and ``heterozygous`` calls of those with two copies or more.
    """

    individuals: pd.DataFrame
    sites: pd.DataFrame

    @property
    def constant(self) -> NDArray[np.bool_]:
        """``(sites,)`` which do not vary among these individuals."""
        return np.asarray(~self.sites["frequency"].between(0, 1, inclusive="neither"))

    @property
    def inbred(self) -> bool:
        """Whether most individuals have next to no heterozygous calls where random mating would leave many."""
        return bool(self.individuals["inbreeding"].median() > INBRED)


def survey(panel: Panel) -> Survey:
    """Count calls block by block.

    The expected share of heterozygous calls at a site is 2pq with the correction for few individuals (Nei 1978,
    Genetics 89:583).
    """
    people, size = len(panel), len(panel.sites)
    seen, missing, autosomal, mixed, expected = (np.zeros(people) for _ in range(5))
    sites = {name: np.full(size, np.nan) for name in ("frequency", "missing", "heterozygous")}
    rows = np.arange(people)
    for start in range(0, size, BLOCK):
        block = slice(start, min(start + BLOCK, size))
        kinds = panel.sites.inheritance[block]
        share, copies = panel.shares(rows, block).T, panel.copies[kinds]
        called, present = ~np.isnan(share), copies > 0
        seen += present.sum(axis=0)
        missing += (present & ~called).sum(axis=0)
        between = _between(share, panel.calls.steps) & (copies > 1)
        number = np.where(called, copies, 0).sum(axis=1)
        p = np.nansum(share * copies, axis=1) / np.where(number, number, np.nan)
        several = (called & (copies > 1)).sum(axis=1)
        sites["frequency"][block] = p
        sites["missing"][block] = _ratio((present & ~called).sum(axis=1), present.sum(axis=1))
        sites["heterozygous"][block] = _ratio(between.sum(axis=1), several)
        own = kinds == AUTOSOME
        autosomal += called[own].sum(axis=0)
        mixed += between[own].sum(axis=0)
        chance = np.nan_to_num(2 * p * (1 - p) * number / np.maximum(number - 1, 1))[own]
        expected += chance @ called[own]
    individuals = {
        "missing": _ratio(missing, seen), "heterozygous": _ratio(mixed, autosomal),
        "inbreeding": 1 - _ratio(mixed, expected),
    }  # fmt: skip
    return Survey(pd.DataFrame(individuals), pd.DataFrame(sites))


def _between(share: NDArray[np.floating], steps: int) -> NDArray[np.bool_]:
    """Return which calls are heterozygous; expected ones by the nearest genotype."""
    margin = 0.25 if steps == DOSAGE_STEPS else 0.0
    return np.asarray((share > margin) & (share < 1 - margin))


def _ratio(number: NDArray, of: NDArray) -> NDArray[np.float64]:
    return np.asarray(number / np.where(of > 0, of, np.nan))
