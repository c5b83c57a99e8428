from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall.data.genome import Genome
from sewall.dna.alleles import BEYOND, TOO_LONG, UNKNOWN, both_forms, kinds

TEXT = "".join(np.random.default_rng(1).choice(list("ACGT"), 2_000))


@pytest.fixture
def genome(tmp_path: Path) -> Iterator[Genome]:
    (tmp_path / "genome.fa").write_text(f">a\n{TEXT}\n>b\n{'ACGTTGCAAT' * 4}{'N' * 30}{'ACGTTGCAAT' * 4}\n")
    with Genome.open(tmp_path / "genome.fa") as opened:
        yield opened


def variants(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["chrom", "start", "removed", "inserted"])


def test_both_forms_are_of_one_width_and_differ_by_the_variant_alone(genome: Genome) -> None:
    table = variants(("a", 100, TEXT[100], "N"), ("a", 100, TEXT[100:103], ""), ("a", 100, "", "TTTT"))
    found = both_forms(genome, table, 20)
    assert [found.ref.text(k) for k in range(3)] == [TEXT[90:110]] * 3
    assert found.alt.text(0) == TEXT[90:100] + "N" + TEXT[101:110]
    assert found.alt.text(1) == TEXT[90:100] + TEXT[103:113]
    assert found.alt.text(2) == TEXT[90:100] + "TTTT" + TEXT[100:106]


@pytest.mark.parametrize("width", [20, 21])
def test_the_variant_is_the_middle_letter_on_either_strand(genome: Genome, width: int) -> None:
    table = variants(("a", 100, TEXT[100], "N"))
    for strand in "+-":
        assert both_forms(genome, table, width, strand).alt.text(0).index("N") == width // 2
    assert both_forms(genome, table, width, shift=3).alt.text(0).index("N") == width // 2 - 3


def test_variants_without_a_window_are_counted(genome: Genome) -> None:
    table = variants(
        ("a", 5, TEXT[5], "N"), ("a", 1_995, TEXT[1_995], "N"), ("b", 45, "N", "A"), ("a", 99, "", "A" * 11)
    )
    found = both_forms(genome, table, 20)
    assert found.left_out == {BEYOND: 2, UNKNOWN: 1, TOO_LONG: 1}
    assert len(found.rows) == len(found.ref) == 0


def test_kinds_look_at_the_letters_around(genome: Genome) -> None:
    place = TEXT.index("ACGA")
    table = variants(
        ("a", place + 1, "C", "T"), ("a", place + 2, "G", "C"), ("a", place, "A", "G"), ("a", 0, TEXT[0], "")
    )
    assert kinds(genome, table) == ["transition at CpG", "transversion at CpG", "transition", "deletion of 1 letter"]
