"""HapMap text: eleven columns about each site, then one call per individual, of two letters or one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sewall.data.delimited import table_rows
from sewall.data.panels.rows import Facts, SiteRows, texts
from sewall.data.samples import find_samples, refuse_duplicates
from sewall.errors import SewallError

AMBIGUOUS = "calls set to missing: letters that may be several"

_COLUMNS = 11
_ROWS = 1024
_HET_LETTERS = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"}
_UNCERTAIN = frozenset("RYSWKMBDHV")
_MISSING = frozenset({"", "N", "NN", "-", "--", ".", "..", "?", "??", "0", "00", "NA", "XX"})


class _Line(NamedTuple):
    number: int
    chrom: str
    position: int
    fields: list[str]


class HapMapText:
    """A `sewall.data.panels.rows.GenotypeSource`. One letter is a whole genotype: ``A`` is A/A and ``R`` is A/G.

    The table is held in memory as text; sites are put in order of chromosome and position.

    Args:
        path: the table, perhaps gzipped.
        samples: ids of the individuals to read; all by default.

    Raises:
        SewallError: a line of another length, a position or a call that cannot be read (names line and call), an id
            that occurs twice.
    """

    def __init__(self, path: Path, samples: Sequence[str] | None = None) -> None:
        self.facts, self.steps, self._path = Facts(), 2, path
        with table_rows(path) as rows:
            header = next(rows)[1]
            lines = [self._line(number, fields, len(header)) for number, fields in rows]
        ids = [name.strip() for name in header[_COLUMNS:]]
        if not ids:
            raise SewallError(f"{path}: has no individuals after its {_COLUMNS} columns about sites; give the calls")
        refuse_duplicates(str(path), ids)
        self.sample_ids = list(samples) if samples is not None else ids
        self._which = find_samples(str(path), ids, self.sample_ids)
        ranks = {chrom: rank for rank, chrom in enumerate(dict.fromkeys(line.chrom for line in lines))}
        self._lines = sorted(lines, key=lambda line: (ranks[line.chrom], line.position))
        if self._lines != lines:
            self.facts.notes.append(f"{path}: the sites are not in order of chromosome and position and were sorted")
        self.sites = len(lines)

    def _line(self, number: int, fields: list[str], width: int) -> _Line:
        if len(fields) != width:
            raise SewallError(f"{self._path}, line {number}: has {len(fields)} columns, not {width}; mend the line")
        position = fields[3].strip()
        if not position.lstrip("-").isdecimal() and position not in {"NA", ""}:
            raise SewallError(
                f"{self._path}, line {number}: position '{position}' is not a whole number; mend the line"
            )
        place = int(position) if position.lstrip("-").isdecimal() else 0
        return _Line(number, fields[2].strip(), max(place, 0) - 1, fields)

    def rows(self) -> Iterator[SiteRows]:
        """Yield the sites by chromosome and position."""
        for chrom, group in groupby(self._lines, key=lambda line: line.chrom):
            lines = list(group)
            for start in range(0, len(lines), _ROWS):
                yield self._site_rows(chrom, lines[start : start + _ROWS])

    def _site_rows(self, chrom: str, lines: Sequence[_Line]) -> SiteRows:
        found = [self._site(line) for line in lines]
        width = max(2, *(len(alleles) for alleles, _ in found))
        alleles = np.full((len(found), width), "", object)
        for row, (named, _) in enumerate(found):
            alleles[row, : len(named)] = named
        position = np.array([line.position for line in lines], np.int32)
        name = texts(line.fields[0].strip() for line in lines)
        return SiteRows(chrom, position, name, alleles, np.stack([genotypes for _, genotypes in found]))

    def _site(self, line: _Line) -> tuple[list[str], NDArray[np.int8]]:
        """Return the alleles, those that the table lists first, and ``(samples, 2)`` genotypes of a site."""
        calls = [line.fields[_COLUMNS + k].strip().upper() for k in self._which]
        listed = [allele for allele in line.fields[1].upper().split("/") if allele not in _MISSING or allele == "-"]
        pairs = {call: self._pair(line, call, listed) for call in dict.fromkeys(calls)}
        alleles = list(dict.fromkeys([*listed, *sorted({letter for pair in pairs.values() for letter in pair})]))
        codes = {call: [alleles.index(letter) for letter in pair] or [-1, -1] for call, pair in pairs.items()}
        self.facts.counts[AMBIGUOUS] += sum(_is_uncertain(call) for call in calls)
        return alleles, np.array([codes[call] for call in calls], np.int8)

    def _pair(self, line: _Line, call: str, listed: Iterable[str]) -> str:
        """Return the two letters of a call; none where it is missing."""
        if "-" in listed and set(call) <= {"-", *listed} and call:
            return call if len(call) == 2 else call * 2
        if call in _MISSING or _is_uncertain(call):
            return ""
        if call in _HET_LETTERS:
            return _HET_LETTERS[call]
        letters = call.replace("/", "").replace("|", "")
        if len(letters) not in (1, 2) or not set(letters) <= {*"ACGT", "+", *listed}:
            raise SewallError(
                f"{self._path}, line {line.number}: call '{call}' of {line.fields[0]} cannot be read; "
                "write two letters, one IUPAC letter, or N"
            )
        return letters if len(letters) == 2 else letters * 2


def _is_uncertain(call: str) -> bool:
    """Tell whether letters of a call stand for several, other than one letter for a heterozygous genotype."""
    return call not in _HET_LETTERS and bool(set(call) & _UNCERTAIN)
