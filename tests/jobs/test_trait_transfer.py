"""A bundle carried to another study with other sites, other individuals and another unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sewall import trait
from sewall.errors import SewallError
from sewall.jobs.trait import networks, transferring
from sewall.jobs.trait.carried import Carried, TransferTask
from sewall.jobs.trait.predicting import load
from sewall.jobs.trait.transferring import TransferResult
from sewall.nets.chromosomes import ChromosomeNet
from sewall.train import TrainConfig

OLD, NEW, SITES = 300, 100, 120


@pytest.fixture(scope="module", autouse=True)
def small_networks() -> Any:
    small = TrainConfig(epochs=2, patience=2, batch=32, members=1)
    with pytest.MonkeyPatch.context() as patch:
        for place, name in ((networks, "FEW"), (transferring, "TUNED"), (transferring, "HEAD")):
            patch.setattr(place, name, small)
        yield


def hapmap(path: Path, codes: np.ndarray, kept: np.ndarray, people: np.ndarray) -> None:
    words = np.array(["AA", "AG", "GG"])
    head = ["rs", "alleles", "chrom", "pos", "strand", *(f"column{k}" for k in range(6))]
    rows = ["\t".join([*head, *(f"p{k}" for k in people)])]
    for k in np.flatnonzero(kept):
        place = [f"s{k}", "A/G", str(k // 40 + 1), str(1000 * (k % 40) + 1000), "+", *["NA"] * 6]
        rows.append("\t".join([*place, *words[codes[k, people]]]))
    path.write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An old study at two thirds of the sites, and a small new one at another two thirds, of the same trait."""
    rng = np.random.default_rng(8)
    codes = np.zeros((SITES, OLD + NEW), np.uint8)
    for _ in range(2):
        state = rng.random(OLD + NEW) < 0.5
        for k in range(SITES):
            fresh = rng.random(OLD + NEW) < (1.0 if k % 40 == 0 else 0.1)
            state = np.where(fresh, rng.random(OLD + NEW) < 0.4, state)
            codes[k] += state
    value = (rng.standard_normal(SITES) * (rng.random(SITES) < 0.3)) @ codes
    value = (value - value.mean()) / value.std() + 0.6 * rng.standard_normal(OLD + NEW)
    folder = tmp_path_factory.mktemp("studies")
    here, there = np.arange(SITES) % 3 > 0, np.arange(SITES) % 3 < 2
    hapmap(folder / "old.hmp.txt", codes, here, np.arange(OLD))
    hapmap(folder / "new.hmp.txt", codes, there, np.arange(OLD, OLD + NEW))
    table = pd.DataFrame({"sample_id": [f"p{k}" for k in range(OLD + NEW)], "height": value})
    table["ill"] = (value > 0.2).astype(int)
    table.iloc[:OLD].to_csv(folder / "old.tsv", sep="\t", index=False)
    new = table.iloc[OLD:].assign(height=170 + 10 * value[OLD:], age=np.arange(NEW) % 9)
    new.to_csv(folder / "new.tsv", sep="\t", index=False)
    return folder


def old_bundle(studies: Path, out: Path, name: str) -> Path:
    result = trait.train(
        studies / "old.hmp.txt", phenotypes=studies / "old.tsv", trait=name, out=out, folds=3, seed=1, threads=1,
        verbosity=0,
    )  # fmt: skip
    return result.folder / "bundle"


@pytest.fixture(scope="module")
def bundle(studies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return old_bundle(studies, tmp_path_factory.mktemp("old"), "height")


def carry(studies: Path, bundle: Path, out: Path, **options: Any) -> TransferResult:
    given = {"folds": 3, "seed": 2, "threads": 1, "verbosity": 0} | options
    return trait.transfer(bundle, studies / "new.hmp.txt", phenotypes=studies / "new.tsv", out=out, **given)


@pytest.fixture(scope="module")
def carried(studies: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> TransferResult:
    # Two processes: what the old bundle knows must be fit to be sent to them.
    return carry(studies, bundle, tmp_path_factory.mktemp("carried"), covariates="age", threads=2)


def test_all_ways_are_judged_beside_a_training_from_scratch(carried: TransferResult) -> None:
    assert carried.evaluation["n"] == NEW
    r = {arm["key"]: arm["metrics"]["pearson"]["value"] for arm in carried.evaluation["arms"]}
    assert list(r) == list(transferring.ARMS)
    assert r["zero_shot"] > 0.5 and r["transfer"] > 0.5
    assert r["zero_shot"] > r["scratch"] - 0.1
    gain = carried.evaluation["transfer_adds"]
    assert gain["value"] == pytest.approx(r["transfer"] - r["scratch"], abs=1e-9)
    assert gain["lower"] <= gain["value"] <= gain["upper"]
    page = carried.report.read_text()
    assert "Does the other study help?" in page and "were filled in from the linkage" in page
    assert (carried.folder / "scratch" / "report.html").exists()
    assert len(carried.summary().splitlines()) == len(r) + 2


def test_the_new_bundle_predicts_in_the_new_unit(carried: TransferResult, studies: Path, tmp_path: Path) -> None:
    table = pd.read_csv(studies / "new.tsv", sep="\t")
    found = trait.predict(
        carried.folder / "bundle", studies / "new.hmp.txt", phenotypes=studies / "new.tsv", out=tmp_path / "out",
        seed=1, verbosity=0,
    ).table  # fmt: skip
    assert 165 < found["estimate"].mean() < 175
    assert np.corrcoef(found["estimate"], table["height"])[0, 1] > 0.5
    task, loaded = load(carried.folder / "bundle")
    assert isinstance(task, TransferTask)
    assert "carried" in {model.key for model in loaded.simple_models}


def test_a_transferred_bundle_can_be_carried_on(carried: TransferResult, studies: Path, tmp_path: Path) -> None:
    again = carry(studies, carried.folder / "bundle", tmp_path / "out", covariates="age")
    r = {arm["key"]: arm["metrics"]["pearson"]["value"] for arm in again.evaluation["arms"]}
    assert r["zero_shot"] > 0.5
    page = again.report.read_text().replace("&#39;", "'")
    assert "100 individuals have ids of the bundle's training" in page


def test_classes_are_carried_too(studies: Path, tmp_path: Path) -> None:
    found = carry(studies, old_bundle(studies, tmp_path / "old", "ill"), tmp_path / "out")
    scores = {arm["key"]: arm["metrics"]["auroc"]["value"] for arm in found.evaluation["arms"]}
    assert scores["zero_shot"] > 0.65 and scores["transfer"] > 0.6


def test_only_the_head_learns_where_that_is_asked(bundle: Path) -> None:
    task, old = load(bundle)
    tuned = TransferTask(task.target, task.sites, Carried(task, old), "head").network(None, np.arange(1))  # type: ignore[arg-type]
    assert isinstance(tuned, ChromosomeNet)
    learning = {name.split(".")[0] for name, p in tuned.named_parameters() if p.requires_grad}
    assert learning == {"hidden", "head"}
    whole = TransferTask(task.target, task.sites, Carried(task, old)).network(None, np.arange(1))  # type: ignore[arg-type]
    assert all(p.requires_grad for p in whole.parameters())


def test_another_kind_of_trait_is_refused(studies: Path, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="ill is 0, 1, the bundle predicts a quantity"):
        carry(studies, bundle, tmp_path / "out", trait="ill")
