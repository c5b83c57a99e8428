"""A small cohort: two autosomes and an X, linked neighbours, missing calls, both sexes, and a trait on some sites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sewall.data.panel import AUTOSOME, Panel, Sites, X

Floats = NDArray[np.float64]
INDIVIDUALS, AUTOSOMAL, ON_X = 300, 240, 60


@dataclass(frozen=True)
class Cohort:
    """A panel, its trait (additive sites, sex and age), and rows to train on and to test on."""

    panel: Panel
    trait: Floats
    covariates: Floats
    train: NDArray[np.intp]
    test: NDArray[np.intp]

    def dosages(self) -> Floats:
        return self.panel.dosages(np.arange(len(self.panel)), slice(None)).astype(float)


def make_sites(autosomal: int, on_x: int) -> Sites:
    chrom = np.array(["1"] * (autosomal // 2) + ["2"] * (autosomal - autosomal // 2) + ["X"] * on_x)
    total = autosomal + on_x
    inheritance = np.array([AUTOSOME] * autosomal + [X] * on_x, np.int8)
    return Sites(chrom, np.arange(total, dtype=np.int32), np.array([""] * total), np.full((total, 2), "A"), inheritance)


def haplotypes(rng: np.random.Generator, number: int, sites: int) -> NDArray[np.int64]:
    """Mosaics of eight founders, a switch every ten sites."""
    founders = (rng.random((8, sites)) < rng.uniform(0.2, 0.8, sites)).astype(int)
    founders[:2] = [[0], [1]]  # every site varies
    switches = rng.random((number, sites)) < 0.1
    source = rng.integers(0, 8, (number, sites))
    last = np.maximum.accumulate(np.where(switches, np.arange(sites), 0), axis=1)
    return founders[np.take_along_axis(source, last, 1), np.arange(sites)]


def make_panel(seed: int, missing: float = 0.03, individuals: int = INDIVIDUALS) -> Panel:
    rng = np.random.default_rng(seed)
    total = AUTOSOMAL + ON_X
    codes = haplotypes(rng, individuals, total) + haplotypes(rng, individuals, total)
    male = np.arange(individuals) % 2 == 1
    codes[np.ix_(male, np.arange(AUTOSOMAL, total))] = 2 * haplotypes(rng, int(male.sum()), ON_X)
    codes[rng.random(codes.shape) < missing] = 3
    copies = np.array([np.full(individuals, 2), 2 - male, male, np.ones(individuals)], np.int8)
    ids = [f"s{k}" for k in range(individuals)]
    return Panel.from_codes(codes.T.astype(np.uint8), make_sites(AUTOSOMAL, ON_X), ids, copies)


def exchange_alleles(panel: Panel, which: NDArray[np.intp]) -> Panel:
    """REF and ALT swapped at some sites."""
    codes = panel.calls.codes(slice(None)).copy()
    codes[which] = np.where(codes[which] == 3, 3, 2 - codes[which])
    return Panel.from_codes(codes, panel.sites, panel.sample_ids, panel.copies)


def with_genotypes_of(panel: Panel, rows: NDArray[np.intp], seed: int) -> Panel:
    """Other genotypes for some individuals."""
    codes = panel.calls.codes(slice(None)).copy()
    codes[:, rows] = make_panel(seed, individuals=len(panel)).calls.codes(slice(None))[:, rows]
    return Panel.from_codes(codes, panel.sites, panel.sample_ids, panel.copies)


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    rng = np.random.default_rng(3)
    panel = make_panel(1)
    z = np.nan_to_num(panel.dosages(np.arange(INDIVIDUALS), slice(None)) - 1)
    genetic = z[:, rng.choice(AUTOSOMAL, 12, replace=False)] @ rng.standard_normal(12)
    sex, age = np.arange(INDIVIDUALS) % 2, rng.uniform(20, 70, INDIVIDUALS)
    noise = rng.standard_normal(INDIVIDUALS) * genetic.std() * 0.7
    order = rng.permutation(INDIVIDUALS)
    trait = 100 + genetic + 5.0 * sex + 0.2 * age + noise
    return Cohort(panel, trait, np.column_stack([sex, age]), np.sort(order[:220]), np.sort(order[220:]))


@pytest.fixture(scope="session")
def inbred(cohort: Cohort) -> Cohort:
    """The same, every line homozygous."""
    codes = cohort.panel.calls.codes(slice(None)).copy()
    codes[codes == 1] = 2
    everyone_female = np.repeat(np.array([[2], [2], [0], [1]], np.int8), INDIVIDUALS, axis=1)
    panel = Panel.from_codes(codes, cohort.panel.sites, cohort.panel.sample_ids, everyone_female)
    return replace(cohort, panel=panel)


@pytest.fixture(scope="session")
def another_panel() -> Callable[..., Panel]:
    return make_panel


@pytest.fixture(scope="session")
def exchanged() -> Callable[..., Panel]:
    return exchange_alleles


@pytest.fixture(scope="session")
def other_genotypes() -> Callable[..., Panel]:
    return with_genotypes_of
