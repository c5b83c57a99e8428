"""The verb ``train``: cross-fitted models of a trait, their scores, and the bundle that predicts it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import bundle as bundles
from sewall import crossrun, provenance
from sewall.bundle import Bundle
from sewall.console import Console
from sewall.crossfit import Fits, divide, fit_all
from sewall.data.panels.harmonise import frequencies
from sewall.jobs.options import command
from sewall.jobs.session import started, stream
from sewall.jobs.trait import outputs
from sewall.jobs.trait.models import PLACE
from sewall.jobs.trait.options import TrainOptions
from sewall.jobs.trait.people import packed_sites
from sewall.jobs.trait.reading import Labelled, input_record, read_training
from sewall.jobs.trait.task import TraitTask
from sewall.nets.chromosomes import NetShape
from sewall.rundir import RunDirectory, now, write_json
from sewall.stacking import STACK, Nested, nested
from sewall.tables import write_table
from sewall.task import Target
from sewall.train import TrainConfig

CITATIONS = ("two-hot", "gblup", "rkhs", "lasso", "stacking", "cv-plus", "vcf-zarr", "torch", "scikit-learn")
NETWORKS = TrainConfig(epochs=25, patience=4, learning_rate=2e-3, weight_decay=0.1, batch=64, members=1)

# Independent streams of one seed.
FOLDS, FIT, SCORE = range(3)


@dataclass(frozen=True)
class TrainResult:
    """A finished training.

    Attributes:
        evaluation: scores on individuals that models did not know.
        table: their predictions.
        folder: the run directory.
        report: the page.
    """

    evaluation: dict[str, Any]
    table: pd.DataFrame
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return three lines: how well it predicts, what the network adds, and where the page lies."""
        scores = {m["key"]: m["metrics"]["pearson"] for m in self.evaluation["models"]}
        best = self.evaluation["best_simple"]
        adds, cover = self.evaluation["network_adds"], self.evaluation["calibration"]["coverage"]
        return (
            f"{self.evaluation['n']} individuals: correlation of the stack {_words(scores[STACK])}, of {best['name']} "
            f"{_words(scores[best['key']])}\n"
            f"the network adds {adds['value']:+.3f} ({adds['lower']:+.3f} to {adds['upper']:+.3f}) to the stack; "
            f"{100 * self.evaluation['level']:g} % intervals cover {100 * cover['value']:.1f} %\n"
            f"{self.report}"
        )


def _words(score: dict[str, float]) -> str:
    return f"{score['value']:.3f} ({score['lower']:.3f} to {score['upper']:.3f})"


def train(genotypes: str | Path, *, phenotypes: str | Path, trait: str, out: str | Path, **options: Any) -> TrainResult:
    """Train all models of a trait by cross-fitting, score them, and write the bundle that predicts it.

    Args:
        genotypes: PLINK 1 or 2, VCF, BCF, VCF Zarr, HapMap text or a matrix.
        phenotypes: table with the columns ``sample_id`` and the trait.
        trait: name of the column.
        out: the run directory; a run that was interrupted there goes on.
        **options: the fields of `TrainOptions`, named as on the command line.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = TrainOptions.of(genotypes=genotypes, phenotypes=phenotypes, trait=trait, out=out, **options)
    begun = now()
    with started(given) as (folder, console):
        people = read_training(given, folder, console)
        task = _task(given, people)
        bundle, found = _learn(given, folder, console, task, people)
        evaluation = {"job": task.name, **bundle.about["scores_in_full"]}
        table = _write(folder, given, evaluation, people, bundle, found)
        write_json(folder.claim("run.json"), _record(given, folder, people, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return TrainResult(evaluation, table, folder.path, report)


def _task(options: TrainOptions, people: Labelled) -> TraitTask:
    assert people.examples.target is not None
    low, high = float(people.examples.target.min()), float(people.examples.target.max())
    shape = NetShape.article() if options.model == "article" else NetShape()
    return TraitTask(Target(options.trait, "", "identity", low, high), people.panel.sites, shape, options.window)


def _learn(
    options: TrainOptions, folder: RunDirectory, console: Console, task: TraitTask, people: Labelled
) -> tuple[Bundle, Nested]:
    examples = people.examples
    assert examples.target is not None
    folds = divide(task, examples, options.folds, stream(folder.seed, FOLDS))
    workers = options.threads or len(os.sched_getaffinity(0))
    units = 1 + options.folds + options.folds * (options.folds - 1) // 2
    with folder.stage("train") as stage:
        place = folder.claim("fits")
        with console.bar(f"fitting all models, {units} times", 2 * units - 1) as bar:
            fits = fit_all(task, examples, folds, NETWORKS, place, stream(folder.seed, FIT), workers, bar.advance)
        found = nested(task, fits, task.target.forward(examples.target), leave=(PLACE,))
        if not stage.done:
            bundle = _scored(options, folder, task, people, fits, found)
            bundle.save(stage.makes("bundle"))
        else:
            bundle = bundles.load(folder.path / "bundle", task)
    return bundle, found


def _scored(
    options: TrainOptions, folder: RunDirectory, task: TraitTask, people: Labelled, fits: Fits, found: Nested
) -> Bundle:
    panel = people.panel
    extra = packed_sites(panel.sites) | {"frequency": frequencies(panel, np.arange(len(panel.sites)), found.rows)}
    bundle = crossrun.bundle_of(task, people.examples, fits, found, extra)
    scores = crossrun.evaluate(task, people.examples, bundle, found, options.level, stream(folder.seed, SCORE))
    bundle = crossrun.described(bundle, task, _about(options, people, fits), scores)
    best = next(m for m in bundle.simple_models if m.key == bundle.about["best_simple"])
    scores |= {"best_simple": {"key": best.key, "name": best.name}, "learning": fits.learning}
    scores["held_out"] = (
        f"{len(found.rows):,} individuals, each predicted by models that were fitted without its fold "
        f"({options.folds} folds{'' if options.groups is None else f', whole groups of {options.groups} together'})"
    )
    return bundle


def _about(options: TrainOptions, people: Labelled, fits: Fits) -> dict[str, Any]:
    sites = people.panel.sites
    return {
        "job": TraitTask.name,
        "description": f"{options.trait} of individuals, from genotypes.",
        "covariates": list(people.covariates),
        "given_covariates": list(options.covariates),
        "levels": {name: list(levels) for name, levels in people.levels.items()},
        "trained_on": {
            "individuals": len(people.examples), "sites": len(sites), "chromosomes": len(sites.chromosomes()),
            "folds": options.folds, "groups": options.groups or "none", "model": options.model,
            "window": [network.recipe()["length"] for network in fits.networks],
        },
        "limits": [
            "Association, not causation: a site may predict because it lies near a cause, or by ancestry.",
            "Valid for individuals like those of the training; the support check says who is not.",
            "The bundle holds the packed genotypes of the training individuals, which the Gaussian kernel needs: "
            "share it as you would share them.",
        ],
    }  # fmt: skip


def _write(
    folder: RunDirectory, options: TrainOptions, evaluation: dict[str, Any], people: Labelled, bundle: Bundle,
    found: Nested,
) -> pd.DataFrame:  # fmt: skip
    table = outputs.held_out_table(people.examples, found, bundle, options.level)
    write_table(folder.claim("predictions.tsv"), table, outputs.header(options.trait, options.level, True))
    write_json(folder.claim("evaluation.json"), evaluation)
    return table


def _record(options: TrainOptions, folder: RunDirectory, people: Labelled, begun: str) -> dict[str, Any]:
    panel = people.panel
    left_out = sum(panel.counts.values())
    return provenance.record(
        job="trait", verb="train", command=command("train", options, ("genotypes",), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        inputs=[input_record(options.genotypes, panel)], citations=CITATIONS, level=options.level,
        dropped=[{"reason": r, "count": n, "of": len(panel.sites) + left_out} for r, n in panel.counts.items() if n],
        notes=list(people.notes), covariates=list(people.covariates),
    )  # fmt: skip
