"""Stretches of a genome as sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sewall.data.genome import Genome
from sewall.data.sequences import Floats, Sequences, packed
from sewall.encode.dna import reverse_complement

MOST_UNKNOWN = 0.1  # share of a window that may be N
ANY = 15


def window_ids(windows: pd.DataFrame) -> list[str]:
    """Return names of windows that say where they lie, counted from 0 as in BED files.

    >>> window_ids(pd.DataFrame({"chrom": ["a"], "start": [5], "end": [9], "strand": ["-"]}))
    ['a:5-9(-)']
    """
    columns = (windows[name] for name in ("chrom", "start", "end", "strand"))
    return [
        f"{chrom}:{start}-{end}" + (f"({strand})" if strand == "-" else "")
        for chrom, start, end, strand in zip(*columns, strict=True)
    ]


def cut(genome: Genome, windows: pd.DataFrame, ids: Sequence[str] | None = None) -> Sequences:
    """Return the letters of windows, on their own strand.

    Args:
        genome: that they lie in.
        windows: one row each: ``chrom``, ``start``, ``end``, ``strand``; ``-`` takes the reverse complement.
        ids: names of the sequences; by default as `window_ids`.

    Raises:
        SewallError: a window reaches beyond its contig, or two have one name.
    """
    places = zip(windows["chrom"], windows["start"], windows["end"], strict=True)
    texts = [genome.sequence(chrom, int(start), int(end)) for chrom, start, end in places]
    found = packed(window_ids(windows) if ids is None else ids, texts)
    return turned(found, (windows["strand"] == "-").to_numpy())


def turned(sequences: Sequences, backwards: np.ndarray) -> Sequences:
    """Return the sequences, some of them as their reverse complement.

    >>> turned(packed(["a", "b"], ["AAC", "GGT"]), np.array([True, False])).text(0)
    'GTT'
    """
    codes = sequences.codes.copy()
    for row in np.flatnonzero(backwards):
        own = slice(sequences.starts[row], sequences.starts[row + 1])
        codes[own] = reverse_complement(codes[own])
    return Sequences(sequences.ids, codes, sequences.starts, sequences.lower)


def share_of(sequences: Sequences, which: np.ndarray) -> Floats:
    """Return ``(sequences,)`` share of the letters that are among some codes.

    >>> share_of(packed(["a"], ["ACGN"]), np.array([ANY]))
    array([0.25])
    """
    found = np.concatenate([[0], np.cumsum(np.isin(sequences.codes, which))])
    return np.diff(found[sequences.starts]) / np.maximum(sequences.lengths, 1)
