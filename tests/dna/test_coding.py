"""Reading frames."""

from __future__ import annotations

import numpy as np
import pytest

from sewall.data.sequences import packed
from sewall.dna.coding import NAMES, coding_numbers, longest_frame


@pytest.mark.parametrize(
    ("text", "frame"),
    [("CCCCCC", (0, 0)), ("ATGAAATGA", (0, 9)), ("CATGAAACCCTGATT", (1, 13)), ("TTATGCCCCCC", (2, 11)),
     ("ATGTAAATGCCCCCCTAG", (6, 18)), ("ATGANATAA", (0, 9)), ("AT", (0, 0))],
)  # fmt: skip
def test_the_longest_frame_runs_from_a_start_to_its_stop_or_the_end(text: str, frame: tuple[int, int]) -> None:
    assert longest_frame(packed(["a"], [text]).codes) == frame


def test_frames_are_those_of_a_slow_search() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        text = "".join(rng.choice(list("ACGT"), 90))
        best = 0
        for start in range(len(text) - 2):
            if text[start : start + 3] != "ATG":
                continue
            codons = [text[k : k + 3] for k in range(start, len(text) - 2, 3)]
            stop = next((k + 1 for k, codon in enumerate(codons) if codon in ("TAA", "TAG", "TGA")), len(codons))
            best = max(best, 3 * stop)
        found = longest_frame(packed(["a"], [text]).codes)
        assert found[1] - found[0] == best


def test_numbers_tell_coding_from_noise_and_pairs_are_shares() -> None:
    rng = np.random.default_rng(3)
    codons = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT" if a + b + c not in ("TAA", "TAG", "TGA")]
    coding = ["ATG" + "".join(rng.choice(codons, 150)) + "TAA" for _ in range(20)]
    noise = ["".join(rng.choice(list("ACGT"), 456)) for _ in range(20)]
    found = coding_numbers(packed([f"s{k}" for k in range(40)], coding + noise))
    assert found.shape == (40, len(NAMES) + 4**6)
    length = found[:, 0].toarray()[:, 0]
    assert length[:20].min() > length[20:].max()
    assert np.allclose(found[:20, len(NAMES) :].power(2).sum(axis=1), 1)
