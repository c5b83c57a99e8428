"""Checks the simulated sweeps against two other engines, theory, and themselves at other scales.

    python verification/sweeps.py [--replicates 300]

Seeds fixed, exit status 1 where anything is off. Samples of 20 chromosomes, 400 kb, the site in the middle:

1. sweeps of new mutations against `msprime.SweepGenicSelection`: complete, old, partial, before changes of size;
2. sweeps of new mutations and of standing variants against a population of 500 individuals that is simulated whole,
   forward in time, each with two parents and their crossovers;
3. ages of standing variants, at constant and at changing sizes, against the exact ones of the Wright-Fisher chain (and
   of its diffusion: Kimura & Ohta 1973, Genetics 75:199);
4. soft sweeps between hard ones and none, in sites and in the age of the common ancestor at the site; they do not quite
   reach none, as all that carry a variant, however common, are nearer kin than any;
5. a population scaled down 10, 20 and 40 times against the one in full;
6. simulations a second.

Numbers are compared by their means in standard errors: segregating sites by distance from the site, haplotypes within
25 kb, the folded spectrum within 50 kb, the common ancestor at the site. Means that differ by more than four are off.

Beyond 50 kb msprime is shown, not judged: during a sweep it leaves out crossovers between the site and material that
was parted from it before, so that such material cannot change its background, and too little of it varies (by 4 % at
150 kb from a sweep of s .02 that ended 1,000 generations ago, by 10 % in the last case below). The engine here agrees
with msprime if it is made to do the same, and with the individuals if it is not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import msprime
import numpy as np
import tskit
from scipy.stats import binom

from sewall.simulate.coalescent import WindowSpec, haplotypes, msprime_seeds
from sewall.simulate.history import History
from sewall.simulate.sweep_ancestry import simulate_sweep, sweep_trees
from sewall.simulate.sweep_course import Sweep, trajectory
from sewall.simulate.sweep_sizes import line_of_descent

N, LENGTH, SITE, SAMPLE = 10_000, 400_000, 200_000, 20
MUTATION, RECOMBINATION = 1.25e-8, 1e-8
EDGES = np.array([0, 12_500, 25_000, 50_000, 100_000, 200_000])
CLASSES = np.array([1, 2, 4, 7])  # of minor allele counts, by their lower ends
NAMES = (*(f"S to {edge / 1000:g} kb" for edge in EDGES[1:]), "haplotypes", *(f"count {c}+" for c in CLASSES), "TMRCA")
LIMIT = 4.0
FAR = 3  # the first of the classes of distance that are not judged against msprime
SMALL = 500  # diploid individuals simulated one by one

Simulator = Callable[[np.random.SeedSequence], tskit.TreeSequence]


def spec(size: float = N, history: History | None = None) -> WindowSpec:
    """The stretch, with rates scaled up by as much as the population is scaled down."""
    scale = N / size
    return WindowSpec(SAMPLE, LENGTH, MUTATION * scale, RECOMBINATION * scale, history or History((size,)))


def summaries(trees: tskit.TreeSequence, mutation_rate: float, seed: int) -> np.ndarray:
    """Numbers that describe one simulation, in the order of `NAMES`; times in units of 2 N generations."""
    varied = msprime.sim_mutations(trees, mutation_rate, random_seed=seed, model=msprime.BinaryMutationModel())
    alignment = haplotypes(varied, LENGTH)
    distance = np.abs(alignment.positions - SITE)
    sites = np.histogram(distance, EDGES)[0]
    near = alignment.calls[distance < 25_000]
    count = alignment.calls[distance < 50_000].sum(axis=1, dtype=int)
    folded = np.bincount(np.minimum(count, SAMPLE - count), minlength=SAMPLE // 2 + 1)
    tree = varied.at(SITE)
    ancestor = tree.time(tree.root) * mutation_rate / MUTATION / (2 * N)
    return np.array([*sites, len(np.unique(near, axis=1).T), *np.add.reduceat(folded, CLASSES), ancestor])


def many(simulator: Simulator, replicates: int, salt: int, mutation_rate: float = MUTATION) -> np.ndarray:
    """Summaries of independent simulations, ``(replicates, numbers)``."""
    rows = []
    for seed in np.random.SeedSequence(salt).spawn(replicates):
        own, mutations = seed.spawn(2)
        rows.append(summaries(simulator(own), mutation_rate, msprime_seeds(mutations, 1)[0]))
    return np.array(rows)


def z_scores(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Standard errors between two means, along the first axis."""
    error = np.sqrt(first.var(axis=0, ddof=1) / len(first) + second.var(axis=0, ddof=1) / len(second))
    return np.asarray((first.mean(axis=0) - second.mean(axis=0)) / np.maximum(error, 1e-12))


def ours(sweep: Sweep, stretch: WindowSpec | None = None) -> Simulator:
    return lambda seed: sweep_trees(stretch or spec(), sweep, seed)[0]


def neutral(seed: np.random.SeedSequence) -> tskit.TreeSequence:
    return _msprime(seed, History((N,)), None)


def of_msprime(sweep: Sweep, history: History | None = None) -> Simulator:
    """The same sweep by msprime, whose population may change its size after it but not during it."""
    during = msprime.SweepGenicSelection(
        position=SITE, start_frequency=1 / (2 * N), end_frequency=min(sweep.end_frequency, 1 - 1 / (2 * N)),
        s=sweep.s, dt=1 / (40 * N),
    )  # fmt: skip
    after = [msprime.StandardCoalescent(duration=sweep.age)] if sweep.age else []
    return partial(_msprime, history=history or History((N,)), model=[*after, during, msprime.StandardCoalescent()])


def _msprime(seed: np.random.SeedSequence, history: History, model: object) -> tskit.TreeSequence:
    return msprime.sim_ancestry(
        [msprime.SampleSet(SAMPLE, ploidy=1)], ploidy=2, demography=history.demography(), sequence_length=LENGTH,
        recombination_rate=RECOMBINATION, random_seed=msprime_seeds(seed, 1)[0], model=model,
    )  # fmt: skip


def one_by_one(s: float, founders: int, age: int = 0) -> Simulator:
    """A population of `SMALL` individuals, simulated whole from the beginning of selection to after fixation."""
    return partial(_one_by_one, s=s, founders=founders, age=age)


def _one_by_one(seed: np.random.SeedSequence, s: float, founders: int, age: int) -> tskit.TreeSequence:
    rng = np.random.default_rng(seed)
    while True:
        before = _population(rng)
        first = _carriers(before, founders, rng)
        if first is None:
            continue
        for _ in range(20 if founders > 1 else 1000):  # lost: again from the same beginning
            generations = _generations(first, s, age, rng)
            if generations is not None:
                return _sampled(before, generations, rng)


def _population(rng: np.random.Generator) -> tskit.TreeSequence:
    """All chromosomes of a population; Wright-Fisher in the recent past, where coalescences crowd."""
    models = [msprime.DiscreteTimeWrightFisher(duration=20), msprime.StandardCoalescent()]
    return msprime.sim_ancestry(
        SMALL, population_size=SMALL, sequence_length=LENGTH, recombination_rate=RECOMBINATION * N / SMALL,
        model=models, random_seed=int(rng.integers(1, 2**31)), discrete_genome=True,
    )  # fmt: skip


def _carriers(before: tskit.TreeSequence, founders: int, rng: np.random.Generator) -> np.ndarray | None:
    """Who carries a neutral mutation with so many copies, or None: found in proportion to the branches it can be on."""
    carries = np.zeros(2 * SMALL, bool)
    if founders == 1:
        carries[rng.integers(2 * SMALL)] = True
        return carries
    tree = before.at(SITE)
    nodes = [node for node in tree.nodes() if tree.num_samples(node) == founders]
    lengths = np.array([tree.branch_length(node) for node in nodes])
    if rng.random() * 40 * SMALL / founders >= lengths.sum():  # twenty times the mean length: hardly ever exceeded
        return None
    carries[list(tree.samples(rng.choice(nodes, p=lengths / lengths.sum())))] = True
    return carries


def _generations(carries: np.ndarray, s: float, age: int, rng: np.random.Generator) -> list[np.ndarray] | None:
    """Edges of each generation until some time after fixation, or None if the allele is lost."""
    made = []
    while not carries.all():
        edges = _next_generation(carries, s, rng)
        carries = carries[edges[2, (edges[0] <= SITE) & (edges[1] > SITE)]]
        if not carries.any():
            return None
        made.append(edges)
    return made + [_next_generation(carries, s, rng) for _ in range(age)]


def _next_generation(carries: np.ndarray, s: float, rng: np.random.Generator) -> np.ndarray:
    """Left, right, parent and child, the latter two numbered within their generations, of ``(4, edges)``."""
    fitness = 1 + s / 2 * carries.reshape(-1, 2).sum(axis=1)
    parents = rng.choice(SMALL, 2 * SMALL, p=fitness / fitness.sum())
    pieces = 1 + rng.poisson(RECOMBINATION * N / SMALL * (LENGTH - 1), 2 * SMALL)
    child, first = np.repeat(np.arange(2 * SMALL), pieces), np.cumsum(pieces) - pieces
    left = rng.integers(1, LENGTH, len(child))
    left[first] = 0
    left = left[np.lexsort((left, child))]
    right = np.append(np.where(child[1:] == child[:-1], left[1:], LENGTH), LENGTH)
    strand = (rng.integers(2, size=2 * SMALL)[child] + np.arange(len(child)) - first[child]) % 2
    return np.stack([left, right, 2 * parents[child] + strand, child])[:, left < right]


def _sampled(before: tskit.TreeSequence, generations: list[np.ndarray], rng: np.random.Generator) -> tskit.TreeSequence:
    tables = before.dump_tables()
    tables.nodes.time += len(generations)
    known, size = tables.nodes.num_rows, 2 * SMALL
    older = [np.arange(size), *(known + g * size + np.arange(size) for g in range(len(generations)))]
    times = np.repeat(np.arange(len(generations))[::-1], size)
    tables.nodes.append_columns(
        np.zeros(len(times), np.uint32), times.astype(float), population=np.zeros(len(times), np.int32)
    )
    for g, (left, right, parent, child) in enumerate(generations):
        parents, children = older[g][parent].astype(np.int32), older[g + 1][child].astype(np.int32)
        tables.edges.append_columns(left.astype(float), right.astype(float), parents, children)
    tables.sort()
    tables.simplify(rng.choice(older[-1], SAMPLE, replace=False).astype(np.int32))
    return tables.tree_sequence()


def report(title: str, first: np.ndarray, second: np.ndarray, shown: slice = slice(0)) -> bool:
    """Print means and z-scores; return whether all are well but those that are only *shown*."""
    z = z_scores(first, second)
    judged = np.full(len(z), True)
    judged[shown] = False
    worst = np.abs(z[judged]).max()
    print(f"\n{title}: {'PASS' if worst < LIMIT else 'FAIL'} (largest |z| {worst:.2f})")
    for name, here, there, score, counts in zip(NAMES, first.mean(axis=0), second.mean(axis=0), z, judged, strict=True):
        print(f"  {name:<12} {here:>9.3f} {there:>9.3f} {score:>6.2f} {'' if counts else 'not judged'}")
    return bool(worst < LIMIT)


def verify_hard(replicates: int) -> bool:
    print("\n1. new mutations: here, msprime, z")
    changed = History((3 * N, N / 4, N), (500.0, 1500.0))
    cases = {
        "s .01": (Sweep(SITE, 0.01), None),
        "s .05": (Sweep(SITE, 0.05), None),
        "s .02, 1,000 generations ago": (Sweep(SITE, 0.02, age=1000), None),
        "s .02, to frequency .6": (Sweep(SITE, 0.02, end_frequency=0.6), None),
        "s .05, 2,000 generations ago, then a bottleneck and growth": (Sweep(SITE, 0.05, age=2000), changed),
    }
    good = True
    for salt, (title, (sweep, history)) in enumerate(cases.items()):
        here = many(ours(sweep, spec(N, history)), replicates, 10 + salt)
        there = many(of_msprime(sweep, history), replicates, 30 + salt)
        good &= report(title, here, there, shown=slice(FAR, len(EDGES) - 1))
    return good


def verify_against_individuals(replicates: int) -> bool:
    print(f"\n2. a population of {SMALL} individuals: here, one by one, z")
    good, stretch, s = True, spec(SMALL), 0.2
    for salt, (founders, age) in enumerate(((1, 0), (1, 100), (20, 0), (50, 0))):
        sweep = Sweep(SITE, s, founders / (2 * SMALL) if founders > 1 else None, age=age)
        here = many(ours(sweep, stretch), 4 * replicates, 50 + salt, stretch.mutation_rate)
        there = many(one_by_one(s, founders, age), replicates, 60 + salt, stretch.mutation_rate)
        good &= report(f"2 N s = {2 * SMALL * s:g}, from {founders} copies, {age} generations ago", here, there)
    return good


def verify_ages(replicates: int) -> bool:
    print("\n3. generations since a neutral variant arose: here, exactly, z")
    good = True
    cases = (
        ("constant size", 0.02, History((500.0,))),
        ("constant size", 0.1, History((500.0,))),
        ("bottleneck", 0.1, History((200.0, 40.0, 400.0), (120.0, 180.0))),
        ("decline", 0.1, History((200.0, 800.0), (240.0,))),
        ("growth", 0.1, History((400.0, 100.0), (200.0,))),
    )
    for salt, (title, share, history) in enumerate(cases):
        line = line_of_descent(history)
        seeds = np.random.SeedSequence(70 + salt).spawn(10 * replicates)
        paths = [trajectory(Sweep(SITE, 1.0, start_frequency=share), line, seed) for seed in seeds]
        age = np.array([path.origin - path.start for path in paths], float)
        expected = exact_age(line.chromosomes, share, round(float(np.mean([path.start for path in paths]))))
        z = (age.mean() - expected) / (age.std() / np.sqrt(len(age)))
        good &= bool(abs(z) < LIMIT)
        print(f"  {title:<14} frequency {share:<5g} {age.mean():>8.1f} {expected:>8.1f} {z:>6.2f}")
    full = -4 * 500 * 0.1 * np.log(0.1) / 0.9
    print(f"  the second of them by the diffusion (Kimura & Ohta): {full:.1f}")
    return good


def exact_age(sizes: np.ndarray, share: float, start: int) -> float:
    """Mean age of a neutral variant seen at a frequency: from each generation of origin, by the Wright-Fisher chain."""
    size = [int(sizes[min(start + age, len(sizes) - 1)]) for age in range(40 * int(sizes.max()))]
    reaching = np.zeros(size[0] + 1)  # probability that so many copies become those that are seen
    reaching[round(share * size[0])] = 1
    steps: dict[tuple[int, int], np.ndarray] = {}
    weight = total = 0.0
    for age, (now, before) in enumerate(pairwise(size)):
        weight, total = weight + now * reaching[1], total + age * now * reaching[1]
        if age > len(sizes) and now * reaching[1] * age < 1e-9 * total:
            break
        if (now, before) not in steps:
            share_before = np.arange(before + 1)[:, None] / before
            steps[now, before] = binom.pmf(np.arange(now + 1), now, share_before)
        reaching = steps[now, before] @ reaching
    return total / weight


def verify_order(replicates: int) -> bool:
    print("\n4. s .02: segregating sites within 12.5 kb and common ancestor at the site (generations), means")
    shares = (None, 2e-4, 0.005, 0.02, 0.05, 0.1, 0.4, 0.9)
    found = {share: many(ours(Sweep(SITE, 0.02, start_frequency=share)), replicates, 80) for share in shares}
    base = many(neutral, replicates, 90)
    good, last = True, -np.inf
    for share, rows in found.items():
        sites, ancestor = rows[:, 0].mean(), rows[:, -1].mean() * 2 * N
        bound = np.inf if share is None else 2_000 - 4 * N * share * np.log(share) / (1 - share)
        fine = ancestor < bound and sites > last - 1 and sites < base[:, 0].mean() + 2
        good, last = good and fine, sites
        name = "new mutation" if share is None else f"frequency {share:g}"
        print(f"  {name:<16} {sites:>7.1f} {ancestor:>8.0f}  at most {bound:>7.0f}  {'PASS' if fine else 'FAIL'}")
    print(f"  none             {base[:, 0].mean():>7.1f} {base[:, -1].mean() * 2 * N:>8.0f}")
    few = z_scores(found[shares[1]][:, :1], found[None][:, :1]).item()
    print(f"  4 copies against one: z {few:.2f}: {'PASS' if abs(few) < LIMIT else 'FAIL'}")
    return bool(good and abs(few) < LIMIT)


def verify_scaling(replicates: int) -> bool:
    print("\n5. scaled down: s .005, in full and scaled, z")
    good = True
    for share in (None, 0.05):
        full = many(ours(Sweep(SITE, 0.005, start_frequency=share)), replicates, 100)
        for scale in (10, 20, 40):
            stretch = spec(N / scale)
            sweep = Sweep(SITE, 0.005 * scale, start_frequency=share)
            scaled = many(ours(sweep, stretch), replicates, 100 + scale, stretch.mutation_rate)
            good &= report(f"{'new mutation' if share is None else f'frequency {share}'}, {scale} times", full, scaled)
    return good


def verify_speed(simulations: int) -> bool:
    print("\n6. simulations a second, 1.1 Mb, with mutations")
    stretch, good = WindowSpec(SAMPLE, 1_100_000, MUTATION, RECOMBINATION, History((N,))), True
    for title, sweep in {
        "hard, s .005": Sweep(550_000, 0.005),
        "hard, s .05": Sweep(550_000, 0.05),
        "soft, s .02 from .01": Sweep(550_000, 0.02, start_frequency=0.01),
        "soft, s .02 from .1": Sweep(550_000, 0.02, start_frequency=0.1),
        "partial, s .02 to .6": Sweep(550_000, 0.02, end_frequency=0.6),
    }.items():
        begin = time.process_time()
        for seed in np.random.SeedSequence(7).spawn(simulations):
            simulate_sweep(stretch, sweep, seed)
        speed = simulations / (time.process_time() - begin)
        good &= speed >= 5
        print(f"  {title:<22} {speed:>6.1f}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=300, help="simulations per engine and setting")
    replicates = parser.parse_args().replicates
    parts = {
        "new mutations against msprime": verify_hard(replicates),
        "against individuals one by one": verify_against_individuals(max(replicates // 2, 50)),
        "ages of standing variants": verify_ages(replicates),
        "soft between hard and neutral": verify_order(replicates),
        "scaling": verify_scaling(replicates),
        "speed": verify_speed(40),
    }
    print()
    for name, good in parts.items():
        print(f"{'PASS' if good else 'FAIL'}  {name}")
    return int(not all(parts.values()))


if __name__ == "__main__":
    sys.exit(main())
