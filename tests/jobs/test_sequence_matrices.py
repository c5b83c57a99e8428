"""The rung of weight matrices, by the contract of simple models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from sewall.data.sequences import packed
from sewall.jobs.sequence.form import Form
from sewall.jobs.sequence.matrix_model import MatrixModel
from sewall.jobs.sequence.source import Strands
from sewall.jobs.sequence.task import SequenceTask
from sewall.task import Examples, Target

WORDS = ("TGACTCAT", "GGAAACCC", "CACGTTTG")
CLASSES = ("no", "yes")


def target(classes: tuple[str, ...]) -> Target:
    return Target("label", "", "identity", float("-inf"), float("inf"), classes)


def examples(kinds: int, number: int = 600, seed: int = 1) -> Examples:
    """Return sequences of some kinds: each has its word, the first none."""
    rng = np.random.default_rng(seed)
    texts = ["".join(row) for row in rng.choice(list("ACGT"), (number, 50))]
    labels = np.arange(number) % kinds
    for k, label in enumerate(labels):
        if label:
            texts[k] = texts[k][:20] + WORDS[label - 1] + texts[k][28:]
    sequences = packed([f"s{k}" for k in range(number)], texts)
    return Examples(pd.DataFrame(index=range(number)), Strands(sequences), labels.astype(float))


ROWS, HELD = np.arange(450), np.arange(450, 600)


@pytest.mark.parametrize("classes", [CLASSES, ("none", "one", "two", "three")])
def test_classes_are_told_by_their_words(classes: tuple[str, ...]) -> None:
    data = examples(len(classes))
    fitted = MatrixModel(target(classes), 1).fit(data, ROWS)
    answer = fitted.predict(data, HELD)
    assert np.allclose(np.exp(answer).sum(axis=1), 1)
    assert np.mean(answer.argmax(axis=1) == data.target[HELD]) > 0.9
    found = [fitted.matrices.motif(k).consensus for k in range(len(fitted.matrices))]
    assert len(found) <= len(classes)
    assert all(any(word in consensus for consensus in found) for word in WORDS[: len(classes) - 1])
    assert fitted.parameters >= 22 * (len(classes) - 1) + 3 * 8 * (len(classes) - 1)


def test_quantities_need_no_classes() -> None:
    data = examples(2)
    values = data.target * 2 + np.random.default_rng(2).normal(0, 0.5, 600)
    data = data.labelled(values)
    fitted = MatrixModel(target(()), 2).fit(data, ROWS)
    answer = fitted.predict(data, HELD)
    assert answer.shape == (150,)
    assert np.corrcoef(answer, values[HELD])[0, 1] > 0.8


@pytest.mark.parametrize("shuffled", [False, True], ids=["matrices", "none found"])
def test_a_saved_model_answers_as_before(tmp_path: Path, shuffled: bool) -> None:
    data = examples(2)
    if shuffled:
        data = data.labelled(np.random.default_rng(3).permutation(data.target))
    fitted = MatrixModel(target(CLASSES), 2).fit(data, ROWS)
    assert (len(fitted.matrices) == 0) == shuffled
    save_file({name: np.ascontiguousarray(value) for name, value in fitted.state().items()}, tmp_path / "state")
    again = MatrixModel(target(CLASSES), 2).with_state(load_file(tmp_path / "state"))
    assert np.array_equal(again.predict(data, HELD), fitted.predict(data, HELD))
    assert again.parameters == fitted.parameters
    assert fitted.predict(data, HELD[:0]).shape == (0, 2)


def test_both_strands_are_answered_alike() -> None:
    data = examples(2)
    assert isinstance(data.source, Strands)
    texts = [data.source.sequences.text(k) for k in HELD]
    flipped = [text[::-1].translate(str.maketrans("ACGT", "TGCA")) for text in texts]
    fitted = MatrixModel(target(CLASSES), 2).fit(data, ROWS)
    matrices = fitted.matrices
    there, back = (
        Examples(pd.DataFrame(index=range(150)), Strands(packed([f"s{k}" for k in range(150)], own)))
        for own in (texts, flipped)
    )
    own, other = fitted._numbers(there, np.arange(150)), fitted._numbers(back, np.arange(150))
    assert len(matrices) > 0
    assert np.allclose(own[:, -2 * len(matrices) :], other[:, -2 * len(matrices) :], atol=1e-4)


def test_the_rung_stands_between_composition_and_kmers_where_places_do_not_count() -> None:
    keys = [model.key for model in SequenceTask(target(CLASSES), Form()).simple_models(1)]
    assert keys[:4] == ["prior", "composition", "matrices", "kmers"]
    anchored = [model.key for model in SequenceTask(target(CLASSES), Form(length=40)).simple_models(1)]
    assert "matrices" not in anchored
