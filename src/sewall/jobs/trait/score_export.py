"""The linear models of a bundle as scoring files, for anybody's program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.panel import Sites, X
from sewall.data.score_files import UNKNOWN, ScoreFile, write_score_file
from sewall.encode.alleles import UNKNOWN_ALLELES
from sewall.genomic.score import LinearScore
from sewall.genomic.weights import allele_weights, depends_on_sex, linear_scores
from sewall.rundir import RunDirectory

FOLDER = "scores"
X_MALES = "x_males"  # key of the header: copies as which a male's one copy of X counts


def export_scores(
    folder: RunDirectory, models: Iterable[object], sites: Sites, trait: str, build: str | None
) -> list[dict[str, Any]]:
    """Write one scoring file for each linear model, two where alleles weigh otherwise in males; say what they hold.

    Sites whose alleles are unknown cannot stand in such a file; a model with no other gets none.

    Args:
        folder: of the run.
        models: genomic predictors of any kind.
        sites: that they were fitted to.
        trait: its name.
        build: of the genome, where it is known.
    """
    lettered = np.asarray(~np.isin(sites.alleles, UNKNOWN_ALLELES).any(axis=1), bool)
    on_x, found = bool((sites.inheritance == X).any()), []
    for key, (name, score) in linear_scores(models).items():
        sexes = (("females", False), ("males", True)) if depends_on_sex(score, sites) else (("", False),)
        for sex, male in sexes:
            file = f"{FOLDER}/{key}{'.' * bool(sex)}{sex}.txt.gz"
            held, left_out, at_frequencies = _score_file(score, sites, lettered, male)
            header = {
                "pgs_name": f"{trait}: {name}{', ' * bool(sex)}{sex}", "trait_reported": trait,
                "genome_build": build or UNKNOWN, "weight_type": "beta", **({X_MALES: "one"} if on_x else {}),
                "score_at_training_frequencies": f"{at_frequencies:.10g}",
            }  # fmt: skip
            if len(held[0]):
                write_score_file(folder.claim(file), ScoreFile.of(header, *held))
                found.append({"key": key, "name": name, "sex": sex, "variants": len(held[0]), "file": file})
                found[-1]["left_out"] = left_out
    return found


def _score_file(
    score: LinearScore, sites: Sites, lettered: NDArray[np.bool_], male: bool
) -> tuple[tuple[pd.DataFrame, NDArray | None, NDArray | None, NDArray], int, float]:
    """Return place, weights and frequencies of the sites that have a weight, how many are left out, and the mean."""
    weights = allele_weights(score, sites, male)
    rows = np.flatnonzero(weights.used & lettered)
    some = sites.take(rows)
    place = pd.DataFrame(
        {"name": some.name, "chrom": some.chrom, "position": some.position, "effect": some.alleles[:, 1],
         "other": some.alleles[:, 0]}
    )  # fmt: skip
    by_copies = None if weights.by_copies is None else weights.by_copies[rows]
    per_copy = weights.per_copy[rows] if by_copies is None else None
    frequency = score.coding.frequency[rows].astype(float)
    return (place, per_copy, by_copies, frequency), int((weights.used & ~lettered).sum()), weights.at_frequencies
