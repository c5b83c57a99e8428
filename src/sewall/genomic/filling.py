"""Sites that a panel lacks, filled in from the linkage among other individuals that have them.

A model that is carried to another array finds some of its sites untyped. What they would have been is estimated from
their neighbours, by the correlations among the individuals that the model was trained on: the best linear prediction.
For a linear model this is the same as moving the weights of absent sites to the present ones, w + R⁻¹ R' w', which is
how LD-based imputation of summary statistics works (Pasaniuc et al. 2014, Bioinformatics 30:2906). Here genotypes are
filled in, so that models that are not linear are carried too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Calls, OddCalls, Panel
from sewall.genomic.contract import Floats
from sewall.genomic.reference import Reference
from sewall.task import Rows

NEIGHBOURS = 16  # present sites on either side that a site is estimated from
RIDGE = 0.05  # added to the diagonal of correlations: neighbours are few, and individuals not many
MOST_ROWS = 2_000  # individuals from whom linkage is measured
AT_ONCE = 256  # absent sites
STEPS = 254  # of a filled share of ALT

Flags = NDArray[np.bool_]


def fill(panel: Panel, absent: Flags, reference: Reference) -> tuple[Panel, Floats]:
    """Fill in the *absent* sites of a panel.

    Args:
        panel: genotypes at the sites of the reference; nobody is called at the absent ones.
        absent: ``(sites,)``.
        reference: individuals with all sites.

    Returns:
        The panel with shares of ALT in 8 bits, and ``(sites,)`` squared correlation, within the reference, of an
        absent site with its estimate: how much of it is known; 1 for present sites.
    """
    known = np.where(absent, 0.0, 1.0)
    if not absent.any() or absent.all():
        return panel, known
    filled = _widened(panel.calls)
    whole = np.arange(len(panel))
    others, rows = _others(panel, reference)
    for sites, near in _neighbourhoods(panel, absent):
        weights, known[sites] = _weights(others, rows, reference, sites, near)
        shares = _estimated(panel, whole, reference, sites, near, weights)
        copies = panel.copies[panel.sites.inheritance[sites]]
        codes = np.round(STEPS * np.clip(shares.T, 0, 1)).astype(np.uint8)
        filled.data[sites] = np.where(copies == 0, filled.missing, codes)
    kept = ~absent[panel.odd.site]
    odd = OddCalls(panel.odd.site[kept], panel.odd.sample[kept], panel.odd.code[kept])
    return replace(panel, calls=filled, odd=odd), known


def _widened(calls: Calls) -> Calls:
    """Return calls in 8 bits, with room for fractions."""
    codes = np.empty((len(calls.data), calls.samples), np.uint8)
    for start in range(0, len(codes), AT_ONCE):
        block = calls.codes(slice(start, start + AT_ONCE))
        share = np.round(block.astype(np.float32) * (STEPS / calls.steps))
        codes[start : start + AT_ONCE] = np.where(block == calls.missing, 2**8 - 1, share).astype(np.uint8)
    return Calls.pack(codes, 8, STEPS)


def _neighbourhoods(panel: Panel, absent: Flags) -> Iterator[tuple[Rows, NDArray[np.intp]]]:
    """Yield some absent sites of a chromosome, and the present sites next to each, ``(sites, 2 NEIGHBOURS)``.

    Near an end of the chromosome the neighbours lie on one side; a chromosome without present sites is left alone.
    """
    for _, where in panel.sites.chromosomes():
        sites = np.arange(where.start, where.stop)
        present, lacking = sites[~absent[where]], sites[absent[where]]
        if len(present) == 0:
            continue
        wide = min(2 * NEIGHBOURS, len(present))
        for start in range(0, len(lacking), AT_ONCE):
            own = lacking[start : start + AT_ONCE]
            first = np.clip(np.searchsorted(present, own) - wide // 2, 0, len(present) - wide)
            yield own, present[first[:, None] + np.arange(wide)]


def _others(panel: Panel, reference: Reference) -> tuple[Panel, Rows]:
    """Return the individuals of the reference as a panel, and some of them."""
    none = OddCalls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 5), np.float32))
    names = [""] * len(reference)
    others = replace(panel, calls=reference.calls, copies=reference.copies, sample_ids=names, odd=none)
    rows = np.arange(len(reference))
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_ROWS, replace=False))
    return others, rows


def _weights(
    others: Panel, rows: Rows, reference: Reference, sites: Rows, near: NDArray[np.intp]
) -> tuple[NDArray[np.float32], Floats]:
    """Return the weights of the neighbours, ``(sites, neighbours)``, and how much of each site they tell."""
    used, place = np.unique(np.concatenate([near.ravel(), sites]), return_inverse=True)
    columns = reference.coding.standardised(others, rows, used)
    correlation = columns.T @ columns / len(rows)
    beside, own = place[: near.size].reshape(near.shape), place[near.size :]
    among = correlation[beside[:, :, None], beside[:, None, :]].astype(float)
    among[:, np.arange(near.shape[1]), np.arange(near.shape[1])] += RIDGE
    towards = correlation[beside, own[:, None]].astype(float)
    weights = np.linalg.solve(among, towards[:, :, None])[:, :, 0]
    variance = correlation[own, own]
    told = np.einsum("sn,sn->s", weights, towards) / np.where(variance > 0, variance, np.inf)
    return weights.astype(np.float32), np.clip(told, 0, 1)


def _estimated(
    panel: Panel, rows: Rows, reference: Reference, sites: Rows, near: NDArray[np.intp], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return ``(individuals, sites)`` estimated shares of ALT."""
    used, place = np.unique(near, return_inverse=True)
    spread = np.zeros((len(used), len(sites)), np.float32)
    spread[place.reshape(near.shape).T, np.arange(len(sites))] = weights.T
    coding = reference.coding
    estimate = coding.standardised(panel, rows, used) @ spread
    deviation = estimate / np.where(coding.scale[sites] > 0, coding.scale[sites], np.inf)
    copies = np.maximum(panel.copies[panel.sites.inheritance[sites]][:, rows].T, 1)
    return np.asarray(deviation / copies + coding.frequency[sites], np.float32)
