"""The page of variants: which change a bundle's answer more than any change would, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from sewall.report import words
from sewall.report.blocks import Answer, Block, Facts, Figure, Figures, Section, Table, Text, Tile
from sewall.report.drawing import ACCENT, FAINT, INK, OUTSIDE, drawing, grid_figure, heading, style
from sewall.report.files import RunFiles, number_or_none, part, parts
from sewall.tables import read_table

CALLED = 0.1  # false discovery rate of the variants that are counted
STRONGEST = 20  # variants in the table
MOST_DOTS = 3_000
LEAST_WEIGHT = 0.05  # of the network in the bundle's stack, below which its effects are doubtful
AMISS = 0.05  # by which held-out networks may miss what is claimed of them
_COLOURS = {"gain": ACCENT, "loss": OUTSIDE, "none": FAINT}


def answer(files: RunFiles) -> Answer:
    """Return what the page says of variants."""
    told, table = part(files.evaluation, "variants"), _table(files)
    source = Path(str(part(files.run, "arguments").get("vcf") or files.directory)).name
    outside = int((table["support"] == "outside").sum()) if len(table) else 0
    return Answer(
        title=f"What the variants of {source} do",
        subtitle=f"{words.counted(len(table), 'variant')} · effects on the {_unit(told)}",
        sentence=_sentence(told, table),
        tile=Tile("Beyond random variants", words.count(len(_beyond(table))), f"of {len(table):,}, at q ≤ {CALLED:g}"),
        asked=[],  # the facts that all jobs share speak of intervals that hold a truth: here is none
        section=_section(told, table, files),
        doubts=_doubts(told, table, files.level),
        beside=Tile(
            "Unlike the training", words.count(outside), "nothing is claimed of them", "warn" if outside else ""
        ),
        more=_more(told, table),
        predicts=False,
    )


def _table(files: RunFiles) -> pd.DataFrame:
    path = files.directory / "variants.tsv"
    return read_table(path) if path.is_file() else pd.DataFrame()


def _beyond(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["q"] <= CALLED] if len(table) else table


def _unit(told: dict[str, Any]) -> str:
    return str(told.get("unit") or "answer")


def _sentence(told: dict[str, Any], table: pd.DataFrame) -> str:
    if not len(table):
        return "The table of variants (variants.tsv) is not in this directory."
    beyond, called = _beyond(table), table["effect"].value_counts()
    up, down = int((beyond["estimate"] > 0).sum()), int((beyond["estimate"] < 0).sum())
    verb = "changes" if len(beyond) == 1 else "change"
    return (
        f"{len(beyond):,} of {words.counted(len(table), 'variant')} {verb} the {_unit(told)} more than random variants "
        f"of their kind do (q ≤ {CALLED:g})" + (f": {up:,} up, {down:,} down" if len(beyond) else "") + ". One by one, "
        f"{called.get('gain', 0):,} are called a gain and {called.get('loss', 0):,} a loss."
    )


def _asked(files: RunFiles, told: dict[str, Any]) -> list[tuple[str, str]]:
    given = part(files.run, "arguments")
    shifts = [int(shift) for shift in told.get("shifts") or [0]]
    several = f"; mean of {len(shifts)}, {told.get('step')} letters apart" if len(shifts) > 1 else ""
    rows = [(name, str(given.get(key))) for name, key in (("Variants", "vcf"), ("Genome", "fasta"), ("Genes", "genes"))]
    return [
        *((name, Path(path).name) for name, path in rows if path != "None"),
        ("Bundle", str(given.get("bundle"))),
        ("Effect", f"{_unit(told)} of the ALT form less that of the REF form, mean of {told.get('networks')} networks"),
        ("Windows", f"{told.get('width')} letters around each variant{several}"),
        ("Interval", f"where {words.percent(files.level)} of further networks, trained alike, would see the effect"),
        ("Simple model beside it", str(part(told, "best_simple").get("name") or words.MISSING)),
    ]


def _section(told: dict[str, Any], table: pd.DataFrame, files: RunFiles) -> Section:
    question = "Which variants do something?"
    if not len(table):
        return Section("trait", question, [Text(["The table of variants (variants.tsv) is not in this directory."])])
    facts = Facts(_asked(files, told))
    blocks: list[Block] = [
        facts,
        Text([_reading(files.level)]),
        Figures([_volcano(told, table), _compared(told, table)]),
    ]
    return Section("trait", question, [*blocks, _strongest(table)])


def _reading(level: float) -> str:
    return (
        "p is the share of random variants of the same kind and neighbourhood whose effect on the networks is at least "
        "as large; q counts that for all variants together. Gain and loss are effects beyond those of "
        f"{words.percent((1 + level) / 2)} of such random variants; the confidence is the share of networks trained "
        "alike that would say so. All this is about what the models say: no effect here was measured."
    )


def _volcano(told: dict[str, Any], table: pd.DataFrame) -> Figure:
    picture = drawing(
        "volcano", "Effects and p values of all variants", lambda width: _draw_volcano(told, table, width)
    )
    caption = "Each dot is a variant. Blue-green: gain; red: loss; grey: no more than most random variants."
    return Figure("volcano", "Effect and p value", picture, caption)


def _draw_volcano(told: dict[str, Any], table: pd.DataFrame, width: int) -> Canvas:
    known = table[table["p"].notna()].nsmallest(MOST_DOTS, "p")
    with style():
        canvas, (axes,) = grid_figure(width, 260)
        for name, colour in _COLOURS.items():
            own = known[known["effect"] == name]
            axes.scatter(own["estimate"], -np.log10(own["p"]), s=12, color=colour, linewidths=0)
        axes.axvline(0, color=FAINT, linewidth=0.8)
        _finished(axes, f"Change of the {_unit(told)}", "−log₁₀ p")
    return canvas


def _compared(told: dict[str, Any], table: pd.DataFrame) -> Figure:
    name = str(part(told, "best_simple").get("name") or "simple model")
    picture = drawing(
        "compared", f"Effects of the network and of {name}", lambda width: _draw_compared(table, width, name)
    )
    known = table[["estimate", "simple"]].dropna().to_numpy(float)
    varies = len(known) > 2 and bool((known.std(axis=0) > 0).all())
    alike = float(np.corrcoef(known.T)[0, 1]) if varies else None
    caption = f"Each dot is a variant. The correlation of the two effects is {words.decimal(alike, 2)}."
    return Figure("compared", "The network's effect beside that of a simpler model", picture, caption)


def _draw_compared(table: pd.DataFrame, width: int, name: str) -> Canvas:
    known = table[table["estimate"].notna()].head(MOST_DOTS)
    with style():
        canvas, (axes,) = grid_figure(width, 260)
        axes.scatter(known["simple"], known["estimate"], s=12, color=INK, alpha=0.5, linewidths=0)
        axes.axhline(0, color=FAINT, linewidth=0.8)
        axes.axvline(0, color=FAINT, linewidth=0.8)
        _finished(axes, f"Effect in {name}", "Effect in the network")
    return canvas


def _finished(axes: Axes, below: str, above: str) -> None:
    axes.locator_params(nbins=5)
    axes.set_xlabel(below)
    axes.grid(axis="y")
    heading(axes, above)


def _strongest(table: pd.DataFrame) -> Table:
    known = table[table["p"].notna()]
    top = known.assign(size=known["estimate"].abs()).sort_values(["p", "size"], ascending=[True, False]).head(STRONGEST)
    genes = "consequence" in table
    first = "p_ref" if "p_ref" in table else "of_ref"
    heads = ["variant", "effect", "REF → ALT", "simple model", "p", "q", "called", *(["by rule"] if genes else [])]
    rows = [
        [f"{_named(row)}\n{row['kind']}", _with_interval(row), _forms(row, first), words.number(row["simple"], 2),
         words.probability(row["p"]), words.probability(row["q"]), _called(row), *([_by_rule(row)] if genes else [])]
        for _, row in top.iterrows()
    ]  # fmt: skip
    marks = ["warn" if row["support"] == "warn" else "" for _, row in top.iterrows()]
    note = f"The {len(rows)} variants with the smallest p. All of them, and what each column claims: variants.tsv."
    return Table(heads, rows, (0, 6, 7), marks=marks, note=note)


def _named(row: pd.Series) -> str:
    ref, alt = (text if len(text) <= 10 else f"{text[:8]}…" for text in (str(row["ref"]), str(row["alt"])))
    place = f"{row['chrom']}:{int(row['pos']):,} {ref}>{alt}"
    return place if row["id"] == "." else f"{row['id']} ({place})"


def _with_interval(row: pd.Series) -> str:
    return words.estimate({"value": row["estimate"], "lower": row["lower"], "upper": row["upper"]}, 2)


def _forms(row: pd.Series, first: str) -> str:
    return f"{words.number(row[first], 2)} → {words.number(row[first.replace('ref', 'alt')], 2)}"


def _called(row: pd.Series) -> str:
    sure = number_or_none(row["confidence"])
    return str(row["effect"]) if sure is None else f"{row['effect']} ({words.percent(sure, 0)})"


def _by_rule(row: pd.Series) -> str:
    named = [str(row[name]) for name in ("consequence", "gene", "protein") if isinstance(row[name], str)]
    return " ".join(text for text in named if text)


def _more(told: dict[str, Any], table: pd.DataFrame) -> list[Section]:
    found = []
    if kinds := parts(told, "kinds"):
        rows = [
            [str(row["kind"]), words.count(row["effects"]), words.count(row["random"]), words.length(row["near"]),
             f"{words.number(row['lower'], 2)} to {words.number(row['upper'], 2)}"]
            for row in kinds
        ]  # fmt: skip
        lead = (
            "Random variants are drawn near the given ones, further off where there are too few places. Where most of "
            "the given ones stand in motifs, random ones near them hit motifs too, and p is large: --within draws them "
            "from further off."
        )
        table_of = Table(["kind", "variants", "random variants", "drawn within", "bounds of no effect"], rows, (0,))
        found.append(Section("kinds", "What are random variants like?", [Text([lead]), table_of]))
    if len(table) and "consequence" in table:
        found.append(_rules(table))
    return found


def _rules(table: pd.DataFrame) -> Section:
    rows = []
    for name, own in table.groupby("consequence"):
        known = own["estimate"].dropna().abs()
        size = words.number(float(known.median()), 2) if len(known) else words.MISSING
        rows.append((len(own), [str(name), words.count(len(own)), size, words.count(len(_beyond(own)))]))
    ordered = [row for _, row in sorted(rows, key=lambda row: -row[0])]
    lead = (
        "What variants do to genes follows from the genetic code and needs no model. It stands beside the effects so "
        "that an effect that the rule explains is not taken for a discovery."
    )
    heads = ["consequence", "variants", "median size of effect", f"q ≤ {CALLED:g}"]
    return Section("rules", "What do rules say?", [Text([lead]), Table(heads, ordered, (0,))])


def _doubts(told: dict[str, Any], table: pd.DataFrame, level: float) -> list[tuple[str, str]]:
    found, weight = [], number_or_none(told.get("network_weight"))
    if weight is not None and weight < LEAST_WEIGHT:
        said = f"The network has a weight of {words.number(weight, 2)} in the bundle's own answer"
        found.append(("warn", f"{said}: believe the simple model (columns simple and stack) rather than the network."))
    covered = number_or_none(part(told, "tested").get("covered"))
    if covered is not None and covered < level - AMISS:
        said = f"Intervals hold {words.percent(covered)} of the networks that were kept out, not {words.percent(level)}"
        found.append(("warn", f"{said}: these variants divide the networks more than random ones do."))
    tested, fewest = (
        int(table["p"].notna().sum()) if len(table) else 0,
        min(map(_random, parts(told, "kinds")), default=0),
    )
    if tested > CALLED * (fewest + 1):
        said = f"With {fewest:,} random variants no p is below {words.number(1 / (fewest + 1), 2)}"
        found.append(("note", f"{said}: one variant alone cannot reach q ≤ {CALLED:g}. --random makes p finer."))
    outside = float((table["support"] == "outside").mean()) if len(table) else 0.0
    if outside > 0.5:
        found.append(
            ("outside", f"{words.percent(outside)} of the variants have no window like the training sequences.")
        )
    if few := [str(row["kind"]) for row in parts(told, "kinds") if row.get("lower") is None]:
        found.append(("warn", f"Too few random variants could be placed to judge these kinds: {', '.join(few)}."))
    return found


def _random(kind: dict[str, Any]) -> int:
    return int(kind["random"])
