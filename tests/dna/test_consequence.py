from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall.data.genes import Transcript, read_genes
from sewall.data.genome import Genome
from sewall.dna.consequence import Reading, consequences, translated
from sewall.errors import SewallError

FORWARD = "GGGGG" + "ATGAAAT" + "GTAAGTCCCCCCAG" + "GGTGGTAA" + "CCCCC"  # M K W W stop, with an intron inside the W
BACKWARD = FORWARD[::-1].translate(str.maketrans("ACGT", "TGCA"))
GENES = """##gff-version 3
plus x gene 1 39 . + . ID=gene:P;Name=PLUS
plus x mRNA 1 39 . + . ID=p;Parent=gene:P
plus x exon 3 12 . + . Parent=p
plus x exon 27 37 . + . Parent=p
plus x CDS 6 12 . + 0 Parent=p
plus x CDS 27 34 . + 2 Parent=p
minus x gene 1 39 . - . ID=gene:M;Name=MINUS
minus x mRNA 1 39 . - . ID=m;Parent=gene:M
minus x exon 28 37 . - . Parent=m
minus x exon 3 13 . - . Parent=m
minus x CDS 28 34 . - 0 Parent=m
minus x CDS 6 13 . - 2 Parent=m
chrM x exon 1 9 . + . Parent=x
"""
SIZE = len(FORWARD)
real_data = pytest.mark.skipif("SEWALL_DATA" not in os.environ, reason="SEWALL_DATA does not point to the real data")


@pytest.fixture
def genome(tmp_path: Path) -> Iterator[Genome]:
    (tmp_path / "genome.fa").write_text(f">chrplus\n{FORWARD}\n>minus\n{BACKWARD}\n>chrM\nACGTACGTAC\n>bare\nACGT\n")
    (tmp_path / "genes.gff3").write_text(GENES.replace(" ", "\t").replace("##gff-version\t3", "##gff-version 3"))
    with Genome.open(tmp_path / "genome.fa") as opened:
        yield opened


CASES = [
    (8, "A", "G", "missense", "K2E"),
    (8, "A", "T", "nonsense", "K2*"),
    (10, "A", "G", "synonymous", "K2K"),
    (5, "A", "T", "start lost", "M1L"),
    (11, "T", "G", "missense", "W3G"),  # the codon goes on behind the intron
    (26, "G", "A", "nonsense", "W3*"),
    (31, "T", "C", "stop lost", "*5Q"),
    (32, "A", "G", "synonymous", "*5*"),
    (8, "A", "", "frameshift", "K2fs"),
    (8, "", "C", "frameshift", "K2fs"),
    (8, "AAA", "", "in-frame", "K2del"),
    (8, "", "GGG", "in-frame", "K2GK"),
    (8, "", "TAA", "nonsense", "K2*K"),
    (12, "G", "A", "splice", ""),
    (25, "G", "A", "splice", ""),
    (13, "", "A", "splice", ""),
    (18, "C", "A", "intron", ""),
    (3, "G", "A", "untranslated", ""),
    (0, "G", "A", "intergenic", ""),
]


@pytest.mark.parametrize(("start", "removed", "inserted", "kind", "change"), CASES)
def test_a_gene_reads_alike_on_both_strands(
    genome: Genome, tmp_path: Path, start: int, removed: str, inserted: str, kind: str, change: str
) -> None:
    pair = str.maketrans("ACGT", "TGCA")
    assert FORWARD[start : start + len(removed)] == removed
    mirrored = (SIZE - start - len(removed), removed[::-1].translate(pair), inserted[::-1].translate(pair))
    table = pd.DataFrame(
        [("chrplus", start, removed, inserted), ("minus", *mirrored)], columns=["chrom", "start", "removed", "inserted"]
    )
    found = consequences(genome, tmp_path / "genes.gff3", table)
    assert found["consequence"].tolist() == [kind] * 2
    assert found["protein"].tolist() == [change] * 2
    assert found["gene"].tolist() == (["PLUS", "MINUS"] if kind != "intergenic" else ["", ""])


def test_mitochondria_are_left_out_and_contigs_without_genes_are_not(genome: Genome, tmp_path: Path) -> None:
    rows = [("chrM", 3, "T", "A"), ("bare", 1, "C", "A")]
    table = pd.DataFrame(rows, columns=["chrom", "start", "removed", "inserted"])
    found = consequences(genome, tmp_path / "genes.gff3", table)
    assert found["consequence"].tolist() == ["mitochondrion", "intergenic"]


def test_genes_of_another_genome_are_refused(genome: Genome, tmp_path: Path) -> None:
    (tmp_path / "other.gff3").write_text("NC_1\tx\texon\t1\t9\t.\t+\t.\tParent=x\n")
    table = pd.DataFrame([("bare", 1, "C", "A")], columns=["chrom", "start", "removed", "inserted"])
    with pytest.raises(SewallError, match=r"contig NC_1 .*genome\.fa has chrplus, minus"):
        consequences(genome, tmp_path / "other.gff3", table)


def test_a_slip_of_the_ribosome_breaks_one_codon_only(genome: Genome) -> None:
    """The frame moves on by one letter after ATGAA: the phase of the second part says so."""
    slipping = Transcript("g", "chrplus", "+", ((5, 12),), ((5, 10, 0), (11, 12, 0)))
    assert Reading.of(slipping, genome).coding == "ATGAANT"


@real_data
def test_yeast_genes_begin_and_end_as_genes_do() -> None:
    folder = Path(os.environ["SEWALL_DATA"]) / "sacCer3"
    transcripts = read_genes(folder / "Saccharomyces_cerevisiae.R64-1-1.81.gff3.gz")
    with Genome.open(folder / "sacCer3.fa.gz") as genome:
        some = [each.on(f"chr{each.chrom}") for each in transcripts if each.coding and each.chrom in ("I", "V")]
        proteins = [translated(Reading.of(each, genome).coding) for each in some]
        assert len(proteins) > 400
        assert np.mean([own.startswith("M") for own in proteins]) > 0.99
        assert np.mean([own.find("*") == len(own) - 1 for own in proteins]) > 0.97  # the others: slips and pseudogenes


@real_data
def test_changes_of_yeast_agree_with_whole_proteins_translated_anew() -> None:
    """Of both strands and across introns: one letter is changed in the genome itself and all is read again."""
    folder = Path(os.environ["SEWALL_DATA"]) / "sacCer3"
    transcripts = read_genes(folder / "Saccharomyces_cerevisiae.R64-1-1.81.gff3.gz")
    split = [each.on(f"chr{each.chrom}") for each in transcripts if len(each.coding) > 1 and each.chrom in ("II", "IV")]
    rng, pair = np.random.default_rng(1), str.maketrans("ACGT", "TGCA")
    seen = set()
    with Genome.open(folder / "sacCer3.fa.gz") as genome:
        for each in split[:40]:
            own = Reading.of(each, genome)
            letters, first = np.unique(own.places[: len(own.places) // 3 * 3], return_index=True)
            for place in rng.choice(first[letters >= 0], 8, replace=False).tolist():
                new = "ACGT".replace(own.coding[place], "")[rng.integers(3)]
                mutated = own.coding[:place] + new + own.coding[place + 1 :]
                before, after = translated(own.coding), translated(mutated)
                old, now = (own.coding[place] + new).translate({} if each.strand == "+" else pair)
                found = own.consequence(int(own.places[place]), old, now)
                codon = place // 3
                seen.add(found.kind)
                assert found.change == f"{before[codon]}{codon + 1}{after[codon]}"
                clear = before[codon] != "X"  # a codon that a slip breaks
                assert (found.kind == "synonymous") == (clear and before == after)
                assert (found.kind == "nonsense") == (after[codon] == "*" != before[codon])
    assert {"synonymous", "missense", "nonsense"} <= seen
