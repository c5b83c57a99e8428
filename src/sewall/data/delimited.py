"""Tables that people give, as rows of text: comma, semicolon, tab or spaces, quoted or not, any line ends, gzipped."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from sewall.data.headers import reading
from sewall.errors import SewallError

Row = tuple[int, list[str]]
"""Number of the line, counted from 1, and its fields."""


@contextmanager
def table_rows(path: Path) -> Iterator[Iterator[Row]]:
    """Open a table and give its rows one by one; empty lines are passed over.

    Raises:
        SewallError: the file is missing, empty, damaged, or not text.
    """
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    with reading(path) as raw:
        text = io.TextIOWrapper(raw, "utf-8-sig", newline=None)
        try:
            yield rows_of_text(path, text)
        finally:
            text.detach()  # the file below is closed by its owner


def rows_of_text(path: Path, text: io.TextIOBase, mark: str | None = None) -> Iterator[Row]:
    """Yield the rows of an open table.

    Args:
        path: for messages.
        text: what to read.
        mark: what separates columns; by default as the first line looks.
    """
    try:
        first = next((line for line in text if line.strip()), None)
        if first is None:
            raise SewallError(f"{path}: the file is empty; give a table with a header")
        lines = chain([first], text)
        mark = mark or delimiter(first)
        if mark == " ":
            rows: Iterator[list[str]] = (line.split() for line in lines)
        else:
            rows = csv.reader(lines, delimiter=mark)
        for number, fields in enumerate(rows, start=1):
            if any(fields):
                yield number, fields
    except UnicodeDecodeError:
        raise SewallError(f"{path}: is not a text file; give a table in CSV or TSV") from None
    except csv.Error as error:
        raise SewallError(f"{path}: cannot be read as a table ({error}); check its quotes") from None


def delimiter(header: str) -> str:
    """Return what separates the columns of a header: a tab, a comma, a semicolon, or else spaces.

    >>> delimiter("sample_id,height"), delimiter("taxa height")
    (',', ' ')
    """
    return next((mark for mark in "\t,;" if mark in header), " ")
