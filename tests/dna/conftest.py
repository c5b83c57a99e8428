"""Random sequences, and what happens to them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

BASES = np.array(list("ACGT"))


class Simulated:
    """Makes sequences from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def text(self, length: int, gc: float = 0.5) -> str:
        return "".join(self.rng.choice(BASES, length, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]))

    def mutated(self, text: str, changes: int, indels: int = 0) -> str:
        """Change so many letters, and insert or delete so many more."""
        letters = list(text)
        for place in self.rng.choice(len(letters), changes, replace=False):
            letters[place] = self.rng.choice([base for base in BASES if base != letters[place]])
        for _ in range(indels):
            place = int(self.rng.integers(5, len(letters) - 5))
            if self.rng.random() < 0.5:
                letters.insert(place, str(self.rng.choice(BASES)))
            else:
                letters.pop(place)
        return "".join(letters)

    @staticmethod
    def turned(text: str) -> str:
        """The reverse complement."""
        return text[::-1].translate(str.maketrans("ACGTacgt", "TGCAtgca"))


@pytest.fixture
def simulated() -> Callable[[int], Simulated]:
    return Simulated
