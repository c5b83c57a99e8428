"""What is in a variant file, found before any library reads it: its format, a broken header, a cut end.

The checks are our own because the parser below (htslib) stops without an error at some cut ends, refuses a misspelt
header without saying where, and prints to the terminal.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from sewall.data.samples import refuse_duplicates
from sewall.errors import SewallError

FORMATS = "VCF (.vcf, .vcf.gz), BCF, VCF Zarr (.vcz), PLINK 1 (.bed with .bim and .fam) or a tree sequence (.trees)"
COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]

_GZIP = b"\x1f\x8b"
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Header:
    """The header of a VCF.

    Attributes:
        samples: sample ids in the order of the columns.
        lines: number of header lines, so that record i stands in line ``lines + i + 1``.
        line: the ``#CHROM`` line, mended where a column was misspelt.
        wrong: the misspelt column name and the right one, or None.
    """

    samples: list[str]
    lines: int
    line: str
    wrong: tuple[str, str] | None


def detect_format(path: Path) -> str:
    """Return ``vcf``, ``bcf``, ``plink``, ``trees`` or ``vcz``; the content decides between VCF and BCF."""
    if path.is_dir():
        if any((path / name).exists() for name in (".zgroup", "zarr.json", ".zmetadata")):
            return "vcz"
        raise SewallError(f"{path}: is a directory, and not VCF Zarr; give {FORMATS}")
    if path.suffix == ".bed" and path.exists():
        return "plink"
    if not path.exists():
        raise SewallError(f"{path}: no such file; check the path")
    if path.stat().st_size == 0:
        raise SewallError(f"{path}: the file is empty; give {FORMATS}")
    if path.suffix in {".trees", ".ts"}:
        return "trees"
    with reading(path) as stream:
        start = stream.read(4096)
    if start.startswith(b"BCF"):
        return "bcf"
    if not start.startswith(b"##fileformat=VCF"):
        first = start.split(b"\n")[0][:40].decode("ascii", "replace")
        shown = f"its first line is '{first}'" if first.isprintable() else "its content is binary"
        raise SewallError(f"{path}: is not a VCF: {shown}, not '##fileformat=VCF...'; give {FORMATS}")
    return "vcf"


def is_gzip(path: Path) -> bool:
    """Return whether the file is gzip or bgzip, whatever its name says."""
    with path.open("rb") as stream:
        return stream.read(2) == _GZIP


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """Open a plain or gzipped file; damage and a cut end become one-line errors that name it."""
    try:
        with path.open("rb") as raw:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if is_gzip(path) else raw
    except EOFError:
        raise SewallError(f"{path}: the file is truncated: its compressed data end too early; copy it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise SewallError(f"{path}: the compressed data are damaged ({error}); copy the file again") from None
    except PermissionError:
        raise SewallError(f"{path}: may not be read; change its permissions") from None


def check_whole(path: Path) -> None:
    """Read a compressed file to its end, so that nothing is built on half a file.

    Raises:
        SewallError: the gzip data end early, or are damaged, or the end mark of bgzip is missing.
    """
    if not is_gzip(path):
        return
    with path.open("rb") as raw:
        blocked = raw.read(18)[12:14] == b"BC"
        raw.seek(max(-len(_BGZF_END), -path.stat().st_size), 2)
        ended = raw.read() == _BGZF_END
    with reading(path) as stream:
        while stream.read(_BLOCK):
            pass
    if blocked and not ended:
        raise SewallError(f"{path}: the file is truncated: the end mark of bgzip is missing; copy it again")


def read_header(path: Path) -> Header:
    """Read and check the header of a VCF.

    One misspelt column name is mended (`Header.wrong` tells); anything worse is an error that shows the line.
    """
    with reading(path) as stream:
        for number, raw in enumerate(stream, start=1):
            if not raw.startswith(b"##"):
                return _column_line(path, number, raw.decode("utf-8", "replace").rstrip("\r\n"))
    raise SewallError(f"{path}: the header has no line of column names (#CHROM POS ID ...); is the file cut?")


def _column_line(path: Path, number: int, line: str) -> Header:
    names = line.split("\t")
    if not line.startswith("#"):
        raise SewallError(
            f"{path}, line {number}: the line of column names (#CHROM POS ID ...) is missing before the records"
        )
    if len(names) < 8:
        raise SewallError(
            f"{path}, line {number}: the column names are not eight or more separated by tabs: '{line[:60]}'"
        )
    wrong = [(have, want) for have, want in zip(names, COLUMNS, strict=False) if have != want]
    if len(wrong) > 1:
        raise SewallError(
            f"{path}, line {number}: the columns are {' '.join(names[:9])}, not {' '.join(COLUMNS)}; mend the header"
        )
    samples = names[9:]
    if not samples:
        raise SewallError(f"{path}: has no samples, hence no GT field (genotypes); give a VCF with genotypes")
    refuse_duplicates(str(path), samples)
    return Header(samples, number, "\t".join(COLUMNS + samples), wrong[0] if wrong else None)


def mended_copy(path: Path, header: Header, out: Path) -> Path:
    """Write a gzipped copy with the column names put right, and return its path."""
    with reading(path) as stream, gzip.open(out, "wb", compresslevel=1) as copy:
        for number, raw in enumerate(stream, start=1):
            copy.write(header.line.encode() + b"\n" if number == header.lines else raw)
    return out
