import numpy as np
import pytest

from sewall.jobs.recombination.prior import range_of_rates


def test_the_range_lies_above_what_the_data_show() -> None:
    assert range_of_rates(np.full(10, 4.0), 1.3) == pytest.approx(5.2)
