from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sewall.data.genome import Genome
from sewall.data.small_variants import (
    LONG,
    NO_ALT,
    REPEATED,
    SPANNING,
    SYMBOLIC,
    UNKNOWN_LETTERS,
    read_small_variants,
)
from sewall.errors import SewallError

HEADER = "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=9>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture
def genome(tmp_path: Path) -> Iterator[Genome]:
    (tmp_path / "genome.fa").write_text(">chr1\nACGTacgtAARTCCCCCGGG\n")
    with Genome.open(tmp_path / "genome.fa") as opened:
        yield opened


def written(folder: Path, *rows: str, header: str = HEADER) -> Path:
    """Rows are 'pos ref alt'."""
    path = folder / "some.vcf"
    lines = ["\t".join(["1", pos, ".", ref, alt, ".", ".", "."]) for pos, ref, alt in map(str.split, rows)]
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return path


def test_alleles_are_split_trimmed_and_counted(tmp_path: Path, genome: Genome) -> None:
    rows = ["2 C G,T", "3 G GTT", "5 AC A", "5 AC <DEL>", "6 C *,<INS>", "7 G .", "8 T N", "2 C T", f"9 A A{'C' * 51}"]
    found = read_small_variants(written(tmp_path, *rows), genome)
    assert found.table[["chrom", "pos", "ref", "alt", "start", "removed", "inserted"]].to_numpy().tolist() == [
        ["chr1", 2, "C", "G", 1, "C", "G"],
        ["chr1", 2, "C", "T", 1, "C", "T"],
        ["chr1", 3, "G", "GTT", 3, "", "TT"],
        ["chr1", 5, "AC", "A", 5, "C", ""],
    ]
    assert found.skipped == {SYMBOLIC: 2, SPANNING: 1, NO_ALT: 1, UNKNOWN_LETTERS: 1, REPEATED: 1, LONG: 1}
    assert found.lines == 9


def test_ref_that_disagrees_is_an_error_with_counts_and_the_first(tmp_path: Path, genome: Genome) -> None:
    path = written(tmp_path, "1 A C", "2 G T", "3 T C", "21 A C", "19 GGA G")
    with pytest.raises(SewallError) as caught:
        read_small_variants(path, genome)
    said = str(caught.value)
    assert "some.vcf: REF disagrees with genome.fa in 4 of 5 alleles" in said
    assert "record 2, chr1:2: G against C; record 3, chr1:3: T against G; record 4, chr1:21: A against the end" in said


def test_an_ambiguous_letter_of_the_genome_allows_its_bases(tmp_path: Path, genome: Genome) -> None:
    assert len(read_small_variants(written(tmp_path, "11 A C"), genome)) == 1
    with pytest.raises(SewallError, match="C against R"):
        read_small_variants(written(tmp_path, "11 C A"), genome)


def test_files_without_anything_to_ask(tmp_path: Path, genome: Genome) -> None:
    with pytest.raises(SewallError, match=r"no variant that can be asked about \(1 symbolic"):
        read_small_variants(written(tmp_path, "5 A <DEL>"), genome)
    with pytest.raises(SewallError, match="it has no lines"):
        read_small_variants(written(tmp_path), genome)
    with pytest.raises(SewallError, match="no such file"):
        read_small_variants(tmp_path / "none.vcf", genome)
    (tmp_path / "text.vcf").write_text("chr1 5 A\n")
    with pytest.raises(SewallError, match=r"text\.vcf: cannot be read as VCF"):
        read_small_variants(tmp_path / "text.vcf", genome)


def test_a_contig_that_the_genome_lacks(tmp_path: Path, genome: Genome) -> None:
    path = tmp_path / "some.vcf"
    path.write_text(HEADER + "9\t5\t.\tA\tC\t.\t.\t.\n")
    with pytest.raises(SewallError, match=r"contig 9 .*names 9; genome\.fa has chr1"):
        read_small_variants(path, genome)
