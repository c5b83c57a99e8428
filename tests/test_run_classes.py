"""The spine with a target in classes: probabilities, sets and priors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from sewall import bundle as bundles
from sewall import run
from sewall.bundle import Bundle
from sewall.errors import SewallError
from sewall.rundir import plain
from sewall.task import Examples, Task
from sewall.train import TrainConfig
from sewall.trust import diagnose
from sewall.trust.compare import score

CONFIG = TrainConfig(epochs=8, patience=8, learning_rate=0.02, members=2)
KINDS = ("ball", "car", "doll")
RARE = (0.04, 0.06, 0.9)
PRIORS = dict(zip(KINDS, RARE, strict=True))


@pytest.fixture(scope="module")
def examples(toy_kinds: Callable[..., Examples]) -> Examples:
    return toy_kinds(6_000)


@pytest.fixture(scope="module")
def parts(toy_classes: Task, examples: Examples) -> run.Split:
    return run.split(toy_classes, examples, 1)


@pytest.fixture(scope="module")
def bundle(toy_classes: Task, examples: Examples, parts: run.Split, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return run.fit(toy_classes, examples, parts, CONFIG, tmp_path_factory.mktemp("checkpoints"), 5)[0]


@pytest.fixture(scope="module")
def scarce(toy_kinds: Callable[..., Examples]) -> Examples:
    """Balls and cars are rare here, and were common in training."""
    return toy_kinds(3_000, seed=8, empty=0, shares=RARE)


def like(task: Task, **differing: object) -> Task:
    """Return a task that differs in a few attributes."""
    made: Task = type("Like", (type(task),), differing)()
    return made


def held(members: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.asarray(members[np.arange(len(labels)), labels])


def labels_of(examples: Examples) -> np.ndarray:
    assert examples.target is not None
    return examples.target.astype(np.int64)


@pytest.mark.parametrize(("level", "abstains"), [(0.9, False), (0.7, True)])
def test_sets_hold_in_every_class_however_common_it_is(
    toy_classes: Task, toy_kinds: Callable[..., Examples], scarce: Examples, bundle: Bundle, level: float,
    abstains: bool,
) -> None:  # fmt: skip
    task = like(toy_classes, abstains=abstains)
    for fresh in (toy_kinds(3_000, seed=7, empty=0), scarce):
        answered, labels = run.answer(bundle, task, fresh, np.arange(3_000), level), labels_of(fresh)
        for k in range(3):  # about 280 calibration examples of each, and 120 or more that are tested
            mine = labels == k
            assert held(answered.claimed, labels)[mine].mean() == pytest.approx(level, abs=0.08)
        assert abstains or answered.claimed[np.arange(3_000), answered.raw.argmax(axis=1)].all()


def test_a_task_that_abstains_has_empty_sets(
    toy_classes: Task, toy_kinds: Callable[..., Examples], bundle: Bundle
) -> None:
    fresh = toy_kinds(1_000, seed=7, empty=0)
    empty = [
        (run.predict(bundle, like(toy_classes, abstains=abstains), fresh, 0.5, 1, "").table["set"] == "{}").mean()
        for abstains in (True, False)
    ]
    assert empty[0] > 0.02 and empty[1] == 0


def test_priors_move_probabilities_as_bayes_says_and_leave_the_sets(
    toy_classes: Task, scarce: Examples, bundle: Bundle, parts: run.Split, examples: Examples
) -> None:
    plainly, stated = (run.predict(bundle, toy_classes, scarce, 0.9, 1, "", priors).table for priors in (None, PRIORS))
    chances = [f"p_{name}" for name in KINDS]
    shares = np.bincount(labels_of(examples)[parts.train]) / len(parts.train)
    expected = plainly[chances].to_numpy() * np.array(RARE) / shares
    np.testing.assert_allclose(stated[chances], expected / expected.sum(axis=1, keepdims=True), rtol=1e-9)
    assert (stated["label"] == np.array(KINDS)[expected.argmax(axis=1)]).all()
    assert (stated["set"] == plainly["set"]).all()
    assert (stated["support"] == plainly["support"]).all()
    assert (stated["simple"] != plainly["simple"]).mean() > 0.05  # simple models know them too
    same = run.answer(bundle, toy_classes, scarce, np.arange(50), 0.9, dict(zip(KINDS, shares, strict=True)))
    np.testing.assert_allclose(same.estimate, plainly[chances][:50])


def test_the_right_priors_make_probabilities_right(toy_classes: Task, scarce: Examples, bundle: Bundle) -> None:
    rows, truth = np.arange(len(scarce)), labels_of(scarce)
    before, after = (run.answer(bundle, toy_classes, scarce, rows, 0.9, p).estimate for p in (None, PRIORS))
    np.testing.assert_allclose(after.mean(axis=0), RARE, atol=0.02)
    assert before[:, 2].mean() < 0.75
    loss = [score(truth, p, ["log_loss"], seed=1, repeats=10)["log_loss"].value for p in (before, after)]
    assert loss[1] < loss[0] - 0.1
    assert diagnose.ece(after.max(axis=1), after.argmax(axis=1) == truth) < 0.03


def test_priors_that_cannot_be_are_refused(toy_classes: Task, examples: Examples, bundle: Bundle) -> None:
    with pytest.raises(SewallError, match="'train': there is no such class; the classes are ball, car, doll"):
        run.predict(bundle, toy_classes, examples, 0.9, 1, "", {"train": 1.0})


def test_temperature_mends_an_ensemble_that_is_too_sure(
    toy_classes: Task, toy_kinds: Callable[..., Examples], examples: Examples, parts: run.Split, bundle: Bundle
) -> None:
    networks = []
    for network in bundle.networks:
        sure = toy_classes.network_like({})
        sure.load_state_dict(network.state_dict())
        with torch.no_grad():
            for weights in sure.head.parameters():
                weights *= 4.0
        networks.append(sure.eval())
    known = run.ensemble(networks, toy_classes, examples, parts.calibrate)[0]
    sure_bundle = replace(bundle, networks=networks, calibration=bundle.calibration | {"answer": known})
    fresh = toy_kinds(3_000, seed=9, empty=0)
    answered, labels = run.answer(sure_bundle, toy_classes, fresh, np.arange(3_000), 0.9), labels_of(fresh)
    raw, mended = (
        diagnose.ece(p.max(axis=1), p.argmax(axis=1) == labels) for p in (np.exp(answered.raw), answered.estimate)
    )
    assert raw > 0.15 and mended < 0.04


def test_an_ensemble_is_the_mean_of_its_probabilities(toy_classes: Task, examples: Examples, bundle: Bundle) -> None:
    rows = np.flatnonzero(toy_classes.usable(examples))[:40]
    both, first, second = (
        np.exp(run.ensemble(networks, toy_classes, examples, rows)[0])
        for networks in (bundle.networks, bundle.networks[:1], bundle.networks[1:])
    )
    np.testing.assert_allclose(both, (first + second) / 2)
    np.testing.assert_allclose(both.sum(axis=1), 1)


def test_alone_and_in_company_the_answer_is_the_same(
    toy_classes: Task, toy_kinds: Callable[..., Examples], bundle: Bundle
) -> None:
    fresh = toy_kinds(200, seed=6, empty=0.1)
    table = run.predict(bundle, toy_classes, replace(fresh, target=None), 0.9, 1, "holds nothing", PRIORS).table
    empty = ~toy_classes.usable(fresh)
    assert table.columns.tolist() == [
        "shelf", "place", "label", "p_ball", "p_car", "p_doll", "set", "simple", "support", "reason",
    ]  # fmt: skip
    assert (table[["label", "p_ball", "set", "simple"]].isna().all(axis=1) == empty).all()
    assert set(table.loc[empty, "reason"]) == {"holds nothing"}
    for row in np.flatnonzero(~empty)[:12]:
        one = Examples(fresh.keys.iloc[[row]], replace(fresh.source, table=fresh.source.table[[row]]))
        alone = run.predict(bundle, toy_classes, one, 0.9, 1, "", PRIORS).table
        pd.testing.assert_frame_equal(alone, table.iloc[[row]].reset_index(drop=True), rtol=1e-5)


def test_scores_are_those_of_the_test_part(
    toy_classes: Task, examples: Examples, parts: run.Split, bundle: Bundle
) -> None:
    scores = run.evaluate(bundle, toy_classes, examples, parts.test, 0.9, 1)
    json.dumps(plain(scores), allow_nan=False)
    truth = labels_of(examples)[parts.test]
    answered = run.answer(bundle, toy_classes, examples, parts.test, 0.9)
    right = answered.estimate.argmax(axis=1) == truth
    models = {model["key"]: model["metrics"] for model in scores["models"]}
    assert set(models) == {"network", "forest"} and scores["metric"] == "accuracy"
    assert models["network"]["accuracy"]["value"] == pytest.approx(right.mean())
    assert right.mean() > 0.6
    counts = np.array(scores["confusion"])
    assert counts.sum(axis=1).tolist() == np.bincount(truth).tolist()
    assert np.trace(counts) == right.sum()
    assert sum(row["n"] for row in scores["reliability"]) == len(truth)
    calibration = scores["calibration"]
    assert [group["group"] for group in calibration["by_group"]] == list(KINDS)
    by_class = sum(group["n"] * group["set_size"] for group in calibration["by_group"]) / len(truth)
    assert by_class == pytest.approx(calibration["set_size"])
    nominal, measured = zip(*[(c["level"], c["coverage"]["value"]) for c in calibration["curve"]], strict=True)
    assert all(found > said - 0.05 for said, found in zip(nominal, measured, strict=True))
    again = run.calibration(
        bundle, toy_classes, bundle.calibration["test_answer"], bundle.calibration["test_truth"], 0.9, 1
    )
    assert again == calibration


def test_the_metric_of_the_verdict_is_the_task_s(
    toy_classes: Task, examples: Examples, parts: run.Split, bundle: Bundle
) -> None:
    task = like(toy_classes, metric="log_loss")
    scores = run.evaluate(bundle, task, examples, parts.test, 0.9, 1)
    assert {row["metric"] for row in scores["differences"]} == {scores["metric"]} == {"log_loss"}
    about = run.described(bundle, task, {"job": "toy"}, scores).about
    assert about["best_simple"] == "forest"
    assert about["target"] == {"name": "kind", "unit": "", "classes": list(KINDS)}
    assert next(iter(about["scores"])) == "log loss of network (ensemble of 2)"
    assert list(about["scores"])[-1] == "coverage of 90% sets"


def test_the_best_is_the_lowest_where_less_is_better() -> None:
    models = [
        {"key": key, "metrics": {"log_loss": {"value": v}}} for key, v in (("network", 0.1), ("a", 0.5), ("b", 0.4))
    ]
    assert run.best_simple({"metric": "log_loss", "models": models}, ("network",)) == "b"


def test_a_loaded_bundle_predicts_the_same(
    toy_classes: Task, toy_kinds: Callable[..., Examples], bundle: Bundle, tmp_path: Path
) -> None:
    replace(bundle, about={"job": "toy"}).save(tmp_path / "bundle")
    loaded, fresh = bundles.load(tmp_path / "bundle", toy_classes), toy_kinds(500, seed=4)
    one, other = (run.predict(b, toy_classes, fresh, 0.8, 3, "empty", PRIORS) for b in (bundle, loaded))
    assert one.table.equals(other.table)
    np.testing.assert_array_equal(one.answers["forest"], other.answers["forest"])


def test_a_class_without_examples_is_refused_before_anything_is_trained(
    toy_classes: Task, examples: Examples, parts: run.Split, tmp_path: Path
) -> None:
    assert examples.target is not None
    few = examples.labelled(np.where(examples.target == 1, 0, examples.target))
    with pytest.raises(SewallError, match=r"none of the 3,\d+ training examples is car"):
        run.fit(toy_classes, few, parts, CONFIG, tmp_path, 5)
    assert not list(tmp_path.iterdir())
