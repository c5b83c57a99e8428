from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sewall.data.genome import Genome
from sewall.data.peaks import windows_around
from sewall.dna.windows import cut


@pytest.mark.parametrize("width", [5, 6])
def test_the_centre_is_the_same_letter_on_either_strand(tmp_path: Path, width: int) -> None:
    (tmp_path / "genome.fa").write_text(">a\nTTTTTTTTTTcTTTTTTTTT\n")
    peaks = pd.DataFrame({"chrom": ["a", "a"], "centre": [10, 10], "strand": ["+", "-"]})
    windows, left_out = windows_around(peaks, {"a": 20}, width)
    with Genome.open(tmp_path / "genome.fa") as genome:
        found = cut(genome, windows)
    assert left_out == {}
    assert found.text(0)[width // 2] == "C" and found.text(1)[width // 2] == "G"
    assert found.ids[1].endswith("(-)")
    assert found.lower[0] == pytest.approx(1 / width)
