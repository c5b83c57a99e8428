"""The trait job from files to files, on a small panel that is made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sewall import trait
from sewall.cli import run
from sewall.errors import SewallError
from sewall.jobs.trait import networks
from sewall.jobs.trait.training import TrainResult
from sewall.train import TrainConfig

PEOPLE, SITES, CHROMOSOMES = 160, 60, 3


def write_vcf(path: Path, codes: np.ndarray, alleles: np.ndarray, ids: list[str]) -> None:
    """Write ``(sites, people)`` dosages; half of the sites lie on each chromosome in turn."""
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += [f"##contig=<ID={c + 1}>" for c in range(CHROMOSOMES)]
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *ids]))
    calls = np.array(["0/0", "0/1", "1/1", "./."])
    per = len(codes) // CHROMOSOMES
    for k, row in enumerate(codes):
        place = [str(k // per + 1), str(1_000 * (k % per) + 1_000), f"s{k}"]
        lines.append("\t".join([*place, *alleles[k], ".", "PASS", ".", "GT", *calls[row]]))
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def genotypes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dosages with linkage between neighbours, alleles that are never A/T or C/G, and an additive trait."""
    rng = np.random.default_rng(5)
    number = SITES * CHROMOSOMES
    carried = np.zeros((number, PEOPLE), np.uint8)
    for _ in range(2):
        state = rng.random(PEOPLE) < 0.5
        for k in range(number):
            fresh = rng.random(PEOPLE) < (1.0 if k % SITES == 0 else 0.15)
            state = np.where(fresh, rng.random(PEOPLE) < 0.4, state)
            carried[k] += state
    effects = rng.standard_normal(number) * (rng.random(number) < 0.2)
    value = effects @ carried
    measured = 170 + 5 * (value - value.mean()) / value.std() + 3 * rng.standard_normal(PEOPLE)
    pairs = np.array([("A", "C"), ("A", "G"), ("C", "T"), ("G", "T")])
    return carried, pairs[rng.integers(4, size=number)], measured


IDS = [f"{k:03d}" for k in range(PEOPLE)]  # ids that would not survive being read as numbers


@pytest.fixture(scope="module")
def files(genotypes: tuple[np.ndarray, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    codes, alleles, measured = genotypes
    write_vcf(folder / "cohort.vcf", codes, alleles, IDS)
    families = [f"f{k // 4}" for k in range(PEOPLE)]
    table = pd.DataFrame({"sample_id": IDS, "height": measured, "age": np.arange(PEOPLE) % 7, "family": families})
    table.iloc[:130].to_csv(folder / "traits.tsv", sep="\t", index=False)
    table.iloc[130:, [0]].to_csv(folder / "others.tsv", sep="\t", index=False)
    return folder


@pytest.fixture(scope="module", autouse=True)
def small_networks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "FEW", TrainConfig(epochs=3, patience=3, batch=32, members=1))
        yield


@pytest.fixture(scope="module")
def trained(files: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    out = tmp_path_factory.mktemp("trained")
    return trait.train(
        files / "cohort.vcf", phenotypes=files / "traits.tsv", trait="height", out=out, seed=3, folds=3, threads=1,
        verbosity=0,
    )  # fmt: skip


def test_training_leaves_scores_predictions_and_a_bundle(trained: TrainResult) -> None:
    scores = json.loads((trained.folder / "evaluation.json").read_text())
    keys = {model["key"] for model in scores["models"]}
    assert {"covariates", "components", "lasso", "gblup", "gaussian", "network", "stack"} <= keys
    r = {model["key"]: model["metrics"]["pearson"]["value"] for model in scores["models"]}
    assert r["gblup"] > 0.5
    assert r["stack"] > 0.5
    assert 0.75 < scores["calibration"]["coverage"]["value"] < 1
    table = pd.read_csv(trained.folder / "predictions.tsv", sep="\t", comment="#", dtype={"sample_id": str})
    assert table["sample_id"].tolist() == IDS[:130]
    assert (trained.folder / "bundle" / "bundle.json").exists()


@pytest.fixture(scope="module")
def predicted(trained: TrainResult, files: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return trait.predict(
        trained.folder / "bundle", files / "cohort.vcf", samples=files / "others.tsv",
        out=tmp_path_factory.mktemp("predicted"), seed=1, verbosity=0,
    ).table  # fmt: skip


def test_people_that_no_model_knew_are_predicted(predicted: pd.DataFrame, genotypes: tuple[np.ndarray, ...]) -> None:
    assert predicted["sample_id"].tolist() == IDS[130:]
    measured = genotypes[2][130:]
    assert np.corrcoef(predicted["estimate"], measured)[0, 1] > 0.5
    inside = (predicted["lower"] <= measured) & (measured <= predicted["upper"])
    assert inside.mean() > 0.7
    assert (predicted["support"] != "outside").mean() > 0.9


def test_alleles_written_the_other_way_round_change_nothing(
    trained: TrainResult, files: Path, genotypes: tuple[np.ndarray, ...], predicted: pd.DataFrame, tmp_path: Path
) -> None:
    codes, alleles, _ = (part.copy() for part in genotypes)
    complement = str.maketrans("ACGT", "TGCA")
    for k in range(0, len(codes), 2):  # REF and ALT swapped
        codes[k], alleles[k] = 2 - codes[k], alleles[k][::-1]
    for k in range(0, len(codes), 3):  # read on the other strand
        alleles[k] = [letter.translate(complement) for letter in alleles[k]]
    write_vcf(tmp_path / "turned.vcf", codes, alleles, IDS)
    again = trait.predict(
        trained.folder / "bundle", tmp_path / "turned.vcf", samples=files / "others.tsv", out=tmp_path / "out", seed=1,
        verbosity=0,
    ).table  # fmt: skip
    np.testing.assert_allclose(again["estimate"], predicted["estimate"], atol=1e-4)
    np.testing.assert_allclose(again["lower"], predicted["lower"], atol=1e-4)


def test_a_person_is_predicted_alone_as_in_a_crowd(
    trained: TrainResult, files: Path, predicted: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "one.tsv").write_text(f"sample_id\n{IDS[140]}\n")
    alone = trait.predict(
        trained.folder / "bundle", files / "cohort.vcf", samples=tmp_path / "one.tsv", out=tmp_path / "out", seed=1,
        verbosity=0,
    ).table  # fmt: skip
    crowd = predicted.loc[predicted["sample_id"] == IDS[140], "estimate"]
    assert alone["estimate"].iloc[0] == pytest.approx(crowd.iloc[0], abs=1e-4)


def test_a_panel_with_few_of_the_sites_is_refused(
    trained: TrainResult, genotypes: tuple[np.ndarray, ...], tmp_path: Path
) -> None:
    codes, alleles, _ = genotypes
    text_folder = tmp_path / "few.vcf"
    write_vcf(text_folder, codes[:6], alleles[:6], IDS)
    with pytest.raises(SewallError, match=r"has \d\.\d% of the 180 sites of the bundle"):
        trait.predict(trained.folder / "bundle", text_folder, out=tmp_path / "out", seed=1, verbosity=0)


def refused(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], **options: str) -> str:
    """Run ``train`` with something wrong; return the one line that it says."""
    given = {"phenotypes": str(files / "traits.tsv"), "trait": "height"} | options
    words = ["trait", "train", str(given.pop("genotypes", files / "cohort.vcf")), "-o", str(tmp_path / "out"), "-q"]
    for name, value in given.items():
        words += [f"--{name}", value]
    assert run(words) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1, said
    assert not (tmp_path / "out" / "predictions.tsv").exists()
    return said[0]


def changed(files: Path, tmp_path: Path, change: Any) -> str:
    table = pd.read_csv(files / "traits.tsv", sep="\t", dtype=str)
    change(table).to_csv(tmp_path / "traits.tsv", sep="\t", index=False)
    return str(tmp_path / "traits.tsv")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.assign(sample_id="x" + t["sample_id"]), "none of its 130 samples is in cohort.vcf"),
        (
            lambda t: t.assign(sample_id=["q1", *t["sample_id"][1:]]),
            "1 of 130 samples are not in cohort.vcf (first: q1",
        ),
        (lambda t: t.assign(sample_id=["001", *t["sample_id"][1:]]), "001"),
        (lambda t: t.assign(height=["tall", *t["height"][1:]]), "tall"),
        (lambda t: t.assign(height="170"), "height"),
        (lambda t: t.iloc[:30], "30 individuals have genotypes and height, and 60 are needed"),
    ],
    ids=["no id matches", "one id is unknown", "an id twice", "text in the trait", "a constant trait", "too few"],
)
def test_bad_tables_are_refused_in_one_line(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, says: str
) -> None:
    table = changed(files, tmp_path, change)
    assert says in refused(files, tmp_path, capsys, phenotypes=table, folds="3")


def test_columns_that_are_not_there_are_named(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "weight" in refused(files, tmp_path, capsys, trait="weight")
    assert "batch" in refused(files, tmp_path, capsys, covariates="batch")


def test_missing_files_are_named(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such file" in refused(files, tmp_path, capsys, genotypes=str(tmp_path / "nothing.bed"))


def test_half_of_the_sites_predict_nearly_as_well(
    trained: TrainResult, genotypes: tuple[np.ndarray, ...], files: Path, predicted: pd.DataFrame, tmp_path: Path
) -> None:
    codes, alleles, _ = genotypes
    write_vcf(tmp_path / "whole.vcf", codes, alleles, IDS)
    lines = (tmp_path / "whole.vcf").read_text().splitlines()
    kept = [line for k, line in enumerate(lines) if line.startswith("#") or k % 2]
    (tmp_path / "half.vcf").write_text("\n".join(kept) + "\n")
    found = trait.predict(
        trained.folder / "bundle", tmp_path / "half.vcf", samples=files / "others.tsv", out=tmp_path / "out", seed=1,
        verbosity=0,
    )  # fmt: skip
    assert np.corrcoef(found.table["estimate"], predicted["estimate"])[0, 1] > 0.9
    report = pd.read_csv(found.folder / "match_report.tsv", sep="\t", comment="#")
    absent = report["known"] < 1
    assert 0.4 < absent.mean() < 0.6 and 0.5 < report["known"][absent].mean() < 1
    assert "were filled in from the linkage" in found.report.read_text()
