from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sewall.data.alignment import Alignment
from sewall.jobs.recombination.windows import encode
from sewall.jobs.windows.source import stacked
from sewall.nets.alignment import AlignmentNet
from sewall.nets.heads import DECILES


def window(seed: int, chromosomes: int, sites: int) -> Alignment:
    rng = np.random.default_rng(seed)
    calls = (rng.random((sites, chromosomes)) < rng.uniform(0.1, 0.9, (sites, 1))).astype(np.int8)
    calls[:, 0], calls[:, 1] = 0, 1
    positions = np.sort(rng.choice(40 * sites + 40, sites, replace=False)).astype(np.int32)
    return Alignment(positions, calls, np.ones(chromosomes, np.int8), 40 * sites + 40)


@pytest.fixture(scope="module")
def batch() -> dict[str, Tensor]:
    sizes = [(4, 12), (20, 150), (200, 40), (6, 700), (12, 0), (8, 5)]
    rows = stacked(encode(window(k, *size), 0.01, 1) for k, size in enumerate(sizes))
    return {name: torch.from_numpy(np.nan_to_num(values.astype(np.float32))) for name, values in rows.items()}


@pytest.fixture
def network(batch: dict[str, Tensor]) -> AlignmentNet:
    torch.manual_seed(5)
    net = AlignmentNet(DECILES)
    net.standardise(batch)
    net.train()
    for _ in range(5):
        net(batch)  # moves the running means of the batch normalisation
    return net.eval()


def test_windows_of_all_sizes_answer_together_as_one_by_one(batch: dict[str, Tensor], network: AlignmentNet) -> None:
    together = network(batch)
    alone = torch.cat([network({name: rows[k : k + 1] for name, rows in batch.items()}) for k in range(6)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    assert together.shape == (6, len(DECILES))
    assert (together.diff(dim=1) >= 0).all()
    assert together.std(dim=0).min() > 1e-3  # and the windows do not all get one answer


def test_every_input_counts(batch: dict[str, Tensor], network: AlignmentNet) -> None:
    before = network(batch)[:4]
    for name in ("pairs", "between", "copying", "statistics"):
        other = batch | {name: batch[name].roll(1, 0)}
        assert (network(other)[:4] - before).abs().max() > 1e-4, name


def test_an_absurd_statistic_is_clipped_not_extrapolated(batch: dict[str, Tensor], network: AlignmentNet) -> None:
    far, further = (network(batch | {"statistics": batch["statistics"] + shift}) for shift in (1e4, 1e8))
    torch.testing.assert_close(far, further)


def test_the_embedding_is_what_the_head_reads(batch: dict[str, Tensor], network: AlignmentNet) -> None:
    torch.testing.assert_close(network.head(network.embedding(batch)), network(batch))


def test_without_classical_statistics_they_are_not_read(batch: dict[str, Tensor]) -> None:
    torch.manual_seed(6)
    net = AlignmentNet(DECILES, classical=False)
    net.standardise(batch)
    net.eval()
    torch.testing.assert_close(net(batch), net(batch | {"statistics": batch["statistics"] * 0}))


def test_a_constant_input_does_not_divide_by_zero(batch: dict[str, Tensor]) -> None:
    same = {name: rows[:1].expand(3, *rows.shape[1:]) for name, rows in batch.items()}
    net = AlignmentNet(DECILES)
    net.standardise(same)
    assert net.eval()(same).isfinite().all()
