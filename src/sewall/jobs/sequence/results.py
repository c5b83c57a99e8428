"""What a training of this job gives back."""

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
    """A finished training of one label."""

    def summary(self) -> str:
        """Return the audit, how well labels are predicted, the verdict, whether more would help, and the page."""
        scores, best = self.evaluation, self.evaluation["best_simple"]
        called, cover = METRICS[scores["metric"]].name, scores["calibration"]["coverage"]["value"]
        what = "sets" if scores["target"]["classes"] else "intervals"
        grave = [f["what"] for f in scores["audit"]["findings"] if f["status"] == "fail"]
        audit = f"audit: {scores['audit']['status']}" + (f" ({'; '.join(grave)})" if grave else "")
        curve = f"\n{scores['curve']['said']}" if scores["curve"] else ""
        return (
            f"{audit}\n{scores['n']} sequences held out: {called} of the stack {words_of(self.score(STACK))}, of "
            f"{best['name']} {words_of(self.score(best['key']))}; {100 * scores['level']:g} % {what} cover "
            f"{100 * cover:.1f} %\n{scores['verdict_word']} ({scores['verdict_phrase']}): {scores['verdict']}{curve}\n"
            f"{self.report}"
        )


@dataclass(frozen=True)
class TrainResults:
    """A finished training of several labels.

    Attributes:
        labels: the result of each; every label has a folder of its own.
        table: one row per label.
        folder: the run directory.
        report: the page that sets the labels side by side.
    """

    labels: dict[str, TrainResult]
    table: pd.DataFrame
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return a line per label, and where the page lies."""
        lines = [
            f"{name}: {METRICS[result.evaluation['metric']].name} of the stack {words_of(result.score(STACK))}"
            for name, result in self.labels.items()
        ]
        return "\n".join([*lines, str(self.report)])


def side_by_side(results: dict[str, TrainResult]) -> pd.DataFrame:
    """Return one row per label: how well it is predicted, what the network adds, and what the audit says."""
    rows = []
    for name, result in results.items():
        scores, best, stack = result.evaluation, result.evaluation["best_simple"], result.score(STACK)
        adds = scores["network_adds"]
        rows.append(
            {"label": name, "folder": result.folder.name, "sequences": scores["n"], "metric": scores["metric"],
             "stack": stack["value"], "stack_lower": stack["lower"], "stack_upper": stack["upper"],
             "best_simple": best["name"], "simple": result.score(best["key"])["value"],
             "network": result.score("network")["value"], "network_adds": adds["value"],
             "network_adds_lower": adds["lower"], "network_adds_upper": adds["upper"],
             "coverage": scores["calibration"]["coverage"]["value"], "audit": scores["audit"]["status"]}
        )  # fmt: skip
    return pd.DataFrame(rows)
