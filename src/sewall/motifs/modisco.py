"""Motifs by TF-MoDISco (Shrikumar et al. 2018, arXiv:1811.00416), as the extra ``modisco`` has it.

It calls, clusters and merges seqlets its own way, always on both strands, and wants thousands of them. What it finds is
counted from the letters and tested like the motifs that are found without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sewall.data.sequences import Sequences
from sewall.encode.dna import one_hot
from sewall.errors import SewallError
from sewall.motifs.attributions import Attributed
from sewall.motifs.merging import PLACES, Pile, Site, counted
from sewall.motifs.seqlets import FEWEST, Found, motifs_of


def modisco_motifs(attributed: Attributed, fewest: int = FEWEST) -> list[Found]:
    """Find motifs in attributions.

    Args:
        attributed: the attributions; shorter sequences are padded with letters that add nothing.
        fewest: seqlets of a motif.

    Returns:
        As `sewall.motifs.seqlets.find_motifs`.

    Raises:
        SewallError: the extra is not installed.
    """
    try:
        from modiscolite.tfmodisco import TFMoDISco
    except ImportError:
        raise SewallError("--finder modisco: needs the extra modisco; pip install 'sewall[modisco]'") from None
    rows = np.arange(len(attributed.sequences))
    letters = one_hot(attributed.sequences.padded(rows)).astype(np.float32)
    hypothetical = np.zeros_like(letters)
    for row, track in enumerate(attributed.hypothetical):
        hypothetical[row, :, : track.shape[1]] = track
    found = TFMoDISco(letters.transpose(0, 2, 1), hypothetical.transpose(0, 2, 1))
    piles = [[_pile(pattern, attributed.sequences) for pattern in own or ()] for own in found]
    return motifs_of(dict(zip((True, False), piles, strict=True)), attributed, fewest)


def _pile(pattern: Any, sequences: Sequences) -> Pile:
    seqlets: Sequence[Any] = pattern.seqlets
    beside = (PLACES - len(seqlets[0])) // 2
    sites = [
        Site(int(one.example_idx), int(one.end) - 1 + beside, -1)
        if one.is_revcomp
        else Site(int(one.example_idx), int(one.start) - beside, 1)
        for one in seqlets
    ]
    return counted(sites, sequences)
