"""The verb ``predict``: the label of new sequences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import bundle as bundles
from sewall import crossrun, crosstables, provenance
from sewall.bundle import Bundle
from sewall.errors import SewallError
from sewall.jobs.options import command
from sewall.jobs.sequence.form import Form
from sewall.jobs.sequence.fragility import COLUMN, MOST, fragility
from sewall.jobs.sequence.options import PredictOptions
from sewall.jobs.sequence.reading import read
from sewall.jobs.sequence.scoring import FEW
from sewall.jobs.sequence.source import examples_of
from sewall.jobs.sequence.task import SequenceTask
from sewall.jobs.session import started, stream
from sewall.rundir import now, write_json
from sewall.tables import write_table
from sewall.task import Rows, Target

# Independent streams of one seed.
SUPPORT, CHANGES = range(2)


@dataclass(frozen=True)
class PredictResult:
    """Finished predictions: a table, one row per sequence, the run directory, and the page."""

    table: pd.DataFrame
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return what was predicted, of how many sequences, and where it lies."""
        counts = self.table["support"].value_counts()
        return (
            f"{len(self.table)} sequences: {counts.get('ok', 0)} like the training, {counts.get('warn', 0)} unusual, "
            f"{counts.get('outside', 0)} outside (nothing claimed)\n{self.report}"
        )


def predict(bundle: str | Path, sequences: str | Path, *, out: str | Path, **options: Any) -> PredictResult:
    """Predict the label of sequences with a trained bundle.

    Args:
        bundle: folder of a bundle of this job.
        sequences: FASTA, a table with the column ``sequence``, or regions of a genome.
        out: the run directory.
        **options: the fields of `PredictOptions`.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    from sewall.report import write_report

    given = PredictOptions.of(bundle=bundle, sequences=sequences, out=out, **options)
    begun = now()
    task, trained = load(given.bundle)
    with started(given) as (folder, console):
        found = read(given.sequences, given)
        for note in found.notes:
            console.say(f"note: {note}")
        examples = examples_of(found.sequences, keys=found.keys)
        with console.bar("predicting"):
            predicted = crossrun.predict(trained, task, examples, given.level, stream(folder.seed, SUPPORT), FEW)
        asked, notes = _asked_again(given, len(found))
        with console.bar(f"asking again of {len(asked):,} sequences, changed a little"):
            steady = fragility(task, trained, found.sequences, predicted, asked, stream(folder.seed, CHANGES))
        table = crosstables.predictions_table(predicted.table, list(found.keys.columns))
        table.insert(list(table.columns).index("support") + 1, COLUMN, steady.column(len(table)))
        header = crosstables.header(task.target.name, given.level, False)
        write_table(folder.claim("predictions.tsv"), table, header)
        evaluation = {"job": task.name, **trained.about["scores_in_full"], "support": predicted.support}
        evaluation["fragility"] = steady.to_dict()
        write_json(folder.claim("evaluation.json"), evaluation | {"level": given.level})
        record = provenance.record(
            job=task.name, verb="predict", command=command("predict", given, ("bundle", "sequences"), folder.seed),
            arguments=given.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
            inputs=[{"path": str(given.sequences), "sequences": len(found), **found.about}], level=given.level,
            dropped=found.left_out,
            notes=[*found.notes, *notes], label=task.target.name, citations=("conformal-sets", "torch"),
        )  # fmt: skip
        write_json(folder.claim("run.json"), record)
        folder.claim("report.html")
        return PredictResult(table, folder.path, write_report(folder.path))


def _asked_again(options: PredictOptions, number: int) -> tuple[Rows, list[str]]:
    """Return which sequences are changed a little to see whether answers turn, and a note where it is not all."""
    rows = np.arange(number)[: {"always": number, "auto": MOST, "never": 0}[options.fragile]]
    if len(rows) == number:
        return rows, []
    whose = f"of the first {len(rows):,} of {number:,} sequences" if len(rows) else "of no sequence"
    return rows, [f"whether answers are fragile was asked {whose}; --fragile always asks of all"]


def load(folder: Path) -> tuple[SequenceTask, Bundle]:
    """Return the bundle in *folder*, and the task that it was trained for.

    Raises:
        SewallError: no bundle of this job, or a damaged one.
    """
    about = bundles.read_about(folder)
    if about.get("job") != SequenceTask.name:
        raise SewallError(f"{folder}: a bundle of the job {about.get('job')}, not {SequenceTask.name}")
    try:
        task = task_of(about)
    except (KeyError, TypeError, ValueError):
        raise SewallError(f"{folder / bundles.ABOUT}: damaged; train the bundle again or copy it again") from None
    return task, bundles.load(folder, task)


def task_of(about: dict[str, Any]) -> SequenceTask:
    """Return the task of a bundle by what it says of itself."""
    known = about["target"]
    target = Target(known["name"], known["unit"], "identity", float("-inf"), float("inf"), tuple(known["classes"]))
    return SequenceTask(target, Form.from_dict(about["form"]))
