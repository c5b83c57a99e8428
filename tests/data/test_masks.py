from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sewall.data.masks import Mask, covered
from sewall.data.regions import Region
from sewall.errors import SewallError


@pytest.fixture
def bed(tmp_path: Path) -> Path:
    path = tmp_path / "mask.bed"
    path.write_text("1\t50\t60\n1\t0\t20\n1\t10\t30\n1\t15\t18\n1\t60\t70\n")
    return path


@pytest.mark.parametrize("region", [Region("1", 0, 100), Region("1", 12, 55), Region("1", 25, 28), Region("1", 35, 45)])
def test_the_two_meanings_are_complements(bed: Path, region: Region) -> None:
    open_part, closed_part = (Mask.from_bed(bed, meaning).accessible(region) for meaning in (True, False))
    positions = np.arange(region.length)
    truth = np.array([region.start + p < 30 or 50 <= region.start + p < 70 for p in positions])
    np.testing.assert_array_equal(covered(positions, open_part), truth)
    np.testing.assert_array_equal(covered(positions, closed_part), ~truth)


def test_touching_intervals_are_merged_and_offsets_count_from_the_window(bed: Path) -> None:
    offsets = Mask.from_bed(bed, True).accessible(Region("1", 10, 100))
    np.testing.assert_array_equal(offsets, [[0, 20], [40, 60]])
    assert offsets.dtype == np.int32


def test_nothing_accessible_is_an_empty_interval(bed: Path) -> None:
    mask = Mask.from_bed(bed, True)
    np.testing.assert_array_equal(mask.accessible(Region("1", 30, 50)), [[0, 0]])
    np.testing.assert_array_equal(mask.accessible(Region("2", 0, 50)), [[0, 0]])
    np.testing.assert_array_equal(Mask.from_bed(bed, False).accessible(Region("2", 0, 50)), [[0, 50]])


def test_a_mask_with_other_names_is_refused(bed: Path) -> None:
    Mask.from_bed(bed, True).check_contigs(["1", "7"])
    with pytest.raises(SewallError, match=r"mask\.bed.*chr1"):
        Mask.from_bed(bed, True).check_contigs(["chr1"])
