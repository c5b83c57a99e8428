"""The sweep job's part of the page: the scan, what was called, and the haplotypes behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from sewall.report import words
from sewall.report.blocks import Answer, Block, Figure, Figures, Notice, Section, Table, Text, Tile
from sewall.report.classes import classes_of, reliability
from sewall.report.drawing import WIDE, drawing
from sewall.report.files import RunFiles, number_or_none, part, parts
from sewall.report.sweep_scan import draw_haplotypes, draw_scan

MAX_ROWS = 500
_SIMPLE_NAMES = {f"linked-{kind}": f"beside a {kind} one" for kind in ("hard", "soft", "partial")}
_UNUSABLE = " The data lie outside what the networks were trained on: do not use this scan as it stands."


def answer(files: RunFiles) -> Answer:
    """Return what the sweep job says on its page."""
    regions = _regions(files)
    return Answer(
        title=f"Selective sweeps in {_source_name(files)}",
        subtitle=_subtitle(files),
        sentence=_sentence(files, regions) + (_UNUSABLE if files.support_status == "outside" else ""),
        tile=_tile(files, regions),
        asked=_asked(files),
        section=Section("scan", "Where did selection act?", _blocks(files, regions)),
        doubts=_doubts(files),
    )


def _regions(files: RunFiles) -> pd.DataFrame:
    path = files.directory / "regions.tsv"
    return pd.read_csv(path, sep="\t", comment="#", dtype={"chrom": str}) if path.exists() else pd.DataFrame()


def _source_name(files: RunFiles) -> str:
    inputs = parts(files.run, "inputs")
    return Path(str(inputs[0].get("path"))).name if inputs and inputs[0].get("path") else files.directory.name


def _subtitle(files: RunFiles) -> str:
    windows, said = files.predictions, []
    if len(windows):
        contigs = windows["chrom"].unique()
        where = f"{len(contigs)} contigs"
        if len(contigs) == 1:
            where = words.place(str(contigs[0]), windows["start"].min(), windows["end"].max())
        size = float((windows["end"] - windows["start"]).median())
        said.append(f"{words.counted(len(windows), 'window')} with middles of {words.length(size)} in {where}")
    for given in parts(files.run, "inputs")[:1]:
        if given.get("samples") is not None:
            said.append(words.counted(int(given["samples"]), "individual"))
        if isinstance(given.get("phased"), bool):
            said.append("phased" if given["phased"] else "unphased")
    return " · ".join(said)


def _sentence(files: RunFiles, regions: pd.DataFrame) -> str:
    fdr = words.percent(float(part(files.run, "arguments").get("fdr") or 0.05))
    if not len(regions):
        return f"No region is called a sweep at a false-discovery rate of {fdr}."
    top = regions.iloc[0]
    place = words.place(str(top["chrom"]), int(top["start"]), int(top["end"]))
    number = words.counted(len(regions), "region")
    surest = f"{'it lies' if len(regions) == 1 else 'the surest lies'} at {place} ({top['kind']})"
    return f"{number} called at a false-discovery rate of {fdr}; {surest}."


def _tile(files: RunFiles, regions: pd.DataFrame) -> Tile:
    status = "outside" if files.support_status == "outside" else ""
    windows = files.predictions
    called = int(windows["called"].astype(bool).sum()) if "called" in windows else 0
    return Tile("Regions called", str(len(regions)), f"{called} of {words.counted(len(windows), 'window')}", status)


def _asked(files: RunFiles) -> list[tuple[str, str]]:
    prior, rows = part(files.run, "prior"), []
    named = part(prior, "priors")
    if named:
        rows.append(("Priors", ", ".join(f"{name} {words.percent(float(share))}" for name, share in named.items())))
    if number_or_none(prior.get("fdr")) is not None:
        rows.append(("False calls accepted", words.percent(float(prior["fdr"]))))
    mutation_rate = number_or_none(files.run.get("mutation_rate"))
    if mutation_rate is not None:
        rows.append(("Mutation rate taken", f"{words.number(mutation_rate)} per bp per generation"))
    rate = prior.get("recombination_rate")
    if isinstance(rate, list) and len(rate) == 2:
        known = ", times the map" if number_or_none(prior.get("genetic_map_mean")) is not None else ""
        rows.append(("Recombination simulated", f"{words.number(rate[0])} to {words.number(rate[1])} per bp{known}"))
    if prior.get("history"):
        rows.append(("Population history", str(prior["history"])))
    if prior.get("simulations") is not None:
        rows.append(("Simulated stretches", words.count(prior["simulations"])))
    if prior.get("redrawn"):
        rows.append(("Sweeps that the history did not allow, drawn again", words.count(prior["redrawn"])))
    return rows


def _blocks(files: RunFiles, regions: pd.DataFrame) -> list[Block]:
    windows = files.predictions
    if not len(windows) or "p_sweep" not in windows:
        return [Text(["This run has no predictions.tsv, so there is no scan to draw."])]
    blocks: list[Block] = []
    if files.support_status == "outside":
        blocks.append(Notice("outside", "Do not use this scan as it stands: the data lie outside the training range."))
    alt = f"Probability of a sweep along the genome. {_sentence(files, regions)}"
    picture = drawing("scan", alt, lambda width: draw_scan(windows, width), WIDE)
    caption = (
        "Each point is a window: the probability that a sweep lies in its middle, at the priors stated. Filled: in "
        "a called region. Bars: called regions, at the probability that a sweep lies in any of their windows. "
        "Hatched: outside the training range, where nothing is called."
    )
    blocks.append(Figures([Figure("scan", "Probability of a sweep along the genome", picture, caption)], columns=1))
    if len(regions):
        blocks.append(_region_table(regions, windows))
    pictures = _pictures(files)
    if pictures:
        blocks.append(Figures([_haplotypes(k, one) for k, one in enumerate(pictures)]))
    if parts(files.evaluation, "reliability"):
        blocks += [_confusion(files), Figures([reliability(files)])]
    blocks.append(_window_table(files))
    return blocks


def _pictures(files: RunFiles) -> list[dict[str, Any]]:
    path = files.directory / "haplotypes.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [one for one in found if one.get("calls") and one.get("positions")]


def _haplotypes(number: int, one: dict[str, Any]) -> Figure:
    place = words.place(str(one["chrom"]), int(one["start"]), int(one["end"]))
    title = f"{str(one['kind']).capitalize()}: {place}"
    alt = f"Haplotypes at {place}"
    picture = drawing(f"haplotypes{number}", alt, lambda width: draw_haplotypes(one, width))
    caption = "Rows: chromosome copies or individuals, alike ones together. Dark: the rarer allele."
    return Figure(f"haplotypes{number}", title, picture, caption)


def _region_table(regions: pd.DataFrame, windows: pd.DataFrame) -> Table:
    heads = ["region", "kind", "chance", "q", "windows", "strength s", "age, generations", "status"]
    rows, marks = [], []
    for row in regions.to_dict("records"):
        middle = windows[(windows["chrom"].astype(str) == str(row["chrom"])) & (windows["start"] <= row["peak"])]
        own = middle[middle["end"] > row["peak"]].iloc[0]
        rows.append(
            [words.place(str(row["chrom"]), int(row["start"]), int(row["end"])), str(row["kind"]),
             words.percent(float(row["p_sweep"])), words.number(float(row["q"])), words.count(row["windows"]),
             _interval(own, "s"), _interval(own, "age"), str(row["support"])]
        )  # fmt: skip
        marks.append(str(row["support"]))
    note = (
        "Chance: that a sweep lies in any window of the region. Strength and age are those of the surest window, if "
        "what is called is a sweep; in brackets their interval."
    )
    return Table(heads, rows, (0,), marks, note=note)


def _interval(row: pd.Series, name: str) -> str:
    value = number_or_none(row.get(name))
    if value is None:
        return words.MISSING
    ends = (words.number(float(row[f"{name}_{end}"]), 2) for end in ("lower", "upper"))
    return f"{words.number(value, 2)} ({' to '.join(ends)})"


def _confusion(files: RunFiles) -> Table:
    names, counts = classes_of(files), files.evaluation.get("confusion") or []
    rows = [
        [name, *(words.count(n) for n in own), words.percent(own[k] / max(sum(own), 1))]
        for k, (name, own) in enumerate(zip(names, counts, strict=False))
    ]
    note = "Held-out simulations, by what was simulated (rows) and what was called (columns), each class as common."
    return Table(["simulated", *(f"called {name}" for name in names), "called rightly"], rows, (0,), note=note)


def _window_table(files: RunFiles) -> Table:
    windows, classes = files.predictions, classes_of(files)
    shown = windows.head(MAX_ROWS)
    heads = [
        "contig",
        "start",
        "end",
        "called",
        *(f"p {_SIMPLE_NAMES.get(c, c)}" for c in classes),
        "q",
        "set",
        "simple",
    ]
    rows = []
    for row in shown.to_dict("records"):
        chances = [words.number(float(row[f"p_{name}"]), 2) for name in classes]
        reason = row.get("reason")
        status = f"{row['support']}: {reason}" if isinstance(reason, str) and reason else str(row["support"])
        place = [str(row["chrom"]), words.count(row["start"]), words.count(row["end"])]
        rows.append(
            [*place, str(row.get("label") or words.MISSING), *chances,
             words.number(float(row["q"]), 2), str(row.get("set")), str(row.get("simple")), status]
        )  # fmt: skip
    note = "Positions count from 0 and the end is not included. The same table for machines: predictions.tsv."
    if len(shown) < len(windows):
        note = f"The first {MAX_ROWS} of {words.counted(len(windows), 'window')}. {note}"
    marks = [str(status) for status in shown["support"]]
    return Table([*heads, "status"], rows, (0, len(heads)), marks, folded="All windows as a table", note=note)


def _doubts(files: RunFiles) -> list[tuple[str, str]]:
    windows = files.predictions
    if "support" not in windows:
        return []
    found = []
    outside, doubtful = (int((windows["support"] == status).sum()) for status in ("outside", "warn"))
    if outside:
        found.append(("outside", f"{words.counted(outside, 'window')} outside: nothing is called there."))
    if doubtful:
        found.append(("warn", f"{words.counted(doubtful, 'window')} unusual: look at the reason in the table."))
    quantities = part(files.evaluation, "quantities")
    for name, said in (("s", "strength"), ("age", "age")):
        first = next(iter(parts(part(quantities, name), "models")), None)
        value = number_or_none(part(part(first or {}, "metrics"), "r2").get("value"))
        if value is not None and value < 0.5:
            found.append(("warn", f"The {said} of a sweep is known poorly: R² {value:.2f} on held-out simulations."))
    return found
