"""Stretches of a track that are higher than chance would have them, and than they are in shuffled sequences.

How likely a sum over some letters is, if letters were independent, follows from the histogram of all letters. A stretch
counts where every shorter one inside it counts too, so that it does not reach beyond what is high, as the recursive
seqlets of tangermeme. These chances rank stretches; how many are false is told by shuffled sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]

LONGEST = 25  # letters of a stretch
SHORTEST = 4
BINS = 400
THRESHOLDS = tuple(np.arange(2.0, 16.1, 0.5).tolist())  # -log10 of the chance, from the laxest


@dataclass(frozen=True)
class Null:
    """How likely sums are by chance.

    Attributes:
        low, step: of the bins.
        scores: by number of letters, ``(sums of bins,)`` -log10 of the chance of such a sum or a higher one.
    """

    low: float
    step: float
    scores: dict[int, Scores]

    @classmethod
    def of(cls, values: Floats) -> Null:
        """Return the null of a track; all values must not be equal."""
        low, high = float(values.min()), float(values.max())
        shares = np.histogram(values, BINS, (low, high))[0] / len(values)
        total, scores = np.ones(1), {}
        for number in range(1, LONGEST + 1):
            total = np.convolve(total, shares)
            tail = np.cumsum(total[::-1])[::-1]
            scores[number] = -np.log10(np.clip(tail, 1e-300, 1)).astype(np.float32)
        return cls(low, (high - low) / BINS, scores)

    def sums(self, values: Floats) -> NDArray[np.int64]:
        """Return ``(values + 1,)`` the running sum of the bins that values fall into."""
        bins = np.clip(((values - self.low) / self.step).astype(np.int64), 0, BINS - 1)
        return np.concatenate([[0], np.cumsum(bins)])


@dataclass(frozen=True)
class Ranked:
    """All stretches of some joined tracks.

    Attributes:
        owner: ``(letters,)`` which track a letter is of.
        scores: ``(lengths, letters)`` of the stretch that begins at a letter.
        lowest: the same, or that of the lowest stretch inside it.
    """

    owner: NDArray[np.int64]
    scores: Scores
    lowest: Scores

    @classmethod
    def of(cls, tracks: Sequence[Floats], null: Null) -> Ranked:
        """Rank all stretches; those across the end of a track have the score 0."""
        owner = np.repeat(np.arange(len(tracks)), [len(track) for track in tracks])
        sums = null.sums(np.concatenate(tracks))
        scores = np.zeros((LONGEST - SHORTEST + 1, len(owner)), np.float32)
        lowest = np.zeros_like(scores)
        for k, length in enumerate(range(SHORTEST, LONGEST + 1)):
            places = max(len(owner) - length + 1, 0)
            whole = owner[:places] == owner[length - 1 :]
            scores[k, :places] = np.where(whole, null.scores[length][sums[length:] - sums[:places]], 0)
            lowest[k] = scores[k]
            if k:
                inner = np.minimum(lowest[k - 1, :places], lowest[k - 1, 1 : places + 1])
                lowest[k, :places] = np.minimum(scores[k, :places], inner)
        return cls(owner, scores, lowest)

    def regions(self, threshold: float) -> int:
        """Return how many regions the stretches above a threshold cover."""
        edges = np.zeros(len(self.owner) + 1, np.int64)
        for k, length in enumerate(range(SHORTEST, LONGEST + 1)):
            begins = np.flatnonzero(self.lowest[k] >= threshold)
            edges[begins] += 1
            edges[begins + length] -= 1
        covered = np.cumsum(edges[:-1]) > 0
        same = np.concatenate([[False], covered[:-1] & (self.owner[1:] == self.owner[:-1])])
        return int((covered & ~same).sum())

    def best(self, threshold: float) -> list[tuple[int, int, float]]:
        """Return stretches above a threshold that do not overlap, ``(first letter, length, score)``, the best first."""
        lengths, begins = np.nonzero(self.lowest >= threshold)
        scores = self.scores[lengths, begins]
        taken, found = np.zeros(len(self.owner), bool), []
        for place in np.argsort(-scores, kind="stable").tolist():
            first, length = int(begins[place]), int(lengths[place]) + SHORTEST
            if not taken[first : first + length].any():
                taken[first : first + length] = True
                found.append((first, length, float(scores[place])))
        return found


def stretches(
    tracks: Sequence[Floats], control: Sequence[Floats], most_false: float
) -> list[tuple[int, int, int, float]]:
    """Return the stretches that are high, ``(track, start, end, -log10 chance)``, the best first.

    The laxest threshold is taken above which regions of the control, by the letter, and one more, are at most this
    share of the regions found.

    Args:
        tracks: ``(letters,)`` each.
        control: tracks in which nothing is to be found, of any number and lengths.
        most_false: that share.
    """
    values = np.concatenate(tracks)
    if not len(values) or np.ptp(values) == 0:
        return []
    null = Null.of(values)
    own, other = Ranked.of(tracks, null), Ranked.of(control, null)
    scale = len(own.owner) / max(len(other.owner), 1)
    for threshold in THRESHOLDS:
        found = own.regions(threshold)
        if not found:
            break
        if (other.regions(threshold) + 1) * scale <= most_false * found:
            starts = np.concatenate([[0], np.cumsum([len(track) for track in tracks])])
            rows = [(int(own.owner[first]), first, length, score) for first, length, score in own.best(threshold)]
            return [(row, first - int(starts[row]), first - int(starts[row]) + n, s) for row, first, n, s in rows]
    return []
