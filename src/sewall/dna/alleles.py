"""Both forms of a variant, each in the letters around it, and the kinds of variants.

A variant is a row of a table: ``chrom``, ``start`` (from 0), ``removed`` and ``inserted`` letters.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sewall.data.genome import Genome
from sewall.data.sequences import Sequences, packed
from sewall.dna.windows import MOST_UNKNOWN, turned
from sewall.task import Rows

BEYOND, UNKNOWN = "its window reaches beyond the contig", f"more than {MOST_UNKNOWN:.0%} of its window is unknown (N)"
TOO_LONG = "it is longer than half a window"
COLUMNS = ["chrom", "start", "removed", "inserted"]
_PARTNER = {"A": "G", "G": "A", "C": "T", "T": "C"}
_LENGTHS = ((1, "1 letter"), (2, "2 letters"), (3, "3 letters"), (6, "4 to 6 letters"), (12, "7 to 12 letters"))


Variant = tuple[str, int, str, str]
"""Contig, start (from 0), removed and inserted letters."""


@dataclass(frozen=True)
class Forms:
    """Windows of one width that hold a variant in both forms.

    Attributes:
        rows: ``(variants,)`` rows of the table that have windows.
        ref, alt: their sequences, named by row.
        left_out: how many have none, by reason.
    """

    rows: Rows
    ref: Sequences
    alt: Sequences
    left_out: dict[str, int]


def both_forms(genome: Genome, table: pd.DataFrame, width: int, strand: str = "+", shift: int = 0) -> Forms:
    """Return the windows around variants in REF and in ALT form.

    The first letter of the variant is letter ``width // 2`` of the window on its strand. What stands before it in the
    genome stays; behind it, an insertion pushes letters out and a deletion draws the genome's next ones in, so that
    both forms are of one width.

    Args:
        genome: that the variants are of.
        table: one row per variant.
        width: letters of a window.
        strand: ``-`` takes the reverse complement.
        shift: letters by which the window is moved.
    """
    before = ((width - 1) // 2 if strand == "-" else width // 2) - shift
    spelled = [
        _spelled(genome, variant, width, before) for variant in zip(*(table[name] for name in COLUMNS), strict=True)
    ]
    pairs = {row: found for row, found in enumerate(spelled) if isinstance(found, tuple)}
    left_out = Counter(found for found in spelled if isinstance(found, str))
    names, turn = [str(row) for row in pairs], np.full(len(pairs), strand == "-")
    ref, alt = (turned(packed(names, [pair[form] for pair in pairs.values()]), turn) for form in (0, 1))
    return Forms(np.array(list(pairs), np.intp), ref, alt, dict(left_out))


def _spelled(genome: Genome, variant: Variant, width: int, before: int) -> tuple[str, str] | str:
    """Return the letters of a window in both forms, or why there is none; *before* letters stand before the variant."""
    chrom, start, removed, inserted = variant
    first, last = start - before, start - before + width + len(removed)
    if max(len(removed), len(inserted)) > min(before, width - before):
        return TOO_LONG
    if first < 0 or last > genome.lengths[chrom]:
        return BEYOND
    around = genome.sequence(chrom, first, last)
    if around[:width].upper().count("N") > MOST_UNKNOWN * width:
        return UNKNOWN
    return around[:width], (around[:before] + inserted + around[before + len(removed) :])[:width]


def kind_of(removed: str, inserted: str, before: str, after: str) -> str:
    """Return the kind of a variant: what a random one must share with it to be comparable.

    Args:
        removed, inserted: letters.
        before, after: the letters of the genome on either side of what is removed.

    >>> kind_of("C", "T", "A", "G"), kind_of("A", "C", "T", "T"), kind_of("", "GATT", "A", "C")
    ('transition at CpG', 'transversion', 'insertion of 4 to 6 letters')
    """
    if len(removed) == len(inserted) == 1:
        kind = "transition" if _PARTNER.get(removed) == inserted else "transversion"
        return f"{kind} at CpG" if "CG" in (before + removed, removed + after) else kind
    kind = "insertion" if not removed else "deletion" if not inserted else "replacement"
    size = max(len(removed), len(inserted))
    return f"{kind} of {next((text for most, text in _LENGTHS if size <= most), 'more than 12 letters')}"


def kinds(genome: Genome, table: pd.DataFrame) -> list[str]:
    """Return the kind of every variant of a table."""
    return [kind_at(genome, *variant) for variant in zip(*(table[name] for name in COLUMNS), strict=True)]


def kind_at(genome: Genome, chrom: str, start: int, removed: str, inserted: str) -> str:
    """Return the kind of one variant."""
    end = start + len(removed)
    before = genome.sequence(chrom, start - 1, start).upper() if start else ""
    after = genome.sequence(chrom, end, end + 1).upper() if end < genome.lengths[chrom] else ""
    return kind_of(removed, inserted, before, after)
