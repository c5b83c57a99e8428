"""What a run of this job leaves behind beside its bundle: tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sewall.bundle import Bundle
from sewall.crossrun import STATUSES, held_out_intervals
from sewall.data.panel import Sites
from sewall.stacking import STACK, Nested
from sewall.task import Examples

COLUMNS = ["sample_id", "estimate", "lower", "upper", "simple", "support", "network", "reason"]


def predictions_table(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the table of predictions; nothing is claimed for individuals outside the support."""
    return _claimed(answers[COLUMNS])


def _claimed(answers: pd.DataFrame) -> pd.DataFrame:
    table = answers.copy()
    table.loc[table["support"] == "outside", ["lower", "upper"]] = np.nan
    return table


def held_out_table(examples: Examples, nested: Nested, bundle: Bundle, level: float) -> pd.DataFrame:
    """Return everybody's prediction by models that did not know them, beside what was measured."""
    assert examples.target is not None
    lower, upper = held_out_intervals(bundle.calibration, level)
    columns = {
        "sample_id": examples.keys["sample_id"].to_numpy()[nested.rows], "estimate": nested.answers[STACK],
        "lower": lower, "upper": upper, "simple": nested.answers[bundle.about["best_simple"]],
        "support": [STATUSES[code] for code in bundle.calibration["status"]],
        "network": nested.answers["network"], "measured": examples.target[nested.rows],
    }  # fmt: skip
    return _claimed(pd.DataFrame(columns))


def header(trait: str, level: float, held_out: bool) -> list[str]:
    """Return the comment lines above a table."""
    what = "each by models that did not know the individual" if held_out else "individuals not in the training"
    return [f"units: {trait} as it was given; {100 * level:g} % intervals", f"predictions: {what}"]


def chromosomes(sites: Sites) -> list[dict[str, Any]]:
    """Return the name and the number of sites of each chromosome."""
    return [{"name": name, "sites": where.stop - where.start} for name, where in sites.chromosomes()]
