from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sewall.nets.attribution import Question, at_reference, integrated_gradients, knock_out
from sewall.nets.heads import MeanHead
from sewall.nets.network import Network

INPUTS, BATCH = 12, 7


class Bent(Network):
    """Two inputs through a smooth non-linearity; missing numbers count as nothing, ``kept`` is no input to explain."""

    def __init__(self, linear: bool = False) -> None:
        super().__init__()
        self.first = nn.Linear(INPUTS, 8)
        self.bend = nn.Identity() if linear else nn.GELU()
        self.head = MeanHead(9, 3)

    def embedding(self, batch: dict[str, Tensor]) -> Tensor:
        hidden = self.bend(self.first(batch["numbers"].nan_to_num() * batch["kept"]))
        return torch.cat([hidden, batch["other"] * hidden[:, :1]], dim=1)


@pytest.fixture
def network() -> Bent:
    torch.manual_seed(2)
    return Bent().double().eval()


@pytest.fixture
def batch() -> dict[str, Tensor]:
    rng = np.random.default_rng(3)
    numbers = 2 * rng.standard_normal((BATCH, INPUTS))
    numbers[0, :3] = np.nan
    parts = {"numbers": numbers, "other": rng.standard_normal((BATCH, 1)), "kept": rng.random((BATCH, INPUTS))}
    return {key: torch.from_numpy(value) for key, value in parts.items()}


REFERENCE = {"numbers": torch.linspace(-1, 1, INPUTS).double(), "other": torch.tensor([0.3]).double()}


@pytest.mark.parametrize("asked", [Question(), Question(2), Question(1, (0, 2))])
def test_attributions_sum_to_the_difference_of_answers(
    network: Bent, batch: dict[str, Tensor], asked: Question
) -> None:
    found = integrated_gradients(network, batch, REFERENCE, asked, points=32)
    total = found["numbers"].sum(1) + found["other"].sum(1)
    with torch.no_grad():
        difference = asked.of(network(batch)) - at_reference(network, batch, REFERENCE, asked)
    assert float(difference.abs().min()) > 1e-3
    np.testing.assert_allclose(total.numpy(), difference.numpy(), atol=1e-8)


def test_of_a_linear_network_they_are_weights_times_ways(batch: dict[str, Tensor]) -> None:
    torch.manual_seed(4)
    network = Bent(linear=True).double().eval()
    alone = {**batch, "other": torch.zeros(BATCH, 1).double()}
    reference = {"numbers": REFERENCE["numbers"]}
    found = integrated_gradients(network, alone, reference, points=1)["numbers"]
    weight = network.head.linear.weight[0, :8] @ network.first.weight
    way = (batch["numbers"] - REFERENCE["numbers"]).nan_to_num()
    np.testing.assert_allclose(found.numpy(), (weight * batch["kept"] * way).detach().numpy(), atol=1e-12)


def test_what_is_missing_has_no_part(network: Bent, batch: dict[str, Tensor]) -> None:
    assert (integrated_gradients(network, batch, REFERENCE)["numbers"][0, :3] == 0).all()
    assert bool(torch.isnan(batch["numbers"][0, :3]).all())  # and stays missing


def test_one_answer_is_not_explained_by_another(network: Bent, batch: dict[str, Tensor]) -> None:
    with torch.no_grad():
        network.head.linear.weight[1] = 0
    assert (integrated_gradients(network, batch, REFERENCE, Question(1))["numbers"] == 0).all()
    assert (integrated_gradients(network, batch, REFERENCE, Question(0))["numbers"] != 0).any()


def test_an_example_that_is_the_reference_has_nothing_to_explain(network: Bent, batch: dict[str, Tensor]) -> None:
    same = {**batch, "numbers": REFERENCE["numbers"].expand(BATCH, -1), "other": REFERENCE["other"].expand(BATCH, 1)}
    assert all((value == 0).all() for value in integrated_gradients(network, same, REFERENCE).values())


def test_knocking_out_puts_a_part_at_the_reference(network: Bent, batch: dict[str, Tensor]) -> None:
    window = torch.zeros(INPUTS, dtype=torch.bool)
    window[2:6] = True
    parts = [{"numbers": window}, {"other": torch.tensor([True])}, {"numbers": ~window | window}]
    found = knock_out(network, batch, REFERENCE, parts, Question(2))
    changed = batch["numbers"].clone()
    changed[:, 2:6] = REFERENCE["numbers"][2:6]
    changed[0, 2] = torch.nan
    with torch.no_grad():
        expected = network(batch)[:, 2] - network({**batch, "numbers": changed})[:, 2]
    assert found.shape == (BATCH, 3)
    np.testing.assert_allclose(found[:, 0].numpy(), expected.numpy(), atol=1e-12)
    assert float((found[:, 1] - found[:, 0]).abs().min()) > 1e-6


def test_no_part_no_change(network: Bent, batch: dict[str, Tensor]) -> None:
    assert knock_out(network, batch, REFERENCE, []).shape == (BATCH, 0)
