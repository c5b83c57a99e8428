"""Setting S2: the population history is unknown.

    python benchmarks/recombination_s2.py [--seed 1]
    python benchmarks/recombination_s2.py --resimulate   # trained for a file of the bottleneck

20 haplotypes, 200 kb, theta 5e-4 per bp, r ~ U(0, 5e-8), each window with a random history of its own (theta-matched).
R2 of network, gradient boosting and ridge on windows of other random histories, and on three single histories that
training does not know of. With ``--resimulate`` training windows are what ``recombination simulate`` makes of a file of
60 windows of the bottleneck, none of them tested on: histories and rates are found there.
"""

from __future__ import annotations

import argparse

import numpy as np
from reporting import evaluated, fit, options, settings, show, write
from settings import (
    BOTTLENECK,
    CONSTANT,
    EXPANSION,
    LEVEL,
    MUTATION_RATE,
    UNKNOWN,
    UPPER,
    Window,
    package_digest,
    parts,
    simulated,
)
from variants import resimulated

from sewall.jobs.recombination.task import RecombinationTask
from sewall.simulate.history import HistorySource
from sewall.task import Examples

TEST, CALIBRATE, NULL, TUNE = 2_000, 2_000, 1_000, 1_000
SHIFTED: dict[str, HistorySource] = {"bottleneck": BOTTLENECK, "expansion": EXPANSION, "constant": CONSTANT}

SEEN = 60  # windows of a file


def for_bottleneck(arguments: argparse.Namespace, number: int) -> tuple[Examples, RecombinationTask]:
    """Return what the command simulates for a file of the bottleneck."""
    seeds = np.random.SeedSequence([arguments.data_seed, SEEN]).spawn(SEEN)
    windows = [Window(BOTTLENECK).simulated(seed)[0] for seed in seeds]
    folder = arguments.cache / f"s2-file-{package_digest()}-{arguments.data_seed}"
    return resimulated(windows, folder, MUTATION_RATE, number, threads=arguments.workers)


def main() -> None:
    parser = options("Recombination rates where the population history is unknown.")
    parser.add_argument("--train", type=int, default=7_000, help="training windows")
    parser.add_argument("--resimulate", action="store_true", help="train for a file of the bottleneck")
    arguments = parser.parse_args()
    shifted_to = {"bottleneck": BOTTLENECK} if arguments.resimulate else SHIFTED
    way = "resimulate" if arguments.resimulate else "random"

    def windows(name: str, histories: HistorySource, n: int, offset: int) -> Examples:
        seed = arguments.data_seed + offset
        return simulated(Window(histories), n, seed, arguments.cache, f"s2-{name}", arguments.workers)

    sizes = (TEST, CALIBRATE, NULL, TUNE, arguments.train)
    if arguments.resimulate:
        examples, task = for_bottleneck(arguments, sum(sizes))
    else:
        examples, task = windows(way, UNKNOWN, sum(sizes), 0), RecombinationTask(UPPER)
    split, few = parts(task, examples, sizes)
    fitted = fit(task, examples, split, arguments.members, arguments.seed)
    home = "other simulations for the file" if arguments.resimulate else "other random histories"
    scores = {home: evaluated(fitted.bundle, task, examples, split.test, LEVEL, arguments.seed)}
    left_out = {way: few}
    for offset, (name, histories) in enumerate(shifted_to.items(), start=1):
        shifted = windows(name, histories, TEST, offset)
        rows, left_out[name] = task.usable(shifted).nonzero()[0], int((~task.usable(shifted)).sum())
        scores[name] = evaluated(fitted.bundle, task, shifted, rows, LEVEL, arguments.seed)
    for title, score in scores.items():
        show(title, score)
    print(f"\n{len(split.train):,} training windows, seed {arguments.seed}; left out for too few variants: {left_out}")
    print(f"CPU seconds: networks {fitted.cpu_networks:.0f}, all of fitting {fitted.cpu_all:.0f}")
    results = {
        "setting": "S2",
        **settings(arguments, ("cache", "workers", "name", "resimulate")),
        "left_out": left_out,
        **fitted.costs(),
        "scores": scores,
    }
    kind = "_resimulate" if arguments.resimulate else ""
    write(arguments.name or f"recombination_s2{kind}-seed{arguments.seed}", results)


if __name__ == "__main__":
    main()
