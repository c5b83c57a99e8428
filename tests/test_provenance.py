from __future__ import annotations

import json
from pathlib import Path

import pytest

import sewall
from sewall import provenance
from sewall.errors import SewallError


def test_digest_changes_with_the_content_not_the_name(tmp_path: Path) -> None:
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).write_text(text)
    a, b, c = (provenance.digest(tmp_path / name) for name in "abc")
    assert a == b != c
    assert a.startswith("content:")


def test_digest_of_a_large_file_sees_start_middle_end_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "_WHOLE", 10)
    monkeypatch.setattr(provenance, "_PIECE", 2)
    file = tmp_path / "a"
    seen = set()
    for content in (b"." * 20, b"x" + b"." * 19, b"." * 10 + b"x" + b"." * 9, b"." * 19 + b"x", b"." * 21):
        file.write_bytes(content)
        seen.add(provenance.digest(file))
    assert len(seen) == 5
    assert {text.split(":")[0] for text in seen} == {"pieces"}


def test_digest_of_a_folder_sees_names_and_sizes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    before = provenance.digest(tmp_path)
    (tmp_path / "log.jsonl").write_text("a rerun that did nothing")
    assert before == provenance.digest(tmp_path)
    (tmp_path / "b").write_text("x")
    assert before != provenance.digest(tmp_path)


def test_digest_of_nothing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="no such file"):
        provenance.digest(tmp_path / "absent")


def test_versions_leave_out_what_is_not_installed() -> None:
    found = provenance.versions(["numpy", "no-such-package"])
    assert set(found) == {"python", "sewall", "numpy"}


def test_citations_are_complete() -> None:
    for citation in provenance.CITATIONS.values():
        assert citation.what and citation.text.endswith(".")
        assert not citation.doi or citation.doi.startswith("10.")


def test_record_is_json_and_sums_the_stages() -> None:
    kept = provenance.record(
        job="recombination",
        verb="map",
        command=["sewall"],
        arguments={},
        seed=1,
        started="2025-01-01T00:00:00+00:00",
        stages={"simulate": 1.25, "train": 2.0},
        inputs=[],
        citations=["msprime"],
        level=0.9,
    )
    assert json.loads(json.dumps(kept)) == kept
    assert (kept["seconds"], kept["level"], kept["sewall"]) == (3.2, 0.9, sewall.__version__)


def test_seeds_differ_and_fit_31_bits() -> None:
    seeds = {provenance.draw_seed() for _ in range(20)}
    assert len(seeds) == 20
    assert max(seeds) < 2**31
