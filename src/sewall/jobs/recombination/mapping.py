"""From a file of variants to a map: the verbs ``map`` and ``predict``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall import bundle as bundles
from sewall import provenance, run
from sewall.bundle import Bundle
from sewall.console import Console
from sewall.errors import SewallError
from sewall.jobs.options import command
from sewall.jobs.recombination import learn, looking, outputs
from sewall.jobs.recombination.looking import General
from sewall.jobs.recombination.options import GENERAL, MapOptions, PredictOptions
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.session import started, stream
from sewall.jobs.windows.adapting import Towards, in_words
from sewall.jobs.windows.kinds import beyond, check_kind, described, kind_of
from sewall.jobs.windows.learning import Budget, tuning
from sewall.jobs.windows.learning import learn as learned
from sewall.jobs.windows.observed import Observed, WindowReader, observe, open_windows
from sewall.jobs.windows.options import DataOptions
from sewall.nets.alignment import AlignmentNet
from sewall.rundir import RunDirectory, now, write_json
from sewall.tables import write_table
from sewall.task import Examples

FEW = "fewer than 10 usable variants"
CITATIONS = ("msprime", "ld", "cqr", "ensemble", "mmd", "ledoit-wolf", "vcf-zarr", "torch", "scikit-learn")


@dataclass(frozen=True)
class MapResult:
    """A finished map.

    Attributes:
        table: one row per window (see ``predictions.tsv``).
        evaluation: held-out scores, calibration and support.
        folder: the run directory.
        report: the page.
    """

    table: pd.DataFrame
    evaluation: dict[str, Any]
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return three lines: what was found, how sure, and where the page lies."""
        counts = self.table["support"].value_counts()
        rate = self.table["estimate"].mean() * 1e8
        r2, cover = self.evaluation["models"][0]["metrics"]["r2"]["value"], self.evaluation["calibration"]["coverage"]
        return (
            f"{len(self.table)} windows, mean {rate:.2f} cM/Mb; {counts.get('ok', 0)} like the simulations, "
            f"{counts.get('warn', 0)} unusual, {counts.get('outside', 0)} outside (no interval claimed)\n"
            f"on held-out simulations: R² {r2:.3f}, {100 * self.evaluation['level']:g} % intervals cover "
            f"{100 * cover['value']:.1f} %; {self.evaluation['verdict']}\n"
            f"{self.report}"
        )


def map(variants: str | Path, *, out: str | Path, mutation_rate: float, **options: Any) -> MapResult:
    """Map the recombination rate along a genome: inspect, simulate, train, calibrate, check, predict, report.

    Networks are trained from nothing; with ``refit`` they begin from the general ones that come with sewall, where the
    data are of a kind that these were made for; ``bundle="general"`` asks those alone.

    Args:
        variants: VCF, BCF, VCF Zarr, PLINK 1 ``.bed`` or tree sequence of at least 4 chromosomes.
        out: the run directory; a run that was interrupted there goes on.
        mutation_rate: per bp per generation.
        **options: the fields of `MapOptions`, named as on the command line.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    return _map(MapOptions.of(variants=variants, out=out, mutation_rate=mutation_rate, **options), "map")


def predict(
    bundle: str | Path, variants: str | Path, *, out: str | Path, mutation_rate: float, **options: Any
) -> MapResult:
    """Map the recombination rate with a trained bundle: nothing is simulated or trained."""
    given = PredictOptions.of(bundle=bundle, variants=variants, out=out, mutation_rate=mutation_rate, **options)
    return _map(given, "predict")


@dataclass(frozen=True)
class Data:
    """The windows of a file: how to read them, what they show, and the examples made of them."""

    reader: WindowReader
    observed: Observed
    examples: Examples

    @classmethod
    def read(cls, options: DataOptions, folder: RunDirectory, console: Console, least: int | None) -> Data:
        """Open the file, look at all windows, and encode them."""
        cache = folder.claim("variants")
        with console.bar(f"opening {options.variants.name}") as bar:
            reader = open_windows(options, cache, bar.update)
        for note in reader.variants.notes:
            console.say(f"note: {note}")
        with console.bar("looking at the data", len(reader)) as bar:
            observed = observe(reader, least, bar.advance)
        reader = replace(reader, least=observed.least)
        return cls(reader, observed, learn.read_windows(reader, observed, console))

    def contexts(self, seed: int) -> NDArray[np.float32]:
        """Return ``(kinds of contig, draws, context)`` what all windows of a kind show together, drawn again."""
        return learn.drawn_contexts(self.examples, self.observed, self.reader, seed)

    def beyond_general(self) -> str | None:
        """Return why the networks that come with sewall do not serve; None where they do."""
        return beyond(bundles.read_about(GENERAL)["trained_on"], self.trained_on())

    def general(self, seed: int) -> General | None:
        """Return the networks that come with sewall, where they serve."""
        if self.beyond_general() is not None:
            return None
        networks = cast(Sequence[AlignmentNet], trained_in(GENERAL)[1].networks)
        context = stream(seed, learn.CONTEXT)
        return General(networks, self.contexts(context), context)

    def trained_on(self) -> dict[str, Any]:
        """Return what simulations copy from the data, in words and numbers."""
        lengths = sorted({template.length for template in self.observed.templates})
        return {**kind_of(self.observed), "window_bp": [lengths[0], lengths[-1]]}


def _map(options: MapOptions | PredictOptions, verb: str) -> MapResult:
    begun = now()
    trained = None if options.bundle is None else trained_in(options.bundle)
    with started(options) as (folder, console):
        known = trained[1].about["trained_on"] if trained else {}
        data = Data.read(options, folder, console, known.get("least_minor_count", getattr(options, "min_count", None)))
        if trained is not None:
            _check_serves(known, options, data)
        else:
            assert isinstance(options, MapOptions)
            trained = _learn(options, folder, data, console)
        task, bundle = trained
        with console.bar("predicting"):
            seed = stream(folder.seed, learn.SUPPORT)
            predicted = run.predict(bundle, task, data.examples, options.level, seed, FEW)
        table = outputs.rates_table(predicted.table, options.mutation_rate)
        evaluation = _evaluation(bundle, task, options, predicted)
        _write(folder, table, evaluation, options)
        notes = [*data.reader.variants.notes, *_notes(options, table, bundle, task, predicted.support["status"])]
        folder.log("predicted", windows=len(table), support=evaluation["support"]["status"])
        write_json(folder.claim("run.json"), _record(verb, options, folder, data, bundle, notes, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return MapResult(table, evaluation, folder.path, report)


def _check_serves(known: dict[str, Any], options: MapOptions | PredictOptions, data: Data) -> None:
    if not known.get("any_data"):
        check_kind(options.variants, known, data.trained_on())
    elif (why := beyond(known, data.trained_on())) is not None:
        raise SewallError(f"{options.variants}: {why}; leave out --bundle to train for these data")


def trained_in(folder: Path) -> tuple[RecombinationTask, Bundle]:
    """Return the bundle in *folder*, with its task."""
    about = bundles.read_about(folder)
    try:
        known = about["trained_on"]
        upper, context, any_data = about["target"]["upper"], known.get("context"), known.get("any_data")
        task = RecombinationTask(float(upper), bool(context), bool(any_data))
    except (KeyError, TypeError, ValueError):
        raise SewallError(
            f"{folder / bundles.ABOUT}: damaged, or of another job; give a recombination bundle"
        ) from None
    return task, bundles.load(folder, task)


def _learn(options: MapOptions, folder: RunDirectory, data: Data, console: Console) -> tuple[RecombinationTask, Bundle]:
    histories = looking.histories_of(folder, options, data.observed, data.examples, console)
    general = data.general(folder.seed)
    prior = looking.make_prior(folder, options, data.observed, data.examples, histories, console, general)
    examples = learn.simulate_windows(folder, options, data.observed, prior, histories, console)
    budget, seeds = Budget.of(options.quick, options.device, options.threads), learn.seeds(folder.seed)
    task, trained_on = RecombinationTask(prior["upper"]), data.trained_on()
    if options.refit and general is None:
        console.say(f"note: {data.beyond_general()}; networks are trained from nothing")
    elif options.refit:
        assert general is not None
        task = RecombinationTask(prior["upper"], context=True, begun=general.networks)
        examples = learn.in_context(examples, general.contexts, general.seed)
        budget = replace(budget, config=tuning(budget.config))
        trained_on |= {"context": True, "begun_from": "the general bundle"}
    about = learn.about(trained_on, prior, looking.history_in_words(histories), options.quick)
    towards = Towards(options.adapt, data.examples) if options.adapt in ("align", "reweight") else None
    return task, learned(
        folder, "bundle", task, examples, seeds, budget, options.level, about, console, towards=towards
    )


def _evaluation(
    bundle: Bundle, task: RecombinationTask, options: MapOptions | PredictOptions, predicted: run.Predictions
) -> dict[str, Any]:
    scores: dict[str, Any] = bundle.about["scores_in_full"]
    if options.level != scores["level"]:  # scored at the level of its training: measure at the level that is asked
        tested = bundle.calibration["test_answer"], bundle.calibration["test_truth"]
        scores = scores | {"calibration": run.calibration(bundle, task, *tested, options.level, 0)}
    return {"job": task.name, **scores, "level": options.level, "support": predicted.support}


def _write(folder: RunDirectory, table: pd.DataFrame, evaluation: dict[str, Any], options: DataOptions) -> None:
    level = evaluation["level"]
    head = outputs.header(options.mutation_rate, level)
    write_table(folder.claim("predictions.tsv"), table, head)
    for path in outputs.write_maps(folder.path, table):
        folder.claim(path.name)
    write_json(folder.claim("evaluation.json"), evaluation)


def _notes(
    options: MapOptions | PredictOptions, table: pd.DataFrame, bundle: Bundle, task: RecombinationTask, status: str
) -> list[str]:
    notes = []
    if "adapted" in bundle.about:
        notes.append(in_words(bundle.about["adapted"]))
    if bundle.about["trained_on"].get("quick"):
        longer = "looks longer at the data before it trains" if status == "outside" else "gives narrower intervals"
        notes.append(f"Quick run: a small budget of simulations; a run without --quick {longer}.")
    if bundle.about["trained_on"].get("any_data"):
        notes.append(
            "A first look: these networks were made for data of many kinds. A run without --bundle trains for these "
            "data alone, with --refit it begins from these networks."
        )
    high = (table["rho_over_theta"] > 0.9 * task.target.upper).mean()
    if high > 0.05:
        notes.append(
            f"{high:.0%} of the windows lie at the upper end of the rates that were simulated "
            f"({task.target.upper:g} crossovers per mutation): their rates may be higher still."
        )
    return notes


def _record(
    verb: str, options: MapOptions | PredictOptions, folder: RunDirectory, data: Data, bundle: Bundle, notes: list[str],
    begun: str,
) -> dict[str, Any]:  # fmt: skip
    positional = ("variants",) if verb == "map" else ("bundle", "variants")
    trained = bundle.about["trained_on"]
    return provenance.record(
        job="recombination", verb=verb, command=command(verb, options, positional, folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        citations=CITATIONS, units=outputs.UNITS, mutation_rate=options.mutation_rate,
        level=options.level,
        prior={
            "rho_over_theta": [0, bundle.about["target"]["upper"]], "history": trained.get("history"),
            "windows": trained["window_bp"], "simulations": trained["simulations"], "min_count": data.observed.least,
        },
        notes=notes, **described(data.reader, data.observed),
    )  # fmt: skip
