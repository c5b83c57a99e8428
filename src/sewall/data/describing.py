"""What is in the columns of a table of traits: of which kind each is, who is missing, who stands out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall.data.phenotypes import QUANTITY, read_cells, read_phenotypes
from sewall.errors import SewallError, some_names

CONSTANT, UNUSABLE = "constant", "not usable"
FAR = 5.0  # robust standard deviations from the median
_FAMILY_COLUMNS = {"FID", "IID", "PAT", "MAT"}
_MAD = 1.4826  # of a normal distribution: standard deviation over median absolute deviation


def describe_traits(path: Path, genotyped: Collection[str], ids: str | None = None) -> pd.DataFrame:
    """Return one row per column: ``trait kind n missing genotyped mean sd lowest highest outliers first remark``.

    Args:
        path: the table.
        genotyped: ids of the individuals with genotypes.
        ids: column of the sample ids, as for `read_phenotypes`.

    Raises:
        SewallError: the table cannot be read.
    """
    people, cells = read_cells(path, ids)
    known = np.array([name in genotyped for name in people])
    named = [name for name in cells if name not in _FAMILY_COLUMNS]
    rows = [_described(path, name, people, cells[name], known, ids) for name in named]
    columns = ["trait", "kind", "n", "missing", "genotyped", "mean", "sd", "lowest", "highest", "outliers", "first"]
    return pd.DataFrame(rows, columns=[*columns, "remark"])


def _described(
    path: Path, name: str, people: list[str], cells: list[str], genotyped: np.ndarray, ids: str | None
) -> dict[str, Any]:
    filled = np.array([cell != "" for cell in cells])
    try:
        table = read_phenotypes(path, [name], ids=ids)
    except SewallError as problem:
        kind = CONSTANT if len({*cells} - {""}) <= 1 else UNUSABLE
        remark = str(problem).removeprefix(f"{path}").lstrip(":, ")
        return {"trait": name, "kind": kind, **_numbers(filled, genotyped), "remark": remark}
    values, kind = table.traits[name].to_numpy(float), table.kinds[name]
    measured = np.isfinite(values)
    found = {"trait": name, "kind": kind, **_numbers(measured, genotyped)}
    said = [note.removeprefix(f"{path}: ") for note in table.notes]
    if kind == QUANTITY:
        found |= _spread(values, measured, people)
    else:
        counts = Counter(values[measured].astype(int).tolist())
        said.insert(0, ", ".join(f"{label}: {counts[k]}" for k, label in enumerate(table.classes[name])))
    return found | {"remark": "; ".join(said)}


def _numbers(measured: np.ndarray, genotyped: np.ndarray) -> dict[str, int]:
    return {
        "n": int(measured.sum()), "missing": int((~measured).sum()), "genotyped": int((measured & genotyped).sum()),
    }  # fmt: skip


def _spread(values: np.ndarray, measured: np.ndarray, people: list[str]) -> dict[str, Any]:
    known = values[measured]
    spread = _MAD * float(np.median(np.abs(known - np.median(known)))) or float(known.std())
    far = np.flatnonzero(measured & (np.abs(values - np.median(known)) > FAR * spread))
    return {
        "mean": float(known.mean()), "sd": float(known.std(ddof=1)), "lowest": float(known.min()),
        "highest": float(known.max()), "outliers": len(far), "first": some_names([people[k] for k in far.tolist()]),
    }  # fmt: skip
