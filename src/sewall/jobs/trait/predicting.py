"""The verb ``predict``: the trait of individuals that the bundle does not know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sewall import bundle as bundles
from sewall import crossrun, crosstables
from sewall.bundle import Bundle
from sewall.errors import SewallError
from sewall.jobs.session import started, stream
from sewall.jobs.trait.carried import task_of
from sewall.jobs.trait.matching import MATCH_HEADER, matched_panel, record
from sewall.jobs.trait.options import PredictOptions
from sewall.jobs.trait.people import MOST_MISSING, People, unpacked_sites
from sewall.jobs.trait.reading import read_unlabelled
from sewall.jobs.trait.task import TraitTask
from sewall.jobs.trait.training import SCORE
from sewall.rundir import now, write_json
from sewall.tables import write_table
from sewall.task import Examples

FEW = f"fewer than {1 - MOST_MISSING:.0%} of the bundle's sites are called, or a covariate is missing"


@dataclass(frozen=True)
class PredictResult:
    """Finished predictions: a table, one row per individual, the run directory, and the page."""

    table: pd.DataFrame
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return what was predicted, for whom, and where it lies."""
        counts = self.table["support"].value_counts()
        return (
            f"{len(self.table)} individuals: {counts.get('ok', 0)} like the training, {counts.get('warn', 0)} unusual, "
            f"{counts.get('outside', 0)} outside (no interval claimed)\n{self.report}"
        )


def predict(bundle: str | Path, genotypes: str | Path, *, out: str | Path, **options: Any) -> PredictResult:
    """Predict the trait of individuals with a trained bundle.

    Args:
        bundle: folder of a bundle of this job.
        genotypes: as for `train`; variants are matched by place and letters, whichever way round they are written.
        out: the run directory.
        **options: the fields of `PredictOptions`.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = PredictOptions.of(bundle=bundle, genotypes=genotypes, out=out, **options)
    begun = now()
    task, trained = load(given.bundle)
    with started(given) as (folder, console):
        raw, covariates, notes = read_unlabelled(given, trained.about, folder, console)
        for note in notes:
            console.say(f"note: {note}")
        panel, matched = matched_panel(given.genotypes, raw, task, trained)
        write_table(folder.claim("match_report.tsv"), matched, MATCH_HEADER)
        examples = Examples(pd.DataFrame({"sample_id": panel.sample_ids}), People(panel, covariates))
        with console.bar("predicting"):
            found = crossrun.predict(trained, task, examples, given.level, stream(folder.seed, SCORE), FEW)
        table = crosstables.predictions_table(found.table, ["sample_id"])
        write_table(folder.claim("predictions.tsv"), table, crosstables.header(task.target.name, given.level, False))
        evaluation = {"job": task.name, **trained.about["scores_in_full"], "support": found.support}
        write_json(folder.claim("evaluation.json"), evaluation | {"level": given.level})
        write_json(folder.claim("run.json"), record("predict", given, folder, panel, matched, notes, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return PredictResult(table, folder.path, report)


def load(folder: Path) -> tuple[TraitTask, Bundle]:
    """Return the bundle in *folder*, and the task that it was trained for.

    Raises:
        SewallError: no bundle of this job, or a damaged one.
    """
    about = bundles.read_about(folder)
    if about.get("job") != TraitTask.name:
        raise SewallError(f"{folder}: a bundle of the job {about.get('job')}, not {TraitTask.name}")
    extra = bundles.read_extra(folder)
    try:
        task = task_of(about, unpacked_sites(extra))
    except (KeyError, TypeError, ValueError):
        raise SewallError(f"{folder / bundles.ABOUT}: damaged; train the bundle again or copy it again") from None
    return task, bundles.load(folder, task)
