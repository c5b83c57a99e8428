"""Answers do not hang on how sequences are written, and which of them hang on a few letters is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sewall import crossrun
from sewall.bundle import Bundle
from sewall.data.sequences import packed
from sewall.dna.small_changes import CHANGES
from sewall.errors import SewallError
from sewall.jobs.sequence import fragility as steadiness
from sewall.jobs.sequence import predict, predicting
from sewall.jobs.sequence.effects import examples_of
from sewall.jobs.sequence.form import Form
from sewall.jobs.sequence.fragility import CHECKED, drawn, fragility
from sewall.jobs.sequence.source import Strands
from sewall.jobs.sequence.task import SequenceTask
from sewall.nets.motif import MotifNet, MotifShape
from sewall.report import sequence_fragility
from sewall.report.files import read_run
from sewall.stacking import STACK, Stack
from sewall.task import Examples, Target
from sewall.trust.support import SupportCheck

LENGTH = 50
PAIR = str.maketrans("ACGT", "TGCA")


def texts(number: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), LENGTH)) for _ in range(number)]


def network(task: SequenceTask, seed: int) -> MotifNet:
    net = MotifNet(task.form.shape, task.form.length, task._head()).eval()
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for weights in net.parameters():
            weights.copy_(torch.from_numpy(rng.normal(0, 0.2, weights.shape)))
    return net


def bundle(classes: tuple[str, ...] = ("free", "bound"), strands: int = 2, anchored: bool = False) -> Any:
    """A bundle whose simple models know GC content, and whose networks know nothing but answer all the same."""
    shape = MotifShape(motifs=8, width=7, pool=2, blocks=1, strands=strands, anchored=anchored)
    target = Target("binding", "", "identity", 0, 1, classes)
    task = SequenceTask(target, Form(strands, LENGTH if anchored else 0, shape=shape))
    given = texts(400, 1)
    gc = np.array([text.count("G") + text.count("C") for text in given], float)
    known = (gc > np.median(gc)).astype(float) if classes else gc / LENGTH
    sequences = packed([str(k) for k in range(400)], given)
    examples, rows = Examples(pd.DataFrame({"sequence_id": sequences.ids}), Strands(sequences), known), np.arange(400)
    models = [
        model.fit(examples, rows[:200]) for model in task.simple_models(1) if model.key in ("prior", "kmers", "gapped")
    ]
    stack = {"base": "prior", "weights": {"kmers": 0.5, "gapped": 0.3, "network": 0.1}}
    about = {
        "job": "sequence", "target": {"name": "binding", "unit": "", "classes": list(classes)}, "column": 0,
        "form": task.form.to_dict(), "stack": stack, "borrowed": [], "abstains": True, "best_simple": "kmers",
        "scores": {}, "scores_in_full": {"target": {"name": "binding", "classes": list(classes)}, "metric": "auroc"},
        "description": "", "trained_on": {}, "limits": [],
    }  # fmt: skip
    nets = [network(task, seed) for seed in range(2)]
    held = rows[200:]
    statistics, place = task.place({}, examples, rows)
    values = statistics.to_numpy(float)
    support = SupportCheck.fit(values[:200], place[:200], values[200:], place[200:], list(statistics.columns))
    answers = crossrun.answers(Bundle(about, nets, models, {}, support), task, examples, held)
    calibration = {
        "answer": answers[STACK], "truth": known[held], "spread": np.ones(200), "stratum": np.zeros(200, int),
        "fold": np.arange(200) % 5, "status": np.zeros(200, int),
    }  # fmt: skip
    return task, Bundle(about, nets, models, calibration, support)


@pytest.fixture(scope="module")
def known() -> Any:
    return bundle()


@pytest.fixture(scope="module")
def place(known: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fragile")
    known[1].save(folder / "bundle")
    return folder


def asked(place: Path, name: str, records: dict[str, str], **options: Any) -> Any:
    (place / f"{name}.fa").write_text("".join(f">{key}\n{text}\n" for key, text in records.items()))
    return predict(place / "bundle", place / f"{name}.fa", out=place / name, **{"seed": 1, "verbosity": 0} | options)


@pytest.fixture(scope="module")
def plain(place: Path) -> Any:
    return asked(place, "plain", {f"q{k}": text for k, text in enumerate(texts(60, 2))})


@pytest.mark.parametrize("how", ["lower", "order", "wrapped", "alone", "threads", "small batches"])
def test_how_sequences_are_written_and_read_changes_nothing(place, plain, monkeypatch, how):
    records = {f"q{k}": text for k, text in enumerate(texts(60, 2))}
    options = {"threads": 2} if how == "threads" else {}
    if how == "lower":
        records = {key: text.lower() for key, text in records.items()}
    elif how == "order":
        records = dict(sorted(records.items(), key=lambda item: item[1]))
    elif how == "wrapped":
        records = {key: "\n".join([text[:7], text[7:31], text[31:]]) for key, text in records.items()}
    elif how == "alone":
        records = {"q17": records["q17"]}
    elif how == "small batches":
        monkeypatch.setattr(MotifNet, "most_at_once", 7)
        monkeypatch.setattr(steadiness, "AT_ONCE", 90)
    found = asked(place, how.replace(" ", "-"), records, **options).table.set_index("sequence_id")
    same = plain.table.set_index("sequence_id").loc[found.index]
    tolerance = 0 if how in ("lower", "wrapped") else 1e-5
    assert np.abs(found["p_bound"] - same["p_bound"]).max() <= tolerance
    assert found["fragile"].tolist() == same["fragile"].tolist()
    assert set(same["fragile"]) == {"yes", "no"} or how == "alone"


def test_threads_of_the_networks_change_nothing(known):
    task, trained = known
    examples, rows = examples_of(packed([str(k) for k in range(40)], texts(40, 3))), np.arange(40)
    one = crossrun.answers(trained, task, examples, rows)[STACK]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert np.allclose(crossrun.answers(trained, task, examples, rows)[STACK], one, atol=1e-5, rtol=0)
    finally:
        torch.set_num_threads(before)


def test_both_strands_get_one_answer(place, plain):
    turned = {f"q{k}": text.translate(PAIR)[::-1] for k, text in enumerate(texts(60, 2))}
    found = asked(place, "turned", turned)
    assert np.allclose(found.table["p_bound"], plain.table["p_bound"], atol=1e-5, rtol=0)


def labels(task: SequenceTask, trained: Bundle, sequences: Any) -> np.ndarray:
    return crossrun.predict(trained, task, examples_of(sequences), 0.9, 1, "few").table["label"].to_numpy()


def test_fragile_is_what_a_small_change_turns(known):
    task, trained = known
    sequences, rows = packed([f"s{k}" for k in range(80)], texts(80, 4)), np.arange(80)
    predicted = crossrun.predict(trained, task, examples_of(sequences), 0.9, 1, "few")
    found = fragility(task, trained, sequences, predicted, rows, seed=5)
    called = labels(task, trained, sequences)
    turned = [labels(task, trained, change.of(sequences, rows, 5)) != called for change in CHANGES]
    assert found.fragile.tolist() == np.any(turned, axis=0).tolist() and 0 < found.fragile.sum() < 80
    for change, own in zip(found.changes, turned, strict=True):
        assert change["flipped"]["value"] == pytest.approx(own.mean())
        assert 0 < change["median"] < change["high"]
    odds = np.abs(np.diff(np.log(predicted.answers[STACK]), axis=1))[:, 0]
    assert odds[found.fragile].mean() < odds[~found.fragile].mean() / 2
    assert [(one["key"], one["n"]) for one in found.exact] == [("case", 80), ("strand", 80)]
    assert all(one["most"] < 1e-5 for one in found.exact)


def test_changes_of_the_log_odds_are_those_of_the_called_class(known):
    task, trained = known
    sequences = packed([f"s{k}" for k in range(30)], texts(30, 6))
    predicted = crossrun.predict(trained, task, examples_of(sequences), 0.9, 1, "few")
    found = fragility(task, trained, sequences, predicted, np.arange(30), seed=1)
    other = crossrun.answers(trained, task, examples_of(CHANGES[2].of(sequences, np.arange(30), 1)), np.arange(30))[
        STACK
    ]
    moved = np.abs(np.diff(other, axis=1)[:, 0] - np.diff(np.log(predicted.answers[STACK]), axis=1)[:, 0])
    assert found.changes[2]["median"] == pytest.approx(np.median(moved), abs=1e-6)
    assert found.changes[2]["high"] == pytest.approx(np.quantile(moved, 0.95), abs=1e-6)


def test_where_places_count_windows_are_not_moved_and_strands_not_turned():
    task, trained = bundle(strands=1, anchored=True)
    sequences = packed([f"s{k}" for k in range(20)], texts(20, 7))
    predicted = crossrun.predict(trained, task, examples_of(sequences), 0.9, 1, "few")
    found = fragility(task, trained, sequences, predicted, np.arange(20), seed=1)
    assert [one["key"] for one in found.changes] == ["substitution", "unknown"]
    assert [one["key"] for one in found.exact] == ["case"]


def test_estimates_are_measured_by_half_their_intervals():
    task, trained = bundle(classes=())
    sequences, rows = packed([f"s{k}" for k in range(110)], texts(110, 8)), np.arange(110)
    predicted = crossrun.predict(trained, task, examples_of(sequences), 0.9, 1, "few")
    found = fragility(task, trained, sequences, predicted, rows, seed=1)
    half = (predicted.table["upper"] - predicted.table["lower"]).to_numpy() / 2
    moved = []
    for change in CHANGES:
        other = crossrun.predict(trained, task, examples_of(change.of(sequences, rows, 1)), 0.9, 1, "few").table
        moved.append(np.abs(other["estimate"] - predicted.table["estimate"]) / half)
    assert found.changes[0]["median"] == pytest.approx(np.median(moved[0]), rel=1e-3)
    assert found.fragile.tolist() == (np.max(moved, axis=0) > 1).tolist()
    assert [one["n"] for one in found.exact] == [CHECKED, CHECKED]


def test_what_has_no_answer_is_not_asked(known):
    task, trained = known
    sequences = packed(["a", "b", "c"], [texts(1, 9)[0], "N" * LENGTH, texts(1, 10)[0]])
    predicted = crossrun.predict(trained, task, examples_of(sequences), 0.9, 1, "few")
    found = fragility(task, trained, sequences, predicted, np.arange(3), seed=1)
    assert found.rows.tolist() == [0, 2] and found.column(3)[1] == ""
    none = fragility(task, trained, sequences, predicted, np.array([1]), seed=1)
    assert none.to_dict()["n"] == 0 and none.changes == []


def test_some_are_asked_or_none_and_it_is_said(place, monkeypatch):
    records = {f"q{k}": text for k, text in enumerate(texts(12, 11))}
    monkeypatch.setattr(predicting, "MOST", 5)
    for asks, number in (("auto", 5), ("never", 0), ("always", 12)):
        found = asked(place, asks, records, fragile=asks)
        assert (found.table["fragile"] != "").tolist() == [True] * number + [False] * (12 - number)
        notes = json.loads((found.folder / "run.json").read_text())["notes"]
        assert any("fragile was asked of" in note for note in notes) == (number < 12)
        assert ("How steady are answers?" in found.report.read_text()) == (number > 0)
    with pytest.raises(SewallError, match="--fragile is auto, always or never"):
        asked(place, "wrong", records, fragile="sometimes")


def test_the_page_says_how_steady_answers_are_and_names_faults(place, plain):
    files = read_run(plain.folder)
    told = files.evaluation["fragility"]
    assert told["n"] == 60 and told["fragile"]["value"] == (plain.table["fragile"] == "yes").mean()
    page = plain.report.read_text()
    assert "window moved by 1 to 3 letters" in page and "get the same answer" in page
    number = (plain.table["fragile"] == "yes").sum()
    assert sequence_fragility.doubts(files)[0][1].startswith(f"{number} answers of 60")
    told["exact"][0]["most"] = 0.2
    found = sequence_fragility.section(files)
    assert found is not None and "fault" in str(found.blocks[1])


def test_rows_of_a_test_are_drawn_in_order_and_from_all():
    rows = drawn(1_000, 1)
    assert len(rows) == 300 == len(set(rows.tolist())) and (np.diff(rows) > 0).all() and rows.max() > 900
    assert drawn(5, 1).tolist() == [0, 1, 2, 3, 4]


def test_models_without_weight_are_not_asked(known, monkeypatch):
    task, trained = known
    lean = steadiness._weighty(trained, task.base)
    assert [model.key for model in lean.simple_models] == ["prior", "kmers", "gapped"]
    stack = {"base": "prior", "weights": {"kmers": 0.0, "gapped": 0.3, "network": 0.1}}
    lighter = steadiness._weighty(Bundle(trained.about | {"stack": stack}, trained.networks, trained.simple_models, {},
                                         trained.support), task.base)  # fmt: skip
    assert [model.key for model in lighter.simple_models] == ["prior", "gapped"]
    assert Stack(task.target, **lighter.about["stack"]).weights == {"gapped": 0.3, "network": 0.1}
