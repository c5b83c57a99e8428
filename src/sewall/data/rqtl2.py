"""R/qtl2's zipped crosses: a control file in JSON names tables of genotypes, traits, covariates and maps.

The format is described at https://kbroman.org/qtl2/assets/vignettes/input_files.html.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sewall.data.delimited import rows_of_text
from sewall.errors import SewallError

Table = tuple[list[str], dict[str, list[str]]]
"""Names of the columns after the first, and the cells of each row by the name in its first column."""


@dataclass(frozen=True)
class Cross:
    """A zipped cross.

    Attributes:
        path: the zip file.
        control: its control file.
    """

    path: Path
    control: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> Cross:
        """Read the control file.

        Raises:
            SewallError: the file is no zip, holds no control file or more than one, or it is not JSON.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                found = [name for name in archive.namelist() if name.endswith(".json") and "__MACOSX" not in name]
                texts = {name: archive.read(name).decode("utf-8-sig") for name in found}
        except FileNotFoundError:
            raise SewallError(f"{path}: no such file; check the path") from None
        except (zipfile.BadZipFile, UnicodeDecodeError) as error:
            raise SewallError(f"{path}: is not a whole zip file ({error}); copy it again") from None
        if len(texts) != 1:
            raise SewallError(f"{path}: holds {len(texts)} control files (.json) of R/qtl2; give a zip with one")
        name, text = texts.popitem()
        try:
            control = json.loads(text)
        except json.JSONDecodeError as error:
            raise SewallError(f"{path}, {name}: is not JSON ({error}); mend the control file") from None
        if not isinstance(control, dict) or "geno" not in control:
            raise SewallError(f"{path}, {name}: names no table of genotypes (geno); mend the control file")
        return cls(path, control)

    @property
    def missing(self) -> set[str]:
        """What stands for a missing value."""
        given = self.control.get("na.strings", ["NA"])
        return {given} if isinstance(given, str) else set(map(str, given))

    def table(self, kind: str) -> Table:
        """Read a table (or several of the same columns), individuals or markers in rows; empty where there is none.

        Raises:
            SewallError: the file is absent or damaged, a row is too short or long, or a name occurs twice.
        """
        named = self.control.get(kind, [])
        columns: list[str] = []
        cells: dict[str, list[str]] = {}
        for name in [named] if isinstance(named, str) else named:
            header, rows = self._rows(name)
            if self.control.get(f"{kind}_transposed"):
                turned = list(map(list, zip(*rows.values(), strict=True))) or [[] for _ in header]
                header, rows = list(rows), dict(zip(header, turned, strict=True))
            if columns and header != columns:
                raise SewallError(f"{self.path}, {name}: has other columns than the first table of {kind}; mend it")
            if twice := set(rows) & set(cells):
                raise SewallError(f"{self.path}, {name}: {min(twice)} occurs more than once; every row needs its own")
            columns, cells = header, cells | rows
        return columns, cells

    def _rows(self, name: str) -> Table:
        place = Path(f"{self.path}/{name}")
        comment, mark = str(self.control.get("comment.char", "#")), str(self.control.get("sep", ","))
        try:
            with zipfile.ZipFile(self.path) as archive:
                inside = next((known for known in archive.namelist() if known.rsplit("/")[-1] == name), name)
                text = io.StringIO(archive.read(inside).decode("utf-8-sig"), newline=None)
        except KeyError:
            raise SewallError(f"{place}: the control file names it, but it is not in the zip; add it") from None
        except (zipfile.BadZipFile, UnicodeDecodeError) as error:
            raise SewallError(f"{place}: cannot be read ({error}); zip the cross again") from None
        lines = [row for row in rows_of_text(place, text, mark) if not row[1][0].startswith(comment)]
        return _checked(place, lines)


def _checked(place: Path, lines: Iterable[tuple[int, list[str]]]) -> Table:
    (_, header), *rows = lines
    found: dict[str, list[str]] = {}
    for number, fields in rows:
        if len(fields) != len(header):
            raise SewallError(f"{place}, line {number}: has {len(fields)} columns, not {len(header)}; mend the line")
        name = fields[0].strip()
        if name in found:
            raise SewallError(f"{place}, line {number}: {name} occurs more than once; every row needs its own name")
        found[name] = [field.strip() for field in fields[1:]]
    return [name.strip() for name in header[1:]], found


def traits_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the traits and covariates of a cross as one table: its header, and its rows with their numbers.

    Individuals that only one of the two tables has lack the cells of the other.
    """
    cross = Cross.open(path)
    (traits, measured), (covariates, known) = cross.table("pheno"), cross.table("covar")
    names = list(dict.fromkeys([*measured, *known]))
    if not names:
        raise SewallError(f"{path}: holds no traits (pheno) and no covariates (covar); give --phenotypes")
    rows = []
    for number, name in enumerate(names, start=2):
        cells = [*measured.get(name, ["NA"] * len(traits)), *known.get(name, ["NA"] * len(covariates))]
        rows.append((number, [name, *("NA" if cell in cross.missing else cell for cell in cells)]))
    return ["sample_id", *traits, *covariates], rows


def sexes(cross: Cross) -> dict[str, str]:
    """Return the sex of each individual in words, as the control file explains its column."""
    said = cross.control.get("sex")
    if not isinstance(said, dict) or "covar" not in said:
        return {}
    columns, cells = cross.table("covar")
    if said["covar"] not in columns:
        raise SewallError(f"{cross.path}: its covariates have no column {said['covar']}, which the control file names")
    place = columns.index(said["covar"])
    words = {str(said.get(word)): word for word in ("male", "female")}
    return {name: words.get(row[place], "") for name, row in cells.items()}
