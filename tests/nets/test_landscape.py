"""The network that reads a window along its length."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sewall.nets.landscape import LandscapeNet, LandscapeShape

SHAPE = LandscapeShape(channels=6, statistics=4, sub_windows=5, places=3, width=8, features=16, classes=3)


def batch(number: int = 4, seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return {"landscape": torch.randn(number, 6, 15), "statistics": torch.randn(number, 4, 5)}


def turned(given: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: values.flip(2) for name, values in given.items()}


def network(shape: LandscapeShape = SHAPE) -> LandscapeNet:
    torch.manual_seed(1)
    found = LandscapeNet(shape)
    found.standardise(batch(64, 3))
    return found.eval()


def test_a_genome_has_no_direction() -> None:
    net, given = network(), batch()
    assert torch.allclose(net(given), net(turned(given)), atol=1e-5)


def test_where_something_is_matters() -> None:
    net, given = network(), batch()
    moved = {name: values.roll(values.shape[2] // 5, 2) for name, values in given.items()}
    assert not torch.allclose(net(given), net(moved), atol=1e-3)


def test_one_window_alone_is_answered_as_in_company() -> None:
    net, given = network(), batch()
    alone = {name: values[1:2] for name, values in given.items()}
    assert torch.allclose(net(given)[1:2], net(alone), atol=1e-5)


def test_a_number_that_never_varied_is_not_read() -> None:
    net, still = network(), batch(64, 3)
    still["landscape"][:, 2] = 1.0
    net.standardise(still)
    given = batch()
    other = {**given, "landscape": given["landscape"].clone()}
    other["landscape"][:, 2] += 5
    assert torch.equal(net(given), net(other))


@pytest.mark.parametrize("classes", [0, 3])
def test_a_network_is_built_again_by_its_recipe(classes: int) -> None:
    shape = LandscapeShape(**{**vars(SHAPE), "classes": classes})
    net = network(shape)
    again = LandscapeNet.like(net.recipe())
    again.load_state_dict(net.state_dict())
    assert torch.equal(again.eval()(batch()), net(batch()))
