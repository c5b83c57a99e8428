"""A network that knows one word, and sequences with that word in them: nothing is trained."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from sewall.data.sequences import Sequences, packed
from sewall.nets.attribution import Question
from sewall.nets.motif import MotifNet, MotifShape

WORD = "CGACCGAACTCC"
POSITIVE = Question(1, (0,))


def knowing(word: str = WORD, strands: int = 2, sure: float = 4.0) -> MotifNet:
    """Return a network whose log odds rise by twice *sure* for every letter of the word beyond the ninth."""
    network = MotifNet(MotifShape(motifs=2, width=len(word) | 1, pool=1, blocks=0, strands=strands), 0, {"classes": 2})
    conv, norm = network.stem[0], network.stem[1]
    with torch.no_grad():
        conv.weight.zero_()
        for place, letter in enumerate(word):
            conv.weight[0, "ACGT".index(letter), place] = 1.0
        norm.running_mean.fill_(len(word) - 3)
        weight = torch.zeros(2, 4)
        weight[0, 0], weight[1, 0] = -sure, sure
        network.head.linear.weight.copy_(weight)
        network.head.linear.bias.zero_()
    return network.eval()


def random_net(shape: MotifShape, length: int, seed: int, head: dict[str, int] | None = None) -> MotifNet:
    """Return an untrained network whose activations are all at work."""
    torch.manual_seed(seed)
    network = MotifNet(shape, length, head or {"classes": 2})
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.05, 0.3)
            nn.init.normal_(module.bias, 0, 0.3)
    return network.eval()


def random_sequences(number: int, length: int, seed: int) -> Sequences:
    """Return random sequences."""
    letters = np.random.default_rng(seed).integers(4, size=(number, length))
    return packed([f"s{k}" for k in range(number)], ["".join("ACGT"[k] for k in row) for row in letters])


def with_word(number: int, length: int, seed: int, word: str = WORD) -> tuple[Sequences, list[int]]:
    """Return random sequences with a word in each, and where it begins."""
    plain, rng = random_sequences(number, length, seed), np.random.default_rng([seed, 1])
    starts = rng.integers(length - len(word) + 1, size=number).tolist()
    texts = [plain.text(k)[:start] + word + plain.text(k)[start + len(word) :] for k, start in enumerate(starts)]
    return packed(plain.ids, texts), starts
