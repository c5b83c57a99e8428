from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sewall.report import write_report
from sewall.report.files import read_run

TRAINED = ["asked", "trait", "trust", "models", "stack", "learning", "dropped", "repeat"]
PREDICTED = ["asked", "trait", "trust", "models", "sites", "support", "learning", "dropped", "repeat"]
FIGURES = {"measured", "folds", "calibration", "groups", "models", "weights", "learning"}


def page(directory: Path) -> str:
    return write_report(directory).read_text().replace("\xa0", " ").replace("\u2060", "")


def ids(html: str, tag: str) -> list[str]:
    return [name.removeprefix("figure-") for name in re.findall(rf'<{tag} id="([\w-]+)"', html)]


def change(directory: Path, name: str, **values: Any) -> None:
    content = json.loads((directory / name).read_text()) | values
    (directory / name).write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def evaluation(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "evaluation.json").read_text())


def test_a_training_answers_in_order_with_all_figures(training):
    html = page(training)
    assert ids(html, "section") == TRAINED
    assert set(ids(html, "figure")) == FIGURES
    assert "<h1>CD8 from mouse_hs1940.bed</h1>" in html
    assert "1,521 individuals · 9,500 sites · 19 chromosomes" in html
    assert "has a correlation of 0.731 (0.706 to 0.756) with the measurement" in html
    assert "that of the best single model, additive + dominance, is 0.722 (0.697 to 0.747)." in html
    assert "18 to 20 sites, found in the training folds" in html
    assert "5 folds, drawn at random" in html


@pytest.mark.parametrize("directory", ["training", "prediction"])
def test_no_word_of_simulations(directory, request):
    assert "simulat" not in page(request.getfixturevalue(directory)).lower()


def test_held_out_individuals_are_not_called_checked(training):
    assert sum(read_run(training).support_counts.values()) == 0
    assert "look like the training individuals" not in page(training)


@pytest.mark.parametrize(
    ("adds", "said"),
    [
        ((0.012, 0.004, 0.02), "Yes: with it the correlation of the stack changes by +0.012"),
        ((0.012, 0.004, 0.02), "a gain beyond chance."),
        ((0.0034, -0.002, 0.009), "No: with it the correlation of the stack changes by +0.003 (95 % interval −0.002"),
        ((0.0034, -0.002, 0.009), "which is within chance."),
        ((-0.01, -0.02, -0.004), "No: with it the correlation of the stack changes by −0.010"),
        ((-0.01, -0.02, -0.004), "a loss beyond chance."),
        ((0.0, 0.0, 0.0), "No: the stack gives the network no weight."),
    ],
)
def test_what_the_network_adds_is_said_plainly(training, adds, said):
    change(training, "evaluation.json", network_adds=dict(zip(("value", "lower", "upper"), adds, strict=True)))
    assert page(training).count(said) == 2  # in the summary and above the comparison


def test_without_a_measured_gain_the_verdict_stands(training):
    change(training, "evaluation.json", network_adds=None)
    assert "<dd>The simplest adequate model is additive + dominance.</dd>" in page(training)


def test_correlation_comes_first(training):
    html = page(training)
    assert "correlation (higher is better)" in html
    assert re.search(r'class="words">model</th><th scope="col">correlation</th><th scope="col">R²', html)
    assert "time to fit" not in html
    change(training, "evaluation.json", metric="r2")
    assert "R² (higher is better)" in page(training)


def test_the_differences_tell_the_metric_where_nothing_else_does(training):
    change(training, "evaluation.json", metric=None)
    assert "correlation (higher is better)" in page(training)


def test_only_differences_of_stack_and_network_are_told(training):
    found = evaluation(training)["differences"]
    turned = next(entry for entry in found if entry["model"] == "network" and entry["against"] == "gblup")
    turned |= {"model": "gblup", "against": "network", "value": -0.5, "lower": -0.6, "upper": -0.4}
    change(training, "evaluation.json", differences=found)
    html = page(training)
    assert len(re.findall(r">stack of all models minus ", html)) == 9
    assert len(re.findall(r">network \(mean of 5\) minus ", html)) == 8
    assert "LASSO minus" not in html
    assert re.search(r"network \(mean of 5\) minus GBLUP</td>.*?>0\.500 \(0\.400 to 0\.600\)<", html)


def test_far_models_keep_their_number_and_do_not_press_the_others(training):
    html = page(training)
    assert html.count("◂ 0.11<") == 2  # the wide and the narrow picture
    assert "lower than the picture reaches" in html
    models = evaluation(training)["models"]
    models[0]["metrics"]["pearson"]["value"] = 0.6
    change(training, "evaluation.json", models=models)
    assert "lower than the picture reaches" not in page(training)


def test_stack_tells_weights_and_what_lies_beyond_covariates(training):
    html = page(training)
    assert "correlation beyond covariates" in html
    assert re.search(r"additive \+ dominance</td><td>0\.41</td><td>[\d.]+ to [\d.]+</td><td>0\.702<", html)
    change(training, "run.json", covariates=[])
    assert "correlation beyond the mean" in page(training)


def test_doubts_name_ancestry_groups_and_limits(training):
    html = page(training)
    assert "Ancestry components alone reach a correlation of 0.510" in html
    assert "Covariates alone" not in html
    assert "Folds were drawn at random" in html
    assert "Association, not causation" in html
    change(training, "run.json", arguments={"trait": "CD8", "folds": 5, "groups": "cage"})
    html = page(training)
    assert "Folds were drawn at random" not in html
    assert "5 folds, whole groups of cage together" in html


@pytest.mark.parametrize("key", sorted(["models", "differences", "stack", "by_fold", "beyond_base", "network_adds"]))
@pytest.mark.parametrize("left", ["absent", "empty"])
def test_any_part_of_a_training_may_be_missing(training, key, left):
    empty = type(evaluation(training)[key])()
    change(training, "evaluation.json", **{key: None if left == "absent" else empty})
    lost = {"models": "models"}.get(key)
    html = page(training)
    assert ids(html, "section") == [name for name in TRAINED if name != lost]
    gone = {"models": {"models"}, "stack": {"weights"}, "by_fold": {"folds"}}.get(key, set())
    assert set(ids(html, "figure")) == FIGURES - gone


def test_unknown_scores_are_left_out(training):
    scores = evaluation(training)
    scores["models"][0]["metrics"]["pearson"] = {"value": float("nan"), "lower": float("nan"), "upper": float("nan")}
    scores["by_fold"][0]["pearson"]["lasso"] = None
    change(training, "evaluation.json", models=scores["models"], by_fold=scores["by_fold"])
    assert "nan" not in re.sub(r"<[^>]*>", " ", page(training)).lower().split()


def test_a_trait_that_nobody_can_predict_is_drawn(training):
    models = evaluation(training)["models"]
    for i, model in enumerate(models):
        model["metrics"]["pearson"] = {"value": 0.01 - 0.01 * i, "lower": -0.1, "upper": 0.05}
    change(training, "evaluation.json", models=models)
    html = page(training)
    assert "has a correlation of −0.080 (−0.100 to 0.050) with" in html
    assert "lower than the picture reaches" not in html


@pytest.mark.parametrize("verb", ["train", "predict"])
def test_run_json_alone_is_enough(tmp_path, verb):
    (tmp_path / "run.json").write_text(json.dumps({"job": "trait", "verb": verb}))
    assert ids(page(tmp_path), "section") == ["asked", "trait", "trust", "repeat"]


def test_one_group_is_no_figure(training):
    calibration = evaluation(training)["calibration"]
    calibration["by_group"] = calibration["by_group"][:1]
    change(training, "evaluation.json", calibration=calibration)
    assert set(ids(page(training), "figure")) == FIGURES - {"groups"}


def test_a_prediction_answers_in_order_with_all_figures(prediction):
    html = page(prediction)
    assert ids(html, "section") == PREDICTED
    assert set(ids(html, "figure")) == {
        "spread", "ranked", "calibration", "groups", "scatter", "models", "support", "learning",
    }  # fmt: skip
    assert "CD8 is predicted for 139 of 140 individuals, from 3" in html
    assert "124 of your 140 individuals look like the training individuals" in html
    assert "Such predictions of held-out individuals had a correlation of 0.731" in html
    assert "Measured CD8" in html
    assert "7 individuals lie outside: no interval is claimed for them." in html
    assert "unusual heterozygous calls" in html


def test_what_became_of_sites_is_told(prediction):
    html = page(prediction)
    assert "95 (79.2 %) were found" in html
    assert re.search(r"left out: not in these data</td><td>25</td><td>20\.8 %<", html)
    assert html.index(">same alleles<") < html.index(">REF and ALT swapped<") < html.index(">left out: not in these")
    assert "Only 79.2 % of the variation of the bundle's sites is told" in html.replace("&#39;", "'")
    (prediction / "match_report.tsv").unlink()
    assert "sites" not in ids(page(prediction), "section")


def test_outside_takes_the_claim_back(prediction):
    assert "do not use" not in page(prediction).lower()
    found = evaluation(prediction)["support"] | {"status": "outside"}
    change(prediction, "evaluation.json", support=found)
    html = page(prediction)
    assert "Do not use these predictions as they stand" in html
    assert "of held-out individuals; not claimed for your data" in html


def test_nobody_answered(prediction):
    table = pd.read_csv(prediction / "predictions.tsv", sep="\t", comment="#")
    table[["estimate", "lower", "upper", "simple", "network"]] = float("nan")
    table.to_csv(prediction / "predictions.tsv", sep="\t", index=False, na_rep="NA")
    assert "CD8 is not predicted for anybody" in page(prediction)


def test_support_counts_without_predictions_come_from_the_evaluation(prediction):
    told = evaluation(prediction)["support"]["examples"]
    (prediction / "predictions.tsv").unlink()
    assert read_run(prediction).support_counts == told


def test_one_individual(prediction):
    table = pd.read_csv(prediction / "predictions.tsv", sep="\t", comment="#").iloc[50:51]
    table.to_csv(prediction / "predictions.tsv", sep="\t", index=False, na_rep="NA")
    assert "CD8 is predicted for 1 individual: " in page(prediction)


def test_identical_predictions_are_drawn(prediction):
    table = pd.read_csv(prediction / "predictions.tsv", sep="\t", comment="#")
    table["estimate"] = 40.0
    table.to_csv(prediction / "predictions.tsv", sep="\t", index=False, na_rep="NA")
    assert "figure-spread" in page(prediction)
