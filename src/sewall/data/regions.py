"""Stretches of a genome: regions, BED files, fixed windows, and contig names that do not agree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sewall.errors import SewallError, some_names

WHOLE = 2**31 - 1
"""End of a region that runs to the end of its contig."""

_UNITS = {
    "": 1,
    "bp": 1,
    "b": 1,
    "k": 1_000,
    "kb": 1_000,
    "kbp": 1_000,
    "m": 1_000_000,
    "mb": 1_000_000,
    "mbp": 1_000_000,
}


@dataclass(frozen=True, order=True)
class Region:
    """A half-open stretch ``[start, end)`` of a contig, counted in bp from 0 as in BED files.

    >>> Region("chr2", 0, 100_000).length
    100000
    """

    chrom: str
    start: int
    end: int

    @property
    def length(self) -> int:
        """Length in bp."""
        return self.end - self.start

    def __str__(self) -> str:
        return self.chrom if self.end >= WHOLE else f"{self.chrom}:{self.start}-{self.end}"


def parse_size(text: str | int) -> int:
    """Return a length in bp.

    >>> parse_size("100kb"), parse_size("1.5Mb"), parse_size("50,000"), parse_size(200)
    (100000, 1500000, 50000, 200)
    """
    match = re.fullmatch(r"([\d,_]*\.?\d+)\s*([a-z]*)", str(text).strip().lower())
    if match is None or match[2] not in _UNITS:
        raise SewallError(f"'{text}' is not a length; write it like 50000, 100kb or 1Mb")
    size = float(match[1].replace(",", "").replace("_", "")) * _UNITS[match[2]]
    if size < 1 or size != int(size) or size > WHOLE:
        raise SewallError(
            f"'{text}' is not a whole number of base pairs of at least 1; write it like 50000, 100kb or 1Mb"
        )
    return int(size)


def parse_region(text: str) -> Region:
    """Read ``contig``, ``contig:start`` or ``contig:start-end``; positions count from 0, the end is not included.

    A contig name may itself hold colons: only what looks like positions at the end is taken as such.

    >>> parse_region("chr2:134,000,000-140,000,000")
    Region(chrom='chr2', start=134000000, end=140000000)
    >>> str(parse_region("HLA:A"))
    'HLA:A'
    """
    text = text.strip()
    match = re.fullmatch(r"(.+):([\d,]+)(?:-([\d,]+)?)?", text)
    if not text or text.startswith(":"):
        raise SewallError(f"'{text}' is not a region; write it like chr2 or chr2:134000000-140000000")
    if match is None:
        return Region(text, 0, WHOLE)
    start = int(match[2].replace(",", ""))
    end = int(match[3].replace(",", "")) if match[3] else WHOLE
    if not start < end:
        raise SewallError(f"region '{text}' ends before it begins; write contig:start-end with start below end")
    return Region(match[1], start, end)


def read_bed(path: str | Path) -> list[Region]:
    """Read the first three columns of a BED file, in its order; comments, ``track`` and ``browser`` lines are skipped.

    Raises:
        SewallError: the file is missing, holds no intervals, or a line is not ``contig start end`` (names the line).
    """
    path = Path(path)
    regions = []
    for number, line in enumerate(_lines(path), start=1):
        if line.strip() and not line.startswith(("#", "track", "browser")):
            regions.append(_bed_line(path, number, line))
    if not regions:
        raise SewallError(f"{path}: holds no intervals; a BED file has lines of contig, start and end")
    return regions


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise SewallError(f"{path}: is not a text file; a BED file has lines of contig, start and end") from None


def _bed_line(path: Path, number: int, line: str) -> Region:
    fields = line.split("\t") if "\t" in line else line.split()
    try:
        start, end = int(fields[1]), int(fields[2])
    except (IndexError, ValueError):
        raise SewallError(
            f"{path}, line {number}: expected contig, start and end separated by tabs, found '{line.strip()[:60]}'"
        ) from None
    if not 0 <= start < end <= WHOLE:
        raise SewallError(f"{path}, line {number}: start {start} and end {end} are not 0 <= start < end; mend the line")
    return Region(fields[0].strip(), start, end)


def fixed_windows(spans: Iterable[Region], size: int, lengths: Mapping[str, int | None] | None = None) -> list[Region]:
    """Return the windows of the grid 0, size, 2 size ... that touch the *spans*, contig by contig in their order.

    Windows are whole unless the contig's length is known and ends inside the last one.

    >>> [str(w) for w in fixed_windows([Region("2", 134_000_008, 134_150_000)], 100_000)]
    ['2:134000000-134100000', '2:134100000-134200000']
    >>> [str(w) for w in fixed_windows([Region("X", 0, 30)], 20, {"X": 30})]
    ['X:0-20', 'X:20-30']
    """
    starts: dict[str, set[int]] = {}
    for span in spans:
        starts.setdefault(span.chrom, set()).update(range(max(span.start, 0) // size, -(-span.end // size)))
    windows: list[Region] = []
    for chrom, numbers in starts.items():
        limit = (lengths or {}).get(chrom) or WHOLE
        found = (Region(chrom, k * size, min((k + 1) * size, limit)) for k in sorted(numbers))
        windows.extend(window for window in found if window.length > 0)
    return windows


def sliding_windows(spans: Iterable[Region], size: int, step: int) -> list[Region]:
    """Return the windows that begin at a multiple of *step* and lie in the *spans*, which are widened to these.

    >>> [str(w) for w in sliding_windows([Region("2", 8, 395)], 300, 100)]
    ['2:0-300', '2:100-400']
    """
    windows = []
    for span in spans:
        first, end = max(span.start, 0) // step * step, -(-span.end // step) * step
        windows += [Region(span.chrom, start, start + size) for start in range(first, end - size + 1, step)]
    return list(dict.fromkeys(windows))


def renaming(names: Sequence[str], known: Sequence[str]) -> str | None:
    """Return the sed expression that turns *names* into *known* ones by adding or removing ``chr``, if there is one.

    >>> renaming(["1", "2"], ["chr1", "chr2", "chrX"])
    's/^/chr/'
    >>> renaming(["chr2"], ["1", "2"])
    's/^chr//'
    """
    if names and all(f"chr{name}" in known for name in names):
        return "s/^/chr/"
    if names and all(name.startswith("chr") and name[3:] in known for name in names):
        return "s/^chr//"
    return None


def check_contigs(what: str, named: Iterable[str], known: Sequence[str], *, every: bool = True) -> None:
    """Refuse contigs *named* in *what* (a file or an option) that the variants do not have.

    Args:
        what: what names the contigs, for the message.
        named: contig names in use there.
        known: contig names of the variants.
        every: whether each named contig must be known. Otherwise foreign ones are fine as long as at least one is
            known and none is a known one under another name (``2`` for ``chr2``).

    Raises:
        SewallError: shows both sets of names and the renaming that would mend it.
    """
    foreign = [name for name in dict.fromkeys(named) if name not in known]
    shared = [name for name in dict.fromkeys(named) if name in known]
    aliases = [name for name in foreign if renaming([name], known) is not None]
    if not foreign or (not every and shared and not aliases):
        return
    wrong = aliases or foreign
    fix = renaming(wrong, known)
    remedy = f"rename them, as sed '{fix}' does" if fix else "use the names of the variants"
    raise SewallError(
        f"{what}: contig {some_names(wrong)} is not one of the variants' contigs "
        f"({some_names(list(known), 5)}); {remedy}"
    )
