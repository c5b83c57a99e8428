"""Which sequences are copies of each other, which nearly so, and which share a good part by descent.

A copy that is in training and test makes a score worthless; so, a little less, does a near copy. Copies are found by
their letters, the others by words that they share (`aligning`). Sequences resemble each other by chance, too: an
alignment counts only where less than one in a hundred sets of so many unrelated sequences holds one as good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Sequences
from sewall.encode.dna import numbers, reverse_complement
from sewall.task import Rows

if TYPE_CHECKING:
    import pandas as pd

    from sewall.dna.aligning import Letters, Rules

EXACT, REVERSE, NEAR, SIMILAR, RELATIVE = "copy", "reverse complement", "near copy", "similar", "relative"
# The least identity, and over which share of the shorter sequence; the closest kind first.
KINDS: dict[str, tuple[float, float]] = {NEAR: (0.95, 0.9), SIMILAR: (0.8, 0.9), RELATIVE: (0.8, 0.5)}

MOST_KIN = 20  # earlier sequences that one is found akin to; a family larger than this is still held together by them
_MOST_MET = 50
SHORTEST = 21  # letters that the longest word spans
_BY_CHANCE = 0.01  # pairs expected in the whole set
# Letters of a word: so few that at 80 % identity one is shared for certain by sequences this long, and so many that
# sequences without kinship share few.
_WEIGHTS = {8: 0, 9: 50, 10: 60, 11: 100, 12: 200}
_MOST_SHARED = 2e7  # by chance, of one shape


@dataclass(frozen=True)
class Kinship:
    """Copies and kin within a set of sequences.

    Attributes:
        same: ``(sequences,)`` the first sequence with the same letters; its own number where it is the first.
        either: ``(sequences,)`` the same, where the other strand counts as the same molecule.
        pairs: a row for each two originals that are akin: ``first``, ``second`` (rows), ``kind`` (of `KINDS`),
            ``strand`` (``+``, or ``-`` where one is aligned with the other strand of the other), ``identity``,
            ``coverage`` (of the shorter), ``shift`` in letters. The closest are first.
        stranded: whether strands are told apart.
    """

    same: Rows
    either: Rows
    pairs: pd.DataFrame
    stranded: bool

    @property
    def original(self) -> Rows:
        """``(sequences,)`` the first copy of each, by the letters, or on either strand where that is no matter."""
        return self.same if self.stranded else self.either

    def among(self, *kinds: str) -> pd.DataFrame:
        """Return the pairs of some kinds."""
        return self.pairs[self.pairs["kind"].isin(kinds)]


def kinship(sequences: Sequences, *, stranded: bool = False, seed: int = 0) -> Kinship:
    """Find copies, near copies and relatives.

    Pairs of 80 % identity and more are found nearly always from 60 letters on, and nine times in ten at 41. Of a large
    family not every pair is named (`MOST_KIN`), but all are connected.

    Args:
        sequences: to be compared with each other.
        stranded: tells strands apart; else a sequence and its reverse complement are the same molecule.
        seed: of the order in which they are compared.

    >>> from sewall.data.sequences import packed
    >>> found = kinship(packed(["a", "b", "c"], ["ACGGT", "ACCGT", "ACGGT"]))
    >>> found.same.tolist(), found.either.tolist()
    ([0, 1, 0], [0, 0, 0])
    """
    same, either = first_copies(sequences)
    originals = np.flatnonzero((same if stranded else either) == np.arange(len(sequences)))
    order = np.random.default_rng(seed).permutation(originals)
    return Kinship(same, either, _kin(sequences.take(order), order, stranded), stranded)


def first_copies(sequences: Sequences) -> tuple[Rows, Rows]:
    """Return the first sequence with the letters of each, and with those of either strand."""
    ahead, turned, starts = sequences.codes.tobytes(), reverse_complement(sequences.codes).tobytes(), sequences.starts
    end, same, either = len(ahead), np.arange(len(sequences)), np.arange(len(sequences))
    by_letters: dict[bytes, int] = {}
    by_molecule: dict[bytes, int] = {}
    for row, (low, high) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
        own = ahead[low:high]
        same[row] = by_letters.setdefault(own, row)
        either[row] = by_molecule.setdefault(min(own, turned[end - high : end - low]), row)
    return same, either


def _kin(sequences: Sequences, rows: Rows, stranded: bool) -> pd.DataFrame:
    """Return pairs of different sequences, in the numbers of *rows*."""
    import pandas as pd

    from sewall.dna import aligning

    identity, coverage = KINDS[RELATIVE]
    rules = aligning.Rules(identity, coverage, _MOST_MET, MOST_KIN)
    letters = numbers(sequences.codes)
    found = pd.DataFrame(_aligned(sequences, letters, stranded, rules), columns=list(aligning.FIELDS))
    lengths = sequences.lengths
    shorter = np.minimum(lengths[found["first"]], lengths[found["second"]])
    longer = np.maximum(lengths[found["first"]], lengths[found["second"]])
    found["identity"], found["coverage"] = found["matches"] / found["columns"], found["covered"] / shorter
    places = (shorter - found["covered"] + 1) * (longer - found["covered"] + 1)
    chances = len(rows) * (len(rows) - 1) / 2 * (1 if stranded else 2) * places
    found = found[np.log(chances) - _per_score(letters) * found["score"] <= np.log(_BY_CHANCE)]
    ends = np.sort(rows[found[["first", "second"]].to_numpy()], axis=1)
    found = found.assign(
        first=ends[:, 0], second=ends[:, 1], kind=_kinds(found), strand=found["strand"].map({0: "+", 1: "-"})
    )
    found = found.sort_values(["score", "first", "second"], ascending=[False, True, True], ignore_index=True)
    return found[["first", "second", "kind", "strand", "identity", "coverage", "shift"]]


def _aligned(sequences: Sequences, letters: Letters, stranded: bool, rules: Rules) -> NDArray[Any]:
    from sewall.dna import aligning

    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    strands = [letters]
    if not stranded:
        turned = (sequences.starts[:-1] + sequences.starts[1:] - 1)[owner] - np.arange(len(owner))
        strands.append(np.where(letters >= 0, 3 - letters, -1).astype(np.int8)[turned])
    weight = _weight(letters, float(np.median(sequences.lengths)) if len(sequences) else 0.0, len(strands))
    both = tuple(
        aligning.Strand(own, np.stack([aligning.words(own, owner, shape, weight) for shape in aligning.SHAPES]))
        for own in strands
    )
    return aligning.kin(both, sequences.starts, weight, rules)


def _weight(letters: Letters, length: float, strands: int) -> int:
    """Return how many letters words should have: the more, the longer a sequence and all of them together."""
    by_length = max(weight for weight, least in _WEIGHTS.items() if length >= least)
    shared = strands * len(letters) ** 2 / 2
    few = [weight for weight in _WEIGHTS if shared * _agreement(letters) ** weight <= _MOST_SHARED]
    return max(by_length, min(few, default=max(_WEIGHTS)))


def _agreement(letters: Letters) -> float:
    """Return how often two letters agree by chance."""
    shares = np.bincount(letters[letters >= 0], minlength=4) / max((letters >= 0).sum(), 1)
    return float((shares**2).sum())


def _per_score(letters: Letters) -> float:
    """Return by how much a point of the score lowers the log of the chance to meet it (Karlin & Altschul 1990)."""
    agreement = np.clip(_agreement(letters), 0.25, 0.49)
    return float(np.log((1 - agreement) / agreement))


def _kinds(found: pd.DataFrame) -> list[str]:
    """Return the closest kind that each alignment is good enough for."""
    good = [(found["identity"] >= identity) & (found["coverage"] >= over) for identity, over in KINDS.values()]
    return [list(KINDS)[k] for k in np.argmax(good, axis=0)] if len(found) else []
