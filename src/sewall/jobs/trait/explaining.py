"""The verb ``explain``: what each variant has to do with a bundle's predictions, and its linear models as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall.bundle import Bundle
from sewall.console import Console
from sewall.data.panel import Calls, Panel
from sewall.data.panels.harmonise import harmonise
from sewall.encode.alleles import Individuals
from sewall.errors import SewallError, some_names
from sewall.genomic.contract import GenomicModel
from sewall.genomic.kernels import Kernels
from sewall.genomic.score import LinearScore
from sewall.genomic.weights import linear_scores, linear_share
from sewall.jobs.session import started, stream
from sewall.jobs.trait.class_models import ClassScores
from sewall.jobs.trait.explained import Associated, chromosomes_table, header, variants_table, windows_table
from sewall.jobs.trait.importance import Attributed, Networks, attribute, knocked_out, stretches, window_length
from sewall.jobs.trait.matching import check_match, record
from sewall.jobs.trait.models import Genomic
from sewall.jobs.trait.options import ExplainOptions
from sewall.jobs.trait.people import MOST_MISSING, People
from sewall.jobs.trait.predicting import load
from sewall.jobs.trait.reading import read_unlabelled
from sewall.jobs.trait.score_export import export_scores
from sewall.jobs.trait.task import TraitTask
from sewall.nets.attribution import POINTS, Question
from sewall.nets.chromosomes import ChromosomeNet
from sewall.rundir import RunDirectory, now, write_json
from sewall.tables import write_table
from sewall.task import Rows

CITATIONS = ("integrated-gradients", "two-hot", "gblup", "pgs-catalog", "vcf-zarr", "torch")
NO_COVARIATES = {"covariates": (), "given_covariates": ()}  # of those who are explained: networks see none
LINEAR = "gblup"  # the linear model that stands beside the network
STRONGEST = 20  # windows in the table
MOST_KNOCKED_OUT = 512  # individuals in whom windows are knocked out
MOST_REFITTED = 2_000  # individuals whose answers a linear model is fitted to: a matrix of individuals x individuals
FEWEST_REFITTED = 20
REFIT_FOLDS = 5
MOST_COMPARED = 2_048  # sites by which individuals of the training are recognised

# Independent streams of one seed.
REFIT = 0


@dataclass(frozen=True)
class ExplainResult:
    """A finished explanation: the table of variants, what was found in numbers, the run directory, and the page."""

    variants: pd.DataFrame
    explained: dict[str, Any]
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return how many were explained, how linear the network is, and where it all lies."""
        share, scores = self.explained["linear_share"], self.explained["scores"]
        linear = "" if share is None else f"; {share:.1%} of the variance of the network's answers is linear in dosages"
        return (
            f"{self.explained['individuals']} individuals, {len(self.variants)} variants{linear}\n"
            f"{len(scores)} score files in {self.folder / 'scores'}\n{self.report}"
        )


def explain(bundle: str | Path, genotypes: str | Path, *, out: str | Path, **options: Any) -> ExplainResult:
    """Explain the predictions of a trained bundle for individuals, who may be those of its training.

    Args:
        bundle: folder of a bundle of this job.
        genotypes: as for `train`; variants are matched by place and letters, whichever way round they are written.
        out: the run directory.
        **options: the fields of `ExplainOptions`.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = ExplainOptions.of(bundle=bundle, genotypes=genotypes, out=out, **options)
    begun = now()
    task, trained = load(given.bundle)
    what = _Asked.of(given, task, trained)
    with started(given) as (folder, console):
        panel, matched = _read(given, what, folder, console)
        write_table(folder.claim("match_report.tsv"), matched, ["what became of each site of the bundle"])
        rows = _answerable(given, panel)
        tested = Associated.of(given, trained.about, task.target.name, what.label, panel)
        evaluation, variants = _explained(given, what, folder, console, panel, rows, tested)
        write_json(folder.claim("evaluation.json"), evaluation)
        notes = (*panel.notes, *tested.notes, *_notes(evaluation["explained"]))
        write_json(folder.claim("run.json"), record("explain", given, folder, panel, matched, notes, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return ExplainResult(variants, evaluation["explained"], folder.path, report)


@dataclass(frozen=True)
class _Asked:
    """What is explained: a trait, or the chance of one class.

    Attributes:
        task, bundle: as loaded.
        question: which answer of the networks it is.
        label: the class, or an empty text.
        models: the genomic predictors of it.
    """

    task: TraitTask
    bundle: Bundle
    question: Question
    label: str
    models: list[GenomicModel]

    @classmethod
    def of(cls, options: ExplainOptions, task: TraitTask, bundle: Bundle) -> _Asked:
        classes = task.target.classes
        if options.label is not None and options.label not in classes[1 if len(classes) == 2 else 0 :]:
            known = f"its classes are {some_names(list(classes), 8)}" if classes else "it predicts a quantity"
            second = f"; of two, the second is explained: {classes[1]}" if len(classes) == 2 else ""
            raise SewallError(f"--label {options.label}: not a class that {options.bundle} explains: {known}{second}")
        if not classes:
            models = [model.model for model in bundle.simple_models if isinstance(model, Genomic)]
            return cls(task, bundle, Question(int(bundle.about.get("column", 0))), "", models)
        index = classes.index(options.label) if options.label else len(classes) - 1
        fitted = [model.scores for model in bundle.simple_models if isinstance(model, ClassScores)]
        question = Question(index, tuple(k for k in range(len(classes)) if k != index))
        return cls(task, bundle, question, classes[index], [own[0 if len(own) == 1 else index] for own in fitted])

    @property
    def networks(self) -> Networks:
        return [network for network in self.bundle.networks if isinstance(network, ChromosomeNet)]

    @property
    def name(self) -> str:
        """What is explained, in words."""
        return f"{self.task.target.name} = {self.label}" if self.label else self.task.target.name


def _read(options: ExplainOptions, what: _Asked, folder: RunDirectory, console: Console) -> tuple[Panel, pd.DataFrame]:
    """Return the genotypes at the sites of the bundle, and what became of each site."""
    raw, _, _ = read_unlabelled(options, NO_COVARIATES, folder, console)
    panel, matched = harmonise(raw, what.task.sites, what.bundle.extra["frequency"])
    check_match(options.genotypes, matched)
    return panel, matched


def _answerable(options: ExplainOptions, panel: Panel) -> Rows:
    called = People(panel, np.zeros((len(panel), 0))).called["missing"].to_numpy()
    rows = np.flatnonzero(called <= MOST_MISSING)
    if len(rows) < 2:
        raise SewallError(
            f"{options.genotypes}: {len(rows)} individuals have {1 - MOST_MISSING:.0%} of the bundle's sites called, "
            "and 2 are needed at least; give more individuals, or data of the bundle's array"
        )
    return rows


def _explained(
    options: ExplainOptions, what: _Asked, folder: RunDirectory, console: Console, panel: Panel, rows: Rows,
    tested: Associated,
) -> tuple[dict[str, Any], pd.DataFrame]:  # fmt: skip
    """Attribute, write the tables and the score files, and return ``evaluation.json`` and the table of variants."""
    individuals, device = Individuals(panel), _device(options.device)
    tiles = stretches(panel.sites, window_length(what.networks))
    with console.bar("attributing", len(rows)) as bar:
        found = attribute(what.networks, individuals, rows, tiles, what.question, device, bar.advance)
    linear = linear_scores(what.models)[LINEAR][1]
    variants = variants_table(panel.sites, found, linear, tested)
    write_table(folder.claim("variants.tsv"), variants, header(what.task.target.name, what.label, tested))
    chromosomes = chromosomes_table(panel, rows, found, tiles, linear)
    write_table(folder.claim("chromosomes.tsv"), chromosomes, ["network, linear: shares of the predictions' variance"])
    some = _evenly(rows, MOST_KNOCKED_OUT)
    strongest = np.argsort(-np.abs(found.by_stretch).mean(axis=0), kind="stable")[:STRONGEST]
    with console.bar("knocking out windows", len(some)) as bar:
        parts = [tiles[k] for k in strongest]
        changes = knocked_out(what.networks, individuals, some, parts, what.question, device, bar.advance)
    windows = windows_table(panel.sites, variants, found, strongest, parts, changes)
    write_table(folder.claim("windows.tsv"), windows, ["positions from 1; the strongest stretches of linked sites"])
    explained = {
        "name": what.name, "individuals": len(rows), "left_out": len(panel) - len(rows),
        "networks": len(what.networks), "points": POINTS, "gap": found.gap, "window": window_length(what.networks),
        "knocked_out": len(some), "linear": {"key": LINEAR, "name": linear_scores(what.models)[LINEAR][0]},
        "linear_share": _linear_share(panel, rows, found, linear, stream(folder.seed, REFIT)),
        "training": _of_the_training(what, panel, rows),
        "tested": tested.to_dict(),
        "scores": export_scores(folder, what.models, panel.sites, what.name, options.build),
    }  # fmt: skip
    scores = what.bundle.about["scores_in_full"]
    return {"job": what.task.name, **scores, "level": options.level, "explained": explained}, variants


def _device(asked: str) -> str:
    import torch

    return "cuda" if asked == "auto" and torch.cuda.is_available() else "cpu"


def _linear_share(panel: Panel, rows: Rows, found: Attributed, linear: LinearScore, seed: int) -> float | None:
    """Return the share of the variance of the network's answers that a linear function of the dosages reproduces."""
    some = _evenly(np.arange(len(rows)), MOST_REFITTED)
    if len(some) < FEWEST_REFITTED:
        return None
    kernels = Kernels(panel, rows[some])
    score = linear.coding.score(panel, rows[some], found.per_copy)
    folds = np.random.default_rng(seed).permutation(np.arange(len(some)) % REFIT_FOLDS)
    share = linear_share(kernels, found.answer[some], score, folds)
    return share if np.isfinite(share) else None


def _evenly(rows: Rows, most: int) -> Rows:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)]


def _of_the_training(what: _Asked, panel: Panel, rows: Rows) -> int:
    """Return how many individuals have the genotypes of one of the training, as far as some sites tell."""
    state = next(model for model in what.models if model.key == LINEAR).state()
    bits, steps, samples = (int(value) for value in state["reference_kind"])
    if bits != panel.calls.bits:
        return 0
    sites = _evenly(np.arange(len(panel.sites)), MOST_COMPARED)
    known = {own.tobytes() for own in Calls(state["reference_calls"], samples, bits, steps).codes(sites).T}
    return sum(own.tobytes() in known for own in panel.calls.codes(sites)[:, rows].T)


def _notes(explained: dict[str, Any]) -> list[str]:
    notes = []
    if explained["training"]:
        notes.append(
            f"{explained['training']} of {explained['individuals']} individuals have the genotypes of individuals of "
            "the training: this shows what models learnt from them, and p values of the same trait are no test of it"
        )
    if explained["left_out"]:
        notes.append(
            f"{explained['left_out']} individuals have too few calls at the bundle's sites; they were left out"
        )
    if left_out := max((row["left_out"] for row in explained["scores"]), default=0):
        notes.append(f"{left_out} sites have no known alleles and stand in no score file")
    if not explained["scores"]:
        notes.append("no score files were written: the alleles of the sites are not known")
    return notes
