from __future__ import annotations

from pathlib import Path

import pytest

from sewall.data.samples import find_samples, read_sample_list
from sewall.errors import SewallError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.tsv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["sample_id\theight\n007\t1.8\nb b\t2\n", "007\nb b\n\n", "\ufeffsample_id\n007\nb b"])
def test_ids_are_text_and_a_header_is_optional(tmp_path: Path, text: str) -> None:
    assert read_sample_list(written(tmp_path, text)) == ["007", "b b"]


def test_bad_lists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="no such file"):
        read_sample_list(tmp_path / "none.tsv")
    with pytest.raises(SewallError, match=r"people\.tsv: lists no samples"):
        read_sample_list(written(tmp_path, "sample_id\n"))
    with pytest.raises(SewallError, match=r"people\.tsv: sample b occurs more than once"):
        read_sample_list(written(tmp_path, "a\nb\nb\n"))


def test_samples_are_found_in_the_order_asked_for() -> None:
    assert find_samples("x.vcf", ["a", "b", "c"], ["c", "a"]) == [2, 0]
    with pytest.raises(SewallError, match=r"x\.vcf: 2 of 3 listed samples are absent \(q, r\)"):
        find_samples("x.vcf", ["a", "b"], ["a", "q", "r"])
    with pytest.raises(SewallError, match="empty"):
        find_samples("x.vcf", ["a", "b"], [])
