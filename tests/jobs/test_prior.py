"""What is simulated around what the data show."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.jobs.recombination import prior
from sewall.jobs.recombination.genomes import Genome
from sewall.jobs.recombination.prior import WindowSimulator, range_of_rates
from sewall.jobs.windows.observed import Sample, Template
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.defects import Defects
from sewall.simulate.history import History


class Same:
    """One genome for all windows."""

    def draw(self, rng: np.random.Generator) -> Genome:
        return Genome(History((1e4,)), Defects(), 2.0)


def specs(monkeypatch: pytest.MonkeyPatch, log_spread: float) -> NDArray[np.float64]:
    """Return the logs of theta and of rho / theta that windows were simulated with."""
    sample = Sample(True, np.full(5, 2, np.int8), np.zeros((0, 10), bool))
    template = Template(0, 5_000, np.array([[0, 5_000]], np.int32), np.log(1e-3))
    simulator = WindowSimulator(Same(), (sample,), (template,), np.log(1e-3), log_spread, 1, 10)
    seen = []

    def spied(spec: WindowSpec, seed: np.random.SeedSequence) -> Alignment:
        assert isinstance(spec.recombination_rate, float)
        seen.append((4e4 * spec.mutation_rate, spec.recombination_rate / spec.mutation_rate))
        return simulate_window(spec, seed)

    monkeypatch.setattr(prior, "simulate_window", spied)
    labels = [simulator(k, seed)[1] for k, seed in enumerate(np.random.SeedSequence(1).spawn(400))]
    assert {label["rho_over_theta"] for label in labels} == {2.0}
    return np.log(seen)


def test_windows_are_denser_for_either_of_two_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    theta, ratio = specs(monkeypatch, 0.3).T
    assert theta.std() == pytest.approx(0.3, rel=0.2)
    mutation = (np.log(2.0) - ratio) / (theta - np.log(1e-3))  # share of a window's density
    assert mutation.min() >= 0 and mutation.max() <= 1
    assert mutation.mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / 400))


def test_windows_of_one_density_have_the_rate_that_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    theta, ratio = specs(monkeypatch, 0.0).T
    np.testing.assert_allclose(theta, np.log(1e-3))
    np.testing.assert_allclose(ratio, np.log(2.0))


def test_the_range_lies_above_what_the_data_show() -> None:
    assert range_of_rates(np.full(10, 4.0), 1.3) == pytest.approx(5.2)
