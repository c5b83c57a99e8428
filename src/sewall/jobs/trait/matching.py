"""Genotypes brought to the sites of a bundle: matched by place and letters, absent ones filled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import provenance
from sewall.bundle import Bundle
from sewall.data.panel import Panel
from sewall.data.panels.harmonise import USED, harmonise
from sewall.errors import SewallError
from sewall.genomic.blup import GBLUP
from sewall.genomic.filling import fill
from sewall.jobs.options import command
from sewall.jobs.trait.models import SPREAD
from sewall.jobs.trait.options import PredictOptions
from sewall.jobs.trait.reading import input_record
from sewall.jobs.trait.task import TraitTask, genomic_model
from sewall.jobs.trait.training import CITATIONS
from sewall.rundir import RunDirectory

MATCH_HEADER = [
    "what became of each site of the bundle; known: share of its variation that these data tell, absent sites being "
    "filled in from the linkage among the training individuals"
]
FEWEST_SITES = 0.2  # share of the bundle's sites below which nothing is predicted


def matched_panel(genotypes: Path, raw: Panel, task: TraitTask, bundle: Bundle) -> tuple[Panel, pd.DataFrame]:
    """Return a panel at the sites of a bundle, and what became of each of them.

    Raises:
        SewallError: too few of the sites are in the data.
    """
    panel, matched = harmonise(raw, task.sites, bundle.extra["frequency"])
    check_match(genotypes, matched)
    return completed(bundle, panel, matched)


def completed(bundle: Bundle, panel: Panel, matched: pd.DataFrame) -> tuple[Panel, pd.DataFrame]:
    """Fill in the sites of the bundle that a panel lacks, from the linkage among the training individuals.

    Returns:
        The panel, and the report with ``known``: the share of each site's variation that its neighbours tell, 1 for
        sites that are there.
    """
    blup = genomic_model({model.key: model for model in bundle.simple_models}, SPREAD)
    absent = ~matched["outcome"].isin(USED).to_numpy()
    if not isinstance(blup, GBLUP) or blup.reference is None:
        return panel, matched.assign(known=np.where(absent, 0.0, 1.0))
    filled, known = fill(panel, absent, blup.reference)
    return filled, matched.assign(known=known)


def check_match(genotypes: Path, matched: pd.DataFrame) -> None:
    """Raise where too few of the bundle's sites are in the data."""
    used = float(matched["outcome"].isin(USED).mean())
    if used < FEWEST_SITES:
        reason = Counter(matched.loc[~matched["outcome"].isin(USED), "outcome"]).most_common(1)[0]
        raise SewallError(
            f"{genotypes}: has {used:.1%} of the {len(matched)} sites of the bundle ({reason[1]} {reason[0]}); "
            "give data of the same array and genome build, or train on sites that both have"
        )


def record(
    verb: str, options: PredictOptions, folder: RunDirectory, panel: Panel, matched: pd.DataFrame, notes: Sequence[str],
    begun: str, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return what ``run.json`` holds of a verb that asks a bundle about genotypes."""
    outcomes = matched["outcome"].value_counts()
    return provenance.record(
        job="trait", verb=verb, command=command(verb, options, ("bundle", "genotypes"), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        inputs=[input_record(options.genotypes, panel)], citations=CITATIONS, level=options.level,
        dropped=[{"reason": r, "count": int(n), "of": len(matched)} for r, n in outcomes.items() if r not in USED],
        notes=list(notes), **more,
    )  # fmt: skip
