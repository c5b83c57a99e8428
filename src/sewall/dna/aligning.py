"""Sequences that share words, aligned: the inner loops of `likeness`, compiled.

Words are spaced: letters under a 1 of the shape must agree, those under a 0 need not; at 80 % identity such words are
shared far more often than unbroken ones (Ma, Tromp & Li 2002, Bioinformatics 18:440). A shared word is extended without
gaps, and where that looks promising with gaps, both ways and within a band around its diagonal, until the score has
fallen too far (Altschul et al. 1997, Nucleic Acids Res 25:3389). Equal letters score 1; unequal ones cost 1, gaps 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sewall.compiling import compiled
from sewall.encode.dna import Numbers

Letters = NDArray[np.int8]
Words = NDArray[np.int32]

# The best of 1,500 random triples, by how often pairs of 45 and 64 letters share a word at 80 % identity. Words of
# fewer letters are their beginnings.
SHAPES = ("110001101101110000111", "11101101001000101111", "11000101111101111")

FIELDS = ("first", "second", "strand", "score", "matches", "columns", "covered", "shift")
_SCORE = 3

_MATCH_UNIT, _SCORE_UNIT = 1 << 20, 1 << 40  # of a number that is score, matches and columns at once
_MATCH, _MISMATCH, _GAP = _SCORE_UNIT + _MATCH_UNIT + 1, -_SCORE_UNIT + 1, -2 * _SCORE_UNIT + 1
_DROP, _GAPPED_DROP = 6, 12  # an extension ends so far below its best score
_BAND, _LETTERS_PER_BAND, _WIDEST = 4, 40, 50  # letters off the diagonal; one more per so many; at most
_LEAST_SHARE, _LEAST, _LETTERS_PER_LEAST, _MOST_LEAST = 0.3, 16, 100, 30  # see `_worth`
_LONGEST_PERIOD = 6
_NEAR_DIAGONAL = 8  # letters off a diagonal that has been tried
_MOST_TRIES, _ALIGNED = 30, 6  # looks at two sequences, of which an alignment counts for some more
_VAIN_PER_LEAST = 2  # so many alignments in vain, as between repeats, raise the score that is followed up by one
_NEVER = -(1 << 20)


class Strand(NamedTuple):
    """One strand of all sequences: ``(letters,)`` 0 to 3 or -1, and ``(shapes, letters)`` words that begin there."""

    letters: Letters
    words: Words


class Index(NamedTuple):
    """Where words were met: ``(shapes, words)`` the last place of each, ``(shapes, letters)`` that before a place."""

    latest: Words
    earlier: Words


class Met(NamedTuple):
    """Of every sequence: the last that was compared with it, how often they were compared, last where, in which row."""

    last: Numbers
    tries: Numbers
    diagonal: Numbers
    row: Numbers


class Rules(NamedTuple):
    """What is looked for.

    Attributes:
        identity, coverage: of an alignment: share of its columns; share of the shorter sequence.
        met: an earlier place of the same word is looked at, the latest first, so many times.
        kin: a sequence that has so many is compared no further.
    """

    identity: float
    coverage: float
    met: int
    kin: int


def words(letters: Letters, owner: Numbers, shape: str, weight: int) -> Words:
    """Return ``(letters,)`` the number of the spaced word that begins at each letter, -1 where there is none.

    Of a word that comes back within a few letters, as in AAAA or ACAC, the first is taken.

    Args:
        letters: ``(letters,)`` 0 to 3, -1 for ambiguous ones.
        owner: ``(letters,)`` the sequence of each.
        shape: which letters count, as 1 and 0.
        weight: how many letters count; of a longer shape, the beginning is used.

    >>> words(np.array([0, 1, 2, 3, 3], np.int8), np.array([0, 0, 0, 0, 1]), "101", 2).tolist()
    [2, 7, -1, -1, -1]
    """
    used = [place for place, sign in enumerate(shape) if sign == "1"][:weight]
    places = max(len(letters) - used[-1], 0)
    word, whole = np.zeros(places, np.int32), owner[:places] == owner[len(letters) - places :]
    for offset in used:
        letter = letters[offset : offset + places]
        word = 4 * word + letter
        whole &= letter >= 0
    found = np.full(len(letters), -1, np.int32)
    found[:places] = np.where(whole, word, -1)
    again = np.zeros(len(letters), bool)
    for period in range(1, _LONGEST_PERIOD + 1):
        again[period:] |= found[period:] == found[:-period]
    return np.where(again, np.int32(-1), found)


@compiled
def kin(strands: tuple[Strand, ...], starts: Numbers, weight: int, rules: Rules) -> Words:
    """Return ``(pairs, len(FIELDS))``: of each two sequences that are alike, the best alignment that was met.

    ``first`` is the later one, ``strand`` tells which of its strands is aligned, ``covered`` how many letters of the
    shorter one are, and ``shift`` where the other one's first letter comes to lie.

    Args:
        strands: the sequences as they stand, and the other strands where these are compared, too.
        starts: ``(sequences + 1,)`` where each begins.
        weight: letters of a word.
        rules: what is looked for.
    """
    here, number = strands[0], len(starts) - 1
    shapes, letters = here.words.shape
    index = Index(np.full((shapes, 4**weight), -1, np.int32), np.full((shapes, letters), -1, np.int32))
    owner = np.repeat(np.arange(number), np.diff(starts))
    met = Met(
        np.full(number, -1), np.zeros(number, np.int64), np.zeros((2, number), np.int64), np.zeros(number, np.int64)
    )
    found, size = np.empty((number * rules.kin, len(FIELDS)), np.int32), 0
    for b in range(number):
        tally = np.array([size, size + rules.kin, 0])  # alignments kept, and at most; those in vain
        for strand in range(len(strands)):
            for s in range(shapes):
                for p in range(starts[b], starts[b + 1]):
                    q = index.latest[s, strands[strand].words[s, p]] if strands[strand].words[s, p] >= 0 else -1
                    looked = 0
                    while q >= 0 and looked < rules.met and tally[0] < tally[1]:
                        _meet(strands, strand, starts, owner[q], q, b, p, met, found, tally, rules)
                        q, looked = index.earlier[s, q], looked + 1
        size = tally[0]
        _enter(index, here.words, starts[b], starts[b + 1])
    return found[:size]


@compiled
def _enter(index: Index, words: Words, begin: int, end: int) -> None:
    for s in range(len(words)):
        for p in range(begin, end):
            word = words[s, p]
            if word >= 0:
                index.earlier[s, p], index.latest[s, word] = index.latest[s, word], p


@compiled
def _meet(
    strands: tuple[Strand, ...], strand: int, starts: Numbers, a: int, q: int, b: int, p: int, met: Met,
    found: Words, tally: Numbers, rules: Rules,
) -> None:  # fmt: skip
    """Align two sequences through a word that they share at q and p, where that is worth it, and keep what is good."""
    if met.last[a] != b:
        met.last[a], met.tries[a], met.row[a] = b, 0, -1
        met.diagonal[:, a] = _NEVER
    shift = (q - starts[a]) - (p - starts[b])
    if met.tries[a] >= _MOST_TRIES or abs(met.diagonal[strand, a] - shift) <= _NEAR_DIAGONAL:
        return
    met.tries[a] += 1
    x, x_low, x_high, y, y_low, y_high = (
        strands[0].letters, starts[a], starts[a + 1], strands[strand].letters, starts[b], starts[b + 1]
    )  # fmt: skip
    shorter = min(x_high - x_low, y_high - y_low)
    if _straight(x, q, y, p, x_low, x_high, y_low, y_high) < _worth(shorter) + tally[2] // _VAIN_PER_LEAST:
        return
    band = min(_BAND + shorter // _LETTERS_PER_BAND, _WIDEST)
    met.tries[a] += _ALIGNED
    met.diagonal[strand, a] = shift
    right = _extended(x, q, x_high - q, y, p, y_high - p, 1, band)
    left = _extended(x, q - 1, q - x_low, y, p - 1, p - y_low, -1, band)
    score, matches, columns = right[0] + left[0], right[1] + left[1], right[2] + left[2]
    covered = right[3] + left[3] if shorter == x_high - x_low else right[4] + left[4]
    if matches < rules.identity * columns or covered < rules.coverage * shorter:
        tally[2] += met.row[a] < 0
        return
    if met.row[a] < 0:
        met.row[a] = tally[0]
        tally[0] += 1
    elif found[met.row[a], _SCORE] >= score:
        return
    found[met.row[a]] = np.array([b, a, strand, score, matches, columns, covered, shift], np.int32)


@compiled
def _worth(shorter: int) -> float:
    """Return the score without gaps that is followed up: a small one for short sequences, a large one for long ones."""
    return min(_LEAST_SHARE * shorter, _LEAST + shorter / _LETTERS_PER_LEAST, _MOST_LEAST)


@compiled
def _straight(x: Letters, q: int, y: Letters, p: int, x_low: int, x_high: int, y_low: int, y_high: int) -> int:
    """Return the score through two places that is best without gaps, both ways."""
    return _run(x, q, y, p, min(x_high - q, y_high - p), 1) + _run(x, q - 1, y, p - 1, min(q - x_low, p - y_low), -1)


@compiled
def _run(x: Letters, i: int, y: Letters, j: int, room: int, step: int) -> int:
    best, score = 0, 0
    for k in range(room):
        letter = x[i + step * k]
        score += 1 if letter >= 0 and letter == y[j + step * k] else -1
        best = max(best, score)
        if score < best - _DROP:
            break
    return best


@compiled
def _extended(
    x: Letters, i: int, x_room: int, y: Letters, j: int, y_room: int, step: int, band: int
) -> tuple[int, int, int, int, int]:
    """Return the best score from a place on, with gaps, and its matches, columns, letters of x and letters of y.

    Score, matches and columns are kept in one number, so that the best score brings the other two along.
    """
    cells = np.full(2 * band + 3, _NEVER * _SCORE_UNIT)
    for k in range(band + 1):
        cells[band + 1 + k] = k * _GAP
    best, best_m, best_n = 0, 0, 0
    for m in range(1, x_room + 1):
        letter, top = x[i + step * (m - 1)], cells[0]
        for d in range(max(0, band - m), min(2 * band, y_room - m + band) + 1):
            n = m + d - band  # letters of y; the cell is still that of one letter less of both
            equal = n > 0 and letter >= 0 and letter == y[j + step * (n - 1)]
            cell = max(cells[d + 1] + (_MATCH if equal else _MISMATCH), max(cells[d], cells[d + 2]) + _GAP)
            cells[d + 1] = cell
            top = max(top, cell)
            if cell > best:
                best, best_m, best_n = cell, m, n
        if top < best - _GAPPED_DROP * _SCORE_UNIT:
            break
    return best // _SCORE_UNIT, best // _MATCH_UNIT % _MATCH_UNIT, best % _MATCH_UNIT, best_m, best_n
