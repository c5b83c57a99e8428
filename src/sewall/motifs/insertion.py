"""Whether networks use a motif: what it does to the answer where it is put in, and where it is taken out.

A motif that only goes along with what networks look at has no effect here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sewall.data.sequences import Codes, Sequences
from sewall.encode.dna import complement
from sewall.motifs.motif import Motif
from sewall.motifs.shuffling import dinucleotide_shuffles

Floats = NDArray[np.float64]
Answer = Callable[[Sequences], Floats]

BACKGROUNDS = 200  # sequences that a motif is put into
MOST_TAKEN_OUT = 200  # places of a motif that are destroyed
TRIES = 32  # shuffles of a motif of which the one least like it is taken
LEVEL = 0.95


@dataclass(frozen=True)
class Effect:
    """A mean difference of answers, with its 95 % interval, on the learning scale.

    Attributes:
        value, lower, upper: of the mean answer of the networks.
        agreeing: share of the networks by whose answers it has the same sign.
        number: sequences that were compared.
    """

    value: float
    lower: float
    upper: float
    agreeing: float
    number: int

    @property
    def certain(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.lower > 0 or self.upper < 0

    @classmethod
    def of(cls, differences: Floats) -> Effect:
        """Return the mean of ``(networks, sequences)`` differences and the interval of Student's t.

        >>> Effect.of(np.array([[1.0, 2.0, 3.0]])).value
        2.0
        """
        mean = differences.mean(axis=0)
        value, number = float(mean.mean()) if mean.size else float("nan"), mean.size
        if number < 2:
            return cls(value, -np.inf, np.inf, float("nan"), number)
        half = float(stats.t.ppf((1 + LEVEL) / 2, number - 1) * mean.std(ddof=1) / np.sqrt(number))
        agreeing = float(np.mean(np.sign(differences.mean(axis=1)) == np.sign(value)))
        return cls(value, value - half, value + half, agreeing, number)


def backgrounds(sequences: Sequences, seed: int, number: int = BACKGROUNDS) -> Sequences:
    """Return dinucleotide shuffles of sequences drawn at random: what they are without their motifs."""
    rows = np.random.default_rng(seed).choice(len(sequences), number, replace=len(sequences) < number)
    some = sequences.take(rows).named(f"background_{k}" for k in range(number))
    copies = [shuffles[0] for shuffles in dinucleotide_shuffles(some, 1, seed).copies]
    return Sequences(some.ids, np.concatenate(copies), some.starts, some.lower)


def inserted(motif: Motif, background: Sequences, answer: Answer, seed: int, place: int | None = None) -> Effect:
    """Put the consensus of a motif into each sequence, and compare with one of its own shuffles in the same place.

    Args:
        motif: what is put in: the commonest base of each place.
        background: 100 sequences or more without motifs; those shorter than the motif are passed over.
        answer: from sequences to ``(networks, sequences)`` answers.
        seed: of the shuffles.
        place: where it begins; in the middle by default.
    """
    rows = np.flatnonzero(background.lengths >= len(motif))
    if not len(rows):
        return Effect.of(np.zeros((1, 0)))
    some, width = background.take(rows), len(motif)
    starts = (some.lengths - width) // 2 if place is None else np.minimum(place, some.lengths - width)
    word = (1 << motif.frequencies.argmax(axis=1)).astype(np.uint8)
    rng = np.random.default_rng(seed)
    shuffles = np.stack([_unlike(word, rng) for _ in rows])
    return Effect.of(answer(_replaced(some, starts, word)) - answer(_replaced(some, starts, shuffles)))


def taken_out(places: pd.DataFrame, sequences: Sequences, answer: Answer, seed: int) -> Effect:
    """Shuffle the letters of a motif where it was found, one place at a time: by how much the answer sinks.

    Args:
        places: ``row start end`` of a found motif; some of them are drawn where they are many.
        sequences: that it was found in.
        answer: from sequences to ``(networks, sequences)`` answers.
        seed: of the places and the shuffles.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(places))[:MOST_TAKEN_OUT])
    rows, starts, ends = places[["row", "start", "end"]].to_numpy(int)[chosen].T
    some = sequences.take(rows).named(f"place_{k}" for k in range(len(rows)))
    codes = some.codes.copy()
    for begin, start, end in zip(some.starts[:-1], starts, ends, strict=True):
        codes[begin + start : begin + end] = _unlike(codes[begin + start : begin + end], rng)
    without = Sequences(some.ids, codes, some.starts, some.lower)
    return Effect.of(answer(some) - answer(without))


def _replaced(sequences: Sequences, starts: NDArray[np.int64], words: Codes) -> Sequences:
    """Return the sequences with a word (one, or one of each) from *starts* on."""
    codes = sequences.codes.copy()
    where = (sequences.starts[:-1] + starts)[:, None] + np.arange(words.shape[-1])
    codes[where] = words
    return Sequences(sequences.ids, codes, sequences.starts, sequences.lower)


def _unlike(word: Codes, rng: np.random.Generator) -> Codes:
    """Return the letters of a word in another order: of some orders the one least like the word on either strand."""
    orders = rng.permuted(np.tile(word, (TRIES, 1)), axis=1)
    turned = complement(word)[::-1]
    alike = np.maximum((orders == word).sum(axis=1), (orders == turned).sum(axis=1))
    return np.asarray(orders[alike.argmin()])
