"""The support check: false alarms where nothing is wrong, and detection of a bottleneck.

    python benchmarks/recombination_support.py [--seed 1]

Trained on constant size (Ne 10,000; 20 haplotypes, windows of 100 kb, r ~ U(0, 5e-8)). Batches of 50 windows are read
as `map` reads data: their own theta is the unit. The bottleneck is Ne 30,000, then 1,000 from 1,600 to 800 generations
ago, then 12,000: as it is, and theta-matched, so that the number of variants does not give it away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from batches import WINDOWS, Batch, simulated_batches
from reporting import fit, options, settings, words, write
from settings import CHROMOSOMES, CONSTANT, UPPER, parts

from sewall.bundle import Bundle
from sewall.jobs.recombination.prior import OneHistory
from sewall.jobs.recombination.task import RecombinationTask
from sewall.run import coverage
from sewall.simulate.history import History, theta_matched
from sewall.task import Examples
from sewall.train import apply_network
from sewall.trust.support import OUTSIDE, TOGETHER, WARN

NULL, TUNE, CALIBRATE = 1_500, 500, 500
BOTTLENECK = History((12_000, 1_000, 30_000), (800, 1_600))
DETECTED = {"bottleneck": BOTTLENECK, "theta-matched bottleneck": theta_matched(BOTTLENECK, CHROMOSOMES)}


def main() -> None:
    parser = options("False alarms and detection of the support check.")
    parser.add_argument("--train", type=int, default=6_000, help="training windows")
    parser.add_argument("--batches", type=int, default=500, help="well-specified batches")
    parser.add_argument("--trials", type=int, default=100, help="batches under the bottleneck")
    parser.set_defaults(members=1)  # the check reads the embedding of the first network only
    arguments = parser.parse_args()
    task = RecombinationTask(UPPER)

    def batches(name: str, batch: Batch, n: int, offset: int) -> Examples:
        seed, name = arguments.data_seed + offset, f"support-{name.replace(' ', '-')}"
        return simulated_batches(batch, n, seed, arguments.cache, name, arguments.workers)

    sizes = (0, CALIBRATE, NULL, TUNE, arguments.train)
    examples = batches("train", Batch(CONSTANT, own_unit=False), sum(sizes) // WINDOWS, 0)
    split, _ = parts(task, examples, sizes)
    fitted = fit(task, examples, split, arguments.members, arguments.seed)
    well = batches("well-specified", Batch(CONSTANT, own_unit=True), arguments.batches, 1)
    scores = {"well-specified": flags(fitted.bundle, task, well, arguments.seed)}
    for offset, (name, history) in enumerate(DETECTED.items(), start=2):
        off = batches(name, Batch(OneHistory(history), own_unit=True), arguments.trials, offset)
        scores[name] = flags(fitted.bundle, task, off, arguments.seed)
    print(f"\nbatches of {WINDOWS} windows; nominal: outside {TOGETHER:.1%}, flagged at all {WARN:.0%} of batches;")
    print(f"one by one: outside {OUTSIDE:.1%}, flagged at all {WARN:.0%} of windows; seed {arguments.seed}")
    for name, score in scores.items():
        print(f"\n{name}: n = {score['batches']} batches, 95 % Wilson intervals")
        for key in ("batches_outside", "batches_flagged", "windows_outside", "windows_flagged"):
            print(f"  {key.replace('_', ' '):<18} {words(score[key], 3)}")
    write(
        arguments.name or f"recombination_support-seed{arguments.seed}",
        {"setting": "support", **settings(arguments), **fitted.costs(), "scores": scores},
    )


def flags(bundle: Bundle, task: RecombinationTask, examples: Examples, seed: int) -> dict[str, Any]:
    """Return shares of batches, and of windows one by one, that are flagged."""
    assert examples.groups is not None
    usable = task.usable(examples)
    together, single = [], []
    for number in np.unique(examples.groups):
        rows = np.flatnonzero((examples.groups == number) & usable)
        statistics = task.statistics(examples, rows).to_numpy(float)
        _, embedding = apply_network(bundle.networks[0], task, examples, rows)
        together.append(bundle.support.batch(statistics, embedding, seed + int(number)).status)
        single.append(bundle.support.examples(statistics, embedding).status)
    batch, window = np.array(together), np.concatenate(single)
    return {
        "batches": len(batch),
        "batches_outside": coverage(batch == "outside"),
        "batches_flagged": coverage(batch != "ok"),
        "windows_outside": coverage(window == "outside"),
        "windows_flagged": coverage(window != "ok"),
        "windows_unusable": int((~usable).sum()),
    }


if __name__ == "__main__":
    main()
