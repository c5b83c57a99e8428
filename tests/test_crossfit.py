"""Cross-fitting and its steps, with a job that they have never heard of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sewall import bundle as bundles
from sewall import crossfit, crossrun, crossscores, stacking
from sewall.crossfit import NETWORK, Question, fit_all, member_of
from sewall.errors import SewallError
from sewall.folds import Folds, divide, leave_out
from sewall.nets.heads import ClassHead, head_like
from sewall.nets.network import Network
from sewall.stacking import STACK, Stack, nested
from sewall.task import Examples, Rows, SimpleModel, Target
from sewall.train import TrainConfig

CONFIG = TrainConfig(epochs=12, patience=12, learning_rate=0.02, batch=32, members=1)


@dataclass(frozen=True)
class Numbers:
    """A source of plain numbers, ``(rows, 3)``; NaN where an example holds too little."""

    table: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.table)

    def load(self, rows: Rows) -> list[Any]:
        return list(self.table[rows])


class Line:
    """Least squares on some of the numbers; the mean where there are none."""

    def __init__(self, key: str, columns: list[int]) -> None:
        self.key = self.name = key
        self.columns, self.weights = columns, np.zeros(0)

    def fit(self, examples: Examples, rows: Rows) -> Line:
        assert examples.target is not None
        done = Line(self.key, self.columns)
        done.weights = np.linalg.lstsq(self._values(examples, rows), examples.target[rows], rcond=None)[0]
        return done

    def predict(self, examples: Examples, rows: Rows) -> NDArray[np.float64]:
        return np.asarray(self._values(examples, rows) @ self.weights)

    def _values(self, examples: Examples, rows: Rows) -> NDArray[np.float64]:
        assert isinstance(examples.source, Numbers)
        return np.column_stack([np.ones(len(rows)), examples.source.table[rows][:, self.columns]])

    @property
    def parameters(self) -> int:
        return 1 + len(self.columns)

    def state(self) -> Mapping[str, Any]:
        return {"weights": self.weights}

    def with_state(self, state: Mapping[str, Any]) -> SimpleModel:
        done = Line(self.key, self.columns)
        done.weights = state["weights"]
        return done


class PointNet(Network):
    def __init__(self, head: Mapping[str, int]) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 24), nn.GELU(), nn.Linear(24, 24), nn.GELU())
        self.head = head_like(dict(head), 24)

    def embedding(self, batch: dict[str, Tensor]) -> Tensor:
        out: Tensor = self.body(batch["numbers"])
        return out

    def recipe(self) -> dict[str, Any]:
        return {"classes": 3} if isinstance(self.head, ClassHead) else {"traits": self.head.linear.out_features}


class People:
    """Everybody's trait depends on the first number, and on the product of the other two, which no line can see."""

    name = "people"
    base = "mean"
    lends = "line"
    labels: Mapping[str, str] = {}
    stratum_names: Mapping[int, str] = {0: "one", 1: "other"}
    families: Mapping[str, str] = {"line": "lines", "noise": "lines"}
    lesser: Mapping[str, tuple[str, ...]] = {"lines": (NETWORK,)}
    abstains = False
    target = Target("trait", "cm", "identity", -10.0, 10.0)

    def usable(self, examples: Examples) -> NDArray[np.bool_]:
        return ~np.isnan(self._values(examples)[:, 0])

    def tensors(self, examples: Examples, rows: Rows) -> dict[str, Tensor]:
        return {"numbers": torch.from_numpy(self._values(examples)[rows].astype(np.float32))}

    def network(self, examples: Examples, rows: Rows) -> Network:
        assert examples.target is not None
        return PointNet({"traits": examples.target.reshape(len(examples), -1).shape[1]})

    def network_like(self, recipe: Mapping[str, Any]) -> Network:
        return PointNet(recipe)

    def statistics(self, examples: Examples, rows: Rows) -> pd.DataFrame:
        return pd.DataFrame(self._values(examples)[rows], columns=["a", "b", "c"])

    def simple_models(self, seed: int) -> list[SimpleModel]:
        return [Line("mean", []), Line("line", [0, 1, 2]), Line("noise", [1])]

    def strata(self, examples: Examples, rows: Rows) -> NDArray[np.int64]:
        return (self._values(examples)[rows, 1] > 0).astype(np.int64)

    def spread(self, models: Mapping[str, SimpleModel], examples: Examples, rows: Rows) -> NDArray[np.float64]:
        return np.ones(len(rows))

    def place(
        self, models: Mapping[str, SimpleModel], examples: Examples, rows: Rows
    ) -> tuple[pd.DataFrame, NDArray[np.float64]]:
        return self.statistics(examples, rows), self._values(examples)[rows]

    def _values(self, examples: Examples) -> NDArray[np.float64]:
        assert isinstance(examples.source, Numbers)
        return examples.source.table


def people(number: int = 450, seed: int = 1, shift: float = 0.0) -> Examples:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((number, 3)) + shift
    trait = 5 + values[:, 0] + values[:, 1] * values[:, 2] + 0.5 * rng.standard_normal(number)
    values[::50] = np.nan
    families = np.array([f"f{k // 3}" for k in range(number)])
    return Examples(pd.DataFrame({"sample_id": [f"s{k}" for k in range(number)]}), Numbers(values), trait, families)


@pytest.fixture(scope="module")
def task() -> People:
    return People()


@pytest.fixture(scope="module")
def examples() -> Examples:
    return people()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fits")


@pytest.fixture(scope="module")
def fits(task: People, examples: Examples, folder: Path) -> crossfit.Fits:
    return fit_all([Question(task, examples, divide(task, examples, 3, 1))], CONFIG, folder, 7)[0]


@pytest.fixture(scope="module")
def answered(task: People, examples: Examples, fits: crossfit.Fits) -> stacking.Nested:
    assert examples.target is not None
    return nested(task, fits, examples.target)


def test_folds_share_no_family_and_leave_nobody_out(task: People, examples: Examples) -> None:
    folds = divide(task, examples, 5, 3)
    np.testing.assert_array_equal(folds.of >= 0, task.usable(examples))
    assert examples.groups is not None
    families = [set(examples.groups[folds.rows(k)]) for k in range(5)]
    assert sum(map(len, families)) == len(set().union(*families))
    sizes = [len(folds.rows(k)) for k in range(5)]
    assert max(sizes) - min(sizes) <= 3
    np.testing.assert_array_equal(folds.without((0, 4)), np.sort(np.r_[folds.rows(1), folds.rows(2), folds.rows(3)]))


def test_more_folds_than_families_are_refused(task: People) -> None:
    with pytest.raises(SewallError, match="8 folds of 4 groups"):
        divide(task, people(12), 8, 1)


def test_an_answer_does_not_depend_on_its_own_truth(task: People, examples: Examples, tmp_path: Path) -> None:
    """Change the truth of one fold: nothing that is said of it may change, not even the weights of its stack."""
    folds = divide(task, examples, 3, 1)
    assert examples.target is not None
    other = examples.target.copy()
    mine = folds.rows(2)
    other[mine] = np.random.default_rng(0).permutation(other[mine]) * 3
    config = TrainConfig(epochs=2, patience=2, learning_rate=0.02, batch=32, members=1)
    both = []
    for number, truth in enumerate((examples.target, other)):
        changed = examples.labelled(truth)
        (done,) = fit_all([Question(task, changed, folds)], config, tmp_path / str(number), 7)
        both.append(nested(task, done, truth))
    here = np.isin(both[0].rows, mine)
    for key, values in both[0].answers.items():
        np.testing.assert_array_equal(values[here], both[1].answers[key][here], err_msg=key)
        if key != "mean":
            assert (values[~here] != both[1].answers[key][~here]).any()


def test_the_network_sees_what_lines_do_not_and_the_stack_keeps_it(
    examples: Examples, answered: stacking.Nested
) -> None:
    assert examples.target is not None
    truth = examples.target[answered.rows]
    r = {key: np.corrcoef(values, truth)[0, 1] for key, values in answered.answers.items() if key != "mean"}
    assert r[NETWORK] > r["line"] + 0.1
    assert r[STACK] > r["line"] + 0.1
    assert answered.final.weights[NETWORK] > 0.5


def test_fits_go_on_where_they_were(task: People, examples: Examples, fits: crossfit.Fits, folder: Path) -> None:
    (folder / "without-1.npz").unlink()
    (again,) = fit_all([Question(task, examples, fits.folds)], CONFIG, folder, 7)
    for unit, found in fits.answers.items():
        for key, values in found.items():
            np.testing.assert_array_equal(values, again.answers[unit][key])


def test_a_stack_has_no_negative_weights() -> None:
    rng = np.random.default_rng(1)
    truth = rng.standard_normal(200)
    answers = {"base": np.zeros(200), "good": truth + rng.standard_normal(200), "opposite": -truth}
    stack = Stack.fit(answers, truth, Target("trait", "", "identity", -9, 9), "base")
    assert stack.weights["opposite"] == 0
    assert 0.3 < stack.weights["good"] < 0.7  # shrunk as far as its noise deserves


@pytest.fixture(scope="module")
def bundle(task: People, examples: Examples, fits: crossfit.Fits, answered: stacking.Nested) -> bundles.Bundle:
    made = crossrun.bundle_of(task, examples, fits, answered, {"sites": np.arange(3)})
    scores = crossscores.evaluate(task, examples, made, answered, 0.9, 1)
    return crossrun.described(made, task, {"job": "people"}, scores)


def test_scores_name_the_base_the_stack_and_what_the_network_adds(bundle: bundles.Bundle) -> None:
    scores = bundle.about["scores_in_full"]
    assert {m["key"] for m in scores["models"]} == {"mean", "line", "noise", NETWORK, STACK}
    assert scores["network_adds"]["lower"] > 0.05
    assert scores["adds_to"]["lines"]["lower"] > 0.05
    assert set(scores["beyond_base"]) == {"line", "noise", NETWORK, STACK}
    assert len(scores["by_fold"]) == 3
    assert bundle.about["best_simple"] == "line"


def test_intervals_cover_people_that_nobody_knew(task: People, bundle: bundles.Bundle) -> None:
    new = people(2_000, seed=9)
    found = crossrun.predict(bundle, task, new, 0.9, 1, "too little data").table
    assert new.target is not None
    known = found["estimate"].notna()
    inside = ((found["lower"] <= new.target) & (new.target <= found["upper"]))[known].mean()
    assert 0.86 < inside < 0.96
    assert (found.loc[~known, "support"] == "outside").all()
    assert (found.loc[~known, "reason"] == "too little data").all()
    assert (found.loc[known, "support"] == "ok").mean() > 0.97


def test_people_from_elsewhere_are_flagged(task: People, bundle: bundles.Bundle) -> None:
    found = crossrun.predict(bundle, task, people(100, seed=3, shift=6.0), 0.9, 1, "too little data").table
    assert (found["support"] == "outside").all()


def test_a_bundle_answers_as_before_when_it_is_read_again(task: People, bundle: bundles.Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "bundle")
    again = bundles.load(tmp_path / "bundle", task)
    new = people(60, seed=4)
    one, other = (crossrun.predict(b, task, new, 0.8, 1, "").table for b in (bundle, again))
    pd.testing.assert_frame_equal(one, other)
    np.testing.assert_array_equal(again.extra["sites"], np.arange(3))


class Chances:
    """Shares of the classes, whatever the numbers, or by thirds of one of them."""

    def __init__(self, key: str, column: int | None = None) -> None:
        self.key = self.name = key
        self.column, self.table = column, np.zeros((0, 3))

    def fit(self, examples: Examples, rows: Rows) -> Chances:
        assert examples.target is not None
        done, third = Chances(self.key, self.column), self._third(examples, rows)
        counts = np.ones((3, 3))
        np.add.at(counts, (third, examples.target[rows].astype(int)), 1)
        done.table = counts / counts.sum(axis=1, keepdims=True)
        return done

    def predict(self, examples: Examples, rows: Rows) -> NDArray[np.float64]:
        return np.log(self.table[self._third(examples, rows)])

    def _third(self, examples: Examples, rows: Rows) -> NDArray[np.int64]:
        assert isinstance(examples.source, Numbers)
        if self.column is None:
            return np.zeros(len(rows), int)
        return np.searchsorted([-0.43, 0.43], examples.source.table[rows, self.column])

    @property
    def parameters(self) -> int:
        return 2 if self.column is None else 6

    def state(self) -> Mapping[str, Any]:
        return {"table": self.table}

    def with_state(self, state: Mapping[str, Any]) -> SimpleModel:
        done = Chances(self.key, self.column)
        done.table = state["table"]
        return done


class Kinds(People):
    """Which of three kinds somebody is: the first number tells much, the product of the others something."""

    base = "shares"
    target = Target("kind", "", "identity", 0, 2, ("low", "middle", "high"))

    def network(self, examples: Examples, rows: Rows) -> Network:
        return PointNet({"classes": 3})

    def simple_models(self, seed: int) -> list[SimpleModel]:
        return [Chances("shares"), Chances("thirds", 0), Chances("nothing", 1)]


def kinds(number: int = 600, seed: int = 1) -> Examples:
    made = people(number, seed)
    assert made.target is not None
    return made.labelled(np.searchsorted([4.0, 6.0], made.target).astype(float))


@pytest.fixture(scope="module")
def classed(tmp_path_factory: pytest.TempPathFactory) -> tuple[stacking.Nested, bundles.Bundle]:
    task, examples = Kinds(), kinds()
    (fits,) = fit_all(
        [Question(task, examples, divide(task, examples, 3, 1))], CONFIG, tmp_path_factory.mktemp("kinds"), 7
    )
    assert examples.target is not None
    found = nested(task, fits, examples.target)
    made = crossrun.bundle_of(task, examples, fits, found, {})
    return found, crossrun.described(made, task, {}, crossscores.evaluate(task, examples, made, found, 0.9, 1))


def test_classes_are_answered_with_probabilities_that_hold(
    classed: tuple[stacking.Nested, bundles.Bundle],
) -> None:
    found, bundle = classed
    for values in found.answers.values():
        np.testing.assert_allclose(np.exp(values).sum(axis=1), 1)
    scores = bundle.about["scores_in_full"]
    auroc = {m["key"]: m["metrics"]["auroc"]["value"] for m in scores["models"]}
    assert auroc["shares"] == pytest.approx(0.5, abs=0.05)
    assert auroc["thirds"] > 0.68 and auroc[STACK] > auroc["thirds"] + 0.03
    assert found.final.weights["nothing"] < 0.5 < found.final.weights["thirds"] + found.final.weights[NETWORK]
    assert all(abs(row["said"] - row["right"]["value"]) < 0.15 for row in scores["reliability"] if row["n"] > 50)


def test_sets_hold_the_class_as_often_as_promised(classed: tuple[stacking.Nested, bundles.Bundle]) -> None:
    new = kinds(2_000, seed=9)
    found = crossrun.predict(classed[1], Kinds(), new, 0.9, 1, "too little data").table
    assert new.target is not None
    known = found["label"].notna()
    names = np.array(Kinds.target.classes)[new.target.astype(int)]
    held = [name in members.split(",") for name, members in zip(names[known], found.loc[known, "set"], strict=True)]
    assert 0.86 < np.mean(held) < 0.96
    assert (found.loc[known, "label"] == names[known]).mean() > 0.5
    assert isinstance(new.source, Numbers)
    alone = Examples(new.keys.iloc[[7]], Numbers(new.source.table[[7]]))
    again = crossrun.predict(classed[1], Kinds(), alone, 0.9, 1, "").table
    assert again.loc[0, "set"] == found.loc[7, "set"]


def test_classes_are_spread_over_the_folds() -> None:
    examples = kinds(90)
    rare = Examples(examples.keys, examples.source, (np.arange(90) % 18 == 1).astype(float))
    folds = divide(Kinds(), rare, 5, 2)
    assert rare.target is not None
    assert [int(rare.target[folds.rows(k)].sum()) for k in range(5)] == [1] * 5


class Two(People):
    """The same people asked another question."""

    target = Target("other", "kg", "identity", -10.0, 10.0)


def test_one_network_learns_several_questions_and_each_has_its_own_answers(
    task: People, examples: Examples, tmp_path: Path
) -> None:
    """The second trait is a hundred times as wide and measured in two thirds of the people only."""
    assert examples.target is not None
    other = np.where(np.arange(len(examples)) % 3 > 0, 100 * examples.target, np.nan)
    base = divide(task, examples, 3, 1)
    second = Question(Two(), examples.labelled(other), base.among(np.isfinite(other)))
    one, two = fit_all([Question(task, examples, base), second], CONFIG, tmp_path, 7)
    assert [network.recipe() for network in two.networks] == [{"traits": 2}] * 3
    found = nested(Two(), two, other)
    assert set(found.rows) <= set(np.flatnonzero(np.isfinite(other)))
    assert np.corrcoef(found.answers[NETWORK], other[found.rows])[0, 1] > 0.6
    assert 0.8 < np.nanstd(two.answers[(0,)][NETWORK][found.rows]) / (
        100 * np.nanstd(one.answers[(0,)][NETWORK][found.rows])
    ) < 1.25  # fmt: skip
    bundle = crossrun.bundle_of(Two(), second.examples, two, found, {})
    bundle = crossrun.described(bundle, Two(), {}, crossscores.evaluate(Two(), second.examples, bundle, found, 0.9, 1))
    answers = crossrun.answers(bundle, Two(), examples, found.rows)
    assert np.corrcoef(answers[NETWORK], other[found.rows])[0, 1] > 0.7


def test_every_population_is_left_out_once(task: People, examples: Examples) -> None:
    where = np.array(["north", "east", "south"])[np.arange(len(examples)) % 3]
    folds, names = leave_out(task, examples, where)
    assert names == ["east", "north", "south"]
    assert all(set(where[folds.rows(k)]) == {name} for k, name in enumerate(names))
    assert isinstance(Folds.joint([folds, folds]).of, np.ndarray)
    with pytest.raises(SewallError, match="2 groups to leave out"):
        leave_out(task, examples, where == "north")


def test_what_is_known_of_one_trait_helps_another(task: People, examples: Examples, tmp_path: Path) -> None:
    """The second trait falls with the number with which the first rises, and was measured badly in half of them."""
    assert examples.target is not None
    rng = np.random.default_rng(3)
    own = np.asarray(Two()._values(examples))
    other = np.where(np.arange(len(examples)) % 2 == 0, -own[:, 0] + 2 * rng.standard_normal(len(examples)), np.nan)
    base = divide(task, examples, 3, 1)
    second = Question(Two(), examples.labelled(other), base.among(np.isfinite(other)))
    config = TrainConfig(epochs=1, patience=1, learning_rate=0.001, batch=32, members=1)
    _, two = fit_all([Question(task, examples, base), second], config, tmp_path, 7)
    assert two.borrowed == ("of trait",)
    found = nested(Two(), two, other)
    r = {key: np.corrcoef(values, -own[found.rows, 0])[0, 1] for key, values in found.answers.items() if key != "mean"}
    assert r["of trait"] > 0.9
    assert found.final.weights["of trait"] > 0


def test_without_pairs_of_folds_the_stack_comes_from_the_other_folds(
    task: People, examples: Examples, tmp_path: Path
) -> None:
    assert examples.target is not None
    question = Question(task, examples, divide(task, examples, 3, 1))
    (fits,) = fit_all([question], CONFIG, tmp_path, 7, pairs=False)
    assert sorted(fits.answers) == [(), (0,), (1,), (2,)]
    found = nested(task, fits, examples.target)
    assert np.isfinite(found.answers[STACK]).all()
    judged = {
        key: np.concatenate([fits.answers[(k,)][key][fits.folds.rows(k)] for k in (1, 2)])
        for key in found.answers
        if key != STACK
    }
    truth = examples.target[np.concatenate([fits.folds.rows(k) for k in (1, 2)])]
    expected = Stack.fit(judged, truth, task.target, task.base, task.families)
    assert found.weights[0] == pytest.approx(expected.weights)


def test_one_model_can_stand_in_for_the_stack(task: People, examples: Examples, tmp_path: Path) -> None:
    assert examples.target is not None
    question = Question(task, examples, divide(task, examples, 3, 1))
    (fits,) = fit_all([question], CONFIG, tmp_path, 7, pairs=False)
    found = stacking.only(nested(task, fits, examples.target), "line")
    assert np.array_equal(found.answers[STACK], found.answers["line"])
    assert found.final.weights == {"line": 1.0}


@pytest.mark.parametrize("groups", [1, 2, 3, 40])
def test_a_network_always_has_rows_to_learn_from_and_rows_to_stop_by(groups: int) -> None:
    of = np.arange(120) % groups
    examples = Examples(pd.DataFrame({"row": range(120)}), [], groups=of)
    member = member_of(1, examples, np.arange(120), (0,), np.zeros((120, 1)))
    assert len(member.train) > len(member.tune) > 0
    assert len(np.intersect1d(member.train, member.tune)) == 0
    if groups > 2:
        assert not set(of[member.train]) & set(of[member.tune])
