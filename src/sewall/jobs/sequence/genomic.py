"""Examples that are stretches of a genome: peaks and regions with their letters, labels, signal and groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.genome import Genome
from sewall.data.peaks import Peaks, located, read_peaks, windows_around
from sewall.data.sequences import Floats, Sequences
from sewall.data.tracks import Missing, signal_over
from sewall.dna.negatives import Negatives, matched_negatives
from sewall.dna.windows import ANY, MOST_UNKNOWN, cut, share_of, window_ids
from sewall.errors import SewallError
from sewall.task import Rows

KEYS = ["chrom", "start", "end", "strand"]
UNKNOWN = f"more than {MOST_UNKNOWN:.0%} of the window is unknown (N)"
NO_SIGNAL = "no base of the window has a value in the track"
REPEATED = "window and label of an earlier line"
FEWEST_CONTIGS = 5  # from which whole contigs are groups


@dataclass(frozen=True)
class Stretches:
    """Stretches of a genome as examples.

    Attributes:
        sequences: their letters, on their own strand; named for where they lie.
        keys: one row each: ``sequence_id``, ``chrom``, ``start``, ``end`` (half-open, from 0), ``strand``.
        groups: ``(stretches,)`` what must not straddle a split: contigs, or stretches that overlap.
        labels: what a column says of each, or None.
        signal: ``(stretches,)`` mean of a track, or None.
        dropped: lines that were left out, by reason.
        notes: what a user should know, in sentences.
        about: what was read and how, for ``run.json``.
    """

    sequences: Sequences
    keys: pd.DataFrame
    groups: NDArray[np.str_]
    labels: tuple[str, ...] | None
    signal: Floats | None
    dropped: dict[str, int]
    notes: tuple[str, ...]
    about: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)


def read_regions(
    regions: Path,
    fasta: Path,
    width: int | None = None,
    label: str | int | None = None,
    track: Path | None = None,
    missing: Missing = "zero",
) -> Stretches:
    """Read a BED or narrowPeak file with the letters of its genome.

    Args:
        regions: the file.
        fasta: the genome.
        width: letters of the windows that are cut around summits (or middles); None takes the regions as they are.
        label: column of the labels, by name or number; None where the file has none.
        track: bigWig file whose mean over each window is the quantity.
        missing: what bases without a value of the track count as.

    Raises:
        SewallError: as `read_peaks`, `located` and `signal_over`; no window is left.
    """
    peaks = read_peaks(regions)
    labels = peaks.labels(label) if label is not None else None
    with Genome.open(fasta) as genome:
        table, dropped = _windows(peaks, genome, width, labels)
        sequences, notes = cut(genome, table, _named(table)), genome.notes
    signal = signal_over(track, table, missing) if track is not None and len(table) else None
    usable = {UNKNOWN: share_of(sequences, np.array([ANY])) <= MOST_UNKNOWN}
    usable |= {NO_SIGNAL: np.isfinite(signal.mean)} if signal is not None else {}
    kept, counts = _kept(usable, len(table))
    dropped |= counts
    if not len(kept):
        raise SewallError(
            f"{regions}: none of its {len(peaks)} lines can be used ({_in_words(dropped)}){_remedy(width)}"
        )
    table, sequences = table.iloc[kept].reset_index(drop=True), sequences.take(kept)
    keys = table[KEYS].assign(sequence_id=sequences.ids)[["sequence_id", *KEYS]]
    groups, said = genomic_groups(keys)
    about: dict[str, Any] = {"centred_on": "summits" if peaks.summits else "middles", "width": width} if width else {}
    about |= {"track": signal.described()} if signal is not None else {}
    named = tuple(table["label"]) if labels is not None else None
    means = signal.mean[kept] if signal is not None else None
    return Stretches(sequences, keys, groups, named, means, dropped, (*notes, said), about)


def _kept(usable: dict[str, NDArray[np.bool_]], number: int) -> tuple[Rows, dict[str, int]]:
    """Return the rows that pass everything, and how many fail by the first reason that they do."""
    left, counts = np.ones(number, bool), {}
    for reason, passed in usable.items():
        counts[reason] = int((left & ~passed).sum())
        left &= passed
    return np.flatnonzero(left), {reason: count for reason, count in counts.items() if count}


def negatives_like(positives: Stretches, fasta: Path, seed: int, avoid: pd.DataFrame | None = None) -> Negatives:
    """Return stretches of the genome matched to *positives*; arguments as for `matched_negatives`.

    Where stretches of both overlap or share a contig, `genomic_groups` of all keys together keeps them in one fold.
    """
    with Genome.open(fasta) as genome:
        return matched_negatives(genome, positives.keys, seed, avoid)


def genomic_groups(keys: pd.DataFrame) -> tuple[NDArray[np.str_], str]:
    """Return ``(stretches,)`` groups, and what they are in words.

    Whole contigs, where five or more have examples; else stretches that overlap, so that no letter stands on both sides
    of a split.

    >>> keys = pd.DataFrame({"chrom": ["a"] * 3, "start": [0, 5, 20], "end": [10, 15, 30]})
    >>> genomic_groups(keys)[0].tolist()
    ['a:0', 'a:0', 'a:20']
    """
    if keys["chrom"].nunique() >= FEWEST_CONTIGS:
        return keys["chrom"].to_numpy(str), f"folds are made of whole contigs ({keys['chrom'].nunique()} of them)"
    ordered = keys.sort_values(["chrom", "start"], kind="stable")
    reached = ordered.groupby("chrom")["end"].cummax().groupby(ordered["chrom"]).shift()
    begins = ordered["start"].where(~(ordered["start"] < reached)).ffill().astype(int)
    groups = (ordered["chrom"] + ":" + begins.astype(str)).reindex(keys.index)
    few = f"examples lie on {keys['chrom'].nunique()} contigs, too few for folds of whole ones"
    return groups.to_numpy(str), f"{few}; only those that overlap stay together"


def _windows(
    peaks: Peaks, genome: Genome, width: int | None, labels: tuple[str, ...] | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    table = located(peaks, genome).assign(label=labels if labels is not None else "")
    dropped: dict[str, int] = {}
    if width is not None:
        table, dropped = windows_around(table, genome.lengths, width)
    repeated = table.duplicated([*KEYS, "label"])
    dropped |= {REPEATED: int(repeated.sum())} if repeated.any() else {}
    return table[~repeated].reset_index(drop=True), dropped


def _named(table: pd.DataFrame) -> list[str]:
    """Return names by place; windows that stand there with several labels are told apart by their lines."""
    twice = table.duplicated(KEYS, keep=False)
    names = zip(window_ids(table), table["line"], twice, strict=True)
    return [f"{name} line {line}" if again else name for name, line, again in names]


def _in_words(dropped: dict[str, int]) -> str:
    return "; ".join(f"{number} {reason}" for reason, number in dropped.items())


def _remedy(width: int | None) -> str:
    return f"; windows of {width} letters may be too long for these contigs" if width else "; give other regions"
