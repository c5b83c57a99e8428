"""Sequences of DNA or RNA as they are read: letters packed one after the other, with what is known of each.

A letter is a set of bases, one bit for each (A 1, C 2, G 4, T 8), so that ambiguous letters of IUPAC need no exception:
R is A or G, 5; N is 15. Case is kept apart, because lower case marks repeats and must not change an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sewall.errors import SewallError
from sewall.task import Rows

Codes = NDArray[np.uint8]
Floats = NDArray[np.float64]

BASES = "ACGT"
PADDING = 0
MAY_BE = {
    "A": "A", "C": "C", "G": "G", "T": "T", "U": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip
_MASKS = {letter: sum(1 << BASES.index(base) for base in bases) for letter, bases in MAY_BE.items()}
_LETTER_OF = {mask: letter for letter, mask in _MASKS.items() if letter != "U"}
_PROTEIN = set("EFILPQZ*")  # letters of proteins that no nucleic acid has

_CODE_OF = np.zeros(256, np.uint8)
for _letter, _mask in _MASKS.items():
    _CODE_OF[[ord(_letter), ord(_letter.lower())]] = _mask
_TEXT_OF = np.frombuffer("".join(_LETTER_OF.get(mask, "-") for mask in range(16)).encode(), np.uint8)


@dataclass(frozen=True)
class Sequences:
    """Many sequences, of equal length or not.

    Attributes:
        ids: names, none twice.
        codes: ``(letters,)`` sets of bases of all sequences, one after the other.
        starts: ``(sequences + 1,)`` where each begins, and where the last ends.
        lower: ``(sequences,)`` share of letters in lower case.
    """

    ids: tuple[str, ...]
    codes: Codes
    starts: NDArray[np.int64]
    lower: Floats = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """``(sequences,)`` number of letters."""
        return np.diff(self.starts)

    def codes_of(self, row: int) -> Codes:
        """Return the ``(letters,)`` of one sequence."""
        return self.codes[self.starts[row] : self.starts[row + 1]]

    def text(self, row: int) -> str:
        """Return one sequence in capital letters.

        >>> packed(["a"], ["gattacaN"]).text(0)
        'GATTACAN'
        """
        return letters(self.codes_of(row))

    def padded(self, rows: Rows, length: int | None = None) -> Codes:
        """Return ``(rows, length)`` codes, padded with 0 on the right, to the longest of them by default.

        >>> packed(["a", "b"], ["AC", "GTT"]).padded(np.array([0, 1])).tolist()
        [[1, 2, 0], [4, 8, 8]]
        """
        sizes = self.lengths[rows]
        width = int(sizes.max(initial=0)) if length is None else length
        place = np.arange(width)
        inside = place < sizes[:, None]
        where = np.minimum(self.starts[rows, None] + place, max(len(self.codes) - 1, 0))
        return np.where(inside, self.codes[where], PADDING).astype(np.uint8)

    def take(self, rows: Rows) -> Sequences:
        """Return some of the sequences, in the order of *rows*."""
        parts = [self.codes_of(row) for row in rows]
        codes = np.concatenate(parts) if parts else np.zeros(0, np.uint8)
        starts = np.concatenate([[0], np.cumsum(self.lengths[rows])]).astype(np.int64)
        return Sequences(tuple(self.ids[row] for row in rows), codes, starts, self.lower[rows])

    def named(self, ids: Iterable[str]) -> Sequences:
        """Return the same sequences under other names."""
        return replace(self, ids=tuple(ids))


def packed(ids: Sequence[str], texts: Sequence[str]) -> Sequences:
    """Return sequences given as text, in either case; U is read as T.

    Raises:
        SewallError: a letter that is none of IUPAC's for nucleic acids; a sequence without letters; a name twice.

    >>> packed(["a"], ["acgu"]).codes.tolist()
    [1, 2, 4, 8]
    """
    raw = np.frombuffer("".join(texts).encode("ascii", "replace"), np.uint8)
    codes = _CODE_OF[raw]
    starts = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    _check(ids, texts, codes, starts)
    lower = np.concatenate([[0], np.cumsum((raw >= ord("a")) & (raw <= ord("z")))])
    shares = np.diff(lower[starts]) / np.maximum(np.diff(starts), 1)
    return Sequences(tuple(ids), codes, starts, shares)


def _check(ids: Sequence[str], texts: Sequence[str], codes: Codes, starts: NDArray[np.int64]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise SewallError(f"the name {name} is given to more than one sequence; names must differ")
        seen.add(name)
    for name, text in zip(ids, texts, strict=True):
        if not text:
            raise SewallError(f"the sequence {name} has no letters; remove it")
    wrong = np.flatnonzero(codes == PADDING)
    if len(wrong):
        row = int(np.searchsorted(starts, wrong[0], side="right") - 1)
        raise SewallError(_not_dna(ids[row], texts[row], int(wrong[0] - starts[row])))


def _not_dna(name: str, text: str, place: int) -> str:
    where = f"the sequence {name} has the letter {text[place]!r} at position {place + 1}"
    if _PROTEIN & set(text.upper()):
        return f"{where}: this is a protein; give DNA or RNA"
    if text[place] in "-.~":
        return f"{where}: it is aligned; remove the gaps"
    return f"{where}, which is no letter of DNA or RNA (IUPAC); mend it, or write N"


def letters(codes: Codes) -> str:
    """Return ``(letters,)`` codes as text; padding is ``-``."""
    return _TEXT_OF[codes].tobytes().decode()


def joined(parts: Sequence[Sequences]) -> Sequences:
    """Return several sets of sequences as one.

    Raises:
        SewallError: a name stands in two of them.
    """
    ids = [name for part in parts for name in part.ids]
    if len(set(ids)) < len(ids):
        twice = next(name for k, name in enumerate(ids) if name in set(ids[:k]))
        raise SewallError(f"the name {twice} is given to more than one sequence; names must differ between files too")
    starts = np.concatenate([[0], np.cumsum(np.concatenate([part.lengths for part in parts]))]).astype(np.int64)
    codes = np.concatenate([part.codes for part in parts])
    return Sequences(tuple(ids), codes, starts, np.concatenate([part.lower for part in parts]))
