"""A genome as a FASTA file of which any stretch can be read, whatever the state of its index.

Nothing is ever written beside the file: where its index is absent or does not fit, one is made in a temporary folder.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyfaidx

from sewall.data.headers import reading
from sewall.errors import SewallError, some_names

_GZIP = b"\x1f\x8b"
_LONGEST_HEADER = 4_096
_MITOCHONDRION = ("M", "MT", "Mito", "mt")


@dataclass(frozen=True)
class Genome:
    """An open genome; `open` makes one and closes it.

    Attributes:
        path: the user's file, for messages.
        lengths: letters by contig, in the order of the file.
        notes: what a user should know of how the file was read.
    """

    path: Path
    lengths: Mapping[str, int]
    notes: tuple[str, ...]
    _faidx: pyfaidx.Faidx

    @classmethod
    @contextmanager
    def open(cls, path: str | Path) -> Iterator[Genome]:
        """Open a FASTA file, gzipped or not, with an index (``.fai``) or without.

        Raises:
            SewallError: the file is missing, empty, damaged, no FASTA, or has lines of uneven length in one contig.
        """
        path = Path(path)
        if not path.is_file():
            raise SewallError(f"{path}: no such file; check the path")
        with tempfile.TemporaryDirectory(prefix="sewall-genome-") as folder:
            plain, notes = _plain(path, Path(folder))
            index = Path(f"{plain}.fai")
            if not _fits(index, plain):
                notes += [f"{path.name}: its index does not fit the file and was not used"] if index.exists() else []
                index = Path(folder) / "genome.fai"
            faidx = _indexed(path, plain, index)
            try:
                yield cls(path, {name: entry.rlen for name, entry in faidx.index.items()}, tuple(notes), faidx)
            finally:
                faidx.close()

    def sequence(self, contig: str, start: int, end: int) -> str:
        """Return the letters of ``[start, end)``, counted from 0, in the case of the file (lower case: repeats).

        Raises:
            SewallError: no such contig, or a stretch that is empty or reaches beyond it.
        """
        if contig not in self.lengths:
            raise SewallError(
                f"{self.path}: has no contig {contig}; its contigs are {some_names(list(self.lengths), 8)}"
            )
        if not 0 <= start < end <= self.lengths[contig]:
            raise SewallError(
                f"{self.path}: contig {contig} has {self.lengths[contig]} letters and no stretch {start}-{end}; give "
                "coordinates of the same assembly"
            )
        return str(self._faidx.fetch(contig, start + 1, end))

    def names_of(self, named: Iterable[str], what: str | Path) -> dict[str, str]:
        """Return, by contig as *what* names it, the genome's own name: the same, or with or without ``chr``.

        Raises:
            SewallError: a contig that the genome does not have, or two names of one contig; shows both sets of names.
        """
        names = list(dict.fromkeys(named))
        found = {name: own for name in names if (own := self.own_name(name)) is not None}
        sets = f"it names {some_names(names, 8)}; {self.path.name} has {some_names(list(self.lengths), 8)}"
        if absent := [name for name in names if name not in found]:
            raise SewallError(
                f"{what}: contig {some_names(absent)} is not in the genome ({sets}); give the genome that it belongs to"
            )
        if len(set(found.values())) < len(found):
            twice = next(own for own in found.values() if list(found.values()).count(own) > 1)
            raise SewallError(f"{what}: contig {twice} goes by two names ({sets}); write its name in one way")
        return found

    def own_name(self, name: str) -> str | None:
        """Return the one contig that *name* can mean, or None."""
        if name in self.lengths:
            return name
        bare = name.removeprefix("chr")
        also = _MITOCHONDRION if is_mitochondrion(name) else (bare,)
        fitting = [own for own in self.lengths if own.removeprefix("chr") in also]
        return fitting[0] if len(fitting) == 1 else None


def is_mitochondrion(contig: str) -> bool:
    """Return whether a contig goes by one of the names of mitochondria.

    >>> is_mitochondrion("chrM"), is_mitochondrion("Mito"), is_mitochondrion("chr1")
    (True, True, False)
    """
    return contig.removeprefix("chr") in _MITOCHONDRION


def _plain(path: Path, folder: Path) -> tuple[Path, list[str]]:
    """Return a file that can be read from anywhere in it: of a gzipped one, an unpacked copy."""
    with path.open("rb") as stream:
        start = stream.read(2)
    if start != _GZIP:
        return path, []
    copy = folder / "genome.fa"
    with reading(path) as packed, copy.open("wb") as stream:
        try:
            shutil.copyfileobj(packed, stream, 1 << 20)
        except OSError as problem:
            raise SewallError(f"{path}: cannot be unpacked ({problem}); copy it again, or unpack it yourself") from None
    return copy, [f"{path.name} is gzipped and was unpacked for this run; unpacked by you (gunzip) it opens at once"]


def _fits(index: Path, plain: Path) -> bool:
    """Return whether every contig of an index begins where the file says so, and the last one ends it.

    The times of files tell less: a copy is newer than its original, and an index may have been copied last.
    """
    try:
        rows = [line.split("\t") for line in index.read_text(encoding="utf-8").splitlines()]
        entries = sorted((int(row[2]), row[0], int(row[1]), int(row[3]), int(row[4])) for row in rows)
        with plain.open("rb") as stream:
            return (
                bool(entries) and all(_begins(stream, row[0], row[1]) for row in entries) and _ends(stream, entries[-1])
            )
    except (OSError, ValueError, IndexError):
        return False


def _begins(stream: IO[bytes], offset: int, name: str) -> bool:
    """Return whether the letters of a contig begin at *offset*: the line before is its header."""
    before = min(offset, _LONGEST_HEADER)
    stream.seek(offset - before)
    lines = stream.read(before).splitlines(keepends=True)
    return bool(lines) and lines[-1].endswith(b"\n") and lines[-1][1:].split()[:1] == [name.encode()]


def _ends(stream: IO[bytes], entry: tuple[int, str, int, int, int]) -> bool:
    """Return whether nothing but blanks follows the last contig."""
    offset, _, length, letters, width = entry
    stream.seek(offset + (length - 1) // letters * width + (length - 1) % letters)
    rest = stream.read(_LONGEST_HEADER)
    return len(rest[:1].strip()) == 1 and not rest[1:].strip()


def _indexed(path: Path, plain: Path, index: Path) -> pyfaidx.Faidx:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an index older than the file: it was found to fit
            return pyfaidx.Faidx(str(plain), indexname=str(index), as_raw=True, strict_bounds=True, rebuild=False)
    except (pyfaidx.FastaIndexingError, pyfaidx.IndexNotFoundError, ValueError, UnicodeDecodeError) as problem:
        why = str(problem).replace(str(plain), path.name)[:120]
        raise SewallError(f"{path}: cannot be read as FASTA ({why}); write it again with lines of one length") from None
