"""The form of a question about sequences: does the strand matter, do places matter, how long are they.

What the data say of it is found by quick regressions: a form is taken as given unless another one explains more.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Sequences
from sewall.errors import SewallError
from sewall.jobs.sequence.models import Reader, Regression
from sewall.jobs.sequence.source import examples_of
from sewall.nets.motif import MotifShape
from sewall.odds import log_shares
from sewall.task import Examples, Target
from sewall.train import TrainConfig

MOST_LOOKED_AT = 3_000  # sequences
PARTS = 3  # of the cross-validation
CLEARLY = 0.01  # of the uncertainty of the labels, or of the variance, that must be gained
MOST_LETTERS = 3_000  # that networks read, from the start of a sequence
PASSES = 24e6  # letters that a network reads in training, all passes together
FEWEST_PASSES, MOST_PASSES = 8, 25
PASSES_OF_TWO = 10  # from so many on, two networks are trained
TRANSCRIPT = 300  # letters from which sequences of unequal length may hold a reading frame


@dataclass(frozen=True)
class Form:
    """How models read sequences.

    Attributes:
        strands: 2 where a sequence and its reverse complement are one thing, 1 where the strand matters.
        length: letters of every sequence, where places count from its ends; 0 where places do not matter.
        equal: whether all sequences are of one length.
        frames: whether sequences are long, and read from one strand, so that reading frames may tell.
        shape: of the network.
    """

    strands: int = 2
    length: int = 0
    equal: bool = True
    frames: bool = False
    shape: MotifShape = field(default_factory=MotifShape)

    @property
    def anchored(self) -> bool:
        """Whether places count from the ends."""
        return self.length > 0

    def to_dict(self) -> dict[str, Any]:
        """Return the form as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Form:
        """Return the form that `to_dict` wrote."""
        return cls(**{**state, "shape": MotifShape(**state["shape"])})


def looked_at(
    target: Target, sequences: Sequences, known: NDArray[np.float64], groups: NDArray[Any] | None, seed: int
) -> dict[str, float]:
    """Return, by kind of reading, the share of what is to be known that a quick regression tells, cross-validated.

    Of a quantity the share of its variance, of classes that of the log loss of the prior (McFadden 1974).

    Args:
        target: what is asked.
        sequences: labelled ones.
        known: ``(sequences,)`` quantities, or numbers of the classes.
        groups: ``(sequences,)`` what must not straddle parts.
        seed: of the choice among many sequences, and of the parts.
    """
    rng = np.random.default_rng(seed)
    few = np.sort(rng.permutation(len(sequences))[:MOST_LOOKED_AT])
    member = few if groups is None else np.unique(np.asarray(groups)[few], return_inverse=True)[1]
    names, member = np.unique(member, return_inverse=True)
    part = (rng.permutation(len(names)) % PARTS)[member]
    examples = examples_of(sequences.take(few), known[few])
    return {name: _told(target, examples, reader, part) for name, reader in _readers(sequences).items()}


def _readers(sequences: Sequences) -> dict[str, Reader]:
    readers = {
        "kmers-both": Reader("kmers", "k-mers", 2),
        "kmers-one": Reader("kmers", "k-mers", 1),
        "composition": Reader("composition", "composition", scaled=True),
    }
    if len(np.unique(sequences.lengths)) == 1:
        readers["positions"] = Reader("positions", "letters by position", 1)
    return readers


def _told(target: Target, examples: Examples, reader: Reader, part: NDArray[np.int64]) -> float:
    assert examples.target is not None
    truth = target.forward(examples.target)
    own, prior = np.zeros(len(part)), np.zeros(len(part))
    for k in range(PARTS):
        rows, held = np.flatnonzero(part != k), np.flatnonzero(part == k)
        answer = Regression(target, reader).fit(examples, rows).predict(examples, held)
        if target.classes:
            labels = truth[held].astype(np.int64)
            own[held] = -answer[np.arange(len(held)), labels]
            prior[held] = -log_shares(truth[rows].astype(np.int64), len(target.classes))[labels]
        else:
            own[held], prior[held] = (answer - truth[held]) ** 2, (truth[rows].mean() - truth[held]) ** 2
    return float(1 - own.sum() / max(prior.sum(), 1e-12))


def form_of(sequences: Sequences, told: dict[str, float], strands: str, places: str) -> Form:
    """Return the form of a question.

    Args:
        sequences: labelled ones.
        told: from `looked_at`.
        strands: ``both``, ``one``, or ``auto``: one where k-mers on the strand as given tell clearly more.
        places: ``anchored``, ``free``, or ``auto``: anchored where letters by position tell clearly more than
            composition, which is part of them.

    Raises:
        SewallError: places shall be anchored, and sequences are of different lengths.
    """
    equal = len(np.unique(sequences.lengths)) == 1
    if places == "anchored" and not equal:
        low, high = sequences.lengths.min(), sequences.lengths.max()
        raise SewallError(
            f"--places anchored: sequences have {low} to {high} letters; cut them to one length, or leave places free"
        )
    by_place = told.get("positions", -1.0) > max(told["composition"], 0.0) + CLEARLY
    anchored = equal and (places == "anchored" or (places == "auto" and by_place))
    one = strands == "one" or (strands == "auto" and (anchored or told["kmers-one"] > told["kmers-both"] + CLEARLY))
    frames = one and not equal and float(np.median(sequences.lengths)) >= TRANSCRIPT
    form = Form(1 if one else 2, int(sequences.lengths[0]) if anchored else 0, equal, frames)
    return replace(form, shape=_shape(form, sequences))


def _shape(form: Form, sequences: Sequences) -> MotifShape:
    longest = int(np.minimum(sequences.lengths, MOST_LETTERS).max())
    shape = MotifShape(strands=form.strands, anchored=form.anchored)
    if form.anchored:
        return replace(shape, motifs=64, width=9, pool=1 if longest <= 100 else 2, blocks=2, reach=5)
    if longest > 1_000:
        return replace(shape, motifs=48, pool=8)
    return replace(shape, pool=2 if longest <= 300 else 4)


def config_of(sequences: Sequences) -> TrainConfig:
    """Return the budget of the networks of a fit: fewer passes, and one instead of two, where there is more to read."""
    letters = float(np.minimum(sequences.lengths, MOST_LETTERS).sum())
    epochs = int(np.clip(PASSES / letters, FEWEST_PASSES, MOST_PASSES))
    batch = 64 if len(sequences) < 20_000 else 256
    members = 2 if epochs >= PASSES_OF_TWO else 1
    return TrainConfig(epochs, epochs, 2e-3 * np.sqrt(batch / 64), 0.01, batch, members=members)
