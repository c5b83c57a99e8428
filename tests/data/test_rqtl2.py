"""Crosses of R/qtl2, written here as its guide describes them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sewall.data.panel import FEMALE, MALE, X
from sewall.data.panels.cross import PARTLY_KNOWN
from sewall.data.panels.reading import open_panel
from sewall.data.panels.sexes import MALE_HET_X
from sewall.data.phenotypes import read_phenotypes
from sewall.errors import SewallError

CONTROL: dict[str, Any] = {
    "crosstype": "f2", "na.strings": ["-", "NA"], "comment.char": "#", "geno": "g.csv", "pmap": "p.csv",
    "pheno": "t.csv", "covar": "c.csv", "genotypes": {"A": 1, "H": 2, "B": 3, "D": 4},
    "sex": {"covar": "who", "m": "male", "f": "female", "male": "m", "female": "f"}, "x_chr": "X",
}  # fmt: skip
FILES = {
    "g.csv": "# made\nid,m1,m2,m3,m4\n007,A,H,B,A\n8,B,-,H,D\n9,H,A,A,B\n",
    "p.csv": "marker,chr,pos\nm3,X,0.5\nm2,1,2.000001\nm1,1,1.5\n",
    "t.csv": "id,size\n007,1.5\n9,-\n8,4\n10,7\n",
    "c.csv": "id,who,batch\n007,m,x\n8,m,y\n9,f,x\n",
}


def cross(folder: Path, control: dict[str, Any] | None = None, **files: str) -> Path:
    path = folder / "cross.zip"
    named = {name.replace("_", "."): text for name, text in files.items()}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inside/cross.json", json.dumps(CONTROL | (control or {})))
        for name, text in (FILES | named).items():
            archive.writestr(f"inside/{name}", text)
    return path


def test_genotypes_places_and_sexes(tmp_path: Path) -> None:
    panel = open_panel(cross(tmp_path), tmp_path / "cache", keep_constant=True)
    assert panel.sample_ids == ["007", "8", "9"] and panel.sex.tolist() == [MALE, MALE, FEMALE]
    assert panel.sites.name.tolist() == ["m1", "m2", "m3"]
    assert panel.sites.position.tolist() == [1_499_999, 2_000_000, 499_999]
    assert panel.sites.inheritance.tolist() == [0, 0, X] and (panel.sites.alleles == "").all()
    nan = np.nan
    expected = [[0, 1, 1], [2, nan, nan], [1, 0, 0]]  # the second male has two X alleles
    np.testing.assert_array_equal(panel.dosages(np.arange(3), slice(0, 3)), expected)
    assert panel.counts == {"no chromosome or position": 1, MALE_HET_X: 1, PARTLY_KNOWN: 1}
    assert open_panel(cross(tmp_path), tmp_path, samples=["9", "007"], keep_constant=True).sample_ids == ["9", "007"]


def test_a_genetic_map_gives_the_order(tmp_path: Path) -> None:
    control = {"pmap": [], "gmap": "p.csv"}
    path = cross(tmp_path, {**control})
    with pytest.raises(SewallError, match="pmap has no columns"):
        open_panel(path, tmp_path)
    whole = {key: value for key, value in CONTROL.items() if key != "pmap"} | {"gmap": "p.csv"}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("c.json", json.dumps(whole))
        for name, text in FILES.items():
            archive.writestr(name, text)
    assert open_panel(path, tmp_path).sites.position.tolist() == [0, 1, 0]


def test_transposed_genotypes(tmp_path: Path) -> None:
    turned = "m,007,8,9\nm1,A,B,H\nm2,H,-,A\nm3,B,H,A\nm4,A,D,B\n"
    first = open_panel(cross(tmp_path), tmp_path)
    again = open_panel(cross(tmp_path, {"geno_transposed": True}, g_csv=turned), tmp_path)
    assert again.sample_ids == first.sample_ids
    np.testing.assert_array_equal(again.calls.data, first.calls.data)


def test_traits_and_covariates_are_one_table(tmp_path: Path) -> None:
    found = read_phenotypes(cross(tmp_path), ["size"], ["who", "batch"])
    assert found.sample_ids == ["007", "9", "8", "10"]
    np.testing.assert_array_equal(found.traits["size"], [1.5, np.nan, 4, 7])
    assert list(found.covariates) == ["who=f", "batch=y"]


@pytest.mark.parametrize(
    ("control", "files", "message"),
    [
        ({}, {"g_csv": "id,m1\n007,Q\n"}, "cross.zip: call 'Q' cannot be read; the control file must number"),
        ({}, {"g_csv": "id,m1\n007,A\n007,B\n"}, "g.csv, line 3: 007 occurs more than once"),
        ({}, {"g_csv": "id,m1\n007,A,B\n"}, "g.csv, line 2: has 3 columns, not 2"),
        ({"geno": "h.csv"}, {}, "h.csv: the control file names it, but it is not in the zip"),
        ({}, {"p_csv": "marker,chr,pos\nm9,1,2\n"}, "its pmap holds none of its 4 markers"),
        ({}, {"p_csv": "marker,chr,pos\nm1,1,far\n"}, "a position of its pmap is not a number"),
        ({"sex": {"covar": "sex"}}, {}, "its covariates have no column sex"),
    ],
)
def test_bad_crosses(tmp_path: Path, control: dict[str, Any], files: dict[str, str], message: str) -> None:
    with pytest.raises(SewallError, match=message):
        open_panel(cross(tmp_path, control, **files), tmp_path)


def test_not_a_cross(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK no")
    with pytest.raises(SewallError, match=r"a\.zip: is not a whole zip file"):
        open_panel(path, tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "")
    with pytest.raises(SewallError, match="holds 0 control files"):
        open_panel(path, tmp_path)


def test_diversity_outbred_mice(shared: Path, tmp_path: Path) -> None:
    panel = open_panel(shared / "mouse_do_x/DOex.zip", tmp_path)
    assert len(panel) == 261 and (panel.sex == MALE).sum() == 126
    assert {name: where.stop - where.start for name, where in panel.sites.chromosomes()} == {
        "2": 127,
        "3": 102,
        "X": 93,
    }
    table = read_phenotypes(shared / "mouse_do_x/DOex.zip", ["OF_immobile_pct"], ["Sex"])
    assert table.traits["OF_immobile_pct"].notna().sum() == 261 and table.sample_ids[0] == "1"
