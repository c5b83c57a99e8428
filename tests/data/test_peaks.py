from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sewall.data.genome import Genome
from sewall.data.peaks import BEYOND, TOO_SHORT, located, read_peaks, windows_around
from sewall.errors import SewallError

NARROW = "chr1\t100\t200\tp1\t10\t.\t5.0\t3.0\t2.0\t30\nchr1\t300\t401\tp2\t10\t-\t5.0\t3.0\t2.0\t-1\n"


def written(folder: Path, text: str, name: str = "peaks.bed") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_summits_where_they_are_told_and_else_the_middle(tmp_path: Path) -> None:
    peaks = read_peaks(written(tmp_path, NARROW, "a.narrowPeak"))
    assert peaks.table["centre"].tolist() == [130, 350]
    assert peaks.table["strand"].tolist() == [".", "-"]
    assert peaks.summits
    assert not read_peaks(written(tmp_path, "chr1 5 9\nchr1 5 8\n")).summits


def test_comments_are_passed_over_gzipped_or_not(tmp_path: Path) -> None:
    path = tmp_path / "peaks.bed.gz"
    path.write_bytes(gzip.compress(b"# made by hand\ntrack name=x\r\nbrowser y\n\n2\t10\t20\r\n"))
    table = read_peaks(path).table
    assert table[["chrom", "start", "end", "line"]].to_numpy().tolist() == [["2", 10, 20, 5]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1\t20\t10", "end 10 is not beyond start 20"),
        ("1\t5\t5", "end 5 is not beyond start 5"),
        ("1\t-4\t5", "before the contig"),
        ("1\tten\t20", "expected contig, start and end"),
        ("1\t5", "expected contig, start and end"),
        ("1\t5\t9\tx\t0\tplus", "strand 'plus'"),
        ("1\t5\t9\tx\t0\t+\t1\t1\t1\t4", "summit 4 lies outside"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    first = "1\t5\t9\tx\t0\t+\t1\t1\t1\t3\n" if line.count("\t") == 9 else "1\t0\t5\n"
    with pytest.raises(SewallError, match=rf"peaks\.bed, line 2: .*{reason}"):
        read_peaks(written(tmp_path, first + line + "\n"))


def test_files_that_hold_no_peaks(tmp_path: Path) -> None:
    (tmp_path / "binary.bed").write_bytes(b"\x6c\x1b\x01\xff\xfe")
    written(tmp_path, "# nothing\n", "empty.bed")
    for name, reason in {"none.bed": "no such file", "empty.bed": "no intervals", "binary.bed": "not a text"}.items():
        with pytest.raises(SewallError, match=rf"{name}.*{reason}"):
            read_peaks(tmp_path / name)


def test_labels_by_name_by_number_and_by_a_header(tmp_path: Path) -> None:
    peaks = read_peaks(written(tmp_path, "#chrom\tstart\tend\tname\tactivity\n1\t0\t5\tp\t0.5\n1\t9\t15\tq\t2\n"))
    assert peaks.labels("activity") == peaks.labels(5) == peaks.labels("5") == ("0.5", "2")
    assert read_peaks(written(tmp_path, "1\t0\t5\tbound\n1\t9\t15\tfree\n")).labels("name") == ("bound", "free")
    with pytest.raises(SewallError, match="no column strength; its columns are chrom, start, end, name, activity"):
        peaks.labels("strength")
    with pytest.raises(SewallError, match=r"line 2: has nothing in column name"):
        read_peaks(written(tmp_path, "1\t0\t5\tbound\n1\t9\t15\n")).labels("name")


@pytest.fixture
def genome_file(tmp_path: Path) -> Path:
    return written(tmp_path, ">chr1\n" + "ACGTTGCA" * 10 + "\n>chr2\nACGTTG\n", "genome.fa")


def test_peaks_beyond_the_chromosome_and_on_absent_ones(tmp_path: Path, genome_file: Path) -> None:
    with Genome.open(genome_file) as genome:
        assert located(read_peaks(written(tmp_path, "1\t0\t80\n")), genome)["chrom"].tolist() == ["chr1"]
        with pytest.raises(SewallError, match=r"peaks\.bed, line 2: ends at 81, and chr1 of genome\.fa has 80 letters"):
            located(read_peaks(written(tmp_path, "chr1\t0\t80\nchr1\t0\t81\n")), genome)
        with pytest.raises(SewallError, match=r"contig chr7 .*names chr1, chr7; genome\.fa has chr1, chr2"):
            located(read_peaks(written(tmp_path, "chr1\t0\t80\nchr7\t0\t81\n")), genome)


def test_windows_are_counted_where_they_do_not_fit(tmp_path: Path, genome_file: Path) -> None:
    lines = "chr1\t20\t30\nchr1\t0\t4\nchr1\t74\t80\nchr2\t0\t6\nchr1\t20\t30\tx\t0\t-\n"
    with Genome.open(genome_file) as genome:
        windows, left_out = windows_around(located(read_peaks(written(tmp_path, lines)), genome), genome.lengths, 10)
    assert left_out == {TOO_SHORT: 1, BEYOND: 2}
    assert windows[["start", "end", "line"]].to_numpy().tolist() == [[20, 30, 1], [21, 31, 5]]
