from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall.data.peaks import BEYOND, TOO_SHORT
from sewall.errors import SewallError
from sewall.jobs.sequence.genomic import NO_SIGNAL, REPEATED, UNKNOWN, genomic_groups, negatives_like, read_regions

REPEAT = "ACGTTGCAAT"


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    path.write_text(f">chr1\n{REPEAT * 20}\n>chr2\n{REPEAT * 10}{'N' * 100}{REPEAT * 10}\n>chr3\nACGT\n")
    return path


def written(folder: Path, *lines: str) -> Path:
    path = folder / "regions.bed"
    path.write_text("".join(line.replace(" ", "\t") + "\n" for line in lines))
    return path


def test_every_line_is_an_example_or_counted(tmp_path: Path, fasta: Path) -> None:
    lines = [
        "1 40 50 bound",
        "1 40 50 bound",
        "1 40 50 free",
        "2 140 160 free",
        "1 0 6 free",
        "3 0 4 free",
        "1 60 70 free 0 -",
    ]
    found = read_regions(written(tmp_path, *lines), fasta, 20, "name")
    assert found.dropped == {TOO_SHORT: 1, BEYOND: 1, REPEATED: 1, UNKNOWN: 1}
    assert len(found) + sum(found.dropped.values()) == len(lines)
    assert found.keys["sequence_id"].tolist() == ["chr1:35-55 line 1", "chr1:35-55 line 3", "chr1:56-76(-)"]
    assert found.labels == ("bound", "free", "free")
    assert found.sequences.text(0) == (REPEAT * 20)[35:55]
    assert found.sequences.text(2) == (REPEAT * 20)[56:76][::-1].translate(str.maketrans("ACGT", "TGCA"))
    assert found.about == {"centred_on": "middles", "width": 20}


def test_regions_as_they_are(tmp_path: Path, fasta: Path) -> None:
    found = read_regions(written(tmp_path, "chr1 0 6", "chr3 0 4"), fasta)
    assert found.sequences.lengths.tolist() == [6, 4]
    assert found.labels is None and found.signal is None


def test_windows_longer_than_every_contig(tmp_path: Path, fasta: Path) -> None:
    with pytest.raises(SewallError, match=r"none of its 2 lines can be used \(2 window is longer than its contig\)"):
        read_regions(written(tmp_path, "chr1 0 6", "chr3 0 4"), fasta, 1_000)


def test_groups_are_contigs_where_there_are_enough_and_else_overlaps() -> None:
    keys = pd.DataFrame({"chrom": list("abcdea"), "start": 0, "end": 9})
    assert genomic_groups(keys)[0].tolist() == list("abcdea")
    keys = pd.DataFrame({"chrom": ["b", "a", "a", "a", "a"], "start": [0, 50, 8, 0, 20], "end": [9, 60, 25, 10, 30]})
    groups, said = genomic_groups(keys)
    assert groups.tolist() == ["b:0", "a:50", "a:0", "a:0", "a:0"]
    assert "only those that overlap stay together" in said


def test_a_track_is_the_quantity(tmp_path: Path, fasta: Path) -> None:
    pybigtools = pytest.importorskip("pybigtools", reason="the extra 'tracks' is not installed")
    track = tmp_path / "signal.bw"
    pybigtools.open(str(track), "w").write({"chr1": 200}, [("chr1", 0, 10, 2.0)])
    found = read_regions(written(tmp_path, "chr1 0 20", "chr1 30 40"), fasta, track=track)
    assert found.signal is not None and found.signal.tolist() == [1.0, 0.0]
    assert found.about["track"]["missing"] == "bases without a value count as 0"
    found = read_regions(written(tmp_path, "chr1 0 20", "chr1 30 40"), fasta, track=track, missing="skip")
    assert found.signal is not None and found.signal.tolist() == [2.0]
    assert found.dropped == {NO_SIGNAL: 1}


@pytest.mark.skipif("SEWALL_DATA" not in os.environ, reason="SEWALL_DATA does not point to the real data")
def test_yeast_regions_and_their_negatives(tmp_path: Path) -> None:
    fasta = Path(os.environ["SEWALL_DATA"]) / "sacCer3" / "sacCer3.fa.gz"
    start = np.arange(20) * 5_000 + 10_000
    lines = [f"{name} {k} {k + 300} peak" for name in ("I", "II", "V") for k in start.tolist()]
    found = read_regions(written(tmp_path, *lines), fasta, 200)
    assert len(found) == 60 and set(found.keys["chrom"]) == {"chrI", "chrII", "chrV"}
    made = negatives_like(found, fasta, seed=1)
    assert made.windows is not None and len(made.of) >= 58
