"""Genes of a genome: their transcripts, exons and coding parts, from a GFF3 file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from sewall.data.genome import is_mitochondrion
from sewall.data.headers import reading
from sewall.errors import SewallError

CODING, EXON = "CDS", "exon"
_COLUMNS = 9
_WANTED = "a GFF3 file has nine columns: contig, source, type, start, end, score, strand, phase, attributes"


@dataclass(frozen=True)
class Transcript:
    """One transcript; all coordinates are half-open, counted from 0.

    Attributes:
        gene: name of its gene, or the id where it has no name.
        chrom: contig, as the file names it.
        strand: ``+`` or ``-``.
        exons: start and end of each, in the order of the genome.
        coding: start, end and phase of each coding part, likewise: the phase is how many letters at its beginning, in
            the direction of reading, belong to the codon before. Empty where nothing is translated.
    """

    gene: str
    chrom: str
    strand: str
    exons: tuple[tuple[int, int], ...]
    coding: tuple[tuple[int, int, int], ...]

    @property
    def start(self) -> int:
        """First letter."""
        return self.exons[0][0]

    @property
    def end(self) -> int:
        """Behind the last letter."""
        return self.exons[-1][1]

    def on(self, chrom: str) -> Transcript:
        """Return the same transcript on a contig of another name."""
        return replace(self, chrom=chrom)


def read_genes(path: str | Path) -> list[Transcript]:
    """Read the transcripts of a GFF3 file, gzipped or not, in the order of contig and place.

    Where a file has no exons of a transcript, its coding parts are taken for them. Mitochondria, whose genetic code is
    another, and what follows ``##FASTA`` are passed over.

    Raises:
        SewallError: the file is missing, is GTF or something else, holds no transcripts, or a line is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    parents: dict[str, str] = {}
    names: dict[str, str] = {}
    parts: dict[str, list[_Part]] = defaultdict(list)
    for part, attributes in _features(path):
        if own := attributes.get("ID"):
            parents[own] = attributes.get("Parent", "")
            names[own] = attributes.get("Name") or own.removeprefix("gene:")
        if part.kind in (CODING, EXON) and (parent := attributes.get("Parent")):
            for transcript in parent.split(","):
                parts[transcript].append(part)
    if not parts:
        raise SewallError(f"{path}: holds no exons or coding parts (CDS) with a Parent; give the GFF3 of the genes")
    genes = {transcript: parents.get(transcript) or transcript for transcript in parts}
    found = [_transcript(names.get(genes[name], genes[name]), own) for name, own in parts.items()]
    return sorted(found, key=lambda each: (each.chrom, each.start, each.end))


@dataclass(frozen=True)
class _Part:
    """A line of the file: where a feature lies, and of which kind it is."""

    kind: str
    chrom: str
    start: int
    end: int
    strand: str
    phase: int


def _transcript(gene: str, parts: list[_Part]) -> Transcript:
    ordered = sorted(parts, key=lambda part: part.start)
    coding = tuple((part.start, part.end, part.phase) for part in ordered if part.kind == CODING)
    exons = tuple((part.start, part.end) for part in ordered if part.kind == EXON)
    first = ordered[0]
    return Transcript(gene, first.chrom, first.strand, exons or tuple((start, end) for start, end, _ in coding), coding)


def _features(path: Path) -> Iterator[tuple[_Part, dict[str, str]]]:
    with reading(path) as raw:
        for number, line in enumerate(raw, start=1):
            if line.startswith((b"##FASTA", b">")):
                return
            fields = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
            if line.startswith(b"#") or not line.strip() or is_mitochondrion(fields[0]):
                continue
            try:
                yield _feature(fields)
            except ValueError as problem:
                why = str(problem) if isinstance(problem, _Refused) else _WANTED
                raise SewallError(f"{path}, line {number}: cannot be read; {why}") from None


class _Refused(ValueError):
    """A line that is wrong in a way that can be named."""


def _feature(fields: list[str]) -> tuple[_Part, dict[str, str]]:
    if len(fields) != _COLUMNS:
        raise _Refused(_WANTED)
    if re.search(r'\b(gene_id|transcript_id) "', fields[8]):
        raise _Refused("this is GTF; give GFF3 (gffread turns one into the other)")
    start, end = int(fields[3]) - 1, int(fields[4])
    if not 0 <= start < end:
        raise _Refused(f"start {fields[3]} and end {fields[4]} are not 1 <= start <= end; mend the line")
    phase = int(fields[7]) if fields[7] != "." else 0
    pairs = (pair.partition("=") for pair in fields[8].split(";") if pair.strip())
    attributes = {name.strip(): unquote(value) for name, _, value in pairs}
    return _Part(fields[2], fields[0], start, end, fields[6], phase), attributes
