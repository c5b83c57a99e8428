"""Is there more than additive effects? A gain over additive models, and what it could be instead."""

from __future__ import annotations

from typing import Any

import numpy as np

from sewall.console import Console
from sewall.genomic.tagging import REPEATS, tagging_null
from sewall.jobs.trait.models import people_of
from sewall.task import Examples, Rows

ADDITIVE = "additive"  # the stack without models that see more than sums over alleles


def interactions(
    examples: Examples, rows: Rows, gain: dict[str, float], control: str, seed: int, console: Console
) -> dict[str, Any]:
    """Return what the report says of effects that are not additive.

    Args:
        examples: labelled with a quantity.
        rows: those that were used.
        gain: of the stack over the additive one, with its interval.
        control: ``auto`` makes the control where there is a gain beyond chance, ``always`` and ``never`` as they say.
        seed: of the control.
        console: shows its progress.

    Returns:
        ``gain``; ``control``, the result of `tagging_null`, or None; ``grouped``; ``claim``: whether effects that are
        not additive are claimed, which needs folds by groups: relatives share more than their genes.
    """
    beyond = gain["lower"] > 0
    if control == "never" or (control == "auto" and not beyond):
        return {"gain": gain, "control": None, "claim": False}
    people = people_of(examples)
    assert examples.target is not None
    groups = None if examples.groups is None else np.asarray(examples.groups)[rows]
    grouped = groups is not None
    with console.bar("simulating additive traits whose causes are not typed", REPEATS) as bar:
        found = tagging_null(
            people.panel, rows, examples.target[rows], people.covariates, groups, seed=seed, progress=bar.advance
        )
    claim = beyond and grouped and found.verdict == "non-additive"
    return {"gain": gain, "control": found.to_dict(), "grouped": grouped, "claim": claim}
