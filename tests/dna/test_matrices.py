"""Weight matrices: the scan, the search, and what it must not find."""

from __future__ import annotations

import numpy as np
import pytest

from sewall.data.sequences import Sequences, letters, packed
from sewall.dna.matrices import OVER, PLACES, UNKNOWN, Matrices, Scanned, best_sites
from sewall.dna.matrix_search import counted, find_matrices
from sewall.encode.dna import reverse_complement

EVEN = np.full(4, 0.25)
WORD = "TGACTCAT"


def random_texts(number: int, length: int, seed: int) -> list[str]:
    return ["".join(row) for row in np.random.default_rng(seed).choice(list("ACGT"), (number, length))]


def named(texts: list[str]) -> Sequences:
    return packed([f"s{k}" for k in range(len(texts))], texts)


def turned(text: str) -> str:
    return letters(reverse_complement(packed(["a"], [text]).codes))


def with_word(number: int, seed: int, word: str = WORD) -> tuple[Sequences, np.ndarray]:
    """Return random sequences of which every second holds a word, on either strand."""
    rng, texts = np.random.default_rng(seed), random_texts(number, 60, seed)
    for k in range(0, number, 2):
        start, own = int(rng.integers(60 - len(word))), word if rng.random() < 0.5 else turned(word)
        texts[k] = texts[k][:start] + own + texts[k][start + len(word) :]
    return named(texts), (np.arange(number) % 2 == 0).astype(float)


def searched(sequences: Sequences, values: np.ndarray, known: np.ndarray | None = None, strands: int = 2) -> Matrices:
    number = len(sequences)
    known = np.zeros((number, 0)) if known is None else known
    return find_matrices(sequences, values.reshape(number, -1), known, np.arange(number), strands)


@pytest.mark.parametrize("strands", [1, 2])
def test_the_best_site_is_that_of_a_slow_search(strands: int) -> None:
    matrix = np.random.default_rng(1).normal(size=(PLACES, 4))
    texts = [*random_texts(6, 30, 2), "ACGTNACGTTACGATTGCATNN", "AC"]
    found = best_sites(Scanned.of(named(texts)), matrix, strands)
    for row, text in enumerate(texts):
        best = -np.inf
        for own in (text, turned(text))[:strands]:
            around = "N" * PLACES + own + "N" * PLACES
            for first in range(PLACES - OVER, len(around) - PLACES - OVER + 1):
                score = sum(
                    matrix[place].mean() if letter == "N" else matrix[place, "ACGT".index(letter)]
                    for place, letter in enumerate(around[first : first + PLACES])
                )
                best = max(best, score)
        assert found.scores[row] == pytest.approx(best, abs=1e-4)


def test_letters_of_a_site_read_as_the_matrix_does() -> None:
    word = np.zeros((PLACES, 4))
    word[6:14] = np.log(0.04)
    word[np.arange(6, 14), ["ACGT".index(letter) for letter in WORD]] = np.log(3.9)
    texts = ["CC" + WORD + "GGAC", "GG" + turned(WORD) + "CCCAC"]
    scanned = Scanned.of(named(texts))
    found = best_sites(scanned, word, 2)
    assert found.turned.tolist() == [False, True]
    shown = scanned.windows(scanned.starts + found.firsts, found.turned, PLACES)[:, 6:14]
    assert ["".join("ACGT"[letter] for letter in row) for row in shown] == [WORD, WORD]


def test_counts_forget_what_the_others_show_as_well() -> None:
    rng = np.random.default_rng(3)
    windows = rng.integers(4, size=(600, PLACES + 2 * OVER)).astype(np.int8)
    windows[:, 18] = 2  # everyone has it: it tells nothing
    windows[:300, 22] = np.where(rng.random(300) < 0.8, 1, windows[:300, 22])
    windows[5, 3] = UNKNOWN
    found = counted(windows, np.repeat([1.0, -1.0], 300), EVEN)
    assert np.flatnonzero(found.any(axis=1)).size == 1
    place = int(np.flatnonzero(found.any(axis=1))[0])
    assert found[place].argmax() == 1
    assert place in (PLACES // 2 - 1, PLACES // 2)


def test_a_word_comes_back_with_its_sites() -> None:
    sequences, flags = with_word(600, 4)
    found = searched(sequences, flags)
    assert len(found) == 1
    motif = found.motif(0)
    assert motif.consensus in (WORD, turned(WORD))
    assert 200 < motif.support < 260  # of 225 that were searched
    assert found.chance[0] == 1 / 2_000
    held = found.read(Scanned.of(sequences), 2)
    assert held.shape == (600, 2)
    assert np.mean((held[:, 1] > 0.5) == flags) > 0.97


def test_two_words_are_two_matrices_and_what_lowers_counts_too() -> None:
    texts, rng = random_texts(900, 60, 5), np.random.default_rng(6)
    values = rng.normal(0, 0.5, 900)
    for k in range(0, 900, 3):
        texts[k] = texts[k][:20] + WORD + texts[k][28:]
        texts[k + 1] = texts[k + 1][:20] + "GGAAACCC" + texts[k + 1][28:]
        values[k] += 1
        values[k + 1] -= 1
    found = searched(named(texts), values, strands=1)
    assert {found.motif(k).consensus for k in range(len(found))} == {WORD, "GGAAACCC"}


def test_what_is_known_is_not_found_again() -> None:
    sequences, flags = with_word(600, 7)
    has = np.array([WORD in sequences.text(k) or turned(WORD) in sequences.text(k) for k in range(600)], float)
    assert len(searched(sequences, flags, has[:, None])) == 0


def test_nothing_is_found_where_there_is_nothing() -> None:
    counts = []
    for seed in range(5):
        sequences, flags = with_word(400, seed)
        counts.append(len(searched(sequences, np.random.default_rng(seed).permutation(flags))))
    assert counts == [0] * 5


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (random_texts(30, 40, 1), np.arange(30.0)),
        (["ACGTACGT"] * 200, np.arange(200.0)),
        (["N" * 30] * 200, np.arange(200.0)),
        (random_texts(200, 3, 1), np.arange(200.0)),
        (random_texts(200, 30, 1), np.ones(200)),
    ],
    ids=["few", "all alike", "unknown letters", "short", "one value"],
)
def test_sequences_that_tell_nothing_have_no_matrices(texts: list[str], values: np.ndarray) -> None:
    found = searched(named(texts), values)
    assert len(found) == 0
    assert found.read(Scanned.of(named(texts)), 2).shape == (len(texts), 0)


def test_groups_are_not_searched_and_tested_as_well() -> None:
    # copies of a few sequences tell of their copies only, unless these stay together
    texts, flags = random_texts(40, 60, 8), np.arange(40) % 2 == 0
    sequences, values = named(texts * 10), np.tile(flags.astype(float), 10)
    known = np.zeros((400, 0))
    assert len(find_matrices(sequences, values[:, None], known, np.arange(400), 2)) > 0
    assert len(find_matrices(sequences, values[:, None], known, np.tile(np.arange(40), 10), 2)) == 0
