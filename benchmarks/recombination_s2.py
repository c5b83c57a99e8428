"""Setting S2: the population history is unknown.

    python benchmarks/recombination_s2.py [--seed 1]
    python benchmarks/recombination_s2.py --resimulate   # trained for the bottleneck, from its spectrum alone

20 haplotypes, 200 kb, theta 5e-4 per bp, r ~ U(0, 5e-8), each window with a random history of its own (theta-matched).
R2 of network, gradient boosting and ridge on windows of other random histories, and on three single histories that
training does not know of. With ``--resimulate`` the random histories are those that fit the frequency spectrum of 60
windows of the bottleneck, none of them tested on, as `map` finds them in the data.
"""

from __future__ import annotations

import numpy as np
from reporting import evaluated, fit, options, settings, show, write
from settings import BOTTLENECK, CHROMOSOMES, CONSTANT, EXPANSION, LEVEL, UNKNOWN, UPPER, Window, parts, simulated

from sewall.encode.pairs import minor_counts
from sewall.jobs.recombination.task import RecombinationTask
from sewall.simulate.fit_history import design_effect, fit_histories
from sewall.simulate.history import HistorySource
from sewall.task import Examples

TEST, CALIBRATE, NULL, TUNE = 2_000, 2_000, 1_000, 1_000
SHIFTED: dict[str, HistorySource] = {"bottleneck": BOTTLENECK, "expansion": EXPANSION, "constant": CONSTANT}

SEEN = 60  # windows whose spectrum is looked at


def inferred(seed: int) -> HistorySource:
    """Return histories that fit the spectrum of some windows of the bottleneck."""
    spectra = np.zeros((SEEN, CHROMOSOMES + 1))
    for spectrum, child in zip(spectra, np.random.SeedSequence([seed, SEEN]).spawn(SEEN), strict=True):
        window, _ = Window(BOTTLENECK).simulated(child)
        spectrum += np.bincount(minor_counts(window)[0], minlength=len(spectrum))
    known, rng = spectra[:, 1 : CHROMOSOMES // 2 + 1], np.random.default_rng(seed)
    return fit_histories(known.sum(axis=0), CHROMOSOMES, 1, rng, linkage=design_effect(known))


def main() -> None:
    parser = options("Recombination rates where the population history is unknown.")
    parser.add_argument("--train", type=int, default=7_000, help="training windows")
    parser.add_argument("--resimulate", action="store_true", help="train on histories inferred from the bottleneck")
    arguments = parser.parse_args()
    trained_on = inferred(arguments.data_seed) if arguments.resimulate else UNKNOWN
    shifted_to = {"bottleneck": BOTTLENECK} if arguments.resimulate else SHIFTED
    way = "resimulate" if arguments.resimulate else "random"
    task = RecombinationTask(UPPER)

    def windows(name: str, histories: HistorySource, n: int, offset: int) -> Examples:
        seed = arguments.data_seed + offset
        return simulated(Window(histories), n, seed, arguments.cache, f"s2-{name}", arguments.workers)

    sizes = (TEST, CALIBRATE, NULL, TUNE, arguments.train)
    examples = windows(way, trained_on, sum(sizes), 0)
    split, few = parts(task, examples, sizes)
    fitted = fit(task, examples, split, arguments.members, arguments.seed)
    home = "other inferred histories" if arguments.resimulate else "other random histories"
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
