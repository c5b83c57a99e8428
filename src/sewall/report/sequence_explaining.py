"""The page of an explanation of sequences: which motifs the networks look for, and whether they use them."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall.data.sequences import letters
from sewall.motifs.matching import read_meme
from sewall.motifs.motif import Motif
from sewall.report import words
from sewall.report.blocks import Answer, Block, Figure, Figures, Section, Table, Text, Tile
from sewall.report.drawing import HALF, WIDE, drawing
from sewall.report.files import RunFiles, number_or_none, part
from sewall.report.sequence_logos import Track, draw_logo, draw_tracks
from sewall.tables import read_table

LOGOS = 5  # of each model, at the most
TRACKS = 4
NETWORKS = "networks"
FOUND_BY = {NETWORKS: "networks", "weight matrices": "weight matrix", "k-mers": "k-mer model"}
MADE_OF = {NETWORKS: "places", "weight matrices": "training sequences with a site", "k-mers": "k-mers"}


def answer(files: RunFiles) -> Answer:
    """Return what the page says of an explanation of sequences."""
    told, table = part(files.evaluation, "explained"), _table(files, "motifs")
    source = Path(str(part(files.run, "arguments").get("sequences") or files.directory)).name
    own = table[table["model"] == NETWORKS] if len(table) else table
    used = own[own["used"].astype(bool)] if len(own) else own
    beside = table[(table["model"] != NETWORKS) & table["used"].astype(bool)] if len(table) else table
    return Answer(
        title=f"What tells {told.get('name', 'the answer')}",
        subtitle=f"{source} · {words.counted(int(told.get('sequences') or 0), 'sequence')} attributed",
        sentence=_sentence(told, own, used, beside),
        tile=Tile("Motifs that the networks use", words.count(len(used)), f"of {len(own)} found"),
        asked=_asked(files, told),
        section=_section(files, told, table),
        doubts=_doubts(told),
        beside=_agreement(told),
        more=_tracks(files),
        predicts=False,
    )


def _table(files: RunFiles, name: str) -> pd.DataFrame:
    path = files.directory / f"{name}.tsv"
    return read_table(path) if path.is_file() else pd.DataFrame()


def _sentence(told: dict[str, Any], own: pd.DataFrame, used: pd.DataFrame, beside: pd.DataFrame) -> str:
    if len(used):
        also = f"; {len(used) - 1} more {'is' if len(used) == 2 else 'are'} used" if len(used) > 1 else ""
        return f"The networks look for {_does(used.iloc[0], told)}{also}."
    if len(own):
        found = f"{words.counted(len(own), 'motif')} found, but none passes all checks: read them as hints."
    else:
        found = (
            "No motif was found in the networks: no short word adds more to the answer here than in shuffled "
            "sequences, often enough to be counted."
        )
    if not len(beside):
        return found
    first = beside.iloc[0]
    return f"{found} Yet they answer to {_does(first, told)} (a motif of {_of(first)})."


def _does(row: pd.Series, told: dict[str, Any]) -> str:
    verb = "raises" if float(row["effect"]) > 0 else "lowers"
    change = f"{verb} the {told.get('unit')} by {words.number(abs(float(row['effect'])), 2)}"
    return f"{row['consensus']}{_like(row)}: put into shuffled sequences it {change}"


def _of(row: pd.Series) -> str:
    return "the k-mer model" if row["model"] == "k-mers" else f"the {row['model']}"


def _like(row: pd.Series) -> str:
    return f", which resembles {row['match']}" if row.get("matched") in (True, "True") else ""


def _agreement(told: dict[str, Any]) -> Tile | None:
    value = number_or_none(told.get("agreement"))
    if value is None:
        return None
    status = "ok" if told.get("agrees") else "warn"
    return Tile("Networks agree", words.decimal(value, 2), "median correlation of their attributions", status)


def _asked(files: RunFiles, told: dict[str, Any]) -> list[tuple[str, str]]:
    given = part(files.run, "arguments")
    methods = {
        "deeplift": "DeepLIFT/SHAP against 20 dinucleotide shuffles of each sequence",
        "mutagenesis": "saturation mutagenesis",
    }
    strands = "both, averaged" if told.get("strands") == 2 else "as given"
    known = Path(str(given["motifs"])).name if given.get("motifs") else "none given"
    return [
        ("Explained", f"{told.get('unit')}, mean of {words.counted(int(told.get('networks') or 0), 'network')}"),
        ("Bundle", str(given.get("bundle"))),
        ("Attributions", f"{methods.get(str(told.get('method')), words.MISSING)}; strands: {strands}"),
        ("Known motifs", known),
    ]


def _section(files: RunFiles, told: dict[str, Any], table: pd.DataFrame) -> Section:
    question = "Which motifs do the networks look for, and do they use them?"
    path = files.directory / "motifs.meme"
    if not len(table) or not path.is_file():
        return Section("motifs", question, [Text([_how(told)])])
    shapes = {motif.name.split()[0]: motif for motif in read_meme(path)}
    shown = table.groupby("model", sort=False).head(LOGOS)
    logos = [_logo(row, shapes[str(row["motif"])], told) for _, row in shown.iterrows()]
    blocks: list[Block] = [Text([_how(told)]), Figures(logos), _motifs(table)]
    return Section("motifs", question, blocks)


def _how(told: dict[str, Any]) -> str:
    return (
        f"Every letter was given what it adds to the {told.get('unit')}. Stretches that add more than is found in "
        f"{words.count(told.get('shuffled'))} shuffled sequences were put on top of each other: "
        f"{words.count(told.get('seqlets'))} stretches in all. A motif is used where it changes the answer "
        "when it is put into shuffled sequences, compared with its own letters in another order. Weight matrices and "
        "k-mers were found by simple models in the training sequences, and are tested on the networks in the same way."
    )


def _logo(row: pd.Series, motif: Motif, told: dict[str, Any]) -> Figure:
    grey = row["used"] not in (True, "True")
    picture = drawing(
        f"logo-{row['motif']}",
        f"Logo of {row['motif']}: {row['consensus']}",
        partial(draw_logo, motif, grey=grey),
        HALF,
    )
    model, what = FOUND_BY[str(row["model"])], MADE_OF[str(row["model"])]
    effect = words.estimate({"value": row["effect"], "lower": row["effect_lower"], "upper": row["effect_upper"]}, 2)
    says = f"{words.count(row['support'])} {what}; put in, it changes the {told.get('unit')} by {effect}"
    doubt = " Grey: it does not pass all checks." if grey else ""
    return Figure(f"logo-{row['motif']}", f"{row['consensus']} ({model})", picture, f"{says}.{doubt}")


def _motifs(table: pd.DataFrame) -> Table:
    rows = [
        [
            f"{row['motif']}\n{row['consensus']}", str(row["model"]), words.count(row["support"]),
            _interval(row, "effect"), _interval(row, "taken_out"), _match(row), words.probability(row.get("q_value")),
            "yes" if row["used"] in (True, "True") else "no",
        ]
        for _, row in table.iterrows()
    ]  # fmt: skip
    note = (
        "Effects with 95 % intervals. Put in: the consensus over its own shuffles, in shuffled sequences. Taken out: "
        "how much answers sink when its letters are shuffled where it was found. q: false discovery rate over all "
        "comparisons; a match is called below 0.05. Machines read motifs.tsv and motifs.meme."
    )
    columns = ["motif", "model", "support", "put in", "taken out", "best match", "q", "used"]
    return Table(columns, rows, (0, 1, 5, 7), note=note)


def _interval(row: pd.Series, name: str) -> str:
    return words.estimate({"value": row[name], "lower": row[f"{name}_lower"], "upper": row[f"{name}_upper"]}, 2)


def _match(row: pd.Series) -> str:
    if not isinstance(row.get("match"), str) or not row["match"]:
        return words.MISSING
    return str(row["match"]) if row["matched"] in (True, "True") else f"no match\n(nearest: {row['match']})"


def _tracks(files: RunFiles) -> list[Section]:
    path = files.directory / "attributions.npz"
    if not path.is_file():
        return []
    with np.load(path) as kept:
        ids, starts, codes, added = (kept[key] for key in ("sequence_id", "starts", "codes", "attribution"))
    seqlets = _table(files, "seqlets")
    best = _shown(starts, added)
    tracks = [
        Track(
            str(ids[k]), letters(codes[starts[k] : starts[k + 1]]), added[starts[k] : starts[k + 1]].astype(float),
            _of_sequence(seqlets, str(ids[k])),
        )
        for k in best
    ]  # fmt: skip
    names = ", ".join(track.name for track in tracks)
    picture = drawing("tracks", f"What each letter of {names} adds", partial(draw_tracks, tracks), WIDE)
    caption = (
        "The height of a letter is what it adds to the answer, below the line what it takes; only the stretch of each "
        "sequence that matters most is shown. Lines mark stretches that belong to a motif."
    )
    figure = Figure("tracks", "What single letters add", picture, caption)
    return [Section("tracks", "Where in a sequence does the answer come from?", [Figures([figure], columns=1)])]


def _shown(starts: np.ndarray, added: np.ndarray) -> list[int]:
    """Return some sequences, evenly from those of the largest attributions to the middle."""
    sizes = np.array([np.abs(added[a:b]).max(initial=0) for a, b in pairwise(starts)])
    order = np.argsort(-sizes, kind="stable")
    return list(dict.fromkeys(order[np.linspace(0, len(order) // 2, TRACKS).astype(int)].tolist()))


def _of_sequence(seqlets: pd.DataFrame, name: str) -> list[tuple[int, int, str]]:
    if not len(seqlets):
        return []
    own = seqlets[(seqlets["sequence_id"] == name) & (seqlets["motif"].astype(str) != "")]
    return list(zip(own["start"].astype(int), own["end"].astype(int), own["motif"].astype(str), strict=True))


def _of_shuffled(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a network of shuffled labels shows: nothing, if all is well."""
    number, alike = number_or_none(told.get("motifs")), number_or_none(told.get("similarity"))
    if number is None:
        return []
    trained = words.counted(int(told["trained"]), "sequence")
    shows = words.counted(int(number), "motif") if number else "no motif"
    said = f"A network that was trained on shuffled labels of {trained} shows {shows}."
    found = [("warn" if number else "note", said)]
    if alike is not None and not told.get("learnt"):
        said = f"Its attributions resemble those above (rank correlation {words.decimal(alike, 2)})"
        found.append(("warn", f"{said}: these show the sequences more than what was learnt."))
    return found


def _doubts(told: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    agreement, unlearnt = number_or_none(told.get("agreement")), number_or_none(told.get("unlearnt"))
    if agreement is not None and not told.get("agrees"):
        said = f"The networks do not agree on what matters (median correlation {words.decimal(agreement, 2)})"
        found.append(("warn", f"{said}: their motifs are drawn in grey."))
    if unlearnt is not None and not told.get("learnt"):
        said = f"Attributions resemble those of untrained networks (rank correlation {words.decimal(unlearnt, 2)})"
        found.append(("warn", f"{said}: they show how networks are built more than what they have learnt."))
    found += _of_shuffled(part(told, "permuted"))
    if number_or_none(told.get("given_up")) is not None:
        share = words.percent(told.get("given_up"))
        found.append(
            ("note", f"DeepLIFT missed the answers of {share} of the sequences; all were mutated letter by letter.")
        )
    return found
