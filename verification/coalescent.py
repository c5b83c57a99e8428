"""Checks the exact coalescent expectations, and the simulated windows, against each other.

    python verification/coalescent.py [--replicates 20000]

Three tables, seeds fixed, exit status 1 where anything is off:

1. expected branch lengths by number of descendants (Polanski & Kimmel 2003) against single trees from msprime;
2. numbers of segregating sites of theta-matched histories against the constant size that they are matched to, in
   windows with recombination, for several minimum allele counts;
3. a structured history, whose expectations are themselves means over simulated trees, against other trees.

A mean of the simulations is off where it lies more than four standard errors from the expectation; with some 250
comparisons that happens by chance once in a hundred runs. The seeds are fixed, so it happens always or never.
"""

from __future__ import annotations

import argparse
import sys

import demes
import msprime
import numpy as np

from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.demography_files import GivenHistory
from sewall.simulate.history import History, branch_lengths, random_history, theta_matched, total_branch_length
from sewall.simulate.nuisances import drop_rare

SHAPES = {
    "constant": History((1e4,)),
    "bottleneck": History((3e4, 1e3, 1.2e4), (800, 1600)),
    "expansion": History((2e5, 1e4), (1000,)),
    "decline": History((500, 2e5), (2000,)),
    **{f"random {i}": random_history(np.random.default_rng(i)) for i in range(4)},
}
LIMIT = 4.0


def deviations(simulated: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Standard errors between the mean of the simulations, along the first axis, and the expectation."""
    error = simulated.std(axis=0, ddof=1) / np.sqrt(len(simulated))
    return np.asarray((simulated.mean(axis=0) - expected) / error)


def single_trees(history: History | GivenHistory, n: int, replicates: int, seed: int) -> np.ndarray:
    """Branch lengths by number of descendants of independent trees, ``(replicates, n - 1)``."""
    trees = msprime.sim_ancestry(
        samples=[msprime.SampleSet(n, population=history.population, ploidy=1)],
        ploidy=2,
        demography=history.demography(),
        num_replicates=replicates,
        random_seed=seed,
        record_provenance=False,
    )
    spectra = [ts.allele_frequency_spectrum(mode="branch", polarised=True)[1:n] for ts in trees]
    return np.array(spectra)


def verify_branch_lengths(replicates: int) -> float:
    worst = 0.0
    print("\nbranch lengths, exact against msprime (classes pooled where rare)")
    print(f"{'history':<12} {'n':>3} {'total, exact':>14} {'total, msprime':>14} {'z total':>8} {'max |z| class':>13}")
    for seed, (name, history) in enumerate(SHAPES.items(), start=1):
        for n in (2, 10, 50):
            simulated = single_trees(history, n, replicates, seed)
            # Long external classes are rare in a single tree: pool to eight classes so that means are near normal.
            edges = np.unique(np.geomspace(1, n, 9).astype(int))[:-1] - 1
            exact = np.add.reduceat(branch_lengths(history, n), edges)
            by_class = deviations(np.add.reduceat(simulated, edges, axis=1), exact)
            total = deviations(simulated.sum(1), np.array(total_branch_length(history, n)))
            worst = max(worst, float(np.abs(by_class).max()), abs(float(total)))
            print(
                f"{name:<12} {n:>3} {total_branch_length(history, n):>14.1f} {simulated.sum(1).mean():>14.1f} "
                f"{float(total):>8.2f} {np.abs(by_class).max():>13.2f}"
            )
    return worst


def verify_theta_matching(windows: int) -> float:
    n, length, rate = 20, 50_000, 1.25e-8
    worst = 0.0
    print(f"\nsegregating sites of theta-matched histories, {windows} windows of {length:,} bp, n = {n}")
    print(f"{'history':<12} {'min count':>9} {'expected':>9} {'simulated':>9} {'z':>6}")
    for index, (name, shape) in enumerate(SHAPES.items()):
        for min_count in (1, 2, 3):
            spec = WindowSpec(n, length, rate, 2e-8, theta_matched(shape, n, 1e4, min_count))
            seeds = np.random.SeedSequence([index, min_count]).spawn(windows)
            seen = np.array([drop_rare(simulate_window(spec, seed), min_count).sites for seed in seeds])
            visible = slice(min_count - 1, n - min_count)
            expected = rate * length * branch_lengths(SHAPES["constant"], n)[visible].sum()
            z = float(deviations(seen, np.array(expected)))
            worst = max(worst, abs(z))
            print(f"{name:<12} {min_count:>9} {expected:>9.2f} {seen.mean():>9.2f} {z:>6.2f}")
    return worst


def structured_history() -> GivenHistory:
    builder = demes.Builder(time_units="generations")
    builder.add_deme("ancestor", epochs=[{"start_size": 10_000, "end_time": 2000}])
    builder.add_deme("east", ancestors=["ancestor"], epochs=[{"start_size": 1000, "end_size": 50_000}])
    builder.add_deme("west", ancestors=["ancestor"], epochs=[{"start_size": 20_000}])
    builder.add_migration(demes=["east", "west"], rate=1e-4)
    return GivenHistory("", "east", "two demes", None, builder.resolve())


def verify_structured(replicates: int) -> float:
    given, n = structured_history(), 20
    simulated = single_trees(given, n, replicates, 99).sum(1)
    claimed = given.branch_lengths(n).sum()
    # Both are means over trees, the claim over 2,000 of them.
    error = simulated.std(ddof=1) * np.sqrt(1 / 2000 + 1 / replicates)
    z = float((simulated.mean() - claimed) / error)
    print(f"\nstructured history: total {claimed:.1f} claimed, {simulated.mean():.1f} simulated, z {z:.2f}")
    return abs(z)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=5000, help="single trees per history and sample size")
    parser.add_argument("--windows", type=int, default=400, help="windows per history and minimum count")
    given = parser.parse_args()
    worst = max(
        verify_branch_lengths(given.replicates),
        verify_theta_matching(given.windows),
        verify_structured(given.replicates),
    )
    print(f"\nlargest deviation {worst:.2f} standard errors; limit {LIMIT:g}: {'ok' if worst < LIMIT else 'NOT ok'}")
    return int(worst >= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
