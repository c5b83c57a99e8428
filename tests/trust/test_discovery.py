from __future__ import annotations

import numpy as np

from sewall.trust.discovery import q_values


def test_calls_by_q_hold_their_rate() -> None:
    rng = np.random.default_rng(1)
    false = rng.beta(0.3, 0.3, 200_000)
    wrong = rng.random(len(false)) < false
    q = q_values(false)
    for level in (0.01, 0.05, 0.2):
        assert abs(wrong[q <= level].mean() - level) < 0.01


def test_order_and_unknown_cases_do_not_matter() -> None:
    found = q_values(np.array([0.4, np.nan, 0.0]))
    assert np.isnan(found[1]) and found[[0, 2]].tolist() == [0.2, 0.0]
    assert q_values(np.zeros(0)).tolist() == []
