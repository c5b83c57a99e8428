"""The sequence job from end to end, on sequences that are made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sewall.cli import run
from sewall.errors import SewallError
from sewall.jobs.sequence import TrainResult, TrainResults, evaluate, predict, train
from sewall.jobs.sequence.labels import labels_of
from sewall.jobs.sequence.options import TrainOptions
from sewall.jobs.sequence.reading import learnt_and_tested, read_labelled

MOTIF = "TGACTCAT"


def sequences(number: int, length: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(number)]


def table(number: int = 240, length: int = 40, seed: int = 1) -> pd.DataFrame:
    """Return sequences of which the bound half holds a motif."""
    rng, texts = np.random.default_rng(seed), sequences(number, length, seed)
    for k in range(0, number, 2):
        place = int(rng.integers(length - len(MOTIF)))
        texts[k] = texts[k][:place] + MOTIF + texts[k][place + len(MOTIF) :]
    label = ["bound", "free"] * (number // 2)
    names = [f"q{seed}.{k}" for k in range(number)]
    return pd.DataFrame({"sequence_id": names, "sequence": texts, "label": label})


def written(found: pd.DataFrame, path: Path) -> Path:
    found.to_csv(path, sep="\t", index=False)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sequence")


@pytest.fixture(scope="module")
def trained(place: Path) -> TrainResult:
    given, test = written(table(), place / "train.tsv"), written(table(60, seed=2), place / "test.tsv")
    found = train(given, test=test, out=place / "out", seed=1, threads=1, verbosity=0)
    assert isinstance(found, TrainResult)
    return found


def test_a_motif_is_learnt_and_everything_stands_beside_it(trained: TrainResult) -> None:
    scores = trained.evaluation
    assert trained.score("stack")["value"] > 0.95
    assert {m["key"] for m in scores["models"]} == {
        "prior", "composition", "matrices", "kmers", "small", "gapped", "network", "stack"
    }  # fmt: skip
    assert scores["n"] == 240
    assert scores["test"]["n"] == 60
    assert scores["audit"]["status"] in ("pass", "warn")
    assert scores["verdict_word"] in ("simple_is_enough", "deep_is_worse")
    assert scores["status"] == "small_sample"
    assert all(model["seconds"] > 0 for model in scores["models"])
    assert 0.84 <= scores["calibration"]["coverage"]["value"] <= 0.97
    assert trained.table.columns.tolist() == [
        "sequence_id", "label", "p_bound", "p_free", "set", "simple", "support", "network", "measured"
    ]  # fmt: skip
    assert {path.name for path in trained.folder.iterdir()} >= {
        "run.json", "bundle", "predictions.tsv", "models.tsv", "test.tsv", "evaluation.json", "report.html"
    }  # fmt: skip
    page = trained.report.read_text()
    for said in (
        "Can the score be trusted?",
        "Are there enough sequences?",
        "time to fit",
        scores["verdict_phrase"][1:],
    ):
        assert said in page
    assert scores["verdict_word"] in trained.summary()
    assert scores["curve"]["said"] in trained.summary()


def test_predictions_do_not_hang_on_case_strand_or_company(trained: TrainResult, place: Path) -> None:
    new = table(40, seed=3).drop(columns="label")
    flip = str.maketrans("ACGT", "TGCA")
    plain = predict(trained.folder / "bundle", written(new, place / "new.tsv"), out=place / "p1", seed=1, verbosity=0)
    lower = new.assign(sequence=new["sequence"].str.lower())
    flipped = new.assign(sequence=[text.translate(flip)[::-1] for text in new["sequence"]])
    for name, other in (("lower", lower), ("flipped", flipped), ("alone", new.head(3))):
        path = written(other, place / f"{name}.tsv")
        found = predict(trained.folder / "bundle", path, out=place / name, seed=1, verbosity=0)
        assert np.allclose(found.table["p_bound"], plain.table["p_bound"][: len(found.table)], atol=1e-5)
    assert (plain.table["label"] == table(40, seed=3)["label"]).mean() > 0.85


def test_what_is_unlike_the_training_is_outside_and_nothing_is_claimed(trained: TrainResult, place: Path) -> None:
    rich = ["".join(np.random.default_rng(k).choice(list("GC"), 40)) for k in range(30)]
    other = pd.DataFrame({"sequence_id": [f"x{k}" for k in range(30)], "sequence": rich})
    found = predict(trained.folder / "bundle", written(other, place / "gc.tsv"), out=place / "gc", verbosity=0)
    assert (found.table["support"] == "outside").all()
    assert found.table["set"].isna().all()
    short = pd.DataFrame({"sequence_id": ["a", "b"], "sequence": ["ACGTTGCA", "N" * 40]})
    found = predict(trained.folder / "bundle", written(short, place / "short.tsv"), out=place / "short", verbosity=0)
    assert (found.table["support"] != "ok").all()
    assert found.table["p_bound"].isna().tolist() == [False, True]


def test_a_bundle_is_scored_on_labelled_sequences(trained: TrainResult, place: Path) -> None:
    found = evaluate(trained.folder / "bundle", place / "test.tsv", out=place / "scored", seed=1, verbosity=0)
    stack = next(m for m in found.evaluation["models"] if m["key"] == "stack")["metrics"]["auroc"]["value"]
    assert stack == pytest.approx(
        next(m for m in trained.evaluation["test"]["models"] if m["key"] == "stack")["metrics"]["auroc"]["value"]
    )
    assert "measured" in found.table


def test_the_same_seed_gives_the_same_answers_with_any_number_of_workers(trained: TrainResult, place: Path) -> None:
    again = train(place / "train.tsv", test=place / "test.tsv", out=place / "again", seed=1, threads=2, verbosity=0)
    assert isinstance(again, TrainResult)
    pd.testing.assert_frame_equal(again.table, trained.table)
    assert again.evaluation["curve"] == trained.evaluation["curve"]


def test_quantities_several_labels_and_groups(place: Path) -> None:
    found = table(160)
    rng = np.random.default_rng(5)
    counts = found["sequence"].str.count("G") + 3.0 * found["sequence"].str.contains(MOTIF)
    strength = counts + rng.normal(0, 0.5, len(found))
    given = found.assign(strength=strength.round(3), gene=[f"g{k // 4}" for k in range(160)])
    result = train(
        written(given, place / "both.tsv"), label=("strength", "label"), group="gene", folds=3, out=place / "several",
        seed=1, curve=False, threads=1, verbosity=0,
    )  # fmt: skip
    assert isinstance(result, TrainResults)
    strong = result.labels["strength"].evaluation
    assert strong["metric"] == "pearson"
    assert result.labels["strength"].score("stack")["value"] > 0.7
    assert "whole groups together" in strong["held_out"]
    assert {"lower", "upper"} <= set(result.labels["strength"].table)
    assert "Label by label" in result.report.read_text()
    assert result.table["label"].tolist() == ["strength", "label"]


def test_shuffled_negatives_and_one_model_alone(place: Path) -> None:
    texts = table(200)["sequence"][::2]
    fasta = place / "bound.fa"
    fasta.write_text("".join(f">b{k}\n{text}\n" for k, text in enumerate(texts)))
    result = train(
        fasta, shuffled=1, predictor="simplest", strands="one", folds=3, out=place / "shuffled", seed=1, curve=False,
        threads=1, verbosity=0,
    )  # fmt: skip
    assert isinstance(result, TrainResult)
    assert result.evaluation["n"] == 200
    weights = json.loads((place / "shuffled" / "bundle" / "bundle.json").read_text())["stack"]["weights"]
    assert len(weights) <= 1
    assert json.loads((place / "shuffled" / "run.json").read_text())["inputs"][0]["negatives"]


def test_a_split_is_given_by_a_column_or_by_a_file_or_two(tmp_path: Path) -> None:
    found = table(120)
    parts = ["train"] * 90 + ["dev"] * 10 + ["test"] * 20
    columns = TrainOptions.of(sequences=written(found.assign(part=parts), tmp_path / "a.tsv"), out="o", part="part")
    learnt, test = learnt_and_tested(read_labelled(columns), columns)
    assert (len(learnt.sequences), learnt.read.keys["sequence_id"].tolist()) == (90, found["sequence_id"].tolist()[:90])
    assert test is not None
    assert test.labels["label"].told().tolist() == found["label"].astype(str).tolist()[90:]

    files = {}
    for name, own in found.groupby(found["label"].astype(str)):
        files[name] = tmp_path / f"{name}.fa"
        files[name].write_text("".join(f">{row.sequence_id}\n{row.sequence}\n" for row in own.itertuples()))
    one, other = files.values()
    both = TrainOptions.of(sequences=one, negatives=other, test=one, test_negatives=other, out="o")
    learnt, test = learnt_and_tested(read_labelled(both), both)
    assert test is not None
    assert test.labels["label"].told().tolist() == learnt.labels["label"].told().tolist()
    lonely = TrainOptions.of(sequences=one, negatives=other, test_negatives=other, out="o")
    with pytest.raises(SewallError, match="give its first file"):
        learnt_and_tested(learnt, lonely)
    twice = TrainOptions.of(sequences=one, negatives=other, test=one, part="part", out="o")
    with pytest.raises(SewallError, match="--test and --part are two ways"):
        learnt_and_tested(learnt, twice)


@pytest.mark.parametrize(
    ("cells", "kind", "said"),
    [(["a"] * 30, "auto", "it is a in all 30"), ([""] * 5, "auto", "no sequence has one"),
     (["1.5"] * 10 + ["x"], "quantity", "'x' of sequence 11 is not a number"),
     (["a"] * 30 + ["b"] * 3, "auto", "only 3 of 33"), ([f"t{k}" for k in range(300)], "auto", "too many")],
)  # fmt: skip
def test_labels_that_cannot_be_learnt_are_refused(cells: list[str], kind: str, said: str) -> None:
    with pytest.raises(SewallError, match=said):
        labels_of("label", cells, kind)


def test_labels_are_classes_or_quantities() -> None:
    assert labels_of("x", ["0", "1"] * 10).classes == ("0", "1")
    assert labels_of("x", ["10", "9"] * 10).classes == ("9", "10")
    assert labels_of("x", ["0.5", "1", "NA"] * 10).classes == ()
    assert np.isnan(labels_of("x", ["0.5", "1", "NA"] * 10).known[2])


@pytest.mark.parametrize(
    ("options", "said"),
    [({"label": ("none",)}, "no label none"), ({"split": "chromosome"}, "no column chrom"),
     ({"split": "group"}, "name it \\(--group\\)"), ({"group": "gene"}, "no column gene"),
     ({"matched": True}, "give regions"), ({"part": "label"}, "should say train"),
     ({"shuffled": 2, "matched": True}, "three ways")],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line(place: Path, tmp_path: Path, options: Any, said: str) -> None:
    given = written(table(60), tmp_path / "t.tsv")
    with pytest.raises(SewallError, match=said) as problem:
        train(given, out=tmp_path / "out", seed=1, verbosity=0, **options)
    assert "\n" not in str(problem.value)


def test_places_are_anchored_only_in_sequences_of_one_length(tmp_path: Path) -> None:
    found = table(60)
    found.loc[0, "sequence"] += "ACGT"
    with pytest.raises(SewallError, match="40 to 44 letters; cut them to one length"):
        train(written(found, tmp_path / "t.tsv"), places="anchored", out=tmp_path / "out", verbosity=0)


def test_twelve_sequences_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="a class needs 10"):
        train(written(table(12), tmp_path / "t.tsv"), out=tmp_path / "out", verbosity=0)


def test_the_command_line_says_errors_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = written(table(60).drop(columns="label"), tmp_path / "t.tsv")
    assert run(["sequence", "train", str(given), "-o", str(tmp_path / "out"), "-q"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "no label label" in error
    assert error.count("\n") == 1


def test_another_job_is_no_bundle_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "bundle.json").write_text('{"format_version": 1, "job": "trait"}')
    given = written(table(20), tmp_path / "t.tsv")
    with pytest.raises(SewallError, match="a bundle of the job trait, not sequence"):
        predict(tmp_path / "b", given, out=tmp_path / "out")
