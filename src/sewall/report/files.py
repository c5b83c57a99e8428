"""Read the files of a run directory: all that the report knows."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

import pandas as pd

from sewall.errors import SewallError
from sewall.report.terms import Terms, terms_of

STATUSES = ("ok", "warn", "outside")
_TEXT_COLUMNS = {
    "chrom": str,
    "sample_id": str,
    "sequence_id": str,
    "support": str,
    "reason": str,
    "label": str,
    "set": str,
}


@dataclass(frozen=True)
class RunFiles:
    """What stands in one run directory.

    Only ``run.json`` must be there; a part that a run did not make is empty and its section is left out or says so.

    Attributes:
        directory: the run directory.
        run: ``run.json``: what was asked, of which data, when and with what.
        predictions: ``predictions.tsv``, one row per window, sample or sequence.
        evaluation: ``evaluation.json``: the held-out test of every model.
        bundle: ``bundle/bundle.json``: the trained models.
        matches: ``match_report.tsv``, one row per site of a bundle that was given: what became of it.
        traits: ``traits.tsv``, one row per trait of a training of several.
        labels: ``labels.tsv``, one row per label of a training of several.
        linkage: ``linkage.json``: how far linkage reaches in the training.
    """

    directory: Path
    run: dict[str, Any]
    predictions: pd.DataFrame
    evaluation: dict[str, Any]
    bundle: dict[str, Any]
    matches: pd.DataFrame = field(default_factory=pd.DataFrame)
    traits: pd.DataFrame = field(default_factory=pd.DataFrame)
    labels: pd.DataFrame = field(default_factory=pd.DataFrame)
    linkage: dict[str, Any] = field(default_factory=dict)

    @property
    def job(self) -> str:
        """Name of the job, for instance ``recombination``."""
        return str(self.run.get("job") or self.evaluation.get("job") or "run")

    @property
    def side_by_side(self) -> pd.DataFrame:
        """One row per trait or label of a training of several."""
        return self.traits if len(self.traits) else self.labels

    @property
    def level(self) -> float:
        """Level that the intervals claim, in (0, 1)."""
        given = number_or_none(self.run.get("level")) or number_or_none(self.evaluation.get("level"))
        return given if given is not None else 0.9

    @property
    def noun(self) -> str:
        """What one row of the predictions is: a window, an individual or a sequence."""
        nouns = {"sample_id": "individual", "sequence_id": "sequence"}
        by_job = {"sequence": "sequence", "trait": "individual"}
        return next((noun for key, noun in nouns.items() if key in self.predictions), by_job.get(self.job, "window"))

    @property
    def terms(self) -> Terms:
        """What the examples of this job are called."""
        return terms_of(self.job)

    @property
    def claims(self) -> str:
        """What is claimed to hold the truth: intervals around quantities, or sets of classes."""
        return "sets" if part(self.evaluation, "target").get("classes") else "intervals"

    @property
    def held_out(self) -> bool:
        """Whether the predictions are of the training's own examples, each by models that did not know it."""
        return "measured" in self.predictions and not part(self.evaluation, "support")

    @cached_property
    def support_counts(self) -> dict[str, int]:
        """Number of rows by support status, from the predictions where they are there; of none held out."""
        if self.held_out:  # what was trained on is not checked against itself
            return dict.fromkeys(STATUSES, 0)
        if "support" in self.predictions:
            counted = self.predictions["support"].value_counts()
            return {status: int(counted.get(status, 0)) for status in STATUSES}
        support = part(self.evaluation, "support")
        told = part(support, "windows") or part(support, "examples")
        return {status: int(told.get(status) or 0) for status in STATUSES}

    @property
    def support_status(self) -> str | None:
        """Support status of the data as a whole, or None where nothing was checked."""
        told = part(self.evaluation, "support").get("status")
        return str(told) if told in STATUSES else None


def number_or_none(value: object) -> float | None:
    """Return *value* as a finite float, or None where it is not one.

    >>> number_or_none(2), number_or_none(float("nan")), number_or_none(None)
    (2.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def part(parent: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object under *key*, or an empty one."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def parts(parent: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the list of objects under *key*, or an empty one."""
    value = parent.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_run(directory: Path) -> RunFiles:
    """Read a run directory.

    Raises:
        SewallError: the directory has no ``run.json``, or one of its files is damaged.
    """
    if not (directory / "run.json").is_file():
        raise SewallError(
            f"{directory}: not a run directory (it has no run.json); give the directory of a finished run"
        )
    return RunFiles(
        directory=directory,
        run=_read_json(directory / "run.json"),
        predictions=_read_table(directory / "predictions.tsv"),
        evaluation=_read_json(directory / "evaluation.json"),
        bundle=_read_json(directory / "bundle" / "bundle.json"),
        matches=_read_table(directory / "match_report.tsv"),
        traits=_read_table(directory / "traits.tsv"),
        labels=_read_table(directory / "labels.tsv"),
        linkage=_read_json(directory / "linkage.json"),
    )


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SewallError(f"{path}: damaged ({error}); run the command that wrote it again") from error
    if not isinstance(content, dict):
        raise SewallError(f"{path}: damaged (not a JSON object); run the command that wrote it again")
    return content


def _read_table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame()
    # Only leading lines are comments: a '#' further down may be part of a name.
    with path.open(encoding="utf-8") as lines:
        comments = sum(1 for _ in takewhile(lambda line: line.startswith("#"), lines))
    try:
        table = pd.read_csv(path, sep="\t", skiprows=comments, dtype=_TEXT_COLUMNS, na_values=["NA"])
    except (ValueError, UnicodeDecodeError) as error:
        raise SewallError(f"{path}: damaged ({error}); run the command that wrote it again") from error
    if "chrom" in table and table["chrom"].isna().any():
        raise SewallError(f"{path}: damaged (a row without a contig); run the command that wrote it again")
    return table
