"""Uncertain calls: expected copies of ALT from the fields DS, GP and PL of VCF, at sites of two alleles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sewall.data.panels.rows import DOSAGE_STEPS, NO_DOSAGE
from sewall.errors import SewallError

FIELDS = ("DS", "GP", "PL")


def dosages_of(field: str, values: NDArray[np.float64], copies: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Return the expected share of ALT copies in 254ths, 255 where it is unknown.

    Args:
        field: ``DS`` (expected copies), ``GP`` (probabilities of the genotypes) or ``PL`` (likelihoods, -10 log10).
        values: ``(rows, samples)`` or ``(rows, samples, values)``; NaN or negative where missing.
        copies: ``(rows, samples)`` copies of each call.

    Raises:
        SewallError: the field is none of these.
    """
    if field not in FIELDS:
        raise SewallError(f"field {field} holds no dosages; give one of {', '.join(FIELDS)}")
    if field == "DS":
        first = values if values.ndim == 2 else values[:, :, 0]
        share = np.where(first >= 0, first, np.nan) / np.maximum(copies, 1)
    else:
        share = _mean_share(values if field == "GP" else _posterior(values), copies)
    return as_dosages(share)


def as_dosages(share: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return shares from 0 to 1 in 254ths; NaN becomes 255.

    >>> as_dosages(np.array([0.0, 0.5, 1.0, np.nan]))
    array([  0, 127, 254, 255], dtype=uint8)
    """
    steps = np.rint(np.clip(share, 0, 1) * DOSAGE_STEPS)
    return np.where(np.isnan(share), NO_DOSAGE, steps).astype(np.uint8)


def _mean_share(probability: NDArray[np.float64], copies: NDArray[np.intp]) -> NDArray[np.float64]:
    """Average the share of ALT over the genotypes; a haploid call has two of them, a diploid one three."""
    used = probability[:, :, :3].copy()
    used[copies == 1, 2:] = 0.0
    known = (used[:, :, :2] >= 0).all(axis=2)
    used = np.where(used > 0, used, 0.0)
    total = used.sum(axis=2)
    weights = np.arange(used.shape[2]) / np.maximum(copies, 1)[:, :, None]
    return np.where(known & (total > 0), (used * weights).sum(axis=2) / np.where(total > 0, total, 1.0), np.nan)


def _posterior(scaled: NDArray[np.float64], rounds: int = 10) -> NDArray[np.float64]:
    """Weigh likelihoods by Hardy-Weinberg proportions at the frequency that fits them best (EM over individuals)."""
    likelihood = np.where(scaled[:, :, :3] >= 0, 10 ** (-np.maximum(scaled[:, :, :3], 0) / 10), np.nan)
    frequency = np.full((len(scaled), 1), 0.5)
    for _ in range(rounds):
        prior = np.stack([(1 - frequency) ** 2, 2 * frequency * (1 - frequency), frequency**2], axis=-1)
        weighted = likelihood * prior
        known = ~np.isnan(weighted).any(axis=2)
        share = np.where(known, (weighted[..., 1] / 2 + weighted[..., 2]) / weighted.sum(axis=2), 0.0)
        frequency = share.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known[..., None], weighted, -1.0)
