"""Bad input, from the command line: each is refused in one line that says what, where and what to do, or is mended and
counted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sewall import trait
from sewall.cli import run
from sewall.jobs.trait import networks
from sewall.train import TrainConfig

PEOPLE = 72
IDS = [f"{k:03d}" for k in range(PEOPLE)]
MALES = np.arange(PEOPLE) % 2 == 0
SITES = {"A1": 30, "B2": 20, "X": 20, "Y": 8}
EMPTY = 11  # a woman without any call
BITS = np.array([3, 2, 0, 1], np.uint8)  # of 0, 1, 2 copies of A1, and of a missing call


class Fileset:
    """A PLINK 1 fileset, and a table of traits, that a test may spoil before they are written."""

    def __init__(self) -> None:
        rng = np.random.default_rng(6)
        self.codes = rng.binomial(2, 0.4, (sum(SITES.values()), PEOPLE)).astype(np.uint8)
        chroms = [name for name, count in SITES.items() for _ in range(count)]
        self.bim = [[chrom, f"s{k}", "0", str(100 * k + 100), "A", "C"] for k, chrom in enumerate(chroms)]
        self.fam = [["F", name, "0", "0", "1" if male else "2", "-9"] for name, male in zip(IDS, MALES, strict=True)]
        on_x, on_y = np.array(chroms) == "X", np.array(chroms) == "Y"
        self.codes[np.ix_(on_x | on_y, MALES)] = 2 * rng.binomial(1, 0.4, (on_x.sum() + on_y.sum(), MALES.sum()))
        self.codes[np.ix_(on_y, ~MALES)] = 3
        effects = rng.standard_normal(30)
        height = effects @ self.codes[:30] + 2 * rng.standard_normal(PEOPLE)
        self.header = ["sample_id", "height", "case", "age", "months", "batch", "plate"]
        self.table = [
            [name, f"{height[k]:.3f}", str(k % 2), str(20 + k % 30), str(12 * (20 + k % 30)), str(k % 3), "uvw"[k % 3]]
            for k, name in enumerate(IDS)
        ]
        self.magic = b"\x6c\x1b\x01"

    def write(self, folder: Path) -> None:
        padded = np.zeros((len(self.codes), -(-self.codes.shape[1] // 4) * 4), np.uint8)
        padded[:, : self.codes.shape[1]] = BITS[self.codes]
        quads = padded.reshape(len(padded), -1, 4)
        packed = quads[..., 0] | quads[..., 1] << 2 | quads[..., 2] << 4 | quads[..., 3] << 6
        (folder / "c.bed").write_bytes(self.magic + packed.astype(np.uint8).tobytes())
        for ending, rows in (("bim", self.bim), ("fam", self.fam)):
            (folder / f"c.{ending}").write_text("".join("\t".join(row) + "\n" for row in rows))
        (folder / "t.tsv").write_text("".join("\t".join(row) + "\n" for row in [self.header, *self.table]))

    def column(self, name: str, values: Callable[[int], str]) -> None:
        place = self.header.index(name)
        for k, row in enumerate(self.table):
            row[place] = values(k)


def train(folder: Path, *words: str) -> list[str]:
    return ["trait", "train", str(folder / "c.bed"), "--phenotypes", str(folder / "t.tsv"), "--trait", "height",
            "--folds", "3", "--threads", "1", "--seed", "1", "-q", "-o", str(folder / "out"), *words]  # fmt: skip


def no_id_fits(files: Fileset) -> None:
    files.column("sample_id", lambda k: str(k))  # as a spreadsheet writes 007


def sample_major(files: Fileset) -> None:
    files.magic = b"\x6c\x1b\x00"


def no_place(files: Fileset) -> None:
    for row in files.bim:
        row[3] = "0"


def no_allele(files: Fileset) -> None:
    for row in files.bim:
        row[4] = "0"


REFUSED: dict[str, tuple[Callable[[Fileset], Any], list[str], str]] = {
    "no id matches": (
        no_id_fits,
        [],
        r"t.tsv: none of its 72 samples is in c.bed \(0 here, 000 there\); name the column",
    ),
    "some ids do not": (
        lambda f: f.table.append(["stranger", *f.table[0][1:]]),
        [],
        r"t.tsv: 1 of 73 samples are not in c.bed \(first: stranger\); --allow-missing leaves them out",
    ),
    "an id twice in the table": (lambda f: f.table.append(f.table[5]), [], "t.tsv: sample 005 occurs more than once"),
    "an id twice in the .fam": (
        lambda f: f.fam[3].__setitem__(1, "005"),
        [],
        "c.fam: sample 005 occurs more than once",
    ),
    "text in a trait": (
        lambda f: f.table[7].__setitem__(1, "tall"),
        [],
        "t.tsv, line 9: 'tall' in height is not a number; write NA",
    ),
    "a constant trait": (
        lambda f: f.column("height", lambda _: "5.5"),
        [],
        "height is 5.5 in all 72 .*nothing to learn",
    ),
    "a binary trait with one class": (
        lambda f: f.column("height", lambda _: "1"),
        [],
        "height is 1 in all 72 individuals; .*needs both classes",
    ),
    "one class after joining": (
        lambda f: (
            f.column("height", lambda k: str(int(k > 69))),
            f.fam.__delitem__(slice(70, 72)),
            setattr(f, "codes", f.codes[:, :70]),
        ),
        ["--allow-missing"],
        "height is 0 in all 70 individuals; .*needs both classes",
    ),
    "no value of a trait": (
        lambda f: f.column("height", lambda _: "NA"),
        [],
        "height has no value for any of these 72",
    ),
    "a covariate of names": (
        lambda f: f.column("batch", lambda k: f"plate{k}"),
        ["--covariates", "batch"],
        "batch has 72 texts in 72 individuals, too many for a category",
    ),
    "a covariate with gaps": (
        lambda f: f.table[3].__setitem__(3, ""),
        ["--covariates", "age"],
        r"1 of 72 samples lack covariates \(age; first: 003\)",
    ),
    "groups with gaps": (
        lambda f: f.table[3].__setitem__(5, ""),
        ["--groups", "batch"],
        "column batch has empty cells",
    ),
    "a .bim too short": (lambda f: f.bim.pop(), [], "c.bed: is too long: .* bytes, but 77 variants of 72 samples take"),
    "a .bim too long": (lambda f: f.bim.append(f.bim[-1]), [], "c.bed: is truncated: .* but 79 variants of 72 samples"),
    "a .fam too short": (
        lambda f: f.fam.__delitem__(slice(0, 4)),
        [],
        "c.bed: is too long: .*; give the .bim and .fam",
    ),
    "sample-major order": (sample_major, [], "c.bed: is in sample-major order.*; write it variant by variant"),
    "no .bed at all": (lambda f: setattr(f, "magic", b"BED"), [], "c.bed: is not PLINK 1 binary data"),
    "a cut line in the .bim": (lambda f: f.bim[4].__delitem__(5), [], "c.bim, line 5: has 5 columns, not the six"),
    "text as a position": (
        lambda f: f.bim[4].__setitem__(3, "1e5"),
        [],
        "c.bim: a position is not a whole number .*1e5",
    ),
    "no position anywhere": (no_place, [], "c.bim: no variant has a contig and a position"),
    "no allele anywhere": (no_allele, [], r"c.bed: no site can be used \(an allele is unknown \(0\): \d+"),
    "fewer people than folds": (
        lambda f: None,
        ["--folds", "40"],
        "72 individuals have genotypes and height, and 80 are",
    ),
    "two folds": (lambda f: None, ["--folds", "2"], "--folds is the number of parts for cross-validation, 3 or more"),
    "a few people": (
        lambda f: f.column("height", lambda k: "NA" if k > 20 else str(k)),
        [],
        "21 individuals have genotypes and height",
    ),
    "an unknown sex": (lambda f: f.fam[2].__setitem__(4, "boar"), [], "sample 002: sex 'boar' is not known"),
    "a build of nobody": (lambda f: None, ["--build", "hg17"], "'hg17' is not one of"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_in_one_line(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change, words, message = REFUSED[what]
    files = Fileset()
    change(files)
    files.write(tmp_path)
    assert run(train(tmp_path, *words)) in (1, 2)
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("error: ")
    assert re.search(message, said.err), said.err


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on files in which much is wrong that can be mended."""
    folder, files = tmp_path_factory.mktemp("mended"), Fileset()
    files.codes[0] = 0  # monomorphic
    files.codes[1:3] = 2
    files.bim[2][4:] = ["C", "C"]
    files.bim[3][4] = "0"  # varies, and one allele has no name
    files.bim[4][3], files.bim[5][3] = "0", "-9"
    files.bim[6], files.bim[9] = files.bim[9], files.bim[6]  # out of order
    males, females = np.flatnonzero(MALES), np.flatnonzero(~MALES)
    files.codes[50, males[:3]] = 1  # heterozygous on X
    files.codes[70, females[:2]] = 2  # a call on Y
    files.codes[:, EMPTY] = 3
    files.table[20][1], files.table[21][1], files.table[22][1] = "-9", "NA", ""
    for row in files.table:
        row[1] = row[1].lstrip("-") if row[1] != "-9" else "-9"
    files.table = files.table[::-1]
    files.write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "FEW", TrainConfig(epochs=1, patience=1, batch=32, members=1))
        assert run(train(folder, "--covariates", "age,months,batch,plate")) == 0
    return folder


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "out" / "run.json").read_text())


@pytest.mark.parametrize(
    ("reason", "count"),
    [
        ("does not vary in these samples", 3),
        ("an allele is unknown (0)", 1),
        ("no chromosome or position", 2),
        ("calls set to missing: heterozygous on the X of males", 3),
        ("calls left out: on the Y of females", 2),
    ],
)
def test_mended_and_counted(trained: Path, reason: str, count: int) -> None:
    found = {entry["reason"]: entry["count"] for entry in record(trained)["dropped"]}
    assert found.get(reason) == count, found


@pytest.mark.parametrize(
    "note",
    [
        "2 variants without a contig or a position were left out; the variants are not in order of contig and position",
        "1 values -9 of height were read as missing",
        "3 individuals have no height; they were left out",
        "covariates months, plate=w say nothing that the others do not and were left out",
        "covariate batch has 3 whole numbers and was read as a quantity; --categories batch takes them as codes",
    ],
)
def test_mended_and_said(trained: Path, note: str) -> None:
    notes = record(trained)["notes"]
    assert any(note in text for text in notes), notes


def test_chromosomes_may_have_any_name(trained: Path) -> None:
    contigs = {entry["name"]: entry["variants"] for entry in record(trained)["inputs"][0]["contigs"]}
    assert contigs == {"A1": 30 - 6, "B2": 20, "X": 20, "Y": 8}


def test_text_in_covariates_is_a_category_and_sex_is_always_one(trained: Path) -> None:
    assert set(record(trained)["covariates"]) >= {"age", "batch", "sex (male)"}


def test_a_person_without_calls_is_said(trained: Path) -> None:
    table = (trained / "out" / "predictions.tsv").read_text()
    assert f"\n{IDS[EMPTY]}\t" not in table
    assert any(IDS[EMPTY] in note for note in record(trained)["notes"]), record(trained)["notes"]


def test_a_bundle_and_a_panel_with_few_of_its_sites(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = Fileset()
    files.bim, files.codes = files.bim[10:12], files.codes[10:12]
    files.write(tmp_path)
    words = ["trait", "predict", str(trained / "out" / "bundle"), str(tmp_path / "c.bed"), "-o", str(tmp_path / "out")]
    assert run([*words, "--phenotypes", str(tmp_path / "t.tsv"), "-q"]) == 1
    said = capsys.readouterr().err
    assert "c.bed: has 2.8% of the 72 sites of the bundle (70 left out: not in these data); give data of" in said


def test_a_person_without_calls_is_not_predicted(trained: Path, tmp_path: Path) -> None:
    files = Fileset()
    files.codes[:, 4] = 3
    files.write(tmp_path)
    found = trait.predict(
        trained / "out" / "bundle", tmp_path / "c.bed", phenotypes=tmp_path / "t.tsv", out=tmp_path / "out", verbosity=0
    ).table.set_index("sample_id")
    assert np.isnan(found.loc["004", "estimate"]) and "fewer than 50%" in found.loc["004", "reason"]
    assert found["estimate"].notna().sum() == PEOPLE - 1
