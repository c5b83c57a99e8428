from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sewall.data.sequences import Sequences, packed
from sewall.encode.dna import one_hot
from sewall.motifs.attributions import LOOSE, OneStrand, attribute, deep_lift, mutagenesis
from sewall.motifs.shuffling import dinucleotide_shuffles
from sewall.nets.attribution import Question
from sewall.nets.motif import MotifNet, MotifShape

from .conftest import POSITIVE, WORD, knowing, random_net, random_sequences, with_word

SMALL = {"motifs": 12, "width": 7, "reach": 3}


def as_letters(sequences: Sequences, length: int | None = None) -> Tensor:
    return torch.from_numpy(one_hot(sequences.padded(np.arange(len(sequences)), length)))


@pytest.mark.parametrize("blocks", [0, 2])
@pytest.mark.parametrize("anchored", [False, True])
@pytest.mark.parametrize("pool", [1, 2, 3, 4])
def test_every_shape_passes_the_gate(pool: int, anchored: bool, blocks: int) -> None:
    network = random_net(MotifShape(pool=pool, anchored=anchored, blocks=blocks, **SMALL), 41, pool)
    found = attribute([network], random_sequences(4, 41, 1), POSITIVE, method="deeplift")
    assert found.gaps.max() < LOOSE / 10
    assert found.failing == 0


@pytest.mark.parametrize("pool", [1, 2, 3, 4])
def test_padded_sequences_pass_the_gate(pool: int) -> None:
    sequences = random_sequences(3, 30, 2)
    copies = np.stack(dinucleotide_shuffles(sequences, 5, 1).copies)
    references = torch.from_numpy(one_hot(np.pad(copies, ((0, 0), (0, 0), (0, 11)))))
    strand = OneStrand(random_net(MotifShape(pool=pool, blocks=1, **SMALL), 0, 1), POSITIVE)
    added, gaps = deep_lift(strand, as_letters(sequences, 41), references)
    assert gaps.max() < LOOSE / 10
    assert added.shape == (3, 4, 41)


class Broken(nn.Module):
    """Keeps the strongest answers by a function, which no rule of DeepLIFT knows."""

    def forward(self, hidden: Tensor, inside: Tensor) -> Tensor:
        return torch.cat([hidden.amax(dim=2), hidden.mean(dim=2)], dim=1)


def broken(seed: int) -> MotifNet:
    network = random_net(MotifShape(pool=2, blocks=1, strands=1, **SMALL), 0, seed)
    network.pooled = Broken()
    return network


def test_a_broken_net_fails_the_gate_and_is_mutated_instead() -> None:
    sequences = random_sequences(3, 30, 2)
    assert attribute([broken(1)], sequences, POSITIVE, method="deeplift").failing > 0.5
    found = attribute([broken(1)], sequences, POSITIVE)
    assert found.method == "mutagenesis"
    assert found.given_up is not None
    assert found.given_up > 0.5
    assert np.isnan(found.gaps).all()


def test_attributions_sum_to_the_difference_from_the_shuffles() -> None:
    network = random_net(MotifShape(pool=2, blocks=1, **SMALL), 0, 3)
    sequences = random_sequences(1, 40, 4)
    letters = as_letters(sequences)
    references = torch.from_numpy(one_hot(np.stack(dinucleotide_shuffles(sequences, 20, 5).copies)))
    strand = OneStrand(network, POSITIVE)
    added, _ = deep_lift(strand, letters, references)
    with torch.no_grad():
        expected = strand(letters)[0, 0] - strand(references[0]).mean()
    assert (added * letters).sum().item() == pytest.approx(expected.item(), abs=1e-4)


def test_mutagenesis_is_what_the_four_letters_do() -> None:
    strand = OneStrand(random_net(MotifShape(pool=1, blocks=0, **SMALL), 0, 3), POSITIVE)
    letters = as_letters(random_sequences(2, 20, 4))
    found = mutagenesis(strand, letters)
    changed = letters[1:2].repeat(4, 1, 1)
    changed[:, :, 6] = torch.eye(4)
    with torch.no_grad():
        answers = strand(changed)[:, 0]
    np.testing.assert_allclose(found[1, :, 6], answers - answers.mean(), atol=1e-5)


@pytest.mark.parametrize("method", ["deeplift", "mutagenesis"])
def test_the_word_is_what_counts_on_either_strand(method: str) -> None:
    turned = packed(["a"], ["ACGTTGCA" + "GGAGTTCGGTCG" + "TTACGAATGC"])
    found = attribute([knowing()], turned, POSITIVE, method=method)  # type: ignore[arg-type]
    track = found.means[0]
    assert set(np.argsort(-track)[: len(WORD)].tolist()) == set(range(8, 8 + len(WORD)))


def test_both_strands_are_one() -> None:
    sequences = random_sequences(1, 40, 6)
    letters = as_letters(sequences)
    turned = packed(["t"], [sequences.text(0)[::-1].translate(str.maketrans("ACGT", "TGCA"))])
    network = random_net(MotifShape(pool=1, blocks=1, **SMALL), 0, 5)
    one = attribute([network], sequences, POSITIVE, method="mutagenesis").means[0]
    other = attribute([network], turned, POSITIVE, method="mutagenesis").means[0]
    np.testing.assert_allclose(one, other[::-1], atol=1e-5)
    assert letters.shape == (1, 4, 40)


def test_lengths_and_company_do_not_matter() -> None:
    texts = [random_sequences(1, length, length).text(0) for length in (30, 44, 30)]
    sequences = packed(["a", "b", "c"], texts)
    network = random_net(MotifShape(pool=2, blocks=1, **SMALL), 0, 5)
    together = attribute([network], sequences, POSITIVE, method="mutagenesis")
    alone = attribute([network], sequences.take(np.array([1])), POSITIVE, method="mutagenesis")
    assert [len(track) for track in together.means] == [30, 44, 30]
    np.testing.assert_allclose(together.means[1], alone.means[0], atol=1e-5)


def test_the_mean_of_networks_and_how_far_they_agree() -> None:
    sequences, _ = with_word(3, 40, 2)
    alike = attribute([knowing(), knowing(sure=2.0)], sequences, POSITIVE, seed=1)
    assert alike.agreement == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(alike.means[0], alike.tracks[0].mean(axis=0))
    strangers = [random_net(MotifShape(pool=1, blocks=0, **SMALL), 0, seed) for seed in (1, 2)]
    assert abs(attribute(strangers, sequences, POSITIVE, seed=1).agreement) < 0.4


def test_gaps_of_a_quantity_are_in_its_own_unit() -> None:
    sequences = random_sequences(2, 30, 2)
    network = random_net(MotifShape(pool=2, blocks=1, strands=1, **SMALL), 0, 3, {"traits": 1})
    network.pooled = Broken()
    small = attribute([network], sequences, Question(), method="deeplift").gaps
    network.head.scale.fill_(1_000.0)
    np.testing.assert_allclose(attribute([network], sequences, Question(), method="deeplift").gaps, small, rtol=1e-3)
