from __future__ import annotations

from pathlib import Path

import pytest

from sewall.data.genes import read_genes
from sewall.errors import SewallError

ROWS = """##gff-version 3
1 x gene 11 60 . - . ID=gene:G1;Name=ABC%201
1 x mRNA 11 60 . - . ID=T1;Parent=gene:G1
1 x exon 41 60 . - . Parent=T1
1 x exon 11 30 . - . Parent=T1
1 x CDS 21 30 . - 1 Parent=T1
1 x CDS 41 55 . - 0 Parent=T1
1 x gene 1 9 . + . ID=gene:G0
1 x CDS 1 9 . + 0 Parent=gene:G0
##FASTA
>1
ACGT
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "genes.gff3"
    path.write_text("\n".join(row if row.startswith("#") else row.replace(" ", "\t") for row in text.split("\n")))
    return path


def test_transcripts_with_their_genes_exons_and_coding_parts(tmp_path: Path) -> None:
    first, second = read_genes(written(tmp_path, ROWS))
    assert (first.gene, first.strand, first.exons, first.coding) == ("G0", "+", ((0, 9),), ((0, 9, 0),))
    assert (second.gene, second.strand) == ("ABC 1", "-")
    assert second.exons == ((10, 30), (40, 60)) and (second.start, second.end) == (10, 60)
    assert second.coding == ((20, 30, 1), (40, 55, 0))


@pytest.mark.parametrize(
    ("row", "reason"),
    [("1 x exon 9 5 . + . Parent=T", "start 9 and end 5"), ("1 x exon 5", "nine columns"),
     ("1 x exon five 9 . + . Parent=T", "nine columns"), ('1 x exon 5 9 . + . gene_id\u00a0"G"', "GTF")],
)  # fmt: skip
def test_a_wrong_line_is_named(tmp_path: Path, row: str, reason: str) -> None:
    path = written(tmp_path, f"##gff-version 3\n{row}\n")
    path.write_text(path.read_text().replace("\u00a0", " "))
    with pytest.raises(SewallError, match=rf"genes\.gff3, line 2: .*{reason}"):
        read_genes(path)


def test_files_without_genes(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="holds no exons"):
        read_genes(written(tmp_path, "1 x gene 5 9 . + . ID=G\n"))
    with pytest.raises(SewallError, match="no such file"):
        read_genes(tmp_path / "none.gff3")
