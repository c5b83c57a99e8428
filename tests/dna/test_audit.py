"""The audit finds every planted fault, says nothing of a clean set, and leaves a clean one behind."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sewall.data.sequences import Sequences, packed
from sewall.dna.audit import AMBIGUOUS, COPIES, NEAR_COPIES, TWO_LABELS, Audit, audit, clean
from sewall.dna.confounders import confounders
from sewall.dna.kinship import first_copies

TRAIN, TEST, LENGTH = 1_100, 400, 200
A, B, C, D = 10, 20, TRAIN + 10, TRAIN + 20  # two of training and two that are held out


@dataclass
class Set:
    """A set that can still be spoiled: texts, labels, parts and groups."""

    texts: list[str]
    labels: NDArray[Any]
    parts: NDArray[np.str_]
    groups: NDArray[np.str_]

    @property
    def sequences(self) -> Sequences:
        return packed([f"s{row}" for row in range(len(self.texts))], self.texts)

    def audited(self, **more: Any) -> Audit:
        return audit(self.sequences, {"bound": self.labels}, self.groups, self.parts, **more)


def spotless(dna: Any) -> Set:
    number = TRAIN + TEST
    labels = dna.rng.permutation(np.array(["no", "yes"] * (number // 2)))
    labels[[A, C]], labels[[B, D]] = "yes", "no"
    groups = np.array([f"{'train' if row < TRAIN else 'test'}{row // 3}" for row in range(number)])
    groups[[B, D]] = groups[[A, C]]  # who is alike within a part is of one group
    parts = np.array(["train"] * TRAIN + ["test"] * TEST)
    return Set([dna.text(LENGTH) for _ in range(number)], labels, parts, groups)


def copy_of(source: int, to: int, changes: int = 0, indels: int = 0, other_strand: bool = False) -> Callable[..., None]:
    def spoil(dna: Any, it: Set) -> None:
        text = dna.mutated(it.texts[source], changes, indels)
        it.texts[to] = dna.turned(text) if other_strand else text
        it.labels[to] = it.labels[source]

    return spoil


def with_other_label(spoil: Callable[..., None], to: int) -> Callable[..., None]:
    def spoil_more(dna: Any, it: Set) -> None:
        spoil(dna, it)
        it.labels[to] = {"yes": "no", "no": "yes"}[str(it.labels[to])]

    return spoil_more


def of_each(change: Callable[[Any, str], str], label: str = "no") -> Callable[..., None]:
    """Do something to all sequences of a class."""

    def spoil(dna: Any, it: Set) -> None:
        it.texts = [change(dna, text) if own == label else text for text, own in zip(it.texts, it.labels, strict=True)]

    return spoil


def shared_half(source: int, to: int) -> Callable[..., None]:
    def spoil(dna: Any, it: Set) -> None:
        it.texts[to] = dna.text(70) + dna.mutated(it.texts[source][:130], 13)
        it.labels[to] = it.labels[source]

    return spoil


def unknown(dna: Any, it: Set) -> None:
    it.texts[A] = it.texts[A][:100] + "N" * 40 + it.texts[A][140:]


def in_order(dna: Any, it: Set) -> None:
    it.labels = np.sort(it.labels)


def in_blocks(dna: Any, it: Set) -> None:
    it.labels = np.array(["yes", "no"])[np.arange(len(it.labels)) // 50 % 2]


def straddling(dna: Any, it: Set) -> None:
    it.groups[C] = it.groups[A]


def apart(dna: Any, it: Set) -> None:
    it.texts[B], it.groups[B] = dna.mutated(it.texts[A], 4), "elsewhere"
    it.labels[B] = it.labels[A]


def uneven(dna: Any, it: Set) -> None:
    it.labels[dna.rng.permutation(len(it.labels))[:1_300]] = "no"


FAULTS: dict[str, tuple[str, str, Callable[..., None]]] = {
    "copy within a part": ("copy", "warn", copy_of(A, B)),
    "copy in the test": ("leak: copy", "fail", copy_of(A, C)),
    "reverse complement within a part": ("reverse complement", "warn", copy_of(A, B, other_strand=True)),
    "reverse complement in the test": ("leak: reverse complement", "fail", copy_of(A, C, other_strand=True)),
    "near copy within a part": ("near copy", "warn", copy_of(A, B, 4, 1)),
    "near copy in the test": ("leak: near copy", "warn", copy_of(A, C, 4, 2, True)),
    "80 % identity within a part": ("similar", "warn", copy_of(C, D, 36, 3)),
    "80 % identity in the test": ("leak: similar", "warn", copy_of(B, D, 36, 3, True)),
    "half shared within a part": ("relative", "warn", shared_half(A, B)),
    "half shared with the test": ("leak: relative", "warn", shared_half(A, D)),
    "two labels": ("conflict", "warn", with_other_label(copy_of(A, B), B)),
    "two labels on two strands": ("conflict", "warn", with_other_label(copy_of(A, B, other_strand=True), B)),
    "two labels of near copies": ("near conflict", "warn", with_other_label(copy_of(A, B, 3), B)),
    "negatives of other GC": ("gc", "fail", of_each(lambda dna, text: dna.text(LENGTH, 0.42))),
    "negatives of slightly other GC": ("gc", "warn", of_each(lambda dna, text: dna.text(LENGTH, 0.47))),
    "longer positives": ("length", "fail", of_each(lambda dna, text: text + dna.text(int(dna.rng.integers(9))), "yes")),
    "negatives in lower case": ("lower", "fail", of_each(lambda dna, text: text[:40].lower() + text[40:])),
    "negatives with ambiguous letters": ("n_share", "fail", of_each(lambda dna, text: text[:-1] + "N")),
    "a primer's first base": ("first_base", "fail", of_each(lambda dna, text: "G" + text[1:])),
    "repeats in negatives": ("complexity", "fail", of_each(lambda dna, text: text[:150] + "CA" * 25)),
    "CpG-poor negatives": ("cpg", "fail", of_each(lambda dna, text: text.replace("CG", "GC"))),
    "an N-rich sequence": ("ambiguous", "warn", unknown),
    "ordered by label": ("order", "warn", in_order),
    "blocks of one label": ("order", "warn", in_blocks),
    "a group in two parts": ("leak: groups", "fail", straddling),
    "near copies in two groups": ("groups", "warn", apart),
    "few of a class": ("classes", "warn", uneven),
}


@pytest.mark.parametrize("seed", range(4))
def test_a_clean_set_passes(simulated, seed):
    assert [
        finding for finding in spotless(simulated(seed)).audited(seed=seed).findings if finding.status != "pass"
    ] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(simulated, fault):
    check, status, spoil = FAULTS[fault]
    dna = simulated(11)
    it = spotless(dna)
    spoil(dna, it)
    found = it.audited().finding(check)
    assert (found.status, bool(found.what), bool(found.advice)) == (status, True, True)


def test_twenty_faults_in_one_set_are_all_found(simulated):
    """Pairs are planted where they do not meet; each must be named, and no other sequence."""
    dna = simulated(12)
    it = spotless(dna)
    planted = {}
    kinds = [(0, 0, False), (0, 0, True), (6, 1, False), (6, 0, True), (37, 3, False), (38, 2, True), (30, 3, False)]
    for k in range(20):
        source, to = 3 * k, (3 * k + 100) if k % 2 else TRAIN + 3 * k
        copy_of(source, to, *kinds[k % len(kinds)])(dna, it)
        planted[(source, to)] = k
    found = it.audited()
    assert set(zip(found.kin.table["first"], found.kin.table["second"], strict=True)) == set(planted)
    leaked = sum(
        finding.count for finding in found.findings if finding.check.startswith("leak: ") and finding.of == TEST
    )
    assert leaked == 10


def test_one_near_copy_too_many_fails(simulated):
    dna = simulated(13)
    it = spotless(dna)
    for k in range(3):  # 3 of 400 are more than half a per cent
        copy_of(3 * k, TRAIN + 3 * k, 4)(dna, it)
    found = it.audited().finding("leak: near copy")
    assert (found.status, found.count, found.of) == ("fail", 3, TEST)
    assert found.first[0] == f"s{TRAIN} ~ s0"


def test_reverse_complements_are_no_copies_where_strands_are_told_apart(simulated):
    dna = simulated(14)
    it = spotless(dna)
    copy_of(A, C, other_strand=True)(dna, it)
    found = it.audited(stranded=True)
    assert found.finding("leak: reverse complement").status == "pass"
    assert found.finding("leak: reverse complement").count == 1
    assert found.status == "pass"


def test_the_order_of_two_files_says_nothing(simulated):
    dna = simulated(15)
    it = spotless(dna)
    in_order(dna, it)
    for ordered, status in ((True, "warn"), (False, "pass")):
        assert audit(it.sequences, {"bound": it.labels}, ordered=ordered).status == status


def test_what_is_too_little_fails(simulated):
    dna = simulated(16)
    texts = [dna.text(60) for _ in range(12)]
    of = packed([f"s{k}" for k in range(12)], texts)
    assert audit(of, {"bound": np.array(["yes", "no"] * 6)}).finding("size").status == "fail"
    assert audit(of, {"bound": np.array(["yes"] * 12)}).finding("classes").status == "fail"
    assert audit(of, {"strength": np.ones(12)}).finding("classes").status == "fail"
    parts = np.array(["train"] * 6 + ["test"] * 6)
    apart_ = audit(of, {"bound": np.array(["yes"] * 6 + ["no"] * 6)}, parts=parts).finding("classes")
    assert (apart_.status, "no in train" in apart_.what or "yes in test" in apart_.what) == ("fail", True)


def test_without_labels_copies_are_found_all_the_same(simulated):
    dna = simulated(17)
    texts = [dna.text(60) for _ in range(20)]
    found = audit(packed([f"s{k}" for k in range(21)], [*texts, texts[4]]))
    assert found.finding("copy").first == ("s20 ~ s4",)
    assert found.numbers.empty


def test_sequences_too_short_to_compare_are_named(simulated):
    dna = simulated(18)
    found = audit(packed(["a", "b", "c"], [dna.text(60), dna.text(12), dna.text(60)])).finding("short")
    assert (found.status, found.count, found.first) == ("warn", 1, ("b",))


def test_a_quantity_that_follows_gc_is_told(simulated):
    dna = simulated(19)
    gc = dna.rng.uniform(0.3, 0.7, 300)
    sequences = packed([f"s{k}" for k in range(300)], [dna.text(100, share) for share in gc])
    table = confounders(sequences, gc).set_index("number")
    assert table.loc["gc", "status"] == "fail" and table.loc["gc", "towards"] == "large values"
    assert table.loc["length", "status"] == "pass"


def test_the_auroc_of_a_number_is_that_of_scikit_learn(simulated):
    from sklearn.metrics import roc_auc_score

    dna = simulated(20)
    labels = dna.rng.permutation(np.array(["a", "b", "b", "c"] * 50))
    texts = [dna.text(30, 0.6 if own == "c" else 0.5) for own in labels]
    sequences = packed([f"s{k}" for k in range(200)], texts)
    gc = np.array([(text.count("G") + text.count("C")) / 30 for text in texts])
    folded = max(max(auc, 1 - auc) for auc in (roc_auc_score(labels == name, gc) for name in "abc"))
    assert confounders(sequences, labels).set_index("number").loc["gc", "value"] == pytest.approx(folded)


def test_a_clean_set_is_left_behind(simulated):
    dna = simulated(21)
    it = spotless(dna)
    for spoil in (copy_of(A, C), copy_of(B, 30, other_strand=True), copy_of(40, D, 4, 1), copy_of(50, 60, 3),
                  with_other_label(copy_of(70, 80), 80), copy_of(90, 91, 4), copy_of(91, 92, 4)):  # fmt: skip
        spoil(dna, it)
    it.texts[100] = it.texts[100][:150] + "N" * 50
    labels = {"bound": it.labels}
    cleaned = clean(it.sequences, it.audited().kin, labels, it.parts)
    assert cleaned.counts == {TWO_LABELS: 2, AMBIGUOUS: 1, COPIES: 2, NEAR_COPIES: 3 + (92 not in cleaned.rows)}
    assert set(range(TRAIN, TRAIN + TEST)) <= set(cleaned.rows.tolist())  # what is held out stays
    assert not {A, 30, 40, 60, 70, 80, 91, 100} & set(cleaned.rows.tolist())
    rest = audit(it.sequences.take(cleaned.rows), {"bound": it.labels[cleaned.rows]}, parts=it.parts[cleaned.rows])
    bad = {finding.check for finding in rest.findings if finding.status != "pass"}
    assert bad <= {"similar"}  # two steps from the same sequence


def test_a_label_of_a_quantity_conflicts_where_copies_differ_by_a_deviation(simulated):
    dna = simulated(22)
    texts = [dna.text(80) for _ in range(100)]
    values = dna.rng.standard_normal(102)
    values[[0, 100, 1, 101]] = [0, 0.1, -2, 2]
    found = audit(packed([f"s{k}" for k in range(102)], [*texts, texts[0], texts[1]]), {"strength": values})
    assert (found.finding("conflict").count, found.finding("conflict").first[0]) == (1, "s1 ~ s101")


# ------------------------------------------------------------------ real data
DATA = os.environ.get("SEWALL_DATA")
real = pytest.mark.skipif(DATA is None, reason="SEWALL_DATA does not point to the real data")


def fasta(name: str, part: str) -> tuple[list[str], list[str]]:
    path = Path(str(DATA)) / "tfbs" / f"{name}.{part}.fasta.gz"
    with gzip.open(path, "rt") as lines:
        records = [record.split("\n", 1) for record in lines.read().split(">")[1:]]
    return [label.strip() for label, _ in records], ["".join(text.split()) for _, text in records]


def tfbs(name: str) -> tuple[Sequences, NDArray[np.str_], NDArray[np.str_]]:
    (labels, texts), (others, more) = fasta(name, "train"), fasta(name, "test")
    ids = [f"train{k}" for k in range(len(texts))] + [f"test{k}" for k in range(len(more))]
    parts = np.array(["train"] * len(texts) + ["test"] * len(more))
    return packed(ids, texts + more), np.array(labels + others), parts


@real
@pytest.mark.parametrize("name, copies", [
    ("EP300", 0), ("JUND", 1), ("SIN3A", 3), ("EP300_47848", 0), ("KAT2B", 0), ("TP53", 0), ("ZZZ3", 0),
])  # fmt: skip
def test_copies_in_the_test_of_published_sets(name, copies):
    sequences, _, parts = tfbs(name)
    same, _ = first_copies(sequences)
    assert len(set(same[parts == "train"].tolist()) & set(same[parts == "test"].tolist())) == copies


@real
@pytest.mark.parametrize("name, copies, told", [("JUND", 1, True), ("SIN3A", 4, True), ("TP53", 0, False)])
def test_the_audit_of_published_sets(name, copies, told):
    sequences, labels, parts = tfbs(name)
    found = audit(sequences, {"bound": labels}, parts=parts)
    assert found.finding("leak: copy").count == copies  # one of SIN3A's three is in the test twice
    assert (found.finding("gc").status == "fail") == told
    assert found.status == ("fail" if told else "warn")


@real
def test_gc_tells_the_classes_of_one_more_published_set():
    sequences, labels, _ = tfbs("EP300_47848")
    assert confounders(sequences, labels).set_index("number").loc["gc", "value"] > 0.75


@real
def test_the_splice_set_has_185_copies_and_a_conflict():
    lines = (Path(str(DATA)) / "splice" / "splice.data").read_text(encoding="utf-8").split("\n")
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if line.strip()]
    sequences = packed([f"{row[1]} {k}" for k, row in enumerate(rows)], [row[2] for row in rows])
    found = audit(sequences, {"site": np.array([row[0] for row in rows])}, stranded=True)
    assert found.finding("copy").count == 185
    assert found.finding("conflict").count == 1
    assert found.finding("order").status == "warn"
