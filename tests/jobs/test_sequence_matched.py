"""A model that knows GC content alone is worth nothing where GC content is matched; one that knows more keeps it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sewall.data.sequences import Sequences, packed
from sewall.dna.audit import audit
from sewall.dna.composition import composition
from sewall.dna.confounders import confounders
from sewall.jobs.sequence.matched_scores import FEWEST, flagged, matched_scores
from sewall.report import sequence_matched
from sewall.report.files import read_run
from sewall.task import Target

BOUND = Target("label", "", "identity", 0, 1, ("free", "bound"))
STRENGTH = Target("strength", "", "identity", 0, 1)
NAMES = {"gc": "GC content", "motif": "a motif", "both": "both"}
MODELS = [{"key": key, "name": name, "parameters": k + 1} for k, (key, name) in enumerate(NAMES.items())]


def drawn(number: int, seed: int, richer: float = 0.08) -> tuple[Sequences, np.ndarray, dict[str, np.ndarray]]:
    """Sequences whose bound half is richer in GC, and what three models say of the classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=number).astype(float)
    shares = np.clip(rng.normal(0.45 + richer * truth, 0.06), 0.05, 0.95)
    texts = ["".join(rng.choice(list("ACGT"), 120, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])) for gc in shares]
    sequences = packed([f"s{k}" for k in range(number)], texts)
    gc = composition(sequences, np.arange(number))["gc"].to_numpy()
    motif = rng.normal(1.5 * truth, 1.0)
    odds = {"gc": 10 * (gc - 0.49), "motif": motif - 0.75, "both": 10 * (gc - 0.49) + motif - 0.75}
    return (
        sequences,
        truth,
        {key: np.column_stack([1 / (1 + np.exp(x)), 1 / (1 + np.exp(-x))]) for key, x in odds.items()},
    )


def values(found: dict[str, Any]) -> dict[str, dict[str, float]]:
    return {model["key"]: model["metrics"][found["metric"]] for model in found["models"]}


@pytest.mark.parametrize("seed", range(3))
def test_what_gc_content_bought_is_gone_and_the_rest_stays(seed):
    sequences, truth, answers = drawn(1_200, seed)
    (found, *more) = matched_scores(BOUND, MODELS, answers, truth, sequences, [], 1)
    assert not more and found["by"] == "GC content" and found["n"] < found["of"] == 1_200
    assert found["alone"]["before"] > 0.7 > 0.54 > found["alone"]["after"]
    after = values(found)
    before = {model["key"]: model["before"] for model in found["models"]}
    assert before["gc"] > 0.7 and after["gc"]["lower"] < 0.53 and after["gc"]["value"] < 0.54
    assert after["motif"]["lower"] < before["motif"] < after["motif"]["upper"]
    assert before["both"] > before["motif"] + 0.02 and after["both"]["value"] < after["motif"]["value"] + 0.01
    assert found["simplest_adequate"] == "motif" and "a motif" in found["verdict"]


def test_of_a_quantity_the_line_is_taken_out():
    sequences, _, _ = drawn(600, 4)
    rng = np.random.default_rng(5)
    gc, signal = composition(sequences, np.arange(600))["gc"].to_numpy(), rng.normal(size=600)
    truth = 20 * gc + signal
    answers = {"gc": gc, "motif": signal + rng.normal(size=600), "both": 20 * gc + signal + rng.normal(size=600)}
    (found, *_) = matched_scores(STRENGTH, MODELS, answers, truth, sequences, [], 1)
    after = values(found)
    assert found["n"] == 600 and found["alone"]["before"] > 0.7 and found["alone"]["after"] < 0.1
    assert np.isnan(after["gc"]["value"]) or abs(after["gc"]["value"]) < 0.05
    assert after["motif"]["value"] == pytest.approx(0.71, abs=0.05) == after["both"]["value"]
    assert found["simplest_adequate"] in ("motif", "both")


def test_numbers_that_fail_the_audit_are_taken_out_too_but_not_the_order():
    sequences, truth, answers = drawn(800, 6, richer=0.14)
    labels = np.array(BOUND.classes)[truth.astype(int)]
    order = np.argsort(labels, kind="stable")
    looked = audit(sequences.take(order), {"label": labels[order]})
    numbers = flagged(looked.numbers)
    assert looked.finding("order").status == "warn" and "position" not in numbers
    assert numbers[0] == "gc" and sum(number.startswith("pair_") for number in numbers) == 1
    found = matched_scores(BOUND, MODELS, answers, truth, sequences, numbers, 1)
    assert [one["number"] for one in found] == numbers
    alone = matched_scores(BOUND, MODELS, answers, truth, sequences, None, 1)
    assert [one["number"] for one in alone] == numbers
    assert flagged(confounders(sequences, np.random.default_rng(1).permutation(labels))) == []


def test_what_has_no_answer_or_label_is_left_out_and_groups_are_drawn_whole():
    sequences, truth, answers = drawn(600, 7)
    truth[:50], answers["gc"][50:80] = np.nan, np.nan
    groups = np.repeat(np.arange(60), 10)
    apart, together = (
        matched_scores(BOUND, MODELS, answers, truth, sequences, [], 1, own)[0] for own in (None, groups)
    )
    assert apart["of"] == together["of"] == 520
    assert values(apart)["both"]["value"] == values(together)["both"]["value"]
    assert values(apart)["both"]["lower"] != values(together)["both"]["lower"]


def test_too_few_that_match_have_no_scores_and_the_page_says_so(tmp_path):
    sequences, truth, answers = drawn(120, 8, richer=0.6)
    found = matched_scores(BOUND, MODELS, answers, truth, sequences, [], 1)
    assert found[0]["n"] < 2 * FEWEST and found[0]["models"] == []
    assert "too few" in page(tmp_path, {"matched": found})


def page(folder: Path, evaluation: dict[str, Any]) -> str:
    (folder / "run.json").write_text(json.dumps({"job": "sequence", "verb": "train"}))
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    section = sequence_matched.section(read_run(folder))
    return "" if section is None else str(section)


def test_the_page_sets_both_scores_side_by_side_and_prefers_the_test(tmp_path):
    sequences, truth, answers = drawn(600, 9)
    found = matched_scores(BOUND, MODELS, answers, truth, sequences, [], 1)
    said = page(tmp_path, {"matched": found})
    assert "How much of it is composition?" in said and "that models did not know" in said
    assert f"{found[0]['models'][0]['before']:.3f}" in said and "difference" in said
    assert "of the test" in page(tmp_path, {"matched": found, "test": {"matched": found}})
    assert page(tmp_path, {}) == ""
