"""The sweep job on a tiny chromosome with a tiny budget: that all parts fit, not how well they do."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msprime
import numpy as np
import pandas as pd
import pytest

from sewall import run, sweep
from sewall.errors import SewallError
from sewall.jobs.sweep import calls, learn, scanning
from sewall.jobs.sweep.scanning import ScanResult
from sewall.jobs.sweep.task import kind_task
from sewall.jobs.windows.source import windows_of
from sewall.report.sweep_scan import draw_scan
from sewall.task import Examples
from sewall.train import TrainConfig
from sewall.trust import support

WINDOW, LENGTH, MUTATION_RATE = 55_000, 120_000, 6e-8
CLASSES = ("neutral", "hard", "soft", "linked-hard", "linked-soft", "partial", "linked-partial")
SETTINGS: dict[str, Any] = {
    "mutation_rate": MUTATION_RATE, "recombination_rate": 1e-8, "window": WINDOW, "simulations": 500, "seed": 3,
    "threads": 1, "verbosity": 0,
}  # fmt: skip
ASKED: dict[str, Any] = {"mutation_rate": MUTATION_RATE, "window": WINDOW, "seed": 3, "verbosity": 0}


def written(path: Path, individuals: int = 6, length: int = LENGTH, unphased: bool = False) -> Path:
    trees = msprime.sim_ancestry(
        individuals, population_size=1e4, recombination_rate=1e-8, sequence_length=length, random_seed=1
    )
    trees = msprime.sim_mutations(trees, MUTATION_RATE, random_seed=1)
    with path.open("w") as file:
        trees.write_vcf(file, contig_id="chr1", position_transform=lambda positions: np.asarray(positions) + 1)
    if unphased:
        path.write_text(path.read_text().replace("|", "/"))
    return path


def _tiny(patch: pytest.MonkeyPatch) -> None:
    config = TrainConfig(epochs=3, patience=3, members=2)
    patch.setattr(learn, "config_of", lambda quick, device: replace(config, device=device))
    patch.setattr(learn, "SHARD", 100)
    patch.setattr(run, "FEWEST_CALIBRATION", 30)
    for place in (run, support):
        patch.setattr(place, "FEWEST_NULL", 15)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweep")


@pytest.fixture(scope="module")
def chromosome(folder: Path) -> Path:
    return written(folder / "chromosome.vcf")


@pytest.fixture(scope="module")
def scanned(folder: Path, chromosome: Path) -> ScanResult:
    with pytest.MonkeyPatch.context() as patch:  # undone at once: other tests need the real numbers
        _tiny(patch)
        return sweep.scan(chromosome, out=folder / "out", **SETTINGS)


def test_a_scan_answers_every_window_in_the_middle_of_the_contig(scanned: ScanResult) -> None:
    table = scanned.table
    assert table["start"].tolist() == list(range(25_000, 25_000 + 5_000 * len(table), 5_000))
    assert (table["end"] - table["start"] == 5_000).all() and table["end"].max() == LENGTH - 25_000
    chances = table[[f"p_{name}" for name in CLASSES]].to_numpy()
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.allclose(table["p_sweep"], table["p_hard"] + table["p_soft"] + table["p_partial"])
    assert set(table["support"]) <= {"ok", "warn", "outside"}
    assert table["q"].dropna().between(0, 1).all()


def test_it_leaves_all_files_and_says_what_it_did(scanned: ScanResult) -> None:
    out = scanned.folder
    for name in ("predictions.tsv", "regions.tsv", "sweeps.bed", "evaluation.json", "run.json", "report.html"):
        assert (out / name).exists(), name
    assert all((out / f"p_{name}.bedgraph").exists() for name in CLASSES)
    evaluation = json.loads((out / "evaluation.json").read_text())
    keys = [model["key"] for model in evaluation["models"]]
    assert keys == ["network", "tajimas_d", "h12", "composite", "forest", "boosting"]
    assert set(evaluation["quantities"]) == {"s", "age"} and evaluation["priors"]["neutral"] == pytest.approx(0.89)
    said = json.loads((out / "run.json").read_text())
    assert said["prior"]["simulations"] == 500 and said["command"][:3] == ["sewall", "sweep", "scan"]
    assert str(scanned.report) in scanned.summary()


def test_the_page_shows_scan_confusion_and_reliability(scanned: ScanResult) -> None:
    page = scanned.report.read_text()
    for words in ("Where did selection act?", "Probability of a sweep along the genome", "Are the chances right?"):
        assert words in page, words
    assert "nan" not in page.lower().replace("nanometre", "").split("<script")[0].split("</style>")[-1][:20_000].split()


def test_the_bundle_answers_one_window_as_it_answers_it_among_others(
    scanned: ScanResult, chromosome: Path, folder: Path
) -> None:
    row = scanned.table.iloc[3]
    start = int(row["start"]) - 25_000
    alone = sweep.predict(
        scanned.folder / "bundle", chromosome, out=folder / "alone", regions=f"chr1:{start}-{start + WINDOW}", **ASKED
    )
    assert len(alone.table) == 1
    names = [f"p_{name}" for name in CLASSES]
    assert np.allclose(alone.table[names].to_numpy(float), row[names].to_numpy(float), atol=1e-4)
    assert alone.table["set"].iloc[0] == row["set"]


def test_stated_priors_move_probabilities_and_leave_sets(scanned: ScanResult, chromosome: Path, folder: Path) -> None:
    shares = dict.fromkeys(CLASSES, 0.05) | {"neutral": 0.1, "hard": 0.4, "soft": 0.3}
    prior = tuple(f"{name}={share}" for name, share in shares.items())
    moved = sweep.predict(scanned.folder / "bundle", chromosome, out=folder / "prior", prior=prior, **ASKED)
    assert (moved.table["p_sweep"] > scanned.table["p_sweep"]).all()
    assert moved.table["set"].tolist() == scanned.table["set"].tolist()


def test_called_regions_are_drawn_listed_and_pictured(scanned: ScanResult, chromosome: Path, folder: Path) -> None:
    swept = tuple(f"{name}={0.88 if name == 'hard' else 0.02}" for name in CLASSES)
    found = sweep.predict(scanned.folder / "bundle", chromosome, out=folder / "called", prior=swept, fdr=0.9, **ASKED)
    assert len(found.regions) and found.regions["p_sweep"].is_monotonic_decreasing
    page, first = found.report.read_text(), found.regions.iloc[0]
    where = f"{first['start']:,}" if first["start"] < 10_000 else f"{first['start'] / 1e3:g}"
    assert "called at a false-discovery rate of 90" in page and where in page
    pictures = json.loads((found.folder / "haplotypes.json").read_text())
    assert pictures[0]["kind"] == first["kind"]
    bed = pd.read_csv(found.folder / "sweeps.bed", sep="\t")
    assert bed["start"].is_monotonic_increasing and set(bed["start"]) == set(found.regions["start"])


def test_a_called_region_is_a_bar_at_the_height_of_its_probability() -> None:
    table = calls.called(calls_of([0.01, 0.5, 0.3, 0.01, 0.01], [0.0, 0.1, 0.06, 0.0, 0.0]), 0.05)
    (axes,) = draw_scan(table.assign(chrom="1"), 800).axes
    bars = [line for line in axes.lines if list(line.get_ydata()) == pytest.approx([0.96, 0.96])]
    assert [list(bar.get_xdata()) for bar in bars] == [[10e-6, 30e-6]]
    none = draw_scan(calls.called(calls_of([0.01, 0.02], [0.0, 0.0]), 0.05), 800).axes[0]
    assert len(none.lines) == len(axes.lines) - 1


def test_unphased_calls_need_a_bundle_of_their_kind(scanned: ScanResult, folder: Path) -> None:
    with pytest.raises(SewallError, match="trained on phased data and these are unphased"):
        sweep.predict(
            scanned.folder / "bundle", written(folder / "unphased.vcf", unphased=True), out=folder / "u", **ASKED
        )


def test_the_stages_give_what_the_whole_gives(
    scanned: ScanResult, chromosome: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tiny(monkeypatch)
    made = sweep.simulate(chromosome, out=folder / "simulations", **SETTINGS)
    trained = sweep.train(made.path, out=folder / "trained", seed=3, threads=1, verbosity=0)
    again = sweep.predict(trained.path, chromosome, out=folder / "again", **ASKED)
    pd.testing.assert_frame_equal(again.table, scanned.table, rtol=1e-4, atol=1e-5)
    done = sweep.evaluate(trained.path, made.path, out=folder / "evaluated", seed=3, verbosity=0)
    assert json.loads(done.path.read_text())["metric"] == "accuracy"


def test_an_explanation_names_positions_and_haplotypes(scanned: ScanResult, chromosome: Path, folder: Path) -> None:
    found = sweep.explain(scanned.folder / "bundle", chromosome, out=folder / "why", at=("chr1:52000",), **ASKED)
    assert len(found.positions) == 22 and len(found.haplotypes) == 12
    assert found.positions["start"].min() == 25_000 and found.positions["end"].max() == 25_000 + WINDOW
    assert np.isfinite(found.positions["log_odds"]).all() and np.isfinite(found.haplotypes["log_odds"]).all()
    assert found.haplotypes["column"].iloc[0] == "tsk_0.1"
    assert "chr1:50,000-55,000" in found.summary()


@pytest.mark.parametrize("classes", [CLASSES, CLASSES[:5]])
def test_priors_without_a_word_are_one_sweep_in_a_hundred_windows(classes: tuple[str, ...]) -> None:
    found = calls.default_priors(classes)
    assert tuple(found) == classes and sum(found.values()) == pytest.approx(1)
    assert sum(found[name] for name in calls.SWEEPS if name in found) == pytest.approx(0.01)


def test_windows_that_do_not_overlap_are_judged_together() -> None:
    start = np.concatenate([np.arange(0, 30), np.arange(5, 18)]) * 10
    keys = pd.DataFrame({"chrom": ["1"] * 30 + ["2"] * 13, "start": start, "end": start + 10})
    chosen = kind_task(CLASSES, 11).apart(Examples(keys, []), np.arange(43))
    assert np.flatnonzero(chosen).tolist() == [0, 11, 22, 30, 41]


def calls_of(p_hard: list[float], p_soft: list[float], **columns: list[Any]) -> pd.DataFrame:
    number = len(p_hard)
    start = 10 * np.arange(number)
    table = pd.DataFrame({"chrom": "1", "start": start, "end": start + 10, "p_hard": p_hard, "p_soft": p_soft})
    return table.assign(support="ok").assign(**columns)


def test_windows_that_share_a_sweep_are_called_together() -> None:
    found = calls.called(calls_of([0.01, 0.5, 0.3, 0.01, 0.01], [0.0, 0.1, 0.06, 0.0, 0.0]), 0.05)
    assert found["called"].tolist() == [False, True, True, False, False]
    assert found["p_region"].to_numpy()[1] == pytest.approx(0.96) and found["q"].to_numpy()[1] == pytest.approx(0.04)
    region = calls.regions(found).to_dict("records")
    assert [(r["start"], r["end"], r["kind"], r["peak"], r["windows"]) for r in region] == [(10, 30, "hard", 15, 2)]
    assert region[0]["p_sweep"] == pytest.approx(0.96)


def test_a_region_ends_at_the_contig_outside_the_support_and_at_eleven_windows() -> None:
    p, zero = [0.6] * 11 + [0.59, 0.58], [0.0] * 13
    whole = calls.called(calls_of(p, zero), 0.3)
    assert whole.groupby("region").size().sort_values().tolist() == [2, 11]
    assert whole["p_region"].max() == 1.0
    p, zero = p[:7], zero[:7]
    chrom = calls.called(calls_of(p, zero, chrom=["1"] * 2 + ["2"] * 5), 0.3)
    assert chrom.groupby("region")["chrom"].nunique().max() == 1
    outside = calls.called(calls_of(p, zero, support=["ok", "ok", "outside", "ok", "ok", "ok", "ok"]), 0.3)
    assert outside["region"].tolist()[2] == -1 and not outside["called"].tolist()[2]
    assert set(outside["region"][:2]).isdisjoint(outside["region"][3:])


def test_what_is_false_among_called_regions_is_what_q_says() -> None:
    rng = np.random.default_rng(1)
    spread = rng.dirichlet([0.5, 1, 0.5], 4_000)  # of one sweep over three windows that stand alone
    sure = rng.random(4_000)
    p = np.hstack([spread * sure[:, None], np.zeros((4_000, 3))]).ravel()
    swept = rng.random(4_000) < sure
    found = calls.called(calls_of(p.tolist(), [0.0] * len(p)), 0.1)
    of_place = np.repeat(np.arange(4_000), 6)
    made = np.unique(of_place[found["called"].to_numpy(bool)])
    assert 1 - swept[made].mean() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"recombination_rate": None}, "--recombination-rate: is missing"),
        ({"recombination_rate": 1.0}, "did you mean 1e-8"),
        ({"mutation_rate": None}, "--mutation-rate: is missing"),
        ({"prior": ("neutral=0.9", "odd=0.1")}, "no class 'odd'"),
        ({"prior": ("neutral",)}, "write a class and its share"),
        ({"fdr": 0.0}, "--fdr is the share of false calls"),
        ({"window": "1Mb"}, "give a shorter one"),
        ({"window": 50}, "too short for 11 sub-windows"),
        ({"windows": "chromosome", "window": 1_100_000}, "a scan lays its windows itself"),
        ({"simulations": 20}, "at least 500"),
        ({"adapt": "align"}, "sweeps are rare in genomes and common in training"),
        ({"simulations": 1_000}, "too few to calibrate strength and age; give at least 2,916"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], said: str, chromosome: Path, tmp_path: Path) -> None:
    given = {name: chromosome if value == "chromosome" else value for name, value in given.items()}
    with pytest.raises(SewallError, match=said):
        sweep.scan(chromosome, out=tmp_path / "out", **{**SETTINGS, **given})


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        (tuple(f"{name}=0.1" for name in CLASSES), "sum to 0.7"),
        (("neutral=0.9", "hard=0.1"), "no prior is given for soft"),
    ],
)
def test_priors_that_cannot_be_are_refused(
    prior: tuple[str, ...], said: str, scanned: ScanResult, chromosome: Path, tmp_path: Path
) -> None:
    with pytest.raises(SewallError, match=said):
        sweep.predict(scanned.folder / "bundle", chromosome, out=tmp_path / "out", prior=prior, **ASKED)


def test_few_chromosomes_are_refused(folder: Path, tmp_path: Path) -> None:
    few = written(folder / "few.vcf", individuals=3)
    with pytest.raises(SewallError, match=r"6 chromosomes.*at least 8"):
        sweep.scan(few, out=tmp_path / "out", **SETTINGS)


def test_another_window_than_the_bundle_was_trained_on_is_refused(
    scanned: ScanResult, chromosome: Path, tmp_path: Path
) -> None:
    with pytest.raises(SewallError, match=r"trained on windows of 55,000 bp; give --window 55000"):
        sweep.predict(scanned.folder / "bundle", chromosome, out=tmp_path / "out", **{**ASKED, "window": 44_000})
    with pytest.raises(SewallError, match="trained already: --recombination-rate"):
        sweep.scan(chromosome, out=tmp_path / "out", bundle=scanned.folder / "bundle", recombination_rate=1e-8, **ASKED)


def test_a_map_that_does_not_reach_the_windows_is_refused(chromosome: Path, tmp_path: Path) -> None:
    short = tmp_path / "map.txt"
    short.write_text("Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\nchr1\t0\t1\t0\nchr1\t1000\t0\t0.001\n")
    with pytest.raises(SewallError, match="reaches 0% of the windows"):
        sweep.scan(chromosome, out=tmp_path / "out", **{**SETTINGS, "recombination_rate": str(short)})


@pytest.fixture
def rates(tmp_path: Path) -> str:
    path = tmp_path / "map.bedgraph"
    path.write_text("chr1\t0\t60000\t5e-9\nchr1\t60000\t120000\t2e-8\n")
    return str(path)


def test_simulations_follow_a_map_and_the_nearest_histories(
    rates: str, chromosome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tiny(monkeypatch)
    asked = {name: value for name, value in SETTINGS.items() if name != "recombination_rate"}
    monkeypatch.setattr(learn, "ADAPT_LOOK", 60)
    sweep.simulate(chromosome, out=tmp_path / "made", recombination_rate=rates, adapt="auto", **asked)
    made = learn.read_made(tmp_path / "made")
    away = json.loads((tmp_path / "made" / "manifest.json").read_text())["stages"]["adapt"]["notes"]["away"]
    assert set(away) == {"resimulate", "randomise"}
    known = windows_of(made.examples).encoded["known"]
    assert known.shape[1] == 11 and np.ptp(known) == pytest.approx(np.log(4), abs=0.01)
    assert made.about["trained_on"]["genetic_map_mean"] == pytest.approx(1.25e-8, rel=0.3)


def test_a_bundle_of_a_map_reads_one_for_every_window(
    rates: str, scanned: ScanResult, chromosome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(scanned.folder / "bundle", bundle)
    about = json.loads((bundle / "bundle.json").read_text())
    about["trained_on"]["genetic_map_mean"] = 1e-8  # as if it had been trained with one
    (bundle / "bundle.json").write_text(json.dumps(about))
    seen: list[Examples] = []
    answers = scanning.answers

    def watched(trained: Any, examples: Examples, *rest: Any) -> Any:
        seen.append(examples)
        return answers(trained, examples, *rest)

    monkeypatch.setattr(scanning, "answers", watched)
    found = sweep.predict(bundle, chromosome, out=tmp_path / "with", recombination_rate=rates, **ASKED)
    known = windows_of(seen[0]).encoded["known"]
    assert known.shape == (len(found.table), 11)
    assert np.allclose(np.abs(known), np.log(2), atol=1e-3) and np.ptp(known) > 1
    explained = sweep.explain(bundle, chromosome, out=tmp_path / "why", recombination_rate=rates, **ASKED)
    assert np.isfinite(explained.positions["log_odds"]).all()
    with pytest.raises(SewallError, match="trained with a genetic map; give the map"):
        sweep.predict(bundle, chromosome, out=tmp_path / "without", **ASKED)
