"""Where the windows of the misspecification laboratory come from: a source, five targets, and how each is read.

A *target* is a population that did not live through what was simulated, or calls that lack what simulations have. The
source has a constant size; its windows hold as many variants as those of the target, as ``map`` would simulate them.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from settings import code_digest

from sewall.data.alignment import Alignment
from sewall.encode.pairs import minor_counts
from sewall.encode.statistics import watterson_theta
from sewall.jobs.recombination.context import context
from sewall.jobs.recombination.every_data import draw_mask
from sewall.jobs.recombination.learn import simulated_examples
from sewall.jobs.recombination.windows import encode
from sewall.jobs.windows.calls import as_called
from sewall.jobs.windows.observed import Sample
from sewall.jobs.windows.source import Windows
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.defects import Defects
from sewall.simulate.demography_files import read_demography
from sewall.simulate.farm import run_farm
from sewall.simulate.history import History, HistorySource, OneHistory, PopulationHistory, theta_matched
from sewall.task import Examples

Floats = NDArray[np.float64]
GHOST = """
time_units: generations
generation_time: 1
demes:
- name: both
  epochs: [{end_time: 20000, start_size: 10000}]
- name: sampled
  ancestors: [both]
  epochs: [{start_size: 5000}]
- name: ghost
  ancestors: [both]
  epochs: [{start_size: 10000}]
migrations:
- {demes: [sampled, ghost], rate: 5.0e-5}
"""


@dataclass(frozen=True)
class Reading:
    """What simulations and encoding take for granted of the calls.

    Attributes:
        least: smallest minor-allele count that is kept.
        accessible: share of a window in which variants can be called.
        errors: genotype errors per heterozygous call.
    """

    least: int = 1
    accessible: float = 1.0
    errors: float = 0.0


@dataclass(frozen=True)
class Place:
    """Simulates and encodes one window.

    Attributes:
        histories: what each window's history is drawn from.
        calls: how the calls came about.
        reading: how they are read; a mask that is not known counts as accessible.
        chromosomes, length: of the sample and of a window.
        mutation_rate: ends of a uniform distribution.
        stated: the mutation rate that the user states; the rate that is asked for is in units of it.
        rates: ends of the crossover rates per bp.
        log_rates: whether their logarithms are uniform, or they themselves.
        theta: 4 Ne mu per bp that windows have, whatever the history; None leaves it to the history.
        depleted: whether linked selection has lowered the older population sizes, in every window by another factor.
        unit: theta of the data, the unit of length.
    """

    histories: HistorySource
    calls: Reading = Reading()
    reading: Reading = Reading()
    chromosomes: int = 20
    length: int = 80_000
    mutation_rate: tuple[float, float] = (1.25e-8, 1.25e-8)
    stated: float = 1.25e-8
    rates: tuple[float, float] = (1e-9, 1e-7)
    log_rates: bool = True
    theta: float | None = 5e-4
    depleted: bool = False
    unit: float = 5e-4

    def __call__(self, i: int, seed: np.random.SeedSequence) -> tuple[Alignment, dict[str, Any]]:
        draws, ancestry, defects = seed.spawn(3)
        rate, window = self.window(np.random.default_rng(draws), ancestry, np.random.default_rng(defects))
        window = self.as_read(window)
        return window, {"rho_over_theta": rate / self.stated, **encode(window, self.unit, self.reading.least)}

    def window(
        self, rng: np.random.Generator, ancestry: np.random.SeedSequence, defects: np.random.Generator
    ) -> tuple[float, Alignment]:
        """Return the rate per bp and the window as it was called."""
        low, high = np.log(self.rates) if self.log_rates else self.rates
        drawn = rng.uniform(low, high)
        rate = float(np.exp(drawn) if self.log_rates else drawn)
        mu = rng.uniform(*self.mutation_rate)
        history = self._history(rng)
        scale = 1.0  # of both rates, which is the same as scaling all sizes and times
        if self.theta is not None:
            scale = self.theta / (4 * history.effective_size(self.chromosomes) * np.mean(self.mutation_rate))
        spec = WindowSpec(self.chromosomes, self.length, mu * scale, rate * scale, history)
        sample = Sample(True, np.full(self.chromosomes // 2, 2, np.int8), np.zeros((0, self.chromosomes), bool))
        accessible = draw_mask(self.length, self.calls.accessible, defects)
        made = Defects(errors=self.calls.errors)
        return rate, as_called(simulate_window(spec, ancestry), sample, accessible, made, self.calls.least, defects)

    def _history(self, rng: np.random.Generator) -> PopulationHistory:
        if self.depleted:
            return History((1e4, 1e4 * rng.uniform(0.3, 0.9)), (400.0,))
        return self.histories.draw(rng)

    def as_read(self, window: Alignment) -> Alignment:
        """Return the window as one sees it who knows of the mask, or does not."""
        if self.calls.accessible < 1 <= self.reading.accessible:
            return replace(window, accessible=np.array([[0, self.length]], np.int32))
        return window

    def like(self, calls: Reading, histories: HistorySource, theta: float) -> Place:
        """Return where simulations come from that take *calls* for granted and have as many variants."""
        return replace(self, calls=calls, reading=calls, histories=histories, theta=theta, depleted=False, unit=theta)


@dataclass(frozen=True)
class Target:
    """A population that is unlike the source.

    Attributes:
        name: in words.
        place: where its windows come from.
        known: what of its calls is copied onto simulations, as `map` copies it.
        shifted: ends of its rates where these differ from those of the simulations too.
        part: share of the usual number of windows that is simulated for a training; long windows take long.
    """

    name: str
    place: Place
    known: Reading = Reading()
    shifted: tuple[float, float] = (1e-8, 5e-8)
    part: float = 1.0


CONSTANT = OneHistory(History((1e4,)), "constant size")


def targets(cache: Path, european: HistorySource | None) -> list[Target]:
    """Return the targets; the last needs a European history."""
    neck = History((12_000, 1_000, 30_000), (800, 1_600))
    path = cache / "ghost.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(GHOST, encoding="utf-8")
    ghost = read_demography(path, population="sampled")
    dirty = Reading(least=2, accessible=0.8, errors=0.01)
    found = [
        Target("bottleneck and growth", Place(OneHistory(theta_matched(neck, 20), "bottleneck and growth"))),
        Target("ghost population", Place(OneHistory(ghost, "ghost population"))),
        Target("background selection", Place(CONSTANT, depleted=True, theta=None)),
        Target("errors, mask, no singletons", Place(CONSTANT, calls=dirty), known=dirty),
    ]
    if european is not None:
        published = Place(
            european, chromosomes=32, length=300_000, mutation_rate=(1.875e-8, 3.125e-8), stated=2.5e-8,
            rates=(1e-12, 6.25e-8), log_rates=False, theta=1e-3,
        )  # fmt: skip
        found.append(Target("European history", published, shifted=(3e-8, 6.25e-8), part=0.5))
    return found


def simulated(place: Place, number: int, seed: int, cache: Path, workers: int) -> Examples:
    """Return labelled windows; those that lie in the cache are not made again."""
    described = asdict(replace(place, histories=CONSTANT)) | {"histories": place.histories.state()}
    key = _digest(repr(described))
    folder = cache / f"lab-{key}-{seed}"
    code = code_digest() + _digest(Path(__file__).read_text(encoding="utf-8"))
    paths = run_farm(place, number, seed, folder, config={"code": code}, shard_size=250, workers=workers)
    return simulated_examples(paths)


def with_context(examples: Examples, place: Place) -> Examples:
    """Return windows of the data with what all of them show together, for a bundle that serves any data."""
    source = examples.source
    assert isinstance(source, Windows)
    own = context(source.encoded["statistics"], place.chromosomes, True, place.reading.least)
    encoded = source.encoded | {"context": np.tile(own, (len(examples), 1))}
    return replace(examples, source=Windows(source.alignments, encoded))


def look(place: Place, number: int, seed: int) -> tuple[float, Floats]:
    """Return theta of some unlabelled windows as they are read, and their ``(windows, classes)`` folded spectra."""
    thetas, counts = [], []
    for child in np.random.SeedSequence([seed, 99]).spawn(number):
        draws, ancestry, defects = child.spawn(3)
        _, window = place.window(np.random.default_rng(draws), ancestry, np.random.default_rng(defects))
        window = place.as_read(window)
        thetas.append(watterson_theta(window, place.reading.least))
        counts.append(np.bincount(minor_counts(window)[0], minlength=place.chromosomes + 1))
    return float(np.mean(thetas)), np.array(counts, float)[:, 1 : place.chromosomes // 2 + 1]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
