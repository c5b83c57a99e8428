"""Motifs that are known: files in the format of MEME, and which known motif a found one resembles."""

from __future__ import annotations

import gzip
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sewall.errors import SewallError
from sewall.motifs.motif import Motif

MATCHED = 0.05  # q value below which a match is called
OFF_BY = 0.05  # from one, by which the sum of a row may be

_MATRIX = "letter-probability matrix"
_WIDTH = re.compile(r"\bw=\s*(\d+)")
_LETTERS = re.compile(r"\balength=\s*(\d+)")
_SITES = re.compile(r"\bnsites=\s*(\d+)")


def read_meme(path: Path) -> list[Motif]:
    """Read the motifs of a file in MEME's format (version 4 or later), gzipped or not; a motif's names are joined.

    Raises:
        SewallError: no such file; not MEME; a matrix of another alphabet, too short, or with rows that are no
            frequencies; no motifs; a name twice.
    """
    lines = _lines(path)
    if not any(line.startswith("MEME version") for line in lines[:20]):
        raise SewallError(f"{path}: not a MEME file (no line 'MEME version' at its head); give motifs in MEME's format")
    motifs = list(_motifs(path, lines))
    if not motifs:
        raise SewallError(f"{path}: a MEME file without motifs; give one that has some")
    seen: set[str] = set()
    for motif in motifs:
        if motif.name in seen:
            raise SewallError(f"{path}: the motif {motif.name} is there twice; rename or remove one")
        seen.add(motif.name)
    return motifs


def _lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode().splitlines()
    except OSError as problem:
        raise SewallError(f"{path}: cannot be read ({problem.strerror or problem}); check the path") from None
    except (UnicodeDecodeError, EOFError):
        raise SewallError(f"{path}: not a MEME file (it is not text); give motifs in MEME's format") from None


def _motifs(path: Path, lines: Sequence[str]) -> Iterator[Motif]:
    name = ""
    for number, line in enumerate(lines, 1):
        if line.startswith("MOTIF"):
            if name:
                raise SewallError(f"{path}: line {number}: the motif {name} before it has no matrix; mend the file")
            name = " ".join(line.split()[1:])
            if not name:
                raise SewallError(f"{path}: line {number}: a motif without a name; name it")
        elif line.lower().startswith(_MATRIX):
            if not name:
                raise SewallError(f"{path}: line {number}: a matrix without a line MOTIF before it; mend the file")
            yield _motif(path, lines, number, name)
            name = ""
    if name:
        raise SewallError(f"{path}: the motif {name} has no matrix; mend the file or copy it again")


def _motif(path: Path, lines: Sequence[str], number: int, name: str) -> Motif:
    """Return the motif whose matrix begins after line *number*."""
    head = lines[number - 1]
    letters, width, sites = (pattern.search(head) for pattern in (_LETTERS, _WIDTH, _SITES))
    if letters and int(letters[1]) != 4:
        raise SewallError(f"{path}: line {number}: the motif {name} has {letters[1]} letters; give motifs of DNA")
    rows: list[list[float]] = []
    for place, line in enumerate(lines[number:], number + 1):
        row = _row(line)
        if row is None or (width and len(rows) == int(width[1])):
            break
        if len(row) != 4 or min(row) < 0 or abs(sum(row) - 1) > OFF_BY:
            raise SewallError(f"{path}: line {place}: not four frequencies that sum to 1 (motif {name}); mend the line")
        rows.append(row)
    if not rows or (width and len(rows) != int(width[1])):
        says = f"{width[1]} rows" if width else "rows"
        raise SewallError(f"{path}: the motif {name} should have {says} and has {len(rows)}; mend the file")
    frequencies = np.array(rows)
    return Motif(name, frequencies / frequencies.sum(axis=1, keepdims=True), int(sites[1]) if sites else 0)


def _row(line: str) -> list[float] | None:
    """Return the numbers of a line, or None where it holds something else."""
    try:
        return [float(word) for word in line.split()] or None
    except ValueError:
        return None


def match(queries: Sequence[Motif], targets: Sequence[Motif], *, both_strands: bool = True) -> pd.DataFrame:
    """Compare motifs with known ones by TOMTOM (Gupta et al. 2007, Genome Biol 8:R24).

    Args:
        queries: what was found.
        targets: what is known; p values depend on them, and are rough with fewer than 50.
        both_strands: whether a motif may be turned.

    Returns:
        One row per query, in order: ``motif match p_value q_value strand matched``: the best target, whatever it is
        worth; q by Benjamini & Hochberg (1995) over all queries and targets; matched where q < 0.05.
    """
    from memelite import tomtom
    from scipy.stats import false_discovery_control

    columns = ["motif", "match", "p_value", "q_value", "strand", "matched"]
    if not queries:
        return pd.DataFrame(columns=columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few targets: said above, and by the caller
        p_values, _, _, _, strands = tomtom(
            [motif.frequencies.T for motif in queries], [motif.frequencies.T for motif in targets],
            reverse_complement=both_strands, n_jobs=1,
        )  # fmt: skip
    p_values = np.clip(p_values, 0, 1)
    q_values = false_discovery_control(p_values.ravel()).reshape(p_values.shape)
    rows = []
    for own, query in enumerate(queries):
        best = int(p_values[own].argmin())
        p, q = float(p_values[own, best]), float(q_values[own, best])
        rows.append((query.name, targets[best].name, p, q, "-" if strands[own, best] else "+", q < MATCHED))
    return pd.DataFrame(rows, columns=columns)
