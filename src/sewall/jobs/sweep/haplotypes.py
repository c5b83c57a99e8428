"""Pictures of called windows: the haplotypes around the peak of each region, alike ones side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall.data.alignment import MISSING, Alignment
from sewall.data.regions import Region
from sewall.encode.pairs import minor_allele_calls, minor_counts
from sewall.jobs.windows.observed import WindowReader
from sewall.rundir import write_json

MOST = 4  # regions that are pictured, the surest first
MOST_SITES, MOST_COLUMNS = 240, 100
REACH = 3  # sub-windows on either side of the peak


def write_pictures(path: Path, reader: WindowReader, table: pd.DataFrame, regions: pd.DataFrame) -> None:
    """Write the haplotypes around the first called regions, and around the least suspicious one beside them."""
    called = regions.head(MOST).to_dict("records")
    chosen = [(str(row["chrom"]), int(row["peak"]), str(row["kind"])) for row in called]
    known = table[table["p_sweep"].notna()]
    if len(known):
        low = known.iloc[int(known["p_sweep"].to_numpy(float).argmin())]
        chosen.append((str(low["chrom"]), int(low["start"] + low["end"]) // 2, "least like a sweep"))
    size = int(table["end"].iloc[0] - table["start"].iloc[0])
    write_json(path, [_picture(reader, Region(c, max(p - REACH * size, 0), p + REACH * size), k) for c, p, k in chosen])


def _picture(reader: WindowReader, region: Region, kind: str) -> dict[str, Any]:
    window = reader.variants.alignment(region, reader.mask, reader.phased[region.chrom])
    minor, _ = minor_counts(window)
    rows = np.flatnonzero(minor >= 2)
    if len(rows) > MOST_SITES:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_SITES).round().astype(int)]
    columns = _ordered(window, rows)[:MOST_COLUMNS]
    calls = minor_allele_calls(window)[rows][:, columns]
    return {
        "chrom": region.chrom, "start": region.start, "end": region.end, "kind": kind,
        "positions": (window.positions[rows] + region.start).tolist(), "calls": calls.T.tolist(),
    }  # fmt: skip


def _ordered(window: Alignment, rows: np.ndarray) -> np.ndarray:
    """Return the columns so that those alike in the middle stand together, the largest family first."""
    if not len(rows):
        return np.arange(len(window.copies))
    calls = np.where(window.calls[rows] == MISSING, 0, minor_allele_calls(window)[rows]).astype(float)
    near = np.exp(-(((np.arange(len(rows)) - len(rows) / 2) / (len(rows) / 6 + 1)) ** 2))
    apart = (np.abs(calls[:, :, None] - calls[:, None, :]) * near[:, None, None]).sum(axis=0)
    centre = int(np.median(apart, axis=1).argmin())
    order, left = [centre], set(range(apart.shape[0])) - {centre}
    while left:  # the nearest neighbour of the last one, and so on
        order.append(min(left, key=lambda k: (apart[order[-1], k], k)))
        left.remove(order[-1])
    return np.array(order)
