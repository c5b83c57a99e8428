from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sewall import bundle as bundles
from sewall import run
from sewall.bundle import ABOUT, CARD, MODEL, Bundle
from sewall.errors import SewallError
from sewall.task import Examples, Task
from sewall.train import TrainConfig


@pytest.fixture(scope="module")
def examples(toy_examples: Callable[..., Examples]) -> Examples:
    return toy_examples()


@pytest.fixture(scope="module")
def fitted(toy_task: Task, examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    parts = run.split(toy_task, examples, 1)
    config = TrainConfig(epochs=3, patience=3, learning_rate=0.02, members=2)
    bundle, _ = run.fit(toy_task, examples, parts, config, tmp_path_factory.mktemp("checkpoints"), 5)
    return run.described(
        replace(bundle, about={"job": "toy", "description": "Grams of toys.", "limits": ["Only for toys."]}),
        toy_task,
        {"job": "toy", "description": "Grams of toys.", "trained_on": {"families": 3}, "limits": ["Only for toys."]},
        run.evaluate(bundle, toy_task, examples, parts.test, 0.9, 1),
    )


@pytest.fixture(scope="module")
def saved(fitted: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "bundle"
    fitted.save(folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def edit(folder: Path, **values: Any) -> None:
    file = folder / ABOUT
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_a_loaded_bundle_predicts_the_same(toy_task: Task, examples: Examples, fitted: Bundle, saved: Path) -> None:
    loaded = bundles.load(saved, toy_task)
    one, other = (run.predict(b, toy_task, examples, 0.8, 3, "empty") for b in (fitted, loaded))
    assert one.table.equals(other.table)
    assert one.support == other.support
    np.testing.assert_array_equal(one.answers["ridge"], other.answers["ridge"])


def test_a_bundle_saved_again_is_the_same_file(toy_task: Task, saved: Path, tmp_path: Path) -> None:
    bundles.load(saved, toy_task).save(tmp_path / "again")
    first, second = (load_file(folder / MODEL) for folder in (saved, tmp_path / "again"))
    assert first.keys() == second.keys()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
    assert json.loads((saved / ABOUT).read_text()) == json.loads((tmp_path / "again" / ABOUT).read_text())


def test_the_folder_holds_numbers_and_text_alone(saved: Path) -> None:
    assert sorted(file.name for file in saved.iterdir()) == sorted([MODEL, ABOUT, CARD])
    about = json.loads((saved / ABOUT).read_text())
    assert (about["format_version"], about["job"], about["best_simple"]) == (bundles.FORMAT_VERSION, "toy", "ridge")


def test_the_card_is_for_people(saved: Path) -> None:
    text = bundles.describe(saved)
    assert text == (saved / CARD).read_text()
    for words in ("# A bundle of sewall for toy", "Grams of toys.", "- families: 3", "R² of", "- Only for toys."):
        assert words in text


def test_a_bundle_of_the_first_format_is_read(toy_task: Task, examples: Examples, fitted: Bundle, copy: Path) -> None:
    arrays = load_file(copy / MODEL)
    for then, now in bundles.FORMAT_1.items():
        arrays[f"calibration/{then}"] = arrays.pop(f"calibration/{now}")
    save_file(arrays, copy / MODEL)
    edit(copy, format_version=1, digest=bundles.digest(copy / MODEL))
    one, other = (run.predict(b, toy_task, examples, 0.8, 3, "empty") for b in (fitted, bundles.load(copy, toy_task)))
    assert one.table.equals(other.table)


def refusal(folder: Path, task: Task) -> str:
    with pytest.raises(SewallError) as caught:
        bundles.load(folder, task)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("make", ["absent", "empty folder", "file"])
def test_what_is_no_bundle_is_refused(toy_task: Task, tmp_path: Path, make: str) -> None:
    place = tmp_path / "thing"
    if make == "empty folder":
        place.mkdir()
    if make == "file":
        place.write_text("hello")
    assert "not a bundle" in refusal(place, toy_task)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", '"text"', "{}", '{"format_version": "one"}', '{"format_version": null}']
)
def test_a_damaged_description_is_refused(toy_task: Task, copy: Path, text: str) -> None:
    (copy / ABOUT).write_text(text)
    assert "damaged" in refusal(copy, toy_task)


def test_bytes_that_are_no_text_are_refused(toy_task: Task, copy: Path) -> None:
    (copy / ABOUT).write_bytes(b"\xff\xfe\x00")
    assert "damaged" in refusal(copy, toy_task)


def test_a_newer_bundle_is_refused(toy_task: Task, copy: Path) -> None:
    edit(copy, format_version=bundles.FORMAT_VERSION + 1)
    assert "newer sewall" in refusal(copy, toy_task)


def test_a_bundle_of_another_job_is_refused(toy_task: Task, copy: Path) -> None:
    edit(copy, job="sweep")
    assert "the job sweep, not toy" in refusal(copy, toy_task)


@pytest.mark.parametrize("keep", [0, 7, 100, 0.5, 0.999])
def test_cut_off_numbers_are_refused(toy_task: Task, copy: Path, keep: float) -> None:
    whole = (copy / MODEL).read_bytes()
    (copy / MODEL).write_bytes(whole[: int(keep * len(whole) if isinstance(keep, float) else keep)])
    assert "damaged" in refusal(copy, toy_task)


def test_absent_numbers_are_refused(toy_task: Task, copy: Path) -> None:
    (copy / MODEL).unlink()
    assert "damaged" in refusal(copy, toy_task)


@pytest.mark.parametrize(
    "name",
    [
        "network0/head.linear.weight",
        "network1/body.0.running_mean",
        "network1/centre",
        "ridge/centre",
        "support/null_statistics",
        "support/space0_whiten",
        "calibration/answer",
        "calibration/truth",
    ],
)
def test_one_absent_array_is_refused(toy_task: Task, copy: Path, name: str) -> None:
    arrays = load_file(copy / MODEL)
    del arrays[name]
    save_file(arrays, copy / MODEL)
    assert "damaged" in refusal(copy, toy_task)


def test_an_array_of_another_shape_is_refused(toy_task: Task, copy: Path) -> None:
    arrays = load_file(copy / MODEL)
    arrays["network0/head.linear.weight"] = arrays["network0/head.linear.weight"][:, :3].copy()
    save_file(arrays, copy / MODEL)
    assert "damaged" in refusal(copy, toy_task)


@pytest.mark.parametrize(
    "shape", [None, 3, {}, {"networks": 2}, {"networks": [{}] * 3, "simple_models": [], "support": {}}]
)
def test_a_wrong_shape_is_refused(toy_task: Task, copy: Path, shape: Any) -> None:
    edit(copy, shape=shape)
    assert "damaged" in refusal(copy, toy_task)


def test_a_simple_model_that_nobody_knows_is_refused(toy_task: Task, copy: Path) -> None:
    shape = json.loads((copy / ABOUT).read_text())["shape"]
    edit(copy, shape=shape | {"simple_models": ["oracle"]})
    assert "damaged" in refusal(copy, toy_task)


def test_a_failed_save_leaves_the_bundle_as_it_was(
    toy_task: Task, fitted: Bundle, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = (copy / MODEL).read_bytes()
    monkeypatch.setattr(bundles, "save_file", fail)
    with pytest.raises(SewallError, match="no room on disk"):
        fitted.save(copy)
    assert (copy / MODEL).read_bytes() == before
    assert sorted(file.name for file in copy.iterdir()) == sorted([MODEL, ABOUT, CARD])
    bundles.load(copy, toy_task)


def test_what_is_the_same_is_kept_once(fitted, toy_task, tmp_path):
    """Models that hold the same numbers share them on disk, and have them again when they are read."""
    large = np.arange(200_000.0)
    twice = replace(fitted, extra={"one": large, "other": large.copy(), "shape": large.reshape(2, -1)})
    twice.save(tmp_path / "bundle")
    size = (tmp_path / "bundle" / "model.safetensors").stat().st_size
    fitted.save(tmp_path / "plain")
    plain = (tmp_path / "plain" / "model.safetensors").stat().st_size
    assert size - plain < 2.2 * large.nbytes
    again = bundles.load(tmp_path / "bundle", toy_task)
    assert set(bundles.read_extra(tmp_path / "bundle")) == {"one", "other", "shape"}
    for name, values in twice.extra.items():
        np.testing.assert_array_equal(again.extra[name], values)
