"""The spine, with a job that it has never heard of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall import run
from sewall.bundle import Bundle
from sewall.errors import SewallError
from sewall.rundir import plain
from sewall.task import Examples, Task
from sewall.train import TrainConfig

CONFIG = TrainConfig(epochs=8, patience=8, learning_rate=0.02, members=2)
PARTS = ("train", "tune", "calibrate", "null", "test")


@pytest.fixture(scope="module")
def examples(toy_examples: Callable[..., Examples]) -> Examples:
    return toy_examples(6_000)


@pytest.fixture(scope="module")
def parts(toy_task: Task, examples: Examples) -> run.Split:
    return run.split(toy_task, examples, 1)


@pytest.fixture(scope="module")
def fitted(
    toy_task: Task, examples: Examples, parts: run.Split, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Bundle, list[dict[str, float]]]:
    return run.fit(toy_task, examples, parts, CONFIG, tmp_path_factory.mktemp("checkpoints"), 5)


@pytest.fixture(scope="module")
def bundle(fitted: tuple[Bundle, list[dict[str, float]]]) -> Bundle:
    return fitted[0]


def test_parts_share_no_example_and_no_family(toy_task: Task, examples: Examples, parts: run.Split) -> None:
    rows = [getattr(parts, name) for name in PARTS]
    together = np.concatenate(rows)
    usable = np.flatnonzero(toy_task.usable(examples))
    assert len(usable) < len(examples)
    np.testing.assert_array_equal(np.sort(together), usable)  # every usable example once, no other
    assert examples.groups is not None
    families = [set(examples.groups[part]) for part in rows]
    assert sum(len(one) for one in families) == len(set().union(*families))


def test_parts_have_the_shares_that_were_asked_for(toy_task: Task, examples: Examples) -> None:
    shares = run.Shares(train=0.5, tune=0.1, calibrate=0.2, null=0.1)
    sizes = [len(getattr(run.split(toy_task, examples, 1, shares), name)) for name in PARTS]
    np.testing.assert_allclose(np.array(sizes) / sum(sizes), [0.5, 0.1, 0.2, 0.1, 0.1], atol=0.01)


def test_the_seed_decides_the_parts(toy_task: Task, examples: Examples, parts: run.Split) -> None:
    same, other = run.split(toy_task, examples, 1), run.split(toy_task, examples, 2)
    np.testing.assert_array_equal(parts.test, same.test)
    assert set(parts.test.tolist()) != set(other.test.tolist())


def test_without_groups_every_example_is_its_own(toy_task: Task, examples: Examples) -> None:
    parts = run.split(toy_task, replace(examples, groups=None), 1)
    sizes = np.array([len(getattr(parts, name)) for name in PARTS])
    np.testing.assert_allclose(sizes / sizes.sum(), [0.62, 0.05, 0.14, 0.07, 0.12], atol=0.002)


@pytest.mark.parametrize("number", [0, 30, 600, 2_500])
def test_too_few_examples_are_refused(toy_task: Task, toy_examples: Callable[..., Examples], number: int) -> None:
    with pytest.raises(SewallError, match=rf"only \d+ of {number} examples hold enough data") as caught:
        run.split(toy_task, toy_examples(number), 1)
    assert "\n" not in str(caught.value)


def test_intervals_cover_what_they_say(toy_task: Task, toy_examples: Callable[..., Examples], bundle: Bundle) -> None:
    fresh = toy_examples(6_000, seed=77, empty=0)
    assert fresh.target is not None
    for level in (0.6, 0.9, 0.95):
        answered = run.answer(bundle, toy_task, fresh, np.arange(6_000), level)
        lower, upper = answered.claimed.T
        inside = (lower <= fresh.target) & (fresh.target <= upper)
        # 840 calibration examples: the coverage they give varies by sqrt(.6 * .4 / 840) = 1.7 % and less.
        assert inside.mean() == pytest.approx(level, abs=0.04)
        assert (lower <= upper).all()
    assert np.ptp(upper - lower) > 1  # the intervals know where the noise is


def test_intervals_stay_in_the_trained_range_and_hold_their_middle(
    toy_task: Task, examples: Examples, parts: run.Split, bundle: Bundle
) -> None:
    answered = run.answer(bundle, toy_task, examples, parts.test, 0.9)
    for values in (answered.claimed, answered.estimate, answered.simple["ridge"]):
        assert (values >= toy_task.target.lower).all()
        assert (values <= toy_task.target.upper).all()
    assert (np.diff(answered.raw, axis=1) >= 0).all()


def test_scores_are_those_of_the_test_part(
    toy_task: Task, examples: Examples, parts: run.Split, bundle: Bundle
) -> None:
    scores = run.evaluate(bundle, toy_task, examples, parts.test, 0.9, 1)
    json.dumps(plain(scores), allow_nan=False)
    assert scores["n"] == len(parts.test)
    assert [model["key"] for model in scores["models"]] == ["network", "ridge"]
    assert examples.target is not None
    truth, estimate = examples.target[parts.test], run.answer(bundle, toy_task, examples, parts.test, 0.9).estimate
    r2 = 1 - ((truth - estimate) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert scores["models"][0]["metrics"]["r2"]["value"] == pytest.approx(r2)
    assert r2 > 0.4
    calibration = scores["calibration"]
    assert sum(group["n"] for group in calibration["by_group"]) == len(parts.test)
    covered = sum(group["n"] * group["coverage"]["value"] for group in calibration["by_group"]) / len(parts.test)
    assert covered == pytest.approx(calibration["coverage"]["value"])
    nominal, measured = zip(*[(c["level"], c["coverage"]["value"]) for c in calibration["curve"]], strict=True)
    np.testing.assert_allclose(measured, nominal, atol=0.07)
    shown = np.array(scores["scatter"])
    assert set(shown[:, 0]) <= set(truth)


def test_learning_is_told_by_member_and_epoch(fitted: tuple[Bundle, list[dict[str, float]]]) -> None:
    table = pd.DataFrame(fitted[1])
    assert sorted(set(table["member"])) == [0, 1]
    assert table.groupby("member")["epoch"].apply(list).tolist() == [list(range(1, 9))] * 2
    assert not np.allclose(*(table.loc[table["member"] == k, "train"] for k in (0, 1)))


def test_the_test_part_decides_nothing(
    toy_task: Task, examples: Examples, parts: run.Split, bundle: Bundle, tmp_path: Path
) -> None:
    assert examples.target is not None
    spoilt = examples.target.copy()
    spoilt[parts.test] = 55.0
    again, _ = run.fit(toy_task, examples.labelled(spoilt), parts, CONFIG, tmp_path, 5)
    one, other = (run.answer(b, toy_task, examples, parts.test, 0.9) for b in (bundle, again))
    np.testing.assert_array_equal(one.claimed, other.claimed)
    np.testing.assert_array_equal(one.simple["ridge"], other.simple["ridge"])


def test_an_interrupted_fit_goes_on_to_the_same_bundle(
    toy_task: Task, examples: Examples, parts: run.Split, bundle: Bundle, tmp_path: Path
) -> None:
    done: list[float] = []

    def progress(epochs: float) -> None:
        done.append(epochs)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.fit(toy_task, examples, parts, CONFIG, tmp_path, 5, progress=progress)
    again, _ = run.fit(toy_task, examples, parts, CONFIG, tmp_path, 5)
    one, other = (run.answer(b, toy_task, examples, parts.test, 0.9) for b in (bundle, again))
    np.testing.assert_array_equal(one.raw, other.raw)
    assert len(done) == 1


def test_every_example_gets_a_row_and_a_flag(
    toy_task: Task, toy_examples: Callable[..., Examples], bundle: Bundle
) -> None:
    fresh = toy_examples(300, seed=5, empty=0.1)
    table = run.predict(bundle, toy_task, replace(fresh, target=None), 0.9, 1, "holds nothing").table
    assert table["sample_id"].tolist() == fresh.keys["sample_id"].tolist()
    empty = ~toy_task.usable(fresh)
    numbers = table[["estimate", "lower", "upper", "simple"]]
    assert (numbers.isna().all(axis=1) == empty).all()
    assert (numbers.isna().any(axis=1) == empty).all()
    assert set(table.loc[empty, "support"]) == {"outside"}
    assert set(table.loc[empty, "reason"]) == {"holds nothing"}
    assert (table.loc[~empty, "support"] == "ok").mean() > 0.9
    assert ((table["reason"] == "") == (table["support"] == "ok")).all()


def test_the_same_examples_in_another_order_get_the_same_answers(
    toy_task: Task, toy_examples: Callable[..., Examples], bundle: Bundle
) -> None:
    fresh = toy_examples(100, seed=6, empty=0.1)
    order = np.random.default_rng(1).permutation(100)
    mixed = Examples(fresh.keys.iloc[order], replace(fresh.source, table=fresh.source.table[order]))
    one = run.predict(bundle, toy_task, fresh, 0.9, 1, "").table.iloc[order].reset_index(drop=True)
    other = run.predict(bundle, toy_task, mixed, 0.9, 1, "").table
    pd.testing.assert_frame_equal(one, other, rtol=1e-5)


def test_data_from_elsewhere_are_outside(toy_task: Task, toy_examples: Callable[..., Examples], bundle: Bundle) -> None:
    predicted = run.predict(bundle, toy_task, toy_examples(100, seed=7, shift=8.0, empty=0), 0.9, 1, "")
    assert set(predicted.table["support"]) == {"outside"}
    assert predicted.support["status"] == "outside"
    assert predicted.support["windows"] == {"ok": 0, "warn": 0, "outside": 100}
    assert set(predicted.table["reason"]) <= {"unusual first", "unusual second", "unusual third"}


def test_examples_that_all_hold_nothing_are_refused(
    toy_task: Task, toy_examples: Callable[..., Examples], bundle: Bundle
) -> None:
    with pytest.raises(SewallError, match="none of the 20 examples can be answered: holds nothing"):
        run.predict(bundle, toy_task, toy_examples(20, seed=8, empty=2), 0.9, 1, "holds nothing")


def test_quantities_have_no_priors(toy_task: Task, examples: Examples, bundle: Bundle) -> None:
    with pytest.raises(SewallError, match="amount is a quantity and has no classes; leave the priors out"):
        run.predict(bundle, toy_task, examples, 0.9, 1, "", {"low": 0.5, "high": 0.5})


def test_what_is_known_of_a_bundle(toy_task: Task, examples: Examples, parts: run.Split, bundle: Bundle) -> None:
    scores = run.evaluate(bundle, toy_task, examples, parts.test, 0.9, 1)
    about = run.described(bundle, toy_task, {"job": "toy"}, scores).about
    assert about["best_simple"] == "ridge"
    assert about["target"] == {"name": "amount", "unit": "grams", "upper": 60.0}
    assert set(about["scores"]) == {
        "R² of network (ensemble of 2)",
        "R² of ridge regression on statistics",
        "coverage of 90% intervals",
    }
