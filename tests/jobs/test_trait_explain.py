"""What predictions stand on: attributions of networks, tables, score files, on small panels that are made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from sewall import bundle as bundles
from sewall import trait
from sewall.cli import run
from sewall.data.panel import AUTOSOME, LETTERS, Calls, OddCalls, Panel, Sites, X, Y
from sewall.data.score_files import read_score_file
from sewall.encode.alleles import Individuals
from sewall.jobs.trait import importance as i
from sewall.jobs.trait import networks
from sewall.jobs.trait.explained import Associated
from sewall.jobs.trait.models import Genomic
from sewall.jobs.trait.predicting import load
from sewall.nets.attribution import Question
from sewall.nets.chromosomes import ChromosomeNet, NetShape
from sewall.report.drawing import WIDE, drawing
from sewall.report.trait_importance import Genome, draw_manhattan, thinned
from sewall.train import TrainConfig

KINDS = {"1": (AUTOSOME, 40), "2": (AUTOSOME, 24), "X": (X, 18), "Y": (Y, 4)}
SHAPES = [
    NetShape(), NetShape.article(), NetShape(het=True, mask=True, factors=(0.5, 1.0)),
    NetShape(kernel="shared", share="all", bins=2_000),
]  # fmt: skip


def odd_panel(seed: int, people: int = 30) -> Panel:
    """Males and females, missing calls, third alleles and half-hot letters."""
    rng = np.random.default_rng(seed)
    chrom = np.repeat([*KINDS], [number for _, number in KINDS.values()])
    kinds = np.array([KINDS[name][0] for name in chrom], np.int8)
    alleles = np.array([rng.choice(list(LETTERS), 2, replace=False) for _ in chrom])
    position = np.concatenate([np.sort(rng.choice(10_000, number, replace=False)) for _, number in KINDS.values()])
    sites = Sites(chrom, position.astype(np.int32), np.full(len(chrom), ""), alleles, kinds)
    male, full = rng.random(people) < 0.5, np.full(people, 2)
    copies = np.array([full, 2 - male, male, full // 2], np.int8)
    number = copies[kinds]
    carried = rng.binomial(number, rng.uniform(0.1, 0.9, (len(sites), 1)))
    odd = (rng.random(number.shape) < 0.06) & (number > 0)
    code = np.zeros((int(odd.sum()), 5), np.float32)
    code[:, :4] = rng.dirichlet([0.4] * 4, len(code)) * number[odd][:, None]
    codes = (2 * carried // np.maximum(number, 1)).astype(np.uint8)
    codes[(rng.random(codes.shape) < 0.1) & ~odd] = 3
    site, sample = np.nonzero(odd)
    return Panel([str(k) for k in range(people)], sites, Calls.pack(codes), copies, OddCalls(site, sample, code), {})


def networks_of(panel: Panel, shape: NetShape, outputs: int = 2) -> list[ChromosomeNet]:
    """Return two networks with large random weights, so that they are far from linear."""
    batch = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in Individuals(panel).batch(np.arange(30)).items()}
    found = []
    for seed in range(2):
        torch.manual_seed(seed)
        network = ChromosomeNet(panel.sites, 6, shape, {"traits": outputs}).eval()
        network.standardise({key: value[: 15 + seed] if key in ("codes", "copies") else value[:0]
                             for key, value in batch.items()})  # fmt: skip
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(2.0)
        found.append(network)
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("asked", [Question(1), Question(0, (1,))])
def test_attributions_sum_to_what_the_networks_answer(shape: NetShape, asked: Question) -> None:
    panel = odd_panel(1)
    networks, people, rows = networks_of(panel, shape), Individuals(panel), np.arange(2, 30)
    tiles = i.stretches(panel.sites, 7)
    found = i.attribute(networks, people, rows, tiles, asked)
    batch = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in people.batch(rows).items()}
    with torch.no_grad():
        answer = np.mean([asked.of(network(batch)).numpy() for network in networks], axis=0)
    np.testing.assert_allclose(found.answer, answer, atol=1e-5)
    if shape.centred and not shape.mask:  # one mean genotype of females, and one of males
        sexes = [found.reference[panel.copies[X, rows] == copies] for copies in (1, 2)]
        assert all(np.ptp(own) < 1e-5 for own in sexes)
        assert abs(sexes[0][0] - sexes[1][0]) > 1e-3
    assert found.gap < 1e-3
    assert found.by_stretch.shape == (28, len(tiles))
    assert found.importance.shape == (len(panel.sites),)
    whole = i.knocked_out(networks, people, rows, [slice(0, len(panel.sites))], asked)[:, 0]
    np.testing.assert_allclose(whole, found.by_stretch.sum(axis=1), atol=1e-3 * found.answer.std())


def test_the_size_of_batches_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = odd_panel(2)
    networks, people, tiles = networks_of(panel, NetShape()), Individuals(panel), i.stretches(panel.sites, 7)
    whole = i.attribute(networks, people, np.arange(30), tiles)
    monkeypatch.setattr(i, "AT_ONCE", 4 * len(panel.sites))
    parts = i.attribute(networks, people, np.arange(30), tiles)
    for name in ("importance", "per_copy", "by_stretch", "answer"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-5)


def test_a_site_that_no_kernel_reads_has_no_importance() -> None:
    panel = odd_panel(3)
    networks = networks_of(panel, NetShape(direct=True, hidden=0))
    dead = [k for k in range(len(panel.sites)) if panel.sites.chrom[k] == "2"]
    with torch.no_grad():
        for network in networks:
            network.head.linear.weight[:, 4:8] = 0  # the four latent numbers of the second chromosome
    found = i.attribute(networks, Individuals(panel), np.arange(30), i.stretches(panel.sites, 7))
    assert (found.importance[dead] == 0).all()
    assert (found.importance[:40] > 0).mean() > 0.9


def test_stretches_hold_every_site_once_and_cross_no_chromosome() -> None:
    sites = odd_panel(1).sites
    tiles = i.stretches(sites, 7)
    assert np.concatenate([np.arange(t.start, t.stop) for t in tiles]).tolist() == list(range(len(sites)))
    assert all(len(set(sites.chrom[tile])) == 1 for tile in tiles)


# From files to files.

PEOPLE, PER_CHROMOSOME = 90, 30
IDS = [f"{k:03d}" for k in range(PEOPLE)]
CAUSES = [10, 40, 80]


def write_vcf(path: Path, codes: np.ndarray, alleles: np.ndarray) -> Path:
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += [f"##contig=<ID={c + 1}>" for c in range(3)]
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *IDS]))
    calls = np.array(["0/0", "0/1", "1/1", "./."])
    for k, row in enumerate(codes):
        place = [str(k // PER_CHROMOSOME + 1), str(1_000 * (k % PER_CHROMOSOME) + 1_000), f"s{k}"]
        lines.append("\t".join([*place, *alleles[k], ".", "PASS", ".", "GT", *calls[row]]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Dosages with some missing calls, alleles, and a table of a trait that three sites and age cause."""
    rng = np.random.default_rng(5)
    number = 3 * PER_CHROMOSOME
    codes = rng.binomial(2, rng.uniform(0.2, 0.8, (number, 1)), (number, PEOPLE)).astype(np.uint8)
    age = rng.uniform(0, 10, PEOPLE)
    value = 4 * codes[CAUSES].sum(axis=0) + 3 * age + 2 * rng.standard_normal(PEOPLE)
    codes[rng.random(codes.shape) < 0.02] = 3
    pairs = np.array([("A", "C"), ("A", "G"), ("C", "T"), ("G", "T")])
    table = pd.DataFrame({"sample_id": IDS, "height": value, "age": age})
    table["size"] = np.where(value > np.median(value), "tall", "small")
    return codes, pairs[rng.integers(4, size=number)], table


@pytest.fixture(scope="module")
def files(drawn: tuple[np.ndarray, np.ndarray, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    codes, alleles, table = drawn
    write_vcf(folder / "cohort.vcf", codes, alleles)
    table.to_csv(folder / "traits.tsv", sep="\t", index=False)
    table.iloc[:70, :1].to_csv(folder / "first.tsv", sep="\t", index=False)
    return folder


@pytest.fixture(scope="module", autouse=True)
def small_networks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "FEW", TrainConfig(epochs=5, patience=5, batch=16, members=1))
        yield


def bundle_of(files: Path, folder: Path, name: str) -> Path:
    trained = trait.train(
        files / "cohort.vcf", phenotypes=files / "traits.tsv", trait=name, covariates="age", out=folder, seed=3,
        folds=3, threads=1, verbosity=0,
    )  # fmt: skip
    return trained.folder / "bundle"


@pytest.fixture(scope="module")
def bundle(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_of(files, tmp_path_factory.mktemp("trained"), "height")


@pytest.fixture(scope="module")
def explained(bundle: Path, files: Path, tmp_path_factory: pytest.TempPathFactory) -> trait.ExplainResult:
    return trait.explain(
        bundle, files / "cohort.vcf", phenotypes=files / "traits.tsv", out=tmp_path_factory.mktemp("explained"), seed=1,
        verbosity=0,
    )  # fmt: skip


def table_of(found: trait.ExplainResult, name: str) -> pd.DataFrame:
    return pd.read_csv(found.folder / f"{name}.tsv", sep="\t", comment="#", dtype={"chrom": str})


def test_tables_name_every_variant(explained: trait.ExplainResult) -> None:
    variants = table_of(explained, "variants")
    assert variants["name"].tolist() == [f"s{k}" for k in range(3 * PER_CHROMOSOME)]
    assert variants["position"].tolist()[:2] == [1_000, 2_000]
    assert variants.notna().all().all()
    strongest = variants.nlargest(10, "importance").index
    assert len(set(CAUSES) & set(strongest)) >= 2
    assert np.corrcoef(variants["network_weight"], variants["linear_weight"])[0, 1] > 0.2


def test_chromosomes_share_the_variance(explained: trait.ExplainResult) -> None:
    chromosomes = table_of(explained, "chromosomes")
    assert chromosomes["chrom"].tolist() == ["1", "2", "3"]
    assert chromosomes["network"].sum() == pytest.approx(1, abs=1e-4)
    assert chromosomes["linear"].sum() == pytest.approx(1, abs=1e-4)


def test_windows_are_listed_from_the_strongest(explained: trait.ExplainResult) -> None:
    windows = table_of(explained, "windows")
    assert windows["importance"].is_monotonic_decreasing
    assert np.corrcoef(windows["importance"], windows["knock_out"])[0, 1] > 0.8
    assert (windows["end"] >= windows["start"]).all()


def test_p_values_are_of_each_site_beside_the_covariates(
    explained: trait.ExplainResult, drawn: tuple[np.ndarray, np.ndarray, pd.DataFrame]
) -> None:
    codes, _, table = drawn
    for site in (3, 10, 67):
        called = codes[site] != 3
        dosage = np.where(called, codes[site], codes[site][called].mean()).astype(float)
        design = np.column_stack([np.ones(PEOPLE), table["age"], dosage])
        effects, squares, _, _ = np.linalg.lstsq(design, table["height"], rcond=None)
        error = np.sqrt(squares[0] / (PEOPLE - 3) * np.linalg.inv(design.T @ design)[2, 2])
        expected = 2 * stats.t.sf(abs(effects[2] / error), PEOPLE - 3)
        assert explained.variants["p_value"][site] == pytest.approx(expected, rel=1e-3)


def test_inflation_of_p_values_is_that_of_chance_without_structure() -> None:
    chance = np.random.default_rng(2).random(20_000)
    assert Associated(chance, "height", 9).inflation == pytest.approx(1, abs=0.05)
    assert Associated(stats.chi2.sf(3 * stats.chi2.isf(chance, 1), 1), "height", 9).inflation == pytest.approx(
        3, abs=0.15
    )


def test_numbers_say_how_far_the_explanation_goes(explained: trait.ExplainResult) -> None:
    assert explained.explained["gap"] < 1e-4
    assert 0.5 < explained.explained["linear_share"] <= 1
    assert explained.explained["training"] == PEOPLE
    assert "90 individuals, 90 variants" in explained.summary()


def test_individuals_of_the_training_are_said_to_be(explained: trait.ExplainResult) -> None:
    page = explained.report.read_text().replace("\xa0", " ").replace("\u2060", "")
    assert "90 of 90 individuals have the genotypes of individuals of the training" in page
    for question in ("Which variants does the prediction stand on?", "Linear models to take away"):
        assert question in page
    assert len(page) < 1_000_000


def test_score_files_carry_the_linear_models(explained: trait.ExplainResult, files: Path, tmp_path: Path) -> None:
    """A score less its value at the training frequencies is what the genotypes add to the model's prediction."""
    task, trained = load(bundle_folder(explained))
    panel_rows = np.arange(PEOPLE)
    models = {m.key: m.model for m in trained.simple_models if isinstance(m, Genomic)}
    written = {row["key"]: row["file"] for row in explained.explained["scores"]}
    assert {"gblup", "dominance", "lasso", "cutoff", "clumping", "windows"} <= set(written)
    for key in ("gblup", "dominance", "lasso"):
        file = explained.folder / written[key]
        table = trait.score(file, files / "cohort.vcf", out=tmp_path / key, missing="file", verbosity=0, seed=1).table
        centre = float(read_score_file(file).header["score_at_training_frequencies"])
        genetic = models[key].score.genetic(panel_of(files, tmp_path), panel_rows)
        np.testing.assert_allclose(table["score"] - centre, genetic, atol=1e-4 * max(genetic.std(), 1e-6))
    assert task.target.name == "height"


def bundle_folder(found: trait.ExplainResult) -> Path:
    import json

    return Path(json.loads((found.folder / "run.json").read_text())["arguments"]["bundle"])


def panel_of(files: Path, folder: Path) -> Panel:
    from sewall.data.panels.reading import open_panel

    return open_panel(files / "cohort.vcf", folder / "cache", keep_constant=True)


def test_alleles_written_the_other_way_round_change_only_signs(
    explained: trait.ExplainResult, bundle: Path, drawn: tuple[np.ndarray, np.ndarray, pd.DataFrame], tmp_path: Path
) -> None:
    codes, alleles, _ = (part.copy() for part in drawn)
    turned = np.arange(0, len(codes), 2)
    codes[turned] = np.where(codes[turned] == 3, 3, 2 - codes[turned])
    alleles[turned] = alleles[turned, ::-1]
    again = trait.explain(bundle, write_vcf(tmp_path / "turned.vcf", codes, alleles), out=tmp_path / "out", seed=1,
                          verbosity=0)  # fmt: skip
    for column in ("importance", "network_weight"):
        np.testing.assert_allclose(again.variants[column], explained.variants[column], atol=1e-4)
    assert again.variants["p_value"].isna().all()  # no table, no p values
    assert "weights of the linear model" in again.report.read_text()


def test_some_individuals_alone_can_be_explained(bundle: Path, files: Path, tmp_path: Path) -> None:
    found = trait.explain(
        bundle, files / "cohort.vcf", samples=files / "first.tsv", out=tmp_path / "out", seed=1, verbosity=0
    )
    assert found.explained["individuals"] == 70


def test_the_chance_of_a_class_is_explained(files: Path, tmp_path: Path) -> None:
    bundle = bundle_of(files, tmp_path / "trained", "size")
    classes = bundles.read_about(bundle)["target"]["classes"]
    options = {"phenotypes": files / "traits.tsv", "seed": 1, "verbosity": 0}
    found = trait.explain(bundle, files / "cohort.vcf", out=tmp_path / "out", **options)
    assert found.explained["name"] == f"size = {classes[1]}"
    assert found.explained["gap"] < 1e-3
    sign = 1 if classes[1] == "tall" else -1
    assert (sign * found.variants["linear_weight"][CAUSES] > 0).all()
    assert found.variants["p_value"][CAUSES].median() < 0.01


def many_variants(number: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    chrom = np.sort(rng.integers(10, 22, number)).astype(str)
    position = np.concatenate([np.sort(rng.integers(1, 40_000_000, (chrom == c).sum())) for c in np.unique(chrom)])
    return pd.DataFrame(
        {"chrom": chrom, "position": position, "importance": rng.gamma(0.8, 0.01, number),
         "p_value": rng.random(number) ** 2, "linear_weight": rng.standard_normal(number)}
    )  # fmt: skip


def test_the_figure_of_a_large_panel_stays_light_and_keeps_its_peaks() -> None:
    variants = many_variants(36_000)
    picture = drawing("manhattan", "", lambda width: draw_manhattan(variants, width), WIDE)
    assert 100_000 < len(picture.wide) + len(picture.narrow) < 1_000_000
    x, y = Genome.of(variants).x, variants["importance"].to_numpy() / variants["importance"].max()
    shown = thinned(x, y, 880, 170)
    assert len(shown) <= 4_000
    assert {*np.argsort(-y)[:20].tolist()} <= {*shown.tolist()}
    few = thinned(x[:50:5], y[:50:5], 88_000, 170)
    assert sorted(few.tolist()) == list(range(10))  # where nothing hides anything, all are drawn


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--trait", "height"], "--trait height: p values need a table; give --phenotypes"),
        (["--label", "tall"], "--label tall: not a class"),
        (["--phenotypes", "TABLE", "--trait", "weight"], "has no column weight"),
    ],
)
def test_what_cannot_be_explained_is_said_in_one_line(
    bundle: Path, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    words = [str(files / "traits.tsv") if word == "TABLE" else word for word in options]
    out = tmp_path / "out"
    assert run(["trait", "explain", str(bundle), str(files / "cohort.vcf"), "-o", str(out), "-q", *words]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert says in said[0]
    assert not (out / "variants.tsv").exists()
