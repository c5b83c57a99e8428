"""Which positions and which haplotypes drive a call: the verb ``explain``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall import run
from sewall.data.alignment import Alignment
from sewall.errors import SewallError
from sewall.jobs.session import started
from sewall.jobs.sweep import calls
from sewall.jobs.sweep.learn import Bundles
from sewall.jobs.sweep.options import ExplainOptions
from sewall.jobs.sweep.scanning import Data, check_window
from sewall.jobs.sweep.windows import PLACES, encode
from sewall.jobs.windows.kinds import check_kind
from sewall.jobs.windows.source import Alignments, Windows, stacked, windows_of
from sewall.tables import write_table
from sewall.task import Examples

Floats = NDArray[np.float64]
LEVEL = 0.9  # of the claims that answering makes along; they are not shown


@dataclass(frozen=True)
class ExplainResult:
    """What drives some calls.

    Attributes:
        positions: a row for each stretch of each window: the log odds of a sweep that it carries.
        haplotypes: a row for each column of each window: the log odds that the sample gains by it.
        folder: the run directory.
    """

    positions: pd.DataFrame
    haplotypes: pd.DataFrame
    folder: Path

    def summary(self) -> str:
        """Return what drives each window, and where the tables lie."""
        lines = []
        for name, part in self.positions.groupby("window", sort=False):
            top = part.iloc[int(part["log_odds"].to_numpy(float).argmax())]
            own = self.haplotypes[self.haplotypes["window"] == name]
            first = ", ".join(own.sort_values("log_odds", ascending=False)["column"].head(3))
            lines.append(
                f"{name}: p {top['p_sweep']:.3f}; most by {top['start']:,}-{top['end']:,} "
                f"({top['log_odds']:+.2f} log odds) and {first}"
            )
        return "\n".join([*lines, str(self.folder)])


def explain(
    bundle: str | Path, variants: str | Path, *, out: str | Path, mutation_rate: float, **options: Any
) -> ExplainResult:
    """Say which positions and haplotypes drive the calls of a bundle.

    A stretch carries the log odds of a sweep that are lost where its part of the landscape is that of the average
    window of the training; a haplotype those that are lost where it is left out of the sample (occlusion; Zeiler and
    Fergus 2014, ECCV).

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = ExplainOptions.of(bundle=bundle, variants=variants, out=out, mutation_rate=mutation_rate, **options)
    trained = Bundles.load(given.bundle)
    check_window(given, trained)
    with started(given) as (folder, console):
        data = Data.read(given, folder, console, trained)
        check_kind(given.variants, dict(trained.trained_on), data.trained_on())
        examples = data.examples_for(trained, console)
        asking = _Asking(trained, data.reader.variants.sample_ids)
        rows = _rows(given, examples, asking)
        tables = []
        with console.bar("asking again", len(rows)) as bar:
            for row in rows:
                tables.append(asking.about(examples, int(row), data.observed.least))
                bar.advance()
        positions, haplotypes = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
        units = "log_odds: of a sweep in the central sub-window, natural logarithm, at the shares of training"
        write_table(folder.claim("positions.tsv"), positions, [units, "start, end: bp, 0-based, half-open"])
        write_table(folder.claim("haplotypes.tsv"), haplotypes, [units, "column: a chromosome copy, or an individual"])
    return ExplainResult(positions, haplotypes, folder.path)


def _rows(options: ExplainOptions, examples: Examples, asking: _Asking) -> NDArray[np.intp]:
    keys = examples.keys
    if options.at is None:
        usable = np.flatnonzero(asking.trained.tasks.kind.usable(examples))
        return usable[np.argsort(-asking.log_odds(examples, usable), kind="stable")][: options.number]
    found = []
    for text in options.at:
        chrom, _, place = text.rpartition(":")
        try:
            position = int(place.replace(",", ""))
        except ValueError:
            raise SewallError(f"--at {text}: write contig:position, for instance 2:136608646") from None
        rows = np.flatnonzero((keys["chrom"] == chrom) & (keys["start"] <= position) & (position < keys["end"]))
        if not len(rows):
            raise SewallError(f"--at {text}: no window has this place in its middle; see the table of a scan")
        found.append(rows[0])
    return np.array(found, np.intp)


@dataclass(frozen=True)
class _Few:
    """Alignments that are at hand."""

    items: list[Alignment]

    def __len__(self) -> int:
        return len(self.items)

    def load(self, rows: NDArray[np.intp]) -> list[Alignment]:
        """Return the alignments of *rows*."""
        return [self.items[row] for row in rows]


@dataclass(frozen=True)
class _Asking:
    """Asks a bundle about windows that are changed."""

    trained: Bundles
    samples: Any

    def log_odds(self, examples: Examples, rows: NDArray[np.intp]) -> Floats:
        """Return ``(rows,)`` log odds of a sweep of any kind."""
        answered = run.answer(self.trained.kind, self.trained.tasks.kind, examples, rows, LEVEL)
        names = self.trained.tasks.kind.target.classes
        chance = answered.estimate[:, [names.index(name) for name in calls.SWEEPS if name in names]].sum(axis=1)
        chance = np.clip(chance, 1e-9, 1 - 1e-9)
        return np.asarray(np.log(chance / (1 - chance)))

    def about(self, examples: Examples, row: int, least: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the tables of one window: by stretch, and by column."""
        chrom, start, end = (examples.keys[name].iloc[row] for name in ("chrom", "start", "end"))
        name = f"{chrom}:{start:,}-{end:,}"
        (window,) = examples.source.load(np.array([row]))
        whole = float(self.log_odds(examples, np.array([row]))[0])
        known = {"window": name, "p_sweep": 1 / (1 + np.exp(-whole))}
        begin = int(start) - (self.trained.tasks.kind.sub_windows // 2) * int(end - start)
        stretches = self._by_stretch(examples, row, window, whole).assign(**known)
        stretches[["start", "end"]] += begin
        rates = windows_of(examples).encoded["known"][row]
        columns = self._by_column(window, rates, whole, least).assign(**known)
        return stretches[["window", "p_sweep", "start", "end", "log_odds"]], columns[
            ["window", "p_sweep", "column", "log_odds"]
        ]

    def _by_stretch(self, examples: Examples, row: int, window: Alignment, whole: float) -> pd.DataFrame:
        """Put the average landscape into one stretch after the other."""
        source = examples.source
        assert isinstance(source, Windows)
        task, network = self.trained.tasks.kind, self.trained.kind.networks[0]
        number = task.sub_windows * 2
        encoded = {
            name: np.repeat(np.asarray(values[row])[None], number, axis=0) for name, values in source.encoded.items()
        }
        landscape, statistics = (network.get_buffer(name).numpy() for name in ("centre", "centre_statistics"))
        own = encoded["statistics"].shape[2]  # after these the network reads the rates of a map, which stay as they are
        places = PLACES * task.sub_windows
        edges = np.linspace(0, places, number + 1).round().astype(int)
        for k in range(number):
            encoded["landscape"][k, :, edges[k] : edges[k + 1]] = landscape
            encoded["statistics"][k, k // 2] = statistics[:own, 0]
        changed = Examples(_keys(number), Windows(_Few([window] * number), encoded))
        lost = whole - self.log_odds(changed, np.arange(number))
        bp = (edges * window.length / places).round().astype(int)
        return pd.DataFrame({"start": bp[:-1], "end": bp[1:], "log_odds": lost})

    def _by_column(self, window: Alignment, rates: Floats, whole: float, least: int) -> pd.DataFrame:
        """Leave out one column after the other."""
        theta, number = float(self.trained.trained_on["theta_per_bp"]), len(window.copies)
        rows = [_without(window, column) for column in range(number)]
        encoded = stacked(encode(one, theta, least, rates) for one in rows)
        without: Alignments = _Few(rows)
        lost = whole - self.log_odds(Examples(_keys(number), Windows(without, encoded)), np.arange(number))
        return pd.DataFrame({"column": self._names(number), "log_odds": lost})

    def _names(self, number: int) -> list[str]:
        samples = [str(name) for name in self.samples]
        copies = number // len(samples) if samples and number % len(samples) == 0 else 0
        if copies == 1:
            return samples
        if copies > 1:
            return [f"{name}.{copy + 1}" for name in samples for copy in range(copies)]
        return [f"copy {k + 1}" for k in range(number)]


def _without(window: Alignment, column: int) -> Alignment:
    keep = np.arange(len(window.copies)) != column
    calls = window.calls[:, keep]
    known = np.where(calls < 0, 0, calls).sum(axis=1)
    most = np.where(calls < 0, 0, window.copies[keep]).sum(axis=1)
    varied = (known > 0) & (known < most)
    return Alignment(window.positions[varied], calls[varied], window.copies[keep], window.length, window.accessible)


def _keys(number: int) -> pd.DataFrame:
    return pd.DataFrame({"row": range(number)})
