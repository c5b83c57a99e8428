"""From files to examples: genotypes and tables brought together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall.console import Console
from sewall.data.convert import file_digest
from sewall.data.joining import match
from sewall.data.panel import Panel
from sewall.data.panels.reading import open_panel
from sewall.data.phenotypes import read_phenotypes
from sewall.data.samples import read_sample_list
from sewall.errors import SewallError
from sewall.jobs.trait.options import PredictOptions, TrainOptions, TraitOptions
from sewall.jobs.trait.people import People
from sewall.rundir import RunDirectory
from sewall.task import Examples

SEX = "sex (male)"
FEWEST = 60  # individuals; below, no fold tells one model from another


@dataclass(frozen=True)
class Labelled:
    """Individuals with genotypes and a trait.

    Attributes:
        examples: one per individual of the table.
        covariates: names of the columns that models see, sex among them where the panel tells the sexes.
        levels: of the categories among the covariates, for prediction.
        notes: what was left out or mended, in sentences for the user.
    """

    examples: Examples
    covariates: tuple[str, ...]
    levels: Mapping[str, Sequence[str]]
    notes: tuple[str, ...]

    @property
    def panel(self) -> Panel:
        """The genotypes."""
        assert isinstance(self.examples.source, People)
        return self.examples.source.panel


def read_training(options: TrainOptions, folder: RunDirectory, console: Console) -> Labelled:
    """Read genotypes and the trait of everybody who has both.

    Raises:
        SewallError: what `open_panel`, `read_phenotypes` and `match` refuse, a binary trait, or too few individuals.
    """
    table = read_phenotypes(options.phenotypes, [options.trait], list(options.covariates), groups=options.groups)
    if table.kinds[options.trait] == "binary":
        raise SewallError(
            f"{options.phenotypes}: {options.trait} has two values; traits in classes cannot be trained yet, "
            "give a quantity"
        )
    whole = _open(options, folder, console, None, keep_constant=False)
    joined = match(whole.sample_ids, table, options.genotypes, options.allow_missing)
    known = np.isfinite(joined.phenotypes.traits[options.trait].to_numpy(float))
    rows, table = joined.rows[known], joined.phenotypes.take(np.flatnonzero(known))
    if len(rows) < max(FEWEST, 2 * options.folds):
        raise SewallError(
            f"{options.phenotypes}: {len(rows)} individuals have genotypes and {options.trait}, and "
            f"{max(FEWEST, 2 * options.folds)} are needed at least"
        )
    panel = _open(options, folder, console, [whole.sample_ids[row] for row in rows], keep_constant=False)
    covariates, names = _with_sex(panel, table.covariates)
    keys = pd.DataFrame({"sample_id": panel.sample_ids})
    trait = table.traits[options.trait].to_numpy(float)
    examples = Examples(keys, People(panel, covariates, names), trait, table.groups)
    notes = (*panel.notes, *table.notes, *joined.notes)
    if unmeasured := int((~known).sum()):
        notes += (f"{unmeasured} individuals have no {options.trait}; they were left out",)
    return Labelled(examples, names, table.levels, notes)


def read_unlabelled(
    options: PredictOptions, about: Mapping[str, Any], folder: RunDirectory, console: Console
) -> tuple[Panel, np.ndarray, tuple[str, ...]]:
    """Read the genotypes of those to be predicted, and their covariates.

    Returns:
        The panel, ``(individuals, columns)`` covariates in the order of training, and notes.
    """
    wanted = read_sample_list(options.samples) if options.samples is not None else None
    panel = _open(options, folder, console, wanted, keep_constant=True)
    names, given = list(about["covariates"]), list(about["given_covariates"])
    if not given:
        covariates, found = _with_sex(panel, pd.DataFrame(index=range(len(panel))), SEX in names)
        return panel, covariates, panel.notes
    if options.phenotypes is None:
        raise SewallError(f"--phenotypes: the bundle was trained with {', '.join(given)}; give a table that has them")
    table = read_phenotypes(options.phenotypes, [], given, levels=about["levels"])
    joined = match(panel.sample_ids, table, options.genotypes, options.allow_missing, drop_collinear=False)
    values = pd.DataFrame(joined.over_panel(joined.phenotypes.covariates), columns=joined.phenotypes.covariates.columns)
    covariates, found = _with_sex(panel, values, SEX in names)
    place = [found.index(name) for name in names]
    return panel, covariates[:, place], (*panel.notes, *table.notes, *joined.notes)


def _open(
    options: TraitOptions, folder: RunDirectory, console: Console, samples: list[str] | None, keep_constant: bool
) -> Panel:
    with console.bar(f"reading {options.genotypes.name}") as bar:
        return open_panel(
            options.genotypes, folder.claim("variants"), samples=samples, build=options.build,
            autosomes=options.autosomes, sites=options.sites, keep_constant=keep_constant, progress=bar.update,
        )  # fmt: skip


def _with_sex(panel: Panel, table: pd.DataFrame, wanted: bool | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return covariates with sex among them, so that the pattern of X and Y cannot stand in for it."""
    male = People(panel, np.zeros((len(panel), 0))).male
    both = 0 < male.sum() < len(male) if wanted is None else wanted
    values, names = table.to_numpy(float), [str(name) for name in table.columns]
    if not both:
        return values, tuple(names)
    return np.column_stack([values, male.astype(float)]), (*names, SEX)


def input_record(path: Path, panel: Panel) -> dict[str, Any]:
    """Return what ``run.json`` says of the genotypes."""
    files = [path] if path.is_file() else []
    contigs = [
        {"name": name, "first": int(panel.sites.position[where].min()), "last": int(panel.sites.position[where].max()),
         "variants": where.stop - where.start}
        for name, where in panel.sites.chromosomes()
    ]  # fmt: skip
    return {
        "path": str(path), "digest": file_digest(files) if files else "", "samples": len(panel), "contigs": contigs,
        "sites": len(panel.sites),
    }  # fmt: skip
