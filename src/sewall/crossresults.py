"""What a training of cross-fitted models gives back, whatever the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Trained:
    """A finished training of one target.

    Attributes:
        evaluation: scores on examples that models did not know.
        table: their predictions.
        folder: the run directory.
        report: the page.
    """

    evaluation: dict[str, Any]
    table: pd.DataFrame
    folder: Path
    report: Path

    def score(self, key: str) -> dict[str, float]:
        """Return the score of one model, ``value``, ``lower`` and ``upper``, in the metric of the evaluation."""
        model = next(m for m in self.evaluation["models"] if m["key"] == key)
        found: dict[str, float] = model["metrics"][self.evaluation["metric"]]
        return found
