"""What a training gives back: scores, predictions of those held out, and where everything lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sewall.crossresults import Trained
from sewall.run import words_of
from sewall.stacking import STACK
from sewall.trust.metrics import METRICS


@dataclass(frozen=True)
class TrainResult(Trained):
    """A finished training of one trait."""

    def summary(self) -> str:
        """Return three lines: how well it predicts, what the network adds, and where the page lies."""
        best, adds = self.evaluation["best_simple"], self.evaluation["network_adds"]
        cover = self.evaluation["calibration"]["coverage"]["value"]
        called = METRICS[self.evaluation["metric"]].name
        what = "sets" if self.evaluation["target"]["classes"] else "intervals"
        return (
            f"{self.evaluation['n']} individuals: {called} of the stack {words_of(self.score(STACK))}, of "
            f"{best['name']} {words_of(self.score(best['key']))}\n"
            f"the network adds {adds['value']:+.3f} ({adds['lower']:+.3f} to {adds['upper']:+.3f}) to the stack; "
            f"{100 * self.evaluation['level']:g} % {what} cover {100 * cover:.1f} %\n"
            f"{self.report}"
        )


@dataclass(frozen=True)
class TrainResults:
    """A finished training of several traits.

    Attributes:
        traits: the result of each; every trait has a folder of its own.
        table: one row per trait: individuals, scores, what the network adds, coverage.
        folder: the run directory.
        report: the page that sets the traits side by side.
    """

    traits: dict[str, TrainResult]
    table: pd.DataFrame
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return a line per trait, and where the page lies."""
        lines = [
            f"{name}: {result.evaluation['n']} individuals, {METRICS[result.evaluation['metric']].name} of the stack "
            f"{words_of(result.score(STACK))}"
            for name, result in self.traits.items()
        ]
        return "\n".join([*lines, str(self.report)])


def side_by_side(traits: dict[str, TrainResult]) -> pd.DataFrame:
    """Return one row per trait: who was measured, how well it is predicted, and what the network adds."""
    rows = []
    for name, result in traits.items():
        scores, best = result.evaluation, result.evaluation["best_simple"]
        stack, adds = result.score(STACK), scores["network_adds"]
        rows.append(
            {"trait": name, "folder": result.folder.name, "individuals": scores["n"], "metric": scores["metric"],
             "stack": stack["value"], "stack_lower": stack["lower"], "stack_upper": stack["upper"],
             "best_simple": best["name"], "simple": result.score(best["key"])["value"],
             "network": result.score("network")["value"], "network_adds": adds["value"],
             "network_adds_lower": adds["lower"], "network_adds_upper": adds["upper"],
             "coverage": scores["calibration"]["coverage"]["value"]}
        )  # fmt: skip
    return pd.DataFrame(rows)
