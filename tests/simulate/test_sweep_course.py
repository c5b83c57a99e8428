from typing import Any

import msprime
import numpy as np
import pytest
import tskit

from sewall.errors import SewallError
from sewall.simulate.coalescent import WindowSpec
from sewall.simulate.demography_files import GivenHistory, constant_history
from sewall.simulate.history import History
from sewall.simulate.sweep_ancestry import simulate_sweep, sweep_trees
from sewall.simulate.sweep_course import Sweep, Trajectory, trajectory
from sewall.simulate.sweep_lineages import trace_back
from sewall.simulate.sweep_sizes import line_of_descent

SIZE = 1000
SPEC = WindowSpec(10, 40_000, 1.25e-7, 1e-7, History((SIZE,)))
SITE = 15_000


def seed(number: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(number)


def course(sweep: Sweep, history: History = SPEC.history, number: int = 1) -> Trajectory:
    return trajectory(sweep, line_of_descent(history), seed(number))


def mean_of(sweep: Sweep, spec: WindowSpec, replicates: int) -> np.ndarray:
    """Mean diversity near the site, far from it, and mean time of the common ancestor at the site; and their errors."""
    rows = []
    for child in seed(3).spawn(replicates):
        trees = sweep_trees(spec, sweep, child)[0]
        windows = [0, SITE - 500, SITE + 500, 39_000, 40_000]
        near, far = trees.diversity(windows=windows, mode="branch")[[1, 3]]
        tree = trees.at(SITE)
        rows.append((near, far, tree.time(tree.root)))
    return np.array([np.mean(rows, axis=0), np.std(rows, axis=0) / np.sqrt(replicates)])


def test_a_new_mutation_rises_from_one_copy_to_all() -> None:
    path = course(Sweep(SITE, 0.1, age=50))
    assert path.end == 50
    assert path.origin == path.start == len(path.copies) - 2
    assert path.copies[-1] == 0
    assert path.copies[path.start] == 1
    assert (path.copies[:51] == 2 * SIZE).all()
    assert (path.copies[51 : path.start + 1] > 0).all()
    assert (path.copies[51 : path.start + 1] < 2 * SIZE).all()
    assert 0.5 < (path.start - path.end) / (2 * np.log(2 * SIZE) / 0.1) < 2


def test_a_standing_variant_has_a_past() -> None:
    path = course(Sweep(SITE, 0.1, start_frequency=0.05))
    assert path.frequency(path.start) == 0.05
    assert path.origin > path.start
    assert (path.copies[path.start : -1] > 0).all()
    assert path.copies[-1] == 0


def test_a_partial_sweep_ends_where_it_should_and_drifts_after() -> None:
    path = course(Sweep(SITE, 0.1, end_frequency=0.5))
    assert path.end == 0
    assert 0.5 <= path.frequency() < 0.6
    older = course(Sweep(SITE, 0.1, end_frequency=0.5, age=100))
    assert 0.5 <= older.frequency(older.end) < 0.6
    assert older.frequency() != older.frequency(older.end)


def test_the_seed_alone_decides() -> None:
    sweep = Sweep(SITE, 0.1, start_frequency=0.05)
    (first, path), (again, _), (other, _) = (simulate_sweep(SPEC, sweep, seed(s)) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.calls, again.calls)
    np.testing.assert_array_equal(first.positions, again.positions)
    assert other.calls.shape != first.calls.shape or (other.calls != first.calls).any()
    assert path.copies[path.start] == 100


def test_the_age_of_a_standing_variant_is_that_of_theory() -> None:
    ages = [p.origin - p.start for p in (course(Sweep(SITE, 1.0, start_frequency=0.1), number=k) for k in range(400))]
    expected = -4 * SIZE * 0.1 * np.log(0.1) / 0.9  # Kimura & Ohta 1973
    assert abs(np.mean(ages) - expected) < 4 * np.std(ages) / 20


def test_dominance_speeds_up_the_beginning() -> None:
    def early(dominance: float) -> float:
        paths = (course(Sweep(SITE, 0.1, 0.01, 0.2, dominance=dominance), number=k) for k in range(40))
        return float(np.mean([path.start for path in paths]))

    assert early(1.0) < 0.8 * early(0.5)
    assert early(0.5) < 0.8 * early(0.0)


def test_sizes_count_when_they_held() -> None:
    # A bottleneck while the allele drifted: it must have been common enough to survive, and selection ends on time.
    history = History((1000.0, 50.0, 1000.0), (200.0, 210.0))
    for number in range(10):
        path = course(Sweep(SITE, 0.05, age=150), history, number)
        assert abs(path.end - 150) <= 0.02 * (path.start - path.end) + 1
        assert (path.chromosomes[200:210] == 100).all()
        assert (np.delete(path.chromosomes, slice(200, 210)) == 2000).all()
        assert (path.copies <= path.chromosomes).all()


def test_everything_at_the_site_descends_from_its_origin() -> None:
    for number in range(20):
        trees, path, carriers = sweep_trees(SPEC, Sweep(SITE, 0.1, end_frequency=0.7), seed(number))
        tree = trees.at(SITE)
        if carriers > 1:
            ancestor = tree.mrca(*range(carriers))
            assert tree.time(ancestor) < path.origin + 1
            assert sorted(tree.samples(ancestor)) == list(range(carriers))
        assert all(tree.num_roots == 1 for tree in trees.trees())


def test_the_favoured_site_is_among_the_variants_where_it_varies() -> None:
    alignment, _ = simulate_sweep(SPEC, Sweep(SITE, 0.1, end_frequency=0.6), seed(2))
    row = alignment.calls[alignment.positions == SITE][0]
    assert 0 < row.sum() < 10
    assert (np.diff(row) <= 0).all()
    assert (np.diff(alignment.positions) > 0).all()
    fixed, _ = simulate_sweep(SPEC, Sweep(SITE, 0.1), seed(2))
    assert SITE not in fixed.positions


def test_hard_is_below_soft_is_below_neutral() -> None:
    hard = mean_of(Sweep(SITE, 0.2), SPEC, 60)
    soft = mean_of(Sweep(SITE, 0.2, start_frequency=0.1), SPEC, 60)
    neutral = 4 * SIZE  # mean branch length between two chromosomes
    assert hard[0, 0] < 0.2 * neutral
    assert hard[0, 0] + 4 * hard[1, 0] < soft[0, 0] < neutral - 4 * soft[1, 0]
    assert hard[0, 0] < hard[0, 1] - 4 * np.hypot(hard[1, 0], hard[1, 1])
    assert hard[0, 2] < 2 * np.log(2 * SIZE) / 0.2 * 2
    assert soft[0, 2] < 200 - 4 * SIZE * 0.1 * np.log(0.1) / 0.9


def test_an_old_sweep_leaves_a_neutral_population() -> None:
    # Twenty times 2 N generations later, under other sizes: what is left of the two backgrounds is the coalescent.
    history = History((SIZE / 2, 2 * SIZE), (1500.0,))
    spec = WindowSpec(6, 40_000, 1.25e-7, 1e-7, history)
    rows = mean_of(Sweep(SITE, 0.2, age=20_000), spec, 150)
    expected = 1000 * (1 - np.exp(-1.5)) * 2 + np.exp(-1.5) * 2 * 4000
    assert (np.abs(rows[0, :2] - expected) < 4 * rows[1, :2]).all()


def test_hard_sweeps_are_those_of_msprime() -> None:
    sweep = Sweep(SITE, 0.2)
    model = msprime.SweepGenicSelection(
        position=SITE, start_frequency=1 / (2 * SIZE), end_frequency=1 - 1 / (2 * SIZE), s=0.2, dt=1e-5
    )
    theirs = []
    for number in range(1, 121):
        trees = msprime.sim_ancestry(
            [msprime.SampleSet(10, ploidy=1)], ploidy=2, population_size=SIZE, sequence_length=40_000,
            recombination_rate=1e-7, model=[model, msprime.StandardCoalescent()], random_seed=number,
        )  # fmt: skip
        theirs.append(trees.diversity(windows=[0, SITE - 500, SITE + 500, 40_000], mode="branch")[[1, 2]])
    ours = [
        sweep_trees(SPEC, sweep, child)[0].diversity(windows=[0, SITE - 500, SITE + 500, 40_000], mode="branch")[[1, 2]]
        for child in seed(4).spawn(120)
    ]
    error = np.hypot(np.std(ours, axis=0), np.std(theirs, axis=0)) / np.sqrt(120)
    assert (np.abs(np.mean(ours, axis=0) - np.mean(theirs, axis=0)) < 4 * error).all()


def test_a_map_with_a_cold_stretch_widens_the_sweep() -> None:
    cold = msprime.RateMap(position=[0, 14_000, 30_000, 40_000], rate=[1e-6, 0.0, 1e-6])
    spec = WindowSpec(10, 40_000, 1.25e-7, cold, History((SIZE,)))
    for child in seed(6).spawn(10):
        trees, path, _ = sweep_trees(spec, Sweep(SITE, 0.2), child)
        ends = trees.breakpoints(as_array=True)
        assert not ((ends > 14_000) & (ends < 30_000)).any()
        assert trees.at(29_000).time(trees.at(29_000).root) <= path.origin + 1


def test_lineages_recombine_at_the_rate_of_the_map() -> None:
    # One chromosome, a population in which nothing else happens: crossovers between 0 and 100 in 1,000 generations.
    copies = np.full(1002, 10_000)
    copies[-1] = 0
    places, crossovers = np.array([0.0, 50.0, 100.0]), np.array([0.0, 0.0, 2e-3])
    roots, starts = [], []
    for child in seed(7).spawn(300):
        times, edges = trace_back(
            np.random.default_rng(child), copies, np.full(1002, 20_000), 0, 2, 0, places, crossovers
        )
        starts += edges[(edges[:, 3] == 0) & (edges[:, 0] > 0), 0].tolist()
        roots.append((edges[:, 3] == 0).sum() - 1)
        assert (np.diff(times) >= 0).all()
    assert abs(np.mean(roots) - 2e-3 * 1000) < 4 * np.std(roots) / np.sqrt(300)
    assert min(starts) > 50
    assert max(starts) < 100


def test_a_chromosome_parted_from_the_site_still_changes_background() -> None:
    # Far from the site diversity must come back, also where no lineage holds both the site and the far material.
    spec = WindowSpec(2, 40_000, 1.25e-7, 5e-6, History((SIZE,)))
    rows = mean_of(Sweep(SITE, 0.05, age=400), spec, 60)
    assert abs(rows[0, 1] - 4 * SIZE) < 4 * rows[1, 1]


def test_a_population_descends_from_others() -> None:
    import demes

    builder = demes.Builder(time_units="generations")
    builder.add_deme("old", epochs=[{"start_size": 500, "end_time": 300}])
    builder.add_deme("small", ancestors=["old"], epochs=[{"start_size": 10}])
    builder.add_deme("young", ancestors=["old"], epochs=[{"start_size": 100, "end_size": 400, "end_time": 0}])
    history = GivenHistory("", "young", "two demes", None, builder.resolve())
    line = line_of_descent(history)
    assert line.chromosomes[0] == 800
    assert line.chromosomes[299] == pytest.approx(200, abs=2)
    assert line.chromosomes[150] == pytest.approx(400, abs=2)
    assert line.chromosomes[-1] == 1000
    assert (line.population(299), line.population(300)) == ("young", "old")
    trees, path, _ = sweep_trees(WindowSpec(6, 20_000, 1e-7, 1e-6, history), Sweep(500, 0.1, 0.1), seed(8))
    names = [population.metadata["name"] for population in trees.populations()]
    of_time = {names[node.population] for node in trees.nodes() if node.time < 300}
    assert of_time == {"young"}
    assert path.origin > 0
    assert {names[node.population] for node in trees.nodes() if node.time > max(300, path.origin + 1)} == {"old"}


def test_a_history_from_a_file_is_its_sizes() -> None:
    np.testing.assert_array_equal(line_of_descent(constant_history(50)).chromosomes, [100])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"s": 0.0}, "s 0"),
        ({"start_frequency": 0.5, "end_frequency": 0.4}, "0.5 to 0.4"),
        ({"age": -1}, "age -1"),
        ({"dominance": 2.0}, "dominance 2"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SewallError, match=words):
        Sweep(**({"position": 1, "s": 0.1} | given))


def test_a_stretch_that_cannot_be_is_refused() -> None:
    with pytest.raises(SewallError, match="not in a stretch of 40,000"):
        simulate_sweep(SPEC, Sweep(40_000, 0.1), seed(1))
    converting = WindowSpec(10, 40_000, 1e-7, 1e-7, History((SIZE,)), gene_conversion_rate=1e-7)
    with pytest.raises(SewallError, match="without gene conversion"):
        simulate_sweep(converting, Sweep(SITE, 0.1), seed(1))
    short = WindowSpec(10, 40_000, 1e-7, msprime.RateMap(position=[0, 10], rate=[1e-8]), History((SIZE,)))
    with pytest.raises(SewallError, match="rate everywhere"):
        simulate_sweep(short, Sweep(SITE, 0.1), seed(1))


def test_the_trees_hold_the_sample_first() -> None:
    trees, _, _ = sweep_trees(SPEC, Sweep(SITE, 0.1), seed(9))
    assert isinstance(trees, tskit.TreeSequence)
    np.testing.assert_array_equal(trees.samples(), np.arange(10))
    assert (trees.nodes_time[:10] == 0).all()
