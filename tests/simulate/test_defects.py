from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from sewall.simulate.defects import ABSENT, MOST, NAMES, AnyDefects


def drawn(prior: AnyDefects, number: int = 4_000) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    rows = [asdict(prior.draw(rng)) for _ in range(number)]
    return {name: np.array([row[name] for row in rows]) for name in NAMES}


def test_a_defect_lies_anywhere_and_each_defect_is_often_absent() -> None:
    for name, levels in drawn(AnyDefects()).items():
        most = getattr(MOST, name)
        assert (levels == 0).mean() == pytest.approx(ABSENT, abs=0.03)
        assert levels.max() <= most
        assert levels[levels > 0].mean() == pytest.approx(most / 2, rel=0.05)


def test_defects_are_drawn_apart() -> None:
    correlation = np.corrcoef(list(drawn(AnyDefects()).values()))
    assert np.abs(correlation - np.eye(len(NAMES))).max() < 0.07


def test_the_same_seed_draws_the_same_defects() -> None:
    one, other = (AnyDefects().draw(np.random.default_rng(3)) for _ in range(2))
    assert one == other != AnyDefects().draw(np.random.default_rng(4))
