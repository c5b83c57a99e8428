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
from sewall.data.joining import adds_to, match
from sewall.data.panel import Panel
from sewall.data.panels.reading import open_panel
from sewall.data.phenotypes import read_phenotypes, read_sex
from sewall.data.samples import read_sample_list
from sewall.errors import SewallError, some_names
from sewall.jobs.trait.options import EvaluateOptions, PredictOptions, TrainOptions, TraitOptions
from sewall.jobs.trait.people import MOST_MISSING, People
from sewall.rundir import RunDirectory
from sewall.task import Examples

SEX = "sex (male)"
FEWEST = 60  # individuals; below, no fold tells one model from another


@dataclass(frozen=True)
class Labelled:
    """Individuals with genotypes and at least one trait.

    Attributes:
        people: their genotypes and covariates, sex among these where the panel tells the sexes.
        traits: ``(individuals, traits)``, NaN where not measured, the number of the class for traits in classes.
        classes: names of the classes of such traits.
        groups: ``(individuals,)`` what the folds are made of, or None.
        levels: of the categories among the covariates, for prediction.
        notes: what was left out or mended, in sentences for the user.
    """

    people: People
    traits: pd.DataFrame
    classes: Mapping[str, tuple[str, ...]]
    groups: np.ndarray | None
    levels: Mapping[str, Sequence[str]]
    notes: tuple[str, ...]

    @property
    def panel(self) -> Panel:
        """The genotypes."""
        return self.people.panel

    def examples(self, traits: list[str], grouped: bool) -> Examples:
        """Return all individuals, labelled with one trait, ``(individuals,)``, or with several columns of them.

        Args:
            traits: their names.
            grouped: whether groups must not straddle folds.
        """
        values = self.traits[traits].to_numpy(float)
        target = values[:, 0] if len(traits) == 1 else values
        keys = pd.DataFrame({"sample_id": self.panel.sample_ids})
        return Examples(keys, self.people, target, self.groups if grouped else None)


def read_training(options: TrainOptions, folder: RunDirectory, console: Console) -> Labelled:
    """Read genotypes and the trait of everybody who has both.

    Raises:
        SewallError: what `open_panel`, `read_phenotypes` and `match` refuse, or too few individuals.
    """
    wanted = list(options.trait)
    table = read_phenotypes(
        options.phenotypes, wanted, list(options.covariates), groups=options.groups or options.leave_out,
        ids=options.ids, categories=options.categories, classes=options.classes,
    )  # fmt: skip
    wanted_samples = _wanted(options)
    if wanted_samples is not None:
        table = table.of(wanted_samples)
    whole = open_genotypes(options, folder, console, wanted_samples, keep_constant=False)
    joined = match(whole.sample_ids, table, options.genotypes, options.allow_missing)
    known = np.isfinite(joined.phenotypes.traits.to_numpy(float)).any(axis=1)
    rows, table = joined.rows[known], joined.phenotypes.take(np.flatnonzero(known))
    for trait in wanted:
        _check_enough(options, trait, table.traits[trait].to_numpy(float), table.classes.get(trait, ()))
    panel = open_genotypes(options, folder, console, [whole.sample_ids[row] for row in rows], keep_constant=False)
    covariates, names = _with_sex(panel, table.covariates)
    notes = (*panel.notes, *table.notes, *joined.notes)
    if unmeasured := int((~known).sum()):
        notes += (f"{unmeasured} individuals have no {' and no '.join(wanted)}; they were left out",)
    people = People(panel, covariates, names)
    notes += tuple(_without_calls(people))
    return Labelled(people, table.traits, table.classes, table.groups, table.levels, notes)


def _without_calls(people: People) -> list[str]:
    """Say who has too few calls to learn from, or to be answered."""
    lacking = np.flatnonzero(people.called["missing"].to_numpy() > MOST_MISSING)
    names = some_names([people.panel.sample_ids[row] for row in lacking.tolist()])
    return [f"{len(lacking)} individuals lack more than half of their calls ({names}): left aside"] if names else []


def _check_enough(options: TrainOptions, trait: str, values: np.ndarray, classes: tuple[str, ...]) -> None:
    """Raise where too few individuals have a trait, or one of its classes, to be divided into folds."""
    known, fewest = values[np.isfinite(values)], max(FEWEST, 2 * options.folds)
    if len(known) < fewest:
        raise SewallError(
            f"{options.phenotypes}: {len(known)} individuals have genotypes and {trait}, and {fewest} are needed "
            "at least"
        )
    counts = np.bincount(known.astype(int), minlength=len(classes)) if classes else np.array([fewest])
    if counts.min() < 2 * options.folds:
        raise SewallError(
            f"{options.phenotypes}: {trait} is {classes[counts.argmin()]} in {counts.min()} individuals, and "
            f"{2 * options.folds} of every class are needed for {options.folds} folds; merge classes"
        )


def read_unlabelled(
    options: PredictOptions, about: Mapping[str, Any], folder: RunDirectory, console: Console
) -> tuple[Panel, np.ndarray, tuple[str, ...]]:
    """Read the genotypes of those to be predicted, and their covariates.

    Returns:
        The panel, ``(individuals, columns)`` covariates in the order of training, and notes.
    """
    panel = open_genotypes(options, folder, console, _wanted(options), keep_constant=True)
    names, given = list(about["covariates"]), list(about["given_covariates"])
    if not given:
        covariates, found = _with_sex(panel, pd.DataFrame(index=range(len(panel))), SEX in names)
        return panel, covariates, panel.notes
    if options.phenotypes is None:
        raise SewallError(f"--phenotypes: the bundle was trained with {', '.join(given)}; give a table that has them")
    table = read_phenotypes(options.phenotypes, [], given, ids=options.ids, levels=about["levels"])
    joined = match(panel.sample_ids, table, options.genotypes, options.allow_missing, drop_collinear=False)
    values = pd.DataFrame(joined.over_panel(joined.phenotypes.covariates), columns=joined.phenotypes.covariates.columns)
    covariates, found = _with_sex(panel, values, SEX in names)
    place = [found.index(name) for name in names]
    return panel, covariates[:, place], (*panel.notes, *table.notes, *joined.notes)


def read_measured(
    options: EvaluateOptions, trait: str, classes: tuple[str, ...], samples: list[str]
) -> tuple[np.ndarray, list[str]]:
    """Read what was measured of *samples*, as the bundle counts it.

    Args:
        options: what the user asked.
        trait: column of the table.
        classes: of the bundle, in the order of their numbers; none for a quantity.
        samples: ids of individuals with genotypes.

    Returns:
        ``(samples,)`` values or numbers of classes, NaN where there is none, and notes.

    Raises:
        SewallError: a class that the bundle does not know, or nobody was measured.
    """
    table = read_phenotypes(options.phenotypes, [trait], [], classes=[trait] if classes else [])
    values = table.traits[trait].to_numpy(float)
    if classes:
        named = table.classes[trait]
        strange = [name for name in named if name not in classes]
        if strange:
            raise SewallError(
                f"{options.phenotypes}: {trait} is '{strange[0]}' in some individuals, unknown to the bundle; its "
                f"classes are {', '.join(classes)}"
            )
        number = np.array([classes.index(name) for name in named], float)
        values = np.where(np.isnan(values), np.nan, number[np.nan_to_num(values).astype(int)])
    place = {name: row for row, name in enumerate(table.sample_ids)}
    found = np.array([values[place[name]] if name in place else np.nan for name in samples])
    if not np.isfinite(found).any():
        raise SewallError(f"{options.phenotypes}: {trait} was measured in none of the individuals with genotypes")
    lacking = int((~np.isfinite(found)).sum())
    return found, [f"{lacking} individuals have no {trait}; they do not count"] if lacking else []


def _wanted(options: TraitOptions) -> list[str] | None:
    return read_sample_list(options.samples) if options.samples is not None else None


def open_genotypes(
    options: TraitOptions, folder: RunDirectory, console: Console, samples: list[str] | None, keep_constant: bool
) -> Panel:
    """Read the genotypes that *options* name, with the sexes that they give."""
    with console.bar(f"reading {options.genotypes.name}") as bar:
        return open_panel(
            options.genotypes, folder.claim("variants"), samples=samples, sex=_sexes(options), build=options.build,
            autosomes=options.autosomes, sex_system=options.sex_system, field=options.field, sites=options.sites,
            keep_constant=keep_constant, progress=bar.update,
        )  # fmt: skip


def _sexes(options: TraitOptions) -> dict[str, str]:
    """Return the sexes that the user gives, by sample id."""
    if options.sex is None:
        return {}
    if isinstance(options.sex, Path):
        return read_sex(options.sex)
    table = getattr(options, "phenotypes", None)
    if table is None:
        raise SewallError(f"--sex: there is no file {options.sex}, and no --phenotypes of which it may be a column")
    return read_sex(table, options.sex, options.ids)


def _with_sex(panel: Panel, table: pd.DataFrame, wanted: bool | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return covariates with sex among them, so that the pattern of X and Y cannot stand in for it.

    In training it is left out where everybody has the same, or where other covariates tell it.
    """
    values, names = table.to_numpy(float), [str(name) for name in table.columns]
    male = People(panel, values).male
    if not (adds_to(values, male.astype(float)) if wanted is None else wanted):
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
