from __future__ import annotations

import sys

import numpy as np
import pytest

from sewall.data.sequences import letters, packed
from sewall.errors import SewallError
from sewall.motifs.attributions import Attributed
from sewall.motifs.modisco import modisco_motifs

from .conftest import WORD

TURNED = "GGAGTTCGGTCG"


def attributed(number: int = 300, length: int = 100) -> Attributed:
    """Return attributions that add 1 for each letter of the word, on either strand, and little elsewhere."""
    rng = np.random.default_rng(7)
    texts, hypothetical, tracks = [], [], []
    for row in range(number):
        text = letters(1 << rng.integers(4, size=length).astype(np.uint8))
        start = int(rng.integers(25, length - 40))
        text = text[:start] + (WORD if row % 2 else TURNED) + text[start + len(WORD) :]
        track = 0.02 * rng.standard_normal((4, length)).astype(np.float32)
        codes = ["ACGT".index(letter) for letter in text]
        track[codes[start : start + len(WORD)], np.arange(start, start + len(WORD))] += 1
        texts.append(text)
        hypothetical.append(track)
        tracks.append(track[codes, np.arange(length)][None])
    sequences = packed([f"s{k}" for k in range(number)], texts)
    return Attributed(sequences, hypothetical, tracks, np.zeros(number), "deeplift")


def test_the_word_comes_back_on_both_strands() -> None:
    pytest.importorskip("modiscolite", reason="needs the extra modisco")
    (found, *_) = modisco_motifs(attributed())
    assert found.raises
    assert found.motif.consensus in (WORD, TURNED)
    assert found.motif.support > 100
    assert found.places["strand"].value_counts().min() > 40


def test_without_the_extra_it_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modiscolite.tfmodisco", None)
    with pytest.raises(SewallError, match="pip install"):
        modisco_motifs(attributed(10))
