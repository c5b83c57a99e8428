from __future__ import annotations

import numpy as np
import pytest

from sewall.data.panel import AUTOSOME, HAPLOID, X, Y
from sewall.data.panels import chromosomes
from sewall.errors import SewallError


@pytest.mark.parametrize(
    ("names", "autosomes", "kinds"),
    [
        (["1", "22", "23", "24", "25", "26"], None, [AUTOSOME, AUTOSOME, X, Y, AUTOSOME, HAPLOID]),
        (["chr1", "chrX", "chrY", "chrM", "chrXY"], None, [AUTOSOME, X, Y, HAPLOID, AUTOSOME]),
        (["23", "24", "29"], None, [AUTOSOME] * 3),  # cattle
        (["19", "20", "21"], 19, [AUTOSOME, X, Y]),  # mouse, numbered as by PLINK
        (["A1", "D10", "Chr01", "Mt", "Pt"], None, [AUTOSOME] * 3 + [HAPLOID] * 2),
        (["I", "V", "X"], None, [AUTOSOME, AUTOSOME, X]),  # worm
        (["chrIX", "chrX", "chrXI", "chrM"], None, [AUTOSOME] * 3 + [HAPLOID]),  # yeast
        (["1", "Z", "W"], None, [AUTOSOME] * 3),
    ],
)
def test_inheritance_by_name(names: list[str], autosomes: int | None, kinds: list[int]) -> None:
    assert chromosomes.inheritance_of(names, autosomes)[0] == kinds


def test_numbers_read_as_x_are_said() -> None:
    assert "chromosome 23 was read as X" in chromosomes.inheritance_of(["1", "23"])[1]
    assert chromosomes.inheritance_of(["1", "23"], 22)[1] == chromosomes.inheritance_of(["1", "X"])[1] == ""


def test_pseudo_autosomal_regions() -> None:
    position = np.array([59_999, 60_000, 2_699_519, 2_699_520, 100_000_000, 154_931_043], np.int32)
    assert chromosomes.pseudo_autosomal(X, position, "GRCh37").tolist() == [False, True, True, False, False, True]
    assert not chromosomes.pseudo_autosomal(X, position, None).any()
    assert not chromosomes.pseudo_autosomal(AUTOSOME, position, "GRCh37").any()
    with pytest.raises(SewallError, match="build hg17 is not known"):
        chromosomes.build_name("hg17")


def test_birds() -> None:
    kinds, said = chromosomes.inheritance_of(["chr1", "chrZ", "W", "X", "23", "MT"], system="ZW")
    assert kinds == [AUTOSOME, X, Y, AUTOSOME, AUTOSOME, HAPLOID] and not said
    assert chromosomes.inheritance_of(["38", "39", "40"], 38, "ZW")[0] == [AUTOSOME, X, Y]


def test_pseudo_autosomal_region_of_the_mouse() -> None:
    position = np.array([169_969_757, 169_969_758, 170_931_298, 170_931_299], np.int32)
    assert chromosomes.pseudo_autosomal(X, position, chromosomes.build_name("mm10")).tolist() == [0, 1, 1, 0]
