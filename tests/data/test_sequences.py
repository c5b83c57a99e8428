"""Sequences and the files they come in."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from sewall.data.sequence_files import read_sequences
from sewall.data.sequences import joined, packed
from sewall.errors import SewallError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_letters_are_sets_of_bases_whatever_their_case() -> None:
    sequences = packed(["a", "b"], ["acGTu", "NRy"])
    assert [sequences.text(0), sequences.text(1)] == ["ACGTT", "NRY"]
    assert sequences.lower.tolist() == [0.6, 1 / 3]
    assert sequences.take(np.array([1, 0])).text(1) == "ACGTT"


@pytest.mark.parametrize(
    ("texts", "said"),
    [(["ACGT", ""], "the sequence b has no letters"), (["ACGT", "MKVLE"], "protein"), (["AC-GT", "A"], "aligned"),
     (["ACJ", "A"], "IUPAC")],
)  # fmt: skip
def test_what_is_no_dna_is_refused(texts: list[str], said: str) -> None:
    with pytest.raises(SewallError, match=said):
        packed(["a", "b"], texts)


def test_names_must_differ_within_and_between_sets() -> None:
    with pytest.raises(SewallError, match="name a is given to more than one"):
        packed(["a", "a"], ["A", "C"])
    with pytest.raises(SewallError, match="between files"):
        joined([packed(["a"], ["A"]), packed(["a"], ["C"])])


def test_fasta_is_read_wrapped_gzipped_and_with_any_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.fa.gz"
    path.write_bytes(gzip.compress(b">one first label=yes\r\nACGT\r\nacgu\r\n\r\n>two label=no\r\nNNNN\r\n"))
    found = read_sequences(path)
    assert found.sequences.ids == ("one", "two")
    assert found.sequences.text(0) == "ACGTACGT"
    assert found.columns == {"label": ["yes", "no"]}


def test_parts_of_headers_between_bars_are_columns_where_all_have_them(tmp_path: Path) -> None:
    found = read_sequences(write(tmp_path / "x.fa", ">t1|g1|CDS:1-9|\nACGT\n>t2|g2\nACCC\n"))
    assert found.sequences.ids == ("t1|g1|CDS:1-9|", "t2|g2")
    assert found.columns == {"field1": ["t1", "t2"], "field2": ["g1", "g2"]}


def test_headers_that_are_nothing_but_labels_are_labels(tmp_path: Path) -> None:
    found = read_sequences(write(tmp_path / "x.fa", ">1\nAC\n>0\nGT\n" * 10))
    assert found.sequences.ids[:2] == ("s1", "s2")
    assert found.columns["label"] == ["1", "0"] * 10
    assert "headers are labels" in found.notes[0]


def test_tables_give_sequences_and_everything_else_as_text(tmp_path: Path) -> None:
    found = read_sequences(write(tmp_path / "x.tsv", "sequence_id\tsequence\tlabel\n007\tacgt\t1\n8\tGG\t0\n"))
    assert found.sequences.ids == ("007", "8")
    assert found.columns == {"label": ["1", "0"]}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("x.fa", "", "the file is empty"), ("x.fa", ">a\n>b\nAC\n", "line 1: the record a has no sequence"),
     ("x.fa", ">a\nAC\n>a\nAC\n", "name a is given to more than one"), ("x.fa", ">a\nMSTV\n>b\nQQ\n", "protein"),
     ("x.fa", ">\nAC\n", "has no name"),
     ("x.tsv", "id\tseq\n1\tAC\n", "neither FASTA nor a table with the column sequence"),
     ("x.tsv", "sequence\tlabel\nAC\n", "line 2: has 1 columns, not 2"), ("x.tsv", "sequence\tlabel\n", "no sequences"),
     ("x.tsv", "sequence\ta\ta\nAC\t1\t2\n", "occurs twice")],
)  # fmt: skip
def test_broken_files_are_refused_in_one_line_that_names_them(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(SewallError, match=said) as problem:
        read_sequences(path)
    assert str(problem.value).startswith(str(path))
    assert "\n" not in str(problem.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match=r"none\.fa: no such file"):
        read_sequences(tmp_path / "none.fa")
