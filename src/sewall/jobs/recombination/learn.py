"""Windows to learn from: those of the data, and simulations like them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.console import Console
from sewall.jobs.recombination.context import context, contexts
from sewall.jobs.recombination.genomes import Genomes
from sewall.jobs.recombination.prior import window_simulator
from sewall.jobs.recombination.task import TARGET, RecombinationTask
from sewall.jobs.recombination.windows import ENCODED, encode
from sewall.jobs.session import stream
from sewall.jobs.windows.learning import Seeds
from sewall.jobs.windows.observed import Observed, WindowReader
from sewall.jobs.windows.options import PriorOptions
from sewall.jobs.windows.source import Windows, stacked, windows_of
from sewall.rundir import RunDirectory
from sewall.simulate.farm import run_farm
from sewall.simulate.history import HistorySource
from sewall.simulate.shards import ShardedAlignments
from sewall.task import Examples

CONTEXTS = 50  # drawn from the windows of the data
SHARD = 250

# Independent streams of one seed.
HISTORIES, LOOK, SECOND_LOOK, SIMULATE, SPLIT, TRAIN, SUPPORT, ADAPT, CONTEXT, THIRD_LOOK = range(10)
CLOSER_LOOKS = {"second look": SECOND_LOOK, "third look": THIRD_LOOK}


def read_windows(reader: WindowReader, observed: Observed, console: Console) -> Examples:
    """Return the windows of the data as examples, encoded as the models read them."""
    rows = []
    with console.bar("reading windows", len(reader)) as bar:
        for window in reader:
            rows.append(encode(window, observed.theta, observed.least) | _counts(window.sites, window.accessible_bp))
            bar.advance()
    arrays = stacked(rows)
    samples = [(sample.chromosomes, sample.phased) for sample in observed.samples]
    arrays["context"] = contexts(arrays["statistics"], observed.kinds(reader), samples, observed.least)
    keys = pd.DataFrame(
        {
            "chrom": [region.chrom for region in reader.regions],
            "start": [region.start for region in reader.regions],
            "end": [region.end for region in reader.regions],
            "variants": arrays.pop("variants"),
            "accessible_bp": arrays.pop("accessible_bp"),
        }
    )
    return Examples(keys, Windows(reader, arrays))


def drawn_contexts(data: Examples, observed: Observed, reader: WindowReader, seed: int) -> NDArray[np.float32]:
    """Return ``(kinds of contig, draws, context)`` what the windows of the data show together, drawn again (bootstrap).

    So much it might have been otherwise; other data of the kind differ as much.
    """
    rng, kinds, found = np.random.default_rng(seed), observed.kinds(reader), []
    known = windows_of(data).encoded["statistics"]
    for number, sample in enumerate(observed.samples):
        own = known[(kinds == number) & ~np.isnan(known[:, 0])]
        own = own if len(own) else np.zeros((1, known.shape[1]))
        found.append([
            context(own[rng.integers(len(own), size=len(own))], sample.chromosomes, sample.phased, observed.least)
            for _ in range(CONTEXTS)
        ])  # fmt: skip
    return np.array(found, np.float32)


def in_context(examples: Examples, known: NDArray[np.float32], seed: int) -> Examples:
    """Return simulations as if they were windows of the data, for networks that read a context.

    Args:
        examples: simulations like the data.
        known: `drawn_contexts` of the data.
        seed: decides which of them each simulation gets.
    """
    source, kinds = windows_of(examples), examples.keys["kind"].to_numpy(np.intp)
    drawn = np.random.default_rng(seed).integers(known.shape[1], size=len(examples))
    return replace(examples, source=Windows(source.alignments, source.encoded | {"context": known[kinds, drawn]}))


def _counts(sites: int, accessible: int) -> dict[str, NDArray[Any]]:
    return {"variants": np.array(sites), "accessible_bp": np.array(accessible)}


def simulate_windows(
    folder: RunDirectory,
    options: PriorOptions,
    observed: Observed,
    prior: dict[str, Any],
    histories: HistorySource,
    console: Console,
) -> Examples:
    """Simulate labelled windows like the observed ones; shards that are there already are kept."""
    genomes = Genomes.from_state(prior["genomes"], histories)
    simulator = window_simulator(observed, genomes, prior["log_spread"])
    with folder.stage("simulate", prior):
        seed = stream(folder.seed, SIMULATE)
        return simulated(simulator, prior["simulations"], seed, folder, options, console, "simulating")


def simulated(
    simulator: Any, number: int, seed: int, folder: RunDirectory, options: PriorOptions, console: Console, label: str
) -> Examples:
    """Simulate labelled windows; shards that are there already are kept."""
    place = folder.claim(f"simulations/{label.replace(' ', '-')}")
    with console.bar(f"{label}: {number:,} windows", number) as bar:
        paths = run_farm(
            simulator, number, seed, place, config={"run": folder.config, "label": label}, shard_size=SHARD,
            workers=options.threads, cluster=options.cluster, progress=bar.update,
        )  # fmt: skip
    return simulated_examples(paths)


def simulated_examples(paths: list[Path]) -> Examples:
    """Return labelled examples from shards of simulations."""
    shards = ShardedAlignments(paths)
    labels = shards.labels
    encoded = {name: shards.array(name) for name in ENCODED}
    target = labels[TARGET].to_numpy(float)
    keys = labels.drop(columns=TARGET).rename_axis("simulation").reset_index()
    return Examples(keys, Windows(shards, encoded), target)


def seeds(seed: int) -> Seeds:
    """Return the seeds of the training of a run."""
    return Seeds(stream(seed, SPLIT), stream(seed, TRAIN))


def about(trained_on: dict[str, Any], prior: dict[str, Any], history: str, quick: bool) -> dict[str, Any]:
    """Return what a bundle says of itself before it is scored."""
    drawn = {name: value for name, value in prior.items() if name != "genomes"}
    return {
        "job": RecombinationTask.name,
        "description": "Crossovers per mutation (rho / theta) of windows of a genome, from the alignment of a sample.",
        "trained_on": trained_on | {"history": history, "quick": quick} | drawn,
        "limits": [
            "Valid for data like the simulations above; the support check says where data are not.",
            "Selection was not simulated, nor structure within the sample, nor migrants from more than one other "
            "population unless the history has them.",
            "Simulations have as much of each rate as the file that they were made for seems to have.",
            "Rates per bp are proportional to the mutation rate that the user states.",
        ],
    }
