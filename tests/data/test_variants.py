from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sewall.data import sites
from sewall.data.masks import Mask
from sewall.data.regions import Region, fixed_windows
from sewall.data.variants import check_sample_size, open_variants
from sewall.errors import SewallError

WriteVcf = Callable[..., Path]
ROWS = [
    "1 11 A C 0|1 0|0 1|1",
    "1 21 A C,G 0|2 2|2 0|0",
    "1 31 A C,G 0|1 2|2 0|0",
    "1 41 A AT 0|1 0|0 0|0",
    "1 51 A C 0|0 0|0 0|0",
    "1 61 A C/q10 0|1 0|0 0|0",
    "1 71 A C 0|1 0|0 0|0",
    "1 71 A G 0|0 0|1 0|0",
    "1 81 A C .|. .|. .|.",
    "1 91 A C,<NON_REF> .|1 0|0 .|.",
    "2 5 A C 0|1 .|. 1|0",
]


def test_alignment_and_the_reasons(write_vcf: WriteVcf, tmp_path: Path) -> None:
    variants = open_variants(write_vcf(ROWS), tmp_path / "cache")
    alignment = variants.alignment(Region("1", 5, 100), None, True)
    np.testing.assert_array_equal(alignment.positions, [5, 15, 85])
    np.testing.assert_array_equal(alignment.calls, [[0, 1, 0, 0, 1, 1], [0, 1, 1, 1, 0, 0], [-1, 1, 0, 0, -1, -1]])
    assert alignment.phased
    assert alignment.length == 95
    assert variants.counts == {
        sites.MULTIALLELIC: 1,
        sites.NOT_SNV: 1,
        sites.CONSTANT: 1,
        sites.FILTERED: 1,
        sites.DUPLICATE: 2,
        sites.NOT_CALLED: 1,
    }
    variants.alignment(Region("1", 5, 100), None, True)
    assert sum(variants.counts.values()) + alignment.sites == variants.rows_read == 10


def test_without_phase_a_partly_called_individual_is_missing(write_vcf: WriteVcf, tmp_path: Path) -> None:
    variants = open_variants(write_vcf(ROWS), tmp_path / "cache")
    alignment = variants.alignment(Region("1", 0, 100), None, False)
    np.testing.assert_array_equal(alignment.positions, [10, 20])
    np.testing.assert_array_equal(alignment.calls, [[1, 0, 2], [1, 2, 0]])
    np.testing.assert_array_equal(alignment.copies, [2, 2, 2])


def test_chosen_samples_decide_what_varies(write_vcf: WriteVcf, tmp_path: Path) -> None:
    variants = open_variants(write_vcf(ROWS), tmp_path / "cache", ["c", "a"])
    assert variants.sample_ids == ["c", "a"]
    alignment = variants.alignment(Region("1", 0, 60), None, True)
    np.testing.assert_array_equal(alignment.positions, [10, 20, 30])
    np.testing.assert_array_equal(alignment.calls[0], [1, 1, 0, 1])


def test_contigs_are_listed_and_a_sample_without_calls_has_no_copies(write_vcf: WriteVcf, tmp_path: Path) -> None:
    variants = open_variants(write_vcf(ROWS), tmp_path / "cache")
    assert [(c.name, c.first, c.last, c.variants) for c in variants.contigs] == [("1", 10, 90, 10), ("2", 4, 4, 1)]
    np.testing.assert_array_equal(variants.ploidy("2"), [2, 0, 2])
    assert variants.alignment(Region("2", 0, 10), None, True).calls.shape == (1, 4)


def test_mask_leaves_sites_out_and_tells_the_alignment(write_vcf: WriteVcf, tmp_path: Path) -> None:
    (tmp_path / "mask.bed").write_text("1\t0\t15\n1\t300\t400\n")
    variants = open_variants(write_vcf(ROWS), tmp_path / "cache")
    mask = Mask.from_bed(tmp_path / "mask.bed", accessible=True)
    alignment = variants.alignment(Region("1", 0, 100), mask, True)
    assert (alignment.sites, alignment.accessible_bp) == (1, 15)
    assert variants.counts == {sites.OUTSIDE_MASK: 9}
    closed = variants.alignment(Region("1", 20, 100), mask, True)
    assert (closed.sites, closed.accessible_bp) == (0, 0)


@pytest.mark.parametrize(
    ("rows", "phased"),
    [
        (["1 5 A C 0|1 0|0 0|0"], True),
        (["1 5 A C 0/1 0|0 0|0"], False),
        (["1 5 A C 0/0 1/1 0/0"], True),
        (["1 5 A C 0 1 ."], True),
        (["1 5 A C 0|1 0|0 0|0", "1 6 A C 0|1 0/1 0|0"], False),
    ],
)
def test_phase_is_detected_from_heterozygous_calls(
    write_vcf: WriteVcf, tmp_path: Path, rows: list[str], phased: bool
) -> None:
    assert open_variants(write_vcf(rows), tmp_path / "cache").phase("1") is phased


def test_mixed_ploidy(write_vcf: WriteVcf, tmp_path: Path) -> None:
    rows = ["X 5 A C 0|1 1 0|0|1", "X 6 A C 1|1 0 1|1|1", "X 7 A C 0|1 . ."]
    variants = open_variants(write_vcf(rows), tmp_path / "cache")
    np.testing.assert_array_equal(variants.ploidy("X"), [2, 1, 3])
    dosages = variants.alignment(Region("X", 0, 10), None, False)
    np.testing.assert_array_equal(dosages.calls, [[1, 1, 1], [2, 0, 3], [1, -1, -1]])
    np.testing.assert_array_equal(dosages.copies, [2, 1, 3])
    assert dosages.chromosomes == 6
    assert variants.alignment(Region("X", 0, 10), None, True).calls.shape == (3, 6)


def test_blocks_do_not_show(tmp_path: Path, write_vcf: WriteVcf) -> None:
    """Read with many blocks and with one, windows are the same, also where a duplicate lies across a border."""
    from bio2zarr import vcz

    from sewall.data.store import Store
    from sewall.data.variants import Variants
    from sewall.data.vcf import VcfSource

    rng = np.random.default_rng(1)
    positions = np.sort(rng.integers(1, 2000, 300))
    path = write_vcf([f"1 {p} A C " + " ".join(f"{a}|{b}" for a, b in rng.integers(0, 2, (3, 2))) for p in positions])
    source = VcfSource(path, path, 3)
    vcz.encode(source, source.generate_schema(variants_chunk_size=7), tmp_path / "small.vcz", worker_processes=0)
    whole = open_variants(path, tmp_path / "cache")
    split = Variants(path, Store(tmp_path / "small.vcz", path), None, "", ())
    windows = fixed_windows([Region("1", 0, 2000)], 150)
    for one, other in zip(whole.alignments(windows), split.alignments(windows), strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
        np.testing.assert_array_equal(one.calls, other.calls)
    assert whole.counts == split.counts
    assert whole.counts[sites.DUPLICATE] > 0
    assert whole.phase("1") == split.phase("1")


def test_regions_must_hold_variants(write_vcf: WriteVcf, tmp_path: Path) -> None:
    variants = open_variants(write_vcf(ROWS), tmp_path / "cache")
    variants.check_regions([Region("1", 0, 5), Region("1", 5, 50)])
    with pytest.raises(
        SewallError, match=r"cohort\.vcf: holds no variants in --regions \(1:500-900\); it covers 1:10-91"
    ):
        variants.check_regions([Region("1", 500, 900)], "--regions")
    with pytest.raises(SewallError, match=r"--regions: contig chr1 .*s/\^chr//"):
        variants.check_regions([Region("chr1", 0, 900)], "--regions")
    with pytest.raises(SewallError, match="contig chr1"):
        variants.alignment(Region("chr1", 0, 900))


def test_too_few_chromosomes(write_vcf: WriteVcf, tmp_path: Path) -> None:
    variants = open_variants(write_vcf(ROWS), tmp_path / "cache", ["a"])
    with pytest.raises(SewallError, match="contig 1: 2 chromosomes are too few, at least 4"):
        check_sample_size(variants)
    check_sample_size(open_variants(tmp_path / "cohort.vcf", tmp_path / "cache"))


def test_all_calls_missing(write_vcf: WriteVcf, tmp_path: Path) -> None:
    variants = open_variants(write_vcf(["1 5 A C ./. ./. ./.", "1 6 A C ./. . ./."]), tmp_path / "cache")
    with pytest.raises(SewallError, match=r"cohort\.vcf: contig 1: all calls are missing"):
        check_sample_size(variants)
    for phased in (True, False):
        assert variants.alignment(Region("1", 0, 10), None, phased).sites == 0


def test_the_converted_copy_is_reused_until_the_file_changes(write_vcf: WriteVcf, tmp_path: Path) -> None:
    path, cache = write_vcf(ROWS), tmp_path / "cache"
    first = open_variants(path, cache)
    (made,) = cache.iterdir()
    (made / "marker").touch()
    assert open_variants(path, cache).digest == first.digest
    assert (made / "marker").exists()
    write_vcf(ROWS[:4])
    assert open_variants(path, cache).digest != first.digest
    assert len(list(cache.iterdir())) == 2


def test_progress_ends_at_the_total(write_vcf: WriteVcf, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    open_variants(write_vcf(ROWS), tmp_path / "cache", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(ROWS), len(ROWS))


def test_gzip_needs_no_index_and_gives_the_same(write_vcf: WriteVcf, tmp_path: Path) -> None:
    path = write_vcf(ROWS)
    zipped = tmp_path / "zipped.vcf.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    one, other = (open_variants(p, tmp_path / "cache").alignment(Region("1", 0, 100)) for p in (path, zipped))
    np.testing.assert_array_equal(one.calls, other.calls)


def test_a_vcf_zarr_store_is_read_where_it_lies(write_vcf: WriteVcf, tmp_path: Path) -> None:
    one = open_variants(write_vcf(ROWS), tmp_path / "cache")
    (made,) = (tmp_path / "cache").iterdir()
    shutil.copytree(made, tmp_path / "own.vcz")
    other = open_variants(tmp_path / "own.vcz", tmp_path / "unused")
    assert not (tmp_path / "unused").exists()
    region = Region("1", 0, 100)
    np.testing.assert_array_equal(one.alignment(region).calls, other.alignment(region).calls)
    shutil.rmtree(tmp_path / "own.vcz" / "call_genotype")
    with pytest.raises(SewallError, match=r"own\.vcz: has no GT field"):
        open_variants(tmp_path / "own.vcz", tmp_path / "unused")
