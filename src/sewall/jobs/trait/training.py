"""The verb ``train``: cross-fitted models of one trait or several, their scores, and the bundles that predict them."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sewall import crossrun, crossscores, crosstables, provenance
from sewall.bundle import Bundle
from sewall.console import Console
from sewall.crossfit import Fits, Question, fit_all
from sewall.data.panels.harmonise import frequencies
from sewall.errors import SewallError
from sewall.folds import Folds, divide, leave_out
from sewall.jobs.options import command
from sewall.jobs.session import started, stream
from sewall.jobs.trait.interactions import ADDITIVE, interactions
from sewall.jobs.trait.linkage import linkage_record, measured_linkage
from sewall.jobs.trait.models import PLACE
from sewall.jobs.trait.networks import chosen_shape, suited_networks
from sewall.jobs.trait.options import TrainOptions
from sewall.jobs.trait.people import marks, packed_sites
from sewall.jobs.trait.reading import Labelled, input_record, read_training
from sewall.jobs.trait.results import TrainResult, TrainResults, side_by_side
from sewall.jobs.trait.task import TraitTask
from sewall.nets.chromosomes import NetShape
from sewall.rundir import RunDirectory, Stage, now, write_json
from sewall.stacking import Nested, nested
from sewall.tables import read_table, write_table
from sewall.task import Target

CITATIONS = ("two-hot", "gblup", "rkhs", "lasso", "stacking", "cv-plus", "vcf-zarr", "torch", "scikit-learn")

# Independent streams of one seed.
FOLDS, FIT, SCORE, CONTROL = range(4)


def train(genotypes: str | Path, *, out: str | Path, **options: Any) -> TrainResult | TrainResults:
    """Train all models of a trait by cross-fitting, score them, and write the bundle that predicts it.

    Args:
        genotypes: PLINK 1 or 2, VCF, BCF, VCF Zarr, HapMap text or a matrix.
        out: the run directory; a run that was interrupted there goes on.
        **options: the fields of `TrainOptions`, named as on the command line; ``phenotypes``, a table with the columns
            ``sample_id`` and the trait, and ``trait``, the name of the column or of several, are needed.

    Returns:
        The result; of several traits a result for each, side by side.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = TrainOptions.of(genotypes=genotypes, out=out, **options)
    begun = now()
    with started(given) as (folder, console):
        _check_folders(given)
        people = read_training(given, folder, console)
        for note in people.notes:
            console.say(f"note: {note}")
        run = TraitRun(given, folder, people, begun)
        run.measure_linkage(console)
        for name, joint in run.parts():
            run.learn(name, joint, console)
        shutil.rmtree(folder.path / "fits", ignore_errors=True)
        with console.bar("writing the report"):
            traits = {trait: run.result(trait) for trait in given.trait}
            return traits[given.trait[0]] if len(traits) == 1 else run.together(traits)


@dataclass(frozen=True)
class TraitRun:
    """One training: what was asked, where it goes, and of whom.

    Attributes:
        options: what was asked.
        folder: the run directory.
        people: genotypes and traits.
        begun: when.
        within: where in the run directory its files go.
    """

    options: TrainOptions
    folder: RunDirectory
    people: Labelled
    begun: str
    within: str = ""

    def parts(self) -> list[tuple[str, list[str]]]:
        """Return the traits that one network learns at once, under a name: all quantities, and each in classes."""
        classed = [name for name in self.options.trait if name in self.people.classes]
        quantities = [name for name in self.options.trait if name not in self.people.classes]
        return [
            *([("quantities", quantities)] if quantities else []),
            *((plain_name(name), [name]) for name in classed),
        ]

    def learn(self, name: str, traits: list[str], console: Console) -> None:
        """Fit, score and bundle traits, once."""
        with self.folder.stage(f"train {name}" if len(self.options.trait) > 1 else "train") as stage:
            if stage.done:
                return
            questions = self.questions(traits)
            folds = questions[0].folds.number
            units = 1 + folds + folds * (folds - 1) // 2
            place = self.folder.claim("fits") / name
            workers = self.options.threads or len(os.sched_getaffinity(0))
            steps = len(traits) * units + units - 1
            everybody = Folds.joint([question.folds for question in questions])
            config = replace(suited_networks(self.people.people, everybody)[1], device=self.options.device)
            with console.bar(f"fitting all models, {units} times", steps) as bar:
                fits = fit_all(questions, config, place, stream(self.folder.seed, FIT), workers, bar.advance)
            for trait, question, found in zip(traits, questions, fits, strict=True):
                self._bundle(stage, trait, question, found, console)

    def measure_linkage(self, console: Console) -> None:
        """Write how far linkage reaches, for the page of every trait."""
        with self.folder.stage("linkage") as stage, console.bar("measuring linkage"):
            if not stage.done:
                panel, rows = self.people.panel, np.arange(len(self.people.panel))
                found = linkage_record(panel, rows, measured_linkage(panel, rows))
                for trait in self.options.trait:
                    write_json(stage.makes(self.place(trait, "linkage.json")), found)

    def questions(self, traits: list[str]) -> list[Question]:
        """Return what is asked of each trait, all in folds of one division."""
        grouped = self.options.groups is not None
        folds = self._folds(traits, grouped)
        shape, _ = suited_networks(self.people.people, folds)
        shape = chosen_shape(self.options, shape)
        return [self._question(self._task(trait, shape), trait, folds, grouped) for trait in traits]

    def _folds(self, traits: list[str], grouped: bool) -> Folds:
        task, together = self._task(traits[0], NetShape()), self.people.examples(traits, grouped)
        if self.options.leave_out is not None:
            assert self.people.groups is not None
            return leave_out(task, together, self.people.groups)[0]
        return divide(task, together, self.options.folds, stream(self.folder.seed, FOLDS))

    def _question(self, task: TraitTask, trait: str, folds: Folds, grouped: bool) -> Question:
        examples = self.people.examples([trait], grouped)
        assert examples.target is not None
        return Question(task, examples, folds.among(np.isfinite(examples.target)))

    def _task(self, trait: str, shape: NetShape) -> TraitTask:
        values = self.people.traits[trait]
        classes = self.people.classes.get(trait, ())
        target = Target(trait, "", "identity", float(values.min()), float(values.max()), classes)
        return TraitTask(target, self.people.panel.sites, shape, self.options.window)

    def _bundle(self, stage: Stage, trait: str, question: Question, fits: Fits, console: Console) -> None:
        task, examples = question.task, question.examples
        assert isinstance(task, TraitTask) and examples.target is not None
        found = nested(task, fits, task.target.forward(examples.target), leave=(PLACE,))
        bundle = self._scored(task, question, fits, found, console)
        bundle.save(stage.makes(self.place(trait, "bundle")))
        table = crosstables.held_out_table(examples, found, bundle, task.target, self.options.level)
        header = crosstables.header(trait, self.options.level, True)
        write_table(stage.makes(self.place(trait, "predictions.tsv")), table, header)
        models = crosstables.models_table(examples, found, task.target)
        write_table(stage.makes(self.place(trait, "models.tsv")), models, [*header, "columns: the models"])
        evaluation = {"job": task.name, **bundle.about["scores_in_full"]}
        write_json(stage.makes(self.place(trait, "evaluation.json")), evaluation)

    def _scored(self, task: TraitTask, question: Question, fits: Fits, found: Nested, console: Console) -> Bundle:
        panel, level, seed = self.people.panel, self.options.level, stream(self.folder.seed, SCORE)
        known = marks([panel.sample_ids[row] for row in found.rows])
        extra = packed_sites(panel.sites) | {
            "known": known,
            "frequency": frequencies(panel, np.arange(len(panel.sites)), found.rows),
        }
        bundle = crossrun.bundle_of(task, question.examples, fits, found, extra)
        scores = crossscores.evaluate(task, question.examples, bundle, found, level, seed)
        bundle = crossrun.described(bundle, task, self._about(task, fits, len(found.rows)), scores)
        best = next(m for m in bundle.simple_models if m.key == bundle.about["best_simple"])
        if not task.target.classes:
            gain = scores["adds_to"][ADDITIVE]
            scores["interactions"] = interactions(
                question.examples, found.rows, gain, self.options.control, stream(self.folder.seed, CONTROL), console
            )
        scores |= {"best_simple": {"key": best.key, "name": best.name}, "learning": fits.learning}
        scores["held_out"] = (
            f"{len(found.rows):,} individuals, each predicted by models that were fitted without its fold "
            f"({fits.folds.number} folds{self._how_divided()})"
        )
        return bundle

    def _how_divided(self) -> str:
        if self.options.leave_out is not None:
            return f", each one {self.options.leave_out}"
        return "" if self.options.groups is None else f", whole groups of {self.options.groups} together"

    def _about(self, task: TraitTask, fits: Fits, individuals: int) -> dict[str, Any]:
        sites = self.people.panel.sites
        return {
            "job": TraitTask.name,
            "description": f"{task.target.name} of individuals, from genotypes.",
            "covariates": list(self.people.people.names),
            "given_covariates": list(self.options.covariates),
            "levels": {name: list(levels) for name, levels in self.people.levels.items()},
            "trained_on": {
                "individuals": individuals, "sites": len(sites), "chromosomes": len(sites.chromosomes()),
                "folds": fits.folds.number, "groups": self.options.groups or self.options.leave_out or "none",
                "model": self.options.model,
                "window": [network.recipe()["length"] for network in fits.networks],
            },
            "limits": [
                "Association, not causation: a site may predict because it lies near a cause, or by ancestry.",
                "Valid for individuals like those of the training; the support check says who is not.",
                "The bundle holds the packed genotypes of the training individuals, which the Gaussian kernel needs: "
                "share it as you would share them.",
            ],
        }  # fmt: skip

    def place(self, trait: str, name: str) -> str:
        """Return where a file of a trait lies in the run directory: in a folder of its own where there are several."""
        return self.within + (f"{plain_name(trait)}/{name}" if len(self.options.trait) > 1 else name)

    def result(self, trait: str) -> TrainResult:
        """Return what was found of a trait, with its page."""
        from sewall.report import write_report

        write_json(self.folder.claim(self.place(trait, "run.json")), self._record(trait))
        path = self.folder.claim(self.place(trait, "report.html"))
        evaluation = json.loads((path.parent / "evaluation.json").read_text(encoding="utf-8"))
        table = read_table(path.parent / "predictions.tsv")
        return TrainResult(evaluation, table, path.parent, write_report(path.parent))

    def together(self, traits: dict[str, TrainResult]) -> TrainResults:
        """Set several traits side by side."""
        from sewall.report import write_report

        table = side_by_side(traits)
        write_table(self.folder.claim("traits.tsv"), table, ["one row per trait; scores on individuals held out"])
        write_json(self.folder.claim("run.json"), self._record(None))
        self.folder.claim("report.html")
        return TrainResults(traits, table, self.folder.path, write_report(self.folder.path))

    def _record(self, trait: str | None) -> dict[str, Any]:
        panel, options = self.people.panel, self.options
        left_out = sum(panel.counts.values())
        return provenance.record(
            job="trait", verb="train", command=command("train", options, ("genotypes",), self.folder.seed),
            arguments=options.resolved(), seed=self.folder.seed, started=self.begun, stages=self.folder.seconds,
            inputs=[input_record(options.genotypes, panel)], citations=CITATIONS, level=options.level,
            dropped=[
                {"reason": r, "count": n, "of": len(panel.sites) + left_out} for r, n in panel.counts.items() if n
            ],
            notes=list(self.people.notes), covariates=list(self.people.people.names), trait=trait,
        )  # fmt: skip


def _check_folders(options: TrainOptions) -> None:
    places: dict[str, str] = {}
    for trait in options.trait:
        other = places.setdefault(plain_name(trait), trait)
        if other != trait:
            raise SewallError(f"--trait: {other} and {trait} would share the folder {plain_name(trait)}; rename one")


def plain_name(trait: str) -> str:
    """Return the name of a trait as that of a folder.

    >>> plain_name("Plant height (cm)")
    'Plant_height_cm'
    """
    return re.sub(r"[^\w.-]+", "_", trait).strip("_.") or "trait"
