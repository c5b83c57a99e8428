"""Whether motifs are found where there is nothing to learn: a network of the same form, trained on shuffled labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.crossfit import member_of
from sewall.data.sequences import Sequences
from sewall.jobs.sequence.form import config_of
from sewall.jobs.sequence.models import Prior
from sewall.jobs.sequence.motif_search import Search, Searched
from sewall.jobs.sequence.source import examples_of
from sewall.jobs.sequence.task import SequenceTask
from sewall.jobs.session import stream
from sewall.motifs.attributions import Attributed, attribute
from sewall.motifs.insertion import backgrounds
from sewall.motifs.sanity import UNLEARNT, similarity
from sewall.motifs.seqlets import find_motifs, find_seqlets
from sewall.nets.motif import MotifNet
from sewall.task import Examples
from sewall.train import train_network

MOST_LEARNT = 2_000  # sequences that the network is trained on
MOST_ATTRIBUTED = 100

# Independent streams of one seed.
ORDER, TRAIN, REFERENCES, SHUFFLES = 65, 66, 67, 68


@dataclass(frozen=True)
class Unlearnable:
    """Labelled sequences whose labels are to be shuffled, so that nothing can be learnt of them.

    Attributes:
        task: whose networks are trained.
        sequences: all that are labelled.
        known: ``(sequences,)`` quantities or numbers of classes.
    """

    task: SequenceTask
    sequences: Sequences
    known: NDArray[np.float64]

    def told(self, search: Search, searched: Searched) -> dict[str, Any]:
        """Train on shuffled labels, attribute, and search as for the true networks.

        Args:
            search: with what the true search was done.
            searched: what it found.

        Returns:
            ``trained``, on how many sequences; ``motifs`` that were found; ``similarity``, the median rank correlation
            of the attributions with the true ones, and ``learnt``, whether that is low.
        """
        some = searched.attributed.sequences
        some = some.take(np.linspace(0, len(some) - 1, min(len(some), MOST_ATTRIBUTED)).astype(int))
        examples = self._shuffled(search.seed)
        alone = replace(search, networks=[self._network(examples, search)])
        own, control = (
            self._attributed(alone, each, searched.attributed.method)
            for each in (some, backgrounds(some, stream(search.seed, SHUFFLES), len(some)))
        )
        found = find_motifs(own, find_seqlets(own.means, control.means), both_strands=search.both_strands)
        alike = similarity(searched.attributed, own)
        return {
            "trained": len(examples), "motifs": len(found), "similarity": None if np.isnan(alike) else alike,
            "learnt": bool(np.isnan(alike) or alike <= UNLEARNT),
        }  # fmt: skip

    def _shuffled(self, seed: int) -> Examples:
        rng = np.random.default_rng(stream(seed, ORDER))
        usable = np.flatnonzero(self.task.usable(examples_of(self.sequences)) & np.isfinite(self.known))
        rows = np.sort(rng.permutation(usable)[:MOST_LEARNT])
        return examples_of(self.sequences.take(rows), rng.permutation(self.known[rows]))

    def _network(self, examples: Examples, search: Search) -> MotifNet:
        rows = np.arange(len(examples))
        base = Prior(self.task.target).fit(examples, rows).predict(examples, rows).reshape(len(rows), -1)
        member = member_of(stream(search.seed, TRAIN), examples, rows, (0,), base)
        config = replace(config_of(self.sequences), device=search.device)
        with TemporaryDirectory() as folder:
            network, _ = train_network(self.task, examples, member, config, Path(folder))
        assert isinstance(network, MotifNet)
        return network

    def _attributed(self, search: Search, sequences: Sequences, method: Any) -> Attributed:
        seed = stream(search.seed, REFERENCES)
        return attribute(search.networks, sequences, search.asked, method=method, seed=seed, device=search.device)
