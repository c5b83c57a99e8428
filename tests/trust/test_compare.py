import json

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, r2_score, roc_auc_score

from sewall.errors import SewallError
from sewall.trust.compare import compare, paired_difference, score
from sewall.trust.metrics import METRICS

SIZES = {"network": 100_000, "boosting": 6_000, "ridge": 48}


def regression(noise, n=800, seed=1):
    """Truth, and by model the truth with errors that the models share in part (as on the same data)."""
    rng = np.random.default_rng(seed)
    y, shared = rng.standard_normal(n), 0.4 * rng.standard_normal(n)
    return y, {key: y + shared + sd * rng.standard_normal(n) for key, sd in noise.items()}


def test_values_are_those_of_scikit_learn_and_scipy():
    y, predictions = regression({"m": 0.5})
    found = score(y, predictions["m"], seed=1, repeats=50)
    assert found["r2"].value == pytest.approx(r2_score(y, predictions["m"]))
    assert found["pearson"].value == pytest.approx(np.corrcoef(y, predictions["m"])[0, 1])
    assert all(e.lower <= e.value <= e.upper for e in found.values())


def test_class_metrics_are_those_of_scikit_learn():
    rng = np.random.default_rng(2)
    p = rng.dirichlet([1, 1, 1], 300)
    y = (rng.random((300, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=2)
    found = score(y, p, seed=1, repeats=50)
    assert found["log_loss"].value == pytest.approx(log_loss(y, p))
    assert found["auroc"].value == pytest.approx(roc_auc_score(y, p, multi_class="ovr"))
    assert found["brier"].value == pytest.approx(brier_score_loss(y, p))
    binary = score((y > 0).astype(int), np.stack([p[:, 0], 1 - p[:, 0]], axis=1), seed=1, repeats=50)
    assert binary["brier"].value == pytest.approx(brier_score_loss(y > 0, 1 - p[:, 0]))


def test_auroc_of_a_sample_without_a_class_is_not_a_number():
    assert np.isnan(METRICS["auroc"].function(np.zeros(3), np.full((3, 2), 0.5)))


def test_bootstrap_intervals_hold_the_true_value_as_often_as_they_say():
    hits = 0
    for seed in range(100):
        e = np.random.default_rng(seed).standard_normal(200)
        estimate = score(np.zeros(200), e, ["mae"], seed=seed, repeats=200)["mae"]
        hits += estimate.lower <= np.sqrt(2 / np.pi) <= estimate.upper
    assert 88 <= hits <= 99


def test_drawing_whole_groups_widens_the_interval_of_dependent_examples():
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(40), 25)
    errors = rng.standard_normal(40)[groups] + 0.1 * rng.standard_normal(1000)
    rows = score(np.zeros(1000), errors, ["bias"], seed=1)["bias"]
    whole = score(np.zeros(1000), errors, ["bias"], groups=groups, seed=1)["bias"]
    assert whole.upper - whole.lower > 3 * (rows.upper - rows.lower)


def test_pairing_sees_a_difference_that_two_intervals_hide():
    y, predictions = regression({"a": 0.05, "b": 0.15})
    a, b = (score(y, predictions[k], ["r2"], seed=1)["r2"] for k in "ab")
    assert a.lower < b.upper
    assert paired_difference(y, predictions["a"], predictions["b"], "r2", seed=1).lower > 0


def test_the_network_is_needed_where_it_is_better():
    y, predictions = regression({"network": 0.1, "boosting": 0.3, "ridge": 0.5})
    found = compare(y, predictions, SIZES, "r2", 1, names={"network": "the network"})
    assert found.simplest_adequate == "network"
    assert "The simplest adequate model is the network" in found.verdict
    pairs = {(d.model, d.against) for d in found.differences}
    assert pairs == {("network", "boosting"), ("network", "ridge"), ("boosting", "ridge")}
    assert all(d.estimate.lower > 0 for d in found.differences)


def test_the_simplest_of_equals_is_enough():
    y, predictions = regression({"network": 0.2, "boosting": 0.2, "ridge": 0.5})
    found = compare(y, predictions, SIZES, "mae", 1)
    assert found.simplest_adequate == "boosting"
    assert "includes zero" in found.verdict or "best of the simpler" in found.verdict


def test_the_simplest_may_be_the_best():
    y, predictions = regression({"network": 0.5, "boosting": 0.4, "ridge": 0.1})
    found = compare(y, predictions, SIZES, "r2", 1)
    assert found.simplest_adequate == "ridge"
    assert "nothing more complex is needed" in found.verdict


def test_one_seed_gives_one_result_and_the_result_is_json():
    y, predictions = regression({"network": 0.1, "boosting": 0.3, "ridge": 0.5}, n=100)
    first, second = (compare(y, predictions, SIZES, "r2", 7, seconds={"ridge": 0.5}).to_dict() for _ in range(2))
    assert json.loads(json.dumps(first)) == second
    assert set(first) == {"models", "differences", "verdict", "simplest_adequate"}
    assert first["models"][2]["seconds"] == 0.5


def test_senseless_input_is_refused():
    with pytest.raises(SewallError, match="1 of them not finite, for 3 held-out examples"):
        score([1, 2, 3], [1, 2, np.nan], seed=1)
    with pytest.raises(SewallError, match="no metric 'auroc' for this kind"):
        score([1, 2, 3], [1, 2, 3], ["auroc"], seed=1)
    with pytest.raises(SewallError, match="nothing to compare"):
        compare([], {}, {}, "r2", 1)
