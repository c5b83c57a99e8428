"""The fixed words of a comparison, each from scores that call for it."""

from __future__ import annotations

from typing import Any

import pytest

from sewall.jobs.sequence.verdicts import PHRASES, verdict_of

LEAK = {"check": "leak: exact copies", "status": "fail"}
OTHER = {"check": "gc", "status": "fail"}


def scores(
    values: dict[str, float], half: float = 0.01, differ: float = 0.01, n: int = 2_000, metric: str = "auroc"
) -> dict[str, Any]:
    """Return scores with intervals of half-width *half*, and of *differ* around their differences."""
    values = {"prior": 0.49, **values, "stack": max(values.values())}
    models = [
        {"key": key, "metrics": {metric: {"value": value, "lower": value - half, "upper": value + half}}}
        for key, value in values.items()
    ]
    keys = list(values)
    differences = [
        {"model": b, "against": a, "value": values[b] - values[a], "lower": values[b] - values[a] - differ,
         "upper": values[b] - values[a] + differ}
        for i, a in enumerate(keys) for b in keys[i + 1 :]
    ]  # fmt: skip
    return {"n": n, "metric": metric, "models": models, "differences": differences}


def ladder(composition: float, kmers: float, gapped: float, small: float, network: float) -> dict[str, float]:
    return {"composition": composition, "network": network, "kmers": kmers, "small": small, "gapped": gapped}


@pytest.mark.parametrize(
    ("found", "word"),
    [(scores(ladder(0.6, 0.85, 0.86, 0.8, 0.95)), "deep_helps"),
     (scores(ladder(0.6, 0.85, 0.86, 0.92, 0.8)), "deep_helps"),  # the small network is one, too
     (scores(ladder(0.6, 0.9, 0.97, 0.8, 0.93)), "deep_is_worse"),
     (scores(ladder(0.6, 0.9, 0.95, 0.8, 0.953)), "simple_is_enough"),
     (scores(ladder(0.6, 0.9, 0.95, 0.8, 0.954), differ=0.0005), "simple_is_enough"),  # sure, and negligible
     (scores(ladder(0.6, 0.9, 0.954, 0.8, 0.9515), differ=0.002), "simple_is_enough"),
     (scores(ladder(0.6, 0.9, 0.95, 0.8, 0.96), differ=0.04), "undecided"),
     (scores(ladder(0.95, 0.95, 0.94, 0.9, 0.9)), "confounded"),
     (scores(ladder(0.95, 0.9, 0.9, 0.9, 0.9)), "confounded"),
     (scores(ladder(0.9, 0.92, 0.93, 0.8, 0.8), differ=0.05), "undecided"),
     (scores(ladder(0.51, 0.5, 0.505, 0.49, 0.5)), "no_signal"),
     (scores(ladder(0.51, 0.5, 0.511, 0.49, 0.5)), "no_signal"),  # of five models one is beyond its own interval
     (scores(ladder(0.1, 0.4, 0.5, 0.3, 0.7), metric="pearson"), "deep_helps"),
     (scores({**ladder(0.0, -0.01, 0.0, 0.0, 0.01), "prior": -0.02}, metric="pearson"), "no_signal")],
)  # fmt: skip
def test_every_word_has_its_case(found: dict[str, Any], word: str) -> None:
    verdict = verdict_of(found, [OTHER])
    assert verdict.word == word
    assert verdict.status == "ok"
    assert verdict.phrase == PHRASES[word]


def test_a_leak_makes_any_score_invalid() -> None:
    found = scores(ladder(0.6, 0.85, 0.86, 0.8, 0.95))
    assert verdict_of(found, [OTHER, LEAK]).word == "invalid_leak"
    assert verdict_of(found, [LEAK | {"status": "warn"}]).word == "deep_helps"


def test_below_a_thousand_sequences_the_sample_is_small() -> None:
    verdict = verdict_of(scores(ladder(0.6, 0.85, 0.86, 0.8, 0.95), n=999), [])
    assert verdict.to_dict() == {
        "verdict_word": "deep_helps", "verdict_phrase": "the network helps, in a small sample", "status": "small_sample"
    }  # fmt: skip


def test_the_stack_is_no_rung() -> None:
    found = scores(ladder(0.6, 0.9, 0.95, 0.8, 0.95))
    next(m for m in found["models"] if m["key"] == "stack")["metrics"]["auroc"] = {"value": 1, "lower": 1, "upper": 1}
    assert verdict_of(found, []).word == "simple_is_enough"
