"""The verb ``simulate`` of the trait job, from files to files that can be read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from sewall import trait
from sewall.cli import run
from sewall.data.panel import FEMALE, MALE, Panel, X
from sewall.data.panels.reading import open_panel
from sewall.data.phenotypes import read_phenotypes, read_sex
from sewall.jobs.trait.options import SimulateOptions
from sewall.jobs.trait.simulating import SimulateResult
from sewall.report import write_report
from sewall.simulate.cohorts import Genome, coalescent
from sewall.simulate.traits import ARCHITECTURES

PEOPLE = 150
MALES = np.arange(PEOPLE) % 2 == 0
ON_X = 40


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VCF of two autosomes and X, on which males have one copy; ids that would not survive as numbers."""
    panel, rng = coalescent(PEOPLE, 4, Genome(chromosomes=2, length=150_000)), np.random.default_rng(1)
    path = tmp_path_factory.mktemp("cohort") / "cohort.vcf"
    heads = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name}>" for name in ("1", "2", "X"))]
    lines.append("\t".join([*heads, *(f"{k:03d}" for k in range(PEOPLE))]))
    codes = panel.calls.codes(slice(None))
    for k, row in enumerate(codes):
        place = [panel.sites.chrom[k], str(panel.sites.position[k] + 1), f"s{k}", *panel.sites.alleles[k]]
        lines.append("\t".join([*place, ".", "PASS", ".", "GT", *np.array(["0/0", "0/1", "1/1"])[row]]))
    for k in range(ON_X):
        calls = np.where(MALES, rng.choice(["0", "1"], PEOPLE), rng.choice(["0/0", "0/1", "1/0", "1/1"], PEOPLE))
        lines.append("\t".join(["X", str(1000 * k + 1), f"x{k}", "A", "G", ".", "PASS", ".", "GT", *calls]))
    path.write_text("\n".join(lines) + "\n")
    return path


def simulated(cohort: Path, out: Path, architecture: str, **options: Any) -> SimulateResult:
    return trait.simulate(cohort, architecture=architecture, out=out, **{"seed": 3, "verbosity": 0} | options)


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", comment="#", dtype={"sample_id": str, "chrom": str, "partner_chrom": str})


def again(result: SimulateResult, tmp_path: Path) -> Panel:
    """The genotypes as ``train`` reads them."""
    sex = read_sex(result.phenotypes, "sex")
    return open_panel(result.genotypes, tmp_path / "cache", sex=sex, keep_constant=True)


def places(panel: Panel) -> dict[tuple[str, int], int]:
    """Indices of sites by chromosome and position from 1."""
    every = zip(panel.sites.chrom.tolist(), panel.sites.position.tolist(), strict=True)
    return {(chrom, position + 1): k for k, (chrom, position) in enumerate(every)}


def test_the_architectures_of_the_verb_are_those_of_the_library() -> None:
    assert get_args(SimulateOptions.model_fields["architecture"].annotation) == tuple(ARCHITECTURES)


def test_a_trait_is_left_with_its_truth(cohort: Path, tmp_path: Path) -> None:
    made = simulated(cohort, tmp_path, "sparse", heritability=0.7, causal=10, build="GRCh37")
    assert made.genotypes == cohort  # nothing new is written
    assert "--build GRCh37" in made.train
    assert not list(tmp_path.glob("genotypes*"))
    truth, traits = table(tmp_path / "truth.tsv"), table(tmp_path / "phenotypes.tsv")
    assert traits["sample_id"].tolist() == truth["sample_id"].tolist() == [f"{k:03d}" for k in range(PEOPLE)]
    assert (traits["sex"] == np.where(MALES, "male", "female")).all()
    np.testing.assert_allclose(traits["trait"], truth["genetic"] + truth["noise"], atol=1e-4)
    np.testing.assert_allclose(truth["genetic"], truth["additive"], atol=1e-4)
    assert truth["genetic"].var(ddof=0) == pytest.approx(0.7, abs=1e-4)

    causal, panel = table(tmp_path / "causal.tsv"), open_panel(cohort, tmp_path / "cache")
    found = places(panel)
    sites = np.array([found[place] for place in zip(causal["chrom"], causal["position"], strict=True)])
    value = panel.dosages(np.arange(PEOPLE), sites) @ causal["effect"].to_numpy()
    np.testing.assert_allclose(truth["genetic"], value - value.mean(), atol=1e-3)
    assert read_phenotypes(tmp_path / "phenotypes.tsv", ["trait"]).kinds == {"trait": "quantity"}


def test_a_run_says_what_it_did(cohort: Path, tmp_path: Path) -> None:
    made = simulated(cohort, tmp_path, "dominance", share=0.8, causal=20)
    said = json.loads((tmp_path / "run.json").read_text())
    assert (said["verb"], said["seed"], said["inputs"][0]["samples"]) == ("simulate", 3, PEOPLE)
    found = said["simulated"]
    assert {each["name"]: round(each["share"], 6) for each in found["components"]} == {
        "additive": 0.2,
        "dominance": 0.8,
    }
    assert (found["causal_sites"], found["individuals"]) == (20, PEOPLE)
    assert "additive 20%, dominance 80%" in made.summary()
    page = write_report(tmp_path).read_text().replace("\xa0", " ")
    assert "20 % additive and 80 % dominance" in page
    assert 'id="figure-truth"' in page


def test_the_same_command_is_the_same_trait(cohort: Path, tmp_path: Path) -> None:
    first = simulated(cohort, tmp_path / "a", "epistasis-within", causal=15)
    other = simulated(cohort, tmp_path / "b", "epistasis-within", causal=15, seed=3)
    np.testing.assert_array_equal(first.trait.value, other.trait.value)
    rerun = simulated(cohort, tmp_path / "a", "epistasis-within", causal=15, seed=None)
    np.testing.assert_array_equal(first.trait.value, rerun.trait.value)
    causal = table(tmp_path / "a" / "causal.tsv")
    pairs = causal[causal["component"] == "epistasis"]
    assert len(pairs) == 15 and (pairs["chrom"] == pairs["partner_chrom"]).all()
    assert causal.loc[causal["component"] == "additive", "partner_name"].isna().all()


def test_new_individuals_are_written_as_plink_reads_them(cohort: Path, tmp_path: Path) -> None:
    made = simulated(cohort, tmp_path / "out", "x-linked", individuals=300)
    assert made.genotypes == tmp_path / "out" / "genotypes.bed"
    panel = again(made, tmp_path)
    traits = table(made.phenotypes)
    assert panel.sample_ids == traits["sample_id"].tolist()
    assert (panel.sex == np.where(traits["sex"] == "male", MALE, FEMALE)).all()
    unaided = open_panel(made.genotypes, tmp_path / "cache", keep_constant=True)
    np.testing.assert_array_equal(unaided.copies, panel.copies)  # the .fam tells the sexes
    on_x = panel.sites.inheritance == X
    assert on_x.sum() == ON_X

    causal = table(tmp_path / "out" / "causal.tsv")
    own = causal[causal["component"] == "x"].set_index("position")["effect"]
    effects = own.loc[panel.sites.position[on_x] + 1].to_numpy()
    value = panel.dosages(np.arange(300), np.flatnonzero(on_x)) @ effects
    truth = table(tmp_path / "out" / "truth.tsv")["x"].to_numpy()
    for sex in (MALE, FEMALE):
        assert np.corrcoef(value[panel.sex == sex], truth[panel.sex == sex])[0, 1] > 0.99


def test_third_alleles_are_written_as_vcf(cohort: Path, tmp_path: Path) -> None:
    made = simulated(cohort, tmp_path / "out", "multi-allelic", third_alleles=0.5, share=1.0, heritability=1.0)
    assert made.genotypes.name == "genotypes.vcf.gz"
    panel = again(made, tmp_path)
    assert made.train.endswith(f"genotypes.vcf.gz --phenotypes {made.phenotypes} --trait trait --sex sex -o OUT")
    assert (panel.copies[X] == np.where(MALES, 1, 2)).all()
    three = np.unique(panel.odd.site)
    assert len(three) > 20 and len(set(panel.sites.chrom[three].tolist())) == 2
    causal = table(tmp_path / "out" / "causal.tsv")
    found, value = places(panel), np.zeros(PEOPLE)
    for row in causal.itertuples():
        site = found[row.chrom, row.position]
        ref, alt = "ACGT".index(row.ref), "ACGT".index(row.alt)
        copies = np.zeros((PEOPLE, 5))
        codes = panel.calls.codes(np.array([site]))[0]
        copies[:, panel.sites.letters[site, 1]] = codes
        copies[:, panel.sites.letters[site, 0]] = 2 - codes
        here = panel.odd.site == site
        copies[panel.odd.sample[here]] = panel.odd.code[here]
        value += row.effect * (copies[:, alt] - (2 - copies[:, ref] - copies[:, alt]))
    np.testing.assert_allclose(value - value.mean(), table(tmp_path / "out" / "truth.tsv")["genetic"], atol=1e-3)


def test_causal_sites_can_be_taken_out(cohort: Path, tmp_path: Path) -> None:
    made = simulated(cohort, tmp_path / "out", "sparse", causal=12, remove_causal=True)
    causal, panel = table(tmp_path / "out" / "causal.tsv"), again(made, tmp_path)
    whole = open_panel(cohort, tmp_path / "cache", keep_constant=True)
    assert len(panel.sites) == len(whole.sites) - 12
    assert not set(places(panel)) & set(zip(causal["chrom"], causal["position"], strict=True))
    kept = np.flatnonzero(~np.isin(whole.sites.name, causal["name"]))
    np.testing.assert_array_equal(panel.calls.data, whole.calls.data[kept])
    np.testing.assert_array_equal(panel.sites.alleles, whole.sites.alleles[kept])
    dropped = json.loads((tmp_path / "out" / "run.json").read_text())["dropped"]
    assert {"reason": "causal", "count": 12, "of": len(whole.sites)} in dropped


def test_a_null_trait_has_no_truth_to_find(cohort: Path, tmp_path: Path) -> None:
    made = simulated(cohort, tmp_path, "null")
    assert (table(tmp_path / "truth.tsv")["genetic"] == 0).all()
    assert not len(table(tmp_path / "causal.tsv"))
    assert "no effects" in made.summary()
    assert "No site has an effect" in made.report.read_text()


def test_a_matrix_without_letters_becomes_plink(tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(0, 3, (80, 50))
    names = [f"s{k}" for k in range(50)]
    pd.DataFrame(codes, columns=names).to_csv(tmp_path / "panel.csv", index=False)
    made = simulated(tmp_path / "panel.csv", tmp_path / "out", "additive", individuals=90)
    panel = open_panel(made.genotypes, tmp_path / "cache", keep_constant=True)
    assert (len(panel), len(panel.sites)) == (90, 50)
    assert "sex" not in table(made.phenotypes)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--architecture", "polygenic"], "--architecture is additive, sparse"),
        ([], "--architecture: is missing"),
        (["--architecture", "additive", "--heritability", "1.2"], "--heritability is the share"),
        (["--architecture", "additive", "--heritability", "0"], "--heritability is the share"),
        (["--architecture", "additive", "--share", "0.5"], "--share: the architecture additive has none"),
        (["--architecture", "null", "--heritability", "0.5"], "--heritability: the architecture null has none"),
        (["--architecture", "sparse", "--causal", "99999"], "cohort.vcf: 99999 causal sites are needed"),
        (["--architecture", "sparse", "--third-alleles", "0.1"], "--third-alleles: the architecture sparse has none"),
        (["--architecture", "sparse", "--within", "50kb"], "--within: the architecture sparse has none"),
        (["--architecture", "multi-allelic"], "cohort.vcf: no autosomal site has three alleles"),
        (["--architecture", "sparse", "--sex", "nothing.tsv"], "--sex: no such file nothing.tsv"),
        (["--architecture", "sparse", "--individuals", "0"], "--individuals is a number"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_line(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert run(["trait", "simulate", str(cohort), "-o", str(tmp_path / "out"), "-q", *words]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and says in said[0], said
    assert not (tmp_path / "out" / "phenotypes.tsv").exists()


def test_x_needs_a_panel_with_x(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame(np.random.default_rng(1).integers(0, 3, (80, 50))).to_csv(tmp_path / "panel.csv", index=False)
    words = ["--architecture", "x-linked", "-o", str(tmp_path / "out"), "-q"]
    assert run(["trait", "simulate", str(tmp_path / "panel.csv"), *words]) == 1
    assert "panel.csv: there are no sites on X" in capsys.readouterr().err


def test_all_sites_cannot_be_taken_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame(np.random.default_rng(1).integers(0, 3, (80, 50))).to_csv(tmp_path / "panel.csv", index=False)
    words = ["--architecture", "additive", "--remove-causal", "-o", str(tmp_path / "out"), "-q"]
    assert run(["trait", "simulate", str(tmp_path / "panel.csv"), *words]) == 1
    assert "panel.csv: all sites are causal" in capsys.readouterr().err
