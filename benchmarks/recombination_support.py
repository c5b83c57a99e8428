"""The support check: false alarms where nothing is wrong, and detection of a bottleneck.

    python benchmarks/recombination_support.py [--seed 1]

Trained on constant size (Ne 10,000; 20 haplotypes, windows of 100 kb, r ~ U(0, 5e-8)). Batches of 50 windows are read
as a user's data are: their own theta is the unit of length. `map` simulates its training windows at the theta of the
data, so that windows are as long in units of theta in both.

The bottleneck is Ne 30,000, then 1,000 from 1,600 to 800 generations ago, then 12,000: as it is, and theta-matched, so
that the number of variants does not give it away. Only the theta-matched one is wholly as in `map`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from batches import WINDOWS, Batch, simulated_batches
from reporting import fit, options, settings, share, words, write
from settings import CHROMOSOMES, CONSTANT, LEVEL, THETA, UPPER, parts

from sewall import run
from sewall.bundle import Bundle
from sewall.encode.statistics import NAMES
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.windows.source import Windows
from sewall.simulate.history import History, OneHistory, theta_matched
from sewall.task import Examples
from sewall.train import apply_network
from sewall.trust.compare import score
from sewall.trust.support import OUTSIDE, TOGETHER, WARN

LENGTH = Batch(CONSTANT, own_unit=True).length
TEST, CALIBRATE, NULL, TUNE = 500, 500, 1_500, 500
BOTTLENECK = History((12_000, 1_000, 30_000), (800, 1_600))
DETECTED = {"bottleneck": BOTTLENECK, "theta-matched bottleneck": theta_matched(BOTTLENECK, CHROMOSOMES)}


def main() -> None:
    parser = options("False alarms and detection of the support check.")
    parser.add_argument("--train", type=int, default=6_000, help="training windows")
    parser.add_argument("--batches", type=int, default=1_000, help="well-specified batches")
    parser.add_argument("--trials", type=int, default=100, help="batches under the bottleneck")
    parser.set_defaults(members=1)  # the check reads the embedding of the first network only
    arguments = parser.parse_args()
    task = RecombinationTask(UPPER)

    def batches(name: str, batch: Batch, n: int, offset: int) -> Examples:
        seed, name = arguments.data_seed + offset, f"support-{name.replace(' ', '-')}"
        return simulated_batches(batch, n, seed, arguments.cache, name, arguments.workers)

    sizes = (TEST, CALIBRATE, NULL, TUNE, arguments.train)
    examples = batches("train", Batch(CONSTANT, own_unit=False), sum(sizes) // WINDOWS, 0)
    split, _ = parts(task, examples, sizes)
    fitted = fit(task, examples, split, arguments.members, arguments.seed)
    well = batches("well-specified", Batch(CONSTANT, own_unit=True), arguments.batches, 1)
    scores = {"well-specified": as_in_map(fitted.bundle, task, well, arguments.seed)}
    for offset, (name, history) in enumerate(DETECTED.items(), start=2):
        off = batches(name, Batch(OneHistory(history, name), own_unit=True), arguments.trials, offset)
        scores[name] = as_in_map(fitted.bundle, task, off, arguments.seed)
    print(f"\nbatches of {WINDOWS} windows; nominal: outside {TOGETHER:.1%}, flagged at all {WARN:.0%} of batches;")
    print(f"one by one: outside {OUTSIDE:.1%}, flagged at all {WARN:.0%} of windows; seed {arguments.seed}")
    for name, ways in scores.items():
        for way, found in ways.items():
            print(f"\n{name}, {way}: n = {found['batches']} batches, 95 % Wilson intervals")
            for key in (
                "batches_outside",
                "batches_flagged",
                "windows_outside",
                "windows_flagged",
                "p_at_most_5_percent",
            ):
                print(f"  {key.replace('_', ' '):<20} {words(found[key], 3)}")
            print(f"  R2 of the network    {words(found['r2'], 3)}")
    write(
        arguments.name or f"recombination_support-seed{arguments.seed}",
        {"setting": "support", **settings(arguments), **fitted.costs(), "scores": scores},
    )


def as_in_map(bundle: Bundle, task: RecombinationTask, examples: Examples, seed: int) -> dict[str, Any]:
    """Return the flags as `map` would set them."""
    assert isinstance(examples.source, Windows)
    encoded = dict(examples.source.encoded)
    encoded["statistics"] = encoded["statistics"].copy()
    encoded["statistics"][:, NAMES.index("information")] = np.log(THETA * LENGTH)
    as_map = replace(examples, source=Windows(examples.source.alignments, encoded))
    return {"as map": flags(bundle, task, as_map, seed)}


def flags(bundle: Bundle, task: RecombinationTask, examples: Examples, seed: int) -> dict[str, Any]:
    """Return shares of batches, and of windows one by one, that are flagged."""
    assert examples.groups is not None and examples.target is not None
    usable = task.usable(examples)
    together, single, level = [], [], []
    for number in np.unique(examples.groups):
        rows = np.flatnonzero((examples.groups == number) & usable)
        statistics = task.statistics(examples, rows).to_numpy(float)
        _, embedding = apply_network(bundle.networks[0], task, examples, rows)
        found = bundle.support.batch(statistics, embedding, seed + int(number), distributions=False)
        together.append(found.status)
        level.append(found.p <= 0.05)
        single.append(bundle.support.examples(statistics, embedding).status)
    rows = np.flatnonzero(usable)
    estimate = run.answer(bundle, task, examples, rows, LEVEL).estimate
    batch, window = np.array(together), np.concatenate(single)
    return {
        "batches": len(batch),
        "batches_outside": share(batch == "outside"),
        "batches_flagged": share(batch != "ok"),
        "windows_outside": share(window == "outside"),
        "windows_flagged": share(window != "ok"),
        "p_at_most_5_percent": share(np.array(level)),
        "r2": score(examples.target[rows], estimate, ["r2"], seed=seed)["r2"].to_dict(),
        "windows_unusable": int((~usable).sum()),
    }


if __name__ == "__main__":
    main()
