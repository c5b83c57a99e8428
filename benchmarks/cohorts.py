"""The real panels on which trait prediction is measured: genotypes, traits, and who belongs together.

Each is found in the folder named by SEWALL_DATA; see the file SOURCE.txt beside it for origin and licence.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.joining import match
from sewall.data.panel import Panel
from sewall.data.panels.harmonise import frequencies
from sewall.data.panels.reading import open_panel
from sewall.data.phenotypes import read_phenotypes
from sewall.jobs.trait.people import People
from sewall.task import Examples

RAREST = 0.05  # minor-allele frequency of the sites of rice44k that are kept


@dataclass(frozen=True)
class Cohort:
    """One panel.

    Attributes:
        name: of the panel.
        people: genotypes and covariates, sex among them in mice.
        traits: ``(individuals, traits)``, NaN where not measured.
        groups: ``(individuals,)`` family or cage, or None.
        grouped_by: what the groups are.
    """

    name: str
    people: People
    traits: pd.DataFrame
    groups: NDArray[np.str_] | None = None
    grouped_by: str = ""

    def examples(self, trait: str | list[str], grouped: bool) -> Examples:
        """Return everybody, labelled with one trait or several; with groups to be kept together where asked."""
        keys = pd.DataFrame({"sample_id": self.people.panel.sample_ids})
        target = self.traits[trait].to_numpy(float)
        return Examples(keys, self.people, target, self.groups if grouped else None)


def data() -> Path:
    """Return the folder of the panels."""
    if "SEWALL_DATA" not in os.environ:
        raise SystemExit("set SEWALL_DATA to the folder that holds wheat599, rice44k, mouse_hs1940 and others")
    return Path(os.environ["SEWALL_DATA"])


def wheat(cache: Path) -> Cohort:
    """Return the yields of 599 wheat lines in four environments (Crossa 2010, Genetics 186:713)."""
    folder = data() / "wheat599"
    panel = open_panel(folder / "wheat_X.csv.gz", cache, row_names=False)
    yields = read_phenotypes(folder / "wheat_Y.csv").traits
    yields.columns = [f"yield E{number}" for number in range(1, yields.shape[1] + 1)]
    return Cohort("wheat599", _plain(panel), yields)


RICE = {
    "Flowering.time.at.Arkansas": "flowering (Arkansas)", "Flowering.time.at.Aberdeen": "flowering (Aberdeen)",
    "Panicle.number.per.plant": "panicle number", "Plant.height": "plant height",
    "Panicle.fertility": "panicle fertility",
}  # fmt: skip


def rice(cache: Path) -> Cohort:
    """Return five traits of 374 rice accessions (Zhao 2011, Nat Commun 2:467) at sites that are not rare."""
    folder = data() / "rice44k"
    whole = open_panel(folder / "UNL.bed", cache)
    frequency = frequencies(whole, np.arange(len(whole.sites)))
    common = whole.take_sites(np.minimum(frequency, 1 - frequency) > RAREST)
    return Cohort("rice44k", _plain(common), _joined(common, folder / "44kPhenos.csv", RICE, "PlinkIDs"))


def mouse(cache: Path) -> Cohort:
    """Return two blood traits of heterogeneous stock mice (Valdar 2006, Nat Genet 38:879)."""
    folder = data() / "mouse_hs1940"
    fam = pd.read_csv(folder / "mouse_hs1940.fam", sep=r"\s+", header=None, dtype=str)
    panel = open_panel(folder / "mouse_hs1940.bed", cache, autosomes=19)
    fam = fam.set_index(1).loc[panel.sample_ids]
    male = (fam[4] == "1").to_numpy(float)[:, None]
    traits = pd.DataFrame({name: pd.to_numeric(fam[k], errors="coerce") for k, name in {5: "CD8", 10: "MCH"}.items()})
    families = (fam[2] + " " + fam[3]).to_numpy(str)
    return Cohort("mouse_hs1940", People(panel, male, ("sex",)), traits.reset_index(drop=True), families, "family")


MICE = {
    "Obesity.EndNormalBW": "body weight", "Biochem.HDL": "HDL", "Biochem.ALP": "ALP",
}  # fmt: skip


def mice(cache: Path) -> Cohort:
    """Return three traits of 1,814 of the same mice, with X and with their cages; sex is a covariate."""
    folder = data() / "mice1814"
    sexes = pd.read_csv(folder / "mice_pheno.csv", index_col=0)["GENDER"].astype(str)
    panel = open_panel(
        folder / "mice_X.csv.gz", cache, sites=folder / "mice_map.csv", sex=dict(sexes), autosomes=19
    )  # fmt: skip
    table = read_phenotypes(folder / "mice_pheno.csv", list(MICE), ["GENDER"], groups="cage")
    joined = match(panel.sample_ids, table, folder / "mice_X.csv.gz")
    known = joined.phenotypes
    people = People(panel, joined.over_panel(known.covariates), ("sex",))
    return Cohort("mice1814", people, known.traits.rename(columns=MICE), known.groups, "cage")


MAIZE = {"EarHT": "ear height", "dpoll": "days to pollen", "EarDia": "ear diameter"}


def maize(cache: Path) -> Cohort:
    """Return three traits of 279 maize lines (Flint-Garcia 2005, Plant J 44:1054)."""
    folder = data() / "maize281"
    panel = open_panel(folder / "mdp_genotype_test.hmp.txt.gz", cache)
    return Cohort("maize281", _plain(panel), _joined(panel, folder / "mdp_traits.txt", MAIZE, None))


PANELS: dict[str, Callable[[Path], Cohort]] = {
    "wheat599": wheat, "maize281": maize, "rice44k": rice, "mouse_hs1940": mouse, "mice1814": mice,
}  # fmt: skip


def _plain(panel: Panel) -> People:
    return People(panel, np.zeros((len(panel), 0)))


def _joined(panel: Panel, path: Path, names: dict[str, str], ids: str | None) -> pd.DataFrame:
    """Return traits of everybody in a panel, NaN where not measured."""
    joined = match(panel.sample_ids, read_phenotypes(path, list(names), ids=ids), path, allow_missing=True)
    return pd.DataFrame(joined.over_panel(joined.phenotypes.traits[list(names)]), columns=list(names.values()))
