"""Reads histories that people bring: demes graphs, SMC++, MSMC and Stairway Plot output."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sewall.errors import SewallError, some_names
from sewall.simulate.history import (
    REFERENCE_SIZE,
    Floats,
    History,
    branch_lengths,
    equivalent_size,
    simulated_branch_lengths,
)

if TYPE_CHECKING:
    import demes
    import msprime

REPLICATES = 2000
DEMES_SUFFIXES = {".yaml", ".yml", ".json"}
FORMATS = "a demes file (.yaml, .json), an SMC++ csv, an MSMC .final.txt and a Stairway Plot .final.summary"


@dataclass(frozen=True)
class GivenHistory:
    """A history from a file; a `sewall.simulate.history.PopulationHistory`.

    Attributes:
        source: where it comes from.
        population: name of the sampled population; None where the history has only one, nameless population.
        description: what it is, in words for a report.
        history: the sizes, where a single population of piecewise-constant size is all there is.
        graph: the demes graph otherwise, in generations.
    """

    source: str
    population: str | None
    description: str
    history: History | None = None
    graph: demes.Graph | None = None

    def demography(self) -> msprime.Demography:
        """Return the history for msprime."""
        if self.history is not None:
            return self.history.demography()
        import msprime

        return msprime.Demography.from_demes(self.graph)

    def branch_lengths(self, n: int) -> Floats:
        """Return the expected length of the branches that lead to 1 … n - 1 of *n* chromosomes, in generations.

        Exact for a single population of piecewise-constant size; else the mean of 2,000 simulated trees, always the
        same ones.
        """
        if self.history is not None:
            return branch_lengths(self.history, n)
        return _simulated_branch_lengths(self, n)

    def expected_sfs(self, n: int) -> Floats:
        """Return the expected shares of variants carried by 1 … n - 1 of *n* chromosomes."""
        lengths = self.branch_lengths(n)
        return lengths / lengths.sum()

    def effective_size(self, n: int, min_count: int = 1) -> float:
        """Return the constant size that leads one to expect as many visible variants in *n* chromosomes."""
        return equivalent_size(self.branch_lengths(n), min_count)

    def draw(self, rng: np.random.Generator) -> GivenHistory:
        """Return the history itself: every simulation has the same (see `sewall.simulate.history.HistorySource`)."""
        return self

    def state(self) -> dict[str, Any]:
        """Return what the history is made of as plain numbers and text, for JSON."""
        plain: dict[str, Any] = {"population": self.population, "description": self.description}
        if self.history is not None:
            return plain | {"sizes": list(self.history.sizes), "times": list(self.history.times)}
        return plain | {"graph": str(self.graph)}


def constant_history(size: float = REFERENCE_SIZE) -> GivenHistory:
    """Return a population of constant size (diploid individuals)."""
    return GivenHistory("", None, "constant population size", History((size,)))


def read_demography(
    path: Path | str,
    *,
    population: str | None = None,
    generation_time: float | None = None,
    mutation_rate: float | None = None,
) -> GivenHistory:
    """Read a history of population size.

    Args:
        path: a demes graph (``.yaml``, ``.yml``, ``.json``), the csv of SMC++ ``plot``, MSMC's ``.final.txt`` or the
            ``.final.summary`` of Stairway Plot 2; told apart by suffix and header.
        population: the sampled population; needed where the file holds several.
        generation_time: years per generation; needed by SMC++ and Stairway Plot, whose times are in years.
        mutation_rate: per bp per generation; needed by MSMC, whose times are in mutations.

    Raises:
        SewallError: for a file that cannot be read as any of these, an absent or ambiguous population, a size that is
            not positive, or a missing generation time or mutation rate.
    """
    path = Path(path)
    _check_positive(generation_time, "--generation-time", "years per generation")
    _check_positive(mutation_rate, "--mutation-rate", "per bp per generation")
    if path.suffix.lower() in DEMES_SUFFIXES:
        return _read_demes(path, population)
    text = _read_text(path)
    header = next((line for line in text.splitlines() if line.strip()), "").replace('"', "").lower()
    if header.startswith("label,x,y"):
        return _read_smcpp(path, text, population, generation_time)
    if "time_index" in header:
        return _read_msmc(path, text, population, mutation_rate)
    if "ne_median" in header:
        return _read_stairway(path, text, population, generation_time)
    raise SewallError(f"{path}: not a history of a known form; known are {FORMATS}")


def _check_positive(value: float | None, option: str, unit: str) -> None:
    if value is not None and not (value > 0 and math.isfinite(value)):
        raise SewallError(f"{option} {value:g} is not a positive number; give {unit}")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SewallError(f"{path}: no such file; check the path of the demography") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SewallError(f"{path}: cannot be read as text ({error}); known are {FORMATS}") from None


def _read_demes(path: Path, population: str | None) -> GivenHistory:
    import demes

    text = _read_text(path)
    try:
        loaded = demes.loads(text, format="json" if path.suffix.lower() == ".json" else "yaml")
    except Exception as error:  # demes lets many kinds through: of its own, of the YAML parser, KeyError, TypeError
        raise SewallError(f"{path}: not a valid demes file: {_chain(error)}; see the demes specification") from None
    graph = loaded.in_generations()
    population = _choose(path, [deme.name for deme in graph.demes if deme.end_time == 0], population)
    description = f"demes graph {path.name}, population {population} of {len(graph.demes)}"
    history = _single_history(graph)
    return GivenHistory(str(path), population if history is None else None, description, history, graph)


def _chain(error: BaseException) -> str:
    """Return an error and its causes in one line: demes names the epoch in the one and the field in the other."""
    if isinstance(error, AttributeError):
        return "its top level must hold named fields (time_units, demes)"
    cause = error.__cause__
    return str(error) or type(error).__name__ if cause is None else f"{error}: {_chain(cause)}"


def _single_history(graph: demes.Graph) -> History | None:
    """Return the sizes where the graph is one deme without growth or selfing, otherwise None."""
    epochs = graph.demes[0].epochs[::-1]
    if len(graph.demes) > 1 or any(e.size_function != "constant" or e.selfing_rate or e.cloning_rate for e in epochs):
        return None
    return History(tuple(e.start_size for e in epochs), tuple(e.start_time for e in epochs[:-1]))


def _choose(path: Path, names: list[str], population: str | None) -> str:
    if population is None and len(names) == 1:
        return names[0]
    if population is None:
        raise SewallError(
            f"{path}: holds {len(names)} populations ({some_names(names, 30)}); name one with --population"
        )
    if population not in names:
        raise SewallError(f"{path}: no population {population} today; there are {some_names(names, 30)}")
    return population


def _read_smcpp(path: Path, text: str, population: str | None, generation_time: float | None) -> GivenHistory:
    table = _table(path, text, ",", {"x", "y"})
    names = list(dict.fromkeys(table["label"].astype(str)))
    population = _choose(path, names, population)
    rows = table[table["label"].astype(str) == population]
    years = _generation_time(path, "SMC++ times are in years", generation_time)
    history = _steps(path, rows.index, rows["x"] / years, rows["y"], "y")
    return _named(path, history, f"SMC++ history of {population}, {years:g} years per generation")


def _read_stairway(path: Path, text: str, population: str | None, generation_time: float | None) -> GivenHistory:
    table = _table(path, text, "\t", {"year", "Ne_median"})
    _refuse_population(path, population)
    years = _generation_time(path, "Stairway Plot times are in years", generation_time)
    history = _steps(path, table.index, table["year"] / years, table["Ne_median"], "Ne_median")
    return _named(path, history, f"Stairway Plot median history, {years:g} years per generation")


def _read_msmc(path: Path, text: str, population: str | None, mutation_rate: float | None) -> GivenHistory:
    lambdas = {"lambda": "0", "lambda_00": "0", "lambda_11": "1"}
    columns = [c for c in text.split("\n", 1)[0].split() if c in lambdas]
    table = _table(path, text, "\t", {"left_time_boundary", *columns})
    if not columns:
        raise SewallError(f"{path}: no column lambda or lambda_00; give MSMC's .final.txt")
    population = _choose(path, [lambdas[c] for c in columns], population)
    if mutation_rate is None:
        raise SewallError(f"{path}: MSMC times are in mutations; give --mutation-rate per bp per generation")
    column = next(c for c in columns if lambdas[c] == population)
    sizes = 1 / (2 * mutation_rate * table[column].replace(0, np.nan))
    history = _steps(path, table.index, table["left_time_boundary"] / mutation_rate, sizes, column)
    return _named(path, history, f"MSMC history at a mutation rate of {mutation_rate:g}")


def _named(path: Path, history: History, description: str) -> GivenHistory:
    return GivenHistory(str(path), None, f"{description} ({path.name}, {len(history.sizes)} epochs)", history)


def _refuse_population(path: Path, population: str | None) -> None:
    if population is not None:
        raise SewallError(f"{path}: holds one population without a name; leave --population {population} out")


def _generation_time(path: Path, reason: str, generation_time: float | None) -> float:
    if generation_time is None:
        raise SewallError(f"{path}: {reason}; give --generation-time in years")
    return generation_time


def _table(path: Path, text: str, separator: str, numeric: Iterable[str]) -> pd.DataFrame:
    """Return the table with its line numbers as index and the *numeric* columns as numbers."""
    try:
        table = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, skip_blank_lines=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise SewallError(f"{path}: not a table: {error}") from None
    table.index = pd.RangeIndex(2, len(table) + 2)
    table = table.dropna(how="all")
    for column in numeric:
        if column not in table:
            raise SewallError(f"{path}: no column {column}; there are {some_names([str(c) for c in table], 10)}")
        values = pd.to_numeric(table[column], errors="coerce")
        if values.isna().any():
            line = values.index[values.isna()][0]
            raise SewallError(
                f"{path}: line {line}: {column} is {table.loc[line, column]}, not a number; mend the file"
            )
        table[column] = values
    if table.empty:
        raise SewallError(f"{path}: holds no line of data; give a whole file")
    return table


def _steps(path: Path, lines: pd.Index, times: pd.Series, sizes: pd.Series, field: str) -> History:
    """Return the history in which each line's size holds from its time to the next line's."""
    for line, time, size in zip(lines, times, sizes, strict=True):
        if not (size > 0 and math.isfinite(size)):
            raise SewallError(f"{path}: line {line}: {field} gives a population size of {size:g}; it must be positive")
        if not (time >= 0 and math.isfinite(time)):
            raise SewallError(f"{path}: line {line}: a time of {time:g} is not in the past; it must be 0 or more")
    if (np.diff(times) < 0).any():
        line = lines[1:][np.diff(times) < 0][0]
        raise SewallError(f"{path}: line {line}: times go back; sort the lines from recent to ancient")
    return _merged([float(t) for t in times], [float(s) for s in sizes])


def _merged(times: list[float], sizes: list[float]) -> History:
    """Drop steps that last no time or change no size."""
    kept_times, kept_sizes = [0.0], [sizes[0]]
    for time, size in zip(times, sizes, strict=True):
        if time <= kept_times[-1]:
            kept_sizes[-1] = size
        elif size != kept_sizes[-1]:
            kept_times.append(time)
            kept_sizes.append(size)
    return History(tuple(kept_sizes), tuple(kept_times[1:]))


def _per_history(function: Callable[[GivenHistory, int], Floats]) -> Callable[[GivenHistory, int], Floats]:
    """Remember results by the file, the population and the sample size: graphs cannot be hashed."""
    known: dict[tuple[str, str | None, int], Floats] = {}

    def remembered(given: GivenHistory, n: int) -> Floats:
        key = (str(given.graph), given.population, n)
        if key not in known:
            known[key] = function(given, n)
        return known[key]

    return remembered


@_per_history
def _simulated_branch_lengths(given: GivenHistory, n: int) -> Floats:
    return simulated_branch_lengths(given, n, REPLICATES)
