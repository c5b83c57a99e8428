"""The page of an explanation: which variants the predictions stand on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall.report import words
from sewall.report.blocks import Answer, Block, Figure, Figures, Section, Table, Text, Tile
from sewall.report.drawing import WIDE, drawing
from sewall.report.files import RunFiles, number_or_none, part, parts
from sewall.report.trait_importance import draw_chromosomes, draw_manhattan, draw_weights_compared
from sewall.report.trait_predicting import more as sites_of_bundle
from sewall.tables import read_table

INFLATED = 1.5  # median statistic over that of chance, from which p values say more of ancestry than of sites
LOOSE = 1e-3  # of the SD of the answers: attributions that miss by more do not sum to them


def answer(files: RunFiles, source: str) -> Answer:
    """Return what the page says of an explanation.

    Args:
        files: the run.
        source: name of the file that the genotypes came from.
    """
    told = part(files.evaluation, "explained")
    variants, chromosomes, windows = (_table(files, name) for name in ("variants", "chromosomes", "windows"))
    people = words.counted(int(told.get("individuals") or 0), "individual")
    share = words.percent(told.get("linear_share"))
    return Answer(
        title=f"What predicts {told.get('name', 'the trait')}",
        subtitle=f"{source} · {people} · {words.counted(len(variants), 'variant')}",
        sentence=_sentence(told, chromosomes, windows),
        tile=Tile("Linear in the dosages", share, "of the variance of the network's predictions"),
        asked=_asked(files, told),
        section=_section(told, variants, chromosomes, windows),
        doubts=_doubts(told),
        beside=_strongest(chromosomes),
        more=[*_scores(told), *sites_of_bundle(files)],
        predicts=False,
    )


def _table(files: RunFiles, name: str) -> pd.DataFrame:
    path = files.directory / f"{name}.tsv"
    return read_table(path) if path.is_file() else pd.DataFrame()


def _sentence(told: dict[str, Any], chromosomes: pd.DataFrame, windows: pd.DataFrame) -> str:
    if not len(windows):
        return "This run has no table of windows: nothing can be said."
    top, most = windows.iloc[0], chromosomes.iloc[int(chromosomes["network"].argmax())]
    share = number_or_none(told.get("linear_share"))
    linear = f", and {words.percent(share)} of their variance is a linear function of the dosages" if share else ""
    return (
        f"The network's predictions stand most on the window {_place(top)}; chromosome {most['chrom']} gives "
        f"{words.percent(float(most['network']))} of their variance{linear}."
    )


def _place(window: pd.Series) -> str:
    return words.place(str(window["chrom"]), float(window["start"]), float(window["end"]))


def _strongest(chromosomes: pd.DataFrame) -> Tile | None:
    if not len(chromosomes):
        return None
    most = chromosomes.iloc[int(chromosomes["network"].argmax())]
    note = f"of the variance; {words.percent(float(most['linear']))} in the linear model"
    return Tile(f"Chromosome {most['chrom']} alone", words.percent(float(most["network"])), note)


def _asked(files: RunFiles, told: dict[str, Any]) -> list[tuple[str, str]]:
    bundle, tested = part(files.run, "arguments").get("bundle"), part(told, "tested")
    rows = [("Explained", f"the mean of {words.counted(int(told.get('networks') or 0), 'network')}")]
    rows += [("Bundle", str(Path(str(bundle))))] if bundle else []
    rows.append(("Linear model beside it", str(part(told, "linear").get("name") or words.MISSING)))
    if tested:
        people = words.counted(int(tested["individuals"]), "individual")
        rows.append(("p values", f"of {tested['trait']} in {people}, beside the covariates of the bundle"))
    return rows


def _section(told: dict[str, Any], variants: pd.DataFrame, chromosomes: pd.DataFrame, windows: pd.DataFrame) -> Section:
    question = "Which variants does the prediction stand on?"
    if not len(variants):
        return Section("trait", question, [Text(["The table of variants is not in this directory."])])
    linear = str(part(told, "linear").get("name") or "linear model")
    blocks: list[Block] = [
        Text([_reading(told)]),
        Figures([_manhattan(variants, told)], columns=1),
        Figures([_by_chromosome(chromosomes, linear), _compared(variants, linear)]),
        _windows(windows, told),
    ]
    return Section("trait", question, blocks)


def _reading(told: dict[str, Any]) -> str:
    return (
        "Importance is the mean size of what a variant adds to the network's answer, compared with the mean genotype "
        f"of the training (integrated gradients at {told.get('points')} points, mean of all networks). What neighbours "
        "in linkage add may be shared out between them in any way: read windows rather than single variants. It is "
        "association, not causation."
    )


def _manhattan(variants: pd.DataFrame, told: dict[str, Any]) -> Figure:
    tested = part(told, "tested")
    below = f"p values of {tested['trait']}" if tested else "weights of the linear model"
    alt = f"Importance of variants along the genome over {below}"
    picture = drawing("manhattan", alt, lambda width: draw_manhattan(variants, width), WIDE)
    caption = (
        f"Upwards the importance of each variant to the network, downwards {below}. Dots that others hide are not "
        "drawn; variants.tsv has all."
    )
    return Figure("manhattan", "Importance along the genome", picture, caption)


def _by_chromosome(chromosomes: pd.DataFrame, linear: str) -> Figure:
    picture = drawing(
        "chromosomes", "Share of the variance of predictions by chromosome",
        lambda width: draw_chromosomes(chromosomes, width, linear),
    )  # fmt: skip
    caption = "Shares add up to the whole; one that works against the others is negative."
    return Figure("chromosomes", "Share of the predictions' variance by chromosome", picture, caption)


def _compared(variants: pd.DataFrame, linear: str) -> Figure:
    pair = variants[["linear_weight", "network_weight"]].to_numpy(float)
    alike = np.corrcoef(pair.T)[0, 1] if (pair.std(axis=0) > 0).all() else float("nan")
    picture = drawing(
        "compared", "Weights of the network and of the linear model",
        lambda width: draw_weights_compared(variants, width, linear),
    )  # fmt: skip
    caption = f"Each dot is a variant. The correlation of the two weights is {words.decimal(float(alike), 2)}."
    return Figure("compared", "The network's weights beside linear ones", picture, caption)


def _windows(windows: pd.DataFrame, told: dict[str, Any]) -> Table:
    tested = windows["p_value"].notna().any() if len(windows) else False
    heads = ["window", "sites", "importance", "knocked out", "strongest variant", *(["smallest p"] if tested else [])]
    rows = [
        [_place(row), words.count(row["sites"]), words.number(row["importance"]), words.number(row["knock_out"]),
         str(row["strongest"]), *([_p_value(float(row["p_value"]))] if tested else [])]
        for _, row in windows.iterrows()
    ]  # fmt: skip
    people = words.counted(int(told.get("knocked_out") or 0), "individual")
    note = (
        f"The {len(rows)} strongest stretches of {told.get('window')} linked sites. Importance: mean size of what all "
        f"its variants add together. Knocked out: mean size of the change of the answer in {people} when the whole "
        "window has the mean genotype. Machines read windows.tsv."
    )
    return Table(heads, rows, (0, 4), note=note)


def _p_value(value: float) -> str:
    return words.number(value, 2)


def _scores(told: dict[str, Any]) -> list[Section]:
    files = parts(told, "scores")
    if not files:
        return []
    rows = [
        [f"{each['name']}, {each['sex']}".rstrip(", "), words.count(each["variants"]), str(each["file"])]
        for each in files
    ]
    lead = (
        "Every linear model as a scoring file of the PGS Catalog (format 2.0), for sewall trait score or any other "
        "program. A score less score_at_training_frequencies (in its header) is what the genotypes add to the model's "
        "prediction; missing calls must then be given the frequencies that the file holds."
    )
    return [
        Section(
            "scores", "Linear models to take away", [Text([lead]), Table(["model", "variants", "file"], rows, (0, 2))]
        )
    ]


def _doubts(told: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    gap, inflation = number_or_none(told.get("gap")), number_or_none(part(told, "tested").get("inflation"))
    if gap is not None and gap > LOOSE:
        most = words.number(gap, 2)
        found.append(("warn", f"Attributions miss the answers that they should sum to by up to {most} of their SD."))
    if inflation is not None and inflation > INFLATED:
        said = f"The p values are inflated {words.number(inflation, 2)} times (genomic control)"
        found.append(
            ("warn", f"{said}: ancestry or kinship goes with the trait. Read them as an order, not as chances.")
        )
    return found
