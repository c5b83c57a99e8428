"""Signal along a genome (bigWig), averaged over regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from sewall.data.sequences import Floats
from sewall.errors import SewallError, some_names

Missing = Literal["zero", "skip"]
"""What bases without a value count as: 0, or nothing (the mean is over the others)."""

WORDS: Mapping[Missing, str] = {
    "zero": "bases without a value count as 0",
    "skip": "bases without a value are left out",
}


@dataclass(frozen=True)
class Signal:
    """Mean signal of regions.

    Attributes:
        mean: ``(regions,)`` NaN where there is no value to average.
        covered: ``(regions,)`` share of the bases that have a value.
        missing: what the other bases counted as.
    """

    mean: Floats
    covered: Floats
    missing: Missing

    def described(self) -> dict[str, Any]:
        """Return what was done about absent values, for ``run.json``."""
        return {
            "missing": WORDS[self.missing],
            "regions": len(self.mean),
            "partly_covered": int((self.covered < 1).sum()),
            "not_covered": int((self.covered == 0).sum()),
        }


def signal_over(path: str | Path, regions: pd.DataFrame, missing: Missing) -> Signal:
    """Return the mean of a bigWig file over each region.

    Args:
        path: of the file.
        regions: one row each: ``chrom``, ``start``, ``end``, half-open, counted from 0; contigs may be named with or
            without ``chr``.
        missing: what bases without a value, or with NaN for one, count as.

    Raises:
        SewallError: pybigtools is not installed; no such file, or no bigWig; none of the contigs is in it.
    """
    path = Path(path)
    with _opened(path) as track:
        lengths = dict(track.chroms())
        names = _names(path, [str(name) for name in dict.fromkeys(regions["chrom"])], lengths)
        rows = zip(regions["chrom"], regions["start"], regions["end"], strict=True)
        found = [_sum(track, names[chrom], int(start), int(end), lengths) for chrom, start, end in rows]
    total, known = np.array(found, float).reshape(-1, 2).T
    width = (regions["end"] - regions["start"]).to_numpy(float)
    counted = width if missing == "zero" else np.where(known > 0, known, np.nan)
    return Signal(total / counted, known / width, missing)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import pybigtools
    except ImportError:
        raise SewallError(
            f"{path}: reading bigWig files needs pybigtools, which is not installed; pip install 'sewall[tracks]'"
        ) from None
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    try:
        track = pybigtools.open(str(path))
    except Exception as problem:  # pybigtools raises several classes of its own
        raise SewallError(
            f"{path}: cannot be read as bigWig ({problem}); copy it again, or give another file"
        ) from None
    try:
        if not track.is_bigwig:
            raise SewallError(f"{path}: is bigBed, and holds no signal; give a bigWig file")
        yield track
    finally:
        track.close()


def _names(path: Path, named: list[str], lengths: Mapping[str, int]) -> dict[str, str | None]:
    """Return by contig its name in the track, None where it has no values."""
    also = {name: [name, f"chr{name}", name.removeprefix("chr")] for name in named}
    found = {name: next((own for own in names if own in lengths), None) for name, names in also.items()}
    if all(own is None for own in found.values()):
        raise SewallError(
            f"{path}: has none of the contigs {some_names(named, 8)}; it has {some_names(list(lengths), 8)}; give the "
            "track of the same assembly"
        )
    return found


def _sum(track: Any, contig: str | None, start: int, end: int, lengths: Mapping[str, int]) -> tuple[float, int]:
    """Return the sum of the values of a region, and how many bases have one."""
    if contig is None or start >= lengths[contig]:
        return 0.0, 0
    total, known = 0.0, 0
    for first, last, value in track.records(contig, start, min(end, lengths[contig])):
        bases = min(last, end) - max(first, start)
        if np.isfinite(value) and bases > 0:
            total, known = total + bases * value, known + bases
    return total, known
