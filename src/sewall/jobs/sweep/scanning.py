"""From a file of variants to calls of sweeps: the verbs ``scan`` and ``predict``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import provenance, run
from sewall.console import Console
from sewall.data.regions import Region
from sewall.errors import SewallError
from sewall.jobs.options import command
from sewall.jobs.session import started, stream
from sewall.jobs.sweep import calls, learn
from sewall.jobs.sweep.haplotypes import write_pictures
from sewall.jobs.sweep.learn import Bundles, budget_of
from sewall.jobs.sweep.options import SUB_WINDOWS, PredictOptions, ScanOptions, SimulateOptions, WindowsOptions
from sewall.jobs.sweep.rates import KnownRates, read_rates
from sewall.jobs.sweep.task import AGE, STRENGTH, SweepTask
from sewall.jobs.sweep.windows import ENCODED, FEWEST_SITES, encode_along
from sewall.jobs.windows.kinds import check_kind, described, kind_of
from sewall.jobs.windows.observed import Observed, WindowReader, observe, open_windows
from sewall.jobs.windows.options import DataOptions
from sewall.jobs.windows.source import Windows, stacked
from sewall.rundir import RunDirectory, now, write_json
from sewall.simulate.sweeps import PARTIAL
from sewall.tables import write_table
from sewall.task import Examples

FEW = f"fewer than {FEWEST_SITES} usable variants"
FEWEST_CHROMOSOMES = 8
CITATIONS = (
    "msprime", "diploshic", "h12", "tajima", "label-shift", "ensemble", "mmd", "ledoit-wolf", "vcf-zarr", "torch",
    "scikit-learn",
)  # fmt: skip


@dataclass(frozen=True)
class ScanResult:
    """A finished scan.

    Attributes:
        table: one row per window (see ``predictions.tsv``).
        regions: called regions, the surest first.
        evaluation: held-out scores, calibration and support.
        folder: the run directory.
        report: the page.
    """

    table: pd.DataFrame
    regions: pd.DataFrame
    evaluation: dict[str, Any]
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return three lines: what was found, how sure, and where the page lies."""
        counts, found = self.table["support"].value_counts(), self.regions
        top = found.head(3).to_dict("records")
        named = ", ".join(f"{r['chrom']}:{r['start']:,}-{r['end']:,} ({r['kind']})" for r in top)
        score = self.evaluation["models"][0]["metrics"]["accuracy"]["value"]
        return (
            f"{len(found)} regions called in {len(self.table)} windows{': ' if named else ''}{named}; "
            f"{counts.get('outside', 0)} windows outside the support\n"
            f"on held-out simulations: {score:.1%} of windows classed rightly; {self.evaluation['verdict']}\n"
            f"{self.report}"
        )


def scan(
    variants: str | Path, *, out: str | Path, mutation_rate: float, recombination_rate: float | str | None = None,
    **options: Any,
) -> ScanResult:  # fmt: skip
    """Scan a genome for selective sweeps: inspect, simulate, train, calibrate, check, call, report.

    Args:
        variants: VCF, BCF, VCF Zarr, PLINK 1 ``.bed`` or tree sequence of at least 8 chromosomes.
        out: the run directory; a run that was interrupted there goes on.
        mutation_rate: per bp per generation.
        recombination_rate: per bp per generation, or a genetic map; with a bundle, a map if it was trained with one.
        **options: the fields of `ScanOptions`, named as on the command line.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = ScanOptions.of(
        variants=variants, out=out, mutation_rate=mutation_rate, recombination_rate=recombination_rate, **options
    )
    return _scan(given, "scan")


def predict(
    bundle: str | Path, variants: str | Path, *, out: str | Path, mutation_rate: float, **options: Any
) -> ScanResult:
    """Scan a genome with a trained bundle: nothing is simulated or trained."""
    given = PredictOptions.of(bundle=bundle, variants=variants, out=out, mutation_rate=mutation_rate, **options)
    return _scan(given, "predict")


@dataclass(frozen=True)
class Data:
    """The windows of a file: how to read them, what they show together, what is known of recombination in them."""

    reader: WindowReader
    observed: Observed
    rates: KnownRates

    @classmethod
    def read(
        cls, options: WindowsOptions, folder: RunDirectory, console: Console,
        trained: Bundles | None = None,
    ) -> Data:  # fmt: skip
        """Open the file, lay a window at every sub-window, and look at those that lie side by side.

        Args:
            options: which variants and windows.
            folder: the run directory.
            console: told what is going on.
            trained: what will answer, if it is there already; then the data are read as those of its training were.
        """
        least = trained.trained_on["least_minor_count"] if trained else getattr(options, "min_count", None)
        cache = folder.claim("variants")
        with console.bar(f"opening {options.variants.name}") as bar:
            reader = open_windows(options, cache, bar.update, options.window // SUB_WINDOWS)
        for note in reader.variants.notes:
            console.say(f"note: {note}")
        rates = _rates(options, reader, trained)
        apart = replace(reader, regions=_side_by_side(reader.regions))
        with console.bar("looking at the data", len(apart)) as bar:
            observed = observe(apart, least, bar.advance)
        _check_sample(options, observed)
        return cls(replace(reader, least=observed.least), observed, rates)

    def simulated(self, options: SimulateOptions, folder: RunDirectory, console: Console) -> learn.Made:
        """Return simulations of windows like these."""
        own = self.examples(SUB_WINDOWS, self.observed.theta, console) if options.adapt == "auto" else None
        return learn.simulate(folder, options, self.observed, self.rates, self.trained_on(), own, console)

    def examples_for(self, trained: Bundles, console: Console) -> Examples:
        """Return all windows as examples for these bundles."""
        return self.examples(trained.tasks.kind.sub_windows, float(trained.trained_on["theta_per_bp"]), console)

    def examples(self, sub_windows: int, theta: float, console: Console) -> Examples:
        """Return all windows as examples; keys name their central sub-windows.

        Args:
            sub_windows: of each window.
            theta: 4 Ne mu per bp, the unit of length of what will answer.
            console: told what is going on.
        """
        known = partial(self.rates.along, sub_windows=sub_windows)
        rows = []
        with console.bar("reading windows", len(self.reader)) as bar:
            for row in encode_along(self.reader.regions, self.reader, theta, self.observed.least, known):
                rows.append(row)
                bar.advance()
        middles = [_middle(region, sub_windows) for region in self.reader.regions]
        keys = pd.DataFrame(
            {"chrom": [r.chrom for r in middles], "start": [r.start for r in middles], "end": [r.end for r in middles]}
        )
        arrays = stacked(rows)
        return Examples(keys, Windows(self.reader, {name: arrays[name] for name in ENCODED}))

    def trained_on(self) -> dict[str, Any]:
        """Return what simulations copy from the data, in words and numbers."""
        map_mean = None if self.rates.maps is None else self.rates.mean
        return {**kind_of(self.observed), "window_bp": self.reader.regions[0].length, "genetic_map_mean": map_mean}


def _rates(options: WindowsOptions, reader: WindowReader, trained: Bundles | None) -> KnownRates:
    """Return what is known of recombination, told as the bundle of *trained*, if there is one, was told it."""
    given = options.recombination_rate
    if trained is None:
        assert given is not None, "options of a training state a rate"
        if isinstance(given, float):
            return KnownRates(given)
        return read_rates(given, reader.variants, reader.regions, SUB_WINDOWS)
    mean = trained.trained_on["genetic_map_mean"]
    if mean is None and given is None:
        return KnownRates(float("nan"))
    if mean is None:
        raise SewallError(
            "--recombination-rate: the bundle was trained on one rate for all windows, and reads none; leave it out"
        )
    if not isinstance(given, Path):
        raise SewallError(
            "--recombination-rate: the bundle was trained with a genetic map; give the map of these variants"
        )
    return read_rates(given, reader.variants, reader.regions, trained.tasks.kind.sub_windows, float(mean))


def _side_by_side(regions: list[Region]) -> list[Region]:
    """Return windows that do not overlap, the first ones that are there."""
    found: list[Region] = []
    for region in regions:
        if not found or found[-1].chrom != region.chrom or found[-1].end <= region.start:
            found.append(region)
    return found


def _middle(region: Region, sub_windows: int) -> Region:
    size = region.length // sub_windows
    start = region.start + (sub_windows // 2) * size
    return Region(region.chrom, start, start + size)


def _check_sample(options: DataOptions, observed: Observed) -> None:
    few = min(sample.chromosomes for sample in observed.samples)
    if few < FEWEST_CHROMOSOMES:
        raise SewallError(
            f"{options.variants}: {few} chromosomes; a sweep is seen by what many share, so give at least "
            f"{FEWEST_CHROMOSOMES}"
        )


def _scan(options: ScanOptions | PredictOptions, verb: str) -> ScanResult:
    begun = now()
    trained = Bundles.load(options.bundle) if options.bundle is not None else None
    if trained is not None:
        check_window(options, trained)
    with started(options) as (folder, console):
        data = Data.read(options, folder, console, trained)
        if trained is None:
            assert isinstance(options, ScanOptions)
            trained = learn.train(
                folder,
                data.simulated(options, folder, console),
                budget_of(options.quick, options.device, options.threads),
                options.level,
                console,
            )
        else:
            check_kind(options.variants, dict(trained.trained_on), data.trained_on())
        examples = data.examples_for(trained, console)
        priors = options.priors() or calls.default_priors(trained.tasks.kind.target.classes)
        with console.bar("predicting"):
            table, predicted = answers(trained, examples, options.level, options.fdr, priors, folder.seed)
        evaluation = _evaluation(trained, options.level, predicted, priors)
        found = _write(folder, table, evaluation, options, priors, trained)
        write_pictures(folder.claim("haplotypes.json"), data.reader, table, found)
        notes = [*data.reader.variants.notes, *_notes(trained)]
        folder.log("predicted", windows=len(table), support=evaluation["support"]["status"])
        write_json(folder.claim("run.json"), _record(verb, options, folder, data, trained, priors, notes, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return ScanResult(table, found, evaluation, folder.path, report)


def answers(
    trained: Bundles, examples: Examples, level: float, fdr: float, priors: dict[str, float], seed: int
) -> tuple[pd.DataFrame, run.Predictions]:
    """Return the table of all windows with calls, strength and age, and what the support check says of them."""
    seed = stream(seed, learn.SUPPORT)
    predicted = run.predict(trained.kind, trained.tasks.kind, examples, level, seed, FEW, priors)
    table = calls.called(predicted.table, fdr)
    complete = table["called"] & ~(table.filter(["p_partial"]).gt(0.5).any(axis=1))
    for name, bundle, task, rows in (
        (STRENGTH, trained.strength, trained.tasks.strength, table["called"]),
        (AGE, trained.age, trained.tasks.age, complete),
    ):
        known = np.flatnonzero(rows.to_numpy(bool))
        columns = {column: np.full(len(table), np.nan) for column in (name, f"{name}_lower", f"{name}_upper")}
        if len(known):
            told = run.answer(bundle, task, examples, known, level)
            for column, values in zip(columns, (told.estimate, *told.claimed.T), strict=True):
                columns[column][known] = values
        table = table.assign(**columns)
    return table, predicted


def check_window(options: DataOptions, trained: Bundles) -> None:
    """Refuse windows of another length than those of the training."""
    expected = int(trained.trained_on["window_bp"])
    if options.window != expected:
        raise SewallError(
            f"--window {options.window}: the bundle was trained on windows of {expected:,} bp; give --window {expected}"
        )


def _evaluation(trained: Bundles, level: float, predicted: run.Predictions, priors: dict[str, float]) -> dict[str, Any]:
    scores: dict[str, Any] = trained.kind.about["scores_in_full"]
    if level != scores["level"]:  # scored at the level of its training: measure at the level that is asked
        tested = trained.kind.calibration["test_answer"], trained.kind.calibration["test_truth"]
        scores = scores | {"calibration": run.calibration(trained.kind, trained.tasks.kind, *tested, level, 0)}
    quantities = {
        name: bundle.about["scores_in_full"] for name, bundle in ((STRENGTH, trained.strength), (AGE, trained.age))
    }
    return {
        "job": SweepTask.name, **scores, "level": level, "support": predicted.support, "priors": priors,
        "quantities": quantities,
    }  # fmt: skip


def _write(
    folder: RunDirectory, table: pd.DataFrame, evaluation: dict[str, Any], options: ScanOptions | PredictOptions,
    priors: dict[str, float], trained: Bundles,
) -> pd.DataFrame:  # fmt: skip
    head = calls.header(options.level, options.fdr, priors)
    write_table(folder.claim("predictions.tsv"), table, head)
    for path in calls.write_calls(folder.path, table, trained.tasks.kind.target.classes):
        folder.claim(path.name)
    found = calls.regions(table)
    write_table(
        folder.claim("regions.tsv"),
        found,
        ["called regions; p_sweep: that a sweep lies in any of the windows; p_peak: in the likeliest"],
    )
    write_json(folder.claim("evaluation.json"), evaluation)
    return found


def _notes(trained: Bundles) -> list[str]:
    notes = ["Background selection was not simulated: a window that only lost diversity to it may look like a sweep."]
    if trained.trained_on.get("quick"):
        notes.append("Quick run: a small budget of simulations; run without --quick for surer calls.")
    if PARTIAL not in trained.tasks.kind.target.classes:
        notes.append("Sweeps that have not ended were not simulated as a class of their own (--partial).")
    return notes


def _record(
    verb: str, options: ScanOptions | PredictOptions, folder: RunDirectory, data: Data, trained: Bundles,
    priors: dict[str, float], notes: list[str], begun: str,
) -> dict[str, Any]:  # fmt: skip
    positional = ("variants",) if verb == "scan" else ("bundle", "variants")
    known = trained.trained_on
    return provenance.record(
        job=SweepTask.name, verb=verb, command=command(verb, options, positional, folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        citations=CITATIONS, units=calls.UNITS, mutation_rate=options.mutation_rate, level=options.level,
        prior={**known, "priors": priors, "fdr": options.fdr}, notes=notes, **described(data.reader, data.observed),
    )  # fmt: skip
