from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall.data.tracks import signal_over
from sewall.errors import SewallError

REGIONS = pd.DataFrame({"chrom": ["chr1"] * 4, "start": [0, 5, 40, 95], "end": [10, 25, 50, 105]})


@pytest.fixture
def track(tmp_path: Path) -> Path:
    pybigtools = pytest.importorskip("pybigtools", reason="the extra 'tracks' is not installed")
    path = tmp_path / "signal.bw"
    writer = pybigtools.open(str(path), "w")
    writer.write({"1": 100, "2": 50}, [("1", 0, 10, 2.0), ("1", 10, 20, 4.0), ("1", 90, 100, 6.0), ("2", 0, 5, 1.0)])
    return path


def test_means_with_absent_values_as_zero_or_left_out(track: Path) -> None:
    as_zero, left_out = signal_over(track, REGIONS, "zero"), signal_over(track, REGIONS, "skip")
    np.testing.assert_allclose(as_zero.mean, [2.0, (5 * 2 + 10 * 4) / 20, 0.0, 3.0])
    np.testing.assert_allclose(left_out.mean, [2.0, 50 / 15, np.nan, 6.0])
    np.testing.assert_allclose(left_out.covered, [1.0, 0.75, 0.0, 0.5])
    assert as_zero.described() == {
        "missing": "bases without a value count as 0", "regions": 4, "partly_covered": 3, "not_covered": 1,
    }  # fmt: skip


def test_tracks_that_cannot_serve(track: Path, tmp_path: Path) -> None:
    (tmp_path / "text.bw").write_text("variableStep\n")
    for path, reason in [(tmp_path / "none.bw", "no such file"), (tmp_path / "text.bw", "cannot be read as bigWig")]:
        with pytest.raises(SewallError, match=reason):
            signal_over(path, REGIONS, "zero")
    with pytest.raises(SewallError, match=r"none of the contigs chr7; it has 1, 2"):
        signal_over(track, REGIONS.assign(chrom="chr7"), "zero")


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pybigtools", None)
    with pytest.raises(SewallError, match=r"pip install 'sewall\[tracks\]'"):
        signal_over(tmp_path / "signal.bw", REGIONS, "zero")
