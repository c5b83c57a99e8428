"""The sequence job: what does this DNA do?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from sewall.dna.composition import LABELS
from sewall.dna.counts import kmer_counts
from sewall.dna.likeness import Gapped, Placed
from sewall.encode.dna import one_hot
from sewall.jobs.sequence.coding_model import ReadingFrames
from sewall.jobs.sequence.form import MOST_LETTERS, Form
from sewall.jobs.sequence.matrix_model import MatrixModel
from sewall.jobs.sequence.models import BASE, Floats, Likeness, Prior, Reader, Regression
from sewall.jobs.sequence.small import SMALL, SmallNetwork
from sewall.jobs.sequence.source import strands_of
from sewall.nets.motif import MotifNet
from sewall.nets.network import Network
from sewall.task import Examples, Rows, SimpleModel, Target
from sewall.train import TrainConfig

MOST_AMBIGUOUS = 0.5  # share of letters beyond which nothing is said of a sequence
FEWEST_LETTERS = 4
PROFILE = 3  # letters of the k-mers by which sequences are placed
SEEN = ("gc", "length", "cpg", "n_share", "complexity")


class SequenceTask:
    """A label of sequences.

    Args:
        target: the label.
        form: how models read sequences.
        config: budget of the small network of the ladder.
    """

    name = "sequence"
    base = BASE
    lends = "kmers"
    abstains = True
    labels: Mapping[str, str] = LABELS
    stratum_names: Mapping[int, str] = {0: "all sequences"}
    families: Mapping[str, str] = {}
    lesser: Mapping[str, tuple[str, ...]] = {}

    def __init__(self, target: Target, form: Form | None = None, config: TrainConfig | None = None) -> None:
        self.target, self.form, self.config = target, form or Form(), config or TrainConfig()

    def usable(self, examples: Examples) -> NDArray[np.bool_]:
        """Return which have enough plain letters, and the length that the form asks for."""
        source = strands_of(examples)
        enough = source.sequences.lengths >= FEWEST_LETTERS
        if self.form.anchored:
            enough = source.sequences.lengths == self.form.length
        return np.asarray(enough & (source.composition["n_share"].to_numpy() <= MOST_AMBIGUOUS))

    def tensors(self, examples: Examples, rows: Rows) -> dict[str, Tensor]:
        """Return ``letters``, ``(rows, 4, letters)`` shares of A, C, G, T; zeros beyond the end of a sequence."""
        sequences = strands_of(examples).sequences
        longest = int(np.minimum(sequences.lengths[rows], MOST_LETTERS).max(initial=1))
        return {"letters": torch.from_numpy(one_hot(sequences.padded(rows, longest)))}

    def network(self, examples: Examples, rows: Rows) -> Network:
        """Return an untrained network."""
        strands_of(examples).kept.clear()  # likenesses are large, and the simple models are done when networks begin
        return MotifNet(self.form.shape, self.form.length, self._head())

    def small(self) -> MotifNet:
        """Return the untrained small network of the ladder."""
        shape = replace(SMALL, strands=self.form.strands, anchored=self.form.anchored)
        return MotifNet(shape, self.form.length, self._head())

    def _head(self) -> dict[str, int]:
        return {"classes": len(self.target.classes)} if self.target.classes else {"traits": 1}

    def network_like(self, recipe: Mapping[str, Any]) -> Network:
        """Return an untrained network by its recipe."""
        return MotifNet.like(recipe)

    def statistics(self, examples: Examples, rows: Rows) -> pd.DataFrame:
        """Return what sequences are made of; case, which must not matter, is left out."""
        table = strands_of(examples).composition.iloc[rows][list(SEEN)].reset_index(drop=True)
        return table.assign(length=np.log(np.maximum(table["length"], 1)))

    def simple_models(self, seed: int) -> list[SimpleModel]:
        """Return the ladder, the simplest first."""
        strands = self.form.strands
        found: list[SimpleModel] = [
            Prior(self.target),
            Regression(self.target, Reader("composition", "composition: GC, length, pairs of letters", scaled=True)),
        ]
        if self.form.anchored:
            found.append(Regression(self.target, Reader("positions", "letters by position", 1)))
        if self.form.frames:
            found.append(ReadingFrames(self.target, seed))
        if not self.form.anchored:
            found.append(MatrixModel(self.target, strands))
        found.append(Regression(self.target, Reader("kmers", "k-mers of 1 to 6 letters", strands)))
        found.append(SmallNetwork(self, self.config, seed))
        found.append(Likeness(self.target, Gapped(strands=strands), "gapped", "gapped k-mers (likeness)"))
        if self.form.anchored:
            found.append(Likeness(self.target, Placed(), "placed", "k-mers by position (likeness)"))
        return found

    def strata(self, examples: Examples, rows: Rows) -> NDArray[np.int64]:
        """Return 0: intervals are those of all sequences together."""
        return np.zeros(len(rows), np.int64)

    def spread(self, models: Mapping[str, SimpleModel], examples: Examples, rows: Rows) -> Floats:
        """Return 1: the width of an interval is that of all sequences."""
        return np.ones(len(rows))

    def place(
        self, models: Mapping[str, SimpleModel], examples: Examples, rows: Rows
    ) -> tuple[pd.DataFrame, NDArray[np.float64]]:
        """Return what sequences are made of, and their shares of all 3-mers, both strands as one."""
        source = strands_of(examples)
        found = source.features(f"{PROFILE}-mers", lambda sequences: kmer_counts(sequences, PROFILE, 2))[rows].toarray()
        shares = found / np.maximum(found.sum(axis=1, keepdims=True), 1)
        return self.statistics(examples, rows), np.asarray(shares, float)
