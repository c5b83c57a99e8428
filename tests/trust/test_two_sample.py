import numpy as np

from sewall.trust.two_sample import classifier_accuracy, kernel, mmd_p

FIRST = np.arange(150) < 50
ONE = np.zeros(150, dtype=int)
STRATA_EDGES = np.arange(0.1, 1.0, 0.1)


def label_shift(seed):
    """Two samples of x given y that agree, while y is low more often in the first; with strata of y."""
    rng = np.random.default_rng(seed)
    y = np.where(FIRST, rng.beta(1, 2, 150), rng.random(150))
    return 0.3 * rng.standard_normal((150, 5)) + y[:, None], np.searchsorted(STRATA_EDGES, y)


def test_the_kernel_test_keeps_its_level():
    p = [mmd_p(kernel(np.random.default_rng(seed).standard_normal((150, 6))), FIRST, ONE, seed) for seed in range(100)]
    assert 0 <= np.mean(np.array(p) <= 0.05) <= 0.11
    assert min(p) >= 0.001


def test_the_kernel_test_sees_shift_and_spread():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((150, 6))
    assert mmd_p(kernel(x + 0.5 * FIRST[:, None]), FIRST, ONE, 1) <= 0.01
    assert mmd_p(kernel(x * np.where(FIRST, 1.6, 1.0)[:, None]), FIRST, ONE, 1) <= 0.01


def test_within_strata_a_shift_of_the_target_is_no_difference():
    p = np.array(
        [
            (mmd_p(kernel(x), FIRST, ONE, seed), mmd_p(kernel(x), FIRST, strata, seed))
            for seed, (x, strata) in enumerate(map(label_shift, range(40)))
        ]
    )
    plain, stratified = (p <= 0.05).mean(axis=0)
    assert plain > 0.6
    assert stratified < 0.2


def test_the_classifier_is_at_chance_only_for_equal_samples():
    rng = np.random.default_rng(2)
    x, first, one = rng.standard_normal((600, 6)), np.arange(600) < 300, np.zeros(600, dtype=int)
    assert abs(classifier_accuracy(x, first, one, 1) - 0.5) < 0.07
    assert classifier_accuracy(x + first[:, None], first, one, 1) > 0.8
    assert np.isnan(classifier_accuracy(x, np.arange(600) < 9, one, 1))
