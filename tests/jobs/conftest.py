"""A map of a tiny simulated chromosome, with a tiny budget: enough to see that all parts fit, too little to learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msprime
import numpy as np
import pytest

from sewall import run
from sewall.jobs import recombination
from sewall.jobs.recombination import learn, looking, mapping, posterior
from sewall.jobs.recombination.mapping import MapResult
from sewall.jobs.windows import learning
from sewall.train import TrainConfig
from sewall.trust import support

WINDOW, WINDOWS, THIN = 20_000, 7, 3  # window number 3 has too few variants
MUTATION_RATE = 5e-8


def _tiny(patch: pytest.MonkeyPatch) -> None:
    def of(quick: bool, device: str, threads: int | None) -> learning.Budget:
        return learning.Budget(TrainConfig(epochs=4, patience=4, members=2, device=device), threads or 1)

    patch.setattr(learning.Budget, "of", of)
    patch.setattr(looking, "LOOKS", (200, 100))
    patch.setattr(mapping.Data, "general", lambda *_: None)
    for name, number in (("PARTICLES", 400), ("FIRST_DRAWS", 2_000), ("MOVES", 3)):
        patch.setattr(posterior, name, number)
    patch.setattr(learn, "SHARD", 100)
    patch.setattr(run, "FEWEST_CALIBRATION", 50)
    for place in (run, support):
        patch.setattr(place, "FEWEST_NULL", 30)


@pytest.fixture
def tiny_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    _tiny(monkeypatch)


@pytest.fixture(scope="session")
def chromosome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phased diploids, 8 haplotypes."""
    trees = msprime.sim_ancestry(
        4, population_size=1e4, recombination_rate=1e-8, sequence_length=WINDOW * WINDOWS, random_seed=1
    )
    trees = msprime.sim_mutations(trees, MUTATION_RATE, random_seed=1)
    thin = (trees.tables.sites.position >= THIN * WINDOW) & (trees.tables.sites.position < (THIN + 1) * WINDOW)
    trees = trees.delete_sites(np.flatnonzero(thin)[4:])
    path = tmp_path_factory.mktemp("data") / "chromosome.vcf"
    with path.open("w") as file:
        trees.write_vcf(file, contig_id="chr1", position_transform=lambda positions: np.asarray(positions) + 1)
    return path


@pytest.fixture(scope="session")
def edited(chromosome: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Give the chromosome without its phase, or with a share of its calls missing."""

    def make(unphased: bool = False, missing: float = 0.0) -> Path:
        rng = np.random.default_rng(2)
        lines = []
        for line in chromosome.read_text().splitlines():
            words = line.split("\t")
            if not line.startswith("#"):
                calls = [call if rng.random() >= missing else ".|." for call in words[9:]]
                words[9:] = [call.replace("|", "/") for call in calls] if unphased else calls
            lines.append("\t".join(words))
        path = tmp_path_factory.mktemp("edited") / "edited.vcf"
        path.write_text("\n".join(lines) + "\n")
        return path

    return make


@pytest.fixture(scope="session")
def settings() -> dict[str, Any]:
    return {
        "mutation_rate": MUTATION_RATE, "window": WINDOW, "simulations": 600, "seed": 3, "threads": 1, "verbosity": 0,
    }  # fmt: skip


@pytest.fixture(scope="session")
def mapped(chromosome: Path, settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> MapResult:
    with pytest.MonkeyPatch.context() as patch:  # undone at once: other tests need the real numbers
        _tiny(patch)
        return recombination.map(chromosome, out=tmp_path_factory.mktemp("runs") / "out", **settings)
