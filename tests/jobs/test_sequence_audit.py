"""The verb ``audit``, from files to files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sewall.data.sequence_files import read_sequences
from sewall.errors import SewallError
from sewall.jobs.sequence.auditing import AuditResult, audit
from sewall.report import sequence, sequence_auditing
from sewall.tables import read_table

TURN = str.maketrans("ACGT", "TGCA")


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sequence._OWN_PAGES, "audit", sequence_auditing.answer)


def texts(number: int, seed: int, gc: float = 0.5) -> list[str]:
    rng = np.random.default_rng(seed)
    shares = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    return ["".join(row) for row in rng.choice(list("ACGT"), (number, 80), p=shares)]


def table(path: Path, rows: list[tuple[str, str, str]], name: str = "t") -> Path:
    lines = [f"{name}{k}\t{text}\t{label}\t{part}" for k, (text, label, part) in enumerate(rows)]
    path.write_text("\n".join(["sequence_id\tsequence\tlabel\tpart", *lines]) + "\n")
    return path


def spoiled(folder: Path, name: str = "set.tsv", more: list[tuple[str, str, str]] | None = None) -> Path:
    letters, labels = texts(300, 1), np.random.default_rng(2).permutation(["yes", "no"] * 150)
    rows = [(text, str(label), "train" if k < 200 else "test") for k, (text, label) in enumerate(
        zip(letters, labels, strict=True))]  # fmt: skip
    return table(folder / name, [*rows, *(more or [])])


def looked(path: Path, folder: Path, **options: object) -> AuditResult:
    return audit(path, out=folder / "out", seed=1, verbosity=0, **options)


def test_a_leaky_split_fails_and_a_clean_file_passes(tmp_path):
    letters = texts(300, 1)
    path = spoiled(tmp_path, more=[(letters[5], "yes", "test"), (letters[7][::-1].translate(TURN), "no", "test")])
    found = looked(path, tmp_path, part="part", clean=tmp_path / "clean.tsv")
    assert found.failed
    assert "fail: 1 of 102 held-out sequences has a copy" in found.summary()
    assert found.cleaned is not None and len(found.cleaned.rows) == 300
    clean = audit(tmp_path / "clean.tsv", out=tmp_path / "again", part="part", verbosity=0)
    assert not clean.failed
    assert not {"t5", "t7"} & set(read_sequences(tmp_path / "clean.tsv").sequences.ids)


def test_the_files_of_a_run_say_what_was_found(tmp_path):
    letters = texts(300, 1)
    path = spoiled(tmp_path, more=[(letters[5], "yes", "test")])
    found = looked(path, tmp_path, part="part")
    folder = tmp_path / "out"
    pairs = read_table(folder / "duplicates.tsv")
    assert pairs.loc[0, ["first", "second", "kind"]].tolist() == ["t5", "t300", "copy"]
    assert pairs.loc[0, ["part_first", "part_second"]].tolist() == ["train", "test"]
    findings = read_table(folder / "findings.tsv")
    assert findings["status"].tolist()[0] == "fail" and set(findings["status"]) == {"fail", "warn", "pass"}
    told = json.loads((folder / "evaluation.json").read_text())["audit"]
    assert told["status"] == "fail" and told["sequences"] == 301
    assert json.loads((folder / "run.json").read_text())["verb"] == "audit"
    page = found.report.read_text()
    for said in ("Not yet: 1 of 101 held-out sequences has a copy", "t300 ~ t5", "GC content, by class", "Pairs"):
        assert said.replace(" ", "") in page.replace("\xa0", "").replace(" ", "")


def test_two_fastas_are_classes_and_their_order_is_none(tmp_path):
    for name, seed, gc in (("pos", 3, 0.65), ("neg", 4, 0.4)):
        lines = "".join(f">{name}{k}\n{text}\n" for k, text in enumerate(texts(100, seed, gc)))
        (tmp_path / f"{name}.fa").write_text(lines)
    found = looked(tmp_path / "pos.fa", tmp_path, negatives=tmp_path / "neg.fa", clean=tmp_path / "clean.fa")
    assert found.audit.finding("gc").status == "fail"
    assert "order" not in {finding.check for finding in found.audit.findings}
    clean = read_sequences(tmp_path / "clean.fa")
    assert clean.columns["label"] == ["positive"] * 100 + ["negative"] * 100


def test_words_in_whole_headers_are_held_against_the_classes(tmp_path):
    for name, seed, more in (("pos", 3, "len=80"), ("neg", 4, "CDS:1-78 len=80")):
        lines = "".join(f">{name}{k} {more}\n{text}\n" for k, text in enumerate(texts(100, seed)))
        (tmp_path / f"{name}.fa").write_text(lines)
    found = looked(tmp_path / "pos.fa", tmp_path, negatives=tmp_path / "neg.fa").audit.finding("header")
    assert (found.status, "the word CDS" in found.what) == ("warn", True)


def test_a_test_file_is_the_other_part(tmp_path):
    first = spoiled(tmp_path)
    letters = texts(300, 1)
    rows = [(text, "yes" if k % 2 else "no", "") for k, text in enumerate([*texts(40, 9), letters[3], letters[3]])]
    test = table(tmp_path / "test.tsv", rows)
    found = looked(first, tmp_path, test=test, clean=tmp_path / "clean.tsv")
    leak = found.audit.finding("leak: copy")
    assert (leak.status, leak.count, leak.of) == ("fail", 2, 42)
    assert set(leak.first) == {"t40:test ~ t3", "t41:test ~ t3"}
    assert "(1 without repeats)" in leak.what
    kept = read_sequences(tmp_path / "clean.tsv").sequences.ids
    assert len(kept) == 299 and "t3" not in kept


def test_without_labels_there_is_an_audit_all_the_same(tmp_path):
    path = tmp_path / "one.fa"
    path.write_text("".join(f">s{k}\n{text}\n" for k, text in enumerate([*texts(60, 5), texts(60, 5)[2]])))
    found = looked(path, tmp_path)
    assert not found.failed and found.audit.finding("copy").count == 1


def test_the_same_command_finds_the_same(tmp_path):
    path = spoiled(tmp_path)
    one = audit(path, out=tmp_path / "a", seed=3, verbosity=0)
    two = audit(path, out=tmp_path / "b", seed=3, verbosity=0)
    assert one.audit.findings == two.audit.findings


@pytest.mark.parametrize("options, said", [
    ({"part": "fold"}, "no column fold"),
    ({"part": "label"}, "should say train of some"),
    ({"clean": "set.tsv"}, "would overwrite an input"),
    ({"clean": "out.txt"}, "should end in .fa, .fasta or .tsv"),
    ({"part": "part", "test": "set.tsv"}, "two ways to give a split"),
    ({"strands": "two"}, "is both"),
    ({"test": "one.fa"}, "no label label"),
    ({"label": "colour"}, "no label colour"),
])  # fmt: skip
def test_what_cannot_be_asked_is_said_in_one_line(tmp_path, options, said):
    path = spoiled(tmp_path)
    (tmp_path / "one.fa").write_text(">a\nACGT\n")
    given = {name: tmp_path / value if value.endswith((".tsv", ".fa", ".txt")) else value
             for name, value in options.items()}  # fmt: skip
    with pytest.raises(SewallError) as raised:
        looked(path, tmp_path, **given)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_cells_with_gaps_do_not_fit_into_fasta(tmp_path):
    letters = texts(60, 6)
    rows = [(text, "not bound" if k % 2 else "bound", "train") for k, text in enumerate(letters)]
    with pytest.raises(SewallError, match=r"give a \.tsv"):
        looked(table(tmp_path / "set.tsv", rows), tmp_path, clean=tmp_path / "clean.fa")
