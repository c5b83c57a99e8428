from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sewall.data.alignment import Alignment
from sewall.errors import SewallError
from sewall.simulate.demography_files import constant_history
from sewall.simulate.history import RandomHistories
from sewall.simulate.sweeps import (
    CLASSES,
    Range,
    SweepExample,
    SweepPrior,
    labelled_examples,
    simulate_examples,
)

ONE = Range(1e-7, 1e-7)
PRIOR = SweepPrior(
    10, constant_history(1000), ONE, ONE, sub_windows=5, sub_length=10_000, strength=Range(0.05, 0.2, log=True),
    strength_scaled=False, linked=3, partial=True,
)  # fmt: skip


def by_kind(examples: list[SweepExample]) -> dict[str, list[SweepExample]]:
    return {kind: [example for example in examples if example.kind == kind] for kind in CLASSES}


def central_sites(example: SweepExample) -> int:
    positions = example.window.positions
    return int(((positions >= 20_000) & (positions < 30_000)).sum())


def test_simulations_come_in_turn_and_bring_their_neighbourhood() -> None:
    examples = labelled_examples(PRIOR, 8, 1)
    kinds = [[example.kind for example in examples if example.simulation == i] for i in range(8)]
    assert kinds[0] == kinds[4] == ["neutral"]
    assert kinds[1] == kinds[5] == ["hard", *3 * ["linked-hard"]]
    assert kinds[2] == kinds[6] == ["soft", *3 * ["linked-soft"]]
    assert kinds[3] == kinds[7] == ["partial", *3 * ["linked-partial"]]


def test_examples_say_what_happened() -> None:
    for kind, examples in by_kind(labelled_examples(PRIOR, 8, 2)).items():
        for example in examples:
            assert example.window.length == 50_000
            assert example.window.calls.dtype == np.int8
            carriers = example.window.calls.sum(axis=1)
            assert carriers.min() >= 1
            assert carriers.max() <= 9
            if kind == "neutral":
                assert np.isnan([example.s, example.age, example.start_frequency, example.position]).all()
                continue
            assert 0.05 <= example.s <= 0.2
            assert 0 <= example.age <= 200
            centre = 20_000 - example.distance * 10_000
            assert centre <= example.position < centre + 10_000
            assert (example.distance != 0) == kind.startswith("linked")
            assert example.end_frequency == 1 or kind.endswith("partial")
            if kind == "hard":
                assert example.start_frequency == 1 / 2000
            if kind == "soft":
                assert 2 / 2000 <= example.start_frequency <= 0.1


def test_windows_of_one_simulation_are_pieces_of_one_stretch() -> None:
    examples = simulate_examples(PRIOR, 1, np.random.SeedSequence(3))
    middle = examples[0]
    for other in examples[1:]:
        shift = int(other.distance * 10_000)
        ours = middle.window.positions[middle.window.positions >= shift] - shift
        theirs = other.window.positions[other.window.positions < 50_000 - shift]
        assert set(ours[ours < 50_000]) == set(theirs[theirs >= -shift])
    distances = [example.distance for example in examples]
    assert len(set(distances)) == 4
    assert set(distances) <= {-2, -1, 0, 1, 2}


def test_an_example_depends_on_seed_and_number_alone() -> None:
    all_of_them = labelled_examples(PRIOR, 3, 5)
    alone = simulate_examples(PRIOR, 2, np.random.SeedSequence(5, spawn_key=(2,)))
    for one, other in zip([e for e in all_of_them if e.simulation == 2], alone, strict=True):
        np.testing.assert_array_equal(one.window.calls, other.window.calls)
        assert one.labels() == other.labels()
    different = simulate_examples(PRIOR, 2, np.random.SeedSequence(6, spawn_key=(2,)))
    assert different[0].s != alone[0].s


def test_diversity_falls_towards_a_hard_sweep() -> None:
    prior = replace(PRIOR, start_frequency=Range(0.2, 0.4))
    found = by_kind(labelled_examples(prior, 160, 7))
    mean = {kind: np.mean([central_sites(example) for example in examples]) for kind, examples in found.items()}
    assert mean["hard"] < 0.5 * mean["neutral"]
    assert mean["hard"] < mean["soft"] < mean["neutral"]
    assert mean["hard"] < mean["linked-hard"] < mean["neutral"]
    near, far = (
        np.mean([central_sites(e) for e in found["linked-hard"] if abs(e.distance) == distance]) for distance in (1, 2)
    )
    assert near < far


def test_random_histories_and_uneven_rates_give_examples() -> None:
    prior = SweepPrior(
        8, RandomHistories(8), Range(1.25e-8, 1.25e-8), Range(1e-9, 1e-8, log=True), unevenness=1.0, sub_windows=3,
        sub_length=10_000, linked=1, partial=True,
    )  # fmt: skip
    examples = labelled_examples(prior, 40, 9)
    assert len(examples) == 70
    assert all(1e-9 <= example.recombination_rate <= 1e-8 for example in examples)


def test_units_may_be_those_of_the_population() -> None:
    scaled = SweepPrior(
        8, constant_history(500), ONE, ONE, sub_windows=1, sub_length=1000, strength=Range(100, 100),
        strength_scaled=True, age=Range(30, 30), age_scaled=False, linked=0,
    )  # fmt: skip
    hard = simulate_examples(scaled, 1, np.random.SeedSequence(1))[0]
    assert hard.s == pytest.approx(0.1)
    assert hard.age == 30


def test_labels_are_numbers() -> None:
    labels = simulate_examples(PRIOR, 3, np.random.SeedSequence(1))[0].labels()
    assert CLASSES[labels["kind"]] == "partial"
    assert all(isinstance(value, int | float) for value in labels.values())


def test_a_part_keeps_its_sites() -> None:
    whole = Alignment(np.array([3, 5, 9], np.int32), np.eye(3, dtype=np.int8), np.ones(3, np.int8), 12)
    cut = whole.part(5, 9)
    assert cut.positions.tolist() == [0]
    assert cut.calls.tolist() == [[0, 1, 0]]
    assert cut.length == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sub_windows": 4}, "4 sub-windows"),
        ({"linked": 5}, "5 linked"),
        ({"end_frequency": Range(0.5, 1.0)}, "below 1"),
    ],
)
def test_priors_that_cannot_be_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SewallError, match=words):
        SweepPrior(10, constant_history(), ONE, ONE, **({"sub_windows": 5} | given))


def test_ranges_that_cannot_be_are_refused() -> None:
    with pytest.raises(SewallError, match="in order"):
        Range(2, 1)
    with pytest.raises(SewallError, match="above 0"):
        Range(0, 1, log=True)
