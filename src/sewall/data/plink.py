"""PLINK 1 filesets, made ready for bio2zarr: checked, sorted, their tables cut to the six columns of the format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sewall.data.samples import refuse_duplicates
from sewall.errors import SewallError

_MAGIC, _SAMPLE_MAJOR = b"\x6c\x1b\x01", b"\x6c\x1b\x00"
_ROWS = 4096


def fileset(bed: Path) -> tuple[Path, Path, Path]:
    """Return the .bed, .bim and .fam files of a fileset; raise for the one that is missing."""
    files = (bed, bed.with_suffix(".bim"), bed.with_suffix(".fam"))
    for path in files:
        if not path.is_file():
            raise SewallError(f"{path}: no such file; PLINK 1 data are a .bed, a .bim and a .fam of the same name")
    return files


def clean_copy(bed: Path, directory: Path) -> Path:
    """Write a clean fileset into *directory* and return its prefix.

    A .fam file in the wild may carry further columns (GEMMA's phenotypes) and mixed separators. Variants without a
    place (contig 0, or position 0 or below) are left out, and others that are out of order are sorted.

    Raises:
        SewallError: a file is missing, not PLINK 1, cut, has short lines or duplicate samples.
    """
    bed, bim, fam = fileset(bed)
    people, places = _rows(fam), _rows(bim)
    refuse_duplicates(str(fam), [row[1] for row in people])
    _check_bed(bed, len(places), len(people))
    order = _order(bim, places)
    _copy_bed(bed, directory / "set.bed", len(places), order)
    _write(directory / "set.fam", people)
    _write(directory / "set.bim", [[*places[i][:2], "0", *places[i][3:]] for i in order])
    return directory / "set"


def irregularities(bed: Path) -> str:
    """Say how many variants have no place and whether the others are out of order; empty where all is well."""
    bim = bed.with_suffix(".bim")
    places = _rows(bim)
    order = _order(bim, places)
    said = []
    if len(order) < len(places):
        said.append(f"{len(places) - len(order)} variants without a contig or a position were left out")
    if (np.diff(order) < 0).any():
        said.append("the variants are not in order of contig and position and were sorted")
    return f"{bim}: {'; '.join(said)}" if said else ""


def _rows(path: Path) -> list[list[str]]:
    rows = [line.split()[:6] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for number, row in enumerate(rows, start=1):
        if len(row) < 6:
            raise SewallError(f"{path}, line {number}: has {len(row)} columns, not the six of PLINK 1; mend the line")
    if not rows:
        raise SewallError(f"{path}: the file is empty; give a whole PLINK 1 fileset")
    return rows


def _order(bim: Path, rows: Sequence[Sequence[str]]) -> NDArray[np.intp]:
    """Return the rows that have a place, by contig (in order of appearance) and position."""
    try:
        positions = np.array([int(row[3]) for row in rows])
    except ValueError as error:
        raise SewallError(f"{bim}: a position is not a whole number ({error}); mend the fourth column") from None
    ranks: dict[str, int] = {}
    contigs = np.array([ranks.setdefault(row[0], len(ranks)) for row in rows])
    placed = (positions > 0) & (contigs != ranks.get("0", -1))
    if not placed.any():
        raise SewallError(f"{bim}: no variant has a contig and a position; give a .bim with a physical map")
    order = np.lexsort((positions, contigs))
    return order[placed[order]]


def _check_bed(bed: Path, variants: int, samples: int) -> None:
    with bed.open("rb") as stream:
        start = stream.read(3)
        if start == _SAMPLE_MAJOR:
            raise SewallError(f"{bed}: is in sample-major order; write it variant by variant with plink --make-bed")
        if start != _MAGIC:
            raise SewallError(f"{bed}: is not PLINK 1 binary data, variant by variant; make it with plink --make-bed")
    want, have = len(_MAGIC) + variants * ((samples + 3) // 4), bed.stat().st_size
    if have != want:
        state = "truncated" if have < want else "too long"
        raise SewallError(
            f"{bed}: is {state}: {have} bytes, but {variants} variants of {samples} samples take {want}; "
            "give the .bim and .fam it was made with"
        )


def _copy_bed(bed: Path, out: Path, variants: int, order: NDArray[np.intp]) -> None:
    """Copy rows in the given order; link to the file where that is how they stand."""
    if np.array_equal(order, np.arange(variants)):
        out.symlink_to(bed.resolve())
        return
    rows = np.memmap(bed, np.uint8, "r", offset=len(_MAGIC)).reshape(variants, -1)
    with out.open("wb") as stream:
        stream.write(_MAGIC)
        for start in range(0, len(order), _ROWS):
            stream.write(rows[order[start : start + _ROWS]].tobytes())


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
