"""Are there enough sequences: models of this job, fitted to fewer of them and judged as they are when fitted to all.

Two folds are looked at. What models say of these when they are fitted to all other sequences is known from the
cross-fit; here they are fitted to nested parts of those. k-mers, a likeness and the network are followed: what is
cheap, what is strong, and what needs many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.crossfit import NETWORK, Fits, Floats, Question, member_of, network_answer
from sewall.crossscores import known_truth, metric_of
from sewall.jobs.sequence.form import config_of
from sewall.jobs.sequence.source import examples_of, strands_of
from sewall.stacking import STACK
from sewall.task import Examples, Rows
from sewall.train import Training, apply_network, train_ensemble
from sewall.trust.compare import Estimate, paired_difference, score
from sewall.trust.learning_curve import (
    MORE,
    SATURATED,
    SOME_GAIN,
    UNDECIDED,
    PowerLaw,
    nested_parts,
    overtaken_at,
    too_few,
    word_of,
)
from sewall.trust.metrics import METRICS

CHEAP, LIKENESSES, COMPOSITION = "kmers", ("placed", "gapped"), "composition"  # the first likeness that there is
FOLDS = 2  # that are looked at
MOST = 4_000  # sequences that slow models are fitted to here, and held-out ones of a fold on which all are judged
REPEATS = 300  # of the bootstrap behind the interval of each point

Answers = dict[int, Floats]  # by share of the sequences that a model was fitted to, to all that are held out


@dataclass(frozen=True)
class _Fold:
    """One fold that is looked at: the rows on which models are judged, and, by share, those that they are fitted to."""

    number: int
    held: Rows
    parts: dict[int, Rows]


def learning_curve(
    question: Question, fits: Fits, scores: Mapping[str, Any], folder: Path, seed: int, device: str, workers: int
) -> dict[str, Any]:
    """Return what ``evaluation.json`` holds of the learning curve.

    Args:
        question: what was asked.
        fits: its cross-fit.
        scores: of the cross-fit, see `crossscores.evaluate`.
        folder: for networks, so that an interrupted run goes on.
        seed: of everything random.
        device: where networks are trained.
        workers: processes; the result does not depend on it.

    Returns:
        ``models``: by model, its score after so many sequences; ``fit``: by model, the power law; ``best``: the one of
        them that the verdict is about, ``from_half`` and ``doubled``: what the second half brought it, and what twice
        as many would; ``overtakes``: number of sequences from which on the network is no worse than k-mers, or None;
        ``verdict``: a fixed word; ``said``: a sentence.
    """
    folds = [_fold(question, number, seed) for number in range(min(FOLDS, question.folds.number))]
    shares = [share for share in folds[0].parts if all(share in fold.parts for fold in folds)]
    slow = [share for share in shares if all(len(fold.parts[share]) <= MOST for fold in folds)]
    likeness = next(key for key in LIKENESSES if key in fits.models)
    answers = {
        CHEAP: _regressed(question, folds, shares),
        likeness: _likened(question, likeness, folds, slow),
        NETWORK: _trained(question, fits, folds, slow, _Budget(folder, seed, device, workers)),
    }
    judge = _Judge(question, folds, seed)
    curves = {key: own | {1: judge.whole(fits, key)} for key, own in answers.items()}
    return _told(judge, curves, scores)


def _fold(question: Question, number: int, seed: int) -> _Fold:
    examples, folds, chance = question.examples, question.folds, np.random.default_rng([seed, number])
    own = folds.without((number,))
    labels = known_truth(question.task, examples, own) if question.task.target.classes else np.zeros(len(own))
    groups = None if examples.groups is None else np.asarray(examples.groups)[own]
    parts = nested_parts(labels, groups, int(chance.integers(2**32)))
    held = np.sort(chance.permutation(folds.rows(number))[:MOST])
    return _Fold(number, held, {share: own[part] for share, part in parts.items()})


def _regressed(question: Question, folds: Sequence[_Fold], shares: Sequence[int]) -> Answers:
    model = next(m for m in question.task.simple_models(0) if m.key == CHEAP)
    return {
        share: np.concatenate(
            [model.fit(question.examples, f.parts[share]).predict(question.examples, f.held) for f in folds]
        )
        for share in shares
    }


def _likened(question: Question, key: str, folds: Sequence[_Fold], shares: Sequence[int]) -> Answers:
    """Return the answers of a likeness, which is only found among the sequences that are looked at."""
    model = next(m for m in question.task.simple_models(0) if m.key == key)
    found: dict[int, list[Floats]] = {share: [] for share in shares}
    for fold in folds if shares else ():
        rows = np.union1d(fold.parts[shares[0]], fold.held)
        few = _only(question.examples, rows)
        held = np.searchsorted(rows, fold.held)
        for share in shares:
            fitted = model.fit(few, np.searchsorted(rows, fold.parts[share]))
            found[share].append(fitted.predict(few, held))
    return {share: np.concatenate(own) for share, own in found.items()}


def _only(examples: Examples, rows: Rows) -> Examples:
    assert examples.target is not None
    groups = None if examples.groups is None else np.asarray(examples.groups)[rows]
    return examples_of(strands_of(examples).sequences.take(rows), examples.target[rows], groups)


@dataclass(frozen=True)
class _Budget:
    """Where and how networks are trained."""

    folder: Path
    seed: int
    device: str
    workers: int


def _trained(question: Question, fits: Fits, folds: Sequence[_Fold], shares: Sequence[int], budget: _Budget) -> Answers:
    """Return the answers of networks, as many passes long as would be those of the largest part."""
    if not shares:
        return {}
    task, examples = question.task, question.examples
    config = config_of(strands_of(examples).sequences.take(folds[0].parts[shares[0]]))
    training = Training(task, examples, replace(config, device=budget.device), budget.folder)
    bases = [fits.answers[(fold.number,)][task.base] for fold in folds]
    members = [
        member_of(
            budget.seed, examples, fold.parts[share], (fold.number, share),
            np.nan_to_num(base.reshape(len(examples), -1)),
        )
        for share in shares for fold, base in zip(folds, bases, strict=True)
    ]  # fmt: skip
    networks = iter(network for network, _ in train_ensemble(training, members, budget.workers))
    found: Answers = {}
    for share in shares:
        added = [apply_network(next(networks), task, examples, fold.held)[0] for fold in folds]
        of_base = [base[fold.held] for base, fold in zip(bases, folds, strict=True)]
        found[share] = network_answer(task.target, np.concatenate(of_base), np.concatenate(added), fits.column)
    return found


@dataclass(frozen=True)
class _Judge:
    """Scores answers to the sequences that are held out in the folds that are looked at."""

    question: Question
    folds: Sequence[_Fold]
    seed: int

    @cached_property
    def rows(self) -> Rows:
        """The sequences that are held out, fold after fold."""
        return np.concatenate([fold.held for fold in self.folds])

    @property
    def metric(self) -> str:
        """The metric by which models are ranked."""
        return metric_of(self.question.task)

    @property
    def groups(self) -> NDArray[Any] | None:
        """What is drawn together in the bootstrap."""
        groups = self.question.examples.groups
        return None if groups is None else np.asarray(groups)[self.rows]

    def whole(self, fits: Fits, key: str) -> Floats:
        """Return what a model answers that was fitted to all but the fold."""
        return np.concatenate([fits.answers[(fold.number,)][key][fold.held] for fold in self.folds])

    def number(self, share: int) -> int:
        """Return how many sequences a share is, as a mean over folds."""
        return round(float(np.mean([self._size(fold, share) for fold in self.folds])))

    def _size(self, fold: _Fold, share: int) -> int:
        return len(fold.parts[share] if share > 1 else self.question.folds.without((fold.number,)))

    def score(self, answer: Floats) -> Estimate:
        """Return the score of answers on the learning scale."""
        truth, known = self._both(answer)
        return score(truth, known, [self.metric], groups=self.groups, seed=self.seed, repeats=REPEATS)[self.metric]

    def gain(self, answer: Floats, before: Floats) -> Estimate:
        """Return by how much one answer is better than another, paired."""
        (truth, known), (_, earlier) = self._both(answer), self._both(before)
        return paired_difference(truth, known, earlier, self.metric, groups=self.groups, seed=self.seed)

    def _both(self, answer: Floats) -> tuple[Floats, Floats]:
        task = self.question.task
        return known_truth(task, self.question.examples, self.rows), task.target.backward(answer)


def _told(judge: _Judge, curves: Mapping[str, Answers], scores: Mapping[str, Any]) -> dict[str, Any]:
    points = {key: {judge.number(share): judge.score(own[share]) for share in own} for key, own in curves.items()}
    points = {key: dict(sorted(own.items())) for key, own in points.items()}
    laws = {key: PowerLaw.fit(list(own), [1 - point.value for point in own.values()]) for key, own in points.items()}
    best = _best(points, [key for key, own in curves.items() if 2 in own] or list(curves))
    half = judge.gain(curves[best][1], curves[best][2]) if 2 in curves[best] else None
    law, (strongest, composition) = laws[best], _strongest_and_composition(scores)
    doubled = None if law is None else law.gain()
    word = word_of(too_few(int(scores["n"]), strongest, composition), half, doubled)
    overtakes = _overtakes(points)
    return {
        "metric": judge.metric, "held_out": len(judge.rows), "folds": len(judge.folds),
        "models": {key: [{"n": n, **point.to_dict()} for n, point in own.items()] for key, own in points.items()},
        "fit": {key: None if law is None else {**vars(law), "doubled": law.gain()} for key, law in laws.items()},
        "best": best, "from_half": None if half is None else half.to_dict(), "doubled": doubled,
        "overtakes": overtakes, "verdict": word,
        "said": f"{_said(word, scores, best, half, doubled)} {_said_of_network(overtakes, laws[NETWORK])}",
    }  # fmt: skip


def _best(points: Mapping[str, Mapping[int, Estimate]], among: Sequence[str]) -> str:
    return max(among, key=lambda key: np.nan_to_num(list(points[key].values())[-1].value, nan=-1.0))


def _strongest_and_composition(scores: Mapping[str, Any]) -> tuple[Estimate, Estimate]:
    """Return the score of the best single model on all sequences, and that of composition."""
    found = {m["key"]: Estimate(**m["metrics"][scores["metric"]]) for m in scores["models"] if m["key"] != STACK}
    composition = found.pop(COMPOSITION)
    return max(found.values(), key=lambda one: np.nan_to_num(one.value, nan=-1.0)), composition


def _overtakes(points: Mapping[str, Mapping[int, Estimate]]) -> int | None:
    numbers = [number for number in points[CHEAP] if number in points[NETWORK]]
    cheap, network = ([points[key][number].value for number in numbers] for key in (CHEAP, NETWORK))
    return overtaken_at(numbers, cheap, network)


def _said(word: str, scores: Mapping[str, Any], best: str, half: Estimate | None, doubled: float | None) -> str:
    """Return the verdict in a sentence."""
    named = "the network" if best == NETWORK else scores["stack"]["names"][best]
    score_of = f"the {METRICS[scores['metric']].name} of {named}"
    parts = [] if half is None else [f"the second half of them changed {score_of} by {_in_words(half)}"]
    parts += [] if doubled is None else [f"twice as many would add about {max(doubled, 0):.3f}"]
    found = f": {', and '.join(parts)}." if parts else "."
    if word == MORE:
        return f"More sequences would help{found}"
    if word == SATURATED:
        return f"There are enough sequences{found}"
    if word == UNDECIDED:
        return f"Whether more sequences would help cannot be told from these{found}"
    strongest, composition = _strongest_and_composition(scores)
    if strongest.lower <= composition.upper:
        return "There are too few sequences, or nothing to learn: no model can be told apart from composition alone."
    width = (strongest.upper - strongest.lower) / 2
    return f"There are too few sequences: {scores['n']} leave the score of the best model open by {width:.2f} each way."


def _in_words(found: Estimate) -> str:
    return f"{found.value:+.3f} (95 % interval {found.lower:+.3f} to {found.upper:+.3f})"


def _said_of_network(overtakes: int | None, law: PowerLaw | None) -> str:
    gain = 0.0 if law is None else law.gain()
    still = f", and would gain {gain:.3f} from twice as many" if gain > SOME_GAIN else ""
    if overtakes is None:
        return f"The network does not overtake k-mers within these data{still}."
    return f"The network is no worse than k-mers from about {overtakes:,} sequences on{still}."
