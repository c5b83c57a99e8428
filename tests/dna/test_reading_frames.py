"""Reading frames, stretches and words."""

from __future__ import annotations

import numpy as np
import pytest

from sewall.data.sequences import packed
from sewall.dna.reading_frames import PAIR, STOPS, UNKNOWN, Transcripts, counted, stretches, summed, words
from sewall.encode.dna import kmers

RNG = np.random.default_rng(2)
TEXTS = ["".join(RNG.choice(list("ACGTN"), int(size), p=[0.24] * 4 + [0.04])) for size in RNG.integers(1, 120, 60)]
READ = Transcripts.of(packed([f"t{k}" for k in range(60)], TEXTS))


def read(*texts: str) -> Transcripts:
    return Transcripts.of(packed([f"s{k}" for k in range(len(texts))], texts))


@pytest.mark.parametrize(
    ("text", "frame"),
    [("CCCCCC", (0, 0)), ("ATGAAATGA", (0, 9)), ("CATGAAACCCTGATT", (1, 13)), ("TTATGCCCCCC", (2, 11)),
     ("ATGTAAATGCCCCCCTAG", (6, 18)), ("ATGANATAA", (0, 9)), ("AT", (0, 0)), ("auguaa", (0, 6))],
)  # fmt: skip
def test_the_longest_frame_runs_from_a_start_to_its_stop_or_the_end(text: str, frame: tuple[int, int]) -> None:
    assert read("CCATG", text).longest[1].tolist() == [5 + frame[0], 5 + frame[1]]


def test_cut_transcripts_have_frames_without_start_or_stop() -> None:
    frames = read("CCCATGCCCTAACCC").frames
    own = frames.spans[:, 0] % 3 == 0
    assert frames.spans[own].tolist() == [[0, 12], [3, 12]]
    assert frames.begun[own].tolist() == [False, True] and frames.stopped[own].all()
    cut = read("CCCATGCCC").frames
    assert not cut.stopped.any() and [3, 9] in cut.spans[cut.begun].tolist()


def test_frames_are_those_of_a_slow_search() -> None:
    for row, text in enumerate(TEXTS):
        slow = set()
        for phase in range(3):
            codons, first = [text[k : k + 3] for k in range(phase, len(text) - 2, 3)], None
            for number, codon in enumerate(codons):
                place = phase + 3 * number
                first = place if first is None and codon == "ATG" else first
                if first is not None and (codon in ("TAA", "TAG", "TGA") or number == len(codons) - 1):
                    slow.add((first, place + 3))
                    first = None
                elif codon in ("TAA", "TAG", "TGA"):
                    first = None
        mine = READ.frames.begun & (READ.frames.row == row)
        assert {tuple(span) for span in (READ.frames.spans[mine] - READ.starts[row]).tolist()} == slow


def test_words_stop_at_ambiguous_letters_and_at_the_end_of_a_transcript() -> None:
    for k in (1, 3, 6):
        found = words(READ.letters, READ.starts, k)
        for row, text in enumerate(TEXTS):
            own = np.full(len(text), -1)
            slow = kmers(packed(["a"], [text]).codes, k)
            own[: len(slow)] = slow
            assert found[READ.starts[row] : READ.starts[row + 1]].tolist() == own.tolist()


def test_stretches_are_those_of_a_slow_search() -> None:
    values = RNG.normal(0.0, 1, 4**PAIR)
    sums, spans = stretches(READ.codons, READ.pairs, READ.starts, values)
    own = np.where(READ.pairs >= 0, values[READ.pairs], UNKNOWN)
    own[np.isin(READ.codons, STOPS)] = -np.inf
    for row in range(len(READ)):
        start, end = READ.spans[row]
        for phase in range(3):
            places = np.arange(start + phase, end - 2, 3)
            parts = [own[places[a:b]].sum() for a in range(len(places)) for b in range(a + 1, len(places) + 1)]
            assert sums[row, phase] == pytest.approx(max([0.0, *parts]))
            first, last = spans[row, phase]
            assert start <= first <= last <= end
            assert sums[row, phase] == pytest.approx(own[first:last:3].sum())


def test_words_in_spans_are_counted_and_summed_in_step() -> None:
    one = read("AACAAA", "CCC")
    spans = np.array([[0, 6], [6, 9]])
    single = words(one.letters, one.starts, 1)
    assert counted(single, spans, 4, 1).tolist() == [5, 4, 0, 0]
    assert summed(single, spans, np.array([1.0, 10, 0, 0]), 1).tolist() == [15, 30]
    assert summed(single, spans + np.array([2, 0]), np.array([1.0, 10, 0, 0]), 3).tolist() == [11, 10]


def test_the_best_frame_is_the_first_of_the_highest_score() -> None:
    two = read("ATGCCCTAA", "CC")
    scores = np.zeros(len(two.frames.row))
    assert two.best_frame(scores).tolist() == [0, -1]
    assert two.best_frame(scores - np.inf).tolist() == [-1, -1]
    assert two.spans_of(np.array([-1, -1])).tolist() == [[0, 0], [9, 9]]
