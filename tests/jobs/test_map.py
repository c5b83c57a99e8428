"""From a VCF to a page, end to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msprime
import numpy as np
import pandas as pd
import pytest

import sewall
from sewall import bundle as bundles
from sewall import train
from sewall.errors import SewallError
from sewall.jobs import recombination
from sewall.jobs.recombination import learn, looking, mapping, outputs
from sewall.jobs.recombination.mapping import FEW, MapResult
from sewall.jobs.windows import adapting
from sewall.simulate import farm

FILES = {
    "bundle", "checkpoints", "evaluation.json", "log.jsonl", "manifest.json", "map.bedgraph", "map.hapmap.txt",
    "predictions.tsv", "report.html", "run.json", "simulations", "variants",
}  # fmt: skip
THIN = 3

pytestmark = pytest.mark.usefixtures("tiny_budget")


def predictions(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "predictions.tsv", sep="\t", comment="#")


def given(settings: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Settings of a run that trains nothing."""
    return {name: settings[name] for name in ("mutation_rate", "window", "seed", "threads", "verbosity")} | values


def test_all_files_are_there(mapped: MapResult) -> None:
    assert {path.name for path in mapped.folder.iterdir() if path.name != ".lock"} == FILES
    assert sorted(path.name for path in (mapped.folder / "bundle").iterdir()) == sorted(
        ["bundle.json", "card.md", "model.safetensors"]
    )
    assert not list(mapped.folder.rglob("*partial*"))


def test_one_row_per_window_in_order(mapped: MapResult) -> None:
    table = predictions(mapped.folder)
    assert table.columns.tolist() == outputs.COLUMNS
    assert table["start"].tolist() == [20_000 * k for k in range(7)]
    assert table["chrom"].unique().tolist() == ["chr1"]
    pd.testing.assert_frame_equal(table, mapped.table.replace({"reason": {"": np.nan}}), check_dtype=False, rtol=1e-5)


def test_a_window_with_too_few_variants_has_no_answer(mapped: MapResult) -> None:
    row = predictions(mapped.folder).iloc[THIN]
    assert row["variants"] == 4
    assert (row["support"], row["reason"]) == ("outside", FEW)
    assert row[["estimate", "lower", "upper", "simple", "rho_over_theta"]].isna().all()
    text = (mapped.folder / "predictions.tsv").read_text().splitlines()[4 + THIN]
    assert text.split("\t")[3:7] == ["NA"] * 4


def test_other_windows_have_an_interval_around_their_estimate(mapped: MapResult) -> None:
    table = predictions(mapped.folder).drop(index=THIN)
    assert table["estimate"].notna().all()
    inside = table[table["support"] != "outside"]
    assert len(inside) >= 4
    assert ((inside["lower"] <= inside["estimate"]) & (inside["estimate"] <= inside["upper"])).all()
    np.testing.assert_allclose(table["estimate"], table["rho_over_theta"] * 5e-8, rtol=1e-4)


def test_the_genetic_map_can_be_read_by_others(mapped: MapResult) -> None:
    rates = msprime.RateMap.read_hapmap(mapped.folder / "map.hapmap.txt")
    table = predictions(mapped.folder)
    middle = rates.get_rate(table["start"] + 10_000)
    known = table["estimate"].notna().to_numpy()
    np.testing.assert_allclose(middle[known], table["estimate"][known], rtol=1e-3)
    bedgraph = [line for line in (mapped.folder / "map.bedgraph").read_text().splitlines() if line.startswith("chr1")]
    assert len(bedgraph) == known.sum()


def test_the_evaluation_compares_all_models(mapped: MapResult) -> None:
    evaluation = json.loads((mapped.folder / "evaluation.json").read_text())
    assert [model["key"] for model in evaluation["models"]] == ["network", "ridge", "boosting"]
    assert evaluation["simplest_adequate"] in {"network", "ridge", "boosting"}
    assert evaluation["calibration"]["coverage"]["value"] == pytest.approx(0.9, abs=0.15)
    assert evaluation["support"]["windows"] == mapped.table["support"].value_counts().reindex(
        ["ok", "warn", "outside"], fill_value=0
    ).to_dict()  # fmt: skip
    assert {row["member"] for row in evaluation["learning"]} == {0, 1}
    assert evaluation["job"] == "recombination"


def test_the_record_tells_how_to_repeat_the_run(mapped: MapResult, chromosome: Path) -> None:
    record = json.loads((mapped.folder / "run.json").read_text())
    assert (record["sewall"], record["job"], record["verb"], record["seed"]) == (
        sewall.__version__, "recombination", "map", 3,
    )  # fmt: skip
    words = " ".join(record["command"])
    assert words.startswith(f"sewall recombination map {chromosome} ")
    for part in ("--mutation-rate 5e-08", "--window 20000", "--simulations 600", "--seed 3", f"-o {mapped.folder}"):
        assert part in words
    assert record["inputs"][0]["chromosomes"] == 8
    assert record["inputs"][0]["phased"] is True
    assert {"prior", "simulate", "train"} <= set(record["stages"])


def test_the_summary_is_three_lines(mapped: MapResult) -> None:
    first, second, third = mapped.summary().splitlines()
    assert first.startswith("7 windows, mean ")
    assert "90 % intervals cover" in second
    assert third == str(mapped.folder / "report.html")


def test_a_rerun_does_nothing_twice(
    mapped: MapResult, chromosome: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("done twice")

    before = {name: (mapped.folder / name).read_bytes() for name in ("predictions.tsv", "evaluation.json")}
    bundle = (mapped.folder / "bundle" / "model.safetensors").stat().st_mtime_ns
    for place, name in ((farm, "simulate_shard"), (train, "train_network"), (looking.SyntheticLikelihood, "fit")):
        monkeypatch.setattr(place, name, never)
    recombination.map(chromosome, out=mapped.folder, **settings)
    assert {name: (mapped.folder / name).read_bytes() for name in before} == before
    assert (mapped.folder / "bundle" / "model.safetensors").stat().st_mtime_ns == bundle


def test_another_seed_needs_another_directory(mapped: MapResult, chromosome: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(SewallError, match="seed was 3, is 4"):
        recombination.map(chromosome, out=mapped.folder, **(settings | {"seed": 4}))


def test_a_bundle_answers_without_training(
    mapped: MapResult, chromosome: Path, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "run_farm", None)
    monkeypatch.setattr(train, "train_network", None)
    trained = mapped.folder / "bundle"
    again = recombination.map(chromosome, out=tmp_path / "map", **given(settings, bundle=trained))
    other = recombination.predict(trained, chromosome, out=tmp_path / "predict", **given(settings))
    expected = (mapped.folder / "predictions.tsv").read_bytes()
    assert (again.folder / "predictions.tsv").read_bytes() == expected
    assert (other.folder / "predictions.tsv").read_bytes() == expected
    made = {path.name for path in again.folder.iterdir()}
    assert made & FILES >= FILES - {"bundle", "checkpoints", "simulations", "log.jsonl"}
    assert not made & {"bundle", "checkpoints", "simulations"}
    assert json.loads((other.folder / "run.json").read_text())["verb"] == "predict"


def test_the_level_widens_the_intervals(
    mapped: MapResult, chromosome: Path, settings: dict[str, Any], tmp_path: Path
) -> None:
    trained = mapped.folder / "bundle"
    narrow = recombination.predict(trained, chromosome, out=tmp_path / "narrow", **given(settings, level=0.6)).table
    wide = mapped.table
    known = narrow["lower"].notna()
    assert known.any()
    assert ((narrow["upper"] - narrow["lower"])[known] < (wide["upper"] - wide["lower"])[known]).all()
    pd.testing.assert_series_equal(narrow["estimate"], wide["estimate"])


def test_a_bundle_for_phased_data_refuses_genotypes(
    mapped: MapResult, edited: Callable[..., Path], settings: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(SewallError, match="trained on phased data and these are unphased; train a bundle on") as caught:
        recombination.predict(mapped.folder / "bundle", edited(unphased=True), out=tmp_path / "out", **given(settings))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "predictions.tsv").exists()


def test_missing_calls_are_answered(
    mapped: MapResult, edited: Callable[..., Path], settings: dict[str, Any], tmp_path: Path
) -> None:
    result = recombination.predict(
        mapped.folder / "bundle", edited(missing=0.1), out=tmp_path / "out", **given(settings)
    )
    assert result.table["estimate"].notna().sum() == 6
    # The bundle has never seen a missing call: that must be said of every window.
    assert (result.table["support"] != "ok").all()


def test_a_folder_that_is_no_bundle_is_refused(chromosome: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="not a bundle"):
        recombination.predict(tmp_path, chromosome, out=tmp_path / "out", **given(settings))
    (tmp_path / "bundle.json").write_text('{"format_version": 1, "job": "sweep"}')
    with pytest.raises(SewallError, match="of another job"):
        recombination.predict(tmp_path, chromosome, out=tmp_path / "out", **given(settings))
    assert not (tmp_path / "out").exists()


class Killed(BaseException):
    pass


def on_call(number: int, then: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function work until its call with this number, counted from 1."""
    left = [number]

    def call(*given: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return then(*given, **named)

    return call


@pytest.mark.slow
def test_a_run_killed_at_every_stage_comes_to_the_same_map(
    mapped: MapResult, chromosome: Path, settings: dict[str, Any], tmp_path: Path
) -> None:
    whole = train.train_network

    def until_epoch_two_of_the_second(*args: Any, **__: Any) -> Any:
        return whole(*args, progress=on_call(3, int)) if args[-1].name == "member1" else whole(*args)

    kills = [
        (farm, "write_whole", on_call(2, farm.write_whole)),  # in the first look: 2 shards
        (farm, "write_whole", on_call(1, farm.write_whole)),
        (looking.SyntheticLikelihood, "fit", on_call(1, looking.SyntheticLikelihood.fit)),
        (farm, "write_whole", on_call(4, farm.write_whole)),  # in the simulations: 6 shards
        (train, "train_network", until_epoch_two_of_the_second),
        (bundles, "write_text", on_call(1, bundles.write_text)),  # numbers written, description not
        (mapping.outputs, "write_maps", on_call(1, outputs.write_maps)),
        (mapping, "_record", on_call(1, mapping._record)),
    ]
    for place, name, fatal in kills:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            patch.setattr(place, name, fatal)
            recombination.map(chromosome, out=tmp_path / "out", **settings)
    result = recombination.map(chromosome, out=tmp_path / "out", **settings)
    for name in ("predictions.tsv", "evaluation.json", "map.hapmap.txt", "bundle/model.safetensors"):
        assert (result.folder / name).read_bytes() == (mapped.folder / name).read_bytes(), name


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(
    mapped: MapResult, chromosome: Path, settings: dict[str, Any], tmp_path: Path
) -> None:
    result = recombination.map(chromosome, out=tmp_path / "out", **(settings | {"threads": 2}))
    for name in ("predictions.tsv", "evaluation.json", "bundle/model.safetensors"):
        assert (result.folder / name).read_bytes() == (mapped.folder / name).read_bytes(), name


@pytest.mark.slow
def test_genotypes_with_missing_calls_are_mapped(
    edited: Callable[..., Path], settings: dict[str, Any], chromosome: Path, tmp_path: Path
) -> None:
    result = recombination.map(edited(unphased=True, missing=0.1), out=tmp_path / "out", **settings)
    about = json.loads((result.folder / "bundle" / "bundle.json").read_text())
    assert about["trained_on"]["phased"] == [False]
    assert about["trained_on"]["missing_calls"] == pytest.approx(0.1, abs=0.02)
    assert result.table["estimate"].notna().sum() == 6
    assert (result.table["support"] == "ok").sum() >= 3  # the simulations have the same calls missing
    # Phased data can be read as genotypes on request, and only then.
    trained = result.folder / "bundle"
    with pytest.raises(SewallError, match="add --unphased"):
        recombination.predict(trained, chromosome, out=tmp_path / "refused", **given(settings))
    table = recombination.predict(trained, chromosome, out=tmp_path / "read", **given(settings, phased=False)).table
    assert table["estimate"].notna().sum() == 6


@pytest.mark.slow
def test_the_stages_one_by_one(chromosome: Path, settings: dict[str, Any], tmp_path: Path, mapped: MapResult) -> None:
    simulated = recombination.simulate(chromosome, out=tmp_path / "simulated", **settings)
    assert "600 windows simulated" in simulated.summary()
    common = {name: settings[name] for name in ("seed", "threads", "verbosity")}
    trained = recombination.train(simulated.path, out=tmp_path / "trained", **common)
    one, other = ((folder / "model.safetensors").read_bytes() for folder in (trained.path, mapped.folder / "bundle"))
    assert one == other  # the same seed: the same as all at once
    fresh = recombination.simulate(chromosome, out=tmp_path / "fresh", **(settings | {"seed": 9}))
    scored = recombination.evaluate(trained.path, fresh.path, out=tmp_path / "scored", **common)
    scores = json.loads(scored.path.read_text())
    assert scores["n"] >= 590
    assert scores["calibration"]["coverage"]["value"] == pytest.approx(0.9, abs=0.1)
    assert sum(scores["support"]["windows"].values()) == 600
    with pytest.raises(SewallError, match="holds no finished simulations"):
        recombination.train(trained.path, out=tmp_path / "again", **common)


def test_a_training_may_be_adapted_to_the_data(
    chromosome: Path, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapting, "MOST_APART", 1.0)  # six windows are spread unlike anything
    result = recombination.map(chromosome, out=tmp_path / "out", **(settings | {"adapt": "align"}))
    adapted = json.loads((result.folder / "bundle" / "bundle.json").read_text())["adapted"]
    assert adapted["method"] == "align" and 0 <= adapted["targets_apart"] <= 1
    assert "Adapted to these data: the networks may not" in (result.folder / "report.html").read_text()
    assert result.table["estimate"].notna().any()


def test_adaptations_that_cannot_be_are_refused(chromosome: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="--adapt is one of resimulate, randomise, reweight, align, auto"):
        recombination.map(chromosome, out=tmp_path / "out", **given(settings, adapt="pray"))
    with pytest.raises(SewallError, match="--adapt reweight: a training does that"):
        recombination.simulate(chromosome, out=tmp_path / "out", **given(settings, adapt="reweight"))
    with pytest.raises(SewallError, match=r"--adapt reweight: .* worth .*, fewer than 100"):
        recombination.map(chromosome, out=tmp_path / "out", **(settings | {"adapt": "reweight"}))
    with pytest.raises(SewallError, match="trained already: --adapt"):
        recombination.map(chromosome, out=tmp_path / "new", bundle=tmp_path, mutation_rate=1e-8, adapt="auto")
