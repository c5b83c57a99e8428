from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sewall.task import Examples, Target


@pytest.mark.parametrize("transform", ["identity", "sqrt", "log"])
def test_the_learning_scale_is_left_again_as_it_was_entered(transform: str) -> None:
    target = Target("rate", "per bp", transform, 0.0, 10.0)
    values = np.array([0.25, 1.0, 9.0])
    np.testing.assert_allclose(target.backward(target.forward(values)), values)
    assert (np.diff(target.forward(values)) > 0).all()


def test_square_roots_of_what_lies_below_zero_are_zero() -> None:
    target = Target("rate", "per bp", "sqrt", 0.0, 10.0)
    assert target.forward(np.array([-1.0, 4.0])).tolist() == [0.0, 2.0]
    assert target.backward(np.array([-1.0, 2.0])).tolist() == [0.0, 4.0]  # a quantile below 0 is a rate of 0


def test_labelling_leaves_the_examples_as_they_are() -> None:
    class Nothing:
        def __len__(self) -> int:
            return 2

        def load(self, rows: object) -> list[object]:
            return []

    plain = Examples(pd.DataFrame({"sample_id": ["a", "b"]}), Nothing())
    labelled = plain.labelled(np.array([1.0, 2.0]))
    assert (len(labelled), plain.target) == (2, None)
    assert labelled.target is not None
    assert labelled.target.tolist() == [1.0, 2.0]
