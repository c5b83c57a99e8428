"""Motifs as a file in MEME's format, for any other program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sewall.motifs.motif import EVEN, Motif
from sewall.rundir import write_text


def write_meme(path: Path, motifs: Sequence[Motif], *, both_strands: bool = True) -> None:
    """Write motifs, whole or not at all; the support is the number of sites, the consensus the second name.

    Args:
        path: of the file.
        motifs: with names of one word.
        both_strands: whether they are the same on either strand.
    """
    write_text(path, "\n".join([*_head(both_strands), *(line for motif in motifs for line in _lines(motif))]) + "\n")


def _head(both_strands: bool) -> list[str]:
    shares = " ".join(f"{base} {share}" for base, share in zip("ACGT", EVEN, strict=True))
    strands = "strands: + -" if both_strands else "strands: +"
    return ["MEME version 4", "", "ALPHABET= ACGT", "", strands, "", "Background letter frequencies", shares, ""]


def _lines(motif: Motif) -> Iterator[str]:
    yield f"MOTIF {motif.name} {motif.consensus}"
    yield f"letter-probability matrix: alength= 4 w= {len(motif)} nsites= {motif.support} E= 0"
    yield from (" ".join(f"{share:.6f}" for share in row) for row in motif.frequencies)
    yield ""
