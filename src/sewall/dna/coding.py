"""What tells a transcript that encodes a protein: its open reading frame, and how bases fall into step with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from sewall.data.sequences import Codes, Sequences
from sewall.encode.dna import kmers

Floats = NDArray[np.float64]

CODON, PAIR = 3, 6
START, STOPS = 14, (48, 50, 56)  # ATG; TAA, TAG, TGA
NAMES = (
    "log length of the reading frame", "share of the transcript in it", "log length of the transcript",
    *(f"{base}: unevenness over the positions of a codon" for base in "ACGT"), *(f"share of {base}" for base in "ACGT"),
)  # fmt: skip


def longest_frame(codes: Codes) -> tuple[int, int]:
    """Return where the longest open reading frame begins and ends: ATG to a stop, or to the end of the transcript.

    On the strand as given. Without any, both are 0; the stop is part of the frame.

    >>> from sewall.data.sequences import packed
    >>> longest_frame(packed(["a"], ["CCATGAAATAGC"]).codes)
    (2, 11)
    """
    words = kmers(codes, CODON)
    best = (0, 0)
    for phase in range(CODON):
        own = words[phase::CODON]
        starts, stops = np.flatnonzero(own == START), np.flatnonzero(np.isin(own, STOPS))
        if not len(starts):
            continue
        after = np.searchsorted(stops, starts)
        ends = np.append(stops + 1, len(own))[after]
        longest = int(np.argmax(ends - starts))
        found = phase + CODON * int(starts[longest]), phase + CODON * int(ends[longest])
        best = max(best, found, key=lambda frame: frame[1] - frame[0])
    return best


def coding_numbers(sequences: Sequences) -> csr_matrix:
    """Return ``(sequences, columns)``: the numbers of `NAMES`, and the roots of the shares of codon pairs in the frame.

    The numbers are those of CPAT (Wang et al. 2013, Nucleic Acids Res 41:e74): size and coverage of the reading frame,
    the position and content parameters of Fickett (1982, Nucleic Acids Res 10:5303), and the use of hexamers, whose
    weights are left to the regression.
    """
    frames = [longest_frame(sequences.codes_of(row)) for row in range(len(sequences))]
    numbers = np.array([_numbers(sequences.codes_of(row), frame) for row, frame in enumerate(frames)])
    return hstack([csr_matrix(numbers), _pairs(sequences, frames)], format="csr")


def _numbers(codes: Codes, frame: tuple[int, int]) -> list[float]:
    length = frame[1] - frame[0]
    size = [np.log(length + 30) - 6, length / len(codes), np.log(len(codes)) - 7]
    bases = 1 << np.arange(4)
    whole = codes[: len(codes) // CODON * CODON].reshape(-1, CODON)
    by_position = (whole[..., None] == bases).sum(axis=0)  # (positions, bases)
    uneven = by_position.max(axis=0) / (by_position.min(axis=0) + 1)
    return [*size, *(np.log(np.maximum(uneven, 0.5))), *((codes[:, None] == bases).mean(axis=0) - 0.25)]


def _pairs(sequences: Sequences, frames: list[tuple[int, int]]) -> csr_matrix:
    rows, columns, values = [], [], []
    for row, (start, end) in enumerate(frames):
        found = kmers(sequences.codes_of(row)[start:end], PAIR)[::CODON]
        pairs, counts = np.unique(found[found >= 0], return_counts=True)
        rows.append(np.full(len(pairs), row))
        columns.append(pairs)
        values.append(np.sqrt(counts / max(counts.sum(), 1)))
    shape = (len(frames), 4**PAIR)
    return csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
