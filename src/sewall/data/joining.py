"""Individuals of a panel and of a table brought together by id, never by the order of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.phenotypes import Phenotypes, check_varies
from sewall.errors import SewallError, some_names
from sewall.task import Rows

_COLLINEAR = 1e-8
_ALLOW = "--allow-missing leaves them out"


@dataclass(frozen=True)
class Joined:
    """Individuals with genotypes and phenotypes, in the order of the panel.

    Attributes:
        rows: ``(individuals,)`` their indices in the panel.
        phenotypes: of the same individuals, in the same order; covariates that say nothing new are left out.
        panel_size: number of individuals of the panel.
        notes: who and what was left out, in sentences for the user.
    """

    rows: Rows
    phenotypes: Phenotypes
    panel_size: int
    notes: tuple[str, ...] = ()

    def over_panel(self, values: pd.DataFrame) -> NDArray[np.float64]:
        """Return ``(panel, columns)`` values for all individuals of the panel, NaN for those not joined."""
        found = np.full((self.panel_size, values.shape[1]), np.nan)
        found[self.rows] = values.to_numpy(float)
        return found


def match(
    panel_ids: Sequence[str],
    phenotypes: Phenotypes,
    panel_path: str | Path,
    allow_missing: bool = False,
    drop_collinear: bool = True,
) -> Joined:
    """Bring a panel and a table together by sample id.

    Args:
        panel_ids: of the individuals with genotypes.
        phenotypes: the table.
        panel_path: file of the panel, for messages.
        allow_missing: leave out individuals that only one of the two has, and those without all covariates.
        drop_collinear: leave out covariates that the earlier ones determine; False for prediction.

    Raises:
        SewallError: no id matches (shows one of each side), some do not match or lack covariates without
            *allow_missing* (says how many and names the first), or a trait no longer varies.
    """
    place = {name: row for row, name in enumerate(phenotypes.sample_ids)}
    notes = _unmatched(panel_ids, phenotypes, panel_path, allow_missing)
    rows = np.array([k for k, name in enumerate(panel_ids) if name in place], np.intp)
    taken = phenotypes.take(np.array([place[panel_ids[row]] for row in rows.tolist()], np.intp))
    whole, said = _with_covariates(taken, allow_missing)
    rows, taken, notes = rows[whole], taken.take(whole), notes + said
    for name in taken.traits:
        check_varies(taken.path, str(name), taken.traits[name].to_numpy(float))
    if drop_collinear:
        taken, said = _independent(taken)
        notes += said
    return Joined(rows, taken, len(panel_ids), tuple(notes))


def _unmatched(
    panel_ids: Sequence[str], phenotypes: Phenotypes, panel_path: str | Path, allow_missing: bool
) -> list[str]:
    """Say who is missing on either side; an error where nobody matches, or where that is not allowed."""
    here, there = Path(phenotypes.path).name, Path(panel_path).name
    known, listed = set(panel_ids), set(phenotypes.sample_ids)
    strangers = [name for name in phenotypes.sample_ids if name not in known]
    unlisted = [name for name in panel_ids if name not in listed]
    if len(strangers) == len(listed):
        raise SewallError(
            f"{here}: none of its {len(listed)} samples is in {there} ({strangers[0]} here, {panel_ids[0]} there); "
            f"{_remedy(strangers, known)}"
        )
    said = []
    if strangers:
        said.append(f"{len(strangers)} of {len(listed)} samples are not in {there} (first: {strangers[0]})")
    if unlisted:
        said.append(f"{len(unlisted)} of {len(known)} samples of {there} are not in it (first: {unlisted[0]})")
    if strangers and not allow_missing:
        raise SewallError(f"{here}: {' and '.join(said)}; {_ALLOW}")
    return [f"{here}: {text}; they were left out" for text in said]


def _remedy(strangers: Sequence[str], known: set[str]) -> str:
    """Say what would make ids match: family ids written on both sides or none, or else another column."""
    short = {name.split("_", 1)[-1] for name in strangers}
    if short & known or {name.split("_", 1)[-1] for name in known} & set(strangers):
        return "ids FID_IID on one side fit IID on the other: write them alike, or name another column (--ids)"
    return "name the column of the table that holds the ids of the genotypes (--ids)"


def _with_covariates(taken: Phenotypes, allow_missing: bool) -> tuple[Rows, list[str]]:
    """Return the individuals that have all covariates."""
    lacking = taken.covariates.isna().to_numpy()
    without = np.flatnonzero(lacking.any(axis=1))
    if not len(without):
        return np.arange(len(taken)), []
    names = sorted({str(name).partition("=")[0] for k, name in enumerate(taken.covariates) if lacking[:, k].any()})
    said = (
        f"{taken.path.name}: {len(without)} of {len(taken)} samples lack covariates ({some_names(names)}; first: "
        f"{taken.sample_ids[without[0]]})"
    )
    if not allow_missing:
        raise SewallError(f"{said}; {_ALLOW}")
    if len(without) == len(taken):
        raise SewallError(f"{said}; nobody has all of them, so leave a covariate out")
    return np.flatnonzero(~lacking.any(axis=1)), [f"{said}; they were left out"]


def _independent(taken: Phenotypes) -> tuple[Phenotypes, list[str]]:
    """Leave out covariates that are constant or a sum of earlier ones, one after the other (Gram-Schmidt)."""
    basis = np.full((len(taken), 1), 1 / np.sqrt(len(taken)))
    kept, dropped = [], []
    for name in taken.covariates:
        column = taken.covariates[name].to_numpy(float)
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)  # once more, against rounding
        if np.linalg.norm(rest) > _COLLINEAR * max(float(np.linalg.norm(column)), 1e-300):
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
            kept.append(name)
        else:
            dropped.append(str(name))
    said = f"covariates {', '.join(dropped)} say nothing that the others do not and were left out"
    return replace(taken, covariates=taken.covariates[kept]), [f"{taken.path.name}: {said}"] if dropped else []


def adds_to(covariates: NDArray[np.float64], column: NDArray[np.float64]) -> bool:
    """Return whether a column says what a constant and the ``(individuals, columns)`` covariates do not.

    >>> adds_to(np.array([[0.0], [1.0], [0.0]]), np.array([2.0, 1.0, 2.0]))
    False
    """
    known = np.column_stack([np.ones(len(column)), covariates])
    rest = column - known @ np.linalg.lstsq(known, column)[0]
    return bool(np.linalg.norm(rest) > _COLLINEAR * max(float(np.linalg.norm(column)), 1e-300))
