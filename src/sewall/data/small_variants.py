"""Single-nucleotide variants and small indels of a VCF, checked against the genome that they are to be read in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cyvcf2
import numpy as np
import pandas as pd

from sewall.data.genome import Genome
from sewall.data.sequences import packed
from sewall.errors import SewallError

LONGEST = 50
"""Letters that a variant may take away or bring."""

SYMBOLIC = "symbolic allele, which has no letters (<DEL>, breakends)"
SPANNING = "* allele: covered by a deletion that has a line of its own"
NO_ALT = "no ALT allele"
LONG = f"more than {LONGEST} letters are taken away or brought"
UNKNOWN_LETTERS = "letters other than ACGT"
REPEATED = "the same variant as an earlier line"
_SHOWN = 3


@dataclass(frozen=True)
class SmallVariants:
    """Variants, one row per ALT allele, in the order of the file.

    Attributes:
        table: ``chrom`` (the genome's own name), ``pos`` (from 1, as in the file), ``id``, ``ref``, ``alt``; what is
            left when the letters that both share are set aside: ``start`` (from 0), ``removed``, ``inserted``.
        skipped: ALT alleles that were left out, by reason.
        lines: number of lines of the file.
    """

    table: pd.DataFrame
    skipped: dict[str, int]
    lines: int

    def __len__(self) -> int:
        return len(self.table)


def read_small_variants(path: str | Path, genome: Genome) -> SmallVariants:
    """Read a VCF or BCF; several ALT alleles of a line become as many rows.

    Raises:
        SewallError: the file is missing or damaged; a contig that the genome lacks; REF disagrees with the genome (says
            how often, and shows the first); no variant is left.
    """
    path = Path(path)
    skipped: Counter[str] = Counter()
    rows, lines = [], 0
    for record in _records(path):
        lines += 1
        rows += _alleles(record, lines, skipped)
    table = pd.DataFrame(rows, columns=["chrom", "pos", "id", "ref", "alt", "start", "removed", "inserted", "record"])
    names = genome.names_of(table["chrom"], path) if len(table) else {}
    table["chrom"] = table["chrom"].map(names)
    _check_reference(path, table, genome)
    repeated = table.duplicated(["chrom", "start", "removed", "inserted"])
    skipped[REPEATED] = int(repeated.sum())
    table = table[~repeated].drop(columns="record").reset_index(drop=True)
    counts = {reason: number for reason, number in skipped.items() if number}
    if not len(table):
        why = "; ".join(f"{number} {reason}" for reason, number in counts.items()) or "it has no lines"
        raise SewallError(f"{path}: holds no variant that can be asked about ({why}); give SNVs or small indels")
    return SmallVariants(table, counts, lines)


def trimmed(pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Return where two alleles begin to differ, counted from 0, and what of each is left.

    >>> trimmed(10, "A", "AT"), trimmed(10, "CAG", "CG"), trimmed(10, "A", "G")
    ((10, '', 'T'), (10, 'A', ''), (9, 'A', 'G'))
    """
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    shared = 0
    while shared < min(len(ref), len(alt)) and ref[shared] == alt[shared]:
        shared += 1
    return pos - 1 + shared, ref[shared:], alt[shared:]


def _records(path: Path) -> Iterator[cyvcf2.Variant]:
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    try:
        reader = cyvcf2.VCF(str(path))
    except Exception as problem:  # cyvcf2 raises the bare class
        raise SewallError(f"{path}: cannot be read as VCF ({problem}); look at it with bcftools view -h") from None
    number = 0
    while True:
        number += 1
        try:
            record = next(reader, None)
        except Exception:
            raise SewallError(f"{path}: record {number} cannot be read; check its columns") from None
        if record is None:
            break
        yield record
    reader.close()


def _alleles(record: cyvcf2.Variant, number: int, skipped: Counter[str]) -> list[tuple[object, ...]]:
    """Return a row for every ALT allele of a record that can be used, and count the others."""
    ref = record.REF.upper()
    found: list[tuple[object, ...]] = []
    if not record.ALT:
        skipped[NO_ALT] += 1
    for alt in (allele.upper() for allele in record.ALT):
        start, removed, inserted = trimmed(record.POS, ref, alt)
        reason = _unusable(ref, alt, removed, inserted)
        if reason:
            skipped[reason] += 1
        else:
            here = (record.CHROM, record.POS, record.ID or ".")
            found.append((*here, ref, alt, start, removed, inserted, number))
    return found


def _unusable(ref: str, alt: str, removed: str, inserted: str) -> str:
    if alt == "*":
        return SPANNING
    if set(alt) & set("<>[]") or alt.startswith(".") or alt.endswith("."):
        return NO_ALT if alt == "." else SYMBOLIC
    if not removed and not inserted:
        return NO_ALT
    if set(ref) - set("ACGT") or set(alt) - set("ACGT"):
        return UNKNOWN_LETTERS
    return LONG if max(len(removed), len(inserted)) > LONGEST else ""


def _check_reference(path: Path, table: pd.DataFrame, genome: Genome) -> None:
    wrong = []
    for chrom, pos, ref, number in zip(table["chrom"], table["pos"], table["ref"], table["record"], strict=True):
        end = min(pos - 1 + len(ref), genome.lengths[chrom])
        here = genome.sequence(chrom, pos - 1, end).upper() if pos <= genome.lengths[chrom] else ""
        if not _agree(ref, here):
            wrong.append(f"record {number}, {chrom}:{pos}: {ref[:20]} against {here[:20] or 'the end of the contig'}")
    if wrong:
        raise SewallError(
            f"{path}: REF disagrees with {genome.path.name} in {len(wrong)} of {len(table)} alleles "
            f"({'; '.join(wrong[:_SHOWN])}); give the genome that the variants were called against, or mend them with "
            "bcftools norm --check-ref"
        )


def _agree(ref: str, here: str) -> bool:
    """Return whether each letter of REF is one of those that the genome allows there.

    >>> _agree("AC", "AC"), _agree("AC", "RC"), _agree("AC", "AG")
    (True, True, False)
    """
    if ref == here or len(ref) != len(here):
        return ref == here
    own, there = packed(["ref", "genome"], [ref, here]).padded(np.arange(2))
    return bool(((own & there) > 0).all())
