"""The recombination job's part of the page: the map, its headline and its windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.ratemaps import CM_PER_MB, read_hapmap
from sewall.data.regions import Region
from sewall.report import words
from sewall.report.blocks import Answer, Block, Figure, Figures, Notice, Section, Table, Text, Tile
from sewall.report.drawing import WIDE, drawing
from sewall.report.files import RunFiles, number_or_none, part, parts
from sewall.report.recombination_map import MAX_CONTIGS, contigs_to_draw, draw_map, top_of_scale

MAX_ROWS = 500
_EDGE = 0.02
_UNUSABLE = " The data lie outside what the network was trained on: do not use this map as it stands."
_STATUS_WORDS = {"ok": "ok", "warn": "doubtful", "outside": "outside"}


def answer(files: RunFiles) -> Answer:
    """Return what the recombination job says on its page."""
    windows = files.predictions
    return Answer(
        title=f"Recombination map of {_source_name(files)}",
        subtitle=_subtitle(files),
        sentence=_sentence(windows) + (_UNUSABLE if files.support_status == "outside" else ""),
        tile=_tile(windows),
        asked=_asked(files),
        section=Section("map", "How fast does each stretch recombine?", _map_blocks(files)),
        doubts=_doubts(files),
    )


def _source_name(files: RunFiles) -> str:
    inputs = parts(files.run, "inputs")
    return Path(str(inputs[0].get("path"))).name if inputs and inputs[0].get("path") else files.directory.name


def _subtitle(files: RunFiles) -> str:
    """Say which windows of which contigs, in which genomes."""
    said = []
    if len(files.predictions):
        said.append(_windows_in_words(files.predictions))
    for given in parts(files.run, "inputs")[:1]:
        if given.get("samples") is not None:
            said.append(words.counted(int(given["samples"]), "individual"))
        if given.get("chromosomes") is not None:
            said.append(f"{words.count(given['chromosomes'])} chromosome copies")
        if isinstance(given.get("phased"), bool):
            said.append("phased" if given["phased"] else "unphased")
    return " · ".join(said)


def _windows_in_words(windows: pd.DataFrame) -> str:
    sizes = (windows["end"] - windows["start"]).to_numpy()
    typical = float(np.median(sizes))
    of_size = f" of {words.length(typical)}" if np.mean(sizes == typical) > 0.5 else ""
    contigs = windows["chrom"].unique()
    where = f"{len(contigs)} contigs"
    if len(contigs) == 1:
        where = words.place(str(contigs[0]), windows["start"].min(), windows["end"].max())
    return f"{words.counted(len(windows), 'window')}{of_size} in {where}"


def _believed(windows: pd.DataFrame) -> pd.DataFrame:
    """Return the windows with an estimate that stands: those in support, or all where none is."""
    known = windows[windows["estimate"].notna()] if "estimate" in windows else windows.iloc[:0]
    inside = known[known["support"] != "outside"] if "support" in known else known
    return inside if len(inside) else known


def _mean_rate(windows: pd.DataFrame) -> float:
    return float(np.average(windows["estimate"], weights=windows["end"] - windows["start"])) * CM_PER_MB


def _sentence(windows: pd.DataFrame) -> str:
    believed = _believed(windows)
    if not len(believed):
        return "No window holds enough variants for an estimate."
    rates = believed["estimate"].to_numpy()
    low, high = believed.iloc[int(rates.argmin())], believed.iloc[int(rates.argmax())]
    said = (
        f"Crossing-over averages {words.number(_mean_rate(believed))} cM/Mb over {_which(believed, windows)}, from "
        f"{words.number(low['estimate'] * CM_PER_MB, 2)} ({words.place(low['chrom'], low['start'], low['end'])}) to "
        f"{words.number(high['estimate'] * CM_PER_MB, 2)} ({words.place(high['chrom'], high['start'], high['end'])})."
    )
    return f"{said} All of them lie outside." if _all_outside(believed) else said


def _all_outside(windows: pd.DataFrame) -> bool:
    return "support" in windows and bool((windows["support"] == "outside").all())


def _which(believed: pd.DataFrame, windows: pd.DataFrame) -> str:
    if len(believed) == len(windows):
        return "all windows"
    flagged = "support" in windows and not _all_outside(believed)
    return f"the {words.counted(len(believed), 'window')} {'in support' if flagged else 'with an estimate'}"


def _tile(windows: pd.DataFrame) -> Tile:
    believed = _believed(windows)
    if not len(believed):
        return Tile("Mean rate", words.MISSING, "too few variants")
    rates = believed["estimate"] * CM_PER_MB
    spread = f"{words.number(rates.min(), 2)} to {words.number(rates.max(), 2)} across windows"
    status = "outside" if _all_outside(believed) else ""
    return Tile("Mean rate, cM/Mb", words.number(_mean_rate(believed)), spread, status)


def _asked(files: RunFiles) -> list[tuple[str, str]]:
    rows = []
    mutation_rate = number_or_none(files.run.get("mutation_rate"))
    if mutation_rate is not None:
        rows.append(("Mutation rate taken", f"{words.number(mutation_rate)} per bp per generation"))
    prior = part(files.run, "prior")
    bounds = prior.get("rho_over_theta")
    if isinstance(bounds, list) and len(bounds) == 2:
        rows.append(("Trained on ρ/θ from", f"{words.bound(bounds[0])} to {words.bound(bounds[1])}"))
    if prior.get("history"):
        rows.append(("Population history", str(prior["history"])))
    if prior.get("simulations") is not None:
        rows.append(("Simulated windows", words.count(prior["simulations"])))
    if (number_or_none(prior.get("min_count")) or 0) > 1:
        rows.append(("Rarest variants used", f"seen in at least {words.count(prior['min_count'])} chromosome copies"))
    return rows


def _map_blocks(files: RunFiles) -> list[Block]:
    windows = files.predictions
    if not len(windows) or "estimate" not in windows:
        return [Text(["This run has no predictions.tsv, so there is no map to draw."])]
    blocks: list[Block] = []
    if files.support_status == "outside":
        blocks.append(Notice("outside", "Do not use this map as it stands: the data lie outside the training range."))
    alt = f"Recombination rate along the genome. {_sentence(windows)}"
    level, truth = words.percent(files.level), _truth(files)
    picture = drawing("map", alt, lambda width: draw_map(windows, width, level, truth), WIDE)
    title = "Recombination rate along the genome"
    blocks.append(Figures([Figure("map", title, picture, _map_caption(files))], columns=1))
    blocks.append(_level_note(files))
    blocks.append(_window_table(files))
    return blocks


def _truth(files: RunFiles) -> NDArray[np.float64] | None:
    """Return the true rate of every window, where the run names a file that holds it."""
    named = files.run.get("truth")
    path = files.directory / str(named)
    if not named or not path.is_file():
        return None
    known, windows = read_hapmap(path), files.predictions
    own = [known.chrom in ("", chrom) for chrom in windows["chrom"]]
    spans = zip(windows["chrom"], windows["start"], windows["end"], own, strict=True)
    rates = [known.mean_rate(Region(chrom, int(a), int(b))) if mine else np.nan for chrom, a, b, mine in spans]
    return np.array(rates)


def _map_caption(files: RunFiles) -> str:
    windows = files.predictions
    band = f"; the band is its {words.percent(files.level)} interval" if "lower" in windows else ""
    said = [
        f"Each step is one window{band}.",
        "1 cM/Mb is one crossover per 100 million base pairs per generation.",
    ]
    statuses = set(windows["support"]) if "support" in windows else set()
    if "warn" in statuses:
        said.append("Shaded windows are doubtful.")
    if "outside" in statuses:
        said.append(
            "Hatched windows do not look like the simulations: their estimate is dashed and no interval is claimed."
        )
    if "upper" in windows and windows["upper"].max() * CM_PER_MB > top_of_scale(windows):
        said.append("The highest intervals run beyond the picture.")
    if windows["estimate"].isna().any():
        said.append("Where the line breaks there are too few variants, or no data.")
    drawn, there = len(contigs_to_draw(windows)), windows["chrom"].nunique()
    if drawn < there:
        said.append(f"Drawn are the {MAX_CONTIGS} contigs with most windows; all {there} are in predictions.tsv.")
    return " ".join(said)


def _level_note(files: RunFiles) -> Text:
    mutation_rate = number_or_none(files.run.get("mutation_rate"))
    stated = f" (here {words.number(mutation_rate)} per bp per generation)" if mutation_rate is not None else ""
    return Text(
        [
            "Variation within a population shows recombination only relative to mutation, as ρ/θ. The rate is that "
            f"ratio times the mutation rate you gave{stated}: if that is 20 % too high, so is the whole map. Its "
            "shape, the ratio of one window to another, does not depend on it.",
            "The level leans on the simulated history as well, the shape little. Unless said otherwise, histories are "
            "those of one population, with and without migrants from another, as far as the data tell. A history that "
            "is known is better (--demography), most of all where many populations exchanged migrants.",
        ]
    )


_COLUMNS = (
    ("estimate", "cM/Mb", CM_PER_MB),
    ("lower", "lower", CM_PER_MB),
    ("upper", "upper", CM_PER_MB),
    ("simple", "simple model", CM_PER_MB),
    ("estimate", "r per bp", 1.0),
    ("rho_over_theta", "ρ/θ", 1.0),
)


def _window_table(files: RunFiles) -> Table:
    windows = files.predictions
    shown = windows.head(MAX_ROWS)
    numbers = [(name, heading, factor) for name, heading, factor in _COLUMNS if name in windows]
    counts = [name for name in ("variants", "accessible_bp") if name in windows]
    columns = ["contig", "start", "end", *(heading for _, heading, _ in numbers)]
    columns += [name.replace("accessible_bp", "usable bp") for name in counts] + ["status"]
    rows = [_window_row(row, numbers, counts) for row in shown.to_dict("records")]
    note = "Positions count from 0 and the end is not included, as in BED. Lower and upper bound the "
    note += f"{words.percent(files.level)} interval. The same table for machines: predictions.tsv."
    if len(shown) < len(windows):
        note = f"The first {MAX_ROWS} of {words.counted(len(windows), 'window')}. {note}"
    marks = [str(status) for status in shown["support"]] if "support" in shown else []
    return Table(columns, rows, (0, len(columns) - 1), marks, folded="All windows as a table", note=note)


def _window_row(row: dict[Any, Any], numbers: list[tuple[str, str, float]], counts: list[str]) -> list[str]:
    reason = row.get("reason")
    status = _STATUS_WORDS.get(str(row.get("support")), words.MISSING)
    said = f"{status}: {reason}" if isinstance(reason, str) and reason and status != "ok" else status
    place = [str(row["chrom"]), words.count(row["start"]), words.count(row["end"])]
    values = [words.number(float(row[name]) * factor) for name, _, factor in numbers]
    return [*place, *values, *(words.count(row[name]) for name in counts), said]


def _doubts(files: RunFiles) -> list[tuple[str, str]]:
    windows = files.predictions
    found: list[tuple[str, str]] = []
    if "support" in windows:
        outside = windows[windows["support"] == "outside"]
        if len(outside):
            where = f" ({_stretches(outside)})" if len(outside) < len(windows) else ""
            lie = "lies" if len(outside) == 1 else "lie"
            found.append(
                (
                    "outside",
                    f"{words.counted(len(outside), 'window')}{where} {lie} outside: no interval is claimed there.",
                )
            )
        doubtful = windows[windows["support"] == "warn"]
        if len(doubtful):
            be = "is" if len(doubtful) == 1 else "are"
            found.append(("warn", f"{words.counted(len(doubtful), 'window')} {be} doubtful: {_stretches(doubtful)}."))
    found += _edge_doubts(windows, part(files.run, "prior").get("rho_over_theta"))
    return found


def _stretches(windows: pd.DataFrame, limit: int = 4) -> str:
    """Name the first few runs of touching windows."""
    ordered = windows.sort_values(["chrom", "start"], kind="stable")
    fresh = (ordered["chrom"] != ordered["chrom"].shift()) | (ordered["start"] != ordered["end"].shift())
    runs = ordered.groupby(fresh.cumsum(), sort=False).agg({"chrom": "first", "start": "first", "end": "last"})
    first = runs.head(limit)
    named = [words.place(*run) for run in zip(first["chrom"], first["start"], first["end"], strict=True)]
    more = f" and {len(runs) - limit} more stretches" if len(runs) > limit else ""
    return ", ".join(named) + more if more else words.listed(named)


def _edge_doubts(windows: pd.DataFrame, bounds: object) -> list[tuple[str, str]]:
    """Say where estimates pile up at the edge of the trained range: there they are bounds, not estimates."""
    if not (isinstance(bounds, list) and len(bounds) == 2 and "rho_over_theta" in windows):
        return []
    low, high = (number_or_none(bound) for bound in bounds)
    if low is None or high is None:
        return []
    ratio = windows["rho_over_theta"]
    margin = _EDGE * (high - low)
    at_top = int((ratio >= high - margin).sum())
    at_bottom = int((ratio <= low).sum())
    found = []
    if at_top:
        text = f"{words.counted(at_top, 'window')} at the top of the trained range (ρ/θ {words.bound(high)})"
        found.append(("warn", f"{text}: the true rate there may be higher."))
    if at_bottom and low > 0:
        text = f"{words.counted(at_bottom, 'window')} at the bottom of the trained range (ρ/θ {words.bound(low)})"
        found.append(("warn", f"{text}: the true rate there may be lower."))
    return found
