"""Files of sequences: FASTA, and tables with a column of sequences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sewall.data.delimited import table_rows
from sewall.data.headers import reading
from sewall.data.sequences import Sequences, packed
from sewall.errors import SewallError, some_names

SEQUENCE, NAME, LABEL = "sequence", "sequence_id", "label"
FORMATS = f"FASTA, or a table with the column {SEQUENCE}"

_FACT = re.compile(r"(?:^|[\s|;])(\w+)=([^\s|;]+)")
_MOST_LABELS = 20  # headers of so few kinds, each many times, are labels


@dataclass(frozen=True)
class SequenceFile:
    """What a file says of its sequences.

    Attributes:
        path: the file.
        sequences: those it holds.
        columns: what else it says of each, as text by name: other columns of a table; of FASTA what headers say as
            ``name=value``, the parts between bars as ``field1``, ``field2`` and so on where all headers have them, and
            ``label`` where the header is nothing but a label.
        named: whether the file names its sequences; else they are numbered.
        notes: sentences for the user.
    """

    path: Path
    sequences: Sequences
    columns: Mapping[str, list[str]]
    named: bool = True
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> list[str]:
        """Return a column.

        Raises:
            SewallError: there is none of that name.
        """
        if name not in self.columns:
            has = f"it has {some_names(sorted(self.columns), 8)}" if self.columns else "it has none"
            raise SewallError(f"{self.path}: no column {name}; {has}")
        return self.columns[name]


def read_sequences(path: str | Path) -> SequenceFile:
    """Read a file of sequences, perhaps gzipped; its content decides what it is.

    Raises:
        SewallError: the file is missing, empty or damaged; a record without letters or with other letters than IUPAC's
            for nucleic acids; a name twice (each with line and name).
    """
    path = Path(path)
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    with reading(path) as stream:
        start = stream.read(4_096).lstrip()
    if not start:
        raise SewallError(f"{path}: the file is empty; give {FORMATS}")
    try:
        return _fasta(path) if start.startswith((b">", b";")) else _table(path)
    except SewallError as problem:
        known = str(problem).startswith(str(path))
        raise SewallError(str(problem) if known else f"{path}: {problem}") from None


def _fasta(path: Path) -> SequenceFile:
    headers, texts = [], []
    for line, header, text in _records(path):
        if not text:
            raise SewallError(
                f"{path}, line {line}: the record {header or 'without a name'} has no sequence; remove it"
            )
        headers.append(header)
        texts.append(text)
    labels = _labels(headers)
    if labels:
        numbered = [f"s{number + 1}" for number in range(len(texts))]
        note = f"{path}: headers are labels ({some_names(sorted(set(labels)), 5)}); sequences were numbered s1, s2, ..."
        return SequenceFile(path, packed(numbered, texts), {LABEL: labels}, False, (note,))
    names = [header.split()[0] if header.split() else "" for header in headers]
    if "" in names:
        raise SewallError(f"{path}: record {names.index('') + 1} has no name after >; give it one")
    return SequenceFile(path, packed(names, texts), _facts(headers))


def _records(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, header and letters of the records."""
    header, begun, parts = "", 0, list[str]()
    with reading(path) as stream:
        for number, raw in enumerate(stream, start=1):
            line = raw.decode("utf-8", "replace").strip()
            if line.startswith(">"):
                if begun:
                    yield begun, header, "".join(parts)
                header, begun, parts = line[1:].strip(), number, []
            elif line and not line.startswith(";"):
                parts.append("".join(line.split()))
    yield begun, header, "".join(parts)


def _labels(headers: list[str]) -> list[str]:
    """Return headers that are labels and no names: of few kinds, each many times."""
    kinds = set(headers)
    return headers if 1 < len(kinds) <= _MOST_LABELS and len(headers) >= 5 * len(kinds) else []


def _facts(headers: list[str]) -> dict[str, list[str]]:
    """Return what all headers say as ``name=value``, or between bars."""
    found = [_fields(header) | dict(_FACT.findall(header)) for header in headers]
    names = [name for name in found[0] if all(name in facts for facts in found)] if found else []
    return {name: [facts[name] for facts in found] for name in names}


def _fields(header: str) -> dict[str, str]:
    """Return the parts of a header between bars, as GENCODE writes them.

    >>> _fields("ENST01.2|ENSG07.1|GENE|")
    {'field1': 'ENST01.2', 'field2': 'ENSG07.1', 'field3': 'GENE'}
    """
    parts = header.rstrip("|").split("|")
    return {f"field{number}": part for number, part in enumerate(parts, 1)} if len(parts) > 1 else {}


def _table(path: Path) -> SequenceFile:
    with table_rows(path) as rows:
        first, fields = next(rows)
        header = [name.strip().lstrip("#") for name in fields]
        if SEQUENCE not in header:
            raise SewallError(f"{path}: is neither FASTA nor a table with the column {SEQUENCE}; give {FORMATS}")
        table = []
        for line, fields in rows:
            if len(fields) != len(header):
                raise SewallError(f"{path}, line {line}: has {len(fields)} columns, not {len(header)}; mend the line")
            table.append([field.strip() for field in fields])
    if not table:
        raise SewallError(f"{path}: has a header and no sequences; give one a line")
    if len(set(header)) < len(header):
        raise SewallError(f"{path}: a column name occurs twice in line {first}; rename one")
    columns = {name: list(cells) for name, cells in zip(header, zip(*table, strict=True), strict=True)}
    texts, named = columns.pop(SEQUENCE), NAME in columns
    names = columns.pop(NAME, [f"s{number + 1}" for number in range(len(texts))])
    return SequenceFile(path, packed(names, texts), columns, named)
