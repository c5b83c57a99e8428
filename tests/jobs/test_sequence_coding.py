"""The rung of reading frames."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall.data.sequences import packed
from sewall.encode.dna import spelled
from sewall.jobs.sequence.coding_model import ReadingFrames
from sewall.jobs.sequence.form import Form
from sewall.jobs.sequence.source import Strands
from sewall.jobs.sequence.task import SequenceTask
from sewall.task import Examples, Target

SENSE = [spelled(number, 3) for number in range(64) if number not in (48, 50, 56)]
TWO = Target("kind", "", "identity", 0, 1, ("coding", "not"))


def transcripts(number: int, seed: int = 1) -> Examples:
    """Return transcripts of which every other one has a frame of 90 codons, unevenly used; in groups of four."""
    rng = np.random.default_rng(seed)
    chances = np.random.default_rng(0).dirichlet(np.ones(len(SENSE)))
    texts = []
    for k in range(number):
        around = ["".join(rng.choice(list("ACGT"), int(rng.integers(20, 200)))) for _ in range(2)]
        inside = "".join(rng.choice(SENSE if k % 2 == 0 else list("ACGT"), 90 if k % 2 == 0 else 270,
                                    p=chances if k % 2 == 0 else None))  # fmt: skip
        texts.append(around[0] + inside + around[1])
    names = [f"t{seed}.{k}" for k in range(number)]
    labels = np.arange(number) % 2.0
    return Examples(pd.DataFrame({"sequence_id": names}), Strands(packed(names, texts)), labels, np.arange(number) // 4)


@pytest.fixture(scope="module")
def known() -> Examples:
    return transcripts(300)


@pytest.fixture(scope="module")
def fitted(known: Examples) -> ReadingFrames:
    return ReadingFrames(TWO, 5).fit(known, np.arange(240))


def test_coding_is_told_from_noise_whichever_class_it_is(known: Examples, fitted: ReadingFrames) -> None:
    rows = np.arange(240, 300)
    answers = fitted.predict(known, rows)
    assert np.allclose(np.exp(answers).sum(axis=1), 1)
    assert (answers.argmax(axis=1) == known.target[rows]).mean() > 0.95
    turned = known.labelled(1 - known.target)
    other = ReadingFrames(TWO, 5).fit(turned, np.arange(240)).predict(turned, rows)
    np.testing.assert_allclose(other[:, ::-1], answers, atol=0.2)


def test_it_depends_on_its_rows_and_seed_alone(known: Examples, fitted: ReadingFrames) -> None:
    rows = np.arange(250, 300)
    wrong = known.target.copy()
    wrong[240:] = 1 - wrong[240:]
    again = ReadingFrames(TWO, 5).fit(known.labelled(wrong), np.arange(240)).predict(known, rows)
    np.testing.assert_array_equal(again, fitted.predict(known, rows))
    one = fitted.predict(known, rows[:1])
    np.testing.assert_allclose(one, again[:1])
    assert fitted.predict(known, rows[:0]).shape == (0, 2)


def test_it_survives_its_state(known: Examples, fitted: ReadingFrames) -> None:
    state = {name: np.asarray(values) for name, values in fitted.state().items()}
    assert all(values.dtype.kind in "fiub" for values in state.values())
    again = ReadingFrames(TWO, 0).with_state(state)
    rows = np.arange(240, 300)
    np.testing.assert_array_equal(again.predict(known, rows), fitted.predict(known, rows))
    assert again.parameters == fitted.parameters > 3 * 4**6


def test_training_numbers_are_not_flattered() -> None:
    """Where classes are alike, trees that saw codon use learnt from their own transcripts would call every one."""
    alike = transcripts(240)
    alike = alike.labelled(np.random.default_rng(1).integers(0, 2, 240).astype(float))
    model = ReadingFrames(TWO, 1).fit(alike, np.arange(160))
    loss = -model.predict(alike, np.arange(160, 240))[np.arange(80), alike.target[160:].astype(int)].mean()
    assert loss < 0.9  # of 0.69 that is due


def test_several_classes_and_one_that_a_fit_does_not_see(known: Examples) -> None:
    three = Target("kind", "", "identity", 0, 3, ("coding", "not", "short", "never"))
    short = np.arange(300) % 3 == 0
    labelled = known.labelled(np.where(short, 2.0, known.target))
    model = ReadingFrames(three, 1).fit(labelled, np.arange(240))
    answers = model.predict(labelled, np.arange(240, 300))
    assert answers.shape == (60, 4) and np.allclose(np.exp(answers).sum(axis=1), 1)
    assert np.exp(answers[:, 3]).max() < 0.01
    assert len(model.uses) == 4


def test_quantities_are_told_by_their_thirds(known: Examples) -> None:
    amount = Target("amount", "", "log", 1, 100)
    noise = np.random.default_rng(2).normal(0, 0.2, 300)
    labelled = known.labelled(np.exp(2 - known.target + noise))
    answers = ReadingFrames(amount, 1).fit(labelled, np.arange(240)).predict(labelled, np.arange(240, 300))
    truth = np.log(labelled.target[240:])
    assert answers.shape == (60,)
    assert 1 - ((answers - truth) ** 2).mean() / truth.var() > 0.7


@pytest.mark.parametrize("rows", [np.array([0, 1]), np.array([0, 2, 4]), np.arange(12)])
def test_few_transcripts_or_one_class_do_not_stop_it(known: Examples, rows: np.ndarray) -> None:
    model = ReadingFrames(TWO, 1).fit(known, rows)
    assert np.isfinite(model.predict(known, np.arange(20))).all()
    again = ReadingFrames(TWO, 1).with_state(model.state())
    np.testing.assert_array_equal(again.predict(known, np.arange(9)), model.predict(known, np.arange(9)))


def test_the_ladder_has_the_rung_where_frames_may_tell() -> None:
    assert "coding" in {
        model.key for model in SequenceTask(TWO, Form(strands=1, equal=False, frames=True)).simple_models(1)
    }
    assert "coding" not in {model.key for model in SequenceTask(TWO, Form()).simple_models(1)}


@pytest.mark.slow
@pytest.mark.skipif("SEWALL_DATA" not in os.environ, reason="needs SEWALL_DATA: transcripts of the mouse")
def test_noncoding_transcripts_of_the_mouse() -> None:
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    from sequence_sets import noncoding

    table = noncoding().train
    names, kinds = table["sequence_id"].tolist(), (table["label"] == "positive").to_numpy(float)
    source = Strands(packed(names, table["sequence"].tolist()))
    examples = Examples(pd.DataFrame({"sequence_id": names}), source, kinds, table["group"].to_numpy())
    genes, member = np.unique(examples.groups, return_inverse=True)
    held = (np.random.default_rng(0).permutation(len(genes)) % 5)[member] == 0
    model = ReadingFrames(TWO, 1).fit(examples, np.flatnonzero(~held))
    called = model.predict(examples, np.flatnonzero(held)).argmax(axis=1)
    assert (called == kinds[held]).mean() > 0.92
