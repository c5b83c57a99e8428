"""Composition: counted letter by letter, it is the same."""

from __future__ import annotations

import numpy as np
import pytest

from sewall.data.sequences import packed
from sewall.dna import composition as module
from sewall.dna.composition import LABELS, PAIRS, composition


def by_hand(text: str) -> dict[str, float]:
    plain = text.upper()
    pairs = [plain[k : k + 2] for k in range(len(plain) - 1)]
    known = [pair for pair in pairs if pair in PAIRS]
    told = {f"pair_{pair.lower()}": known.count(pair) / len(known) for pair in PAIRS}
    shares = {"G": 1.0, "C": 1.0, "S": 1.0, "N": 0.5, "R": 0.5, "D": 1 / 3}
    told |= {"gc": sum(shares.get(letter, 0.0) for letter in plain) / len(plain), "length": float(len(plain))}
    c, g, all_known = plain.count("C"), plain.count("G"), sum(plain.count(base) for base in "ACGT")
    told |= {"cpg": plain.count("CG") * all_known / (c * g) if c * g else 0.0}
    told |= {"n_share": 1 - all_known / len(plain), "lower": sum(letter.islower() for letter in text) / len(text)}
    words = [plain[k : k + 3] for k in range(len(plain) - 2) if set(plain[k : k + 3]) <= set("ACGT")]
    shares_ = np.array([words.count(word) for word in sorted(set(words))]) / len(words)
    told["complexity"] = -(shares_ * np.log(shares_)).sum() / np.log(min(len(words), 64))
    return told


@pytest.mark.parametrize("at_once", [10, 4_000_000])
def test_composition_is_what_counting_by_hand_gives(at_once, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGTacgtNRSD"), size)) for size in (30, 12, 90, 41, 200)]
    rows = np.array([4, 0, 2, 1, 3, 0])
    found = composition(packed([str(k) for k in range(5)], texts), rows)
    expected = [[by_hand(texts[row])[name] for name in LABELS] for row in rows]
    assert found.to_numpy() == pytest.approx(np.array(expected))


def test_the_shortest_sequences_have_finite_numbers():
    found = composition(packed(["a", "b", "c"], ["A", "NN", "CG"]), np.arange(3))
    assert np.isfinite(found.to_numpy()).all()
    assert composition(packed(["a"], ["A"]), np.arange(0)).shape == (0, len(LABELS))
