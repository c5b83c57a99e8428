"""Learning curves: how scores grow with the number of training examples, and whether more would help.

Models are fitted to nested parts of the same training examples and judged on the same held-out ones. Their errors fall
as a power of the number (Cortes et al. 1994; Hestness et al. 2017), which says what twice as many would bring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from sewall.trust.compare import Estimate

Rows = NDArray[np.intp]
Floats = NDArray[np.float64]

PARTS = (2, 4, 8, 16)  # of how many parts of the training examples a model is given one
FEWEST = 40  # examples to which models are fitted
FEWEST_OF_A_CLASS = 5
NO_GAIN, SOME_GAIN = 0.005, 0.01  # of the score, from half to all and from all to twice as many
SMALL_SAMPLE, VAGUE = 1_000, 0.03  # examples, and the half-width of the score, from which on a sample is large enough
SATURATED, MORE, TOO_FEW, UNDECIDED = "saturated", "more_data_would_help", "too_few", "undecided"
_STEEPEST, _FLATTEST = 2.0, 0.1  # exponents


def nested_parts(labels: NDArray, groups: NDArray | None, seed: int) -> dict[int, Rows]:
    """Return a half, a quarter, an eighth and a sixteenth of some examples, by 2, 4, 8, 16; each is in the one before.

    Groups come whole, so that numbers are those asked for to within a group; classes are as frequent in the parts as
    in all. Parts that are too small to learn from are left out.

    Args:
        labels: ``(examples,)`` numbers of the classes; the same for all where there are none.
        groups: ``(examples,)`` what comes together, or None where every example is its own group.
        seed: of the order in which groups enter.

    >>> parts = nested_parts(np.arange(400) % 2, None, seed=1)
    >>> {share: len(part) for share, part in parts.items()}, bool(np.isin(parts[8], parts[4]).all())
    ({2: 200, 4: 100, 8: 50}, True)
    """
    rows = np.arange(len(labels))
    _, first, member = np.unique(rows if groups is None else groups, return_index=True, return_inverse=True)
    order = np.argsort(_turns(labels[first], seed), kind="stable")
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    upto = np.cumsum(np.bincount(place[member]))
    parts = {share: np.flatnonzero(upto[place[member]] <= -(-len(rows) // share)) for share in PARTS}
    return {share: part for share, part in parts.items() if _learnable(labels, part)}


def _turns(labels: NDArray, seed: int) -> Floats:
    """Return when each group enters: by chance, and every class evenly from the first to the last."""
    chance = np.random.default_rng(seed).random(len(labels))
    turns = np.empty(len(labels))
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        turns[mine[np.argsort(chance[mine])]] = (np.arange(len(mine)) + 0.5) / len(mine)
    return turns


def _learnable(labels: NDArray, part: Rows) -> bool:
    counts = [int((labels[part] == label).sum()) for label in np.unique(labels)]
    return len(part) >= FEWEST and min(counts) >= FEWEST_OF_A_CLASS


@dataclass(frozen=True)
class PowerLaw:
    """Error after *n* examples: ``floor + left × (n / most) ** -power``.

    Attributes:
        floor: what no number of examples takes away.
        left: what all examples that there are leave above it.
        power: how fast it falls.
        most: how many there are.
    """

    floor: float
    left: float
    power: float
    most: int

    @classmethod
    def fit(cls, numbers: Sequence[int], errors: Sequence[float]) -> PowerLaw | None:
        """Return the curve of least squares, or None where fewer than four numbers leave it open.

        Args:
            numbers: of examples, the last the largest.
            errors: 1 minus the score.

        >>> law = PowerLaw.fit([100, 200, 400, 800], [0.1 + 2 / n**0.5 for n in (100, 200, 400, 800)])
        >>> round(law.floor, 3), round(law.power, 3), round(law.gain(), 4)
        (0.1, 0.5, 0.0207)
        """
        known = np.isfinite(errors)
        share, error = np.asarray(numbers, float)[known] / numbers[-1], np.asarray(errors, float)[known]
        if len(np.unique(share)) < 4:
            return None
        low, high = np.array([0.0, 0.0, _FLATTEST]), np.array([1.0, 1.0, _STEEPEST])
        last = float(np.clip(error[-1], 0.01, 0.99))
        start = [np.array([0.8 * last, 0.2 * last, power]) for power in (0.2, 0.5, 1.0)]
        found = [least_squares(lambda w: w[0] + w[1] * share ** -w[2] - error, s, bounds=(low, high)) for s in start]
        floor, left, power = min(found, key=lambda one: float(one.cost)).x
        return cls(float(floor), float(left), float(power), int(numbers[-1]))

    def error(self, number: float) -> float:
        """Return the error after *number* examples."""
        return self.floor + self.left * (number / self.most) ** -self.power

    def gain(self) -> float:
        """Return by how much the score would grow with twice as many examples as there are."""
        return self.error(self.most) - self.error(2 * self.most)


def overtaken_at(numbers: Sequence[int], first: Sequence[float], second: Sequence[float]) -> int | None:
    """Return the number of examples from which on *second* scores at least as well as *first*, or None.

    Between two numbers, scores are taken to follow the logarithm of the number.

    >>> overtaken_at([100, 200, 400], [0.8, 0.85, 0.87], [0.6, 0.80, 0.92])
    283
    """
    ahead = np.asarray(second) - np.asarray(first)
    behind = np.flatnonzero(~(ahead >= 0))
    if len(behind) == 0:
        return int(numbers[0])
    last = behind[-1]
    if last == len(ahead) - 1:
        return None
    if not np.isfinite(ahead[last]):
        return int(numbers[last + 1])
    share = -ahead[last] / (ahead[last + 1] - ahead[last])
    return round(float(np.exp((1 - share) * np.log(numbers[last]) + share * np.log(numbers[last + 1]))))


def too_few(number: int, best: Estimate, plain: Estimate) -> bool:
    """Return whether examples are too few for any model to show what it can do.

    They are fewer than a thousand and the score of the best model is open by more than 0.03 each way, or its interval
    overlaps that of the *plain* model that it should leave behind.
    """
    vague = number < SMALL_SAMPLE and (best.upper - best.lower) / 2 > VAGUE
    return vague or best.lower <= plain.upper


def word_of(few: bool, from_half: Estimate | None, doubled: float | None) -> str:
    """Return what a curve says of the number of examples, in one of four fixed words.

    Args:
        few: from `too_few`; then nothing else is said.
        from_half: what the second half of the examples brought, paired on the held-out ones.
        doubled: what twice as many would bring, from the whole curve.

    Returns:
        ``more_data_would_help`` where doubling brings more than 0.01; ``saturated`` where it does not, and the second
        half brought less than 0.005 with an interval that holds 0; ``too_few``; or ``undecided``.

    >>> word_of(False, Estimate(0.001, -0.004, 0.006), 0.002), word_of(False, Estimate(0.02, 0.01, 0.03), 0.015)
    ('saturated', 'more_data_would_help')
    """
    if few:
        return TOO_FEW
    if doubled is not None and doubled > SOME_GAIN:
        return MORE
    if from_half is not None and from_half.value < NO_GAIN and from_half.lower <= 0 <= from_half.upper:
        return SATURATED
    return UNDECIDED
