"""Sequences without anything to learn, and what fewer sequences would have taught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from sewall.crossfit import NETWORK, Fits, Question, fit_all
from sewall.data.sequences import packed
from sewall.folds import divide
from sewall.jobs.sequence.form import Form
from sewall.jobs.sequence.learning_curve import learning_curve
from sewall.jobs.sequence.source import Strands
from sewall.jobs.sequence.task import SequenceTask
from sewall.jobs.sequence.verdicts import verdict_of
from sewall.stacking import nested
from sewall.task import Examples, Target
from sewall.train import TrainConfig
from sewall.trust.compare import compare

QUICK = TrainConfig(epochs=2, patience=2, batch=64, members=1)
MOTIF = "TGACTCAT"


def asked(labels: NDArray[np.float64], seed: int, length: int = 30) -> Question:
    """Return random sequences in pairs; those with an even number hold most of a motif, somewhere."""
    rng, number = np.random.default_rng(seed), len(labels)
    texts = ["".join(rng.choice(list("ACGT"), length)) for _ in range(number)]
    for k in range(0, number, 2):
        place, motif = int(rng.integers(length - len(MOTIF))), list(MOTIF)
        for spot in rng.permutation(len(MOTIF))[:2]:
            motif[spot] = str(rng.choice(list("ACGT")))
        texts[k] = texts[k][:place] + "".join(motif) + texts[k][place + len(MOTIF) :]
    names = [f"q{k}" for k in range(number)]
    keys, pairs = pd.DataFrame({"sequence_id": names}), np.arange(number) // 2
    examples = Examples(keys, Strands(packed(names, texts)), labels, pairs)
    task = SequenceTask(Target("label", "", "identity", 0, 1, ("bound", "free")), Form(), QUICK)
    return Question(task, examples, divide(task, examples, 3, 1))


def judged(question: Question, fits: Fits) -> dict[str, Any]:
    """Return the scores of a cross-fit, as far as curve and verdict ask for them."""
    assert question.examples.target is not None
    found = nested(question.task, fits, question.examples.target)
    answers = {key: question.task.target.backward(values) for key, values in found.answers.items()}
    order = {key: number for number, key in enumerate(answers)}
    compared = compare(question.examples.target, answers, order, "auroc", 1, repeats=200, seconds=fits.seconds)
    names = {key: key for key in answers}
    return {"n": len(found.rows), "metric": "auroc", "stack": {"names": names}, **compared.to_dict()}


def test_permuted_labels_give_chance_and_no_signal(tmp_path: Path) -> None:
    labels = np.random.default_rng(2).permutation(np.tile([0.0, 1.0], 120))
    question = asked(labels, 1)
    (fits,) = fit_all([question], QUICK, tmp_path, 1, pairs=False)
    scores = judged(question, fits)
    error = np.sqrt((240 + 1) / (12 * 120 * 120))  # of an AUROC without signal
    for model in scores["models"]:
        assert abs(model["metrics"]["auroc"]["value"] - 0.5) < 3 * error, model["key"]
    verdict = verdict_of(scores, [])
    assert (verdict.word, verdict.status) == ("no_signal", "small_sample")


@pytest.fixture(scope="module")
def question() -> Question:
    return asked(np.tile([0.0, 1.0], 120), 3)


@pytest.fixture(scope="module")
def fits(question: Question, tmp_path_factory: pytest.TempPathFactory) -> Fits:
    return fit_all([question], QUICK, tmp_path_factory.mktemp("fits"), 1, pairs=False)[0]


@pytest.fixture(scope="module")
def scores(question: Question, fits: Fits) -> dict[str, Any]:
    return judged(question, fits)


def test_seconds_are_known_of_every_model(fits: Fits, scores: dict[str, Any]) -> None:
    assert set(fits.seconds) == {*fits.models, NETWORK}
    assert all(seconds > 0 for seconds in fits.seconds.values())
    known = {model["key"]: model["seconds"] for model in scores["models"]}
    assert known[NETWORK] == fits.seconds[NETWORK] > known["prior"]


@pytest.fixture(scope="module")
def curve(question: Question, fits: Fits, scores: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sewall.jobs.sequence.learning_curve.config_of", lambda _: QUICK)
        return learning_curve(question, fits, scores, tmp_path_factory.mktemp("curve"), 5, "cpu", 1)


def test_a_curve_ends_where_the_cross_fit_does(curve: dict[str, Any], question: Question, fits: Fits) -> None:
    assert set(curve["models"]) == {"kmers", "gapped", NETWORK}
    assert [point["n"] for point in curve["models"]["kmers"]] == [40, 80, 160]
    assert curve["held_out"] == 160
    assert question.examples.target is not None
    held = np.concatenate([question.folds.rows(k) for k in (0, 1)])
    answer = np.concatenate([fits.answers[(k,)]["kmers"][question.folds.rows(k)] for k in (0, 1)])
    whole = compare(question.examples.target[held], {"kmers": np.exp(answer)}, {"kmers": 1}, "auroc", 1, repeats=5)
    last = curve["models"]["kmers"][-1]
    assert last["value"] == pytest.approx(whole.models[0].metrics["auroc"].value)
    assert last["lower"] < last["value"] < last["upper"]


def test_what_is_learnt_grows_and_the_word_says_so(curve: dict[str, Any]) -> None:
    first, *_, last = curve["models"]["gapped"]
    assert last["value"] > first["value"] + 0.02
    assert curve["from_half"]["lower"] <= curve["from_half"]["value"] <= curve["from_half"]["upper"]
    assert curve["verdict"] in ("too_few", "more_data_would_help", "undecided")
    assert "sequences" in curve["said"]
    assert curve["overtakes"] is None  # after two epochs
    assert "does not overtake" in curve["said"]
