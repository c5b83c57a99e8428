from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall.data.genome import Genome
from sewall.dna.alleles import kinds
from sewall.dna.random_variants import random_variants

TEXT = "".join(np.random.default_rng(1).choice(list("ACGT"), 5_000))


@pytest.fixture
def genome(tmp_path: Path) -> Iterator[Genome]:
    (tmp_path / "genome.fa").write_text(f">a\n{TEXT}\n>b\n{'ACGTTGCAAT' * 4}{'N' * 30}{'ACGTTGCAAT' * 4}\n")
    with Genome.open(tmp_path / "genome.fa") as opened:
        yield opened


def variants(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["chrom", "start", "removed", "inserted"])


@pytest.mark.parametrize(
    ("removed", "inserted"), [("A", "G"), ("A", "C"), ("C", "T"), ("", "ACG"), ("ACG", ""), ("AC", "GTT")]
)
def test_random_variants_are_of_the_kind_in_the_windows_and_all_different(
    genome: Genome, removed: str, inserted: str
) -> None:
    places = [k for k in range(200, 4_500) if TEXT.startswith(f"{removed}G" if removed == "C" else removed, k)][:60:6]
    table = variants(*(("a", k, removed, inserted) for k in places))
    kind = kinds(genome, table)[-1]
    table = table[[name == kind for name in kinds(genome, table)]]
    found = random_variants(genome, table, kind, 150, 50, np.random.default_rng(3))
    assert len(found) == 150
    assert set(kinds(genome, found)) == {kind}
    assert not found.duplicated(["start", "removed", "inserted"]).any()
    assert all(TEXT.startswith(old, k) for k, old in zip(found["start"], found["removed"], strict=True))
    near = np.abs(found["start"].to_numpy()[:, None] - table["start"].to_numpy()).min(axis=1)
    assert (near <= found["near"]).all()
    given = set(table[["start", "removed", "inserted"]].itertuples(index=False, name=None))
    assert not given & set(found[["start", "removed", "inserted"]].itertuples(index=False, name=None))


def test_neighbourhoods_grow_only_where_they_must(genome: Genome) -> None:
    one = variants(("a", 1_000, TEXT[1_000], "ACGT".replace(TEXT[1_000], "")[0]))
    kind = kinds(genome, one)[0]
    few = random_variants(genome, one, kind, 20, 50, np.random.default_rng(3))
    many = random_variants(genome, one, kind, 300, 50, np.random.default_rng(3))
    assert few["near"].max() == 50
    assert (many["near"] == 50).sum() > 20 and many["near"].max() > 50
    pd.testing.assert_frame_equal(many, random_variants(genome, one, kind, 300, 50, np.random.default_rng(3)))


@pytest.mark.parametrize(("inserted", "ways"), [("C", 1), ("G", 2)])
def test_a_contig_may_hold_too_few_places(genome: Genome, inserted: str, ways: int) -> None:
    """Of 80 known letters, 16 stand in CpGs; the others have one transition and two transversions each."""
    given = variants(("b", 3, "T", inserted))
    found = random_variants(genome, given, kinds(genome, given)[0], 500, 10, np.random.default_rng(3))
    assert len(found) == (80 - 16) * ways - 1
