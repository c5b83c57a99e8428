"""Absent sites are filled in from the linkage among others, and what cannot be known stays at the mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sewall.data.panel import AUTOSOME, Calls, Panel, Sites, X
from sewall.genomic.filling import fill
from sewall.genomic.kernels import Kernels
from sewall.genomic.reference import Reference

SITES, TRAINING, NEW = 200, 300, 100


def linked_panel(males: bool = False) -> Panel:
    """Two chromosomes, the second an X; neighbours share most of their copies."""
    rng = np.random.default_rng(4)
    people = TRAINING + NEW
    codes = np.zeros((SITES, people), np.uint8)
    for _ in range(2):
        state = rng.random(people) < 0.5
        for k in range(SITES):
            fresh = rng.random(people) < (1.0 if k % 100 == 0 else 0.08)
            state = np.where(fresh, rng.random(people) < 0.4, state)
            codes[k] += state
    half = np.arange(SITES) < 100
    chrom = np.where(half, "1", "X")
    kinds = np.where(half, AUTOSOME, X).astype(np.int8)
    copies = np.repeat(np.array([[2], [2], [0], [1]], np.int8), people, axis=1)
    if males:
        copies[1, ::2], copies[2, ::2] = 1, 1
        codes[100:, ::2] = 2 * (codes[100:, ::2] > 0)
    place = np.tile(np.arange(100, dtype=np.int32), 2)
    alleles = np.tile(["A", "G"], (SITES, 1))
    names = np.array([f"s{k}" for k in range(SITES)])
    ids = [f"p{k}" for k in range(people)]
    return Panel.from_codes(codes, Sites(chrom, place, names, alleles, kinds), ids, copies)


def without(panel: Panel, absent: np.ndarray) -> Panel:
    codes = panel.calls.codes(slice(None)).copy()
    codes[absent] = panel.calls.missing
    return replace(panel, calls=Calls.pack(codes))


def reference_of(panel: Panel) -> Reference:
    return Reference.of(Kernels(panel, np.arange(TRAINING)), np.ones(SITES))


@pytest.mark.parametrize("males", [False, True])
def test_absent_sites_are_told_by_their_neighbours(males: bool) -> None:
    panel = linked_panel(males)
    absent = np.arange(SITES) % 2 == 1
    filled, known = fill(without(panel, absent), absent, reference_of(panel))
    new = np.arange(TRAINING, TRAINING + NEW)
    truth, found = (p.dosages(new, np.flatnonzero(absent)) for p in (panel, filled))
    r2 = [np.corrcoef(truth[:, k], found[:, k])[0, 1] ** 2 for k in range(truth.shape[1])]
    assert np.mean(r2) > 0.8
    assert abs(np.mean(r2) - known[absent].mean()) < 0.08
    assert (known[~absent] == 1).all()
    np.testing.assert_allclose(
        filled.dosages(new, np.flatnonzero(~absent)), panel.dosages(new, np.flatnonzero(~absent)), atol=0.01
    )


def test_nobody_else_matters() -> None:
    panel = linked_panel()
    absent = np.arange(SITES) % 3 > 0
    lacking, reference = without(panel, absent), reference_of(panel)
    together, _ = fill(lacking, absent, reference)
    one = np.array([TRAINING + 5])
    alone = replace(
        lacking, sample_ids=["p"], calls=Calls.pack(lacking.calls.codes(slice(None))[:, one]),
        copies=lacking.copies[:, one],
    )  # fmt: skip
    by_itself, _ = fill(alone, absent, reference)
    np.testing.assert_array_equal(
        by_itself.calls.codes(slice(None))[:, 0], together.calls.codes(slice(None))[:, one[0]]
    )


def test_a_chromosome_without_sites_stays_unknown() -> None:
    panel = linked_panel()
    absent = np.arange(SITES) >= 100
    filled, known = fill(without(panel, absent), absent, reference_of(panel))
    assert (known == ~absent).all()
    assert np.isnan(filled.dosages(np.arange(3), np.flatnonzero(absent))).all()


def test_a_whole_panel_is_left_as_it_is() -> None:
    panel = linked_panel()
    filled, known = fill(panel, np.zeros(SITES, bool), reference_of(panel))
    assert filled is panel and (known == 1).all()
