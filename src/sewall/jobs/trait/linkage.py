"""How far linkage reaches, as the page shows it: the windows of networks, and what they were taken from."""

from __future__ import annotations

from typing import Any

import numpy as np

from sewall.data.panel import Panel
from sewall.encode.ld import Linkage, banded_r2, ld_windows
from sewall.errors import SewallError
from sewall.task import Rows

SHOWN = 120  # sites of the matrix that is drawn


def measured_linkage(panel: Panel, rows: Rows) -> Linkage | None:
    """Return how far linkage reaches; None where no chromosome has two sites that vary."""
    try:
        return ld_windows(panel, rows)
    except SewallError:
        return None


def linkage_record(panel: Panel, rows: Rows, found: Linkage | None) -> dict[str, Any]:
    """Return windows by chromosome, by both letter codes and both methods, the decay, and a stretch of the matrix.

    Args:
        panel: genotypes.
        rows: individuals from which linkage was measured.
        found: by `measured_linkage`.

    Returns:
        Plain JSON types; empty where nothing was found.
    """
    if found is None:
        return {}
    genome = found.genome
    return {
        "sites": genome.sites, "span": genome.span, "apart": found.apart,
        "by_decay": list(genome.by_decay), "by_block": list(genome.by_block),
        "decay": [None if np.isnan(value) else round(float(value), 4) for value in genome.decay],
        "chromosomes": [
            {"chrom": w.chrom, "sites": w.sites, "span": w.span, "by_decay": list(w.by_decay),
             "by_block": list(w.by_block)}
            for w in found.chromosomes
        ],
        "matrix": _matrix(panel, rows, found),
    }  # fmt: skip


def _matrix(panel: Panel, rows: Rows, found: Linkage) -> dict[str, Any]:
    """Return the r² of sites in the middle of the chromosome that has most of them, in hundredths, and its blocks."""
    window = max(found.chromosomes, key=lambda w: _size(panel, w.chrom))
    where = next(place for name, place in panel.sites.chromosomes() if name == window.chrom)
    shown = min(SHOWN, where.stop - where.start)
    start = where.start + (where.stop - where.start - shown) // 2
    band = banded_r2(panel, rows, slice(start, start + shown), shown - 1) if shown > 1 else np.zeros((1, 0))
    square = np.eye(shown)
    for lag in range(1, shown):
        place = np.arange(shown - lag)
        square[place, place + lag] = square[place + lag, place] = np.nan_to_num(band[: shown - lag, lag - 1])
    inside = (window.blocks >= start) & (window.blocks < start + shown)
    return {
        "chrom": window.chrom,
        "first": int(panel.sites.position[start]) + 1, "last": int(panel.sites.position[start + shown - 1]) + 1,
        "hundredths": np.round(100 * square).astype(int).tolist(),
        "blocks": (window.blocks[inside] - start).tolist(),
    }  # fmt: skip


def _size(panel: Panel, chrom: str) -> int:
    return int((panel.sites.chrom == chrom).sum())
