"""Traits in classes, several traits at once, and populations left out, from files to files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sewall import trait
from sewall.bundle import load as load_bundle
from sewall.data.panel import AUTOSOME, Panel, Sites
from sewall.errors import SewallError
from sewall.jobs.trait import networks
from sewall.jobs.trait.class_models import ClassOdds, ClassScores
from sewall.jobs.trait.people import People
from sewall.jobs.trait.predicting import load
from sewall.jobs.trait.results import TrainResult, TrainResults
from sewall.task import Examples, Target
from sewall.train import TrainConfig

PEOPLE, SITES = 240, 90


@pytest.fixture(scope="module", autouse=True)
def small_networks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "FEW", TrainConfig(epochs=2, patience=2, batch=32, members=1))
        yield


@pytest.fixture(scope="module")
def values() -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Dosages with linkage, ``(sites, people)``, and a genetic value with variance 1."""
    rng = np.random.default_rng(11)
    codes = np.zeros((SITES, PEOPLE), np.uint8)
    for _ in range(2):
        state = rng.random(PEOPLE) < 0.5
        for k in range(SITES):
            fresh = rng.random(PEOPLE) < (1.0 if k % 30 == 0 else 0.1)
            state = np.where(fresh, rng.random(PEOPLE) < 0.4, state)
            codes[k] += state
    value = (rng.standard_normal(SITES) * (rng.random(SITES) < 0.3)) @ codes
    return codes, (value - value.mean()) / value.std(), rng


@pytest.fixture(scope="module")
def files(values: tuple[np.ndarray, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    codes, value, rng = values
    folder = tmp_path_factory.mktemp("cohort")
    names = [f"p{k}" for k in range(PEOPLE)]
    rows = [
        "rs\talleles\tchrom\tpos\tstrand\tassembly\tcenter\tprotLSID\tassayLSID\tpanel\tQCcode\t" + "\t".join(names)
    ]
    words = np.array(["AA", "AG", "GG"])
    for k, row in enumerate(codes):
        place = [f"s{k}", "A/G", str(k // 30 + 1), str(1000 * (k % 30) + 1000), "+", *["NA"] * 6]
        rows.append("\t".join([*place, *words[row]]))
    (folder / "cohort.hmp.txt").write_text("\n".join(rows) + "\n")
    liability = value + 0.6 * rng.standard_normal(PEOPLE)
    table = pd.DataFrame({"sample_id": names})
    table["ill"] = np.where(liability > 0.3, 2, 1)
    table["flower"] = np.array(["blue", "red", "white"])[np.searchsorted([-0.5, 0.5], liability)]
    table["height"] = 170 + 8 * liability
    table["weight"] = 7e4 + 900 * (value + rng.standard_normal(PEOPLE))
    table.loc[::5, "weight"] = np.nan
    table.loc[3::40, "flower"] = None
    table["where"] = np.array(["north", "south", "east", "west"])[np.arange(PEOPLE) % 4]
    table.to_csv(folder / "traits.tsv", sep="\t", index=False)
    return folder


def trained(files: Path, out: Path, **options: Any) -> Any:
    given = {"seed": 3, "folds": 3, "threads": 1, "verbosity": 0} | options
    return trait.train(files / "cohort.hmp.txt", phenotypes=files / "traits.tsv", out=out, **given)


@pytest.fixture(scope="module")
def ill(files: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    result: TrainResult = trained(files, tmp_path_factory.mktemp("ill"), trait="ill")
    return result


def test_a_binary_trait_is_told_with_chances_and_sets(ill: TrainResult) -> None:
    assert ill.evaluation["metric"] == "auroc"
    auroc = {m["key"]: m["metrics"]["auroc"]["value"] for m in ill.evaluation["models"]}
    assert auroc["covariates"] < 0.6 < auroc["gblup"] and auroc["stack"] > 0.7
    assert list(ill.table.columns[:5]) == ["sample_id", "label", "p_1", "p_2", "set"]
    np.testing.assert_allclose(ill.table["p_1"] + ill.table["p_2"], 1, atol=1e-5)
    claimed = ill.table[ill.table["support"] != "outside"]
    held = [str(m) in str(s).split(",") for m, s in zip(claimed["measured"], claimed["set"], strict=True)]
    assert 0.8 < np.mean(held) <= 1
    assert "AUROC of the stack" in ill.summary() and "sets cover" in ill.summary()
    assert "Are the chances right?" in ill.report.read_text()


def test_new_individuals_are_told_the_same_way(ill: TrainResult, files: Path, tmp_path: Path) -> None:
    found = trait.predict(ill.folder / "bundle", files / "cohort.hmp.txt", out=tmp_path / "out", seed=1, verbosity=0)
    liable = pd.read_csv(files / "traits.tsv", sep="\t")["ill"]
    assert (found.table["label"].astype(int) == liable).mean() > 0.75
    assert found.table["p_2"][liable == 2].mean() > found.table["p_2"][liable == 1].mean() + 0.2
    page = found.report.read_text()
    assert "of these, with no other class in the set" in page


def test_a_trait_in_words_has_classes(files: Path, tmp_path: Path) -> None:
    result = trained(files, tmp_path / "out", trait="flower")
    scores = result.evaluation
    assert scores["target"]["classes"] == ["blue", "red", "white"]
    assert scores["n"] == PEOPLE - 6
    assert next(m["metrics"]["auroc"]["value"] for m in scores["models"] if m["key"] == "stack") > 0.65
    assert {row["group"] for row in scores["calibration"]["by_group"]} == {"blue", "red", "white"}
    task, bundle = load(result.folder / "bundle")
    again = load_bundle(result.folder / "bundle", task)
    people = bundle.calibration["answer"].shape
    assert people == again.calibration["answer"].shape == (PEOPLE - 6, 3)
    assert "called red" in result.report.read_text()


@pytest.fixture(scope="module")
def several(files: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResults:
    result: TrainResults = trained(files, tmp_path_factory.mktemp("several"), trait=["height", "weight", "ill"])
    return result


def test_several_traits_are_learned_at_once_each_by_who_has_it(several: TrainResults) -> None:
    assert several.table["trait"].tolist() == ["height", "weight", "ill"]
    assert several.table["individuals"].tolist() == [PEOPLE, PEOPLE - PEOPLE // 5, PEOPLE]
    heads = [json.loads((several.folder / t / "bundle" / "bundle.json").read_text())["shape"] for t in several.traits]
    assert [shape["networks"][0]["head"] for shape in heads] == [{"traits": 2}, {"traits": 2}, {"classes": 2}]
    for name in ("height", "weight"):
        assert several.traits[name].score("stack")["value"] > 0.4
        assert (several.folder / name / "report.html").exists()
    assert "3 traits of the same individuals" in (several.folder / "report.html").read_text()
    assert len(several.summary().splitlines()) == 4


def test_traits_lend_each_other_what_was_learnt_of_them(several: TrainResults) -> None:
    scores = several.traits["weight"].evaluation
    assert "of height" in scores["stack"]["weights"]
    assert "of height" not in {model["key"] for model in scores["models"]}
    assert "GBLUP of height" in several.traits["weight"].report.read_text()
    assert "of ill" not in scores["stack"]["weights"]  # classes neither lend nor borrow
    task, bundle = load(several.folder / "weight" / "bundle")
    lent = next(model for model in bundle.simple_models if model.key == "of height")
    assert lent.key in task.borrowed
    columns = pd.read_csv(several.folder / "weight" / "models.tsv", sep="\t", comment="#").columns
    assert "of height" in columns


def test_a_bundle_of_several_traits_predicts_its_own(several: TrainResults, files: Path, tmp_path: Path) -> None:
    bundle = several.folder / "weight" / "bundle"
    found = trait.predict(bundle, files / "cohort.hmp.txt", out=tmp_path / "out", seed=1, verbosity=0).table
    weight = pd.read_csv(files / "traits.tsv", sep="\t")["weight"]
    assert np.corrcoef(found["estimate"], weight.fillna(weight.mean()))[0, 1] > 0.4
    assert 6.8e4 < found["network"].mean() < 7.2e4


def test_a_finished_training_is_not_done_again(several: TrainResults, files: Path) -> None:
    before = (several.folder / "height" / "bundle" / "model.safetensors").stat().st_mtime_ns
    again = trained(files, several.folder, trait=["height", "weight", "ill"])
    assert (several.folder / "height" / "bundle" / "model.safetensors").stat().st_mtime_ns == before
    pd.testing.assert_frame_equal(again.table, several.table)
    assert not (several.folder / "fits").exists()


def test_every_population_is_predicted_from_the_others(files: Path, tmp_path: Path) -> None:
    result = trained(files, tmp_path / "out", trait="height", leave_out="where")
    assert [entry["n"] for entry in result.evaluation["by_fold"]] == [PEOPLE // 4] * 4
    assert "each one where" in result.evaluation["held_out"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"trait": ["height", "height"]}, "named twice"),
        ({"trait": "height", "groups": "where", "leave_out": "where"}, "give one"),
        ({"trait": []}, "--trait"),
        ({"trait": "ill", "leave_out": "height"}, "groups to leave out"),
        ({"trait": "height", "kernel": "local", "share": "all"}, "kernel='shared'"),
        ({"trait": "height", "kernel_sizes": "0.5,none"}, "--kernel-sizes are multiples of the window"),
    ],
)
def test_what_cannot_be_is_refused(files: Path, tmp_path: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(SewallError, match=says):
        trained(files, tmp_path / "out", **options)


def test_a_class_of_few_is_refused(files: Path, tmp_path: Path) -> None:
    table = pd.read_csv(files / "traits.tsv", sep="\t")
    table["rare"] = np.where(np.arange(PEOPLE) < 4, 1, 0)
    table.to_csv(tmp_path / "traits.tsv", sep="\t", index=False)
    with pytest.raises(SewallError, match="rare is 1 in 4 individuals, and 6 of every class are needed for 3 folds"):
        trait.train(
            files / "cohort.hmp.txt", phenotypes=tmp_path / "traits.tsv", trait="rare", out=tmp_path / "out", folds=3,
            verbosity=0,
        )  # fmt: skip


def people(number: int, codes: np.ndarray, covariates: np.ndarray, labels: np.ndarray) -> Examples:
    sites = len(codes)
    alleles = np.tile(["A", "G"], (sites, 1))
    names = np.array([f"s{k}" for k in range(sites)])
    place = np.arange(sites, dtype=np.int32)
    panel = Panel.from_codes(
        codes, Sites(np.full(sites, "1"), place, names, alleles, np.full(sites, AUTOSOME, np.int8)),
        [f"p{k}" for k in range(number)],
    )  # fmt: skip
    return Examples(pd.DataFrame({"sample_id": panel.sample_ids}), People(panel, covariates), labels.astype(float))


def test_covariates_alone_are_a_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(2)
    age = rng.normal(50, 12, (400, 1))
    labels = rng.random(400) < 1 / (1 + np.exp(-(age[:, 0] - 50) / 8))
    examples = people(400, rng.integers(0, 3, (20, 400)).astype(np.uint8), age, labels)
    rows = np.arange(400)
    target = Target("ill", "", "identity", 0, 1, ("no", "yes"))
    found = np.exp(ClassOdds(target).fit(examples, rows).predict(examples, rows))
    known = LogisticRegression(C=1e6, max_iter=1000).fit(age, labels).predict_proba(age)
    np.testing.assert_allclose(found, known, atol=2e-3)


def test_scores_of_classes_sum_to_one_and_come_back_from_their_state() -> None:
    from sewall.genomic.blup import GBLUP

    rng = np.random.default_rng(3)
    codes = rng.integers(0, 3, (60, 300)).astype(np.uint8)
    value = rng.standard_normal(60) @ codes
    labels = np.searchsorted(np.quantile(value, [0.4, 0.8]), value + 0.5 * value.std() * rng.standard_normal(300))
    examples = people(300, codes, np.zeros((300, 0)), labels)
    target = Target("flower", "", "identity", 0, 2, ("a", "b", "c"))
    model = ClassScores(ClassOdds(target), GBLUP()).fit(examples, np.arange(200))
    held = np.arange(200, 300)
    found = model.predict(examples, held)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)
    assert (found.argmax(axis=1) == labels[held]).mean() > 0.5
    again = ClassScores(ClassOdds(target), GBLUP()).with_state(model.state())
    np.testing.assert_allclose(again.predict(examples, held), found, atol=1e-5)


@pytest.fixture(scope="module")
def half(files: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainResult]:
    """A training on the first three quarters of the cohort, by a list of them."""
    folder = tmp_path_factory.mktemp("half")
    (folder / "first.txt").write_text("".join(f"p{k}\n" for k in range(180)))
    return folder, trained(files, folder / "out", trait="height", samples=folder / "first.txt")


def test_a_bundle_is_judged_by_individuals_that_it_does_not_know(
    half: tuple[Path, TrainResult], files: Path, tmp_path: Path
) -> None:
    assert half[1].evaluation["n"] == 180
    given = {"phenotypes": files / "traits.tsv", "seed": 1, "verbosity": 0}
    found = trait.evaluate(half[1].folder / "bundle", files / "cohort.hmp.txt", out=tmp_path / "out", **given)
    assert found.evaluation["n"] == PEOPLE - 180
    r = {m["key"]: m["metrics"]["pearson"]["value"] for m in found.evaluation["models"]}
    assert r["stack"] > 0.4 and "network" in r
    new = found.table[found.table["sample_id"].isin([f"p{k}" for k in range(180, PEOPLE)])]
    assert np.corrcoef(new["estimate"], new["measured"])[0, 1] == pytest.approx(r["stack"], abs=1e-4)
    assert found.evaluation["calibration"]["coverage"]["value"] > 0.7
    page = found.report.read_text()
    assert "60 individuals that were not in its training" in page and "180 individuals have ids of the training" in page
    assert "of the stack" in found.summary()


def test_only_known_individuals_cannot_judge(half: tuple[Path, TrainResult], files: Path, tmp_path: Path) -> None:
    given = {"phenotypes": files / "traits.tsv", "samples": half[0] / "first.txt", "seed": 1, "verbosity": 0}
    with pytest.raises(SewallError, match="all 180 individuals that were measured have ids of the training"):
        trait.evaluate(half[1].folder / "bundle", files / "cohort.hmp.txt", out=tmp_path / "out", **given)


def test_classes_are_judged_by_their_names(ill: TrainResult, files: Path, tmp_path: Path) -> None:
    given = {"phenotypes": files / "traits.tsv", "keep_known": True, "seed": 1, "verbosity": 0}
    found = trait.evaluate(ill.folder / "bundle", files / "cohort.hmp.txt", out=tmp_path / "out", **given)
    assert found.evaluation["metric"] == "auroc" and found.table["measured"].astype(str).isin(["1", "2"]).all()
    table = pd.read_csv(files / "traits.tsv", sep="\t").assign(ill=lambda t: t["ill"] + 4)
    table.to_csv(tmp_path / "other.tsv", sep="\t", index=False)
    with pytest.raises(
        SewallError, match="ill is '5' in some individuals, unknown to the bundle; its classes are 1, 2"
    ):
        trait.evaluate(
            ill.folder / "bundle", files / "cohort.hmp.txt", phenotypes=tmp_path / "other.tsv", out=tmp_path / "again",
            verbosity=0,
        )  # fmt: skip


def test_networks_of_another_form_can_be_asked_for(files: Path, tmp_path: Path) -> None:
    asked = {"kernel": "shared", "kernel_sizes": "0.5,1", "share": "deep", "pool": "10kb"}
    result = trained(files, tmp_path / "out", trait="height", **asked)
    _, bundle = load(result.folder / "bundle")
    shape = bundle.networks[0].recipe()["shape"]
    assert (shape["kernel"], shape["share"], shape["bins"]) == ("shared", "deep", 10_000)
    assert tuple(shape["factors"]) == (0.5, 1.0)
    assert result.score("stack")["value"] > 0.4
