"""Small changes of sequences that should not turn an answer.

A window that lies a little to the side, a few letters read wrongly, a few not read at all. What is drawn for a sequence
hangs on its letters and the seed alone, so that it is the same in any company.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from sewall.data.sequences import Codes, Sequences
from sewall.dna.windows import ANY
from sewall.encode.dna import numbers, reverse_complement
from sewall.task import Rows

FARTHEST = 3  # letters by which a window is moved, and never more than a tenth of it
SUBSTITUTED, UNKNOWN = 0.01, 0.05  # shares of the letters, one at least


@dataclass(frozen=True)
class Change:
    """A kind of change.

    Attributes:
        key, name: of the kind.
        made: from ``(letters,)`` codes and a source of chance to other codes.
        moves: whether letters change their places.
        lower: whether all is written in lower case.
    """

    key: str
    name: str
    made: Callable[[Codes, np.random.Generator], Codes]
    moves: bool = False
    lower: bool = False

    def of(self, sequences: Sequences, rows: Rows, seed: int) -> Sequences:
        """Return *rows* of the sequences, changed, named by change and row."""
        codes = [self._made(sequences.codes_of(row), seed) for row in rows]
        starts = np.concatenate([[0], np.cumsum([len(own) for own in codes])]).astype(np.int64)
        letters = np.concatenate([np.zeros(0, np.uint8), *codes])
        lower = np.ones(len(rows)) if self.lower else sequences.lower[rows]
        return Sequences(tuple(f"{self.key} {row}" for row in rows), letters, starts, lower)

    def _made(self, codes: Codes, seed: int) -> Codes:
        return self.made(codes, np.random.default_rng([seed, crc32(codes.tobytes()), crc32(self.key.encode())]))


def moved(codes: Codes, rng: np.random.Generator) -> Codes:
    """Return a window that lies 1 to 3 letters to either side, as far as its letters are known: less those at one end.

    >>> len(moved(np.ones(40, np.uint8), np.random.default_rng(1))) in (37, 38, 39)
    True
    """
    step = min(int(rng.integers(1, FARTHEST + 1)), len(codes) // 10)
    return codes[step:] if rng.random() < 0.5 else codes[: len(codes) - step]


def substituted(codes: Codes, rng: np.random.Generator) -> Codes:
    """Return the letters with 1 % of them, drawn evenly, replaced by one of the other three; ambiguous ones stay.

    >>> bool((substituted(np.ones(300, np.uint8), np.random.default_rng(1)) != 1).sum() == 3)
    True
    """
    places, found = _drawn(codes, SUBSTITUTED, rng), codes.copy()
    plain = places[numbers(codes[places]) >= 0]
    found[plain] = 1 << (numbers(codes[plain]) + rng.integers(1, 4, len(plain))) % 4
    return found


def unread(codes: Codes, rng: np.random.Generator) -> Codes:
    """Return the letters with 5 % of them, drawn evenly, unknown (N)."""
    found = codes.copy()
    found[_drawn(codes, UNKNOWN, rng)] = ANY
    return found


def _drawn(codes: Codes, share: float, rng: np.random.Generator) -> Rows:
    return rng.choice(len(codes), max(1, round(share * len(codes))), replace=False)


CHANGES = (
    Change("shift", f"window moved by 1 to {FARTHEST} letters", moved, moves=True),
    Change("substitution", f"{100 * SUBSTITUTED:g} % of the letters changed", substituted),
    Change("unknown", f"{100 * UNKNOWN:g} % of the letters unknown", unread),
)
LOWER_CASE = Change("case", "written in lower case", lambda codes, _: codes, lower=True)
OTHER_STRAND = Change("strand", "read from the other strand", lambda codes, _: reverse_complement(codes), moves=True)
