"""What tells coding transcripts."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sewall.data.sequences import packed
from sewall.dna.coding import coding_numbers, plain_numbers
from sewall.dna.codon_use import CODONS, CodonUse
from sewall.dna.reading_frames import STOPS, Transcripts
from sewall.encode.dna import spelled

LETTERS = np.array(list("ACGT"))
SENSE = np.array([spelled(number, 3) for number in range(CODONS) if number not in STOPS])


def noise(rng: np.random.Generator, size: int) -> str:
    return "".join(rng.choice(LETTERS, size))


def coding(rng: np.random.Generator, chances: np.ndarray, codons: int, cut: bool = False) -> str:
    """Return a frame of codons that are used unevenly, in a transcript; whole, or cut within the frame at both ends."""
    inside = "".join(rng.choice(SENSE, codons, p=chances))
    return inside[1:] if cut else f"{noise(rng, 50)}GCCACCATGG{inside[1:]}TAA{noise(rng, 100)}"


@pytest.fixture(scope="module")
def both() -> tuple[Transcripts, np.ndarray]:
    """60 coding transcripts, 60 others, and 10 of each kind that are not learnt from, the coding ones cut."""
    rng = np.random.default_rng(3)
    chances = rng.dirichlet(np.full(len(SENSE), 0.7))
    texts = [coding(rng, chances, 120) for _ in range(60)] + [noise(rng, 500) for _ in range(60)]
    texts += [coding(rng, chances, 60, cut=True) for _ in range(10)] + [noise(rng, 180) for _ in range(10)]
    read = Transcripts.of(packed([f"s{k}" for k in range(len(texts))], texts))
    return read, np.repeat([1, 0, 3, 2], [60, 60, 10, 10])


@pytest.fixture(scope="module")
def use(both: tuple[Transcripts, np.ndarray]) -> CodonUse:
    read, kind = both
    return CodonUse.fit(read, kind == 1, kind == 0)


def test_codon_use_finds_frames_that_are_cut(both: tuple[Transcripts, np.ndarray], use: CodonUse) -> None:
    read, kind = both
    table = coding_numbers(read, use)
    for name in ("stretch: score, phase 0", "best frame: score"):
        assert table[name][kind == 3].min() > table[name][kind == 2].max()
    assert (table["stretch: before"][kind == 3] % 3 == 2).all()
    assert (table["stretch: share"][kind == 3] > 0.6).all()
    assert not table["best frame: ATG"][kind == 3].all()
    assert (table["best frame: stop"][kind == 1] == 1).all()
    assert (table["longest frame: around ATG"][kind == 1].median() > 5) and table.notna().all(axis=None)


def test_letters_around_atg_are_learnt_where_they_stand(use: CodonUse) -> None:
    assert use.start.argmax(axis=1).tolist()[:7] == [2, 1, 1, 0, 1, 1, 2]  # GCCACC ATG G
    assert use.start.shape == (9, 4)


def test_nothing_is_learnt_from_nothing(both: tuple[Transcripts, np.ndarray]) -> None:
    read, kind = both
    blank = CodonUse.fit(read, kind > 5, kind > 5)
    for name in CodonUse.names():
        assert np.isfinite(getattr(blank, name)).all()
    assert np.abs(blank.stretch).max() == 0
    assert np.isfinite(coding_numbers(read, blank).to_numpy()).all()


@pytest.mark.parametrize("texts", [["A"], ["NNNNNN", "ATG"], ["RYSWKMBDHVN" * 9, "ATGNAATAA" * 20], ["TAA", "AC"]])
def test_any_sequence_has_finite_numbers_each_of_another_name(texts: list[str], use: CodonUse) -> None:
    read = Transcripts.of(packed([f"s{k}" for k in range(len(texts))], texts))
    plain, scored = plain_numbers(read), coding_numbers(read, use)
    assert len(plain) == len(scored) == len(texts)
    assert np.isfinite(plain.to_numpy(float)).all() and np.isfinite(scored.to_numpy(float)).all()
    names = [*plain.columns, *scored.columns]
    assert len(set(names)) == len(names) > 40


def test_an_ambiguous_letter_changes_little(both: tuple[Transcripts, np.ndarray], use: CodonUse) -> None:
    read, _ = both
    letters = read.letters.copy()
    letters[read.starts[0] + 200] = -1
    there, here = (coding_numbers(t, use)["best frame: score"][0] for t in (Transcripts(letters, read.starts), read))
    assert 0 < abs(there - here) < 6


def test_plain_numbers_are_those_of_a_count() -> None:
    text = "CCATGAAATAGCGCG" + "A" * 30 + "AATAAAC"
    found = plain_numbers(Transcripts.of(packed(["a", "b"], ["ACGTAC", text]))).iloc[1]
    by_phase = [text[phase::3].count("A") for phase in range(3)]
    assert found["A: unevenness"] == max(by_phase) / (min(by_phase) + 1)
    assert found["A: share"] == text.count("A") / len(text)
    assert found["GC: whole"] == sum(map(text.count, "GC")) / len(text)
    assert found["CpG: start"] == text.count("CG") / len(text)
    assert (found["longest frame"], found["longest frame: before"], found["AATAAA"], found["ATTAAA"]) == (9, 2, 1, 0)


def test_thousands_of_transcripts_take_seconds(use: CodonUse) -> None:
    rng = np.random.default_rng(4)
    texts = [noise(rng, 1_200) for _ in range(1_000)]
    given = packed([f"s{k}" for k in range(1_000)], texts)
    began = time.process_time()
    read = Transcripts.of(given)
    plain_numbers(read)
    coding_numbers(read, CodonUse.fit(read, np.arange(1_000) < 500, np.arange(1_000) >= 500))
    assert time.process_time() - began < 5
