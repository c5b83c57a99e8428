"""Variants of a PLINK 1 fileset that have a genetic position only: they are placed between their neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sewall.data.convert import file_digest
from sewall.data.plink import fileset
from sewall.rundir import write_text

_COLUMNS = 6


def placed_fileset(bed: Path, cache: Path) -> tuple[Path, str]:
    """Return a fileset in which every variant with a position in cM has one in bp, and a sentence for the user.

    The position is interpolated between variants of the same chromosome that have both, and raised until no other
    variant has it: two variants that share a genetic position are not one site. Where all is well, or the .bim cannot
    be read, the fileset itself is returned.

    Args:
        bed: of the fileset.
        cache: directory for the copy.
    """
    bed, bim, fam = fileset(bed)
    rows = [line.split() for line in bim.read_text(encoding="utf-8").splitlines() if line.strip()]
    places = _places(rows)
    if places is None:
        return bed, ""
    lacking = np.flatnonzero(places[:, 1] <= 0)
    positions = _interpolated(np.array([row[0] for row in rows]), *places.T)
    found = lacking[positions[lacking] > 0]
    if not len(found):
        return bed, ""
    copy = cache / f"placed-{file_digest([bim])[:16]}" / bed.name
    for row in found.tolist():
        rows[row][3] = str(positions[row])
    copy.parent.mkdir(parents=True, exist_ok=True)
    write_text(copy.with_suffix(".bim"), "".join("\t".join(row[:_COLUMNS]) + "\n" for row in rows))
    for path in (bed, fam):
        _link(copy.with_suffix(path.suffix), path)
    return copy, f"{bim}: {len(found)} variants have a position in cM only; they were placed between their neighbours"


def _places(rows: Sequence[Sequence[str]]) -> NDArray[np.float64] | None:
    """Return cM and bp of each row; None where a row is not as it should be, which the reader will say better."""
    if not rows or min(map(len, rows)) < _COLUMNS:
        return None
    try:
        return np.array([[float(row[2]), int(row[3])] for row in rows])
    except ValueError:
        return None


def _interpolated(chrom: NDArray[np.str_], cm: NDArray[np.float64], bp: NDArray[np.float64]) -> NDArray[np.int64]:
    found = bp.astype(np.int64)
    for name in sorted(set(chrom.tolist()) - {"0"}):
        own = chrom == name
        known, lacking = np.flatnonzero(own & (bp > 0)), np.flatnonzero(own & (bp <= 0) & (cm >= 0))
        if len(known) < 2 or not cm[known].any():  # without a genetic map a 0 says nothing
            continue
        known = known[np.lexsort((bp[known], cm[known]))]
        taken = set(found[known].tolist())
        lacking = lacking[np.argsort(cm[lacking], kind="stable")]
        for row, guess in zip(lacking.tolist(), np.interp(cm[lacking], cm[known], bp[known]).tolist(), strict=True):
            position = int(guess)
            while position in taken:
                position += 1
            taken.add(position)
            found[row] = position
    return found


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target.resolve())
