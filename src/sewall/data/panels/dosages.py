"""Uncertain calls: expected copies of ALT from the fields DS, GP, PL and GL of VCF, at sites of two alleles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sewall.data.panels.rows import DOSAGE_STEPS, NO_DOSAGE
from sewall.data.vcf import DOSAGES
from sewall.errors import SewallError

ROUNDS = 10  # of the search for a frequency
_RAREST = 1e-4  # below, a frequency says no more of one genotype


def dosages_of(field: str, values: NDArray[np.float64], copies: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Return the expected share of ALT copies in 254ths, 255 where it is unknown.

    Args:
        field: ``DS`` (expected copies), ``GP`` (probabilities of the genotypes), ``PL`` (likelihoods, -10 log10) or
            ``GL`` (likelihoods, log10).
        values: ``(rows, samples)`` or ``(rows, samples, values)``; NaN where missing, or negative where that cannot be.
        copies: ``(rows, samples)`` copies of each call.

    Raises:
        SewallError: the field is none of these.
    """
    if field not in DOSAGES:
        raise SewallError(f"field {field} holds no dosages; give one of {', '.join(DOSAGES)}")
    if field == "DS":
        first = values if values.ndim == 2 else values[:, :, 0]
        share = np.where(first >= 0, first, np.nan) / np.maximum(copies, 1)
    else:
        logs = {"PL": np.where(values >= 0, values, np.nan) / -10, "GL": np.minimum(values, 0.0)}.get(field)
        share = _mean_share(values if logs is None else _posterior(logs, copies), copies)
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


def _posterior(logs: NDArray[np.float64], copies: NDArray[np.intp]) -> NDArray[np.float64]:
    """Weigh likelihoods, log10, by Hardy-Weinberg proportions at the frequency that fits them best.

    The frequency of each site is found by expectation and maximisation over the individuals, in a few rounds.
    """
    logs, one = logs[:, :, :3].copy(), copies == 1
    logs[one, 2:] = -np.inf
    likelihood = 10 ** (logs - np.max(np.where(np.isnan(logs), -np.inf, logs), axis=2, keepdims=True, initial=-1e9))
    known = ~np.isnan(likelihood).any(axis=2)
    steps = np.arange(logs.shape[2]) / np.maximum(copies, 1)[:, :, None]
    frequency = np.full((len(logs), 1), 0.5)
    for _ in range(ROUNDS):
        weighted = np.where(known[..., None], likelihood * _proportions(frequency, one, logs.shape[2]), 1.0)
        share = np.where(known, (weighted * steps).sum(axis=2) / weighted.sum(axis=2), 0.0)
        frequency = share.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
        frequency = np.clip(frequency, _RAREST, 1 - _RAREST)
    return np.where(known[..., None], weighted, -1.0)


def _proportions(frequency: NDArray[np.float64], one: NDArray[np.bool_], genotypes: int) -> NDArray[np.float64]:
    """Return ``(rows, samples, genotypes)`` Hardy-Weinberg proportions, of one copy where an individual has one."""
    p, q = frequency[..., None], 1 - frequency[..., None]
    pairs = np.concatenate([q**2, 2 * p * q, p**2], axis=-1)
    singles = np.concatenate([q, p, np.zeros_like(p)], axis=-1)
    return np.where(one[..., None], singles, pairs)[..., :genotypes]
