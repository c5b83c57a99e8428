"""The verb ``evaluate``: how well a bundle predicts labelled sequences that it does not know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall import crossrun, crosstables, provenance
from sewall.errors import SewallError
from sewall.jobs.options import command
from sewall.jobs.sequence.labels import labels_of
from sewall.jobs.sequence.options import EvaluateOptions
from sewall.jobs.sequence.reading import LABEL, read, with_negatives
from sewall.jobs.sequence.scoring import FEW, scored
from sewall.jobs.sequence.source import examples_of
from sewall.jobs.sequence.task import SequenceTask
from sewall.jobs.session import started, stream
from sewall.run import words_of
from sewall.rundir import now, write_json
from sewall.stacking import STACK
from sewall.tables import write_table
from sewall.trust.metrics import METRICS


@dataclass(frozen=True)
class EvaluateResult:
    """A finished evaluation: scores, predictions beside labels, the run directory, and the page."""

    evaluation: dict[str, Any]
    table: pd.DataFrame
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return how well the labels were predicted, and where the page lies."""
        scores = self.evaluation
        stack = next(m for m in scores["models"] if m["key"] == STACK)["metrics"][scores["metric"]]
        return f"{scores['n']} sequences: {METRICS[scores['metric']].name} {words_of(stack)}\n{self.report}"


def evaluate(bundle: str | Path, sequences: str | Path, *, out: str | Path, **options: Any) -> EvaluateResult:
    """Say how well a bundle predicts labelled sequences that it does not know.

    Args:
        bundle: folder of a bundle of this job.
        sequences: labelled, as for `train`.
        out: the run directory.
        **options: the fields of `EvaluateOptions`.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    from sewall.jobs.sequence.predicting import load
    from sewall.report import write_report

    given = EvaluateOptions.of(bundle=bundle, sequences=sequences, out=out, **options)
    begun = now()
    task, trained = load(given.bundle)
    with started(given) as (folder, console):
        found = read(given.sequences, given)
        if given.negatives is not None:
            found = with_negatives(found, read(given.negatives, given))
        for note in found.notes:
            console.say(f"note: {note}")
        truth = _truth(given, found.columns, task)
        examples, seed = examples_of(found.sequences, keys=found.keys), stream(folder.seed, 0)
        with console.bar("predicting"):
            predicted = crossrun.predict(trained, task, examples, given.level, seed, FEW)
        table = crosstables.measured_table(predicted.table, list(found.keys.columns), task.target, truth)
        header = crosstables.header(task.target.name, given.level, False)
        write_table(folder.claim("predictions.tsv"), table, header)
        with console.bar("scoring"):
            scores = scored(task, trained, found.sequences, predicted, truth, given.level, seed)
        evaluation = {"job": task.name, **scores, "support": predicted.support}
        write_json(folder.claim("evaluation.json"), evaluation)
        record = provenance.record(
            job=task.name, verb="evaluate", command=command("evaluate", given, ("bundle", "sequences"), folder.seed),
            arguments=given.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
            inputs=[{"path": str(given.sequences), "sequences": len(found), **found.about}], level=given.level,
            notes=list(found.notes), label=task.target.name, citations=("conformal-sets", "torch"),
        )  # fmt: skip
        write_json(folder.claim("run.json"), record)
        folder.claim("report.html")
        return EvaluateResult(evaluation, table, folder.path, write_report(folder.path))


def _truth(options: EvaluateOptions, columns: Any, task: SequenceTask) -> NDArray[np.float64]:
    name = task.target.name if options.label == (LABEL,) else options.label[0]
    if name not in columns:
        raise SewallError(f"{options.sequences}: no label {name}; name the column that holds it (--label)")
    kind = "classes" if task.target.classes else "quantity"
    return labels_of(name, columns[name], kind, task.target.classes).known
