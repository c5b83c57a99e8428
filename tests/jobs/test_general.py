"""The general bundle: what it tells a map before it trains, data that it does not serve, what it answers by itself."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from sewall import run
from sewall.errors import SewallError
from sewall.jobs import recombination
from sewall.jobs.recombination import every_data, learn, looking, mapping, options
from sewall.jobs.recombination.context import CONTEXT
from sewall.jobs.windows.source import Alignments, Windows, windows_of
from sewall.nets.alignment import AlignmentNet
from sewall.task import Examples
from sewall.train import TrainConfig

DATA_SETS, EPOCHS = 60, 3
AS_IT_IS = mapping.Data.general  # other tests do without

pytestmark = pytest.mark.usefixtures("tiny_budget")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that makes the bundle."""
    spec = importlib.util.spec_from_file_location(
        "general", Path(__file__).parents[2] / "training" / "recombination.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def shipped(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny bundle, made as the shipped one is."""
    place = tmp_path_factory.mktemp("general")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(every_data, "INFORMATION", (15.0, 60.0))
        patch.setattr(every_data, "CHROMOSOMES", (4, 24))
        patch.setattr(run, "FEWEST_CALIBRATION", 50)
        examples = script.simulated(DATA_SETS, 1, place / "cache", 1)
        shares, config = run.Shares(0.4, 0.1, 0.15, 0.3), TrainConfig(epochs=EPOCHS, members=1)
        bundle = script.trained(examples, config, place / "checkpoints", 1, 1, shares)
    bundle.save(place / "bundle")
    return place / "bundle"


@pytest.fixture
def general(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (mapping, options):
        monkeypatch.setattr(module, "GENERAL", shipped)
    monkeypatch.setattr(mapping.Data, "general", AS_IT_IS)
    return shipped


def asked(settings: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Settings that speak of no training."""
    return {name: settings[name] for name in ("mutation_rate", "window", "seed", "threads", "verbosity")} | values


def test_a_quick_map_looks_twice_and_trains_from_nothing(
    general: Path, chromosome: Path, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "QUICK_LOOKS", (200, 150))
    monkeypatch.setattr(looking, "QUICK_SIMULATIONS", 600)
    result = recombination.map(chromosome, out=tmp_path / "out", **asked(settings, quick=True))
    trained_on = json.loads((result.folder / "bundle" / "bundle.json").read_text())["trained_on"]
    assert trained_on["quick"] and trained_on["simulations"] == 600 and "begun_from" not in trained_on
    made = {path.name: len(list(path.glob("*.npz"))) for path in (result.folder / "simulations").iterdir()}
    assert made == {"first-look": 2, "second-look": 2, "simulating": 6}
    notes = json.loads((result.folder / "run.json").read_text())["notes"]
    assert any("run without --quick" in note for note in notes)
    again = recombination.predict(result.folder / "bundle", chromosome, out=tmp_path / "again", **asked(settings))
    np.testing.assert_array_equal(again.table["estimate"], result.table["estimate"])


def test_it_answers_by_itself(general: Path, chromosome: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    result = recombination.map(chromosome, out=tmp_path / "out", **asked(settings), bundle="general")
    assert not (result.folder / "bundle").exists() and not (result.folder / "simulations").exists()
    record = json.loads((result.folder / "run.json").read_text())
    assert "--bundle general" in " ".join(record["command"]) and "--refit" in record["notes"][-1]
    assert "train" not in record["stages"] and record["prior"]["simulations"] == 12 * DATA_SETS
    assert result.table["estimate"].notna().sum() == 6


def test_all_windows_tell_of_each(general: Path, chromosome: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    whole = recombination.predict(general, chromosome, out=tmp_path / "whole", **asked(settings)).table
    bed = tmp_path / "half.bed"
    bed.write_text("".join(f"chr1\t{20_000 * k}\t{20_000 * (k + 1)}\n" for k in range(3)))
    given = {name: value for name, value in asked(settings).items() if name != "window"} | {"windows": bed}
    half = recombination.predict(general, chromosome, out=tmp_path / "half", **given).table
    assert not np.allclose(whole["estimate"][:3], half["estimate"], rtol=1e-3, atol=0)


def test_what_it_does_not_serve_is_trained_for(
    general: Path, chromosome: Path, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "10,000 bp in a window, and the general bundle was made for 20,000 to 1,000,000"
    with pytest.raises(SewallError, match=f"{why}; leave out --bundle to train for these data"):
        recombination.predict(general, chromosome, out=tmp_path / "refused", **asked(settings, window=10_000))

    class Looked(Exception):
        pass

    def looks(*given: Any) -> None:
        raise Looked(given[-1])

    monkeypatch.setattr(looking, "make_prior", looks)
    expected: tuple[tuple[dict[str, Any], bool], ...] = (
        ({}, True), ({"refit": True}, True), ({"quick": True}, True), ({"window": 10_000}, False),
        ({"adapt": "randomise"}, True),
    )  # fmt: skip
    for number, (change, serves) in enumerate(expected):
        with pytest.raises(Looked) as caught:
            recombination.map(chromosome, out=tmp_path / str(number), **asked(settings, **change))
        assert isinstance(caught.value.args[0], looking.General) is serves


def test_what_it_sees_bounds_the_first_look(
    general: Path, chromosome: Path, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: dict[str, float] = {}
    simulator = looking.window_simulator

    def noted(observed: Any, genomes: Any, log_spread: float) -> Any:
        known.setdefault("upper", genomes.upper)
        return simulator(observed, genomes, log_spread)

    monkeypatch.setattr(looking, "window_simulator", noted)
    monkeypatch.setattr(looking.General, "estimates", lambda self, examples, rows: np.full(len(rows), 0.7))
    recombination.map(chromosome, out=tmp_path / "out", **settings)
    assert known["upper"] == 2.5  # thrice the half that they see would be less than is ever taken


def test_refit_begins_from_it(general: Path, chromosome: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    result = recombination.map(chromosome, out=tmp_path / "out", **settings, refit=True)
    bundle = result.folder / "bundle"
    assert json.loads((bundle / "bundle.json").read_text())["trained_on"]["begun_from"] == "the general bundle"
    again = recombination.predict(bundle, chromosome, out=tmp_path / "again", **asked(settings))
    np.testing.assert_array_equal(again.table["estimate"], result.table["estimate"])


def test_simulations_stand_in_the_context_of_the_data() -> None:
    keys = pd.DataFrame({"kind": [1.0, 0.0, 1.0]})
    known = np.arange(2 * 3 * len(CONTEXT), dtype=np.float32).reshape(2, 3, -1)
    examples = Examples(keys, Windows(cast(Alignments, []), {"statistics": np.zeros((3, 1))}), np.zeros(3))
    encoded = windows_of(learn.in_context(examples, known, seed=1)).encoded
    for row, kind in zip(encoded["context"], (1, 0, 1), strict=True):
        assert (known[kind] == row).all(axis=1).sum() == 1
    assert encoded["statistics"].shape == (3, 1)


def test_what_is_begun_from_keeps_its_scale() -> None:
    first = AlignmentNet((0.1, 0.5, 0.9), width=16)
    first.centre.fill_(2.0)
    begun = first.copied()
    begun.standardise({})  # reads nothing
    assert begun.centre.eq(2.0).all() and begun is not first
