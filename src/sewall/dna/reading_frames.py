"""Open reading frames of transcripts, stretches that read like coding ones, and sums over codons: compiled loops.

Letters of all transcripts stand one after the other, as in `Sequences`. A word is the number of a k-mer in base 4, told
at the letter where it begins; -1 where it holds an ambiguous letter or runs out of its transcript. A span is a first
letter and the letter after the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sewall.compiling import compiled
from sewall.data.sequences import Sequences
from sewall.encode.dna import Numbers, numbers

Floats = NDArray[np.float64]
Letters = NDArray[np.int8]
Words = NDArray[np.int16]

CODON, PAIR = 3, 6
START = 14  # ATG
STOPS = TAA, TAG, TGA = 48, 50, 56
UNKNOWN = -1.0  # what a codon that cannot be read counts against a stretch


@dataclass(frozen=True)
class Frames:
    """Open reading frames, those of a transcript together.

    They begin at the first ATG behind a stop and end with the next stop. Transcripts may be cut: what is open from
    their first letters, or to their last ones, is a frame, too.

    Attributes:
        row: ``(frames,)`` transcript of each.
        spans: ``(frames, 2)``, the stop included.
        begun: ``(frames,)`` whether it begins with ATG.
        stopped: ``(frames,)`` whether it ends with a stop.
    """

    row: Numbers
    spans: Numbers
    begun: NDArray[np.bool_]
    stopped: NDArray[np.bool_]

    @property
    def lengths(self) -> Numbers:
        """``(frames,)`` letters."""
        return self.spans[:, 1] - self.spans[:, 0]


@dataclass(frozen=True)
class Transcripts:
    """Transcripts, read in words.

    Attributes:
        letters: ``(letters,)`` 0 to 3 for A, C, G, T, and -1.
        starts: ``(transcripts + 1,)`` where each begins, and where the last ends.
    """

    letters: Letters
    starts: Numbers

    @classmethod
    def of(cls, sequences: Sequences) -> Transcripts:
        """Return sequences, read on the strand as given."""
        return cls(numbers(sequences.codes), sequences.starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def spans(self) -> Numbers:
        """``(transcripts, 2)``."""
        return np.column_stack([self.starts[:-1], self.starts[1:]])

    @cached_property
    def codons(self) -> Words:
        """``(letters,)`` codon that begins at each letter."""
        return words(self.letters, self.starts, CODON)

    @cached_property
    def pairs(self) -> Words:
        """``(letters,)`` pair of codons that begins at each letter."""
        return words(self.letters, self.starts, PAIR)

    @cached_property
    def frames(self) -> Frames:
        """All open reading frames.

        >>> from sewall.data.sequences import packed
        >>> frames = Transcripts.of(packed(["a"], ["CCATGAAATAGC"])).frames
        >>> frames.spans[frames.begun].tolist()
        [[2, 11]]
        """
        found = open_frames(self.codons, self.starts)
        return Frames(found[:, 0], found[:, 1:3], found[:, 3] == 1, found[:, 4] == 1)

    def best_frame(self, scores: Floats) -> Numbers:
        """Return ``(transcripts,)`` the frame of the highest score, the first of equal ones; -1 where there is none.

        Args:
            scores: ``(frames,)``; no frame of ``-inf`` is chosen.
        """
        found = np.full(len(self), -1)
        order = np.lexsort((-np.arange(len(scores)), scores))
        order = order[np.isfinite(scores[order])]
        found[self.frames.row[order]] = order  # the last one stays
        return found

    @cached_property
    def longest(self) -> Numbers:
        """``(transcripts, 2)`` span of the longest frame that begins with ATG; without any, nothing at the start."""
        frames = self.frames
        return self.spans_of(self.best_frame(np.where(frames.begun, frames.lengths, -np.inf)))

    def spans_of(self, frames: Numbers) -> Numbers:
        """Return ``(transcripts, 2)`` the spans of one frame of each; of -1, nothing at the start."""
        spans = np.repeat(self.starts[:-1, None], 2, axis=1)
        spans[frames >= 0] = self.frames.spans[frames[frames >= 0]]
        return spans


@compiled
def words(letters: Letters, starts: Numbers, k: int) -> Words:
    """Return ``(letters,)`` the word of *k* letters that begins at each letter."""
    found, size = np.full(len(letters), -1, np.int16), 4**k
    for row in range(len(starts) - 1):
        word, known = 0, 0  # letters since one that is ambiguous
        for place in range(starts[row], starts[row + 1]):
            known = known + 1 if letters[place] >= 0 else 0
            word = (4 * word + max(letters[place], 0)) % size
            if known >= k:
                found[place - k + 1] = word
    return found


@compiled
def open_frames(codons: Words, starts: Numbers) -> Numbers:
    """Return ``(frames, 5)``: transcript, first letter, letter after the last, and whether ATG and stop are there."""
    found, size = np.empty((len(codons) + 1, 5), np.int64), 0
    for row in range(len(starts) - 1):
        for begin in range(starts[row], starts[row] + CODON):
            cut, first, place = begin, -1, begin  # a frame that is open from the beginning; the first ATG since a stop
            while place + CODON <= starts[row + 1]:
                codon = codons[place]
                place += CODON
                if codon == START and first < 0:
                    first = place - CODON
                stopped = codon in (TAA, TAG, TGA)
                if stopped or place + CODON > starts[row + 1]:
                    if cut >= 0 and first != cut:
                        found[size] = row, cut, place, 0, int(stopped)
                        size += 1
                    if first >= 0:
                        found[size] = row, first, place, 1, int(stopped)
                        size += 1
                    cut, first = -1, -1
    return found[:size]


@compiled
def stretches(codons: Words, pairs: Words, starts: Numbers, values: Floats) -> tuple[Floats, Numbers]:
    """Return the stretch without stops whose pairs sum to most, in each of the three phases.

    Args:
        codons, pairs, starts: of transcripts.
        values: ``(pairs,)``.

    Returns:
        ``(transcripts, 3)`` sums, and ``(transcripts, 3, 2)`` spans.
    """
    sums, spans = np.zeros((len(starts) - 1, CODON)), np.zeros((len(starts) - 1, CODON, 2), np.int64)
    for row in range(len(starts) - 1):
        for phase in range(CODON):
            first, total = starts[row] + phase, 0.0
            spans[row, phase, :] = min(first, starts[row + 1])
            for place in range(first, starts[row + 1] - CODON + 1, CODON):
                codon = codons[place]
                if codon in (TAA, TAG, TGA):
                    total = -1.0
                else:
                    total += values[pairs[place]] if pairs[place] >= 0 else UNKNOWN
                if total <= 0:
                    first, total = place + CODON, 0.0
                elif total > sums[row, phase]:
                    sums[row, phase] = total
                    spans[row, phase, 0], spans[row, phase, 1] = first, place + CODON
    return sums, spans


@compiled
def summed(words: Words, spans: Numbers, values: Floats, step: int) -> Floats:
    """Return ``(spans,)`` sums of the values of words that begin in each span, at every *step*-th letter."""
    sums = np.zeros(len(spans))
    for number in range(len(spans)):
        for place in range(spans[number, 0], spans[number, 1], step):
            if words[place] >= 0:
                sums[number] += values[words[place]]
    return sums


@compiled
def counted(words: Words, spans: Numbers, size: int, step: int) -> Floats:
    """Return ``(size,)`` how often each word begins in the spans, at every *step*-th letter."""
    counts = np.zeros(size)
    for number in range(len(spans)):
        for place in range(spans[number, 0], spans[number, 1], step):
            if words[place] >= 0:
                counts[words[place]] += 1
    return counts
