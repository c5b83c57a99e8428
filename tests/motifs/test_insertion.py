from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from sewall.data.sequences import Sequences
from sewall.encode.dna import one_hot
from sewall.motifs.insertion import Answer, Effect, backgrounds, inserted, taken_out
from sewall.motifs.motif import Motif
from sewall.nets.motif import MotifNet

from .conftest import POSITIVE, WORD, knowing, random_sequences, with_word


def motif_of(word: str) -> Motif:
    return Motif("word", np.eye(4)[["ACGT".index(letter) for letter in word]])


def answer_of(networks: list[MotifNet]) -> Answer:
    def answer(sequences: Sequences) -> NDArray[np.float64]:
        letters = torch.from_numpy(one_hot(sequences.padded(np.arange(len(sequences)))))
        with torch.no_grad():
            return np.stack([POSITIVE.of(net({"letters": letters})).double().numpy() for net in networks])

    return answer


def test_the_word_that_a_network_knows_raises_its_answer() -> None:
    plain = backgrounds(random_sequences(30, 50, 1), 2, 120)
    found = inserted(motif_of(WORD), plain, answer_of([knowing(), knowing(sure=3.0)]), 3)
    # three letters above the threshold, twice 3.5 each, on one of two strands
    assert found.value == pytest.approx(3 * 7 / 2, abs=0.2)
    assert found.certain
    assert (found.agreeing, found.number) == (1.0, 120)


def test_a_word_that_it_does_not_know_does_nothing() -> None:
    plain = backgrounds(random_sequences(30, 50, 1), 2, 120)
    assert not inserted(motif_of("TTGGTTGGAATT"), plain, answer_of([knowing()]), 3).certain


def test_it_is_put_where_it_is_told() -> None:
    def answer(sequences: Sequences) -> NDArray[np.float64]:
        return np.array([[sequences.text(k).find("ACGTA") for k in range(len(sequences))]], float)

    plain = backgrounds(random_sequences(30, 50, 1), 2, 120)
    seen = []
    inserted(motif_of("ACGTA"), plain, lambda s: seen.append(answer(s)) or answer(s), 3, place=0)  # type: ignore[func-returns-value]
    assert (seen[0] == 0).all()


def test_sequences_shorter_than_the_motif_are_passed_over() -> None:
    plain = backgrounds(random_sequences(30, 8, 1), 2, 100)
    assert inserted(motif_of(WORD), plain, answer_of([knowing()]), 3).number == 0


def test_backgrounds_keep_pairs_and_lose_words() -> None:
    sequences, _ = with_word(50, 60, 1)
    plain = backgrounds(sequences, 2, 200)
    assert len(plain) == 200
    assert sum(WORD in plain.text(k) for k in range(200)) == 0


def test_taking_the_word_out_lowers_the_answer() -> None:
    sequences, starts = with_word(40, 50, 1)
    places = pd.DataFrame({"row": range(40), "start": starts, "end": np.array(starts) + 12})
    found = taken_out(places, sequences, answer_of([knowing()]), 3)
    assert found.value == pytest.approx(3 * 8 / 2, abs=0.3)
    assert found.certain
    elsewhere = places.assign(start=0, end=2)[np.array(starts) > 2]
    assert not taken_out(elsewhere, sequences, answer_of([knowing()]), 3).certain


def test_the_interval_is_students() -> None:
    found = Effect.of(np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]]))
    assert (found.value, found.lower, found.upper) == pytest.approx((2.5, 0.446, 4.554), abs=1e-3)
    assert Effect.of(np.array([[1.0, 2.0], [-1.0, 0.5]])).agreeing == 0.5
    assert not Effect.of(np.array([[1.0]])).certain
