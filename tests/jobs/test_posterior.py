"""Genomes drawn around what a file shows: the draws themselves, and whether the truth is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sewall.jobs.recombination.genomes import AnyGenome, Genomes
from sewall.jobs.recombination.posterior import Particles, Posterior
from sewall.simulate.defects import ABSENT, MOST, NAMES
from sewall.simulate.fit_history import fit_histories
from sewall.simulate.ghosts import ALONE, exchange_numbers
from sewall.simulate.histories import Histories
from sewall.simulate.history import Floats, History, OneHistory, expected_sfs, fold
from sewall.simulate.synthetic import SyntheticLikelihood

N = 12
NECK = History((2e4, 2e3, 1.5e4), (600, 1500))


def genomes(histories: Histories | None) -> Genomes:
    defects = np.array([[1.0, 2.0, 0.0, 0.009], [0.0, 0.0, 0.001, 0.0]])
    source = OneHistory(History((777.0,)), "one")
    return Genomes(histories, defects, np.array([1.0, 2.0]), np.array([0.1, 0.2]), 9.0, source)


def test_history_defects_and_rate_of_a_window_are_of_one_genome() -> None:
    rng = np.random.default_rng(1)
    known = genomes(Histories(np.array([[1e4, 2e4], [1e3, 3e3]]), np.array([[500.0], [700.0]])))
    drawn = [known.draw(rng) for _ in range(600)]
    own = [one for one in drawn if isinstance(one.history, History) and one.history.sizes != (777.0,)]
    assert len(own) == pytest.approx(0.8 * len(drawn), rel=0.1)
    for one in own:
        assert isinstance(one.history, History)
        first = one.history.times == (500.0,)
        assert (one.defects.gene_conversion > 0) == first and (one.defects.switches > 0) == (not first)
        assert one.defects.errors <= MOST.errors
        assert np.sqrt(one.ratio) == pytest.approx(1.0 if first else 2.0, abs=0.5 if first else 1.0)


def test_rates_reach_both_ends() -> None:
    rng = np.random.default_rng(2)
    drawn = np.array([genomes(None).draw(rng).ratio for _ in range(6_000)])
    assert drawn.min() >= 0 and drawn.max() <= 9
    assert (drawn > 8).mean() > 0.005 and (drawn < 0.1).mean() > 0.005


def test_rates_that_the_file_lacks_are_drawn_less() -> None:
    rng, known = np.random.default_rng(8), genomes(None)
    weights = np.where(np.arange(16) < 8, 1.0, 0.1)  # less of what lies above a root of 1.5
    before, after = (
        np.sqrt([one.draw(rng).ratio for _ in range(6_000)]) > 1.7 for one in (known, replace(known, weights=weights))
    )
    odds = [share.mean() / (1 - share.mean()) for share in (before, after)]
    assert odds[1] / odds[0] == pytest.approx(0.1, rel=0.3)


@pytest.mark.parametrize("exchanges", [None, np.array([[0.9, 0.1, 0.2], [0.1, 0.5, 0.5]])])
@pytest.mark.parametrize("weights", [None, np.linspace(0.1, 1, 16)])
@pytest.mark.parametrize("histories", [None, Histories(np.array([[1e4, 5.0], [1e3, 7.0]]), np.array([[3.0], [4.0]]))])
def test_genomes_survive_the_record_of_a_run(
    histories: Histories | None, weights: Floats | None, exchanges: Floats | None
) -> None:
    known = replace(genomes(histories), weights=weights, exchanges=exchanges)
    again = Genomes.from_state(known.state(), known.source)
    ours, theirs = (one.draw(np.random.default_rng(4)) for one in (known, again))
    assert replace(ours, exchange=ALONE) == replace(theirs, exchange=ALONE)
    np.testing.assert_array_equal(ours.exchange, theirs.exchange)


def test_a_ghost_of_one_genome_stays_with_it() -> None:
    rng = np.random.default_rng(10)
    exchanges = np.array([[0.9, 0.1, 0.2], [0.1, 0.5, 0.5]])
    histories = Histories(np.array([[1e4, 2e4], [1e3, 3e3]]), np.array([[500.0], [700.0]]))
    drawn = [replace(genomes(histories), exchanges=exchanges).draw(rng) for _ in range(200)]
    for one in drawn:
        assert isinstance(one.history, History)
        if one.history.sizes != (777.0,):
            np.testing.assert_array_equal(one.exchange, exchanges[0 if one.history.times == (500.0,) else 1])
    elsewhere = [one.exchange[0] for one in drawn if one.history == History((777.0,))]
    assert len(set(elsewhere)) == len(elsewhere) > 10
    assert genomes(histories).draw(rng).exchange == ALONE


def test_the_first_look_is_log_uniform() -> None:
    rng = np.random.default_rng(5)
    drawn = np.log([AnyGenome(OneHistory(NECK, ""), 0.01, 16.0).draw(rng).ratio for _ in range(4_000)])
    assert np.quantile(drawn, 0.5) == pytest.approx(np.log(0.4), abs=0.25)


def test_particles_keep_to_the_prior_when_nothing_is_known() -> None:
    rng = np.random.default_rng(6)
    ends = (0.1, 3.0)
    first = moved = Particles.draw(4_000, ends, rng)
    for _ in range(10):
        moved = moved.moved(0.5, ends, rng)
    for values, again in zip(vars(first).values(), vars(moved).values(), strict=True):
        np.testing.assert_allclose(np.quantile(again, [0.1, 0.5, 0.9]), np.quantile(values, [0.1, 0.5, 0.9]), atol=0.25)
    unevenness, *others = moved.defects().T
    assert (np.array(others) == 0).mean() == pytest.approx(ABSENT, abs=0.03)
    assert (unevenness > 0).all() and unevenness.mean() == pytest.approx(1.5, abs=0.1)
    assert (np.diff(moved.histories().times, axis=1) > 0).all()


def test_histories_with_fewer_epochs_are_what_they_say() -> None:
    particles = Particles.draw(50, (0.1, 3.0), np.random.default_rng(7))
    found = particles.histories()
    for row in range(50):
        epochs = int(particles.epochs[row])
        times = np.sort(10 ** particles.times[row, : epochs - 1])
        own = Histories.of([History(tuple(10 ** particles.sizes[row, :epochs]), tuple(times))])
        np.testing.assert_allclose(found.spectra(N)[row], own.spectra(N)[0], rtol=1e-9)


def windows(parameters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What windows would show of rates, defects and drift: a rough stand-in for the coalescent."""
    level, drift = parameters[:, 0], parameters[:, 1 + len(NAMES) : -3]
    shown = [np.log1p(level) + 0.2 * drift[:, 1], level - 0.3 * parameters[:, 2], 2 * parameters[:, -3]]
    clean = np.column_stack([*shown, drift[:, :3]])
    return clean + 0.4 * rng.standard_normal(clean.shape)


@pytest.mark.parametrize("migrants", [0.0, 0.8])
def test_the_truth_of_a_file_lies_among_the_genomes_that_explain_it(migrants: float) -> None:
    rng = np.random.default_rng(8)
    pool = fit_histories(fold(expected_sfs(NECK, N)) * 5_000, N, 1, rng)
    drawn = Particles.draw(3_000, (0.15, 3.0), rng)
    exchange = exchange_numbers(drawn.exchange)
    simulated = np.column_stack([drawn.middle, drawn.defects(), drawn.histories().drift(N), exchange])
    drift = Histories.of([NECK]).drift(N)[0]
    told = np.tile([*drift, migrants, 0, 0], (150, 1))
    own = np.column_stack([rng.normal(1.4, 0.3, 150), np.zeros((150, len(NAMES))), told])
    likelihood = SyntheticLikelihood.fit(windows(simulated, rng), simulated, windows(own, rng), 1)
    found = Posterior(likelihood, pool, N, 1, 9.0).sample(rng, 1.0)
    for values, truth in ((found.middle, 1.4), *zip(found.histories().drift(N).T[:3], drift, strict=False)):
        assert values.std() < 0.5
        assert abs(values.mean() - truth) < 3 * values.std() + 0.1
    assert found.defects()[:, 1].mean() < 1.0
    assert exchange_numbers(found.exchange)[:, 0].mean() == pytest.approx(migrants, abs=0.2)


def test_histories_that_were_given_are_not_asked_about() -> None:
    rng = np.random.default_rng(9)
    drawn = Particles.draw(1_500, (0.15, 3.0), rng)
    simulated = np.column_stack([drawn.middle, drawn.defects(), np.zeros((1_500, 9))])
    own = np.column_stack([rng.normal(1.4, 0.3, 100), np.zeros((100, 13))])
    likelihood = SyntheticLikelihood.fit(windows(simulated, rng), simulated, windows(own, rng), 1)
    found = Posterior(likelihood, None, N, 1, 9.0).sample(rng, 1.0)
    assert found.middle.mean() == pytest.approx(1.4, abs=0.3)
