"""The verb ``evaluate``: how well a bundle predicts individuals that it does not know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import crossrun, crossscores, crosstables
from sewall.bundle import Bundle
from sewall.data.panel import Panel
from sewall.errors import SewallError
from sewall.jobs.session import started, stream
from sewall.jobs.trait.matching import MATCH_HEADER, matched_panel, record
from sewall.jobs.trait.options import EvaluateOptions
from sewall.jobs.trait.people import People, marks
from sewall.jobs.trait.predicting import FEW, load
from sewall.jobs.trait.reading import read_measured, read_unlabelled
from sewall.jobs.trait.training import SCORE
from sewall.run import words_of
from sewall.rundir import now, write_json
from sewall.stacking import STACK
from sewall.tables import write_table
from sewall.task import Examples
from sewall.trust.metrics import METRICS


@dataclass(frozen=True)
class EvaluateResult:
    """Finished scores: what ``evaluation.json`` holds, the table of predictions beside measurements, and the page."""

    evaluation: dict[str, Any]
    table: pd.DataFrame
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return how well the stack and the best simple model predict, how often intervals hold, and the page."""
        metric, best = self.evaluation["metric"], self.evaluation["best_simple"]
        scores = {m["key"]: m["metrics"][metric] for m in self.evaluation["models"]}
        said = (
            f"{self.evaluation['n']} individuals: {METRICS[metric].name} of the stack {words_of(scores[STACK])}, of "
            f"{best['name']} {words_of(scores[best['key']])}\n"
        )
        if held := self.evaluation["calibration"].get("coverage"):
            what = "sets" if self.evaluation["target"]["classes"] else "intervals"
            said += f"{100 * self.evaluation['level']:g} % {what} cover {100 * held['value']:.1f} %\n"
        return f"{said}{self.report}"


def evaluate(bundle: str | Path, genotypes: str | Path, *, out: str | Path, **options: Any) -> EvaluateResult:
    """Score a trained bundle on individuals that were genotyped and measured, and were not in its training.

    Args:
        bundle: folder of a bundle of this job.
        genotypes: as for `train`; variants are matched by place and letters.
        out: the run directory.
        **options: the fields of `EvaluateOptions`; ``phenotypes``, a table with the columns ``sample_id`` and the
            trait, is needed.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = EvaluateOptions.of(bundle=bundle, genotypes=genotypes, out=out, **options)
    begun = now()
    task, trained = load(given.bundle)
    with started(given) as (folder, console):
        raw, covariates, notes = read_unlabelled(given, trained.about, folder, console)
        trait = given.trait or task.target.name
        truth, said = read_measured(given, trait, task.target.classes, raw.sample_ids)
        truth, known = _unknown(given, trained, raw, truth)
        panel, matched = matched_panel(given.genotypes, raw, task, trained)
        write_table(folder.claim("match_report.tsv"), matched, MATCH_HEADER)
        examples = Examples(pd.DataFrame({"sample_id": panel.sample_ids}), People(panel, covariates), truth)
        seed = stream(folder.seed, SCORE)
        with console.bar("predicting"):
            found = crossrun.predict(trained, task, examples, given.level, seed, FEW)
        strata = task.strata(examples, np.arange(len(examples)))
        scores = crossscores.evaluate_new(task, trained, found, truth, strata, given.level, seed)
        evaluation = _evaluation(task.name, trained, scores, found.support)
        table = crosstables.measured_table(found.table, ["sample_id"], task.target, truth)
        write_table(folder.claim("predictions.tsv"), table, crosstables.header(trait, given.level, False))
        write_json(folder.claim("evaluation.json"), evaluation)
        told = [*notes, *said, *known]
        write_json(folder.claim("run.json"), record("evaluate", given, folder, panel, matched, told, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return EvaluateResult(evaluation, table, folder.path, report)


def _unknown(options: EvaluateOptions, bundle: Bundle, panel: Panel, truth: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Forget what was measured of individuals that the bundle was trained on: of them it knows too much."""
    known = np.isin(marks(panel.sample_ids), bundle.extra["known"])
    number = int((known & np.isfinite(truth)).sum())
    if not number or options.keep_known:
        return truth, [f"{number} individuals have ids of the training; they count as asked"] if number else []
    left = np.where(known, np.nan, truth)
    if not np.isfinite(left).any():
        raise SewallError(
            f"{options.genotypes}: all {number} individuals that were measured have ids of the training; give others, "
            "or --keep-known where the ids are of other individuals"
        )
    return left, [f"{number} individuals have ids of the training; they do not count (--keep-known)"]


def _evaluation(job: str, bundle: Bundle, scores: dict[str, Any], support: dict[str, Any]) -> dict[str, Any]:
    best = next(m for m in bundle.simple_models if m.key == bundle.about["best_simple"])
    held_out = f"{scores['n']:,} individuals that were not in the training"
    mine = {"best_simple": {"key": best.key, "name": best.name}, "held_out": held_out}
    return {"job": job, **scores, **mine, "stack": bundle.about["stack"], "support": support}
