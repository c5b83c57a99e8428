from __future__ import annotations

import numpy as np
import pytest

from sewall.data.panel import Sites
from sewall.data.panels.builds import LENGTHS, build_of_lengths, builds_that_fit


def sites(build: str, reach: float, names: list[str] | None = None) -> Sites:
    chroms = names or list(LENGTHS[build])
    ends = [int(reach * LENGTHS[build][name]) for name in chroms]
    position = np.concatenate([np.linspace(1e6, end - 1, 60) for end in ends]).astype(np.int32)
    chrom = np.repeat([f"chr{name}" for name in chroms], 60)
    alleles = np.full((len(chrom), 2), "")
    return Sites(chrom, position, chrom, alleles, np.zeros(len(chrom), np.int8))


@pytest.mark.parametrize("build", list(LENGTHS))
def test_the_ends_of_chromosomes_tell_the_build(build: str) -> None:
    assert builds_that_fit(sites(build, 0.9995)) == [build]


def test_where_they_tell_nothing() -> None:
    assert builds_that_fit(sites("GRCh37", 0.5)) == []
    assert builds_that_fit(sites("GRCh37", 0.9995, ["2", "3"])) == []
    assert builds_that_fit(sites("GRCh37", 1.1)) == []


def test_declared_lengths() -> None:
    assert build_of_lengths([None, 195_471_971]) == "GRCm38" and build_of_lengths([None, 7]) is None
