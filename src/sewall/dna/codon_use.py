"""How coding transcripts use codons: learnt from transcripts of two kinds, and sought in others.

A codon is scored by the one before it, in step, against the chance of the same six letters anywhere in transcripts of
the other kind: the hexamers of CPAT (Wang et al. 2013, Nucleic Acids Res 41:e74), made conditional so that scores of
successive codons can be added up. Frames are also sought by these scores. Transcripts are often cut, and then the
longest frame that begins with ATG is the wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from sewall.dna.reading_frames import CODON, PAIR, Floats, Letters, Transcripts, counted, stretches, summed, words
from sewall.encode.dna import Numbers

Flags = NDArray[np.bool_]

CODONS, PAIRS = 4**CODON, 4**PAIR
ROUNDS = 3  # of finding the coding stretches and learning from them
PRIOR = 20.0  # codons, spread as all are, that are added to the successors of each
STRONGEST = 2.0  # log odds of one codon
AROUND = np.r_[-6:0, 3:6]  # letters that matter, from the A of ATG
SURE = 200  # letters of a frame whose ATG is learnt from
NO_START = -1.0  # what a frame without ATG starts with


@dataclass(frozen=True)
class CodonUse:
    """How coding transcripts differ from others in and around their reading frames: log odds.

    Attributes:
        successor: ``(4096,)`` of a codon given the one before it, in coding stretches against everywhere in the others.
        start: ``(9, 4)`` of the letters around ATG (Kozak 1987, Nucleic Acids Res 15:8125).
        stretch: ``(4096,)`` of pairs of codons in the best stretches of both; those of the others are best by chance.
        frame: ``(4096,)`` the same in the best frames.
    """

    successor: Floats
    start: Floats
    stretch: Floats
    frame: Floats

    @classmethod
    def fit(cls, transcripts: Transcripts, coding: Flags, others: Flags) -> CodonUse:
        """Learn from some transcripts.

        The stretches that are coding are those that score highest by what was learnt so far, at first the longest
        frames.

        Args:
            transcripts: of both kinds.
            coding, others: ``(transcripts,)`` which are which; where there are none, nothing is learnt.
        """
        everywhere = _successors(counted(transcripts.pairs, transcripts.spans[others], PAIRS, 1))
        use = cls(np.zeros(PAIRS), np.zeros((len(AROUND), 4)), np.zeros(PAIRS), np.zeros(PAIRS))
        spans = transcripts.longest
        for _ in range(ROUNDS):
            inside = _successors(counted(transcripts.pairs, spans[coding], PAIRS, CODON))
            use = replace(use, successor=np.clip(inside - everywhere, -STRONGEST, STRONGEST))
            spans = use.stretches(transcripts)[1]
        use = replace(use, start=_around(transcripts, coding, others))
        frames = transcripts.spans_of(transcripts.best_frame(use.frame_scores(transcripts)))
        stretch, frame = (_contrast(transcripts, found, coding, others) for found in (spans, frames))
        return replace(use, stretch=stretch, frame=frame)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return what the log odds are called."""
        return tuple(field.name for field in fields(cls))

    def stretches(self, transcripts: Transcripts) -> tuple[Floats, Numbers]:
        """Return ``(transcripts, 3)`` scores of the best stretch of each phase, falling, and the best one's span.

        A stretch has no stop, and may begin and end anywhere.
        """
        sums, spans = stretches(transcripts.codons, transcripts.pairs, transcripts.starts, self.successor)
        return -np.sort(-sums, axis=1), spans[np.arange(len(sums)), sums.argmax(axis=1)]

    def frame_scores(self, transcripts: Transcripts) -> Floats:
        """Return ``(frames,)`` scores of all open reading frames: of codons, and of the letters around ATG."""
        frames = transcripts.frames
        starts = self.start_scores(transcripts, frames.row, frames.spans[:, 0])
        return codon_sums(transcripts, frames.spans, self.successor) + np.where(frames.begun, starts, NO_START)

    def start_scores(self, transcripts: Transcripts, rows: Numbers, starts: Numbers) -> Floats:
        """Return ``(starts,)`` scores of the letters around ATGs at *starts*, in the transcripts *rows*."""
        letters = _letters_around(transcripts, rows, starts)
        scores = self.start[np.arange(len(AROUND)), np.maximum(letters, 0)]
        return np.asarray(np.where(letters >= 0, scores, 0).sum(axis=1))


def codon_sums(transcripts: Transcripts, spans: Numbers, values: Floats) -> Floats:
    """Return ``(spans,)`` sums over the pairs of codons in spans, of ``(4096,)`` values."""
    return summed(transcripts.pairs, _but_last(spans), values, CODON)


def _but_last(spans: Numbers) -> Numbers:
    """Return spans without their last codon, which begins no pair."""
    return np.column_stack([spans[:, 0], np.maximum(spans[:, 1] - CODON, spans[:, 0])])


def _successors(counts: Floats) -> Floats:
    """Return ``(pairs,)`` log chances of the second codon given the first."""
    table = counts.reshape(CODONS, CODONS)
    every = (table.sum(axis=0) + 1) / (table.sum() + CODONS)
    return np.asarray(np.log((table + PRIOR * every) / (table.sum(axis=1, keepdims=True) + PRIOR)).ravel())


def _contrast(transcripts: Transcripts, spans: Numbers, coding: Flags, others: Flags) -> Floats:
    """Return ``(pairs,)`` log odds of pairs of codons in spans of coding transcripts and of others."""
    kinds = [counted(transcripts.pairs, _but_last(spans[flags]), PAIRS, CODON) + 1 for flags in (coding, others)]
    first, second = (np.log(counts / counts.sum()) for counts in kinds)
    return np.asarray(first - second)


def _around(transcripts: Transcripts, coding: Flags, others: Flags) -> Floats:
    """Return ``(places, 4)`` log odds of the letters around the ATG of long frames."""
    single = words(transcripts.letters, transcripts.starts, 1)
    everywhere = counted(single, transcripts.spans[others], 4, 1) + 1
    longest = transcripts.longest
    sure = np.flatnonzero(coding & (longest[:, 1] - longest[:, 0] >= SURE))
    letters = _letters_around(transcripts, sure, longest[sure, 0])
    counts = (letters[..., None] == np.arange(4)).sum(axis=0) + 1
    return np.asarray(np.log(counts / counts.sum(axis=1, keepdims=True) / (everywhere / everywhere.sum())))


def _letters_around(transcripts: Transcripts, rows: Numbers, starts: Numbers) -> Letters:
    """Return ``(starts, places)`` letters, -1 beyond the ends of transcripts."""
    places, (first, last) = starts[:, None] + AROUND, transcripts.spans[rows].T[..., None]
    inside = (places >= first) & (places < last)
    return np.where(inside, transcripts.letters[np.where(inside, places, 0)], np.int8(-1))
