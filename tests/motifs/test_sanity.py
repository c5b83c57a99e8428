from __future__ import annotations

import torch

from sewall.motifs.attributions import attribute
from sewall.motifs.sanity import UNLEARNT, drawn_anew, unlearnt_similarity
from sewall.nets.motif import MotifShape

from .conftest import POSITIVE, knowing, random_net, with_word


def test_new_weights_are_new_and_come_from_the_seed() -> None:
    network = knowing()
    one, other, again = drawn_anew(network, 1), drawn_anew(network, 2), drawn_anew(network, 1)
    weights = [own.stem[0].weight for own in (network, one, other)]
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[2])
    assert torch.equal(weights[1], again.stem[0].weight)
    assert one.stem[1].running_mean.abs().max() == 0


def test_what_was_learnt_is_gone_with_the_weights() -> None:
    sequences, _ = with_word(12, 50, 3)
    network = knowing()
    found = attribute([network], sequences, POSITIVE)
    assert unlearnt_similarity([network], found, POSITIVE, seed=1) < UNLEARNT


def test_a_network_that_was_never_trained_is_seen() -> None:
    sequences, _ = with_word(12, 50, 3)
    network = drawn_anew(random_net(MotifShape(motifs=8, width=7, strands=1), 0, 1), 7)
    found = attribute([network], sequences, POSITIVE, method="mutagenesis")
    assert unlearnt_similarity([network], found, POSITIVE, seed=7) > 0.99
