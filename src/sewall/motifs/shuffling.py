"""Sequences with their letters in another order, and every pair of neighbours as often as before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Codes, Sequences
from sewall.task import Rows


@dataclass(frozen=True)
class Shuffled:
    """Dinucleotide shuffles.

    Attributes:
        copies: of each sequence ``(copies, letters)``.
        fixed: rows of the sequences that have no other order of the same pairs, or none that was met: their copies are
            the sequence itself.
    """

    copies: list[Codes]
    fixed: Rows


def dinucleotide_shuffles(sequences: Sequences, copies: int, seed: int) -> Shuffled:
    """Shuffle each sequence so that all pairs of neighbours, the first and the last letter stay (Altschul & Erickson).

    An ambiguous letter is one of its own and is moved like the others. What is drawn for a sequence depends on the seed
    and its row alone. Altschul & Erickson 1985, Mol Biol Evol 2:526.

    Args:
        sequences: of any lengths.
        copies: shuffles of each.
        seed: of what is drawn.

    >>> from sewall.data.sequences import letters, packed
    >>> found = dinucleotide_shuffles(packed(["a", "b"], ["ACAATATCCTA", "AAAA"]), 2, seed=5)
    >>> [letters(copy) for copy in found.copies[0]], found.fixed
    (['AATACATCCTA', 'AACCATCTATA'], array([1]))
    """
    found: list[Codes] = [np.zeros((copies, 0), np.uint8)] * len(sequences)
    for length in np.unique(sequences.lengths):
        rows = np.flatnonzero(sequences.lengths == length)
        for row, shuffles in zip(rows, _of_one_length(sequences.padded(rows), rows, copies, seed), strict=True):
            found[row] = shuffles
    fixed = [row for row, shuffles in enumerate(found) if (shuffles == sequences.codes_of(row)).all()]
    return Shuffled(found, np.array(fixed, np.intp))


def _of_one_length(codes: Codes, rows: Rows, copies: int, seed: int) -> NDArray[np.uint8]:
    """Return ``(rows, copies, letters)`` shuffles of ``(rows, letters)``."""
    import torch
    from tangermeme.ersatz import dinucleotide_shuffle

    alphabet = np.unique(codes)
    states = [np.random.SeedSequence([seed, row]).generate_state(copies) for row in rows.tolist()]
    letters = torch.from_numpy(codes[:, None] == alphabet[:, None]).to(torch.int8).repeat_interleave(copies, 0)
    # One at a time: where several are asked for, a sequence that has one order only is refused.
    shuffled = dinucleotide_shuffle(letters, n=1, random_state=np.concatenate(states).tolist())
    return np.asarray(alphabet[shuffled[:, 0].argmax(dim=1).numpy()]).reshape(len(rows), copies, -1)


def drawn(sequences: Sequences, seed: int) -> tuple[Sequences, int]:
    """Return the sequences with one of its bases, drawn at random, for every ambiguous letter, and how many there were.

    >>> from sewall.data.sequences import packed
    >>> some, ambiguous = drawn(packed(["a"], ["ACNGR"]), seed=1)
    >>> some.text(0)[:2] + some.text(0)[3], some.text(0)[4] in "AG", ambiguous
    ('ACG', True, 2)
    """
    from dataclasses import replace

    codes = sequences.codes.copy()
    places = np.flatnonzero(~np.isin(codes, (1, 2, 4, 8)))
    held = codes[places, None] >> np.arange(4) & 1
    lots = np.random.default_rng(seed).random((len(places), 4))
    codes[places] = 1 << (lots * held).argmax(axis=1)
    return replace(sequences, codes=codes), len(places)
