from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import zarr
from bed_reader import to_bed

from sewall.data import sites
from sewall.data.convert import as_vcz
from sewall.data.panel import AUTOSOME, HAPLOID, Panel, X, Y
from sewall.data.panels import codes as site_codes
from sewall.data.panels import sexes, split_rows
from sewall.data.panels.dosages import dosages_of
from sewall.data.panels.hapmap import AMBIGUOUS
from sewall.data.panels.reading import open_panel
from sewall.errors import SewallError

Write = Callable[..., Path]


@pytest.fixture
def read(tmp_path: Path, write_vcf: Write) -> Callable[..., Panel]:
    def from_rows(rows: Sequence[str], samples: Sequence[str] = ("a", "b", "c"), **options: object) -> Panel:
        return open_panel(write_vcf(rows, samples), tmp_path / "cache", **options)

    return from_rows


def everyone(panel: Panel) -> np.ndarray:
    return panel.dosages(np.arange(len(panel)), slice(0, len(panel.sites))).T


def test_phased_missing_and_partly_missing(read: Callable[..., Panel]) -> None:
    panel = read(["1 10 A G 0|1 1|1 0|0", "1 20 C T ./. 0/. 0/1", "2 5 G A . 1/1 0/0"])
    nan = np.nan
    np.testing.assert_array_equal(everyone(panel), [[1, 2, 0], [nan, nan, 1], [nan, 2, 0]])
    assert panel.sites.position.tolist() == [9, 19, 4] and panel.sites.chrom.tolist() == ["1", "1", "2"]
    assert panel.sites.alleles.tolist() == [["A", "G"], ["C", "T"], ["G", "A"]]
    assert panel.calls.bits == 2 and panel.counts == {}


def test_birds(read: Callable[..., Panel]) -> None:
    rows = ["1 10 A G 0/1 0/1 1/1", "Z 20 A G 0/1 0/1 1/1", "Z 30 A G 1 0/1 0/0", "W 20 A G 1/1 0/0 ./."]
    panel = read(rows, sex={"a": "F", "b": "M", "c": "M"}, sex_system="ZW", keep_constant=True)
    nan = np.nan
    np.testing.assert_array_equal(everyone(panel), [[1, 1, 2], [nan, 1, 2], [1, 1, 0], [1, nan, nan]])
    assert panel.counts == {sexes.ZW.het_large: 1, sexes.ZW.absent_small: 1}
    assert panel.check is not None and panel.check.impossible[sexes.ZW.het_large].tolist() == [1, 0, 0]


def test_third_alleles_stand_beside_the_calls(read: Callable[..., Panel]) -> None:
    panel = read(["1 10 A C,T 0/2 1/2 2/2", "1 11 A C,T,G 0/1 3/2 ./2", "1 12 A C 0/0 0/1 1/1"])
    assert panel.sites.alleles.tolist() == [["A", "T"], ["A", "C"], ["A", "C"]]
    np.testing.assert_array_equal(everyone(panel), [[1, 1, 2], [1, 0, np.nan], [0, 1, 2]])
    assert list(zip(panel.odd.site.tolist(), panel.odd.sample.tolist(), strict=True)) == [(0, 1), (1, 1)]
    np.testing.assert_array_equal(panel.odd.code, [[0, 1, 0, 1, 0], [0, 0, 1, 1, 0]])
    assert panel.counts == {site_codes.MANY_ALLELES: 2}


def test_split_records_become_one_site(read: Callable[..., Panel]) -> None:
    whole = read(["1 10 A C,T 0/1 1/2 2/2"])
    split = read(["1 10 A C 0/1 1/0 0/0", "1 10 A T 0/0 0/1 1/1", "1 10 A C 0/0 0/1 0/0", "1 10 AT A 0/1 0/0 0/1"])
    assert len(split.sites) == 2 and split.sites.alleles[0].tolist() == whole.sites.alleles[0].tolist() == ["A", "T"]
    np.testing.assert_array_equal(everyone(split)[:1], everyone(whole))
    np.testing.assert_array_equal(split.odd.code, whole.odd.code)
    assert split.counts[split_rows.REPEATED] == 1


def test_split_records_merge_whatever_is_called_ref(read: Callable[..., Panel]) -> None:
    panel = read(["1 10 A C 0/1 1/. 0/0", "1 10 T A 1/1 ./0 0/1", "2 9 A C 1/1 0/0 0/1", "2 9 A G 0/1 0/1 0/0"])
    assert panel.sites.alleles[0, 0] == "A"
    np.testing.assert_array_equal(everyone(panel)[0], [1, 1, 0])
    assert panel.odd.code[panel.odd.site == 0].tolist() == [[0, 1, 0, 1, 0], [1, 0, 0, 1, 0]]
    assert np.isnan(everyone(panel)[1, 0])  # three copies in a diploid
    assert panel.counts[split_rows.TOO_MANY_COPIES] == 1


def test_a_position_is_not_torn_by_a_block(tmp_path: Path, write_vcf: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sewall.data.vcf._CHUNK_GENOTYPES", 6)  # a hundred rows a block
    rows = [f"1 {k} A C 0/1 0/0 1/1" for k in range(1, 100)]
    rows += ["1 100 A C 0/1 0/0 0/0", "1 100 A T 0/0 1/1 0/0", "1 101 A T 0/0 1/1 0/0"]
    panel = open_panel(write_vcf(rows), tmp_path / "cache")
    assert len(panel.sites) == 101 and panel.odd.site.tolist() == [99]


def test_alleles_that_are_not_letters_are_kept_and_counted(read: Callable[..., Panel]) -> None:
    long = "A" * 300
    panel = read(
        ["1 10 A ATT 0/1 0/0 1/1", f"1 20 {long} A 0/1 0/0 1/1", "1 30 A <DEL> 0/1 0/0 1/1", "1 40 C *,G 0/1 2/2 0/2"]
    )
    assert panel.sites.letters[:3].tolist() == [[0, -1], [-1, 0], [0, -1]]
    assert panel.sites.alleles[1, 0].startswith("AAAAAAAA~300~")
    assert panel.counts[site_codes.NOT_LETTERS] == 2 and panel.counts[site_codes.SYMBOLIC] == 2
    np.testing.assert_array_equal(panel.odd.code, [[0, 1, 0, 0, 1]])


def test_monomorphic_sites_are_kept_for_prediction_only(read: Callable[..., Panel]) -> None:
    rows = ["1 10 A G 0/0 0/0 0/0", "1 20 A G 0/1 0/0 0/0", "1 30 C . 0/0 0/0 0/0", "1 40 A G ./. ./. ./."]
    panel = read(rows)
    assert panel.sites.position.tolist() == [19]
    assert panel.counts == {sites.CONSTANT: 2, sites.NOT_CALLED: 1}
    kept = read(rows, keep_constant=True)
    assert kept.sites.position.tolist() == [9, 19, 29] and kept.sites.alleles[2].tolist() == ["C", ""]


def test_one_individual_is_read_as_in_a_crowd(tmp_path: Path, write_vcf: Write) -> None:
    path = write_vcf(["1 10 A G 0/0 1/1 0/1", "1 20 A G,C 2/2 0/1 1/1", "1 30 A G 1/1 0/0 1/1"])
    crowd = open_panel(path, tmp_path / "cache", keep_constant=True)
    alone = open_panel(path, tmp_path / "cache", samples=["a"], keep_constant=True)
    np.testing.assert_array_equal(everyone(alone)[[0, 2], 0], everyone(crowd)[[0, 2], 0])
    assert alone.sites.alleles[1].tolist() == ["A", "C"] and everyone(alone)[1, 0] == 2  # the same letters, as an ALT
    assert crowd.odd.code[0].tolist() == [0, 2, 0, 0, 0]


def test_a_site_seen_only_in_partly_missing_calls_is_constant(read: Callable[..., Panel]) -> None:
    assert read(["1 10 A G 0/0 ./1 0/0", "1 20 A G 0/0 0/1 0/0"]).counts == {sites.CONSTANT: 1}


def test_chosen_samples_in_their_order(tmp_path: Path, write_vcf: Write) -> None:
    path = write_vcf(["1 10 A G 0/1 1/1 0/0", "1 20 A G 0/1 0/0 0/0"])
    panel = open_panel(path, tmp_path / "cache", samples=["c", "b"])
    assert panel.sample_ids == ["c", "b"]
    np.testing.assert_array_equal(everyone(panel), [[0, 2]])


def test_tetraploids(read: Callable[..., Panel]) -> None:
    panel = read(["1 10 A G 0/0/0/1 1/1/1/1 ./././.", "1 20 A C,T 0/1/1/2 0/0/1/1 0/0/0/0"])
    assert (panel.calls.bits, panel.calls.steps) == (8, 4)
    np.testing.assert_array_equal(everyone(panel), [[1, 4, np.nan], [2, 2, 0]])
    np.testing.assert_array_equal(panel.odd.code, [[1, 2, 0, 1, 0]])


def test_individuals_of_several_ploidies(read: Callable[..., Panel]) -> None:
    panel = read(["1 10 A G 0/0/0/1 1/1/0 0/1", "1 20 A G 0/0/1/1 0/0/1 1/1"])
    assert panel.copies[AUTOSOME].tolist() == [4, 3, 2] and panel.calls.steps == 12
    np.testing.assert_allclose(everyone(panel), [[1, 2, 1], [2, 1, 2]], rtol=1e-6)


def test_haploids(read: Callable[..., Panel]) -> None:
    panel = read(["1 10 A G 0 1 .", "1 20 A G 0 1 1"])
    np.testing.assert_array_equal(everyone(panel), [[0, 1, np.nan], [0, 1, 1]])


def test_sex_chromosomes(read: Callable[..., Panel]) -> None:
    rows = [
        "chr1 10 A G 0/1 0/1 1/1",
        "chrX 70000 A G 0/1 0/1 1/1",  # pseudo-autosomal
        "chrX 5000000 A G 1 0/1 1/1",
        "chrX 5000001 A G 0/1 0/1 0/0",
        "chrX 5000002 A C,T 2/2 1/2 1/1",
        "chrY 5000000 A G 1 . 0/0",
        "chrM 7 A G 1 0/1 0",
    ]
    panel = read(rows, sex={"a": "male", "b": "female", "c": "female"}, build="hg19", keep_constant=True)
    assert panel.sites.inheritance.tolist() == [AUTOSOME, AUTOSOME, X, X, X, Y, HAPLOID]
    nan = np.nan
    expected = [[1, 1, 2], [1, 1, 2], [1, 1, 2], [nan, 1, 0], [0, 1, 2], [1, nan, nan], [1, 0.5, 0]]
    np.testing.assert_array_equal(everyone(panel), expected)
    np.testing.assert_array_equal(panel.odd.code, [[0, 0, 0, 1, 0], [0, 1, 0, 1, 0]])
    assert panel.counts[sexes.MALE_HET_X] == 1 and panel.counts[sexes.FEMALE_Y] == 1
    varying = read(rows, sex={"a": "male", "b": "female", "c": "female"}, build="hg19")
    assert Y not in varying.sites.inheritance and varying.counts[sites.CONSTANT] == 1


def test_unknown_sex_is_said(read: Callable[..., Panel]) -> None:
    panel = read(["X 10 A G 0/1 1/1 0/0"])
    assert panel.copies[X].tolist() == [2, 2, 2]
    assert any("sex of 3 individuals is unknown (a, b, c): taken as female" in note for note in panel.notes)


def fileset(path: Path, codes: np.ndarray, sex: Sequence[int], chrom: Sequence[str], alleles: Sequence[str]) -> Path:
    """Write ``(samples, sites)`` copies of A1; alleles are 'A1A2'."""
    properties = {
        "iid": [f"s{k}" for k in range(len(codes))],
        "sex": list(sex),
        "chromosome": list(chrom),
        "bp_position": list(range(1, len(chrom) + 1)),
        "allele_1": [pair[0] for pair in alleles],
        "allele_2": [pair[1] for pair in alleles],
    }
    to_bed(path, codes.astype(float), properties=properties)
    return path


def test_plink(tmp_path: Path) -> None:
    codes = np.array([[0, 1, 2, 0, 2, 0], [2, np.nan, 2, 0, 2, 2], [1, 2, 2, 0, 1, 0]])
    path = fileset(tmp_path / "p.bed", codes, [1, 2, 2], [*"11123", "23"], ["AG", "CT", "AA", "0A", "GT", "TC"])
    panel = open_panel(path, tmp_path / "cache")
    assert panel.sites.chrom.tolist() == ["1", "1", "3", "23"]
    assert panel.copies[X].tolist() == [1, 2, 2]
    np.testing.assert_array_equal(everyone(panel), [[0, 2, 1], [1, np.nan, 2], [2, 2, 1], [0, 2, 0]])
    assert panel.counts == {sites.CONSTANT: 2}
    assert any("23 was read as X" in note for note in panel.notes)
    kept = open_panel(path, tmp_path / "cache", keep_constant=True)
    assert kept.sites.alleles[2:4].tolist() == [["A", ""], ["A", ""]]
    np.testing.assert_array_equal(everyone(kept)[2:4], np.zeros((2, 3)))


def test_plink_alleles_that_cannot_be_told_apart(tmp_path: Path) -> None:
    codes = np.array([[0, 1, 2], [2, 1, 2], [1, 2, 0]])
    path = fileset(tmp_path / "p.bed", codes, [0, 0, 0], list("111"), ["AA", "0C", "CT"])
    panel = open_panel(path, tmp_path / "cache")
    assert len(panel.sites) == 1
    assert panel.counts == {site_codes.SAME_ALLELES: 1, site_codes.UNKNOWN_ALLELE: 1}


def test_no_place_is_counted(tmp_path: Path) -> None:
    path = fileset(tmp_path / "p.bed", np.array([[0, 1, 2], [2, 1, 1], [1, 2, 0]]), [0] * 3, list("011"), ["AC"] * 3)
    bim = path.with_suffix(".bim")
    bim.write_text(bim.read_text().replace("\t3\tA", "\t0\tA"))
    panel = open_panel(path, tmp_path / "cache")
    assert len(panel.sites) == 1 and panel.counts == {site_codes.NO_PLACE: 2}


def test_variants_with_a_genetic_position_only_are_placed(tmp_path: Path) -> None:
    path = fileset(
        tmp_path / "p.bed", np.array([[0, 1, 2, 1], [2, 1, 1, 0], [1, 2, 0, 0]]), [0] * 3, "1111", ["AC"] * 4
    )
    bim = path.with_suffix(".bim")
    places = [("1.0", "1000"), ("1.5", "-9"), ("2.0", "2000"), ("2.0", "-9")]
    bim.write_text("".join(f"1\tr{k}\t{cm}\t{bp}\tA\tC\n" for k, (cm, bp) in enumerate(places)))
    panel = open_panel(path, tmp_path / "cache")
    assert panel.sites.name.tolist() == ["r0", "r1", "r2", "r3"] and panel.sites.position[1:].tolist() == [
        1499,
        1999,
        2000,
    ]
    np.testing.assert_array_equal(everyone(panel)[3], [1, 0, 0])
    assert panel.counts == {} and "2 variants have a position in cM only" in panel.notes[0]


def test_no_usable_site(read: Callable[..., Panel]) -> None:
    with pytest.raises(SewallError, match=r"cohort.vcf: no site can be used \(does not vary in these samples: 1\)"):
        read(["1 10 A G 0/0 0/0 0/0"])


def test_expected_dosages_of_vcf_zarr(tmp_path: Path, write_vcf: Write) -> None:
    store = as_vcz(write_vcf(["1 10 A G 0/1 1/1 0/0", "1 20 A G 0/1 1/1 0/0"]), tmp_path / "c").store
    root = zarr.open_group(store, mode="r+")
    root["call_DS"] = np.array([[1.2, 1.9, np.nan], [0.5, 0, 2]], np.float32)
    root["call_GP"] = np.array([[[0.1, 0.6, 0.3], [0, 0, 1], [1, 0, 0]]] * 2, np.float32)
    root["call_PL"] = np.array([[[30, 0, 30], [60, 30, 0], [-1, -1, -1]]] * 2, np.int32)
    expected = {"DS": [[1.2, 1.9, np.nan], [0.5, 0, 2]], "GP": [[1.2, 2, 0]] * 2, "PL": [[1, 2, np.nan]] * 2}
    for field, dosages in expected.items():
        panel = open_panel(store, tmp_path / "c", field=field)
        np.testing.assert_allclose(everyone(panel), dosages, atol=0.02 if field == "PL" else 0.004)
    with pytest.raises(SewallError, match=r"bare.vcf: has no field DS in any record; leave --field out"):
        open_panel(write_vcf(["1 10 A G 0/1 1/1 0/0"], name="bare.vcf"), tmp_path / "c", field="DS")
    with pytest.raises(SewallError, match="has no field GL; leave --field out"):
        open_panel(store, tmp_path / "c", field="GL")


UNCERTAIN = """##fileformat=VCFv4.2
##FORMAT=<ID=GT,Number=1,Type=String,Description="">
##FORMAT=<ID=DS,Number=A,Type=Float,Description="">
##FORMAT=<ID=GP,Number=G,Type=Float,Description="">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="">
##FORMAT=<ID=GL,Number=G,Type=Float,Description="">
#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT a b c
1 10 rs1 A G . PASS . DS:GP:PL:GL 1.2:.1,.6,.3:30,0,30:-3,0,-3 2:0,0,1:60,30,0:-6,-3,0 .:.:.:.
1 20 . A G,T . PASS . DS 1.2,0 0,1 0,0
X 30 rs3 C T . PASS . GT:DS:GP:PL:GL 1:.9:.1,.9:40,0:-4,0 0/1:1:0,1,0:40,0,40:-4,0,-4 0/0:0:1,0,0:0,40,40:0,-4,-4
"""


def test_expected_dosages_of_vcf_text(tmp_path: Path) -> None:
    lines = [line if line.startswith("##") else line.replace(" ", "\t") for line in UNCERTAIN.splitlines()]
    path = text(tmp_path / "imputed.vcf", *lines)
    for field, first in {"DS": 1.2, "GP": 1.2, "PL": 1, "GL": 1}.items():
        panel = open_panel(path, tmp_path / "c", field=field, sex={"a": "M", "b": "F", "c": "F"})
        expected = [[first, 2, np.nan], [0.9 if field in ("DS", "GP") else 1, 1, 0]]
        np.testing.assert_allclose(everyone(panel), expected, atol=0.02)
        assert panel.sites.name.tolist() == ["rs1", "rs3"]
    assert panel.counts[sites.NOT_CALLED] + panel.counts.get(site_codes.DOSAGE_ALLELES, 0) == 1


def test_likelihoods_lean_on_the_frequency() -> None:
    flat, sure = [0, 0, 0], [0, 90, 90]
    values = np.array([[flat] + [sure] * 19], float)
    share = dosages_of("PL", values, np.full((1, 20), 2))
    assert share[0, 0] < 10 and (share[0, 1:] == 0).all()
    haploid = dosages_of("PL", np.array([[[0.0, 3.0, np.nan]] * 4]), np.ones((1, 4), np.intp))
    assert (haploid < 127).all() and (haploid != 255).all()


def test_what_only_traits_need_is_not_in_the_other_copy(tmp_path: Path, write_vcf: Write) -> None:
    path = write_vcf(["1 10 A G 0/1 1/1 0/0"])
    plain, kept = as_vcz(path, tmp_path / "c").store, as_vcz(path, tmp_path / "c", keep=("ID",)).store
    assert plain != kept
    assert set(zarr.open_group(kept, mode="r")) - set(zarr.open_group(plain, mode="r")) == {
        "variant_id",
        "variant_id_mask",
    }


def text(path: Path, *lines: str, ends: str = "\n") -> Path:
    content = ends.join([*lines, ""]).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def test_matrix_with_ids(tmp_path: Path) -> None:
    path = text(tmp_path / "m.csv.gz", '"","m1","m2","m3"', '"007",0,1,2', '"8",2,NA,2', '"33-16",1,0,2', ends="\r")
    panel = open_panel(path, tmp_path)
    assert panel.sample_ids == ["007", "8", "33-16"] and panel.sites.name.tolist() == ["m1", "m2"]
    np.testing.assert_array_equal(everyone(panel), [[0, 2, 1], [1, np.nan, 0]])
    assert panel.sites.letters.tolist() == [[-1, -1]] * 2 and panel.counts == {sites.CONSTANT: 1}
    some = open_panel(path, tmp_path, samples=["33-16", "007"])
    np.testing.assert_array_equal(everyone(some), [[1, 0], [0, 1]])


def test_matrix_without_ids_and_without_twos(tmp_path: Path) -> None:
    path = text(tmp_path / "m.tsv", "m1\tm2", "0\t1", "1\t1", "1\t0")
    panel = open_panel(path, tmp_path)
    assert panel.sample_ids == ["1", "2", "3"]
    np.testing.assert_array_equal(everyone(panel), [[0, 2, 2], [2, 2, 0]])
    assert len(panel.notes) == 2


def test_ids_that_look_like_genotypes(tmp_path: Path) -> None:
    path = text(tmp_path / "m.tsv", "plant\tm1", "0\t0", "1\t2", "2\t1")
    assert open_panel(path, tmp_path).sites.name.tolist() == ["plant", "m1"]
    panel = open_panel(path, tmp_path, row_names=True)
    assert panel.sample_ids == ["0", "1", "2"] and panel.sites.name.tolist() == ["m1"]


def test_matrix_of_fractions(tmp_path: Path) -> None:
    panel = open_panel(text(tmp_path / "m.csv", "id,m1", "a,0.3", "b,2", "c,1.5"), tmp_path)
    assert panel.calls.steps == 254
    np.testing.assert_allclose(everyone(panel), [[0.3, 2, 1.5]], atol=0.004)


def test_matrix_with_a_map(tmp_path: Path) -> None:
    path = text(tmp_path / "m.csv", "id,r_1_G,r2_T,r3_A,r4", "a,0,1,2,1", "b,2,1,1,0", "c,1,0,0,0")
    sites_map = text(
        tmp_path / "map.csv", "snp_id,chr,mbp,alleles", "r3_A,2,0.5,G;A", "r_1_G,X,7.1,A;G", "r2_T,2,0.1,T;C"
    )
    panel = open_panel(path, tmp_path, sites=sites_map)
    assert panel.sites.name.tolist() == ["r_1", "r2", "r3"] and panel.sites.chrom.tolist() == ["X", "2", "2"]
    assert panel.sites.alleles.tolist() == [["A", "G"], ["C", "T"], ["G", "A"]]
    assert panel.sites.position.tolist() == [0, 0, 1] and panel.sites.inheritance.tolist() == [X, AUTOSOME, AUTOSOME]
    np.testing.assert_array_equal(everyone(panel)[1:], [[1, 1, 0], [2, 1, 0]])
    assert panel.counts == {site_codes.NO_PLACE: 1}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["id,m1", "a,0", "b,x"], "line 3: 'x' is not a number of copies"),
        (["id,m1", "a,0", "b,3"], "line 3: '3' is not a number of copies"),
        (["id,m1", "a,0", "b,1,2"], "line 3: has 3 columns, not 2"),
        (["id,m1", "a,0", "a,1"], "sample a occurs more than once"),
        (["id,m1"], "holds no individuals"),
    ],
)
def test_bad_matrices(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(SewallError, match=message):
        open_panel(text(tmp_path / "m.csv", *lines), tmp_path)


HAPMAP = "rs alleles chrom pos strand assembly center protLSID assayLSID panel QCcode 811 33-16 c".replace(" ", "\t")


def hapmap_line(name: str, alleles: str, chrom: str, position: str, *calls: str) -> str:
    return "\t".join([name, alleles, chrom, position, "+", *["NA"] * 6, *calls])


def test_hapmap(tmp_path: Path) -> None:
    path = text(
        tmp_path / "m.hmp.txt",
        HAPMAP,
        hapmap_line("r2", "A/C", "1", "30", "AC", "NN", "CC"),
        hapmap_line("r1", "G/A", "1", "10", "R", "A", "G"),
        hapmap_line("r3", "A/C", "1", "40", "AG", "AA", "CC"),
        hapmap_line("r4", "-/T", "2", "40", "--", "T-", "NN"),
        hapmap_line("r5", "A/C", "2", "NA", "AA", "CC", "CC"),
        hapmap_line("r6", "A/C", "2", "50", "AA", "CC", "BB"),
        ends="\r\n",
    )
    panel = open_panel(path, tmp_path)
    assert panel.sample_ids == ["811", "33-16", "c"] and panel.sites.name.tolist() == ["r1", "r2", "r3", "r4", "r6"]
    assert panel.sites.alleles.tolist() == [["G", "A"], ["A", "C"], ["A", "C"], ["-", "T"], ["A", "C"]]
    nan = np.nan
    np.testing.assert_array_equal(everyone(panel), [[1, 2, 0], [1, nan, 2], [0, 0, 2], [0, 1, nan], [0, 2, nan]])
    np.testing.assert_array_equal(panel.odd.code, [[1, 0, 1, 0, 0]])
    assert panel.counts[AMBIGUOUS] == 1 and panel.counts[site_codes.NO_PLACE] == 1
    assert "were sorted" in panel.notes[0]


def test_hapmap_with_a_strange_call(tmp_path: Path) -> None:
    path = text(tmp_path / "m.hmp.txt", HAPMAP, hapmap_line("r2", "A/C", "1", "30", "AC", "Q7", "CC"))
    with pytest.raises(SewallError, match=r"m.hmp.txt, line 2: call 'Q7' of r2 cannot be read"):
        open_panel(path, tmp_path)


def test_plink_2(tmp_path: Path) -> None:
    pgenlib = pytest.importorskip("pgenlib")
    path = tmp_path / "p.pgen"
    writer = pgenlib.PgenWriter(bytes(path), 3, variant_ct=3, nonref_flags=False, allele_ct_limit=3)
    for calls, alleles in (([0, 1, 1, 1, -9, -9], 2), ([0, 2, 1, 2, 0, 0], 3), ([0, 0, 1, 1, 0, 1], 2)):
        writer.append_alleles(np.array(calls, np.int32), allele_ct=alleles)
    writer.close()
    rows = ["1\t10\tr1\tA\tG", "1\t20\tr2\tA\tC,T", "X\t30\tr3\tG\tT"]
    (tmp_path / "p.pvar").write_text("\n".join(["#CHROM\tPOS\tID\tREF\tALT", *rows, ""]))
    (tmp_path / "p.psam").write_text("#IID\tSEX\na\t1\nb\t1\nc\t2\n")
    panel = open_panel(path, tmp_path)
    np.testing.assert_array_equal(everyone(panel), [[1, 2, np.nan], [1, 1, 0], [0, 1, 1]])
    assert panel.sites.alleles.tolist() == [["A", "G"], ["A", "T"], ["G", "T"]]
    np.testing.assert_array_equal(panel.odd.code, [[0, 1, 0, 1, 0]])
    assert panel.copies[X].tolist() == [1, 1, 2]
    some = open_panel(path, tmp_path, samples=["c", "a"], keep_constant=True)
    np.testing.assert_array_equal(everyone(some), [[np.nan, 1], [0, 1], [1, 0]])
    np.testing.assert_array_equal(everyone(open_panel(path, tmp_path, field="DS")), [[1, 2, np.nan], [0, 1, 1]])


def test_plink_2_without_its_library(tmp_path: Path) -> None:
    if importlib.util.find_spec("pgenlib"):
        pytest.skip("pgenlib is installed")
    with pytest.raises(SewallError, match=r"install sewall\[plink2\]"):
        open_panel(tmp_path / "p.pgen", tmp_path)


def test_real_panels(shared: Path, tmp_path: Path) -> None:
    mouse = open_panel(shared / "mouse_hs1940/mouse_hs1940.bed", tmp_path)
    assert len(mouse) == 1940 and (mouse.copies[X] == 1).sum() == 993
    assert len(mouse.sites) == 10_996 and mouse.counts == {sites.CONSTANT: 1_230}
    maize = open_panel(shared / "maize281/mdp_genotype_test.hmp.txt.gz", tmp_path)
    assert len(maize) == 281 and len(maize.sites) + maize.counts[sites.CONSTANT] == 3_093
    wheat = open_panel(shared / "wheat599/wheat_X.csv.gz", tmp_path)
    assert (len(wheat), len(wheat.sites)) == (599, 1_279)
