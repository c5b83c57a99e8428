"""Setting S2: the population history is unknown.

    python benchmarks/recombination_s2.py [--seed 1]

20 haplotypes, 200 kb, theta 5e-4 per bp, r ~ U(0, 5e-8), each window with a random history of its own (theta-matched).
R2 of network, gradient boosting and ridge on windows of other random histories, and on three single histories that
training does not know of.
"""

from __future__ import annotations

from reporting import evaluated, fit, options, settings, show, write
from settings import BOTTLENECK, CONSTANT, EXPANSION, LEVEL, UNKNOWN, UPPER, Window, parts, simulated

from sewall.jobs.recombination.task import RecombinationTask
from sewall.simulate.history import HistorySource
from sewall.task import Examples

TEST, CALIBRATE, NULL, TUNE = 2_000, 2_000, 1_000, 1_000
SHIFTED: dict[str, HistorySource] = {"bottleneck": BOTTLENECK, "expansion": EXPANSION, "constant": CONSTANT}


def main() -> None:
    parser = options("Recombination rates where the population history is unknown.")
    parser.add_argument("--train", type=int, default=7_000, help="training windows")
    arguments = parser.parse_args()
    task = RecombinationTask(UPPER)

    def windows(name: str, histories: HistorySource, n: int, offset: int) -> Examples:
        seed = arguments.data_seed + offset
        return simulated(Window(histories), n, seed, arguments.cache, f"s2-{name}", arguments.workers)

    sizes = (TEST, CALIBRATE, NULL, TUNE, arguments.train)
    examples = windows("random", UNKNOWN, sum(sizes), 0)
    split, few = parts(task, examples, sizes)
    fitted = fit(task, examples, split, arguments.members, arguments.seed)
    scores = {"other random histories": evaluated(fitted.bundle, task, examples, split.test, LEVEL, arguments.seed)}
    left_out = {"random": few}
    for offset, (name, histories) in enumerate(SHIFTED.items(), start=1):
        shifted = windows(name, histories, TEST, offset)
        rows, left_out[name] = task.usable(shifted).nonzero()[0], int((~task.usable(shifted)).sum())
        scores[name] = evaluated(fitted.bundle, task, shifted, rows, LEVEL, arguments.seed)
    for title, score in scores.items():
        show(title, score)
    print(f"\n{len(split.train):,} training windows, seed {arguments.seed}; left out for too few variants: {left_out}")
    print(f"CPU seconds: networks {fitted.cpu_networks:.0f}, all of fitting {fitted.cpu_all:.0f}")
    results = {"setting": "S2", **settings(arguments), "left_out": left_out, **fitted.costs(), "scores": scores}
    write(arguments.name or f"recombination_s2-seed{arguments.seed}", results)


if __name__ == "__main__":
    main()
