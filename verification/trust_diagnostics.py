"""Rejection rates of the diagnostics, levels of the support check and coverage of conformal intervals, by many repeats.

Run ``python verification/trust_diagnostics.py [--repeats 200]``; it prints one line per check and exits with 1 if one
is out of its bounds. Fixed seeds; about ten minutes on one core at 200 repeats.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm

from sewall.trust.calibrate import ConformalIntervals
from sewall.trust.diagnose import coverage, tarp, uniformity
from sewall.trust.support import SupportCheck
from sewall.trust.two_sample import kernel, mmd_p

Floats = NDArray[np.float64]
SURE = 1e-3  # a line fails by chance less often than this

EXAMPLES, DRAWS = 1000, 200
NOISE = 0.5
FIRST = 20  # examples of a batch that are counted one by one
POSTERIOR_SD = float(np.sqrt(NOISE**2 / (1 + NOISE**2)))


@dataclass(frozen=True)
class Line:
    """What was rejected in how many of how many repeats, and the rates between which that is right."""

    what: str
    rejected: int
    repeats: int
    least: float
    most: float

    @property
    def right(self) -> bool:
        few = binom.cdf(self.rejected, self.repeats, self.least) < SURE
        many = binom.sf(self.rejected - 1, self.repeats, self.most) < SURE
        return not (few or many)

    def __str__(self) -> str:
        verdict = "ok" if self.right else "WRONG"
        return (
            f"{verdict:5}  {self.what:62}  {self.rejected / self.repeats:6.3f}  "
            f"(expected {self.least:g} to {self.most:g}, {self.repeats} repeats)"
        )


@dataclass(frozen=True)
class Posterior:
    """Posterior of a conjugate Gaussian, theta ~ N(0, 1) and x ~ N(theta, 0.5²), right or wrong on purpose."""

    truth: Floats
    x: Floats
    mean: Floats
    sd: float

    @classmethod
    def draw(cls, rng: np.random.Generator, shift: float, factor: float, ignores: bool) -> Posterior:
        truth = rng.standard_normal(EXAMPLES)
        x = truth + NOISE * rng.standard_normal(EXAMPLES)
        if ignores:
            return cls(truth, x, np.zeros(EXAMPLES), 1.0)
        return cls(truth, x, x / (1 + NOISE**2) + shift * POSTERIOR_SD, factor * POSTERIOR_SD)

    def tests(self, rng: np.random.Generator) -> dict[str, bool]:
        half = float(norm.ppf(0.95)) * self.sd
        draws = self.mean[:, None] + self.sd * rng.standard_normal((EXAMPLES, DRAWS))
        references = {"below the prior": np.full(EXAMPLES, -6.0), "the data": self.x}
        return {
            "PIT": uniformity(norm.cdf(self.truth, self.mean, self.sd)).p < 0.01,
            "coverage": coverage(self.mean - half, self.mean + half, self.truth).rejects(0.9),
        } | {f"TARP, reference {name}": not tarp(draws, self.truth, at).passes for name, at in references.items()}


RIGHT, SEEN, BLIND = (0.0, 0.02), (0.95, 1.0), (0.0, 1.0)
POSTERIORS: dict[str, tuple[tuple[float, float, bool], tuple[tuple[float, float], ...]]] = {
    # shift (sd), factor of the sd, ignores the data; rates of PIT, coverage, TARP below, TARP at the data
    "exact": ((0.0, 1.0, False), (RIGHT, RIGHT, RIGHT, RIGHT)),
    "shifted by 0.3 sd": ((0.3, 1.0, False), (SEEN, BLIND, SEEN, BLIND)),
    "sd x 0.67": ((0.0, 0.67, False), (SEEN, SEEN, SEEN, SEEN)),
    "sd x 1.5": ((0.0, 1.5, False), (SEEN, SEEN, SEEN, SEEN)),
    "the prior": ((0.0, 1.0, True), (RIGHT, RIGHT, RIGHT, SEEN)),
}


def diagnostics(repeats: int) -> Iterator[Line]:
    """Every diagnostic on the exact posterior and on wrong ones."""
    for number, (name, (wrong, rates)) in enumerate(POSTERIORS.items()):
        found = []
        for repeat in range(repeats):
            rng = np.random.default_rng([1, number, repeat])
            found.append(Posterior.draw(rng, *wrong).tests(rng))
        for test, (least, most) in zip(found[0], rates, strict=True):
            yield Line(f"{name}: {test}", sum(one[test] for one in found), repeats, least, most)


def cloud(n: int, rng: np.random.Generator, shift: float = 0.0) -> tuple[Floats, Floats]:
    """Correlated statistics, one of them skewed and one of whole numbers, and an embedding made from them."""
    loadings = np.random.default_rng(0).standard_normal((12, 12))
    z = (rng.standard_normal((n, 12)) + shift) @ loadings
    embedding = np.tanh(z @ np.random.default_rng(1).standard_normal((12, 8)) / 5)
    return np.column_stack([np.exp(z[:, 0] / 3), np.round(z[:, 1]), z[:, 2:]]), embedding


def support(repeats: int) -> Iterator[Line]:
    """Flags of examples and batches like the null, each with reference and null of its own, and of shifted ones."""
    names = [str(k) for k in range(12)]
    for null, size in ((300, 50), (1400, 50), (1400, 150), (1400, 1400)):
        outside = flagged = seen = rows = level = 0
        for repeat in range(repeats):
            rng = np.random.default_rng([2, null, size, repeat])
            check = SupportCheck.fit(*cloud(1500, rng), *cloud(null, rng), names)
            data = cloud(size, rng)
            together, each = check.batch(*data, repeat, distributions=False), check.examples(*data).status
            outside, flagged = outside + (together.status == "outside"), flagged + (together.status != "ok")
            level += together.p <= 0.05
            rows += int((each[:FIRST] != "ok").sum())
            seen += check.batch(*cloud(size, rng, shift=1.5), repeat, distributions=False).status == "outside"
        about = f"{size} examples, null of {null}"
        yield Line(f"support, {about}: batches flagged", flagged, repeats, 0.0, 0.02)
        yield Line(f"support, {about}: batches with p <= 0.05", level, repeats, 0.035, 0.065)
        yield Line(f"support, {about}: batches outside", outside, repeats, 0.0, 0.002)
        yield Line(f"support, {about}: shifted batches outside", seen, repeats, 0.95, 1.0)
        yield Line(f"support, {about}: examples flagged", rows, FIRST * repeats, 0.004, 0.02)


def kernel_level(repeats: int) -> Iterator[Line]:
    """The kernel test between 50 and 200 examples of one distribution."""
    first, one = np.arange(250) < 50, np.zeros(250, dtype=np.int64)
    p = [mmd_p(kernel(np.random.default_rng([3, k]).standard_normal((250, 10))), first, one, k) for k in range(repeats)]
    yield Line("kernel test of equal samples: p <= 0.05", int((np.array(p) <= 0.05).sum()), repeats, 0.03, 0.07)


def conformal(repeats: int) -> Iterator[Line]:
    """Coverage of one new example by intervals calibrated on 99, drawn anew each time."""
    missed = 0
    for repeat in range(20 * repeats):
        y = np.random.default_rng([4, repeat]).exponential(size=100)
        middle = np.ones(99)
        low, high = ConformalIntervals.fit(middle, middle, y[:99], 0.9).apply(np.ones(1), np.ones(1))
        missed += not low[0] <= y[99] <= high[0]
    yield Line("conformal 90 % intervals: truths missed", missed, 20 * repeats, 0.09, 0.11)


CHECKS: tuple[Callable[[int], Iterator[Line]], ...] = (conformal, kernel_level, diagnostics, support)


def main() -> int:
    """Run all checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    repeats = parser.parse_args().repeats
    wrong = 0
    for check in CHECKS:
        for line in check(repeats):
            print(line, flush=True)
            wrong += not line.right
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
