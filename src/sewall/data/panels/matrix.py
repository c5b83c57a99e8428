"""Genotypes as text: matrices of 0, 1 and 2 without alleles, and HapMap tables of letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sewall.data.delimited import Row, table_rows
from sewall.data.panels.codes import NO_PLACE
from sewall.data.panels.dosages import as_dosages
from sewall.data.panels.rows import DOSAGE_STEPS, NO_DOSAGE, Facts, SiteRows
from sewall.data.panels.site_map import read_site_map, without_map
from sewall.data.samples import find_samples, refuse_duplicates
from sewall.errors import SewallError

_TEXT_ENDINGS = (".csv", ".tsv", ".txt")
_ID_HEADERS = {"", "sample_id", "sample", "id", "iid", "name", "line", "taxa", "individual", "accession", "genotype"}
_MISSING = {"", "NA", "NaN", "nan", "na", ".", "-9"}
_ROWS = 4096
_HET = DOSAGE_STEPS // 2


def text_format(path: Path) -> Literal["matrix", "hapmap", ""]:
    """Tell a HapMap table or a numeric matrix by the name of the file and its first line; empty for other files."""
    name = path.name.lower().removesuffix(".gz")
    if not path.is_file() or not name.endswith(_TEXT_ENDINGS):
        return ""
    with table_rows(path) as rows:
        header = next(rows)[1]
    if header[0].startswith("##"):
        return ""
    return "hapmap" if header[0] in {"rs", "rs#"} and header[1:2] in (["alleles"], ["SNPalleles"]) else "matrix"


class NumericMatrix:
    """A `sewall.data.panels.rows.GenotypeSource`: individuals by sites, the copies of one allele in each cell.

    Whole numbers are calls, fractions are expected copies. In a matrix without any 2 (inbred or haploid individuals,
    presence and absence) a 1 says that all copies are the allele.

    Args:
        path: CSV or TSV with a header, perhaps gzipped.
        samples: ids of the individuals to read; all by default.
        sites: table of names, chromosomes, positions and alleles; without it all sites lie on one chromosome, in the
            order of the columns.
        row_names: whether the first column holds ids; by default as it looks. Without ids rows are counted from 1.

    Raises:
        SewallError: a value is no number from 0 to 2 (names line and value), a row is too long or short, an id
            occurs twice.
    """

    def __init__(
        self, path: Path, samples: Sequence[str] | None = None, sites: Path | None = None, row_names: bool | None = None
    ) -> None:
        self.facts = Facts()
        with table_rows(path) as rows:
            names, ids, self._values = _matrix(path, next(rows)[1], rows, row_names)
        if not ids:
            ids = [str(k) for k in range(1, len(self._values) + 1)]
            self.facts.notes.append(f"{path}: has no sample ids; the individuals are counted from 1")
        refuse_duplicates(str(path), ids)
        if samples is not None:
            self._values = self._values[find_samples(str(path), ids, samples)]
        self.sample_ids = list(samples) if samples is not None else ids
        self._map = read_site_map(sites, names) if sites else without_map(names)
        self.sites = len(self._map.column)
        self.facts.counts[NO_PLACE] += len(names) - self.sites
        self._read_values(path)

    def _read_values(self, path: Path) -> None:
        """Find out whether the values are calls, and of how many copies."""
        levels = set(np.flatnonzero(np.bincount(self._values.ravel(), minlength=256)).tolist())
        self.steps = 2 if levels <= {0, _HET, DOSAGE_STEPS, NO_DOSAGE} else DOSAGE_STEPS
        self._table = np.full((256, 2), -1, np.int8)
        self._table[[0, _HET, DOSAGE_STEPS]] = [[0, 0], [0, 1], [1, 1]]
        if self.steps == 2 and DOSAGE_STEPS not in levels:
            self._table[_HET] = 1
            self.facts.notes.append(f"{path}: holds no 2, so a 1 was read as an allele on all copies of an individual")

    def rows(self) -> Iterator[SiteRows]:
        """Yield the sites by chromosome and position."""
        for chrom, group in groupby(range(self.sites), key=lambda k: self._map.chrom[k]):
            index = np.array(list(group))
            for start in range(0, len(index), _ROWS):
                which = index[start : start + _ROWS]
                yield self._site_rows(str(chrom), which)

    def _site_rows(self, chrom: str, which: NDArray[np.intp]) -> SiteRows:
        values = self._values[:, self._map.column[which]].T.copy()
        calls = self.steps == 2
        genotypes = self._table[values] if calls else np.zeros((*values.shape, 0), np.int8)
        return SiteRows(
            chrom,
            self._map.position[which],
            self._map.name[which],
            self._map.alleles[which],
            genotypes,
            None if calls else values,
        )


class _Values(dict[str, int]):
    """Copies by their text, as shares in 254ths; a text is parsed the first time it is met."""

    def __missing__(self, text: str) -> int:
        bare = text.strip()
        number = np.nan if bare in _MISSING else float(bare)
        if not (np.isnan(number) or 0 <= number <= 2):
            raise ValueError(text)
        self[text] = int(as_dosages(np.array(number / 2)))
        return self[text]


def _matrix(
    path: Path, header: list[str], rows: Iterable[Row], row_names: bool | None
) -> tuple[list[str], list[str], NDArray[np.uint8]]:
    """Return the names of the sites, the ids (none where there are none) and ``(individuals, sites)`` values."""
    known, ids, read, skip, width = _Values(), list[str](), list[bytes](), None, len(header)
    for line, fields in rows:
        if skip is None:
            skip = _has_ids(header, fields) if row_names is None else row_names
            width += len(fields) == len(header) + 1 and skip  # tables of R name the ids in no column
        if len(fields) != width:
            raise SewallError(f"{path}, line {line}: has {len(fields)} columns, not {width}; mend the line")
        try:
            read.append(bytes(map(known.__getitem__, fields[skip:])))
        except ValueError:
            raise _wrong_value(path, line, fields[skip:], known) from None
        if skip:
            ids.append(fields[0].strip())
    if not read:
        raise SewallError(f"{path}: holds no individuals; give one a line below the header")
    values = np.frombuffer(b"".join(read), np.uint8).reshape(len(read), -1)
    return header[len(header) - values.shape[1] :], ids, values


def _has_ids(header: Sequence[str], fields: Sequence[str]) -> bool:
    first = header[0].strip().lower()
    if len(fields) == len(header) + 1 or first in _ID_HEADERS:
        return True
    return fields[0].strip() not in {*_MISSING, "0", "1", "2"} and not _is_share(fields[0])


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 2
    except ValueError:
        return False


def _wrong_value(path: Path, line: int, fields: Sequence[str], known: _Values) -> SewallError:
    wrong = next(field for field in fields if field not in known)
    return SewallError(
        f"{path}, line {line}: '{wrong}' is not a number of copies; code genotypes as 0, 1, 2 and missing ones as NA"
    )
