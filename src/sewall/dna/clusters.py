"""Clusters of sequences of common descent or place, which must not straddle training and test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Sequences
from sewall.dna.kinship import Kinship, kinship
from sewall.dna.overlaps import overlaps
from sewall.encode.dna import Numbers

MOST_SHARE = 0.1  # of all sequences in one cluster


@dataclass(frozen=True)
class Clusters:
    """Clusters of a set of sequences.

    Attributes:
        of: ``(sequences,)`` number of the cluster, from 0 in the order of the first members; groups for folds.
        cut: pairs that lie in different clusters, because one cluster of all would have been too large.
        largest: sequences in the largest cluster.
    """

    of: Numbers
    cut: int
    largest: int

    @property
    def number(self) -> int:
        """How many clusters there are."""
        return int(self.of.max(initial=-1)) + 1

    def notes(self) -> list[str]:
        """Return what a reader of the folds must know."""
        if not self.cut:
            return []
        return [
            f"{self.cut} pairs of relatives or overlapping windows lie in different clusters: chains would have "
            f"made one cluster of more than {MOST_SHARE:.0%} of the sequences"
        ]


def homology_clusters(sequences: Sequences, *, stranded: bool = False, seed: int = 0) -> Clusters:
    """Return clusters in which copies, near copies, relatives and windows that overlap are together.

    Args:
        sequences: to be clustered.
        stranded: tells strands apart.
        seed: of the order in which sequences are compared.

    >>> from sewall.data.sequences import packed
    >>> homology_clusters(packed(["a", "b", "c"], ["ACGGT", "AAAAA", "ACCGT"])).of.tolist()
    [0, 1, 0]
    """
    found = kinship(sequences, stranded=stranded, seed=seed)
    return clusters(found, overlaps(sequences, stranded=stranded, seed=seed).pairs)


def clusters(found: Kinship, overlapping: NDArray[np.int64], most_share: float = MOST_SHARE) -> Clusters:
    """Return clusters of sequences whose kin are known: single linkage, the closest pairs first, then overlaps.

    No pair joins clusters to more than *most_share* of all sequences; copies are together in any case.

    Args:
        found: copies and kin.
        overlapping: ``(pairs, 2)`` sequences that overlap.
        most_share: of all sequences in one cluster.
    """
    sizes = np.bincount(found.original, minlength=len(found.original))
    parent, most = np.arange(len(sizes)), most_share * len(sizes)
    pairs = np.concatenate([found.pairs[["first", "second"]].to_numpy(np.int64), found.original[overlapping]])
    for a, b in pairs.tolist():
        a, b = sorted((_root(parent, a), _root(parent, b)))
        if a != b and sizes[a] + sizes[b] <= most:
            parent[b] = a
            sizes[a] += sizes[b]
    roots = np.array([_root(parent, row) for row in found.original.tolist()], np.int64)
    _, of = np.unique(roots, return_inverse=True)
    cut = int((of[pairs[:, 0]] != of[pairs[:, 1]]).sum())
    return Clusters(of.astype(np.int64), cut, int(np.bincount(of).max(initial=0)))


def _root(parent: Numbers, row: int) -> int:
    """Return the first member of a row's cluster, and shorten the way to it."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = int(parent[row])
    return row
