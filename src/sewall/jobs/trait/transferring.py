"""The verb ``transfer``: a trained bundle carried to another study, beside a training from scratch."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import crossrun, crossscores, crosstables, provenance
from sewall.bundle import Bundle
from sewall.console import Console
from sewall.crossfit import NETWORK, Fits, Floats, Question, fit_all
from sewall.data.panels.harmonise import USED
from sewall.errors import SewallError
from sewall.jobs.options import command
from sewall.jobs.session import started, stream
from sewall.jobs.trait.carried import KEY, Carried, TransferTask
from sewall.jobs.trait.matching import MATCH_HEADER, matched_panel
from sewall.jobs.trait.models import PLACE
from sewall.jobs.trait.networks import FEW
from sewall.jobs.trait.options import TransferOptions
from sewall.jobs.trait.people import People, marks, packed_sites
from sewall.jobs.trait.predicting import load
from sewall.jobs.trait.reading import Labelled, input_record, open_genotypes, read_training
from sewall.jobs.trait.training import CITATIONS, FIT, SCORE, TraitRun
from sewall.run import words_of
from sewall.rundir import RunDirectory, now, write_json
from sewall.stacking import STACK, nested
from sewall.tables import read_table, write_table
from sewall.trust.compare import compare
from sewall.trust.metrics import CLASSIFICATION, METRICS

TUNED = replace(FEW, epochs=12, learning_rate=5e-4)  # networks that begin where others ended take small steps
HEAD = replace(FEW, epochs=12)

ARMS = {
    "zero_shot": "the bundle as it is",
    KEY: "the bundle, with covariates and one weight of the new study",
    "head": "its networks, with their last layers tuned",
    "all": "its networks, tuned as a whole",
    "transfer": "stack with the bundle and its tuned networks",
    "scratch_simple": "best single model from scratch",
    "scratch_network": "networks from scratch",
    "scratch": "stack from scratch",
}


@dataclass(frozen=True)
class TransferResult:
    """A finished transfer.

    Attributes:
        evaluation: scores of all ways side by side, on individuals of the new study that were held out.
        table: predictions of those by the stack with the bundle.
        folder: the run directory; ``scratch`` in it holds the training from scratch.
        report: the page.
    """

    evaluation: dict[str, Any]
    table: pd.DataFrame
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return a line per way, and where the page lies."""
        metric = self.evaluation["metric"]
        lines = [f"{m['name']}: {words_of(m['metrics'][metric])}" for m in self.evaluation["arms"]]
        gain = self.evaluation["transfer_adds"]
        said = (
            f"{METRICS[metric].name} in {self.evaluation['n']} individuals of the new study that were held out; the "
            f"transfer adds {gain['value']:+.3f} ({gain['lower']:+.3f} to {gain['upper']:+.3f}) to the stack from "
            "scratch"
        )
        return "\n".join([*lines, said, str(self.report)])


def transfer(bundle: str | Path, genotypes: str | Path, *, out: str | Path, **options: Any) -> TransferResult:
    """Carry a trained bundle to another study, and compare it with a training from scratch.

    Five ways of using the bundle are judged by the same folds as a training from scratch: as it is; with one weight
    beside the new study's covariates; its networks with their last layers tuned; with all layers tuned; and all of
    this in a stack with the classical models of the new study.

    Args:
        bundle: folder of a bundle of this job.
        genotypes: of the new study, as for `train`; variants are matched by place and letters, absent ones filled in
            from the linkage among the individuals of the bundle.
        out: the run directory.
        **options: the fields of `TransferOptions`; ``phenotypes``, a table with the columns ``sample_id`` and the
            trait, is needed.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = TransferOptions.of(bundle=bundle, genotypes=genotypes, out=out, **options)
    begun = now()
    old_task, old = load(given.bundle)
    given = given.model_copy(update={"trait": given.trait or (old_task.target.name,)})
    with started(given) as (folder, console):
        people = read_training(given, folder, console)
        scratch = TraitRun(given, folder, people, begun, "scratch/")
        study = _Study.read(given, folder, console, people, Carried(old_task, old))
        scratch.measure_linkage(console)
        for name, traits in scratch.parts():
            scratch.learn(name, traits, console)
        question = study.question(scratch)
        _learn(given, folder, console, study, question)
        shutil.rmtree(folder.path / "fits", ignore_errors=True)
        with console.bar("writing the report"):
            from sewall.report import write_report

            scratch.result(given.trait[0])
            write_json(folder.claim("run.json"), _record(given, folder, study, begun))
            folder.claim("report.html")
            report = write_report(folder.path)
    evaluation, table = _read_json(folder.path / "evaluation.json"), read_table(folder.path / "predictions.tsv")
    return TransferResult(evaluation, table, folder.path, report)


@dataclass(frozen=True)
class _Study:
    """The new study at the sites of the bundle."""

    people: Labelled
    carried: Carried
    at_sites: People
    notes: tuple[str, ...]

    @classmethod
    def read(
        cls, options: TransferOptions, folder: RunDirectory, console: Console, people: Labelled, carried: Carried
    ) -> _Study:
        """Match the genotypes of the new study to the sites of the bundle."""
        trait, target = options.trait[0], carried.task.target
        if people.classes.get(trait, ()) != target.classes:
            have, want = (", ".join(names) or "a quantity" for names in (people.classes.get(trait, ()), target.classes))
            raise SewallError(
                f"{options.phenotypes}: {trait} is {have}, the bundle predicts {want}; give a trait of the same kind"
            )
        samples = people.panel.sample_ids
        raw = open_genotypes(options, folder, console, samples, keep_constant=True)
        with console.bar("matching the sites of the bundle"):
            panel, matched = matched_panel(options.genotypes, raw, carried.task, _whole(carried.bundle))
        write_table(folder.claim("match_report.tsv"), matched, MATCH_HEADER)
        known = int(np.isin(marks(samples), _whole(carried.bundle).extra["known"]).sum())
        notes = people.notes
        if known:
            notes += (f"{known} individuals have ids of the bundle's training: of them it knows too much",)
        own = people.people
        return cls(people, carried, People(panel, own.covariates, own.names), notes)

    def question(self, scratch: TraitRun) -> Question:
        """Return the question of the new study at the sites of the bundle, in the folds of the other training."""
        trait = scratch.options.trait[0]
        asked = scratch.questions([trait])[0]
        examples = replace(asked.examples, source=self.at_sites)
        task = TransferTask(asked.task.target, self.carried.task.sites, self.carried)
        return Question(task, examples, asked.folds)


def _whole(bundle: crossrun.Answering) -> Bundle:
    assert isinstance(bundle, Bundle)
    return bundle


def _learn(options: TransferOptions, folder: RunDirectory, console: Console, study: _Study, question: Question) -> None:
    """Tune, score and bundle, once."""
    with folder.stage("transfer") as stage:
        if stage.done:
            return
        task, examples = question.task, question.examples
        assert isinstance(task, TransferTask) and examples.target is not None
        study.carried.added(examples, np.arange(len(examples)))  # once, before processes divide the work
        found = {tune: _tuned(options, folder, console, question, tune) for tune in ("head", "all")}
        answered = {tune: nested(task, fits, examples.target, leave=(PLACE,)) for tune, fits in found.items()}
        whole = answered["all"]
        arms = {
            "zero_shot": study.carried.answer(examples, whole.rows), KEY: whole.answers[KEY],
            "head": answered["head"].answers[NETWORK], "all": whole.answers[NETWORK], "transfer": whole.answers[STACK],
        }  # fmt: skip
        bundle = _bundled(options, folder, study, question, found["all"])
        bundle.save(stage.makes("bundle"))
        table = crosstables.held_out_table(examples, whole, bundle, task.target, options.level)
        write_table(stage.makes("predictions.tsv"), table, crosstables.header(options.trait[0], options.level, True))
        evaluation = {"job": task.name, **bundle.about["scores_in_full"]}
        evaluation |= _side_by_side(options, folder, question, arms, whole.rows)
        write_json(stage.makes("evaluation.json"), evaluation)


def _tuned(options: TransferOptions, folder: RunDirectory, console: Console, question: Question, tune: str) -> Fits:
    task = question.task
    assert isinstance(task, TransferTask)
    asked = replace(question, task=TransferTask(task.target, task.sites, task.carried, tune))
    folds = question.folds.number
    units = 1 + folds + folds * (folds - 1) // 2
    workers = options.threads or len(os.sched_getaffinity(0))
    place = folder.claim("fits") / "transfer"
    with console.bar(f"tuning networks ({tune}), {units - 1} times", 2 * units - 1) as bar:
        config = replace(HEAD if tune == "head" else TUNED, device=options.device)
        return fit_all([asked], config, place, stream(folder.seed, FIT), workers, bar.advance, tune)[0]


def _bundled(options: TransferOptions, folder: RunDirectory, study: _Study, question: Question, fits: Fits) -> Bundle:
    """Return the bundle of the new study, which holds the other one as one of its simple models."""
    task, examples, old = question.task, question.examples, _whole(study.carried.bundle)
    assert isinstance(task, TransferTask) and examples.target is not None
    found = nested(task, fits, task.target.forward(examples.target), leave=(PLACE,))
    known = marks([study.people.panel.sample_ids[row] for row in found.rows])
    extra = packed_sites(task.sites) | {"frequency": old.extra["frequency"], "known": known}
    bundle = crossrun.bundle_of(task, examples, fits, found, extra)
    scores = crossscores.evaluate(task, examples, bundle, found, options.level, stream(folder.seed, SCORE))
    about = {
        "job": task.name, "carried": True,
        "description": f"{task.target.name} of individuals, from genotypes, with a bundle of another study.",
        "covariates": list(study.people.people.names), "given_covariates": list(options.covariates),
        "levels": {name: list(levels) for name, levels in study.people.levels.items()},
        "trained_on": {
            "individuals": len(found.rows), "sites": len(task.sites), "folds": fits.folds.number,
            "the bundle of the other study": old.about["trained_on"].get("individuals"),
        },
        "limits": old.about.get("limits", []),
    }  # fmt: skip
    bundle = crossrun.described(bundle, task, about, scores)
    best = next(m for m in bundle.simple_models if m.key == bundle.about["best_simple"])
    scores |= {"best_simple": {"key": best.key, "name": best.name}, "learning": fits.learning}
    scores["held_out"] = (
        f"{len(found.rows):,} individuals of the new study, each predicted by models that were fitted without its fold"
    )
    return bundle


def _side_by_side(
    options: TransferOptions, folder: RunDirectory, question: Question, arms: dict[str, Floats], rows: np.ndarray
) -> dict[str, Any]:
    """Return the scores of all ways, and what the transfer adds to a training from scratch."""
    task, examples = question.task, question.examples
    assert isinstance(task, TransferTask) and task.carried is not None
    target, seed, metric = task.target, stream(folder.seed, SCORE), crossscores.metric_of(task)
    truth = crossscores.known_truth(task, examples, rows)
    scratch = _read_json(folder.path / "scratch" / "evaluation.json")
    models = read_table(folder.path / "scratch" / "models.tsv").set_index("sample_id")
    models = models.loc[examples.keys["sample_id"].iloc[rows]]
    from_scratch = {"scratch_simple": scratch["best_simple"]["key"], "scratch_network": NETWORK, "scratch": STACK}
    answers = {key: target.backward(values) for key, values in arms.items()}
    answers |= {key: crosstables.answer_of(models, model, target) for key, model in from_scratch.items()}
    groups = None if examples.groups is None else np.asarray(examples.groups)[rows]
    order = {key: number for number, key in enumerate(answers)}
    compared = compare(
        truth, answers, order, metric, seed, groups, names=ARMS, metrics=CLASSIFICATION if target.classes else None
    )
    difference = next(d for d in compared.differences if {d.model, d.against} == {"transfer", "scratch"})
    sign = 1 if difference.model == "transfer" else -1
    ends = sorted(sign * end for end in (difference.estimate.lower, difference.estimate.upper))
    adds = {"value": sign * difference.estimate.value, "lower": ends[0], "upper": ends[1]}
    told = compared.to_dict()
    return {"arms": told["models"], "transfer_adds": adds, "scratch": {"best_simple": scratch["best_simple"]}}


def _read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _record(options: TransferOptions, folder: RunDirectory, study: _Study, begun: str) -> dict[str, Any]:
    matched = read_table(folder.path / "match_report.tsv")["outcome"].value_counts()
    total = int(matched.sum())
    return provenance.record(
        job="trait", verb="transfer", command=command("transfer", options, ("bundle", "genotypes"), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        inputs=[input_record(options.genotypes, study.at_sites.panel)], citations=CITATIONS, level=options.level,
        dropped=[{"reason": r, "count": int(n), "of": total} for r, n in matched.items() if r not in USED],
        notes=list(study.notes), covariates=list(study.people.people.names), trait=options.trait[0],
    )  # fmt: skip
