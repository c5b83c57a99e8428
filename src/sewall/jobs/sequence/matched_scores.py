"""What models are worth beyond one number: their scores where all classes are alike in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Floats, Sequences
from sewall.dna.confounders import NAMES, POSITION, confounders, single_numbers, told_by
from sewall.dna.findings import FAIL
from sewall.dna.matched import left_over, matched_rows
from sewall.task import Rows, Target
from sewall.trust.compare import Comparison, compare
from sewall.trust.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd

ALWAYS = "gc"
FEWEST = 20  # sequences of each class; with fewer, a score says nothing


def flagged(numbers: pd.DataFrame) -> list[str]:
    """Return the numbers that can carry a model by themselves; of pairs of letters, the one that tells most.

    Args:
        numbers: of one label, as `sewall.dna.confounders.confounders` and audits have them.
    """
    grave = numbers[(numbers["status"] == FAIL) & (numbers["number"] != POSITION)].sort_values("strength")[::-1]
    pairs = grave["number"].str.startswith("pair_")
    return [*grave["number"][~pairs], *grave["number"][pairs][:1]]


def matched_scores(
    target: Target,
    models: Sequence[Mapping[str, Any]],
    answers: Mapping[str, Floats],
    truth: Floats,
    sequences: Sequences,
    numbers: Sequence[str] | None,
    seed: int,
    groups: NDArray[Any] | None = None,
) -> list[dict[str, Any]]:
    """Score models again with GC content taken out, and with each of some other numbers.

    Of classes, sequences are chosen such that every class has as many in each bin of the number; the metric is the
    AUROC. Of a quantity, what a straight line in the number tells is taken from truth and answers alike; the metric is
    their partial correlation.

    Args:
        target: what is predicted.
        models: ``models`` of ``evaluation.json``: ``key``, ``name`` and ``parameters`` of each.
        answers: by key, ``(sequences, classes)`` probabilities or ``(sequences,)`` quantities; NaN where there is none.
        truth: ``(sequences,)`` numbers of the classes, or quantities; NaN where not known.
        sequences: that were answered.
        numbers: to be taken out beside GC content, from `flagged`; None for those that are found in these sequences.
        seed: of the choice and of the bootstrap.
        groups: ``(sequences,)`` what the bootstrap draws together.

    Returns:
        For each number ``number`` and ``by``, its key and name; ``n`` sequences of ``of``; ``metric``; ``alone``, what
        the number tells by itself ``before`` and ``after``; ``models`` as given, with ``metrics`` after and the value
        ``before``; ``verdict`` and ``simplest_adequate``. No models where too few sequences are left.
    """
    answers = {str(model["key"]): answers[str(model["key"])] for model in models}
    known = [np.isfinite(values if values.ndim == 1 else values.sum(axis=1)) for values in (truth, *answers.values())]
    among = _Among(target, models, answers, truth, groups, seed).of(rows := np.flatnonzero(np.all(known, axis=0)))
    sequences = sequences.take(rows)
    if numbers is None:
        numbers = flagged(confounders(sequences, among.labels, positions=False))
    columns = single_numbers(sequences)
    return [among.without(number, columns[number]) for number in dict.fromkeys((ALWAYS, *numbers))]


@dataclass(frozen=True)
class _Among:
    """Answers of all models to the same sequences; attributes as the arguments of `matched_scores`."""

    target: Target
    models: Sequence[Mapping[str, Any]]
    answers: Mapping[str, Floats]
    truth: Floats
    groups: NDArray[Any] | None
    seed: int

    @property
    def metric(self) -> str:
        """By which models are judged."""
        return "auroc" if self.target.classes else "pearson"

    @property
    def labels(self) -> NDArray[Any]:
        """``(sequences,)`` names of classes, or quantities."""
        classes = self.target.classes
        return np.array(classes, np.str_)[self.truth.astype(int)] if classes else self.truth

    def of(self, rows: Rows) -> _Among:
        """Return some of the sequences."""
        answers = {key: values[rows] for key, values in self.answers.items()}
        groups = None if self.groups is None else self.groups[rows]
        return replace(self, answers=answers, truth=self.truth[rows], groups=groups)

    def freed(self, columns: list[Floats]) -> _Among:
        """Return what a straight line in a number leaves of truth and answers."""
        answers = {key: left_over(values, columns) for key, values in self.answers.items()}
        return replace(self, answers=answers, truth=left_over(self.truth, columns))

    def told_by(self, columns: list[Floats]) -> float:
        """Return how well a number alone tells the labels."""
        return told_by(columns, self.labels).value(not self.target.classes)

    def without(self, number: str, columns: list[Floats]) -> dict[str, Any]:
        """Return the scores with one number taken out."""
        rows, classes = np.arange(len(self.truth)), self.target.classes
        if classes:
            rows = matched_rows(columns, self.truth.astype(np.int64), self.seed)
        after, alone = self.of(rows) if classes else self.freed(columns), {"before": self.told_by(columns)}
        found = {
            "number": number, "by": NAMES[number], "n": len(rows), "of": len(self.truth), "metric": self.metric,
            "alone": alone, "models": [],
        }  # fmt: skip
        if len(rows) < FEWEST * max(len(classes), 1):
            return found
        alone["after"] = after.told_by([column[rows] for column in columns])
        compared = after.compared()
        before = {key: METRICS[self.metric].function(self.truth, values) for key, values in self.answers.items()}
        models = [model.to_dict() | {"before": before[model.key]} for model in compared.models]
        verdict = {"verdict": compared.verdict, "simplest_adequate": compared.simplest_adequate}
        return found | {"models": models} | verdict

    def compared(self) -> Comparison:
        """Return the scores of all models."""
        names = {str(model["key"]): str(model["name"]) for model in self.models}
        sizes = {str(model["key"]): int(model["parameters"]) for model in self.models}
        return compare(
            self.truth, self.answers, sizes, self.metric, self.seed, self.groups, metrics=[self.metric], names=names
        )
