"""What each letter of a sequence has to do with the answer of networks.

Two methods: DeepLIFT/SHAP compares a sequence with dinucleotide shuffles of itself in one pass (Shrikumar et al. 2017,
ICML 70:3145; Lundberg & Lee 2017, NeurIPS 30:4765); saturation mutagenesis changes every letter into every other and is
exact. The first is checked against the answers that it must sum to, and given up for the second where it does not.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sewall.data.sequences import Sequences
from sewall.encode.dna import one_hot
from sewall.motifs.shuffling import dinucleotide_shuffles
from sewall.nets.attribution import FIRST, Question
from sewall.nets.heads import MeanHead
from sewall.nets.motif import MotifNet
from sewall.task import Rows

Track = NDArray[np.float32]
Method = Literal["auto", "deeplift", "mutagenesis"]
Progress = Callable[[float], None]

REFERENCES = 20  # shuffles of each sequence
LOOSE = 1e-3  # log odds, or standard deviations of a quantity, by which attributions of a sequence may miss its answer
FAILING = 0.01  # share of sequences that may miss by more before the method is given up
LETTERS_AT_ONCE = 6_400  # of a batch, so that memory does not grow with the length of sequences
FEWEST_AT_ONCE = 2
SOME = 8  # sequences that are taken up together


@dataclass(frozen=True)
class Attributed:
    """Attributions of some sequences: those of the mean answer of all networks.

    Attributes:
        sequences: the sequences, of A, C, G and T alone.
        hypothetical: of each ``(4, letters)``: what each base would add in the place of the one that is there.
        tracks: of each ``(networks, letters)``: what the letter that is there adds to the answer of each network.
        gaps: ``(sequences,)`` by how much DeepLIFT missed, at the most, over references, strands and networks; in log
            odds or standard deviations. NaN where the answers were found by mutagenesis.
        method: that was used.
        given_up: share of sequences by which DeepLIFT failed, where it was given up for mutagenesis; else None.
    """

    sequences: Sequences
    hypothetical: list[Track]
    tracks: list[Track]
    gaps: NDArray[np.float64]
    method: Method
    given_up: float | None = None

    @cached_property
    def means(self) -> list[Track]:
        """Of each sequence ``(letters,)``: what the letter that is there adds to the mean answer."""
        return [track.mean(axis=0) for track in self.tracks]

    @property
    def failing(self) -> float:
        """Share of the sequences whose attributions do not sum to the answer."""
        return float(np.mean(self.gaps > LOOSE)) if len(self.gaps) else 0.0

    @cached_property
    def agreement(self) -> float:
        """Median correlation of the tracks of two networks, over sequences and pairs; NaN for one network."""
        found = [
            _correlation(track[one], track[other])
            for track in self.tracks
            for one, other in combinations(range(len(track)), 2)
        ]
        return float(np.nanmedian(found)) if np.isfinite(found).any() else float("nan")


class OneStrand(nn.Module):
    """One strand seen by one network, from ``(sequences, 4, letters)`` to ``(sequences, 1)`` answers.

    Attributions must see the plain network: an activation that is used twice in a pass has no one reference.

    Args:
        network: a network that reads sequences; it is put into the mode of evaluation.
        asked: which of its answers.
    """

    def __init__(self, network: MotifNet, asked: Question) -> None:
        super().__init__()
        self.network, self.asked = network, asked
        self.eval()

    def forward(self, letters: Tensor) -> Tensor:
        """Return the answer that was asked for."""
        return self.asked.of(self.network.head(self.network.strand(letters)))[:, None]


def attribute(
    networks: Sequence[MotifNet],
    sequences: Sequences,
    asked: Question = FIRST,
    *,
    method: Method = "auto",
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Attributed:
    """Attribute the mean answer of networks to the letters of sequences; where both strands count, both are read.

    Args:
        networks: all of one shape.
        sequences: of any lengths, of A, C, G and T alone (see `shuffling.drawn`).
        asked: which answer; of classes the difference of scores, that is, of log probabilities.
        method: ``auto`` is DeepLIFT, or mutagenesis of all sequences where more than 1 % fail it.
        seed: of the references.
        device: where networks run.
        progress: called with 1 after each sequence.
    """
    if method != "mutagenesis":
        found = _attributed(networks, sequences, asked, "deeplift", seed, device, progress)
        if method == "deeplift" or found.failing <= FAILING:
            return found
        given_up: float | None = found.failing
    else:
        given_up = None
    exact = _attributed(networks, sequences, asked, "mutagenesis", seed, device, progress)
    return Attributed(sequences, exact.hypothetical, exact.tracks, exact.gaps, exact.method, given_up)


def _attributed(
    networks: Sequence[MotifNet], sequences: Sequences, asked: Question, method: Method, seed: int, device: str,
    progress: Progress | None,
) -> Attributed:  # fmt: skip
    number = len(sequences)
    hypothetical, tracks = [np.zeros((4, 0), np.float32)] * number, [np.zeros((0, 0), np.float32)] * number
    gaps = np.full(number, np.nan)
    for rows in alike(sequences):
        some = sequences.take(rows)
        letters = torch.from_numpy(one_hot(some.padded(np.arange(len(rows)))))
        references = _references(some, rows, seed) if method == "deeplift" else None
        each = [_both_strands(network, letters, references, asked, device) for network in networks]
        added, missed = torch.stack([own for own, _ in each]), torch.stack([gap for _, gap in each])
        for place, row in enumerate(rows):
            hypothetical[row] = added[:, place].mean(dim=0).numpy()
            tracks[row] = (added[:, place] * letters[place]).sum(dim=1).numpy()
            if progress is not None:
                progress(1)
        gaps[rows] = missed.amax(dim=0).numpy()
    return Attributed(sequences, hypothetical, tracks, gaps, method)


def alike(sequences: Sequences) -> list[Rows]:
    """Return rows of sequences of one length, a few at a time: nothing is padded.

    >>> from sewall.data.sequences import packed
    >>> [rows.tolist() for rows in alike(packed(["a", "b", "c"], ["AC", "GTT", "AA"]))]
    [[0, 2], [1]]
    """
    found = []
    for length in np.unique(sequences.lengths):
        rows = np.flatnonzero(sequences.lengths == length)
        found += [rows[start : start + SOME] for start in range(0, len(rows), SOME)]
    return found


def _references(sequences: Sequences, rows: Rows, seed: int) -> Tensor:
    """Return ``(sequences, references, 4, letters)`` shuffles of sequences of one length."""
    drawn = int(np.random.SeedSequence([seed, int(rows[0])]).generate_state(1)[0])
    return torch.from_numpy(one_hot(np.stack(dinucleotide_shuffles(sequences, REFERENCES, drawn).copies)))


def _both_strands(
    network: MotifNet, letters: Tensor, references: Tensor | None, asked: Question, device: str
) -> tuple[Tensor, Tensor]:
    """Return ``(sequences, 4, letters)`` hypothetical attributions, the mean of the strands, and the largest gaps."""
    one = OneStrand(network, asked)
    found, gap = _one_strand(one, letters, references, device)
    if network.shape.strands == 2:
        turned = None if references is None else references.flip((2, 3))
        other, other_gap = _one_strand(one, letters.flip((1, 2)), turned, device)
        found, gap = (found + other.flip((1, 2))) / 2, torch.maximum(gap, other_gap)
    return found, gap / _unit(network, asked)


def _one_strand(strand: OneStrand, letters: Tensor, references: Tensor | None, device: str) -> tuple[Tensor, Tensor]:
    if references is None:
        return mutagenesis(strand, letters, device), torch.full((len(letters),), torch.nan)
    return deep_lift(strand, letters, references, device)


def deep_lift(
    model: nn.Module, letters: Tensor, references: Tensor, device: str = "cpu"
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return DeepLIFT/SHAP attributions of one answer, and by how much they miss it.

    Args:
        model: from ``(n, 4, letters)`` to ``(n, 1)``.
        letters: ``(sequences, 4, letters)``.
        references: ``(sequences, references, 4, letters)``.
        device: where the model runs.

    Returns:
        ``(sequences, 4, letters)`` hypothetical attributions, the mean over references, and ``(sequences,)`` the
        largest difference between the sum of the attributions and that of the answers, over references.
    """
    from tangermeme.deep_lift_shap import deep_lift_shap, hypothetical_attributions

    each = references.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gaps are measured below
        slopes = deep_lift_shap(
            model, letters, references=references, raw_outputs=True, batch_size=_at_once(letters), device=device,
            only_warn=True,
        )  # fmt: skip
    way = letters[:, None] - references
    answer = _answers(model, letters, device)
    there = _answers(model, references.flatten(0, 1), device).reshape(-1, each)
    gaps = ((way * slopes).sum(dim=(2, 3)) - (answer[:, None] - there)).abs().amax(dim=1)
    whole = letters[:, None].expand_as(references).flatten(0, 1)
    added = hypothetical_attributions((slopes.flatten(0, 1),), (whole,), (references.flatten(0, 1),))[0]
    return added.reshape(references.shape).mean(dim=1), gaps


def mutagenesis(model: nn.Module, letters: Tensor, device: str = "cpu") -> Tensor:
    """Return ``(sequences, 4, letters)`` by how much each base in each place moves the answer from the four's mean.

    Args:
        model: from ``(n, 4, letters)`` to ``(n, 1)``.
        letters: ``(sequences, 4, letters)``.
        device: where the model runs.
    """
    from tangermeme.saturation_mutagenesis import saturation_mutagenesis

    _, changed = saturation_mutagenesis(
        model, letters, raw_outputs=True, batch_size=_at_once(letters), device=device, fast=False
    )
    answers = changed[..., 0]
    return torch.as_tensor(answers - answers.mean(dim=1, keepdim=True))


@torch.no_grad()
def _answers(model: nn.Module, letters: Tensor, device: str) -> Tensor:
    parts = letters.split(2 * _at_once(letters))
    return torch.cat([model(part.to(device))[:, 0].cpu() for part in parts])


def _at_once(letters: Tensor) -> int:
    return max(LETTERS_AT_ONCE // letters.shape[2], FEWEST_AT_ONCE)


def _unit(network: MotifNet, asked: Question) -> float:
    """Return the size of a step of the answer that matters: one of log odds, a standard deviation of a quantity."""
    return float(network.head.scale[asked.index]) if isinstance(network.head, MeanHead) else 1.0


def _correlation(one: Track, other: Track) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0 and other.std() > 0 else float("nan")
