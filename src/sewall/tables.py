"""Tables that people open: TSV under comment lines."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

import pandas as pd

from sewall.rundir import atomic_path


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote; ids stay text."""
    with path.open(encoding="utf-8") as lines:
        comments = sum(1 for _ in takewhile(lambda line: line.startswith("#"), lines))
    ids = ("sample_id", "chrom", "sequence_id")
    return pd.read_csv(
        path, sep="\t", skiprows=comments, dtype=dict.fromkeys(ids, str), keep_default_na=False, na_values=["NA"]
    )


def write_table(path: Path, table: pd.DataFrame, header: Iterable[str] = ()) -> None:
    """Write a table as TSV under comment lines, whole or not at all; unknown numbers are ``NA``."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(f"# {line}\n" for line in header)
        table.to_csv(file, sep="\t", index=False, na_rep="NA", float_format="%.6g")
