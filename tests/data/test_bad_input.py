"""Every unusable file of variants is answered in one line that names it, and leaves nothing behind."""

from __future__ import annotations

import errno
import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sewall.data import convert
from sewall.data.regions import Region
from sewall.data.variants import open_variants
from sewall.errors import SewallError

from .conftest import COLUMNS, HEADER, vcf_text

GOOD = [f"chr1 {p} A C 0|1 0|0 1|1" for p in range(1, 3000, 7)]
TEXT = vcf_text(GOOD)
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def blocked(text: str) -> bytes:
    """A bgzip block of *text*, without the end mark."""
    import struct
    import zlib

    packer = zlib.compressobj(wbits=-15)
    data = packer.compress(text.encode()) + packer.flush()
    start = bytes.fromhex("1f8b08040000000000ff060042430200") + struct.pack("<H", len(data) + 25)
    return start + data + struct.pack("<II", zlib.crc32(text.encode()), len(text))


def damaged(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def with_line(number: int, line: str) -> str:
    lines = TEXT.splitlines()
    return "\n".join([*lines[: number - 1], line, *lines[number - 1 :]]) + "\n"


NO_GT = "\n".join(line if line[0] == "#" else line.replace("GT", "DP").replace("|", "") for line in TEXT.splitlines())
CASES: dict[str, tuple[str | bytes | None, str]] = {
    "none.vcf": (None, "no such file"),
    "empty.vcf": ("", "is empty"),
    "notvcf.vcf": ("hello\nworld\n", "not a VCF.*hello"),
    "binary.vcf": (bytes(range(256)), "not a VCF.*binary"),
    "cut.vcf.gz": (gzip.compress(TEXT.encode())[:-4], "truncated"),
    "cut_early.vcf.gz": (gzip.compress(TEXT.encode())[:40], "truncated"),
    "cut_blocks.vcf.gz": (blocked(TEXT), "truncated.*end mark"),
    "damaged.vcf.gz": (damaged(gzip.compress(TEXT.encode())), "damaged|truncated"),
    "nogt.vcf": (NO_GT, "no GT field"),
    "sites.vcf": (HEADER + "\t".join(COLUMNS.split()[:8]) + "\nchr1\t5\t.\tA\tC\t.\t.\t.\n", "no samples.*GT"),
    "norecords.vcf": (vcf_text([]), "no variants"),
    "nocolumns.vcf": (HEADER, "no line of column names"),
    "headless.vcf": (HEADER + "chr1\t5\t.\tA\tC\t.\t.\t.\tGT\t0|1\n", "line 3.*column names"),
    "spaces.vcf": (HEADER + COLUMNS + " a b\nchr1 5 . A C . . . GT 0|1 0|0\n", "line 3.*tabs"),
    "header.vcf": (vcf_text(GOOD, columns=COLUMNS.replace("REF ALT", "ALT REF")), "line 3: the columns are"),
    "unsorted.vcf": (with_line(10, TEXT.splitlines()[4]), r"line 10: position chr1:8 comes after 36; sort"),
    "scattered.vcf": (vcf_text([*GOOD, "2 5 A C 0|1 0|0 0|0", GOOD[-1]]), "line 434: contig chr1 comes a second time"),
    "twins.vcf": (vcf_text(GOOD, ["a", "b", "a"]), "sample a occurs more than once"),
    "short.vcf": (with_line(9, "chr1\t36\t.\tA\tC"), "line 9: the record cannot be read"),
    "allele.vcf": (with_line(9, "chr1\t36\t.\tA\tC\t.\t.\t.\tGT\t0|1\t0|3\t0|0"), "line 9: .*allele 3"),
    "garbage.vcf": (with_line(9, "chr1\t36\t.\tA\tC\t.\t.\t.\tGT\t0|1\tx|y\t0|0"), "line 9: the record cannot be read"),
    "words.vcf": (with_line(9, "chr1\there\t.\tA\tC\t.\t.\t.\tGT\t0|1\t0|0\t0|0"), "line 9: "),
    "folder": (None, "no such file"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_files(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    content, reason = CASES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SewallError, match=reason) as caught:
        open_variants(tmp_path / name, tmp_path / "cache")
    assert str(caught.value).startswith(str(tmp_path / name))
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache").glob("*")) and not list((tmp_path / "cache").glob(".*"))
    assert capfd.readouterr().err == ""


def test_a_folder_is_not_a_file_of_variants(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="is a directory, and not VCF Zarr"):
        open_variants(tmp_path, tmp_path / "cache")


def test_absent_samples_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.vcf").write_text(TEXT)
    with pytest.raises(SewallError, match=r"a\.vcf: 1 of 2 listed samples are absent \(z\)"):
        open_variants(tmp_path / "a.vcf", tmp_path / "cache", ["a", "z"])


def test_bgzip_with_its_end_mark_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.vcf.gz").write_bytes(blocked(TEXT) + END)
    assert open_variants(tmp_path / "a.vcf.gz", tmp_path / "cache").contigs[0].variants == len(GOOD)


@pytest.mark.parametrize("packed", [False, True])
def test_one_misspelt_column_is_read_and_named(tmp_path: Path, packed: bool) -> None:
    text = vcf_text(GOOD, columns=COLUMNS.replace("QUAL", "QAUL")).encode()
    path = tmp_path / "odd.vcf"
    path.write_bytes(gzip.compress(text) if packed else text)
    for _ in range(2):
        variants = open_variants(path, tmp_path / "cache")
        assert "line 3" in variants.notes[0]
        assert "sed '3s/QAUL/QUAL/'" in variants.notes[0]
    assert variants.alignment(Region("chr1", 0, 3000)).sites == len(GOOD)


@pytest.mark.parametrize(("code", "expected"), [(errno.ENOSPC, SewallError), (errno.EIO, OSError)])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, expected: type[Exception]
) -> None:
    (tmp_path / "a.vcf").write_text(TEXT)

    def fail(*_: object) -> None:
        raise OSError(code, "failed")

    monkeypatch.setattr(convert, "_settle", fail)
    with pytest.raises(expected):
        open_variants(tmp_path / "a.vcf", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.vcf").write_text(TEXT)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_variants(tmp_path / "a.vcf", tmp_path / "cache", progress=interrupt)
    assert not list((tmp_path / "cache").iterdir())


def test_htslib_stays_silent(tmp_path: Path) -> None:
    """A fresh process, because the library's verbosity is a global of the process."""
    (tmp_path / "a.vcf").write_text(TEXT.replace("PASS", "q10").replace("\t.\tGT", "\tXY=5\tGT"))
    code = (
        f"from sewall.data.variants import open_variants as o; o({str(tmp_path / 'a.vcf')!r}, {str(tmp_path / 'c')!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_real_haploid_flies_with_a_misspelt_header(shared: Path, tmp_path: Path) -> None:
    variants = open_variants(shared / "drosophila_cameroon" / "example.vcf.gz", tmp_path / "cache")
    assert "QAUL instead of QUAL" in variants.notes[0]
    assert variants.contig_names == ["2L", "2R", "3L", "3R", "X"]
    assert all(variants.phase(name) for name in variants.contig_names)
    np.testing.assert_array_equal(variants.ploidy("X"), np.ones(10))
    assert sum(contig.variants for contig in variants.contigs) == 50_005


def test_real_ceu_genomes(shared: Path, tmp_path: Path) -> None:
    path = shared / "lct_ceu" / "ceu25.chr2_134_140Mb.GRCh37.vcf.gz"
    variants = open_variants(path, tmp_path / "cache")
    assert variants.contigs[0].variants == 166_543
    windows = [Region("2", 134_000_000 + k * 100_000, 134_100_000 + k * 100_000) for k in range(60)]
    assert sum(alignment.sites for alignment in variants.alignments(windows)) == 17_144
    site = variants.alignment(Region("2", 136_608_645, 136_608_646))
    assert site.calls.sum() in (9, 41)


@pytest.mark.parametrize("name", ["1kg_2020_chrM.vcf.gz", "CEUTrio.20.21.gatk3.4.g.vcf.bgz", "chr22.vcf.gz"])
def test_odd_real_files_are_read_or_answered(shared: Path, tmp_path: Path, name: str) -> None:
    variants = open_variants(shared / "reader_cases" / name, tmp_path / "cache")
    for contig in variants.contigs:
        alignment = variants.alignment(Region(contig.name, contig.first, contig.last + 1))
        assert alignment.calls.shape == (alignment.sites, len(alignment.copies))
    assert sum(variants.counts.values()) > 0
