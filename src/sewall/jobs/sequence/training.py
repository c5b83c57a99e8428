"""The verb ``train``: sequences are audited, models fitted side by side, and a bundle written that predicts labels."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall import crossrun, crossscores, crosstables, provenance, stacking
from sewall.bundle import Bundle
from sewall.console import Console
from sewall.crossfit import NETWORK, Fits, Question, fit_all
from sewall.data.sequences import joined
from sewall.dna.audit import Audit, audit
from sewall.errors import SewallError
from sewall.folds import divide
from sewall.jobs.options import command
from sewall.jobs.sequence.contrast import read_contrasted
from sewall.jobs.sequence.form import Form, config_of, form_of, looked_at
from sewall.jobs.sequence.labels import Labels
from sewall.jobs.sequence.learning_curve import learning_curve
from sewall.jobs.sequence.matched_scores import flagged, matched_scores
from sewall.jobs.sequence.options import TrainOptions
from sewall.jobs.sequence.reading import CHROMOSOME, Labelled, learnt_and_tested
from sewall.jobs.sequence.results import TrainResult, TrainResults, side_by_side
from sewall.jobs.sequence.scoring import FEW, beside, scored
from sewall.jobs.sequence.source import examples_of
from sewall.jobs.sequence.task import SequenceTask
from sewall.jobs.session import started, stream
from sewall.rundir import RunDirectory, Stage, now, write_json
from sewall.stacking import STACK, Nested, nested
from sewall.tables import read_table, write_table
from sewall.task import Target

CITATIONS = (
    "gapped", "matrices", "spaced-words", "alignment", "stacking", "conformal-sets", "cv-plus", "torch", "scikit-learn",
)  # fmt: skip

# Independent streams of one seed.
FOLDS, FIT, SCORE, LOOK, NEGATIVES, AUDIT, CURVE = range(7)


def train(sequences: str | Path, *, out: str | Path, **options: Any) -> TrainResult | TrainResults:
    """Train all models of a label by cross-fitting, score them, and write the bundle that predicts it.

    Args:
        sequences: FASTA, a table with the column ``sequence``, or regions of a genome.
        out: the run directory; a run that was interrupted there goes on.
        **options: the fields of `TrainOptions`, named as on the command line.

    Returns:
        The result; of several labels a result for each, side by side.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = TrainOptions.of(sequences=sequences, out=out, **options)
    begun = now()
    with started(given) as (folder, console):
        with console.bar("reading the sequences"):
            labelled, test = learnt_and_tested(read_contrasted(given, stream(folder.seed, NEGATIVES)), given)
        for note in labelled.notes:
            console.say(f"note: {note}")
        run = SequenceRun(given, folder, labelled, test, begun)
        for name in labelled.labels:
            run.learn(name, console)
        shutil.rmtree(folder.path / "fits", ignore_errors=True)
        with console.bar("writing the report"):
            results = {name: run.result(name) for name in labelled.labels}
            return next(iter(results.values())) if len(results) == 1 else run.together(results)


@dataclass(frozen=True)
class SequenceRun:
    """One training: what was asked, where it goes, which sequences are learnt from, and which are kept for the test."""

    options: TrainOptions
    folder: RunDirectory
    labelled: Labelled
    test: Labelled | None
    begun: str

    def learn(self, name: str, console: Console) -> None:
        """Audit, fit, score and bundle one label, once."""
        with self.folder.stage(f"train {name}" if len(self.labelled.labels) > 1 else "train") as stage:
            if stage.done:
                return
            labels, seed = self.labelled.labels[name], self.folder.seed
            with console.bar("looking at the sequences"):
                target = target_of(labels)
                told = self._looked_at(target, labels)
                form = form_of(self.labelled.sequences, told, self.options.strands, self.options.places)
                looked = self.audited(labels, form, stream(seed, AUDIT))
            console.say(said_of(form, told))
            question, how = self._question(target, labels, form, looked)
            config = replace(config_of(self.labelled.sequences), device=self.options.device)
            folds = question.folds.number
            with console.bar(f"fitting all models, {1 + folds} times", 1 + 2 * folds) as bar:
                (fits,) = fit_all(
                    [question], config, self._fits(name), stream(seed, FIT), self._workers, bar.advance, pairs=False
                )
            self._bundle(stage, question, fits, looked, told, how, console)

    def _fits(self, name: str) -> Path:
        return self.folder.claim("fits") / plain_name(name)

    @property
    def _workers(self) -> int:
        return self.options.threads or len(os.sched_getaffinity(0))

    def _looked_at(self, target: Target, labels: Labels) -> dict[str, float]:
        known = np.flatnonzero(np.isfinite(labels.known))
        groups = None if self.labelled.groups is None else self.labelled.groups[known]
        return looked_at(
            target, self.labelled.sequences.take(known), labels.known[known], groups, stream(self.folder.seed, LOOK)
        )

    def audited(self, labels: Labels, form: Form, seed: int) -> Audit:
        """Look over the sequences, and those of the test beside them."""
        sequences, texts, parts = self.labelled.sequences, labels.told(), None
        groups = self.labelled.groups
        if self.test is not None:
            test = self.test
            both = joined([sequences, test.sequences.named(f"{name}:test" for name in test.sequences.ids)])
            parts = np.array(["train"] * len(sequences) + ["test"] * len(test.sequences), np.str_)
            texts = np.concatenate([texts, test.labels[labels.name].told()])
            sequences, groups = both, None
        options, stranded = self.options, form.strands == 1
        ordered = options.negatives is None and options.shuffled is None and not options.matched
        return audit(sequences, {labels.name: texts}, groups, parts, stranded=stranded, ordered=ordered, seed=seed)

    def _question(self, target: Target, labels: Labels, form: Form, looked: Audit) -> tuple[Question, str]:
        groups, how = self._together(looked)
        config = replace(config_of(self.labelled.sequences), epochs=10, patience=10, learning_rate=4e-3)
        task = SequenceTask(target, form, config)
        examples = examples_of(self.labelled.sequences, labels.known, groups, self.labelled.read.keys)
        folds = divide(task, examples, self.options.folds, stream(self.folder.seed, FOLDS))
        return Question(task, examples, folds), how

    def _together(self, looked: Audit) -> tuple[NDArray[Any], str]:
        """Return what stays together in folds, and what that is in words."""
        split, groups, columns = self.options.split, self.labelled.groups, self.labelled.read.columns
        split = ("group" if groups is not None else "cluster") if split == "auto" else split
        number = len(self.labelled.sequences)
        if split == "group" and groups is None:
            raise SewallError("--split group: there is no column of groups; name it (--group)")
        if split == "chromosome" and CHROMOSOME not in columns:
            raise SewallError(f"--split chromosome: there is no column {CHROMOSOME}; give regions, or such a column")
        if split == "group":
            assert groups is not None
            return groups, "whole groups together"
        if split == "chromosome":
            return np.array(columns[CHROMOSOME]), "whole chromosomes together"
        if split == "random":
            return looked.kin.found.original[:number], "at random, copies together"
        return looked.together().of[:number], "sequences of common descent, and windows that overlap, together"

    def _bundle(
        self, stage: Stage, question: Question, fits: Fits, looked: Audit, told: Mapping[str, float], how: str,
        console: Console,
    ) -> None:  # fmt: skip
        task, examples = question.task, question.examples
        assert isinstance(task, SequenceTask) and examples.target is not None
        name, level, seed = task.target.name, self.options.level, stream(self.folder.seed, SCORE)
        found = nested(task, fits, task.target.forward(examples.target))
        bundle = crossrun.bundle_of(task, examples, fits, found, {})
        scores = crossscores.evaluate(task, examples, bundle, found, level, seed, fits.seconds)
        matched, key = self._matched(scores, question, found, looked), self._predictor(scores)
        if key != STACK:
            found = stacking.only(found, key)
            bundle = crossrun.bundle_of(task, examples, fits, found, {})
        bundle = crossrun.described(bundle, task, self._about(task, fits, len(found.rows), told, key), scores)
        scores |= beside(scores, bundle, fits, found, looked, how) | {"matched": matched}
        scores["curve"] = self._curve(question, fits, scores, console)
        scores["test"] = self._tested(stage, bundle, task, looked)
        bundle.save(stage.makes(self.place(name, "bundle")))
        header = crosstables.header(name, level, True)
        table = crosstables.held_out_table(examples, found, bundle, task.target, level)
        write_table(stage.makes(self.place(name, "predictions.tsv")), table, header)
        models = crosstables.models_table(examples, found, task.target)
        write_table(stage.makes(self.place(name, "models.tsv")), models, [*header, "columns: the models"])
        write_json(stage.makes(self.place(name, "evaluation.json")), {"job": task.name, **scores})

    def _curve(
        self, question: Question, fits: Fits, scores: Mapping[str, Any], console: Console
    ) -> dict[str, Any] | None:
        """Fit models to fewer sequences."""
        if not self.options.curve:
            return None
        place, seed = self._fits(question.task.target.name) / "curve", stream(self.folder.seed, CURVE)
        with console.bar("learning from fewer sequences"):
            return learning_curve(question, fits, scores, place, seed, self.options.device, self._workers)

    def _predictor(self, scores: Mapping[str, Any]) -> str:
        chosen = {"network": NETWORK, "simplest": str(scores["simplest_adequate"])}
        return chosen.get(self.options.predictor, STACK)

    def _matched(
        self, scores: Mapping[str, Any], question: Question, found: Nested, looked: Audit
    ) -> list[dict[str, Any]]:
        """Score all models again where classes are alike in what could tell them apart by itself."""
        task, examples = question.task, question.examples
        answers = {key: task.target.backward(values) for key, values in found.answers.items()}
        truth, groups = crossscores.known_truth(task, examples, found.rows), examples.groups
        return matched_scores(
            task.target, scores["models"], answers, truth, self.labelled.sequences.take(found.rows),
            flagged(looked.numbers), stream(self.folder.seed, SCORE),
            None if groups is None else np.asarray(groups)[found.rows],
        )  # fmt: skip

    def _tested(self, stage: Stage, bundle: Bundle, task: SequenceTask, looked: Audit) -> dict[str, Any] | None:
        """Look at the test once."""
        if self.test is None:
            return None
        labels, test = self.labelled.labels[task.target.name], self.test
        seed = stream(self.folder.seed, SCORE)
        examples = examples_of(test.sequences, keys=test.read.keys)
        found = crossrun.predict(bundle, task, examples, self.options.level, seed, FEW)
        truth = test.labels[labels.name].known
        table = crosstables.measured_table(found.table, list(test.read.keys.columns), task.target, truth)
        header = crosstables.header(labels.name, self.options.level, False)
        write_table(stage.makes(self.place(labels.name, "test.tsv")), table, header)
        numbers = flagged(looked.numbers)
        return scored(task, bundle, test.sequences, found, truth, self.options.level, seed, numbers)

    def _about(
        self, task: SequenceTask, fits: Fits, number: int, told: Mapping[str, float], key: str
    ) -> dict[str, Any]:
        lengths = self.labelled.sequences.lengths
        letters = str(lengths.min()) if task.form.equal else f"{lengths.min()} to {lengths.max()}"
        return {
            "job": SequenceTask.name,
            "description": f"{task.target.name} of sequences, from their letters.",
            "form": task.form.to_dict(), "told": dict(told), "predictor": key, "letters": int(np.median(lengths)),
            "trained_on": {
                "sequences": number, "letters": letters, "folds": fits.folds.number,
                "strands": "both as one" if task.form.strands == 2 else "as given",
                "places": "count from the ends" if task.form.anchored else "do not matter",
            },
            "limits": [
                "Association, not causation: what predicts a label may be composition, or how negatives were chosen.",
                "Valid for sequences like those of the training; the support check says which are not.",
                "The bundle holds the training sequences, to which new ones are compared.",
            ],
        }  # fmt: skip

    def place(self, label: str, name: str) -> str:
        """Return where a file of a label lies: in a folder of its own where there are several."""
        return f"{plain_name(label)}/{name}" if len(self.labelled.labels) > 1 else name

    def result(self, label: str) -> TrainResult:
        """Return what was found of a label, with its page."""
        from sewall.report import write_report

        write_json(self.folder.claim(self.place(label, "run.json")), self._record(label))
        path = self.folder.claim(self.place(label, "report.html"))
        evaluation = json.loads((path.parent / "evaluation.json").read_text(encoding="utf-8"))
        table = read_table(path.parent / "predictions.tsv")
        return TrainResult(evaluation, table, path.parent, write_report(path.parent))

    def together(self, results: dict[str, TrainResult]) -> TrainResults:
        """Set several labels side by side."""
        from sewall.report import write_report

        table = side_by_side(results)
        write_table(self.folder.claim("labels.tsv"), table, ["one row per label; scores on sequences held out"])
        write_json(self.folder.claim("run.json"), self._record(None))
        self.folder.claim("report.html")
        return TrainResults(results, table, self.folder.path, write_report(self.folder.path))

    def _record(self, label: str | None) -> dict[str, Any]:
        found, options = self.labelled.read, self.options
        return provenance.record(
            job="sequence", verb="train", command=command("train", options, ("sequences",), self.folder.seed),
            arguments=options.resolved(), seed=self.folder.seed, started=self.begun, stages=self.folder.seconds,
            inputs=[{"path": str(options.sequences), "sequences": len(found), **found.about}], citations=CITATIONS,
            level=options.level,
            dropped=found.left_out,
            notes=list(self.labelled.notes), label=label,
        )  # fmt: skip


def target_of(labels: Labels) -> Target:
    """Return what is predicted."""
    known = labels.known[np.isfinite(labels.known)]
    return Target(labels.name, "", "identity", float(known.min()), float(known.max()), labels.classes)


def said_of(form: Form, told: Mapping[str, float]) -> str:
    """Return in words how sequences are read, and why."""
    strands = "both strands as one" if form.strands == 2 else "the strand as given"
    places = "places count from the ends" if form.anchored else "places do not matter"
    shares = ", ".join(f"{name} {share:.0%}" for name, share in told.items())
    return f"{strands}; {places} (a quick look tells of the labels: {shares})"


def plain_name(label: str) -> str:
    """Return the name of a label as that of a folder.

    >>> plain_name("bound by p53?")
    'bound_by_p53'
    """
    return re.sub(r"[^\w.-]+", "_", label).strip("_.") or "label"
