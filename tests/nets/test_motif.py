"""The network that reads sequences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sewall.nets.motif import MotifNet, MotifShape, other_strand


def letters(number: int, length: int) -> Tensor:
    rng = np.random.default_rng(number)
    return nn.functional.one_hot(torch.tensor(rng.integers(4, size=(number, length))), 4).movedim(2, 1).float()


def network(shape: MotifShape, length: int) -> MotifNet:
    """Return a network whose normalisation is that of a trained one."""
    torch.manual_seed(1)
    found = MotifNet(shape, length, {"classes": 2}).eval()
    for module in found.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.bias.data.normal_()
    return found


@pytest.mark.parametrize("pool", [1, 2, 3, 4])
def test_padding_changes_nothing_and_both_strands_are_one(pool: int) -> None:
    net, given = network(MotifShape(motifs=8, blocks=2, pool=pool), 0), letters(3, 20)
    padded = nn.functional.pad(given, (0, 17))
    answer = net({"letters": given})
    assert torch.allclose(net({"letters": padded}), answer, atol=1e-5)
    assert torch.allclose(net({"letters": other_strand(padded)}), answer, atol=1e-5)


def test_the_strand_counts_where_there_is_one() -> None:
    net, given = network(MotifShape(motifs=8, strands=1), 0), letters(3, 20)
    assert not torch.allclose(net({"letters": other_strand(given)}), net({"letters": given}), atol=1e-3)


def test_places_count_where_they_are_anchored() -> None:
    shape = MotifShape(motifs=8, width=5, strands=1, anchored=True, pool=1)
    net, given = network(shape, 20), letters(3, 20)
    assert not torch.allclose(net({"letters": given.roll(3, 2)}), net({"letters": given}), atol=1e-3)


@pytest.mark.parametrize("shape", [MotifShape(motifs=8), MotifShape(motifs=8, anchored=True, strands=1, pool=2)])
def test_a_recipe_and_weights_make_the_same_network(shape: MotifShape) -> None:
    net, given = network(shape, 20), letters(3, 20)
    again = MotifNet.like(net.recipe()).eval()
    again.load_state_dict(net.state_dict())
    assert torch.equal(again({"letters": given}), net({"letters": given}))


def test_training_substitutes_letters_and_leaves_padding_alone() -> None:
    net = MotifNet(MotifShape(motifs=8, substituted=1.0), 0, {"traits": 1}).train()
    seen: list[Tensor] = []
    net.stem.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    net({"letters": nn.functional.pad(letters(4, 10), (0, 5))})
    assert (seen[0].sum(dim=1)[:, :10] == 1).all()
    assert (seen[0][:, :, 10:] == 0).all()
