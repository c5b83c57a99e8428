"""Tables of traits and covariates: ids stay text, what is missing is counted, categories become columns of 0 and 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.delimited import table_rows
from sewall.data.panels.sexes import sex_code
from sewall.data.rqtl2 import traits_table
from sewall.data.samples import refuse_duplicates
from sewall.errors import SewallError, some_names
from sewall.task import Rows

QUANTITY, BINARY, CLASSES = "quantity", "binary", "classes"

_MISSING = frozenset({"", "na", "nan", ".", "-", "null", "none", "n/a"})
_PLINK_MISSING = frozenset({"-9", "-9.0"})
_SEX_COLUMNS = frozenset({"sex", "gender"})
_CLASS_CODES = ([0, 1], [1, 2])
_FEW_LEVELS = 10
_FEWEST_OF_A_CLASS = 10  # individuals; with fewer, cross-validation cannot tell how often they are recognised
_MOST_LEVELS_SHARE = 0.5  # of the individuals; text with more is no category


@dataclass(frozen=True)
class Phenotypes:
    """Traits and covariates of individuals.

    Attributes:
        path: the table.
        sample_ids: one per individual, as text.
        traits: ``(individuals, traits)`` float64, NaN where not measured; a class stands as its number, 0, 1, ...
        kinds: ``quantity``, ``binary`` (two classes) or ``classes`` by trait.
        classes: names of the classes by trait, in the order of their numbers.
        covariates: ``(individuals, columns)`` float64 without intercept; a category has a column ``name=level`` for
            each level but its commonest; NaN where missing.
        levels: levels of each category, the commonest first; give them to `read_phenotypes` for prediction.
        groups: ``(individuals,)`` text that must not straddle a split (family, cage), or None.
        counts: missing values by column.
        notes: sentences for the user.
    """

    path: Path
    sample_ids: list[str]
    traits: pd.DataFrame
    kinds: Mapping[str, str]
    covariates: pd.DataFrame
    levels: Mapping[str, Sequence[str]]
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: NDArray[np.str_] | None = None
    counts: Mapping[str, int] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sample_ids)

    def take(self, rows: Rows) -> Phenotypes:
        """Return some of the individuals, in the given order."""
        return replace(
            self,
            sample_ids=[self.sample_ids[row] for row in rows.tolist()],
            traits=self.traits.iloc[rows].reset_index(drop=True),
            covariates=self.covariates.iloc[rows].reset_index(drop=True),
            groups=None if self.groups is None else self.groups[rows],
        )

    def of(self, sample_ids: Sequence[str]) -> Phenotypes:
        """Return those of *sample_ids* that the table has."""
        wanted = set(sample_ids)
        return self.take(np.array([k for k, name in enumerate(self.sample_ids) if name in wanted], np.intp))


def read_phenotypes(
    path: str | Path,
    traits: Sequence[str] | None = None,
    covariates: Sequence[str] | None = None,
    *,
    groups: str | None = None,
    ids: str | None = None,
    categories: Iterable[str] = (),
    classes: Iterable[str] = (),
    levels: Mapping[str, Sequence[str]] | None = None,
) -> Phenotypes:
    """Read traits and covariates from a table with a header, one individual a line.

    Missing values are empty cells, ``NA``, ``NaN``, ``.``, and ``-9`` in a trait without other negative values. A
    trait of two values is binary: the lower becomes 0, the higher 1. A trait of text alone has classes. Text in a
    covariate makes it a category.

    Args:
        path: CSV or TSV, perhaps gzipped, or a cross of R/qtl2 (``.zip``).
        traits: columns to predict; by default every other column of numbers that vary; none for prediction.
        covariates: columns that are known of everyone.
        groups: column that names families, cages or populations.
        ids: column of the sample ids; by default ``sample_id``, then ``IID`` of PLINK, then the first.
        categories: covariates whose numbers are names of categories.
        classes: traits whose numbers are names of classes.
        levels: levels of the categories as they were in training; another level is then an error.

    Raises:
        SewallError: the table is missing or empty, a column is absent, an id occurs twice, a trait holds numbers
            and text (names line and value), does not vary, or has a class of too few individuals.
    """
    table = _Table.read(Path(path), ids)
    wanted, chosen = list(covariates or []), set(categories)
    for name in [*(traits or []), *wanted, *([groups] if groups else []), *chosen]:
        table.column(name)
    if stray := sorted(chosen - set(wanted)):
        raise SewallError(f"{table.path}: category {some_names(stray)} is no covariate; name it in --covariates too")
    if traits is None:
        traits = [name for name in table.names if name not in {*wanted, groups} and table.may_be_trait(name)]
    measured, named, notes = _traits(table, traits, set(classes))
    kinds = {str(name): {0: QUANTITY, 2: BINARY}.get(len(named.get(str(name), ())), CLASSES) for name in measured}
    known, found_levels, said = _covariates(table, wanted, chosen, dict(levels or {}))
    labels = np.array(table.column(groups), np.str_) if groups else None
    if labels is not None and np.isin(np.char.lower(labels), list(_MISSING)).any():
        raise SewallError(f"{table.path}: column {groups} has empty cells; every individual needs a group of its own")
    counts = {str(name): int(frame[name].isna().sum()) for frame in (measured, known) for name in frame}
    return Phenotypes(
        table.path,
        table.ids,
        measured,
        kinds,
        known,
        found_levels,
        named,
        labels,
        {name: count for name, count in counts.items() if count},
        (*notes, *said),
    )


def read_sex(path: str | Path, column: str | None = None, ids: str | None = None) -> dict[str, str]:
    """Read the sex of individuals, in words or codes (1 male, 2 female), by sample id.

    Args:
        path: CSV or TSV, perhaps gzipped.
        column: which holds it; by default ``sex`` or ``gender``, or the only one beside the ids.
        ids: column of the sample ids, as for `read_phenotypes`.

    Raises:
        SewallError: there is no such column, or a cell is not a sex (names line and cell).
    """
    table = _Table.read(Path(path), ids)
    likely = [name for name in table.names if name.lower() in _SEX_COLUMNS] or table.names
    if column is None and len(likely) != 1:
        raise SewallError(f"{path}: which column is the sex? Its columns are {some_names(table.names, 8)}; name it sex")
    cells = table.column(column if column is not None else likely[0])
    if {*cells} - _MISSING == {"0", "1"}:
        raise SewallError(f"{path}: sex is 0 and 1, which may mean either; write male and female, or 1 and 2")
    for line, name, cell in zip(table.lines, table.ids, cells, strict=True):
        if cell.lower() not in _MISSING and sex_code(cell) is None:
            raise SewallError(f"{path}, line {line}: sex '{cell}' of {name} is not known; write male, female or NA")
    return {name: "" if cell.lower() in _MISSING else cell for name, cell in zip(table.ids, cells, strict=True)}


def read_cells(path: str | Path, ids: str | None = None) -> tuple[list[str], dict[str, list[str]]]:
    """Return the sample ids of a table and its other columns, as text; missing values are empty."""
    table = _Table.read(Path(path), ids)
    cells = {name: ["" if cell.lower() in _MISSING else cell for cell in table.column(name)] for name in table.names}
    return table.ids, cells


@dataclass(frozen=True)
class _Table:
    """A table as text: ids, names of the other columns, their cells, and the line of each row."""

    path: Path
    ids: list[str]
    cells: Mapping[str, list[str]]
    lines: list[int]

    @classmethod
    def read(cls, path: Path, ids: str | None) -> _Table:
        header, table = traits_table(path) if path.suffix == ".zip" else _cells(path)
        if table and len(table[0][1]) == len(header) + 1:
            header = ["sample_id", *header]  # tables of R name the ids in no column
        if not table:
            raise SewallError(f"{path}: has a header and no individuals; give one a line")
        for number, fields in table:
            if len(fields) != len(header):
                raise SewallError(f"{path}, line {number}: has {len(fields)} columns, not {len(header)}; mend the line")
        twice = {name for name in header if header.count(name) > 1}
        if twice:
            raise SewallError(f"{path}: column {some_names(sorted(twice))} occurs twice; rename one")
        place = _id_column(path, header, ids)
        columns = list(zip(*(fields for _, fields in table), strict=True))
        names = list(columns[place])
        if "" in names:
            raise SewallError(f"{path}, line {table[names.index('')][0]}: has no sample id; give one")
        refuse_duplicates(str(path), names)
        cells = {name: list(cell) for k, (name, cell) in enumerate(zip(header, columns, strict=True)) if k != place}
        return cls(path, names, cells, [number for number, _ in table])

    @property
    def names(self) -> list[str]:
        return list(self.cells)

    def column(self, name: str) -> list[str]:
        if name not in self.cells:
            raise SewallError(f"{self.path}: has no column {name}; its columns are {some_names(self.names, 12)}")
        return self.cells[name]

    def known(self, name: str) -> list[str]:
        """Return the cells of a column that are not missing."""
        return [cell for cell in self.column(name) if cell.lower() not in _MISSING]

    def is_text(self, name: str) -> bool:
        """Tell whether a column holds words and no numbers."""
        known = [cell for cell in self.known(name) if cell not in _PLINK_MISSING]
        return bool(known) and all(_number(cell) is None for cell in known)

    def is_numeric(self, name: str) -> bool:
        """Tell whether a column holds numbers and nothing else."""
        known = self.known(name)
        return bool(known) and all(_number(cell) is not None for cell in known)

    def may_be_trait(self, name: str) -> bool:
        """Tell whether a column holds numbers that vary, and is not one of PLINK's own."""
        return name not in {"FID", "IID"} and self.is_numeric(name) and len({*self.known(name)} - _PLINK_MISSING) > 1

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column as numbers, NaN where missing; text is an error that names its line."""
        found = np.full(len(self.ids), np.nan)
        for row, cell in enumerate(self.column(name)):
            number = None if cell.lower() in _MISSING else _number(cell)
            if number is not None:
                found[row] = number
            elif cell.lower() not in _MISSING:
                where = f"{self.path}, line {self.lines[row]}"
                raise SewallError(f"{where}: '{cell}' in {name} is not a number; write NA if it is missing")
        return found


def _cells(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    with table_rows(path) as rows:
        header = [name.strip() for name in next(rows)[1]]
        return header, [(number, [cell.strip() for cell in fields]) for number, fields in rows]


def _id_column(path: Path, header: Sequence[str], ids: str | None) -> int:
    if ids is not None and ids not in header:
        raise SewallError(f"{path}: has no column {ids} of sample ids; its columns are {some_names(list(header), 12)}")
    if ids is not None:
        return header.index(ids)
    if "sample_id" in header:
        return header.index("sample_id")
    return 1 if [name.lstrip("#") for name in header[:2]] == ["FID", "IID"] else 0


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _traits(
    table: _Table, names: Iterable[str], as_classes: set[str]
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]], list[str]]:
    """Return the values of traits, the names of the classes of those that have any, and notes."""
    found: dict[str, NDArray[np.float64]] = {}
    classes: dict[str, tuple[str, ...]] = {}
    notes = []
    for name in names:
        if name in as_classes or table.is_text(name):
            found[name], classes[name] = _classes(table, name)
            continue
        values = table.numbers(name)
        plink = np.array([cell in _PLINK_MISSING for cell in table.column(name)])
        if plink.any() and not (values[~plink] < 0).any():
            values[plink] = np.nan
            notes.append(f"{table.path}: {plink.sum()} values -9 of {name} were read as missing")
        check_varies(table.path, name, values)
        levels = np.unique(values[~np.isnan(values)]).tolist()
        if len(levels) == 2:
            classes[name] = (f"{levels[0]:g}", f"{levels[1]:g}")
            values = np.where(np.isnan(values), np.nan, values == levels[1])
            if levels not in _CLASS_CODES:
                notes.append(f"{table.path}: {name} has two values; {levels[0]:g} became 0 and {levels[1]:g} became 1")
        found[name] = values
    return pd.DataFrame(found, index=range(len(table.ids)), dtype=float), classes, notes


def _classes(table: _Table, name: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the numbers of the classes of a trait, NaN where missing, and their names by alphabet."""
    cells = table.column(name)
    missing = [cell.lower() in _MISSING or cell in _PLINK_MISSING for cell in cells]
    counts = Counter(cell for cell, absent in zip(cells, missing, strict=True) if not absent)
    if not counts:
        raise SewallError(f"{table.path}: trait {name} has no value for any individual; leave it out")
    if len(counts) == 1:
        raise SewallError(
            f"{table.path}: trait {name} is {next(iter(counts))} in all {counts.total()} individuals; there is nothing "
            "to learn, give a trait that differs"
        )
    rarest = min(counts, key=lambda level: counts[level])
    if counts[rarest] < _FEWEST_OF_A_CLASS:
        raise SewallError(
            f"{table.path}: trait {name} is '{rarest}' in {counts[rarest]} individuals; a class needs "
            f"{_FEWEST_OF_A_CLASS}: mend the cell, merge classes, or write NA"
        )
    names = sorted(counts)
    codes = [np.nan if absent else float(names.index(cell)) for cell, absent in zip(cells, missing, strict=True)]
    return np.array(codes), tuple(names)


def check_varies(path: Path, name: str, values: NDArray[np.float64]) -> None:
    """Raise where a trait has no value, or the same for everyone."""
    levels = np.unique(values[~np.isnan(values)])
    known = int((~np.isnan(values)).sum())
    if not known:
        raise SewallError(f"{path}: trait {name} has no value for any of these {len(values)} individuals; leave it out")
    if len(levels) == 1 and levels[0] in (0, 1, 2):
        raise SewallError(
            f"{path}: trait {name} is {levels[0]:g} in all {known} individuals; a binary trait needs both classes"
        )
    if len(levels) == 1:
        raise SewallError(
            f"{path}: trait {name} is {levels[0]:g} in all {known} individuals; there is nothing to learn"
        )


def _covariates(
    table: _Table, names: Sequence[str], categories: set[str], known: dict[str, Sequence[str]]
) -> tuple[pd.DataFrame, dict[str, Sequence[str]], list[str]]:
    columns: dict[str, NDArray[np.float64]] = {}
    levels: dict[str, Sequence[str]] = {}
    notes = []
    for name in names:
        if name in categories or name in known or not table.is_numeric(name):
            levels[name] = known.get(name) or _levels(table, name)
            columns |= _one_hot(table, name, levels[name])
            continue
        columns[name] = values = table.numbers(name)
        distinct = np.unique(values[~np.isnan(values)])
        if 2 < len(distinct) <= _FEW_LEVELS and (distinct % 1 == 0).all():
            notes.append(
                f"{table.path}: covariate {name} has {len(distinct)} whole numbers and was read as a quantity; "
                f"--categories {name} takes them as codes"
            )
    return pd.DataFrame(columns, index=range(len(table.ids)), dtype=float), levels, notes


def _levels(table: _Table, name: str) -> list[str]:
    """Return the levels of a category, the commonest first."""
    cells = table.known(name)
    counts = Counter(cells)
    if len(counts) > max(_FEW_LEVELS, _MOST_LEVELS_SHARE * len(cells)):
        raise SewallError(
            f"{table.path}: covariate {name} has {len(counts)} texts in {len(cells)} individuals, too many for a "
            "category; mend it or leave it out"
        )
    return sorted(counts, key=lambda level: (-counts[level], level))


def _one_hot(table: _Table, name: str, levels: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    cells = table.column(name)
    missing = np.array([cell.lower() in _MISSING for cell in cells])
    strange = [k for k, cell in enumerate(cells) if cell not in levels and not missing[k]]
    if strange:
        raise SewallError(
            f"{table.path}, line {table.lines[strange[0]]}: {name} is '{cells[strange[0]]}', unknown in training; "
            f"its levels are {some_names(list(levels), 8)}"
        )
    flags = {level: np.array([cell == level for cell in cells], float) for level in levels[1:]}
    return {f"{name}={level}": np.where(missing, np.nan, flag) for level, flag in flags.items()}
