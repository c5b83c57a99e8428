from __future__ import annotations

import gzip
import os
import shutil
import stat
from pathlib import Path

import pytest

from sewall.data.genome import Genome
from sewall.errors import SewallError

TEXT = ">chr1 first\nACGTacgtNN\nGGGGG\n>chr2\nTTTTTTTTTT\nCC\n"


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    path.write_text(TEXT)
    return path


def test_any_stretch_in_the_case_of_the_file_and_nothing_is_written(fasta: Path) -> None:
    with Genome.open(fasta) as genome:
        assert dict(genome.lengths) == {"chr1": 15, "chr2": 12}
        assert genome.sequence("chr1", 2, 12) == "GTacgtNNGG"
        assert genome.sequence("chr2", 11, 12) == "C"
    assert [path.name for path in fasta.parent.iterdir()] == ["genome.fa"]


def test_a_gzipped_genome_is_read_and_said_to_be_slow(fasta: Path) -> None:
    packed = fasta.with_suffix(".fa.gz")
    packed.write_bytes(gzip.compress(TEXT.encode()))
    with Genome.open(packed) as genome:
        assert genome.sequence("chr2", 8, 12) == "TTCC"
        assert "gunzip" in genome.notes[0]


def test_a_genome_without_index_in_a_folder_that_cannot_be_written(fasta: Path) -> None:
    folder = fasta.parent
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with Genome.open(fasta) as genome:
            assert genome.sequence("chr1", 0, 4) == "ACGT"
        assert not Path(f"{fasta}.fai").exists()
    finally:
        folder.chmod(stat.S_IRWXU)


def test_an_index_that_fits_is_used_and_a_stale_one_is_not(fasta: Path) -> None:
    index = Path(f"{fasta}.fai")
    index.write_text("chr1\t15\t12\t10\t11\nchr2\t12\t35\t10\t11\n")
    os.utime(index, (0, 0))  # older than the file, and right all the same
    with Genome.open(fasta) as genome:
        assert genome.sequence("chr2", 9, 12) == "TCC"
        assert genome.notes == ()
    fasta.write_text(TEXT.replace("GGGGG\n", "GG\n"))
    os.utime(fasta, (0, 0))  # the index looks newer than the file
    with Genome.open(fasta) as genome:
        assert genome.sequence("chr2", 9, 12) == "TCC"
        assert genome.lengths["chr1"] == 12
        assert "index does not fit" in genome.notes[0]
    fasta.write_text(TEXT + ">chr3\nAAAA\n")
    with Genome.open(fasta) as genome:
        assert genome.lengths["chr3"] == 4


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "not contain a valid sequence"), ("chr1\t5\t9\n", "FASTA"), (">a\nACGT\nAC\nACGT\n", "lines of one length"),
     (">a\nACGT\n>a\nAC\n", "FASTA")],
)  # fmt: skip
def test_files_that_are_no_genome(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(text)
    with pytest.raises(SewallError, match=rf"genome\.fa: .*{reason}"), Genome.open(path):
        pass


def test_a_cut_gzip_and_an_absent_file(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa.gz"
    path.write_bytes(gzip.compress(TEXT.encode() * 99)[:-30])
    with pytest.raises(SewallError, match=r"genome\.fa\.gz"), Genome.open(path):
        pass
    with pytest.raises(SewallError, match="no such file"), Genome.open(tmp_path / "none.fa"):
        pass


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 5), (9, 16)])
def test_a_stretch_beyond_the_contig_is_refused(fasta: Path, start: int, end: int) -> None:
    with Genome.open(fasta) as genome:
        with pytest.raises(SewallError, match="chr1 has 15 letters"):
            genome.sequence("chr1", start, end)
        with pytest.raises(SewallError, match="no contig chr9; its contigs are chr1, chr2"):
            genome.sequence("chr9", 0, 2)


def test_names_with_and_without_chr(fasta: Path) -> None:
    with Genome.open(fasta) as genome:
        assert genome.names_of(["1", "chr2"], "a.bed") == {"1": "chr1", "chr2": "chr2"}
        with pytest.raises(SewallError, match=r"a\.bed: contig 7 .*names 1, 7; genome\.fa has chr1, chr2"):
            genome.names_of(["1", "7"], "a.bed")
        with pytest.raises(SewallError, match="chr1 goes by two names"):
            genome.names_of(["1", "chr1"], "a.bed")


def test_a_name_that_could_mean_two_contigs_means_neither(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(">chrM\nACGT\n>MT\nAC\n>1\nAC\n")
    with Genome.open(path) as genome:
        assert genome.names_of(["MT", "chr1"], "a.bed") == {"MT": "MT", "chr1": "1"}
        with pytest.raises(SewallError, match="contig Mito is not in the genome"):
            genome.names_of(["Mito"], "a.bed")


def test_the_yeast_genome(shared: Path) -> None:
    with Genome.open(shared / "sacCer3" / "sacCer3.fa.gz") as genome:
        assert sum(genome.lengths.values()) == 12_157_105
        assert genome.names_of(["IV", "Mito"], "genes.gff3") == {"IV": "chrIV", "Mito": "chrM"}
        assert genome.sequence("chrIV", 1_801, 1_804) == "ATG"  # gene YDL248W


def test_the_lambda_genome_goes_by_its_first_word(shared: Path, tmp_path: Path) -> None:
    copy = tmp_path / "lambda.fa.gz"
    shutil.copy(shared / "lambda" / "lambda_virus.fa.gz", copy)
    with Genome.open(copy) as genome:
        assert dict(genome.lengths) == {"gi|9626243|ref|NC_001416.1|": 48_502}
