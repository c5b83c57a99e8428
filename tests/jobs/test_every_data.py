"""Data sets of every kind, and what all windows of one show together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sewall.encode.statistics import NAMES
from sewall.jobs.recombination import every_data
from sewall.jobs.recombination.context import CONTEXT, context, contexts
from sewall.jobs.recombination.every_data import DataSetSimulator, RateSpread, draw_data_set, draw_mask
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.windows.kinds import beyond
from sewall.nets.alignment import AlignmentNet
from sewall.nets.heads import DECILES

GENERAL = {"chromosomes": [4, 220], "window_bp": [20_000, 1_000_000], "theta_per_window": [6.0, 1_000.0]}


def statistics(rows: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, len(NAMES)))


def test_a_context_is_the_mean_and_the_spread_of_the_windows_that_can_be_read() -> None:
    known = statistics(5)
    found = dict(zip(CONTEXT, context(known, 20, True, 2), strict=True))
    assert found["mean_tajimas_d"] == pytest.approx(known[:, NAMES.index("tajimas_d")].mean(), abs=1e-6)
    assert found["sd_rm"] == pytest.approx(known[:, NAMES.index("rm")].std(), abs=1e-6)
    assert found["chromosomes"] == pytest.approx(np.log(20)) and found["rarest"] == pytest.approx(np.log(0.1))
    unread = np.vstack([known, np.full((3, len(NAMES)), np.nan)])
    assert context(unread[::-1], 20, True, 2) == pytest.approx(context(known, 20, True, 2), abs=1e-6)


def test_kinds_of_contigs_have_contexts_of_their_own() -> None:
    values, kinds = statistics(6), np.array([0, 1, 0, 0, 1, 2])
    values[5] = np.nan
    found = contexts(values, kinds, [(20, True), (10, True), (10, False)], 1)
    assert found[[0, 2, 3]] == pytest.approx(np.tile(context(values[kinds == 0], 20, True, 1), (3, 1)))
    assert found[1] == pytest.approx(context(values[kinds == 1], 10, True, 1))
    assert np.isnan(found[5]).all()


def test_data_sets_stay_within_what_the_bundle_says_it_serves() -> None:
    drawn = [draw_data_set(np.random.default_rng(seed)) for seed in range(400)]
    n = np.array([d.sample.chromosomes for d in drawn])
    assert n.min() >= 4 and n.max() <= 220 and (n <= 8).any() and (n >= 150).any()
    assert all(20_000 <= d.length <= 1_000_000 and d.theta * d.length <= 1_000 for d in drawn)
    assert all(1 <= d.least <= max(1, d.sample.chromosomes // 3) for d in drawn)
    assert {d.sample.phased for d in drawn} == {True, False} and {1, 2} < {d.least for d in drawn}
    missing = [float(d.sample.missing.mean()) if len(d.sample.missing) else 0.0 for d in drawn]
    assert 0.2 < max(missing) < 0.65 and 0.4 < np.mean(np.array(missing) == 0) < 0.6


def test_rates_are_spread_as_those_of_one_genome() -> None:
    rng = np.random.default_rng(1)
    even = [RateSpread(2.0).draw(rng) for _ in range(2_000)]
    assert np.mean(even) == pytest.approx(1, abs=0.05) and max(even) <= 2
    equal = {RateSpread(16.0, 0.8, 0.0).draw(rng) for _ in range(5)}
    assert equal == {0.8}
    assert max(RateSpread(3.0, 2.0, 1.0).draw(rng) for _ in range(100)) == 3.0


def test_masks_keep_about_their_share() -> None:
    rng = np.random.default_rng(1)
    shares = []
    for _ in range(200):
        mask = draw_mask(100_000, 0.7, rng)
        assert (mask[:, 1] > mask[:, 0]).all() and (mask[1:, 0] >= mask[:-1, 1]).all() and mask.max() <= 100_000
        shares.append((mask[:, 1] - mask[:, 0]).sum() / 100_000)
    assert np.mean(shares) == pytest.approx(0.7, abs=0.05)
    assert draw_mask(50, 1.0, rng).tolist() == [[0, 50]]


def test_a_data_set_depends_on_its_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(every_data, "INFORMATION", (20.0, 30.0))  # small ones: quick
    first, again = (DataSetSimulator(4)(7, np.random.SeedSequence(1, spawn_key=(7,))) for _ in range(2))
    assert len(first) == 4
    for (window, labels), (_, other) in zip(first, again, strict=True):
        assert window.sites == 0
        assert labels["context"].shape == (len(CONTEXT),) and labels["statistics"].shape == (len(NAMES),)
        assert all(np.array_equal(labels[name], other[name], equal_nan=True) for name in labels)
    assert len({labels["rho_over_theta"] for _, labels in first}) == 4
    assert len({labels["chromosomes"] for _, labels in first}) == 1


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, None),
        ({"chromosomes": [20, 230]}, None),
        ({"chromosomes": [500]}, "500 chromosomes, and the general bundle was made for 4 to 220"),
        ({"window_bp": [5_000, 100_000]}, "5,000 bp in a window"),
        ({"theta_per_bp": 0.05}, "5,000 differences between two chromosomes in a window"),
        ({"theta_per_bp": 1e-5}, None),
    ],
)
def test_data_of_another_kind_are_named(found: dict, said: str | None) -> None:
    data = {"chromosomes": [20], "window_bp": [100_000, 100_000], "theta_per_bp": 1e-3} | found
    reason = beyond(GENERAL, data)
    assert reason is None if said is None else said in (reason or "")


def test_a_network_of_any_data_reads_the_context_and_is_built_again_from_its_recipe() -> None:
    network = AlignmentNet(DECILES, width=64, context=len(CONTEXT))
    again = RecombinationTask(16.0, context=True).network_like(network.recipe())
    assert {k: v.shape for k, v in again.state_dict().items()} == {k: v.shape for k, v in network.state_dict().items()}
    rng = np.random.default_rng(1)
    batch = {
        "pairs": torch.ones(3, 15, 270), "between": torch.ones(3, 3, 14, 14), "within": torch.ones(3, 3, 14, 14),
        "copying": torch.ones(3, 4, 16), "statistics": torch.from_numpy(rng.normal(size=(3, len(NAMES)))).float(),
        "context": torch.from_numpy(rng.normal(size=(3, len(CONTEXT)))).float(),
    }  # fmt: skip
    network.standardise({k: torch.cat([v, v + torch.rand_like(v)]) for k, v in batch.items()})
    network.eval()
    with torch.no_grad():
        plain, other = network(batch), network({**batch, "context": batch["context"] + 1})
    assert not torch.allclose(plain, other)
