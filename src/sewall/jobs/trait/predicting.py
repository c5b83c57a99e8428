"""The verb ``predict``: the trait of individuals that the bundle does not know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import bundle as bundles
from sewall import crossrun, provenance
from sewall.bundle import Bundle
from sewall.data.panel import Panel
from sewall.data.panels.harmonise import USED, harmonise
from sewall.errors import SewallError
from sewall.genomic.blup import GBLUP
from sewall.genomic.filling import fill
from sewall.jobs.options import command
from sewall.jobs.session import started, stream
from sewall.jobs.trait import outputs
from sewall.jobs.trait.carried import task_of
from sewall.jobs.trait.models import SPREAD
from sewall.jobs.trait.options import PredictOptions
from sewall.jobs.trait.people import MOST_MISSING, People, unpacked_sites
from sewall.jobs.trait.reading import input_record, read_unlabelled
from sewall.jobs.trait.task import TraitTask, genomic_model
from sewall.jobs.trait.training import CITATIONS, SCORE
from sewall.rundir import RunDirectory, now, write_json
from sewall.tables import write_table
from sewall.task import Examples

FEW = f"fewer than {1 - MOST_MISSING:.0%} of the bundle's sites are called, or a covariate is missing"
MATCH_HEADER = [
    "what became of each site of the bundle; known: share of its variation that these data tell, absent sites being "
    "filled in from the linkage among the training individuals"
]
FEWEST_SITES = 0.2  # share of the bundle's sites below which nothing is predicted


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
        table = outputs.predictions_table(found.table)
        write_table(folder.claim("predictions.tsv"), table, outputs.header(task.target.name, given.level, False))
        evaluation = {"job": task.name, **trained.about["scores_in_full"], "support": found.support}
        write_json(folder.claim("evaluation.json"), evaluation | {"level": given.level})
        write_json(folder.claim("run.json"), _record(given, folder, panel, matched, notes, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return PredictResult(table, folder.path, report)


def matched_panel(genotypes: Path, raw: Panel, task: TraitTask, bundle: Bundle) -> tuple[Panel, pd.DataFrame]:
    """Return a panel at the sites of a bundle, and what became of each of them.

    Raises:
        SewallError: too few of the sites are in the data.
    """
    panel, matched = harmonise(raw, task.sites, bundle.extra["frequency"])
    check_match(genotypes, matched)
    return completed(bundle, panel, matched)


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


def completed(bundle: Bundle, panel: Panel, matched: pd.DataFrame) -> tuple[Panel, pd.DataFrame]:
    """Fill in the sites of the bundle that a panel lacks, from the linkage among the training individuals.

    Returns:
        The panel, and the report with ``known``: the share of each site's variation that its neighbours tell, 1 for
        sites that are there.
    """
    blup = genomic_model({model.key: model for model in bundle.simple_models}, SPREAD)
    absent = ~matched["outcome"].isin(USED).to_numpy()
    if not isinstance(blup, GBLUP) or blup.reference is None:
        return panel, matched.assign(known=np.where(absent, 0.0, 1.0))
    filled, known = fill(panel, absent, blup.reference)
    return filled, matched.assign(known=known)


def check_match(genotypes: Path, matched: pd.DataFrame) -> None:
    """Raise where too few of the bundle's sites are in the data."""
    used = float(matched["outcome"].isin(USED).mean())
    if used < FEWEST_SITES:
        reason = Counter(matched.loc[~matched["outcome"].isin(USED), "outcome"]).most_common(1)[0]
        raise SewallError(
            f"{genotypes}: has {used:.1%} of the {len(matched)} sites of the bundle ({reason[1]} {reason[0]}); "
            "give data of the same array and genome build, or train on sites that both have"
        )


def _record(
    options: PredictOptions, folder: RunDirectory, panel: Any, matched: pd.DataFrame, notes: Any, begun: str
) -> dict[str, Any]:
    outcomes = matched["outcome"].value_counts()
    return provenance.record(
        job="trait", verb="predict", command=command("predict", options, ("bundle", "genotypes"), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        inputs=[input_record(options.genotypes, panel)], citations=CITATIONS, level=options.level,
        dropped=[{"reason": r, "count": int(n), "of": len(matched)} for r, n in outcomes.items() if r not in USED],
        notes=list(notes),
    )  # fmt: skip
