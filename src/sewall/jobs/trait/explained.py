"""The tables of an explanation: variants, chromosomes and windows, and the test of each site for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sewall.data.joining import match
from sewall.data.panel import Panel, Sites
from sewall.data.phenotypes import Phenotypes, read_phenotypes
from sewall.errors import SewallError
from sewall.genomic.association import Associations, Part
from sewall.genomic.contract import Floats
from sewall.genomic.kernels import Kernels
from sewall.genomic.score import LinearScore
from sewall.genomic.weights import chromosome_scores, variance_shares
from sewall.jobs.trait.importance import Attributed
from sewall.jobs.trait.options import ExplainOptions
from sewall.jobs.trait.people import People
from sewall.jobs.trait.reading import SEX
from sewall.task import Rows


@dataclass(frozen=True)
class Associated:
    """Association of each site with the trait as it was measured.

    Attributes:
        p_value: ``(sites,)``, NaN where nothing was measured.
        trait: column of the table, or an empty text.
        individuals: that were measured.
        notes: for the user.
    """

    p_value: Floats
    trait: str = ""
    individuals: int = 0
    notes: tuple[str, ...] = ()

    @property
    def inflation(self) -> float:
        """Genomic control (Devlin & Roeder 1999): median statistic over that of chance; ancestry and kin raise it."""
        return float(stats.chi2.isf(np.nanmedian(self.p_value), 1) / stats.chi2.median(1))

    def to_dict(self) -> dict[str, Any] | None:
        """Return what was tested, for ``evaluation.json``; None where nothing was."""
        if not self.trait:
            return None
        return {"trait": self.trait, "individuals": self.individuals, "inflation": self.inflation}

    @classmethod
    def of(cls, options: ExplainOptions, about: Mapping[str, Any], trait: str, label: str, panel: Panel) -> Associated:
        """Test every site beside the covariates of a bundle, in the individuals of the table.

        Args:
            options: name the table, and perhaps the column.
            about: what the bundle says of itself.
            trait: of the bundle, the column by default.
            label: the class whose chance is explained, or an empty text.
            panel: genotypes.

        Raises:
            SewallError: what `read_phenotypes` and `match` refuse, or a trait without a table.
        """
        if options.phenotypes is None:
            if options.trait is not None:
                raise SewallError(f"--trait {options.trait}: p values need a table; give --phenotypes")
            return cls(np.full(len(panel.sites), np.nan))
        of_classes = [trait] if label and options.trait in (None, trait) else []
        trait = options.trait or trait
        table = read_phenotypes(
            options.phenotypes, [trait], about["given_covariates"], ids=options.ids, levels=about["levels"],
            classes=of_classes,
        )  # fmt: skip
        joined = match(panel.sample_ids, table, options.genotypes, options.allow_missing, drop_collinear=False)
        known = np.flatnonzero(joined.phenotypes.traits[trait].notna().to_numpy())
        rows, own = joined.rows[known], joined.phenotypes.take(known)
        covariates = own.covariates.to_numpy(float)
        if SEX in about["covariates"]:
            covariates = np.column_stack([covariates, People(panel, np.zeros((len(panel), 0))).male[rows]])
        whole = Part.of(np.arange(len(rows)), np.arange(0), _values(own, trait, label), covariates)
        found = Associations.of(Kernels(panel, rows), [whole])
        return cls(found.p_value[:, 0], trait, len(rows), (*table.notes, *joined.notes))


def _values(table: Phenotypes, trait: str, label: str) -> Floats:
    """Return the trait, or whether it is the class that is explained."""
    values = table.traits[trait].to_numpy(float)
    classes = list(table.classes.get(trait, ()))
    return (values == classes.index(label)).astype(float) if label in classes and len(classes) > 2 else values


def header(trait: str, label: str, tested: Associated) -> list[str]:
    """Return the comment lines above the table of variants."""
    scale = f"log odds of {label}" if label else f"units of {trait} as it was learnt"
    p_value = (
        f"p_value: of {tested.trait} in {tested.individuals} individuals" if tested.trait else "p_value: not asked"
    )
    return [
        "positions from 1; all weights are of copies of alt",
        f"importance: mean size of what the variant adds to the network's answer ({scale})",
        "network_weight: what a copy adds to the network's answer on average; linear_weight: to that of GBLUP",
        p_value,
    ]


def variants_table(sites: Sites, found: Attributed, linear: LinearScore, tested: Associated) -> pd.DataFrame:
    """Return one row per variant, in the order of the panel."""
    return pd.DataFrame(
        {"chrom": sites.chrom, "position": sites.position + 1, "name": sites.name, "ref": sites.alleles[:, 0],
         "alt": sites.alleles[:, 1], "importance": found.importance, "network_weight": found.per_copy,
         "linear_weight": linear.additive, "p_value": tested.p_value}
    )  # fmt: skip


def chromosomes_table(
    panel: Panel, rows: Rows, found: Attributed, tiles: list[slice], linear: LinearScore
) -> pd.DataFrame:
    """Return one row per chromosome: what it adds, and which share of the variance of the predictions that is."""
    named = panel.sites.chromosomes()
    first = np.searchsorted([tile.start for tile in tiles], [where.start for _, where in named])
    network = np.add.reduceat(found.by_stretch, first, axis=1)
    return pd.DataFrame(
        {"chrom": [name for name, _ in named], "sites": [where.stop - where.start for _, where in named],
         "importance": np.abs(network).mean(axis=0), "network": variance_shares(network),
         "linear": variance_shares(chromosome_scores(linear, panel, rows))}
    )  # fmt: skip


def windows_table(
    sites: Sites, variants: pd.DataFrame, found: Attributed, chosen: Rows, parts: list[slice], changes: Floats
) -> pd.DataFrame:
    """Return one row per window.

    Args:
        sites: of the panel.
        variants: their table.
        found: attributions.
        chosen: numbers of the windows among the stretches.
        parts: their sites.
        changes: ``(individuals, windows)`` of the answer when a window is knocked out.
    """
    top = [part.start + int(variants["importance"].to_numpy()[part].argmax()) for part in parts]
    name = [str(sites.name[k]) or f"{sites.chrom[k]}:{sites.position[k] + 1}" for k in top]
    p_value = variants["p_value"].to_numpy()
    return pd.DataFrame(
        {"chrom": [sites.chrom[part.start] for part in parts],
         "start": [int(sites.position[part.start]) + 1 for part in parts],
         "end": [int(sites.position[part.stop - 1]) + 1 for part in parts],
         "sites": [part.stop - part.start for part in parts],
         "importance": np.abs(found.by_stretch[:, chosen]).mean(axis=0),
         "knock_out": np.abs(changes).mean(axis=0), "strongest": name,
         "p_value": [np.nanmin(p_value[part]) if np.isfinite(p_value[part]).any() else np.nan for part in parts]}
    )  # fmt: skip
