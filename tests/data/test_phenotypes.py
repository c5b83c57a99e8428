from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sewall.data.joining import match
from sewall.data.phenotypes import BINARY, QUANTITY, Phenotypes, read_phenotypes, read_sex
from sewall.errors import SewallError


def table(tmp_path: Path, *lines: str, ends: str = "\n", name: str = "traits.tsv") -> Path:
    path = tmp_path / name
    path.write_bytes(ends.join([*lines, ""]).replace(" ", "\t").encode())
    return path


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_ids_stay_text_and_missing_values_are_counted(tmp_path: Path, ends: str) -> None:
    rows = ['"Taxa" "height" "yield" "same"', "007 1.5 NA 3", "33-16 4 2 3", "8e2 . -1 NA", "811 7 0 3"]
    found = read_phenotypes(table(tmp_path, *rows, ends=ends))
    assert found.sample_ids == ["007", "33-16", "8e2", "811"] and list(found.traits) == ["height", "yield"]
    np.testing.assert_array_equal(found.traits["yield"], [np.nan, 2, -1, 0])
    np.testing.assert_array_equal(found.traits["height"], [1.5, 4, np.nan, 7])
    assert found.counts == {"height": 1, "yield": 1}


def test_minus_nine(tmp_path: Path) -> None:
    path = table(tmp_path, "id a b", "x -9 -9", "y 1 -2", "z 5 -9.5", "w 3 7")
    found = read_phenotypes(path)
    np.testing.assert_array_equal(found.traits["a"], [np.nan, 1, 5, 3])
    np.testing.assert_array_equal(found.traits["b"], [-9, -2, -9.5, 7])
    assert found.counts == {"a": 1} and "1 values -9 of a" in found.notes[0] and len(found.notes) == 1


def test_binary_traits(tmp_path: Path) -> None:
    found = read_phenotypes(
        table(tmp_path, "id case zero size odd", "x 1 0 1 3", "y 2 1 2 8", "z 2 NA 3 8", "w -9 0 1 3")
    )
    np.testing.assert_array_equal(found.traits["case"], [0, 1, 1, np.nan])
    np.testing.assert_array_equal(found.traits["zero"], [0, 1, np.nan, 0])
    assert found.kinds == {"case": BINARY, "zero": BINARY, "size": QUANTITY, "odd": BINARY}
    assert found.notes[1:] == (f"{found.path}: odd has two values; 3 became 0 and 8 became 1",)


def test_columns_that_hold_ids(tmp_path: Path) -> None:
    named = table(tmp_path, "height sample_id other", "1 a u", "2 b v", "4 c w")
    assert read_phenotypes(named).sample_ids == ["a", "b", "c"]
    assert read_phenotypes(named, ids="other").sample_ids == ["u", "v", "w"]
    plink = read_phenotypes(table(tmp_path, "#FID IID height", "f a 1", "g b 2", "h c 4"))
    assert plink.sample_ids == ["a", "b", "c"] and list(plink.traits) == ["height"]
    of_r = read_phenotypes(table(tmp_path, "height width", "a 1 5", "b 2 6", "c 4 9"))
    assert of_r.sample_ids == ["a", "b", "c"] and list(of_r.traits) == ["height", "width"]


COVARIATES = [
    "id t sex site age",
    "a 1 F north 30",
    "b 2 M south 31",
    "c 4 F north 50",
    "d 6 F west NA",
    "e 9 M south 9",
]


def test_categories_become_columns(tmp_path: Path) -> None:
    found = read_phenotypes(table(tmp_path, *COVARIATES), covariates=["sex", "site", "age"], groups="site")
    assert list(found.covariates) == ["sex=M", "site=south", "site=west", "age"] and list(found.traits) == ["t"]
    np.testing.assert_array_equal(found.covariates["sex=M"], [0, 1, 0, 0, 1])
    assert found.levels == {"sex": ["F", "M"], "site": ["north", "south", "west"]}
    assert found.groups is not None and found.groups.tolist() == ["north", "south", "north", "west", "south"]
    assert found.counts == {"age": 1}


def test_levels_of_training_are_kept_for_prediction(tmp_path: Path) -> None:
    path = table(tmp_path, "id sex", "a M", "b NA")
    found = read_phenotypes(path, [], ["sex"], levels={"sex": ["F", "M"]})
    np.testing.assert_array_equal(found.covariates["sex=M"], [1, np.nan])
    with pytest.raises(SewallError, match=r"traits.tsv, line 2: sex is 'M', unknown in training; its levels are F, X"):
        read_phenotypes(path, [], ["sex"], levels={"sex": ["F", "X"]})


def test_numbers_that_may_be_codes(tmp_path: Path) -> None:
    path = table(tmp_path, "id t batch", *(f"s{k} {k * k} {k % 3}" for k in range(9)))
    found = read_phenotypes(path, ["t"], ["batch"])
    assert list(found.covariates) == ["batch"] and "batch has 3 whole numbers" in found.notes[0]
    found = read_phenotypes(path, ["t"], ["batch"], categories=["batch"])
    assert list(found.covariates) == ["batch=1", "batch=2"] and not found.notes


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (["id t", "a 1", "b tall"], {"traits": ["t"]}, r"line 3: 'tall' in t is not a number; write NA"),
        (["id t", "a 1", "b inf"], {"traits": ["t"]}, r"line 3: 'inf' in t is not a number"),
        (["id t", "a 1", "a 2"], {}, "sample a occurs more than once"),
        (["id t", "a 3", "b 3"], {"traits": ["t"]}, "trait t is 3 in all 2 individuals; there is nothing to learn"),
        (
            ["id t", "a 1", "b 1", "c NA"],
            {"traits": ["t"]},
            "trait t is 1 in all 2 individuals; a binary trait needs both classes",
        ),
        (["id t", "a NA", "b -9"], {"traits": ["t"]}, "trait t has no value for any of these 2 individuals"),
        (["id t", "a 1", "b"], {}, "line 3: has 1 columns, not 2"),
        (["id t t", "a 1 2"], {}, "column t occurs twice"),
        (["id t"], {}, "a header and no individuals"),
        (["id t", "a 1", "b 2"], {"traits": ["u"]}, "has no column u; its columns are t"),
        (["id t", "a 1", "b 2"], {"ids": "iid"}, "has no column iid of sample ids"),
        (
            ["id t c", *(f"a{k} {k} x{k}" for k in range(11))],
            {"covariates": ["c"]},
            "covariate c has 11 texts in 11 individuals",
        ),
        (["id t g", "a 1 u", "b 2 NA"], {"groups": "g"}, "column g has empty cells"),
        (["id t g", "a 1 4", "b 2 5"], {"categories": ["g"]}, "category g is no covariate; name it in --covariates"),
        (["id t", " 1", "b 2"], {}, "line 2: has no sample id"),
        ([], {}, "the file is empty"),
    ],
)
def test_bad_tables(tmp_path: Path, lines: list[str], options: dict[str, object], message: str) -> None:
    with pytest.raises(SewallError, match=f"traits.tsv.*{message}"):
        read_phenotypes(table(tmp_path, *lines), **options)


def cohort(tmp_path: Path) -> Phenotypes:
    return read_phenotypes(table(tmp_path, *COVARIATES), ["t"], ["sex", "age"])


def test_individuals_are_joined_by_id(tmp_path: Path) -> None:
    joined = match(["c", "x", "a", "e", "b", "d"], cohort(tmp_path), "set.bed", allow_missing=True)
    assert joined.rows.tolist() == [0, 2, 3, 4] and joined.phenotypes.sample_ids == ["c", "a", "e", "b"]
    np.testing.assert_array_equal(joined.phenotypes.traits["t"], [4, 1, 9, 2])
    np.testing.assert_array_equal(joined.over_panel(joined.phenotypes.traits)[:, 0], [4, np.nan, 1, 9, 2, np.nan])
    assert "1 of 6 samples of set.bed are not in it (first: x)" in joined.notes[0]
    assert "1 of 5 samples lack covariates (age; first: d); --allow-missing leaves them out" not in joined.notes[1]


def test_strangers_are_counted_and_named_on_both_sides(tmp_path: Path) -> None:
    with pytest.raises(SewallError) as error:
        match(["x", "a", "y", "b"], cohort(tmp_path), tmp_path / "set.bed")
    assert str(error.value) == (
        "traits.tsv: 3 of 5 samples are not in set.bed (first: c) and 2 of 4 samples of set.bed are not in it "
        "(first: x); --allow-missing leaves them out"
    )
    with pytest.raises(SewallError, match=r"1 of 5 samples lack covariates \(age; first: d\); --allow-missing"):
        match(list("abcde"), cohort(tmp_path), "set.bed")


def test_nobody_matches(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match=r"none of its 5 samples is in set.bed \(a here, q there\); name the column"):
        match(["q", "r"], cohort(tmp_path), "set.bed", allow_missing=True)
    with pytest.raises(SewallError, match="FID_IID"):
        match(["f_a", "f_b"], cohort(tmp_path), "set.bed", allow_missing=True)


def test_collinear_covariates_are_left_out(tmp_path: Path) -> None:
    lines = ["id t u v w one", *(f"s{k} {k * k} {k} {3 * k + 7} {k % 2} 4" for k in range(8))]
    found = read_phenotypes(table(tmp_path, *lines), ["t"], ["u", "v", "w", "one"])
    joined = match(found.sample_ids, found, "set.bed")
    assert list(joined.phenotypes.covariates) == ["u", "w"]
    assert "covariates v, one say nothing" in joined.notes[0]
    kept = match(found.sample_ids, found, "set.bed", drop_collinear=False)
    assert list(kept.phenotypes.covariates) == ["u", "v", "w", "one"]


def test_a_trait_that_no_longer_varies(tmp_path: Path) -> None:
    found = read_phenotypes(table(tmp_path, "id case", "a 0", "b 0", "c 1"))
    with pytest.raises(SewallError, match="case is 0 in all 2 individuals; a binary trait needs both classes"):
        match(["a", "b"], found, "set.bed", allow_missing=True)


def test_sexes(tmp_path: Path) -> None:
    path = table(tmp_path, "id height Sex", "a 1 M", "b 2 female", "c 4 NA", "d 4 2")
    assert read_sex(path) == {"a": "M", "b": "female", "c": "", "d": "2"}
    only = table(tmp_path, "id what", "007 1", "8 2", name="only.tsv")
    assert read_sex(only) == read_sex(only, "what") == {"007": "1", "8": "2"}


@pytest.mark.parametrize(
    ("lines", "column", "message"),
    [
        (["id sex", "a M", "b boar"], None, "line 3: sex 'boar' of b is not known; write male, female or NA"),
        (["id sex", "a 0", "b 1"], None, "sex is 0 and 1, which may mean either"),
        (["id u v", "a 1 1"], None, "which column is the sex"),
        (["id u v", "a 1 1"], "sex", "has no column sex; its columns are u, v"),
    ],
)
def test_bad_sexes(tmp_path: Path, lines: list[str], column: str | None, message: str) -> None:
    with pytest.raises(SewallError, match=f"traits.tsv.*{message}"):
        read_sex(table(tmp_path, *lines), column)


def test_real_tables(shared: Path) -> None:
    rice = read_phenotypes(shared / "rice44k/44kPhenos.csv", ids="PlinkIDs")
    assert rice.traits.shape == (374, 27) and rice.sample_ids[:2] == ["1", "10"]
    maize = read_phenotypes(shared / "maize281/mdp_traits.txt")
    assert maize.sample_ids[:2] == ["811", "4226"] and len(maize) == 301
    mice = read_phenotypes(shared / "mice1814/mice_pheno.csv", ["Obesity.EndNormalBW"], ["GENDER", "CoatColour"])
    assert mice.covariates["GENDER=F"].sum() == 880 and len(mice.levels["CoatColour"]) == 9
