"""Setting S1: how well could the rate be known if the true genealogies were seen?

    python benchmarks/recombination_s1_bound.py

Crossovers fall on the branches of the genealogy at rate r, and most of them change the local tree of the sample. R2 of
the rate from the number of changes per branch length, which is a ceiling that no method can reach from variants: these
show a crossover only where mutations on both sides give it away.
"""

from __future__ import annotations

import msprime
import numpy as np
from reporting import options, settings, words, write
from settings import CHROMOSOMES, HIGHEST_RATE

from sewall.simulate.coalescent import msprime_seeds
from sewall.simulate.history import REFERENCE_SIZE
from sewall.trust.compare import score

LENGTH = 200_000


def main() -> None:
    parser = options("Ceiling of R2 from the true genealogies.")
    parser.add_argument("--windows", type=int, default=4_000, help="half of them to fit a line, half to score it")
    arguments = parser.parse_args()
    seeds = np.random.SeedSequence(arguments.data_seed).spawn(arguments.windows)
    rate, changes = np.array([window(seed) for seed in seeds]).T
    half = arguments.windows // 2
    estimate = np.polyval(np.polyfit(changes[:half], rate[:half], 1), changes[half:])
    found = score(rate[half:], estimate, ["r2"], seed=arguments.seed)["r2"].to_dict()
    print(f"R2 from the true local trees {words(found)}, n = {arguments.windows - half:,}, 95 % bootstrap interval")
    results = {"setting": "S1", **settings(arguments), "n": arguments.windows - half, "r2": found}
    write(arguments.name or "recombination_s1_bound", results)


def window(seed: np.random.SeedSequence) -> tuple[float, float]:
    """Return the rate, and the changes of the local tree per bp and generation of branch length."""
    draws, ancestry = seed.spawn(2)
    rate = np.random.default_rng(draws).uniform(0, HIGHEST_RATE)
    trees = msprime.sim_ancestry(
        samples=[msprime.SampleSet(CHROMOSOMES, ploidy=1)],
        ploidy=2,
        population_size=REFERENCE_SIZE,
        sequence_length=LENGTH,
        recombination_rate=rate,
        random_seed=msprime_seeds(ancestry, 1)[0],
    )
    branches = sum(tree.total_branch_length * tree.span for tree in trees.trees())
    return rate, (trees.num_trees - 1) / branches


if __name__ == "__main__":
    main()
