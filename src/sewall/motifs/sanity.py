"""Whether attributions say something of what was learnt: beside those of networks that have learnt nothing.

Adebayo et al. 2018, NeurIPS 31:9505.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from scipy import stats
from torch import nn

from sewall.motifs.attributions import Attributed, Track, attribute
from sewall.nets.attribution import FIRST, Question
from sewall.nets.motif import MotifNet

MOST = 40  # sequences that are looked at
UNLEARNT = 0.3  # rank correlation above which attributions show the architecture more than what was learnt
AGREEING = 0.6  # median correlation of two networks' attributions below which they tell different stories


def drawn_anew(network: MotifNet, seed: int) -> MotifNet:
    """Return a network of the same shape with new weights, as before training."""
    fresh = copy.deepcopy(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in fresh.modules():
            if isinstance(module, nn.Conv1d | nn.Linear | nn.BatchNorm1d):
                module.reset_parameters()
    return fresh.eval()


def unlearnt_similarity(
    networks: Sequence[MotifNet], attributed: Attributed, asked: Question = FIRST, *, seed: int = 0, device: str = "cpu"
) -> float:
    """Return the median rank correlation of attributions with those of the same networks before training.

    Args:
        networks: that were attributed.
        attributed: their attributions; some sequences are attributed again.
        asked: the answer.
        seed: of new weights and references.
        device: where networks run.
    """
    rows = np.linspace(0, len(attributed.sequences) - 1, min(len(attributed.sequences), MOST)).astype(int)
    fresh = [drawn_anew(network, seed + k) for k, network in enumerate(networks)]
    again = attribute(fresh, attributed.sequences.take(rows), asked, method=attributed.method, seed=seed, device=device)
    return similarity(attributed, again)


def similarity(attributed: Attributed, again: Attributed) -> float:
    """Return the median rank correlation of two attributions, over the sequences of the second; NaN without any.

    Args:
        attributed: attributions of sequences.
        again: attributions of some of them by other networks.
    """
    row = {name: number for number, name in enumerate(attributed.sequences.ids)}
    found = [
        _rank_correlation(attributed.means[row[name]], own)
        for name, own in zip(again.sequences.ids, again.means, strict=True)
    ]
    return float(np.nanmedian(found)) if np.isfinite(found).any() else float("nan")


def _rank_correlation(one: Track, other: Track) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.spearmanr(one, other).statistic)


def recall_of_places(attributed: Attributed, places: Sequence[tuple[int, int, int]]) -> float:
    """Return the share of known places ``(row, start, end)`` among the letters of highest attribution.

    Of each sequence as many letters are taken as it has known ones; for data with a planted truth.
    """
    hits, total = 0, 0
    for row, track in enumerate(attributed.means):
        known = np.zeros(len(track), bool)
        for _, start, end in (place for place in places if place[0] == row):
            known[start:end] = True
        top = np.argsort(-track, kind="stable")[: known.sum()]
        hits, total = hits + int(known[top].sum()), total + int(known.sum())
    return hits / total if total else float("nan")
