"""Labelled sequences for the benchmarks, as tables that `sewall sequence train` reads; needs `SEWALL_DATA`."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

BOUND = ("EP300", "JUND", "SIN3A", "EP300_47848", "KAT2B", "TP53", "ZZZ3")
MOST = 6_000  # of 111,458 sequences of C. elegans, drawn once: a benchmark should end
SPECIES = {"ecoli": "Escherichia_coli", "gpickeringii": "Geobacter_pickeringii", "celegans": "Caenorhabditis_elegans"}


@dataclass(frozen=True)
class Known:
    """A set with what is known of it.

    Attributes:
        train, test: tables; without a test, cross-validation gives the score.
        metric: of the bar.
        bar: what is to be reached.
        known: figures of others, by name.
        options: of the training.
        elsewhere: labelled sequences of another kind, which the bundle is asked about as well, by name.
    """

    train: pd.DataFrame
    test: pd.DataFrame | None
    metric: str
    bar: float
    known: dict[str, float]
    options: dict[str, object]
    elsewhere: dict[str, pd.DataFrame] = field(default_factory=dict)


def data(*parts: str) -> Path:
    """Return a path below `SEWALL_DATA`."""
    return Path(os.environ["SEWALL_DATA"]).joinpath(*parts)


def records(path: Path) -> Iterator[tuple[str, str]]:
    """Yield header and letters of a gzipped FASTA file."""
    header, parts = "", list[str]()
    with gzip.open(path, "rt") as lines:
        for line in lines:
            if line.startswith(">"):
                if parts:
                    yield header, "".join(parts)
                header, parts = line[1:].strip(), []
            else:
                parts.append(line.strip())
    yield header, "".join(parts)


def _table(rows: list[tuple[str, ...]], *more: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["sequence_id", "sequence", "label", *more])


def primer() -> Known:
    """Return the tutorial's sequences in the tutorial's own split (scikit-learn, a quarter for the test, seed 42)."""
    from sklearn.model_selection import train_test_split

    texts, labels = (data("primer", name).read_text().split() for name in ("sequences.txt", "labels.txt"))
    every = _table([(f"s{k}", text, label) for k, (text, label) in enumerate(zip(texts, labels, strict=True))])
    train, test = train_test_split(np.arange(len(every)), test_size=0.25, random_state=42)
    known = {"tutorial's CNN": 0.98}
    return Known(every.iloc[train], every.iloc[test], "accuracy", 1.0, known, {})


_BEST = {
    "EP300": (0.9907, 0.9753), "JUND": (0.9687, 0.9316), "SIN3A": (0.9114, 0.8661), "EP300_47848": (0.9533, 0.9236),
    "KAT2B": (0.9216, 0.8712), "TP53": (0.8240, 0.7782), "ZZZ3": (0.9629, 0.9370),
}  # fmt: skip


def bound(name: str) -> Known:
    """Return sites of a transcription factor, in the split that was published with them."""
    best, network = _BEST[name]
    known = {"FastSK": best, "char-CNN": network}
    options: dict[str, object] = {"strands": "both", "places": "free"}
    elsewhere = {"ZZZ3": _bound("ZZZ3", "test")} if name == "JUND" else {}
    train, test = (_bound(name, which) for which in ("train", "test"))
    return Known(train, test, "auroc", best, known, options, elsewhere)


def _bound(name: str, which: str) -> pd.DataFrame:
    rows = enumerate(records(data("tfbs", f"{name}.{which}.fasta.gz")))
    return _table([(f"{which}{k}", text, header) for k, (header, text) in rows])


def splice() -> Known:
    """Return splice junctions of primates; copies stay in one fold, and ten folds give the score."""
    lines = data("splice", "splice.data").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if line.strip()]
    table = _table([(f"{row[1]}.{k}", row[2], row[0]) for k, row in enumerate(rows)])
    return Known(table, None, "accuracy", 0.965, {"letters by position": 0.958}, {"folds": 10})


def methylated(species: str) -> Known:
    """Return 41 letters around cytosines, methylated (4mC) or not, in the split that was published with them."""
    known = {"ecoli": 0.951, "gpickeringii": 0.906}.get(species)
    figures = {"k-mers and letters by position": known} if known else {}
    elsewhere = {name: _methylated(name, "test") for name in SPECIES if name != species and species == "ecoli"}
    train, test = (_methylated(species, which) for which in ("train", "test"))
    if species == "celegans":
        train = train.sample(MOST, random_state=1)
    return Known(train, test, "auroc", (known or 0.95) + 0.01, figures, {}, elsewhere)


def _methylated(species: str, which: str) -> pd.DataFrame:
    rows: list[tuple[str, ...]] = []
    for label in "PN":
        path = data("methylation_4mc", f"{SPECIES[species]}-{which}-{label}.txt.gz")
        rows += [(f"{which}{label}{k}", text, label) for k, (_, text) in enumerate(records(path))]
    return _table(rows)


def noncoding() -> Known:
    """Return transcripts of the mouse, long non-coding or not; genes stay in one fold, and are not in the test."""

    def part(which: str) -> pd.DataFrame:
        rows: list[tuple[str, ...]] = []
        for label in ("positive", "negative"):
            for header, text in records(data("lncrna", f"{which}_Mouse_{label}.txt.gz")):
                fields = header.split("|")
                rows.append((f"{fields[0]}.{label}", text, label, fields[5]))
        return _table(rows, "group")

    train, test = part("validation"), part("test")
    test = test[~test["group"].isin(train["group"]) & ~test["sequence"].isin(train["sequence"])]
    options: dict[str, object] = {"strands": "one", "places": "free"}
    return Known(train, test, "accuracy", 0.95, {"3-mers": 0.747}, options, {"human": _human()})


def _human() -> pd.DataFrame:
    rows: list[tuple[str, ...]] = []
    for label, name in (("positive", "Human_LncRNAs"), ("negative", "Human_PCTs")):
        for header, text in records(data("lncrna", f"{name}.txt.gz")):
            rows.append((f"{header.split('|')[0]}.{label}", text, label))
    return _table(rows)


def promoters() -> Known:
    """Return core promoters of three plants with their strength; genes stay in one fold."""
    table = pd.read_csv(data("plant_promoters_leaf", "CNN_test_leaf.tsv"), sep="\t")
    names = [f"{gene}.{k}" for k, gene in enumerate(table["gene"])]
    found = pd.DataFrame({"sequence_id": names, "sequence": table["sequence"], "label": table["enrichment"]})
    known = {"k-mer ridge": 0.484, "authors' CNN, ten times the data": 0.714}
    return Known(found.assign(group=table["gene"]), None, "r2", 0.58, known, {"strands": "one"})


SETS: dict[str, Callable[[], Known]] = {
    "primer": primer,
    **{name: partial(bound, name) for name in BOUND},
    "splice": splice,
    **{name: partial(methylated, name) for name in SPECIES},
    "lncrna": noncoding,
    "promoters": promoters,
}
