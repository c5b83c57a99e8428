"""What variants do to genes, by rule: the standard genetic code, both strands, every transcript.

A rule is exact about what it says (this codon now spells another amino acid) and silent about what follows from it.
Mitochondria have a code of their own and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.genes import Transcript, read_genes
from sewall.data.genome import Genome, is_mitochondrion
from sewall.dna.alleles import COLUMNS

ORDER = (
    "nonsense", "frameshift", "splice", "stop lost", "start lost", "missense", "in-frame", "synonymous",
    "coding, unclear", "untranslated", "non-coding transcript", "intron", "intergenic", "mitochondrion",
)  # fmt: skip
"""Consequences, the gravest first; a variant has that of the transcript in which it is gravest."""

SPLICE = 2
"""Letters of an intron, at either end, that a splice site needs."""

SHORTEST_INTRON = 10  # shorter gaps between exons are no introns, but slips of the ribosome
_PAIRS = str.maketrans("ACGT", "TGCA")
_AMINO_ACIDS = "KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF"
_CODE = dict(zip(map("".join, product("ACGT", repeat=3)), _AMINO_ACIDS, strict=True))


def translated(codons: str) -> str:
    """Return the amino acids of whole codons, X where a letter is not known.

    >>> translated("ATGGCNTAA")
    'MX*'
    """
    return "".join(_CODE.get(codons[k : k + 3], "X") for k in range(0, len(codons) - 2, 3))


@dataclass(frozen=True)
class Consequence:
    """What a variant does to one transcript.

    Attributes:
        kind: one of `ORDER`.
        gene: name of the gene, or an empty text.
        change: of the protein, as K12E, or an empty text.
    """

    kind: str
    gene: str = ""
    change: str = ""


@dataclass(frozen=True)
class Reading:
    """A transcript, and what is translated of it.

    Attributes:
        transcript: as annotated.
        places: ``(letters,)`` where the coding letters stand in the genome, in the order of reading, from the beginning
            of a codon. Where a ribosome is known to slip, the broken codon is filled up with letters of no place (-1).
        coding: the letters, N where they have no place.
    """

    transcript: Transcript
    places: NDArray[np.int64]
    coding: str

    @classmethod
    def of(cls, transcript: Transcript, genome: Genome) -> Reading:
        """Read the coding letters of a transcript in its genome."""
        backward = transcript.strand == "-"
        places: list[int] = []
        for start, end, phase in reversed(transcript.coding) if backward else transcript.coding:
            own = range(end - 1, start - 1, -1) if backward else range(start, end)
            filling = [-1] * ((-len(places) - phase) % 3) if places else []
            places += filling + list(own if places else own[phase:])
        text = genome.sequence(transcript.chrom, transcript.start, transcript.end).upper()
        spelled = "".join(text[place - transcript.start] if place >= 0 else "N" for place in places)
        return cls(transcript, np.array(places, np.int64), _complement(spelled) if backward else spelled)

    def consequence(self, start: int, removed: str, inserted: str) -> Consequence:
        """Return what a variant does: *removed* letters from *start* (from 0) are replaced by *inserted* ones."""
        gene, end = self.transcript.gene, start + len(removed)
        if self._splices(start, end):
            return Consequence("splice", gene)
        first, last = self._coding_part(start, end)
        if first < 0:
            return Consequence(self._silent(start, end), gene)
        backward = self.transcript.strand == "-"
        new = _complement(inserted[::-1]) if backward else inserted
        number = first // 3
        if (len(new) - (last - first)) % 3:
            return Consequence("frameshift", gene, f"{translated(self.coding[3 * number :][:3])}{number + 1}fs")
        stop = 3 * -(-max(last, first + 1) // 3)
        before = translated(self.coding[3 * number : stop])
        after = translated(self.coding[3 * number : first] + new + self.coding[last:stop])
        return Consequence(self._changed(number, before, after), gene, f"{before}{number + 1}{after or 'del'}")

    def _splices(self, start: int, end: int) -> bool:
        """Return whether letters of a splice site are removed, or split by an insertion."""
        for (_, first), (last, _) in pairwise(self.transcript.exons):
            sites = ((first, first + SPLICE), (last - SPLICE, last)) if last - first >= SHORTEST_INTRON else ()
            if any(start < behind and end > before and (end > start or start > before) for before, behind in sites):
                return True
        return False

    def _coding_part(self, start: int, end: int) -> tuple[int, int]:
        """Return from which to which coding letter a variant reaches, or -1 where it touches none."""
        if end > start:
            touched = np.flatnonzero((self.places >= start) & (self.places < end))
            # Where a ribosome slips back, letters are read twice: the first time counts.
            return (int(touched[0]), int(touched[0]) + len(set(self.places[touched]))) if len(touched) else (-1, -1)
        here = np.flatnonzero(np.isin(self.places, (start - 1, start)))
        inside = len(here) == 2 and here[1] == here[0] + 1
        return (int(here[1]), int(here[1])) if inside else (-1, -1)

    def _silent(self, start: int, end: int) -> str:
        in_exon = any(start < last and max(end, start + 1) > first for first, last in self.transcript.exons)
        if not in_exon:
            return "intron"
        return "untranslated" if self.transcript.coding else "non-coding transcript"

    def _changed(self, number: int, before: str, after: str) -> str:
        """Return the kind of a change of whole codons, the first of them being *number*, counted from 0."""
        if before == after:
            return "coding, unclear" if "X" in before or not before else "synonymous"
        if number == 0 and before.startswith("M") and not after.startswith("M"):
            return "start lost"
        if "*" in after and not before.startswith(after[: after.index("*") + 1]):
            return "nonsense"
        if "*" in before and "*" not in after:
            return "stop lost"
        if "X" in before + after:
            return "coding, unclear"
        return "missense" if len(before) == len(after) else "in-frame"


def consequences(genome: Genome, path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return what each variant does to the genes of a GFF3 file.

    Args:
        genome: that the variants are of; its names of contigs count, with or without ``chr``.
        path: of the genes.
        table: one row per variant: ``chrom start removed inserted``.

    Returns:
        ``consequence``, ``gene``, ``protein`` by row: that of the transcript in which it is gravest.

    Raises:
        SewallError: as `read_genes`; none of the contigs of the file is in the genome.
    """
    genes = _by_contig(genome, path)
    read = cache(lambda transcript: Reading.of(transcript, genome))
    rows = []
    for chrom, start, removed, inserted in zip(*(table[name] for name in COLUMNS), strict=True):
        near = genes[chrom].touched(start, start + max(len(removed), 1)) if chrom in genes else []
        found = [Consequence("intergenic"), *(read(each).consequence(start, removed, inserted) for each in near)]
        gravest = min(found, key=lambda each: ORDER.index(each.kind))
        rows.append(Consequence("mitochondrion") if is_mitochondrion(chrom) else gravest)
    return pd.DataFrame([(row.kind, row.gene, row.change) for row in rows], columns=["consequence", "gene", "protein"])


@dataclass(frozen=True)
class _Contig:
    """The transcripts of one contig, by their beginnings."""

    transcripts: list[Transcript]
    ends: NDArray[np.int64]
    starts: NDArray[np.int64]

    def touched(self, start: int, end: int) -> list[Transcript]:
        return [self.transcripts[k] for k in np.flatnonzero((self.starts < end) & (self.ends > start)).tolist()]


def _by_contig(genome: Genome, path: Path) -> dict[str, _Contig]:
    transcripts = read_genes(path)
    names = {name: genome.own_name(name) for name in dict.fromkeys(each.chrom for each in transcripts)}
    if not any(names.values()):
        genome.names_of(names, path)  # raises: it shows both sets of names
    found: dict[str, list[Transcript]] = {}
    for each in transcripts:
        own = names[each.chrom]
        if own is not None:
            found.setdefault(own, []).append(each.on(own))
    return {
        own: _Contig(each, np.array([t.end for t in each]), np.array([t.start for t in each]))
        for own, each in found.items()
    }


def _complement(text: str) -> str:
    """Return the letters that pair with these, in the same order."""
    return text.translate(_PAIRS)
