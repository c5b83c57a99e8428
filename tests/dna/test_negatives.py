from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall.data.genome import Genome
from sewall.data.sequences import packed
from sewall.dna.negatives import ELSEWHERE, NO_MATCH, UNSHUFFLED, matched_negatives, shuffled_negatives
from sewall.dna.windows import cut, share_of
from sewall.errors import SewallError

CG = np.array([2, 4])


def letters(rng: np.random.Generator, length: int, gc: float) -> str:
    odds = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    return "".join(rng.choice(list("ACGT"), length, p=odds))


@pytest.fixture
def genome(tmp_path: Path) -> Iterator[Genome]:
    """Two contigs whose GC content changes from place to place, with repeats in lower case and a gap."""
    rng = np.random.default_rng(5)
    lines = []
    for name in ("one", "two"):
        text = "".join(letters(rng, 500, rng.uniform(0.3, 0.6)) for _ in range(40))
        text = text[:4_000] + text[4_000:9_000].lower() + text[9_000:15_000] + "N" * 500 + text[15_500:]
        lines.append(f">{name}\n{text}\n")
    path = tmp_path / "genome.fa"
    path.write_text("".join(lines))
    with Genome.open(path) as opened:
        yield opened


def some_windows(genome: Genome, number: int, width: int = 100, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    start = rng.choice(70, number, replace=False) * 200
    chrom = np.where(np.arange(number) % 3 == 0, "two", "one")
    strand = np.where(np.arange(number) % 2 == 0, "+", "-")
    return pd.DataFrame({"chrom": chrom, "start": start, "end": start + width, "strand": strand})


def test_matched_negatives_are_like_their_positives_and_touch_nothing(genome: Genome) -> None:
    positives = some_windows(genome, 40)
    found = matched_negatives(genome, positives, seed=3)
    mine, theirs = positives.iloc[found.of].reset_index(drop=True), found.windows
    assert theirs is not None and len(theirs) + found.counts.get(NO_MATCH, 0) == 40
    assert len(theirs) >= 36
    assert found.keys.columns.tolist() == ["sequence_id", "chrom", "start", "end", "strand"]
    assert (theirs["strand"] == mine["strand"]).all()
    before = cut(genome, mine, [f"p{k}" for k in range(len(mine))])
    assert np.abs(share_of(before, CG) - share_of(found.sequences, CG)).max() < 0.02 + 1e-9
    assert np.abs(before.lower - found.sequences.lower).max() < 0.05 + 1e-9
    assert (found.sequences.lengths == before.lengths).all()
    assert not (found.sequences.codes == 15).any()
    assert (theirs["chrom"] == mine["chrom"]).mean() > 0.85
    assert found.counts.get(ELSEWHERE, 0) == (theirs["chrom"] != mine["chrom"]).sum()
    every = pd.concat([positives, theirs]).sort_values(["chrom", "start"])
    together = every.groupby("chrom")
    assert all((rows["start"].to_numpy()[1:] >= rows["end"].to_numpy()[:-1]).all() for _, rows in together)


def test_the_draw_hangs_on_the_seed_alone(genome: Genome) -> None:
    positives = some_windows(genome, 20)
    first, again, other = (matched_negatives(genome, positives, seed).windows for seed in (3, 3, 4))
    assert first is not None and again is not None and other is not None
    pd.testing.assert_frame_equal(first, again)
    assert not first["start"].equals(other["start"])


def test_what_cannot_be_matched_is_counted(genome: Genome) -> None:
    """All of a contig but a little is to be avoided, so that its positives find their like on the other one."""
    positives = some_windows(genome, 30)
    avoid = pd.DataFrame({"chrom": ["two"], "start": [0], "end": [20_000]})
    found = matched_negatives(genome, positives, 3, avoid)
    assert found.windows is not None and set(found.windows["chrom"]) == {"one"}
    assert found.counts[ELSEWHERE] > 0
    assert found.counts.get(NO_MATCH, 0) == 30 - len(found.of)
    with pytest.raises(SewallError, match="no stretch that looks like any of the 30 positives"):
        matched_negatives(genome, positives, 3, avoid.assign(chrom="one").merge(avoid, how="outer"))


def test_lengths_that_differ_are_kept(genome: Genome) -> None:
    positives = some_windows(genome, 12)
    positives["end"] += np.arange(12) % 3 * 20
    found = matched_negatives(genome, positives, 3)
    assert found.sequences.lengths.tolist() == (positives["end"] - positives["start"]).to_numpy()[found.of].tolist()


@pytest.mark.skipif("SEWALL_DATA" not in os.environ, reason="SEWALL_DATA does not point to the real data")
def test_yeast_peaks_find_their_like() -> None:
    with Genome.open(Path(os.environ["SEWALL_DATA"]) / "sacCer3" / "sacCer3.fa.gz") as genome:
        rng = np.random.default_rng(2)
        start = np.sort(rng.choice(2_000, 300, replace=False)) * 400
        chrom = np.where(np.arange(300) % 2 == 0, "chrIV", "chrXII")
        positives = pd.DataFrame({"chrom": chrom, "start": start, "end": start + 200, "strand": "+"})
        found = matched_negatives(genome, positives, 1)
    assert found.windows is not None
    assert len(found.of) > 290
    assert (found.windows["chrom"].to_numpy() == chrom[found.of]).mean() > 0.98


def test_shuffles_keep_the_pairs_and_the_names_of_their_positives() -> None:
    found = shuffled_negatives(packed(["a", "b", "c"], ["ACGGTTACAGAT", "AAA", "cctagcatcagt"]), 1)
    assert found.sequences.ids == ("a", "c")
    assert found.keys["sequence_id"].tolist() == ["a", "c"]
    assert found.notes[1] == "1 positives have none: no other order of their letters keeps all pairs"
    assert found.of.tolist() == [0, 2]
    assert found.counts == {UNSHUFFLED: 1}
    assert found.sequences.lower.tolist() == [0.0, 1.0]
    for row, text in enumerate(["ACGGTTACAGAT", "CCTAGCATCAGT"]):
        shuffled = found.sequences.text(row)
        assert shuffled != text
        assert Counter(pairwise(shuffled)) == Counter(pairwise(text))
    with pytest.raises(SewallError, match="none of the 1 positives can be shuffled"):
        shuffled_negatives(packed(["b"], ["AAA"]), 1)
