"""Words in headers that tell the classes are found, and names are not taken for words."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from sewall.data.sequences import packed
from sewall.dna.audit import audit
from sewall.dna.confounders import single_numbers, telling_word, told_by

CODING = np.array(["coding", "not"] * 100)


def word(headers: list[str], labels: np.ndarray = CODING) -> tuple[str, str] | None:
    found = telling_word(headers, labels)
    return None if found is None else (found.word, found.told.status)


@pytest.mark.parametrize("form", ["t{k}|G{k}|{cds}", "t{k} gene:G{k} {cds}", "t{k} {cds} note", "t{k}:{cds}"])
def test_a_word_of_one_class_is_found_with_or_without_numbers(form):
    headers = [form.format(k=k, cds=f"CDS:{k}-{k + 90}" if k % 2 == 0 else "") for k in range(200)]
    assert word(headers) == ("CDS", "fail")
    bare = [form.format(k=k, cds="CDS" if k % 2 == 0 else "") for k in range(200)]
    assert word(bare) == ("CDS", "fail")


@pytest.mark.parametrize("form", [
    "{label}{k}", "{label}_{k}", "s{k} {label}", "s{k}|class={label}|", "s{k}:{mark}", "chr{k}:{k}-900",
    "{label}.peak{k}",
])  # fmt: skip
def test_names_labels_and_marks_are_no_words(form):
    headers = [form.format(k=k, label=own, mark="shuffled1" if own == "not" else "") for k, own in enumerate(CODING)]
    assert word(headers) is None or word(headers)[1] == "pass"


@pytest.mark.parametrize("seed", range(10))
def test_words_at_random_pass(seed):
    rng = np.random.default_rng(seed)
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    headers = [f"s{k} {' '.join(rng.choice(words, 4))}" for k in range(200)]
    assert word(headers)[1] == "pass"


def test_a_word_that_goes_with_a_quantity_is_found():
    values = np.random.default_rng(1).normal(size=200)
    headers = [f"s{k} {'strong' if value > 0.5 else 'any'}" for k, value in enumerate(values)]
    found = telling_word(headers, values)
    assert found.told.status == "fail" and found.told.towards in ("large values", "small values")


def test_the_audit_warns_of_headers_and_is_silent_of_names(simulated):
    dna = simulated(1)
    texts, labels = [dna.text(60) for _ in range(200)], {"kind": CODING}
    named = packed([f"t{k}|{'CDS:1-50' if k % 2 == 0 else 'x'}|" for k in range(200)], texts)
    found = audit(named, labels).finding("header")
    assert (found.status, "CDS" in found.what, "1.00" in found.what) == ("warn", True, True)
    plain = packed([f"t{k}" for k in range(200)], texts)
    assert "header" not in {finding.check for finding in audit(plain, labels).findings}
    headers = [f"t{k} CDS" if k % 2 == 0 else f"t{k}" for k in range(200)]
    assert audit(plain, labels, headers=headers).finding("header").status == "warn"


def test_a_base_is_a_flag_for_each_letter():
    flags = single_numbers(packed(["a", "b", "c"], ["AC", "GG", "NT"]))["first_base"]
    assert np.array(flags).T.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert told_by(flags, np.array(["x", "y", "y"])).strength == 1.0


DATA = os.environ.get("SEWALL_DATA")


@pytest.mark.skipif(DATA is None, reason="SEWALL_DATA does not point to the real data")
@pytest.mark.parametrize("files", ["test_Mouse_{}", "validation_Mouse_{}"])
def test_gencode_headers_say_which_transcripts_are_coding(files):
    headers, labels = [], []
    for kind in ("positive", "negative"):
        with gzip.open(Path(str(DATA)) / "lncrna" / f"{files.format(kind)}.txt.gz", "rt") as lines:
            own = [line[1:].strip() for line in lines if line.startswith(">")]
        headers, labels = headers + own, labels + [kind] * len(own)
    found = telling_word(headers, np.array(labels))
    assert (found.word, found.told.towards, found.told.status) == ("CDS", "negative", "fail")
    assert found.told.value(False) > 0.99
