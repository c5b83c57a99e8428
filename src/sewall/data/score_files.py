"""Scoring files of the PGS Catalog (Lambert 2021, Nat Genet 53:420), format 2.0: read and written, gzipped or not.

A header of ``#key=value`` lines, a line of column names, then one variant a line, separated by tabs. Each has an allele
that is counted and a weight by which its copies are multiplied, or a weight for each number of copies. Harmonised files
of the Catalog, and files of format 1, are read too.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.headers import reading
from sewall.errors import SewallError
from sewall.rundir import atomic_path

Floats = NDArray[np.float64]

TITLE = "PGS CATALOG SCORING FILE - see https://www.pgscatalog.org/downloads/#dl_ftp_scoring for additional information"
VERSION = "2.0"
UNKNOWN = "NR"  # how the Catalog writes what was not reported
NO_PLACE = -1

NO_WEIGHT = "left out: no weight in the score file"
COMPLEX = "left out: a haplotype or an interaction of variants"
NO_ALLELE = "left out: no effect allele in the score file"

DOSAGE_WEIGHTS = [f"dosage_{copies}_weight" for copies in range(3)]
_COMPLEX_FLAGS = ("is_haplotype", "is_diplotype", "is_interaction")
_MISSING = frozenset({"", "na", "nan", ".", "none"})
_TRUE = frozenset({"true", "t", "1", "yes"})


@dataclass(frozen=True)
class ScoreFile:
    """Variants and what copies of their effect alleles weigh; all arrays are ``(variants,)`` unless said otherwise.

    Attributes:
        header: values by key, as they stand in the file.
        name: rsID, or an empty text.
        chrom: chromosome, or an empty text.
        position: counted from 0; `NO_PLACE` where unknown.
        effect: the allele that is counted, in capitals.
        other: the other allele, or an empty text; several are joined by ``/``.
        weight: of each copy of the effect allele; NaN where `by_copies` tells.
        by_copies: ``(variants, 3)`` weights of 0, 1 and 2 copies; NaN where they are proportional to the copies.
        frequency: of the effect allele; NaN where unknown.
        problem: why a variant cannot be scored, or an empty text.
    """

    header: Mapping[str, str]
    name: NDArray[np.str_]
    chrom: NDArray[np.str_]
    position: NDArray[np.int64]
    effect: NDArray[np.str_]
    other: NDArray[np.str_]
    weight: Floats
    by_copies: Floats
    frequency: Floats
    problem: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.name)

    @property
    def additive(self) -> NDArray[np.bool_]:
        """Return ``(variants,)``: whose weight is proportional to the copies."""
        return np.isnan(self.by_copies[:, 0])

    @property
    def title(self) -> str:
        """What the score is called."""
        known = [self.header.get(key, "") for key in ("pgs_name", "pgs_id", "trait_reported")]
        return next((text for text in known if text and text != UNKNOWN), "")

    @classmethod
    def of(
        cls,
        header: Mapping[str, str],
        place: pd.DataFrame,
        weight: Floats | None = None,
        by_copies: Floats | None = None,
        frequency: Floats | None = None,
    ) -> ScoreFile:
        """Return the scores of known variants.

        Args:
            header: values by key; those that the format asks for are added where they are missing.
            place: columns ``name chrom position effect other`` as in the attributes.
            weight: ``(variants,)`` per copy, or None.
            by_copies: ``(variants, 3)``, or None.
            frequency: ``(variants,)``, or None.
        """
        empty = np.full(len(place), np.nan)
        texts = {column: place[column].to_numpy(str) for column in ("name", "chrom", "effect", "other")}
        return cls(
            header=header, position=place["position"].to_numpy(np.int64),
            weight=empty if weight is None else np.asarray(weight, float),
            by_copies=np.full((len(place), 3), np.nan) if by_copies is None else np.asarray(by_copies, float),
            frequency=empty if frequency is None else np.asarray(frequency, float),
            problem=np.full(len(place), ""), **texts,
        )  # fmt: skip


def write_score_file(path: Path, scores: ScoreFile) -> None:
    """Write a scoring file whole or not at all; gzipped where its name ends so. The same scores give the same bytes."""
    lines = [f"###{TITLE}", f"#format_version={VERSION}", "##POLYGENIC SCORE (PGS) INFORMATION"]
    asked = ("pgs_id", "pgs_name", "trait_reported", "trait_mapped", "trait_efo", "genome_build", "weight_type")
    known = dict.fromkeys(asked, UNKNOWN) | {"variants_number": str(len(scores))} | dict(scores.header)
    lines += [f"#{key}={' '.join(value.split())}" for key, value in known.items() if key != "format_version"]
    with atomic_path(path) as temporary, temporary.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
                _write(packed, lines, scores)
        else:
            _write(raw, lines, scores)


def _write(stream: IO[bytes] | gzip.GzipFile, lines: list[str], scores: ScoreFile) -> None:
    stream.write("".join(f"{line}\n" for line in lines).encode())
    place = np.where(scores.position == NO_PLACE, "", (scores.position + 1).astype(str))
    columns: dict[str, NDArray] = {
        "rsID": scores.name, "chr_name": scores.chrom, "chr_position": place, "effect_allele": scores.effect,
        "other_allele": scores.other,
    }  # fmt: skip
    if scores.additive.any() or not len(scores):
        columns["effect_weight"] = scores.weight
    if not scores.additive.all():
        columns |= dict(zip(DOSAGE_WEIGHTS, scores.by_copies.T, strict=True))
    if np.isfinite(scores.frequency).any():
        columns["allelefrequency_effect"] = scores.frequency
    text = pd.DataFrame(columns).to_csv(None, sep="\t", index=False, float_format="%.10g", lineterminator="\n")
    stream.write(text.encode())


def read_score_file(path: str | Path) -> ScoreFile:
    """Read a scoring file.

    Where a file was harmonised by the Catalog its ``hm_`` columns tell the place; where it has odds or hazard ratios
    and no weights, these are their logarithms. Dominant and recessive variants get weights by number of copies.

    Raises:
        SewallError: the file is missing, empty, damaged, no table, lacks columns, or holds text for a number (names
            line and text).
    """
    path = Path(path)
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    with reading(path) as raw:
        text = io.TextIOWrapper(raw, "utf-8-sig", newline=None)
        try:
            header, lines, first = _header(text)
            table = _Table.read(path, text, lines, first)
        except UnicodeDecodeError:
            raise SewallError(f"{path}: is not a text file; give a scoring file of the PGS Catalog") from None
        finally:
            text.detach()  # the file below is closed by its owner
    return _scores(table, header)


def _header(text: io.TextIOWrapper) -> tuple[dict[str, str], int, str]:
    """Return the values of the header, the number of its lines, and the line of column names."""
    header: dict[str, str] = {}
    for number, line in enumerate(text):
        if line.strip() and not line.startswith("#"):
            return header, number, line.rstrip("\n")
        key, mark, value = line.lstrip("#").rstrip("\n").partition("=")
        if mark and line[:2] != "##":
            header[key.strip()] = value.strip()
    return header, 0, ""


@dataclass(frozen=True)
class _Table:
    """The variants as text."""

    path: Path
    cells: pd.DataFrame
    first: int  # line of the first variant

    @classmethod
    def read(cls, path: Path, text: io.TextIOWrapper, lines: int, names: str) -> _Table:
        columns = names.split("\t")
        if not names:
            raise SewallError(f"{path}: has no line of column names; give a scoring file of the PGS Catalog")
        if len(columns) < 2:
            raise SewallError(f"{path}, line {lines + 1}: the columns are not separated by tabs; write them so")
        try:
            cells = pd.read_csv(
                text, sep="\t", header=None, names=columns, dtype=str, keep_default_na=False, index_col=False,
                quoting=csv.QUOTE_NONE, skip_blank_lines=False,
            )  # fmt: skip
        except ValueError as problem:
            found = re.search(r"line (\d+)", str(problem))
            where = f", line {lines + 1 + int(found[1])}" if found else ""
            raise SewallError(f"{path}{where}: has more columns than names; mend the line") from None
        if cells.empty:
            raise SewallError(f"{path}: has column names and no variants; give one a line")
        cells = cells.fillna("").apply(lambda column: column.str.strip())
        return cls(path, cells[(cells != "").any(axis=1)], lines + 2)

    def has(self, *names: str) -> bool:
        return all(name in self.cells for name in names)

    def text(self, *names: str) -> NDArray[np.str_]:
        """Return the first of the columns that is there, empty where missing."""
        name = next((name for name in names if name in self.cells), None)
        if name is None or not len(self.cells):
            return np.full(len(self.cells), "")
        column = self.cells[name]
        return column.where(~column.str.lower().isin(_MISSING), "").to_numpy(str)

    def flags(self, name: str) -> NDArray[np.bool_]:
        return np.isin(np.char.lower(self.text(name)), list(_TRUE))

    def numbers(self, name: str) -> Floats:
        """Return a column as numbers, NaN where missing; text is an error that names its line."""
        text = pd.Series(self.text(name))
        found = pd.to_numeric(text, errors="coerce").to_numpy(float)
        wrong = np.flatnonzero(~np.isfinite(found) & (text != "").to_numpy())
        if len(wrong):
            line = self.first + int(self.cells.index[wrong[0]])
            raise SewallError(f"{self.path}, line {line}: '{text[wrong[0]]}' in {name} is not a number; mend it")
        return found


def _scores(table: _Table, header: dict[str, str]) -> ScoreFile:
    weighs = table.has("effect_weight") or table.has(*DOSAGE_WEIGHTS) or table.has("OR") or table.has("HR")
    placed = table.has("chr_name", "chr_position") or table.has("hm_chr", "hm_pos") or table.has("rsID")
    if not (table.has("effect_allele") and weighs and placed):
        raise SewallError(
            f"{table.path}: lacks columns of a scoring file (rsID, or chr_name and chr_position; effect_allele; "
            f"effect_weight); it has {', '.join(table.cells.columns[:8])}"
        )
    chrom, position = _places(table)
    weight, by_copies = _weights(table)
    effect, other = np.char.upper(table.text("effect_allele")), np.char.upper(table.text("other_allele"))
    other = np.where(other == "", np.char.upper(table.text("reference_allele", "hm_inferOtherAllele")), other)
    complex_ = np.any([table.flags(name) for name in _COMPLEX_FLAGS], axis=0)
    known = np.isfinite(weight) | np.isfinite(by_copies).all(axis=1)
    problem = np.select([complex_, effect == "", ~known], [COMPLEX, NO_ALLELE, NO_WEIGHT], "")
    frequency = table.numbers("allelefrequency_effect")
    name = np.where(table.text("rsID") == "", table.text("hm_rsID"), table.text("rsID"))
    return ScoreFile(header, name, chrom, position, effect, other, weight, by_copies, frequency, problem)


def _places(table: _Table) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    chrom, position = table.text("chr_name"), table.numbers("chr_position")
    moved, new = table.text("hm_chr"), table.numbers("hm_pos")
    harmonised = (moved != "") & np.isfinite(new)
    if table.has("hm_chr", "hm_pos"):  # the others could not be placed in the build of the file
        chrom, position = np.where(harmonised, moved, ""), np.where(harmonised, new, np.nan)
    known = (chrom != "") & (position > 0)
    return np.where(known, chrom, ""), np.where(known, position - 1, NO_PLACE).astype(np.int64)


def _weights(table: _Table) -> tuple[Floats, Floats]:
    """Return weights per copy, and by number of copies where the file gives these or says dominant or recessive."""
    weight = table.numbers("effect_weight")
    for ratio in ("OR", "HR"):
        positive = np.where(table.numbers(ratio) > 0, table.numbers(ratio), np.nan)
        weight = np.where(np.isnan(weight), np.log(positive), weight)
    by_copies = np.column_stack([table.numbers(name) for name in DOSAGE_WEIGHTS])
    for name, shape in (("is_dominant", [0, 1, 1]), ("is_recessive", [0, 0, 1])):
        here = table.flags(name)
        by_copies[here] = weight[here, None] * np.array(shape)
    given = np.isfinite(by_copies).all(axis=1)
    by_copies[~given] = np.nan
    return np.where(given, np.nan, weight), by_copies
