from __future__ import annotations

from itertools import product

import numpy as np

from sewall.motifs.kmer_motifs import assemble

from .conftest import WORD

SIX = ["".join(letters) for letters in product("ACGT", repeat=6)]
PAIRS = str.maketrans("ACGT", "TGCA")


def weights(words: list[tuple[str, float]], noise: float = 0.02, canonical: bool = False) -> dict[str, float]:
    found = dict(zip(SIX, np.random.default_rng(1).normal(0, noise, len(SIX)).tolist(), strict=True))
    for word, weight in words:
        for start in range(len(word) - 5):
            found[word[start : start + 6]] += weight
    if not canonical:
        return found
    both = {min(kmer, kmer.translate(PAIRS)[::-1]): 0.0 for kmer in SIX}
    for kmer, weight in found.items():
        both[min(kmer, kmer.translate(PAIRS)[::-1])] += weight
    return both


def assembled(found: dict[str, float], both_strands: bool) -> list[str]:
    motifs = assemble(list(found), np.array(list(found.values())), both_strands=both_strands)
    return [motif.consensus for motif in motifs]


def test_the_word_is_put_together() -> None:
    assert assembled(weights([(WORD, 1.0)]), both_strands=False) == [WORD]


def test_on_both_strands_too() -> None:
    found = assembled(weights([(WORD, 1.0)], canonical=True), both_strands=True)
    assert len(found) == 1
    assert found[0] in (WORD, WORD.translate(PAIRS)[::-1])


def test_two_words_are_two_motifs_the_heavier_first() -> None:
    assert assembled(weights([(WORD, 1.0), ("TTGATTAGG", 2.0)]), both_strands=False) == ["TTGATTAGG", WORD]


def test_noise_and_weights_below_zero_are_no_motif() -> None:
    assert assemble(SIX, np.full(len(SIX), -1.0)) == []
    assert assemble(SIX[:1], np.array([1.0])) == []
