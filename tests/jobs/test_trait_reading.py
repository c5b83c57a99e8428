"""Which sex and which genotypes reach the models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sewall.console import Console
from sewall.data.panel import FEMALE, MALE, UNKNOWN
from sewall.errors import SewallError
from sewall.jobs.trait.options import TrainOptions
from sewall.jobs.trait.reading import SEX, Labelled, read_training
from sewall.rundir import RunDirectory

PEOPLE = 64
IDS = [f"{k:03d}" for k in range(PEOPLE)]
MALES = np.arange(PEOPLE) % 3 == 0


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Labelled]:
    """Read a matrix of autosomes, in which nothing tells the sexes."""
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 3, (PEOPLE, 12))
    rows = [",".join([name, *map(str, row)]) for name, row in zip(IDS, codes, strict=True)]
    (tmp_path / "panel.csv").write_text("\n".join([",".join(["id", *(f"m{k}" for k in range(12))]), *rows]))
    words = np.where(MALES, "M", "F")
    cells = zip(IDS, rng.standard_normal(PEOPLE), words, strict=True)
    lines = ["sample_id\ty\tgender\tbatch\tcage"]
    lines += [f"{i}\t{y:.3f}\t{w}\t{'u' if w == 'M' else 'v'}\t{1 + int(i) % 3}" for i, y, w in cells]
    (tmp_path / "traits.tsv").write_text("\n".join(lines))
    (tmp_path / "sexes.tsv").write_text(
        "\n".join(["sample_id\tsex", *(f"{i}\t{w}" for i, w in zip(IDS, words, strict=True))][:-4])
    )

    def given(**options: Any) -> Labelled:
        wanted = TrainOptions.of(
            genotypes=tmp_path / "panel.csv", phenotypes=tmp_path / "traits.tsv", trait="y", out=tmp_path / "out",
            **options,
        )  # fmt: skip
        folder = RunDirectory.open(wanted.out, wanted.identity(), force=True)
        with Console(0) as console:
            return read_training(wanted, folder, console)

    return given


def test_sex_is_a_covariate_without_any_x(read: Callable[..., Labelled]) -> None:
    people = read(sex="gender").people
    assert people.names == (SEX,)
    np.testing.assert_array_equal(people.covariates[:, 0], MALES)
    np.testing.assert_array_equal(people.male, MALES)
    assert read().people.names == ()


def test_sexes_of_a_table_of_their_own(read: Callable[..., Labelled], tmp_path: Path) -> None:
    found = read(sex=tmp_path / "sexes.tsv")
    assert found.people.panel.sex[:3].tolist() == [MALE, FEMALE, FEMALE]
    assert found.people.panel.sex[-4:].tolist() == [UNKNOWN] * 4
    assert any(
        "the sex of 4 individuals is unknown (060, 061, 062 and 1 more): taken as female" in n for n in found.notes
    )


def test_sex_is_not_said_twice(read: Callable[..., Labelled]) -> None:
    assert read(sex="gender", covariates="batch").people.names == ("batch=u",)


def test_numbers_that_are_codes(read: Callable[..., Labelled]) -> None:
    assert read(covariates="cage").people.names == ("cage",)
    assert read(covariates="cage", categories="cage").people.names == ("cage=2", "cage=3")


def test_a_sex_that_is_nowhere(read: Callable[..., Labelled]) -> None:
    with pytest.raises(SewallError, match=r"traits.tsv: has no column Sex; its columns are y, gender, batch, cage"):
        read(sex="Sex")


def test_a_cross_brings_its_traits(tmp_path: Path) -> None:
    (tmp_path / "cross.zip").touch()
    options = TrainOptions.of(genotypes=tmp_path / "cross.zip", trait="y", out=tmp_path / "out")
    assert options.phenotypes == options.genotypes
