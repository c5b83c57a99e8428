import time

import numpy as np
import pytest

from sewall.errors import SewallError
from sewall.trust import support
from sewall.trust.support import SupportCheck
from sewall.trust.two_sample import matched_weights

NAMES = ["skewed", "counted", "constant", *[f"normal_{k}" for k in range(5)]]
LOADINGS = np.random.default_rng(99).standard_normal((7, 7))


def draw(n, seed, shift=0.0, spread=1.0, sparse=False):
    """Correlated statistics, one skewed, one of whole numbers, one constant; and an embedding with a dead unit."""
    rng = np.random.default_rng(seed)
    z = (spread * rng.standard_normal((n, 7)) + shift) @ LOADINGS
    embedding = np.hstack([np.tanh(z[:, :4] / 4) + 0.1 * rng.standard_normal((n, 4)), np.zeros((n, 1))])
    statistics = np.column_stack([np.exp(z[:, 0] / 3), np.round(z[:, 1]), np.full(n, 0.25), z[:, 2:]])
    return statistics, embedding


def fitted(null=1000, seed=1):
    return SupportCheck.fit(*draw(2500, seed), *draw(null, seed + 1), NAMES)


@pytest.fixture(scope="module")
def check():
    return fitted()


@pytest.fixture
def verdict_only(monkeypatch):
    """Fewer permutations, and no comparison of distributions, which takes most of the time and decides nothing."""
    whole = SupportCheck.batch
    monkeypatch.setattr(SupportCheck, "batch", lambda *a, **k: whole(*a, **k, distributions=False))
    monkeypatch.setattr(support, "PERMUTATIONS", 999)


def rate(batches):
    statuses = np.array([batch.status for batch in batches])
    return {name: float((statuses == name).mean()) for name in ("ok", "warn", "outside")}


def test_examples_like_the_null_are_flagged_at_the_nominal_rate():
    shares = np.array(
        [
            [(status == name).mean() for name in ("outside", "warn")]
            for seed in range(20)
            for status in [fitted(seed=100 + 5 * seed).examples(*draw(500, 900 + seed)).status]
        ]
    )
    outside, warn = shares.mean(axis=0)
    assert outside < 0.004
    assert 0.004 < outside + warn < 0.018


@pytest.mark.parametrize(("null", "size"), [(300, 50), (1000, 150), (1000, 1000)])
def test_batches_like_the_null_are_flagged_at_the_nominal_rate(verdict_only, null, size):
    batches = [fitted(null, 10 * seed).batch(*draw(size, 10 * seed + 5), seed) for seed in range(100)]
    found = rate(batches)
    assert found["outside"] == 0
    assert found["warn"] <= 0.05  # 1 % nominal: six or more of a hundred happen once in 2,000 times


def test_a_strong_shift_is_outside_and_its_statistics_are_named(check, verdict_only):
    batches = [check.batch(*draw(50, 50 + seed, shift=2.0), seed) for seed in range(20)]
    assert rate(batches)["outside"] == 1.0
    assert all(batch.beyond_99 > 0.1 and batch.p <= 0.002 for batch in batches)


def test_too_much_spread_is_flagged(check, verdict_only):
    assert rate([check.batch(*draw(100, 70 + seed, spread=1.5), seed) for seed in range(20)])["ok"] == 0.0


def test_a_corner_of_the_training_range_is_not_condemned(check, verdict_only):
    statistics, embedding = draw(3000, 5)
    low = np.argsort(statistics[:, 3])[:600]
    batches = [check.batch(statistics[rows], embedding[rows], 1) for rows in np.split(low, 4)]
    assert rate(batches)["outside"] == 0.0


def test_a_few_strange_examples_do_not_condemn_the_others(check, verdict_only):
    parts = draw(85, 6), draw(15, 7, shift=4.0)
    statistics, embedding = (np.vstack(pair) for pair in zip(*parts, strict=True))
    examples, batch = check.examples(statistics, embedding), check.batch(statistics, embedding, 1)
    assert (examples.status[85:] == "outside").all()
    assert (examples.status[:85] == "outside").mean() < 0.05
    assert batch.status == "warn"


def test_an_example_is_outside_for_what_is_unusual_in_it(check):
    statistics, embedding = draw(3, 8)
    statistics[1, 5] = 60.0
    statistics[2, 3] = np.nan
    found = check.examples(statistics, embedding)
    assert found.status[1:].tolist() == ["outside", "outside"]
    assert found.reason[1:].tolist() == ["normal_2", "normal_0"]
    assert found.p[1] == found.p[2] == 1 / 1001


def test_a_strange_embedding_alone_is_seen(check):
    statistics, embedding = draw(20, 9)
    assert (check.examples(statistics, embedding + 3.0).status == "outside").all()


def test_a_constant_statistic_does_no_harm_but_counts_where_it_moves(check):
    statistics, embedding = draw(200, 10)
    assert (check.examples(statistics, embedding).status == "ok").mean() > 0.9
    moved = statistics.copy()
    moved[:, 2] = 0.5
    found = check.examples(moved, embedding)
    assert (found.status != "ok").all()
    assert set(found.reason) == {"constant"}
    assert (check.examples(statistics + 1e-9 * (np.arange(8) == 2), embedding).status == "ok").mean() > 0.9


@pytest.mark.parametrize("size", [0, 1, 9])
def test_fewer_than_ten_examples_are_judged_one_by_one_only(check, size):
    strange = draw(size, 11, shift=6.0)
    assert (check.examples(*strange).status == "outside").all()
    batch = check.batch(*strange, seed=1)
    assert batch.status == "ok"
    assert np.isnan(batch.mmd_p) and np.isnan(batch.c2st)


def test_the_table_says_which_statistic_is_off(check, verdict_only):
    statistics, embedding = draw(60, 12)
    statistics[:, 6] += 40.0
    table = {row["name"]: row for row in check.batch(statistics, embedding, 1).to_dict()["statistics"]}
    off = table["normal_3"]
    assert off["observed"] > off["high"] > off["low"]
    assert off["p"] == pytest.approx(2 / 1001)
    assert off["holm_p"] == pytest.approx(8 * 2 / 1001)
    assert min(row["holm_p"] for name, row in table.items() if name != "normal_3") > 0.05


def test_distributions_are_compared_at_equal_predictions():
    def examples(n, seed, alpha):
        rng = np.random.default_rng(seed)
        y = rng.beta(1, alpha, n)
        noise = rng.standard_normal((n, 11))
        return y[:, None] + 0.5 * noise[:, :8], y[:, None] + 0.5 * noise[:, 8:], y

    reference, null, data = examples(2000, 1, 1), examples(1000, 2, 1), examples(200, 3, 2)
    check = SupportCheck.fit(*reference[:2], *null[:2], NAMES, null_estimate=null[2])
    plain, matched = check.batch(*data[:2], 1), check.batch(*data[:2], 1, estimate=data[2])
    assert plain.mmd_p <= 0.005
    assert matched.mmd_p > 0.01
    assert plain.c2st > matched.c2st
    assert plain.status == matched.status


def test_weights_of_both_samples_sum_to_one_over_common_strata():
    first = np.array([True, True, False, False, False])
    weights = matched_weights(first, np.array([0, 1, 0, 0, 2]))
    assert weights.tolist() == [1.0, 0.0, 0.5, 0.5, 0.0]


def test_the_state_is_small_and_gives_the_same_check(check):
    state = check.state()
    names = state.pop("names")
    assert all(np.asarray(value).dtype.kind == "f" for value in state.values())
    again = SupportCheck.from_state(state | {"names": names})
    data = draw(40, 13)
    assert again.examples(*data).p.tolist() == check.examples(*data).p.tolist()
    assert again.batch(*data, seed=1).to_dict() == check.batch(*data, seed=1).to_dict()


def test_sizes_as_in_practice_are_cheap_and_small():
    rng = np.random.default_rng(14)
    parts = [rng.standard_normal((n, d)) for n in (6000, 1400) for d in (52, 64)]
    check = SupportCheck.fit(*parts, [f"s{k}" for k in range(52)])
    assert sum(np.asarray(v).nbytes for k, v in check.state().items() if k != "names") < 3e6
    data = rng.standard_normal((150, 52)), rng.standard_normal((150, 64))
    start = time.process_time()
    check.examples(*data)
    check.batch(*data, seed=1)
    assert time.process_time() - start < 10


def test_too_small_a_null_is_refused():
    with pytest.raises(SewallError, match="199 held-out examples are too few"):
        SupportCheck.fit(*draw(500, 1), *draw(199, 2), NAMES)
