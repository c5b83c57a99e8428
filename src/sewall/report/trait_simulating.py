"""The page of a simulated trait: what was simulated, and which shares of the variance it got."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas

from sewall.errors import SewallError
from sewall.report import words
from sewall.report.blocks import Answer, Block, Figure, Figures, Section, Table, Text, Tile
from sewall.report.drawing import ACCENT, INK, drawing, grid_figure, heading, style
from sewall.report.files import RunFiles, part, parts

_PANEL = 300
MOST_POINTS = 1500


def answer(files: RunFiles, source: str) -> Answer:
    """Return what the page says of a simulation.

    Args:
        files: the run.
        source: name of the file that the genotypes came from.
    """
    made, asked = part(files.run, "simulated"), part(files.run, "arguments")
    name = str(made.get("architecture") or asked.get("architecture") or "simulated")
    people, sites = int(made.get("individuals") or 0), int(made.get("sites") or 0)
    return Answer(
        title=f"A simulated trait ({name}) on {source}",
        subtitle=f"{words.counted(people, 'individual')} · {words.counted(sites, 'site')}",
        sentence=_sentence(made),
        tile=Tile("Heritability", words.decimal(made.get("heritability")), "of the trait in this sample"),
        asked=_asked(made, asked, name),
        section=Section("trait", "What was simulated?", _blocks(files, made)),
        doubts=_doubts(asked),
        beside=Tile("Causal sites", words.count(made.get("causal_sites")), f"of {words.counted(sites, 'site')}"),
        predicts=False,
    )


def _sentence(made: dict[str, Any]) -> str:
    components = parts(made, "components")
    if not components:
        return "No site has an effect: whatever predicts this trait does so by chance."
    shares = words.listed([f"{words.percent(each.get('share'))} {each.get('name')}" for each in components])
    return f"{words.percent(made.get('heritability'))} of the trait's variance is genetic; of this, {shares}."


def _asked(made: dict[str, Any], asked: dict[str, Any], name: str) -> list[tuple[str, str]]:
    rows = [("Architecture", name)]
    if asked.get("individuals"):
        rows.append(("Individuals", "made here, as mosaics of those in the file"))
    if made.get("sites_of_three_alleles"):
        rows.append(("Sites of three alleles", words.count(made["sites_of_three_alleles"])))
    if made.get("genotypes"):
        rows.append(("Genotypes to train on", Path(str(made["genotypes"])).name))
    return [*rows, ("Table to train on", "phenotypes.tsv, column trait")]


def _doubts(asked: dict[str, Any]) -> list[tuple[str, str]]:
    said = [("note", "Shares hold in this sample; among some of its individuals they differ by chance.")]
    if asked.get("remove_causal"):
        said.append(("warn", "The causal sites are not in the genotypes: what looks like epistasis may be tagging."))
    return said


def _blocks(files: RunFiles, made: dict[str, Any]) -> list[Block]:
    truth = _truth(files.directory / "truth.tsv")
    if truth.empty:
        return [Text(["The true values (truth.tsv) are not in this directory."])]
    shares = [
        [str(each.get("name")), words.percent(each.get("share")), words.count(each.get("effects"))]
        for each in parts(made, "components")
    ]
    table = Table(["component", "share of the genetic variance", "effects"], shares, note="The effects: causal.tsv.")
    return [Figures(_figures(truth)), *([table] if shares else [])]


def _truth(path: Path) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame()
    try:
        table = pd.read_csv(path, sep="\t", comment="#", dtype={"sample_id": str})
        return table.assign(trait=table["genetic"] + table["noise"])
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise SewallError(f"{path}: damaged ({error}); run the command that wrote it again") from error


def _figures(truth: pd.DataFrame) -> list[Figure]:
    spread = drawing("spread", "Histogram of the simulated trait", lambda width: draw_trait(truth, width))
    found = [Figure("spread", "How the trait is distributed", spread, "Outline: its true genetic part.")]
    if truth["genetic"].std() > 0:
        known = drawing("truth", "The trait against its genetic value", lambda width: draw_truth(truth, width))
        r = words.decimal(np.corrcoef(truth["genetic"], truth["trait"])[0, 1])
        caption = f"Correlation {r}: on these individuals nobody can predict better from genotypes."
        found.append(Figure("truth", "The trait and what is genetic of it", known, caption))
    return found


def draw_trait(truth: pd.DataFrame, width: int) -> Canvas:
    """Draw how many individuals have which trait, and which genetic value.

    Args:
        truth: columns ``trait`` and ``genetic``.
        width: of the figure, CSS pixels.
    """
    bins = np.histogram_bin_edges(truth["trait"], bins=min(40, max(5, round(len(truth) ** 0.5))))
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL)
        axes.hist(truth["trait"], bins.tolist(), rwidth=0.92, color=ACCENT, alpha=0.75, linewidth=0)
        if truth["genetic"].std() > 0:
            axes.hist(truth["genetic"], bins.tolist(), histtype="step", color=INK, linewidth=1.4)
        axes.margins(y=0.06)
        axes.locator_params(nbins=5)
        axes.set_xlabel("Trait")
        axes.grid(axis="y")
        heading(axes, "Individuals")
    return canvas


def draw_truth(truth: pd.DataFrame, width: int) -> Canvas:
    """Draw the trait against the true genetic value, of `MOST_POINTS` individuals at most."""
    shown = truth.iloc[np.unique(np.linspace(0, len(truth) - 1, min(len(truth), MOST_POINTS)).astype(int))]
    with style():
        canvas, (axes,) = grid_figure(width, _PANEL)
        axes.plot(shown["genetic"], shown["trait"], "o", color=ACCENT, alpha=0.35, markersize=4, markeredgewidth=0)
        axes.locator_params(nbins=5)
        axes.set_xlabel("True genetic value")
        axes.grid()
        heading(axes, "Trait")
    return canvas
