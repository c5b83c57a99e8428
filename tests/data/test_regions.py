from __future__ import annotations

from pathlib import Path

import pytest

from sewall.data.regions import WHOLE, Region, check_contigs, fixed_windows, parse_region, parse_size, read_bed
from sewall.errors import SewallError


@pytest.mark.parametrize("text", ["", "kb", "10 miles", "-5", "0", "1.5", "1e5", "4Gb"])
def test_a_bad_length_is_refused(text: str) -> None:
    with pytest.raises(SewallError, match="like 50000, 100kb or 1Mb"):
        parse_size(text)


def test_regions_without_an_end_run_to_the_end_of_the_contig() -> None:
    assert parse_region("chr2") == Region("chr2", 0, WHOLE)
    assert parse_region("chr2:500") == Region("chr2", 500, WHOLE)
    assert str(parse_region("2:5-9")) == "2:5-9"


@pytest.mark.parametrize("text", ["", ":5-9", "chr2:9-5", "chr2:5-5"])
def test_a_bad_region_is_refused(text: str) -> None:
    with pytest.raises(SewallError):
        parse_region(text)


def test_bed_keeps_its_order_and_skips_comments(tmp_path: Path) -> None:
    path = tmp_path / "some.bed"
    path.write_text("# made by hand\ntrack name=x\n2\t10\t20\tname\n\n1 0 5\n")
    assert read_bed(path) == [Region("2", 10, 20), Region("1", 0, 5)]


@pytest.mark.parametrize("line", ["1\t5", "1\tten\t20", "1\t20\t10", "1\t-1\t5", "1\t5\t5"])
def test_a_bad_line_of_a_bed_file_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "some.bed"
    path.write_text(f"1\t0\t5\n{line}\n")
    with pytest.raises(SewallError, match=r"some\.bed, line 2:"):
        read_bed(path)


def test_missing_empty_and_binary_bed_files(tmp_path: Path) -> None:
    (tmp_path / "empty.bed").write_text("# nothing\n")
    (tmp_path / "binary.bed").write_bytes(b"\x6c\x1b\x01\xff\xfe")
    for name, reason in {"none.bed": "no such file", "empty.bed": "no intervals", "binary.bed": "not a text"}.items():
        with pytest.raises(SewallError, match=rf"{name}.*{reason}"):
            read_bed(tmp_path / name)


def test_windows_lie_on_the_grid_once_each_and_end_with_the_contig() -> None:
    spans = [Region("2", 134_000_008, 134_250_000), Region("2", 134_240_000, 134_300_001), Region("X", 5, 90_000)]
    windows = fixed_windows(spans, 100_000, {"X": 80_000, "2": None})
    assert [w.start for w in windows if w.chrom == "2"] == [134_000_000, 134_100_000, 134_200_000, 134_300_000]
    assert windows[-1] == Region("X", 0, 80_000)
    assert all(w.start % 100_000 == 0 for w in windows)


def test_contigs_named_otherwise_show_the_remedy() -> None:
    with pytest.raises(SewallError, match=r"mask\.bed: contig 1 .*chr1.*s/\^/chr/"):
        check_contigs("mask.bed", ["1"], ["chr1", "chr2"])
    with pytest.raises(SewallError, match=r"contig chr2 .*\(2\).*s/\^chr//"):
        check_contigs("mask.bed", ["chr2"], ["2"])
    with pytest.raises(SewallError, match="use the names of the variants"):
        check_contigs("mask.bed", ["scaffold"], ["2"])


def test_foreign_contigs_are_fine_in_a_mask_of_the_whole_genome() -> None:
    check_contigs("mask.bed", ["1", "2", "X"], ["2"], every=False)
    with pytest.raises(SewallError, match="contig 1, X"):
        check_contigs("mask.bed", ["1", "2", "X"], ["2"])
    with pytest.raises(SewallError, match="contig X"):
        check_contigs("mask.bed", ["2", "X"], ["2", "chrX"], every=False)
