"""Scores by hand, by the verb, and, where it is installed, by PLINK 2."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sewall import trait
from sewall.cli import run
from sewall.data.convert import as_vcz
from sewall.data.score_files import DOSAGE_WEIGHTS
from sewall.data.vcf import IDS
from sewall.errors import SewallError

PEOPLE = 60
CHROM = np.array(["1"] * 40 + ["2"] * 30 + ["X"] * 20)
MALE = np.arange(PEOPLE) % 2 == 1
X = CHROM == "X"
NAMES = ["rsID", "chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight"]


@dataclass(frozen=True)
class Cohort:
    """Genotypes as they were drawn, and the files made of them."""

    folder: Path
    alt: np.ndarray  # (sites, people) copies of ALT
    copies: np.ndarray
    missing: np.ndarray
    scores: pd.DataFrame
    counts_alt: np.ndarray

    @property
    def vcf(self) -> Path:
        return self.folder / "cohort.vcf"

    @property
    def stored(self) -> Path:
        """The same as VCF Zarr, so that it is not converted for every score."""
        return as_vcz(self.vcf, self.folder, keep=(IDS,)).store

    def write(self, table: pd.DataFrame, name: str = "changed.txt") -> Path:
        table.to_csv(self.folder / name, sep="\t", index=False)
        return self.folder / name

    def effect(self) -> np.ndarray:
        """Return ``(sites, people)`` copies of the effect allele, NaN where missing."""
        carried = np.where(self.counts_alt[:, None], self.alt, self.copies - self.alt).astype(float)
        carried[self.missing] = np.nan
        return carried


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    rng, sites, folder = np.random.default_rng(3), len(CHROM), tmp_path_factory.mktemp("cohort")
    pairs = np.array([("A", "C"), ("A", "G"), ("C", "T"), ("G", "T"), ("A", "T"), ("C", "G")])
    alleles = pairs[rng.integers(6, size=sites)]
    copies = np.where(X[:, None] & MALE, 1, 2)
    alt = rng.binomial(copies, rng.uniform(0.1, 0.9, (sites, 1)))
    missing = rng.random(alt.shape) < 0.05
    position = 1_000 * (np.arange(sites) + 1) + 20_000_000 * X
    ids = [f"s{k}" for k in range(PEOPLE)]
    header = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *ids]
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += [f"##contig=<ID={name}>" for name in ("1", "2", "X")] + ["\t".join(header)]
    for j in range(sites):
        calls = [_call(*cell) for cell in zip(alt[j], copies[j], missing[j], strict=True)]
        lines.append("\t".join([CHROM[j], str(position[j]), f"v{j}", *alleles[j], ".", "PASS", ".", "GT", *calls]))
    (folder / "cohort.vcf").write_text("\n".join(lines) + "\n")
    sexes = {"sample_id": ids, "sex": np.where(MALE, 1, 2)}
    pd.DataFrame(sexes).to_csv(folder / "sex.tsv", sep="\t", index=False)
    counts_alt = rng.random(sites) < 0.5
    which = counts_alt.astype(int)
    own, other = alleles[np.arange(sites), which], alleles[np.arange(sites), 1 - which]
    names = [f"v{j}" for j in range(sites)]
    weight = np.round(0.01 * rng.standard_normal(sites), 6)
    scores = pd.DataFrame(dict(zip(NAMES, (names, CHROM, position, own, other, weight), strict=True)))
    scores.to_csv(folder / "score.txt", sep="\t", index=False)
    return Cohort(folder, alt, copies, missing, scores, counts_alt)


def _call(alt: int, copies: int, missing: bool) -> str:
    return "/".join("." if missing else str(int(k < alt)) for k in range(copies))


def scored(cohort: Cohort, scores: Path, out: Path, **options: Any) -> trait.ScoreResult:
    sexes = cohort.folder / "sex.tsv"
    return trait.score(scores, cohort.stored, out=out, sex=str(sexes), build="GRCh37", seed=1, verbosity=0, **options)


def by_hand(cohort: Cohort, missing: str, x_males: str) -> np.ndarray:
    """Return scores with loops, as the documentation of PLINK 2 describes them."""
    effect, total = cohort.effect(), np.zeros(PEOPLE)
    for j, weight in enumerate(cohort.scores["effect_weight"]):
        called = ~cohort.missing[j]
        frequency = effect[j, called].sum() / cohort.copies[j, called].sum()
        for i in range(PEOPLE):
            double = 2 if x_males == "two" and X[j] and MALE[i] else 1
            filled = frequency * cohort.copies[j, i] if missing == "mean" else 0.0
            total[i] += weight * double * (effect[j, i] if called[i] else filled)
    return total


@pytest.mark.parametrize("missing", ["mean", "zero"])
@pytest.mark.parametrize("x_males", ["two", "one"])
def test_scores_are_sums_of_weights_times_copies(cohort: Cohort, tmp_path: Path, missing: str, x_males: str) -> None:
    found = scored(cohort, cohort.folder / "score.txt", tmp_path / "out", missing=missing, x_males=x_males)
    assert found.scored["used"] == len(CHROM)
    np.testing.assert_allclose(found.table["score"], by_hand(cohort, missing, x_males), atol=1e-9)
    written = pd.read_csv(tmp_path / "out" / "scores.tsv", sep="\t", comment="#")
    np.testing.assert_allclose(written["score"], found.table["score"], rtol=1e-8)


@pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not on the PATH")
@pytest.mark.parametrize(("missing", "modifier"), [("mean", []), ("zero", ["no-mean-imputation"])])
@pytest.mark.parametrize(("x_males", "model"), [("two", "2"), ("one", "1")])
def test_they_are_those_of_plink2(
    cohort: Cohort, tmp_path: Path, missing: str, modifier: list[str], x_males: str, model: str
) -> None:
    sexes = pd.read_csv(cohort.folder / "sex.tsv", sep="\t").rename(columns={"sample_id": "#IID", "sex": "SEX"})
    sexes.to_csv(tmp_path / "sex.txt", sep="\t", index=False)
    made = ["--vcf", cohort.vcf, "--update-sex", tmp_path / "sex.txt", "--split-par", "b37", "--make-pgen"]
    columns = "cols=nallele,denom,dosagesum,scoreavgs,scoresums"
    asked = ["--score", cohort.folder / "score.txt", "1", "4", "6", "header", columns, *modifier, "--xchr-model", model]
    for words in (made, ["--pfile", tmp_path / "plink", *asked]):
        subprocess.run(["plink2", *map(str, words), "--out", tmp_path / "plink"], check=True, capture_output=True)
    theirs = pd.read_csv(tmp_path / "plink.sscore", sep="\t")
    ours = scored(cohort, cohort.folder / "score.txt", tmp_path / "out", missing=missing, x_males=x_males).table
    np.testing.assert_allclose(ours["score"], theirs["SCORE1_SUM"], atol=1e-6)
    np.testing.assert_allclose(ours["average"], theirs["SCORE1_AVG"], atol=1e-6)
    np.testing.assert_array_equal(ours["called"], theirs["ALLELE_CT"])
    np.testing.assert_allclose(ours["effect_copies"], theirs["NAMED_ALLELE_DOSAGE_SUM"], atol=1e-6)


@pytest.fixture(scope="module")
def plain(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> trait.ScoreResult:
    return scored(cohort, cohort.folder / "score.txt", tmp_path_factory.mktemp("plain") / "out")


def test_alleles_written_otherwise_change_nothing(cohort: Cohort, plain: trait.ScoreResult, tmp_path: Path) -> None:
    turned = cohort.scores.copy()
    single = ~turned["effect_allele"].add(turned["other_allele"]).isin(["AT", "TA", "CG", "GC"])
    complement = str.maketrans("ACGT", "TGCA")
    for column in ("effect_allele", "other_allele"):
        turned.loc[single, column] = turned.loc[single, column].str.translate(complement)
    again = scored(cohort, cohort.write(turned), tmp_path / "out", keep_ambiguous=True)
    np.testing.assert_allclose(again.table["score"], plain.table["score"], atol=1e-12)
    report = pd.read_csv(tmp_path / "out" / "match_report.tsv", sep="\t", comment="#")
    assert report["outcome"].str.startswith("other strand").sum() == single.sum()
    unsure = scored(cohort, cohort.folder / "changed.txt", tmp_path / "unsure")
    assert unsure.scored["used"] == single.sum()  # nothing tells the strand of A/T and C/G


def test_the_effect_allele_may_be_either(cohort: Cohort, plain: trait.ScoreResult, tmp_path: Path) -> None:
    """Counting the other allele with the opposite weight moves everybody's score by the same on autosomes."""
    other = cohort.scores[~X].rename(columns={"effect_allele": "other_allele", "other_allele": "effect_allele"})
    one = scored(cohort, cohort.write(cohort.scores[~X]), tmp_path / "one")
    two = scored(cohort, cohort.write(other.assign(effect_weight=-other["effect_weight"])), tmp_path / "two")
    difference = one.table["score"] - two.table["score"]
    np.testing.assert_allclose(difference, 2 * cohort.scores["effect_weight"][~X].sum(), atol=1e-9)


def test_the_file_may_tell_the_frequencies(cohort: Cohort, tmp_path: Path) -> None:
    told = cohort.write(cohort.scores.assign(allelefrequency_effect=0.25))
    found = scored(cohort, told, tmp_path / "out", missing="file", x_males="one")
    filled = np.where(cohort.missing, 0.25 * cohort.copies, np.nan_to_num(cohort.effect()))
    np.testing.assert_allclose(found.table["score"], cohort.scores["effect_weight"].to_numpy() @ filled, atol=1e-9)


def test_weights_by_number_of_copies(cohort: Cohort, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    weights = np.column_stack([np.zeros((~X).sum()), rng.standard_normal(((~X).sum(), 2))]).round(5)
    table = cohort.scores[~X].drop(columns="effect_weight")
    found = scored(
        cohort, cohort.write(table.assign(**dict(zip(DOSAGE_WEIGHTS, weights.T, strict=True)))), tmp_path / "o"
    )
    expected = np.zeros(PEOPLE)
    for j, effect in enumerate(cohort.effect()[~X]):
        called = ~np.isnan(effect)
        p = effect[called].mean() / 2
        mean = 2 * p * (1 - p) * weights[j, 1] + p**2 * weights[j, 2]
        expected += [weights[j, int(value)] if known else mean for value, known in zip(effect, called, strict=True)]
    np.testing.assert_allclose(found.table["score"], expected, atol=1e-9)


def test_dominant_and_recessive_alleles(cohort: Cohort, tmp_path: Path) -> None:
    flags = {"is_dominant": ["TRUE", "FALSE"] * 35, "is_recessive": ["FALSE", "TRUE"] * 35}
    found = scored(cohort, cohort.write(cohort.scores[~X].assign(**flags)), tmp_path / "out", missing="zero")
    effect, weight = cohort.effect()[~X], cohort.scores["effect_weight"].to_numpy()[~X]
    expected = weight[::2] @ (effect[::2] >= 1) + weight[1::2] @ (effect[1::2] == 2)
    np.testing.assert_allclose(found.table["score"], expected, atol=1e-9)


def test_only_the_samples_asked_for_are_scored(cohort: Cohort, plain: trait.ScoreResult, tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text("sample_id\ns7\ns3\n")
    some = scored(cohort, cohort.folder / "score.txt", tmp_path / "out", samples=tmp_path / "some.txt", missing="zero")
    assert some.table["sample_id"].tolist() == ["s7", "s3"]


def test_the_page_and_the_summary_say_what_was_found(cohort: Cohort, tmp_path: Path) -> None:
    far = cohort.scores.assign(chr_position=cohort.scores["chr_position"] + 7 * (np.arange(len(CHROM)) < 45))
    found = scored(cohort, cohort.write(far), tmp_path / "out")
    assert "60 individuals; 45 of 90 variants used" in found.summary()
    page = found.report.read_text().replace("\xa0", " ").replace("\u2060", "")
    assert "45 of 90 variants" in page
    assert "these scores are not those of the file" in page
    assert "left out: not in these data" in page
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["dropped"] == [{"reason": "left out: not in these data", "count": 45, "of": 90}]


def test_names_serve_where_the_file_tells_no_place(cohort: Cohort, plain: trait.ScoreResult, tmp_path: Path) -> None:
    named = cohort.scores.drop(columns=["chr_name", "chr_position"])
    found = scored(cohort, cohort.write(named), tmp_path / "out")
    np.testing.assert_allclose(found.table["score"], plain.table["score"], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (
            lambda t: t.assign(chr_name="7"),
            [],
            "none of its 90 variants can be used with cohort.vcf (90 left out: not in",
        ),
        (lambda t: t.assign(effect_weight="x"), [], "line 2: 'x' in effect_weight is not a number"),
        (lambda t: t.drop(columns="effect_allele"), [], "lacks columns of a scoring file"),
        (lambda t: t, ["--sex", "nowhere"], "--sex: there is no file nowhere"),
        (lambda t: t, ["--missing", "file", "--x-males", "one", "--samples", "gone"], "gone: no such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, options: list[str], says: str
) -> None:
    file = cohort.write(change(cohort.scores), "wrong.txt")
    assert run(["trait", "score", str(file), str(cohort.vcf), "-o", str(tmp_path / "out"), "-q", *options]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert says in said[0]


def test_another_build_is_refused(cohort: Cohort, tmp_path: Path) -> None:
    file = cohort.folder / "hg38.txt"
    file.write_text("#genome_build=hg38\n" + (cohort.folder / "score.txt").read_text())
    with pytest.raises(SewallError, match=r"hg38.txt: its positions are of hg38, and --build says GRCh37"):
        scored(cohort, file, tmp_path / "out")
