from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msprime
import numpy as np
import pytest

from sewall.data.ratemaps import read_hapmap, read_maps, write_bedgraph, write_hapmap, write_plink_map
from sewall.data.regions import Region
from sewall.errors import SewallError

WINDOWS = [Region("2", k * 1000, (k + 1) * 1000) for k in (1, 2, 3, 5, 6)]
NAN = float("nan")


def test_msprime_reads_back_the_rates(tmp_path: Path) -> None:
    rates = [1e-8, 3e-8, 0.0, 2e-8, 5e-9]
    write_hapmap(tmp_path / "map.txt", WINDOWS, rates)
    read = msprime.RateMap.read_hapmap(tmp_path / "map.txt")
    for window, rate in zip(WINDOWS, rates, strict=True):
        assert read.slice(window.start, window.end).mean_rate == pytest.approx(rate, rel=1e-6, abs=1e-15)
    assert np.isnan(read.get_rate([0])[0])
    by_rate = msprime.RateMap.read_hapmap(tmp_path / "map.txt", rate_col=2)
    np.testing.assert_allclose(by_rate.rate[1:], read.rate[1:], rtol=1e-6, atol=1e-15)


def test_unknown_windows_get_the_mean_inside_and_are_left_off_at_the_ends(tmp_path: Path) -> None:
    write_hapmap(tmp_path / "map.txt", WINDOWS, [NAN, 1e-8, NAN, 3e-8, NAN])
    table = np.loadtxt(tmp_path / "map.txt", skiprows=1, usecols=(1, 2, 3))
    np.testing.assert_array_equal(table[:, 0], [2000, 3000, 4000, 5000, 6000])
    np.testing.assert_allclose(table[:, 1], [1, 2, 2, 3, 0])
    np.testing.assert_allclose(np.diff(table[:, 2]), [0.001, 0.002, 0.002, 0.003])


def test_our_own_reader_agrees(tmp_path: Path) -> None:
    write_hapmap(tmp_path / "map.txt", WINDOWS, [1e-8, 3e-8, 1e-8, 2e-8, 5e-9])
    read = read_hapmap(tmp_path / "map.txt")
    assert read.chrom == "2"
    assert read.mean_rate(Region("2", 1000, 3000)) == pytest.approx(2e-8)
    assert np.isnan(read.mean_rate(Region("2", 0, 3000)))


def test_plink_map_begins_at_one_and_holds_all_contigs(tmp_path: Path) -> None:
    write_plink_map(tmp_path / "map.map", [Region("1", 0, 1_000_000), Region("2", 0, 10)], [1e-8, NAN])
    assert (tmp_path / "map.map").read_text() == "1\t.\t0\t1\n1\t.\t1\t1000000\n"


def test_bedgraph_leaves_unknown_windows_out(tmp_path: Path) -> None:
    write_bedgraph(tmp_path / "map.bedgraph", WINDOWS[:3], [1.25e-8, NAN, 0.0])
    assert (tmp_path / "map.bedgraph").read_text() == "2\t1000\t2000\t1.25e-08\n2\t3000\t4000\t0\n"


def test_no_rate_at_all_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match=r"map\.txt: no window of contig 2"):
        write_hapmap(tmp_path / "map.txt", WINDOWS, [NAN] * 5)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="one contig"):
        write_hapmap(tmp_path / "map.txt", [*WINDOWS, Region("3", 0, 5)], [1e-8] * 6)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pos chr cM\n5 2 0.1\n4 2 0.2\n", "line 3: position or map goes down"),
        ("pos chr cM\n5 2 0.1\n9 2 x\n", "line 3: expected a position"),
        ("pos chr cM\n5 2 0.1\n9 3 0.2\n", "several contigs"),
        ("a b c\n5 2 0.1\n9 3 0.2\n", "line 1: the header names no position"),
        ("pos chr cM\n", "holds no map"),
    ],
)
def test_bad_maps_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "bad.gmap").write_text(text)
    with pytest.raises(SewallError, match=rf"bad\.gmap.*{reason}"):
        read_hapmap(tmp_path / "bad.gmap")


@pytest.mark.parametrize("write", [write_bedgraph, write_plink_map, write_hapmap])
def test_every_format_that_is_written_is_read_back(tmp_path: Path, write: Callable[..., None]) -> None:
    windows, rates = [Region("2", 1_000 * k, 1_000 * (k + 1)) for k in range(1, 5)], [1e-8, 3e-8, 0.0, 2e-8]
    write(tmp_path / "map", windows, rates)
    maps = read_maps(tmp_path / "map")
    assert list(maps) == ["2"]
    np.testing.assert_allclose(maps["2"].rates([1_000, 2_000, 3_000, 4_000, 5_000]), rates, rtol=1e-6, atol=1e-15)
    assert np.isnan(maps["2"].rates([0, 2_000, 6_000])).all()


def test_maps_of_several_contigs_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "map.bedgraph").write_text("track type=bedGraph\nchr1 0 1000 1e-8\nchr2 0 500 2e-8\nchr2 500 900 0\n")
    maps = read_maps(tmp_path / "map.bedgraph")
    assert [maps[name].rates([0, 500])[0] for name in ("chr1", "chr2")] == pytest.approx([1e-8, 2e-8])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 0 1000 1.2\n1 1000 2000 0.8\n", "line 1: a rate of 1.2 per bp"),
        ("1 0 1000 1e-8\n1 500 2000 1e-8\n", "overlap or are out of order"),
        ("1 0 1000 1e-8\n1 1000 2000 x\n", "line 2: expected contig, start, end and rate"),
        ("1 . 0.1 5\n1 . 0.05 9\n", "line 2: position or map goes down"),
    ],
)
def test_bad_maps_without_a_header_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "bad.map").write_text(text)
    with pytest.raises(SewallError, match=rf"bad\.map.*{reason}"):
        read_maps(tmp_path / "bad.map")


def test_a_published_map(shared: Path) -> None:
    read = read_hapmap(shared / "hapmap_b37" / "chr2.b37.gmap.gz")
    assert read.mean_rate(Region("2", 134_000_000, 140_000_000)) * 6e8 == pytest.approx(5.615, abs=0.01)
