from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sewall.data.alignment import MISSING, Alignment


def _alignment(
    calls: Sequence[Sequence[int]], positions: Sequence[int] | None = None, copies: int = 1, length: int = 1_000
) -> Alignment:
    matrix = np.array(calls, np.int8)
    where = np.array(positions if positions is not None else 10 * np.arange(len(matrix)), np.int32)
    return Alignment(where, matrix, np.full(matrix.shape[1], copies, np.int8), length)


def _random_alignment(seed: int, chromosomes: int, sites: int, missing: float = 0.0, phased: bool = True) -> Alignment:
    """Columns copied in pieces from few founders, so that there is linkage; every site varies among called copies."""
    rng = np.random.default_rng(seed)
    founders = rng.random((3 * sites + 50, 6)) < rng.uniform(0.1, 0.6, (3 * sites + 50, 1))
    source = (rng.integers(6, size=chromosomes) + np.cumsum(rng.random(founders[:, :1].shape) < 0.05)[:, None]) % 6
    source = np.where(np.cumsum(rng.random((len(founders), chromosomes)) < 0.02, axis=0) % 2, source, 5 - source)
    calls = np.take_along_axis(founders, source, 1).astype(np.int8)
    calls ^= rng.random(calls.shape) < 0.03
    if not phased:
        calls = calls[:, 0::2] + calls[:, 1::2]
    calls[rng.random(calls.shape) < missing] = MISSING
    copies = np.full(calls.shape[1], 1 if phased else 2, np.int8)
    carried, called = np.maximum(calls, 0).sum(1), (calls != MISSING) @ copies.astype(int)
    calls = calls[(carried > 0) & (carried < called)][:sites]
    assert len(calls) == sites
    length = max(50 * sites, 100)
    return Alignment(np.sort(rng.choice(length, sites, replace=False)).astype(np.int32), calls, copies, length)


@pytest.fixture(scope="session")
def alignment() -> Callable[..., Alignment]:
    return _alignment


@pytest.fixture(scope="session")
def random_alignment() -> Callable[..., Alignment]:
    return _random_alignment
