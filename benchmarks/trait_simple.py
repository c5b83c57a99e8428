"""Traits: the classical models reach the figures they are known for.

    SEWALL_DATA=... python benchmarks/trait_simple.py [--panels wheat599 rice44k] [--models gblup gaussian] [--seeds 3]

Correlation, in the held-out fold, of what a model adds to the covariates with what the covariates leave of the trait,
averaged over folds and seeds. Folds are those stored with the data (wheat599), or five: at random, and with families or
cages held out whole. Inner folds keep the same groups together. Beside each figure that is known stands the difference.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from reporting import write
from sklearn.model_selection import GroupKFold, KFold
from threadpoolctl import threadpool_limits

from sewall.data.joining import match
from sewall.data.panel import Panel
from sewall.data.panels.harmonise import frequencies
from sewall.data.panels.reading import open_panel
from sewall.data.phenotypes import read_phenotypes
from sewall.genomic.blup import XLinked
from sewall.genomic.catalogue import ALL, KINDS, Kind
from sewall.genomic.kernels import Kernels
from sewall.jobs.trait.models import inner_folds
from sewall.task import Rows

Floats = NDArray[np.float64]

BASE = "covariates"
FOLDS = 5
WITHIN = 0.02  # of a known figure
RAREST = 0.05  # minor-allele frequency of the sites of rice44k


@dataclass(frozen=True)
class Trial:
    """One trait of one panel.

    Attributes:
        panel: genotypes of those who were measured.
        data, trait: names.
        target: ``(individuals,)`` trait.
        covariates: ``(individuals, k)``.
        groups: ``(individuals,)`` family or cage, or None.
        grouped_by: what the groups are.
        stored: ``(individuals,)`` folds that came with the data, or None.
    """

    panel: Panel
    data: str
    trait: str
    target: Floats
    covariates: Floats
    groups: NDArray[np.str_] | None = None
    grouped_by: str = ""
    stored: Rows | None = None


def data() -> Path:
    """Return the folder of the panels."""
    if "SEWALL_DATA" not in os.environ:
        raise SystemExit("set SEWALL_DATA to the folder that holds wheat599, rice44k, mouse_hs1940 and mice1814")
    return Path(os.environ["SEWALL_DATA"])


def wheat(cache: Path) -> Iterator[Trial]:
    """Yield the yields of 599 wheat lines in four environments (Crossa 2010, Genetics 186:713)."""
    folder = data() / "wheat599"
    panel = open_panel(folder / "wheat_X.csv.gz", cache, row_names=False)
    yields = read_phenotypes(folder / "wheat_Y.csv").traits
    stored = pd.read_csv(folder / "wheat_sets.csv")["set"].to_numpy() - 1
    for number, column in enumerate(yields, start=1):
        target = yields[column].to_numpy(float)
        yield Trial(panel, "wheat599", f"yield E{number}", target, np.zeros((len(panel), 0)), stored=stored)


RICE = {
    "Plant.height": "plant height", "Flowering.time.at.Arkansas": "flowering (Arkansas)",
    "Panicle.number.per.plant": "panicle number",
}  # fmt: skip


def rice(cache: Path) -> Iterator[Trial]:
    """Yield three traits of 374 rice accessions (Zhao 2011, Nat Commun 2:467) at sites that are not rare."""
    folder = data() / "rice44k"
    whole = open_panel(folder / "UNL.bed", cache)
    frequency = frequencies(whole, np.arange(len(whole.sites)))
    common = whole.take_sites(np.minimum(frequency, 1 - frequency) > RAREST)
    table = read_phenotypes(folder / "44kPhenos.csv", list(RICE), ids="PlinkIDs")
    joined = match(common.sample_ids, table, folder / "UNL.bed", allow_missing=True)
    for column, name in RICE.items():
        target: Floats = joined.over_panel(joined.phenotypes.traits[[column]])[:, 0]
        yield measured(Trial(common, "rice44k", name, target, np.zeros((len(common), 0))))


def mouse(cache: Path) -> Iterator[Trial]:
    """Yield two blood traits of heterogeneous stock mice (Valdar 2006, Nat Genet 38:879); sex is a covariate."""
    folder = data() / "mouse_hs1940"
    fam = pd.read_csv(folder / "mouse_hs1940.fam", sep=r"\s+", header=None, dtype=str)
    panel = open_panel(folder / "mouse_hs1940.bed", cache, autosomes=19)
    fam = fam.set_index(1).loc[panel.sample_ids]
    male = np.asarray(fam[4] == "1", float)[:, None]
    families = (fam[2] + " " + fam[3]).to_numpy(str)
    for column, name in {5: "CD8", 10: "MCH"}.items():
        target = pd.to_numeric(fam[column], errors="coerce").to_numpy(float)
        yield measured(Trial(panel, "mouse_hs1940", name, target, male, families, "family"))


def mice(cache: Path) -> Iterator[Trial]:
    """Yield the weight of 1,814 of the same mice, with X and with their cages; sex is a covariate."""
    folder = data() / "mice1814"
    sexes = pd.read_csv(folder / "mice_pheno.csv", index_col=0)["GENDER"].astype(str)
    table = read_phenotypes(folder / "mice_pheno.csv", ["Obesity.EndNormalBW"], ["GENDER"], groups="cage")
    panel = open_panel(
        folder / "mice_X.csv.gz", cache, sites=folder / "mice_map.csv", sex=dict(sexes), autosomes=19
    )  # fmt: skip
    joined = match(panel.sample_ids, table, folder / "mice_X.csv.gz")
    known = joined.phenotypes
    target = known.traits["Obesity.EndNormalBW"].to_numpy(float)
    yield Trial(panel, "mice1814", "body weight", target, known.covariates.to_numpy(float), known.groups, "cage")


PANELS: dict[str, Callable[[Path], Iterator[Trial]]] = {
    "wheat599": wheat, "rice44k": rice, "mouse_hs1940": mouse, "mice1814": mice,
}  # fmt: skip

# Lowest and highest figure known for the same folds or folds of the same kind.
KNOWN: dict[tuple[str, str, str, str], tuple[float, float]] = {
    ("wheat599", "yield E1", "stored", "gblup"): (0.53, 0.53),
    ("wheat599", "yield E2", "stored", "gblup"): (0.48, 0.48),
    ("wheat599", "yield E3", "stored", "gblup"): (0.37, 0.42),
    ("wheat599", "yield E4", "stored", "gblup"): (0.47, 0.47),
    ("wheat599", "yield E1", "stored", "gaussian"): (0.59, 0.59),
    ("wheat599", "yield E2", "stored", "gaussian"): (0.48, 0.48),
    ("wheat599", "yield E3", "stored", "gaussian"): (0.43, 0.46),
    ("wheat599", "yield E4", "stored", "gaussian"): (0.52, 0.52),
    ("rice44k", "plant height", "random", "gblup"): (0.75, 0.75),
    ("rice44k", "flowering (Arkansas)", "random", "gblup"): (0.67, 0.67),
    ("rice44k", "panicle number", "random", "gblup"): (0.81, 0.81),
    ("mouse_hs1940", "CD8", "random", "gblup"): (0.71, 0.71),
    ("mouse_hs1940", "MCH", "random", "gblup"): (0.60, 0.60),
    ("mice1814", "body weight", "random", "gblup"): (0.47, 0.47),
    ("mice1814", "body weight", "cage", "gblup"): (0.41, 0.41),
}


def measured(trial: Trial) -> Trial:
    """Return the trial of those alone who have the trait."""
    rows = np.flatnonzero(np.isfinite(trial.target))
    panel = trial.panel
    codes = panel.calls.codes(slice(None))[:, rows]
    assert panel.calls.bits == 2 and not len(panel.odd)
    own = Panel.from_codes(codes, panel.sites, [panel.sample_ids[row] for row in rows], panel.copies[:, rows])
    groups = None if trial.groups is None else trial.groups[rows]
    return replace(trial, panel=own, target=trial.target[rows], covariates=trial.covariates[rows], groups=groups)


def divisions(trial: Trial, seeds: Sequence[int]) -> Iterator[tuple[str, int, Rows]]:
    """Yield the kind of folds, their seed, and ``(individuals,)`` which fold each is in."""
    everyone = np.arange(len(trial.target))
    if trial.stored is not None:
        yield "stored", 0, trial.stored
        return
    for seed in seeds:
        yield "random", seed, _numbers(everyone, KFold(FOLDS, shuffle=True, random_state=seed).split(everyone))
        if trial.groups is not None:
            folds = GroupKFold(FOLDS, shuffle=True, random_state=seed).split(everyone, groups=trial.groups)
            yield trial.grouped_by, seed, _numbers(everyone, folds)


def _numbers(everyone: Rows, folds: Any) -> Rows:
    found = np.empty_like(everyone)
    for number, (_, test) in enumerate(folds):
        found[test] = number
    return found


def added(trial: Trial, folds: Rows, kinds: Sequence[Kind], grouped: bool) -> dict[str, list[float]]:
    """Return by model and fold the correlation of what it adds to the covariates with what these leave."""
    found: dict[str, list[float]] = {kind.key: [] for kind in kinds}
    for fold in np.unique(folds):
        rows, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        inner = inner_folds(len(rows), trial.groups[rows] if grouped and trial.groups is not None else None)
        kernels = Kernels(trial.panel, rows)
        base = np.zeros(0)
        for kind in (KINDS[BASE], *kinds):
            model = kind().fit(trial.panel, rows, trial.target[rows], trial.covariates, kernels, inner)
            answer = model.predict(trial.panel, test, trial.covariates)
            if kind.key == BASE:
                base = answer
            else:
                found[kind.key].append(_correlation(answer - base, trial.target[test] - base))
    return found


def _correlation(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 1e-9 else 0.0


def benchmark(trial: Trial, keys: Sequence[str], seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Return a row for each kind of folds and model, and print it."""
    x_linked = bool((trial.panel.copies[1] == 1).any() and (trial.panel.sites.inheritance == 1).any())
    kinds = [kind for kind in ALL if kind.key in keys and (x_linked or kind is not XLinked)]
    scores: dict[tuple[str, str], list[list[float]]] = {}
    start = time.process_time()
    for name, _, folds in divisions(trial, seeds):
        for key, values in added(trial, folds, kinds, name == trial.grouped_by).items():
            scores.setdefault((name, key), []).append(values)
    seconds = time.process_time() - start
    n, sites = len(trial.target), len(trial.panel.sites)
    print(f"\n{trial.data}, {trial.trait}: n = {n:,}, {sites:,} sites, {seconds:.0f} CPU seconds", flush=True)
    rows = [_row(trial, name, key, values) for (name, key), values in scores.items()]
    for row in rows:
        known = "" if row["known"] is None else f"   known {_range(row['known'])}, {'ok' if row['within'] else 'OFF'}"
        print(f"  {row['folds']:<8} {row['model']:<11} {row['r']:.3f}   between seeds {row['sd']:.3f}{known}")
    return [row | {"n": n, "sites": sites} for row in rows]


def _row(trial: Trial, name: str, key: str, values: list[list[float]]) -> dict[str, Any]:
    by_seed = np.mean(values, axis=1)
    known = KNOWN.get((trial.data, trial.trait, name, key))
    r = float(by_seed.mean())
    within = None if known is None else bool(known[0] - WITHIN <= r <= known[1] + WITHIN)
    return {
        "data": trial.data, "trait": trial.trait, "folds": name, "model": key, "r": r, "seeds": len(values),
        "sd": float(by_seed.std(ddof=1)) if len(values) > 1 else 0.0, "by_fold": values, "known": known,
        "within": within,
    }  # fmt: skip


def _range(known: tuple[float, float]) -> str:
    return f"{known[0]:.2f}" if known[0] == known[1] else f"{known[0]:.2f} to {known[1]:.2f}"


def main() -> None:
    arguments = _parsed()
    rows: list[dict[str, Any]] = []
    with threadpool_limits(1):
        for name in arguments.panels:
            for trial in PANELS[name](arguments.cache / name):
                rows += benchmark(trial, arguments.models, range(1, 1 + arguments.seeds))
    known = [row for row in rows if row["known"] is not None]
    print(f"\n{sum(row['within'] for row in known)} of {len(known)} known figures within {WITHIN}")
    settings = {"seeds": arguments.seeds, "folds": FOLDS, "models": arguments.models}
    write(arguments.name, {"setting": "simple models", **settings, "rows": rows})


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Known figures of the classical models.")
    models = [kind.key for kind in ALL if kind.key != BASE]
    parser.add_argument("--panels", nargs="+", choices=list(PANELS), default=list(PANELS))
    parser.add_argument("--models", nargs="+", choices=models, default=models)
    parser.add_argument("--seeds", type=int, default=3, help="divisions into folds")
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/panels"), help="folder of copies")
    parser.add_argument("--name", default="trait_simple", help="of the file of results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
