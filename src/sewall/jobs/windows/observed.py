"""What the data show: read once, kept small, and copied onto the simulations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from sewall.data.alignment import MISSING, Alignment
from sewall.data.masks import Mask
from sewall.data.regions import Region, fixed_windows, parse_region, read_bed, sliding_windows
from sewall.data.samples import read_sample_list
from sewall.data.variants import Variants, check_sample_size, open_variants
from sewall.encode.pairs import minor_counts
from sewall.encode.statistics import FEWEST_SITES, harmonic
from sewall.errors import SewallError
from sewall.jobs.windows.options import DataOptions
from sewall.simulate.fit_history import design_effect, smallest_visible_count
from sewall.simulate.nuisances import drop_rare

MOST_TEMPLATES = 2_000  # windows whose mask, length and density are copied onto simulations
MISSING_ROWS = 2_000  # sites whose pattern of missing calls is kept
ROWS_PER_WINDOW = 50
STRETCHES = 100  # of the genome, whose spectra are compared


@dataclass(frozen=True)
class Sample:
    """Who was sequenced: one entry per kind of contig (autosomes, X in males and females, ...).

    Attributes:
        phased: whether columns are chromosome copies.
        ploidy: ``(individuals,)`` chromosome copies of each.
        missing: ``(rows, columns)`` pattern of missing calls along the genome; no rows where none is missing.
    """

    phased: bool
    ploidy: NDArray[np.int8]
    missing: NDArray[np.bool_]

    @property
    def chromosomes(self) -> int:
        """Number of chromosome copies."""
        return int(self.ploidy.sum())


@dataclass(frozen=True)
class Template:
    """A window of the data whose frame is put on simulations.

    Attributes:
        sample: which of the `Observed.samples` it is of.
        length: in bp.
        accessible: ``(k, 2)`` half-open intervals where variants could be called.
        log_theta: log of theta per accessible bp.
        place: where it lies; None of one that was made up.
    """

    sample: int
    length: int
    accessible: NDArray[np.int32]
    log_theta: float
    place: Region | None = None


@dataclass(frozen=True)
class WindowReader:
    """Reads the windows of a file, one at a time, as this run wants them.

    Attributes:
        variants: the open file.
        regions: the windows, in the order of the file.
        mask: where variants could be called, or None.
        phased: per contig, whether columns are chromosome copies.
        least: smallest minor-allele count that is kept.
    """

    variants: Variants
    regions: list[Region]
    mask: Mask | None
    phased: dict[str, bool]
    least: int = 1

    def __len__(self) -> int:
        return len(self.regions)

    def load(self, rows: NDArray[np.intp]) -> list[Alignment]:
        """Return the alignments of *rows*."""
        return [self._window(self.regions[row]) for row in rows]

    def __iter__(self) -> Iterator[Alignment]:
        return (self._window(region) for region in self.regions)

    def _window(self, region: Region) -> Alignment:
        return drop_rare(self.variants.alignment(region, self.mask, self.phased[region.chrom]), self.least)


def open_windows(options: DataOptions, cache: Path, progress: Any = None, step: int | None = None) -> WindowReader:
    """Open the variants that *options* name and lay the windows.

    Args:
        options: which variants and windows.
        cache: where variants are kept in a form that is fast to read.
        progress: called while they are converted.
        step: bp from the start of a window to that of the next one; None lays them side by side.

    Raises:
        SewallError: for any input that cannot be read, or in which names do not match.
    """
    samples = read_sample_list(options.samples) if options.samples else None
    variants = open_variants(options.variants, cache, samples, progress)
    mask = _mask(options)
    if mask is not None:
        mask.check_contigs(variants.contig_names)
    regions = _windows(options, variants, step)
    contigs = list(dict.fromkeys(region.chrom for region in regions))
    check_sample_size(variants, contigs)
    phased = {c: variants.phase(c) if options.phased is None else options.phased for c in contigs}
    return WindowReader(variants, regions, mask, phased)


def _mask(options: DataOptions) -> Mask | None:
    if options.mask_accessible is not None:
        return Mask.from_bed(options.mask_accessible, accessible=True)
    if options.mask_inaccessible is not None:
        return Mask.from_bed(options.mask_inaccessible, accessible=False)
    return None


def _windows(options: DataOptions, variants: Variants, step: int | None) -> list[Region]:
    spans = [Region(c.name, c.first, c.last + 1) for c in variants.contigs]
    if options.regions is not None:
        asked = _regions(options.regions)
        variants.check_regions(asked, "--regions")
        spans = [part for span in spans for r in asked if (part := _overlap(span, r)) is not None]
    if step is not None:
        return _sliding(options, spans, step)
    if options.windows is None:
        return fixed_windows(spans, options.window, {c.name: c.length for c in variants.contigs})
    given = read_bed(options.windows)
    variants.check_regions(given, str(options.windows))
    order = {name: k for k, name in enumerate(variants.contig_names)}
    inside = [w for w in given if options.regions is None or any(_overlap(w, s) for s in spans)]
    return sorted(inside, key=lambda w: (order[w.chrom], w.start))


def _sliding(options: DataOptions, spans: list[Region], step: int) -> list[Region]:
    found = sliding_windows(spans, options.window, step)
    if not found:
        longest = max((span.length for span in spans), default=0)
        raise SewallError(
            f"{options.variants}: the longest stretch with variants has {longest:,} bp, and a window has "
            f"{options.window:,}; give a shorter one (--window), or more of the genome"
        )
    return found


def _regions(text: str) -> list[Region]:
    return read_bed(text) if Path(text).exists() else [parse_region(part) for part in text.split(",")]


def _overlap(a: Region, b: Region) -> Region | None:
    start, end = max(a.start, b.start), min(a.end, b.end)
    return Region(a.chrom, start, end) if a.chrom == b.chrom and start < end else None


@dataclass(frozen=True)
class Observed:
    """What the windows of the data show together.

    Attributes:
        samples: kinds of contigs, by sampled copies and phase.
        templates: windows to copy; at most 2,000, evenly spread.
        spectrum: ``(copies // 2,)`` folded counts of sites by copies of the rarer allele (1, 2, ...), of the commonest
            kind of contig; where calls are missing, projected to fewer copies.
        linkage: how many times as much the spectrum varies as one of unlinked sites.
        spectrum_chromosomes: chromosome copies of the spectrum.
        theta: 4 Ne mu per accessible bp, over all windows.
        least: smallest minor-allele count that is kept.
        missing: share of missing calls.
    """

    samples: tuple[Sample, ...]
    templates: tuple[Template, ...]
    spectrum: NDArray[np.float64]
    linkage: float
    spectrum_chromosomes: int
    theta: float
    least: int
    missing: float

    @property
    def main(self) -> Sample:
        """The kind of contig that most windows have."""
        return self.samples[_commonest(self.templates)]

    def kinds(self, reader: WindowReader) -> NDArray[np.int64]:
        """Return ``(windows,)`` which of the samples each window of the reader is of."""
        by_contig = {chrom: self._kind(reader.phased[chrom], reader.variants.ploidy(chrom)) for chrom in reader.phased}
        return np.array([by_contig[region.chrom] for region in reader.regions], np.int64)

    def _kind(self, phased: bool, ploidy: NDArray[np.int8]) -> int:
        own = ploidy[ploidy > 0]
        return next(k for k, s in enumerate(self.samples) if s.phased == phased and np.array_equal(s.ploidy, own))

    @property
    def log_spread(self) -> float:
        """Standard deviation of the log of a window's theta."""
        return float(np.std([template.log_theta for template in self.templates]))


class _Kind:
    """Gathers what the windows of one kind of contig show."""

    def __init__(self, phased: bool, ploidy: NDArray[np.int8]) -> None:
        self.phased, self.ploidy = phased, ploidy
        self.counts: dict[int, Counter[tuple[int, int]]] = {}
        self.rows: list[NDArray[np.bool_]] = []
        self.calls = self.missing = 0

    def add(self, window: Alignment, minor: NDArray[np.int64], copies: NDArray[np.int64], stretch: int) -> None:
        self.counts.setdefault(stretch, Counter()).update(zip(minor.tolist(), copies.tolist(), strict=True))
        gone = window.calls == MISSING
        self.calls, self.missing = self.calls + gone.size, self.missing + int(gone.sum())
        if sum(len(rows) for rows in self.rows) < MISSING_ROWS:
            self.rows.append(gone[:ROWS_PER_WINDOW])

    def sample(self) -> Sample:
        columns = int(self.ploidy.sum()) if self.phased else len(self.ploidy)
        pattern = np.concatenate([np.zeros((0, columns), bool), *self.rows])
        return Sample(self.phased, self.ploidy, pattern if pattern.any() else pattern[:0])


@dataclass(frozen=True)
class _Frame:
    kind: int
    place: Region
    length: int
    accessible: NDArray[np.int32]
    minor: NDArray[np.int64]
    copies: NDArray[np.int64]

    def template(self, least: int) -> Template | None:
        weights = _watterson_weights(self.copies[self.minor >= least], least)
        bp = int((self.accessible[:, 1] - self.accessible[:, 0]).sum())
        if len(weights) < FEWEST_SITES or bp == 0:
            return None
        return Template(self.kind, self.length, self.accessible, float(np.log(weights.sum() / bp)), self.place)


def observe(reader: WindowReader, least: int | None = None, progress: Any = None) -> Observed:
    """Read all windows once and sum up what they show.

    Args:
        reader: the windows, every variant that segregates kept.
        least: smallest minor-allele count to keep; None finds out whether the calls lack rare variants.
        progress: called with 1 after each window.

    Raises:
        SewallError: no window has enough variants.
    """
    kinds: dict[tuple[bool, bytes], _Kind] = {}
    frames: list[_Frame] = []
    every = max(1, len(reader) // MOST_TEMPLATES)
    for number, (region, window) in enumerate(zip(reader.regions, reader, strict=True)):
        ploidy = reader.variants.ploidy(region.chrom)
        key = (reader.phased[region.chrom], ploidy[ploidy > 0].tobytes())
        minor, copies = minor_counts(window)
        kinds.setdefault(key, _Kind(key[0], ploidy[ploidy > 0])).add(
            window, minor, copies, number * STRETCHES // len(reader)
        )
        if number % every == 0:
            frames.append(_Frame(list(kinds).index(key), region, window.length, window.accessible, minor, copies))
        if progress is not None:
            progress(1)
    return _summary(reader, list(kinds.values()), frames, least)


def _summary(reader: WindowReader, kinds: list[_Kind], frames: list[_Frame], asked: int | None) -> Observed:
    calls, missing = sum(kind.calls for kind in kinds), sum(kind.missing for kind in kinds)
    if calls and calls == missing:
        raise SewallError(f"{reader.variants.path}: all calls are missing; check the genotypes (GT) of the file")
    main = _commonest([frame for frame in frames if len(frame.minor)]) if frames else 0
    spectra, chromosomes = folded_spectra(list(kinds[main].counts.values()))
    spectrum = spectra.sum(axis=0)
    least = smallest_visible_count(spectrum) if asked is None else asked
    templates = tuple(t for frame in frames if (t := frame.template(least)) is not None)
    if not templates:
        raise SewallError(
            f"{reader.variants.path}: none of the {len(reader)} windows has {FEWEST_SITES} usable variants; take "
            f"longer windows (--window) or look at what was left out: {reader.variants.counts or 'nothing'}"
        )
    weights = [_watterson_weights(f.copies[f.minor >= least], least).sum() for f in frames]
    bp = sum(int((f.accessible[:, 1] - f.accessible[:, 0]).sum()) for f in frames)
    samples = tuple(kind.sample() for kind in kinds)
    linkage, theta = design_effect(spectra[:, least - 1 :]), float(sum(weights) / bp)
    return Observed(samples, templates, spectrum, linkage, chromosomes, theta, least, missing / max(calls, 1))


def folded_spectra(stretches: Sequence[Counter[tuple[int, int]]]) -> tuple[NDArray[np.float64], int]:
    """Return folded spectra of sites given as (copies of the rarer allele, copies called), and of how many copies.

    Where calls are missing, every site is projected (hypergeometrically) to the number of copies that nine tenths of
    the sites reach; sites called in fewer copies are left out.

    Args:
        stretches: sites of each.

    Returns:
        ``(stretches, copies // 2)`` and the copies.

    >>> folded_spectra([Counter({(1, 4): 3, (2, 4): 1})])
    (array([[3., 1.]]), 4)
    """
    called: Counter[int] = Counter()
    for part in stretches:
        for (_, copies), number in part.items():
            called[copies] += number
    target = int(np.quantile(list(called.elements()) or [4], 0.1, method="lower"))
    kinds = sorted({kind for part in stretches for kind in part if kind[1] >= target})
    numbers = np.array([[part[kind] for kind in kinds] for part in stretches], float)
    minor, copies_called = np.array(kinds, int).reshape(-1, 2).T
    projected = hypergeom.pmf(np.arange(target + 1), copies_called[:, None], minor[:, None], target)
    spectra = numbers.reshape(len(stretches), -1) @ projected
    folded = (spectra + spectra[:, ::-1])[:, : target // 2 + 1]
    if target % 2 == 0:
        folded[:, -1] /= 2
    return folded[:, 1:], target


def _watterson_weights(copies: NDArray[np.int64], least: int) -> NDArray[np.float64]:
    return np.array([1 / harmonic(int(c), least) if c >= 2 * least else 0.0 for c in copies])


def _commonest(entries: Any) -> int:
    kinds = Counter(getattr(entry, "kind", getattr(entry, "sample", 0)) for entry in entries)
    return kinds.most_common(1)[0][0] if kinds else 0
