"""What a bundle says of two forms of a sequence: network by network, and by its other models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp

from sewall import crossrun
from sewall.bundle import Bundle
from sewall.crossfit import CrossTask, network_answer
from sewall.data.genome import Genome
from sewall.data.sequences import Floats, Sequences
from sewall.dna.alleles import Forms, both_forms
from sewall.errors import SewallError, some_names
from sewall.jobs.sequence.source import examples_of
from sewall.nets.motif import MotifNet
from sewall.stacking import STACK
from sewall.task import over_all
from sewall.train import apply_network

STEP = 5  # letters between shifted windows
LETTERS = "letters"  # what a bundle calls the length of the sequences that it was trained on
_WORST = ("ok", "warn", "outside")


@dataclass(frozen=True)
class Asked:
    """What is asked of a bundle: the log odds of one class, or a quantity.

    Attributes:
        task, bundle: as loaded.
        label: the class, or None.
        width: letters of a window.
        strand: ``+`` or ``-``.
        shifts: where windows lie beside the centred one, which comes first.
    """

    task: CrossTask
    bundle: Bundle
    label: str | None
    width: int
    strand: str
    shifts: tuple[int, ...]

    @property
    def unit(self) -> str:
        """In what effects count."""
        return f"log odds of {self.label}" if self.label is not None else self.task.target.unit

    def values(self, answers: Floats) -> Floats:
        """Return ``(rows,)`` what effects are differences of, from answers on the learning scale."""
        target = self.task.target
        if self.label is None:
            return np.asarray(target.backward(answers))
        own = target.classes.index(self.label)
        return np.asarray(answers[:, own] - logsumexp(np.delete(answers, own, axis=1), axis=1))

    def by_network(self, sequences: Sequences) -> Floats:
        """Return ``(sequences, networks)`` the value that each network gives."""
        if not len(sequences):
            return np.zeros((0, len(self.bundle.networks)))
        examples, rows = examples_of(sequences), np.arange(len(sequences))
        base = next(model for model in self.bundle.simple_models if model.key == self.task.base)
        known, column = base.predict(examples, rows), int(self.bundle.about["column"])
        told = [apply_network(network, self.task, examples, rows)[0] for network in self.bundle.networks]
        return np.column_stack([self.values(network_answer(self.task.target, known, own, column)) for own in told])

    def by_models(self, sequences: Sequences) -> dict[str, Floats]:
        """Return ``(sequences,)`` the values of ``simple``, the best simple model, and of ``stack``, all together."""
        found = crossrun.answers(self.bundle, self.task, examples_of(sequences), np.arange(len(sequences)))
        return {"simple": self.values(found[self.bundle.about["best_simple"]]), "stack": self.values(found[STACK])}

    def support(self, sequences: Sequences) -> NDArray[np.str_]:
        """Return ``(sequences,)`` how each lies to the training: ok, warn or outside."""
        models = {model.key: model for model in self.bundle.simple_models}
        statistics, place = self.task.place(models, examples_of(sequences), np.arange(len(sequences)))
        return self.bundle.support.examples(statistics.to_numpy(float), place).status


@dataclass(frozen=True)
class Effects:
    """What variants do to the answers of every network.

    Attributes:
        change: ``(variants, networks)`` ALT less REF, mean over the shifts; NaN for a variant without a window.
        ref: ``(variants,)`` mean answer of the networks to the REF form.
        centred: both forms in the centred window.
    """

    change: Floats
    ref: Floats
    centred: Forms


def effects(
    asked: Asked, genome: Genome, table: pd.DataFrame, progress: Callable[[float], None] | None = None
) -> Effects:
    """Return what the variants of a table do.

    A shifted window that would reach beyond the contig is left out of the mean; without the centred one there is no
    answer.
    """
    total, number = np.zeros((len(table), len(asked.bundle.networks))), np.zeros((len(table), 1))
    ref = np.full(len(table), np.nan)
    centred: Forms | None = None
    for shift in asked.shifts:
        forms = both_forms(genome, table, asked.width, asked.strand, shift)
        before, after = asked.by_network(forms.ref), asked.by_network(forms.alt)
        total[forms.rows] += after - before
        number[forms.rows] += 1
        if centred is None:
            centred, ref = forms, over_all(before.mean(axis=1), forms.rows, len(table))
        if progress is not None:
            progress(len(table))
    assert centred is not None
    change = np.where(np.isnan(ref)[:, None], np.nan, total / np.maximum(number, 1))
    return Effects(change, ref, centred)


def worst(one: NDArray[np.str_], other: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return, item by item, the worse of two statuses.

    >>> worst(np.array(["ok", "outside"]), np.array(["warn", "ok"])).tolist()
    ['warn', 'outside']
    """
    names = np.array(_WORST)
    ranks = [np.array([_WORST.index(name) for name in status], np.intp) for status in (one, other)]
    return names[np.maximum(*ranks)]


def asked_of(
    task: CrossTask, bundle: Bundle, label: str | None, width: int | None, strand: str, number: int
) -> tuple[Asked, list[str]]:
    """Return what is asked, and notes on what the bundle made of it.

    Args:
        task, bundle: as loaded.
        label: the class, or None for the last.
        width: of the windows, or None for that of the training.
        strand: ``+`` or ``-``.
        number: windows around each variant.

    Raises:
        SewallError: no such class; a width that the bundle cannot read, or none where it has no width of its own.
    """
    nets = [network for network in bundle.networks if isinstance(network, MotifNet)]
    if not nets:
        raise SewallError("the bundle has no networks; train it again with sewall sequence train")
    shape, classes, notes = nets[0].shape, task.target.classes, []
    if label is not None and label not in classes:
        known = f"its classes are {some_names(list(classes), 8)}" if classes else "it predicts a quantity"
        raise SewallError(f"--label {label}: not a class of the bundle; {known}")
    own = nets[0].length or int(bundle.about.get(LETTERS) or 0)
    if shape.anchored and width not in (None, own):
        raise SewallError(f"--width {width}: the bundle reads {own} letters, each at its place; leave it out")
    if not own and width is None:
        raise SewallError("--width: is missing; the bundle was trained on sequences of unequal length, so say how many")
    if shape.anchored and number > 1:
        notes.append("places count from the ends of the sequence in this bundle: windows were not shifted")
    if shape.strands == 2 and strand == "-":
        notes.append("the bundle reads both strands alike: --strand says nothing")
    steps = [0] if shape.anchored else range(-STEP * (number // 2), STEP * ((number + 1) // 2), STEP)
    chosen = label or (classes[-1] if classes else None)
    return Asked(task, bundle, chosen, width or own, strand, tuple(sorted(steps, key=abs))), notes
