"""Seqlets, the short stretches on which answers stand, and the motifs that they are when put on top of each other.

Seqlets are called where more is found than in shuffled sequences. They are put together by what each of their letters
adds, the motif is counted from the letters themselves: the network may look at some of its places only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.motifs.attributions import Attributed
from sewall.motifs.merging import Pile, Site, merged, piled
from sewall.motifs.motif import Motif
from sewall.motifs.stretches import stretches

Track = NDArray[np.float32]

MOST_FALSE = 0.2  # estimated share of seqlets that are no more frequent than in shuffled sequences
FEWEST = 20  # seqlets of a motif


@dataclass(frozen=True)
class Found:
    """A motif that was found, and where.

    Attributes:
        motif: how often each base stands where; its support is the number of places.
        raises: whether its letters add to the answer, or take from it.
        places: by place ``row start end strand attribution``: which sequence, from where to where (0-based, half-open),
            on which strand it reads as the motif does, and what its letters add together.
    """

    motif: Motif
    raises: bool
    places: pd.DataFrame


def find_seqlets(tracks: Sequence[Track], control: Sequence[Track], most_false: float = MOST_FALSE) -> pd.DataFrame:
    """Call stretches of letters that add more, or take more, than would be found in shuffled sequences.

    Args:
        tracks: of each sequence ``(letters,)`` what each letter adds.
        control: the same of shuffled sequences.
        most_false: share of seqlets that may be false, by estimate.

    Returns:
        ``row start end attribution p_value``, the strongest first; those that take do not overlap those that add.
    """
    adding = _called(tracks, control, 1, most_false)
    taking = _called(tracks, control, -1, most_false)
    inside = [np.zeros(len(track), bool) for track in tracks]
    for row, start, end in adding[["row", "start", "end"]].itertuples(index=False):
        inside[row][start:end] = True
    apart = [not inside[row][start:end].any() for row, start, end in taking[["row", "start", "end"]].to_numpy(int)]
    both = pd.concat([adding, taking[np.array(apart, bool)]], ignore_index=True)
    order = np.argsort(-both["attribution"].abs().to_numpy(), kind="stable")
    return both.iloc[order].reset_index(drop=True)


def _called(tracks: Sequence[Track], control: Sequence[Track], sign: int, most_false: float) -> pd.DataFrame:
    """Return seqlets of one sign."""
    own, other = ([sign * track.astype(np.float64) for track in each] for each in (tracks, control))
    rows = [
        (row, start, end, float(tracks[row][start:end].sum()), 10.0**-score)
        for row, start, end, score in stretches(own, other, most_false)
    ]
    kinds = {"row": int, "start": int, "end": int, "attribution": float, "p_value": float}
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


def find_motifs(
    attributed: Attributed, seqlets: pd.DataFrame, *, both_strands: bool = True, fewest: int = FEWEST
) -> list[Found]:
    """Put seqlets together to motifs, those that add most first.

    Args:
        attributed: the attributions that the seqlets were called from.
        seqlets: as of `find_seqlets`.
        both_strands: whether a motif is the same on either strand.
        fewest: seqlets of a motif, or it is none.

    Returns:
        Motifs named ``motif_1`` and so on.
    """
    adds = seqlets["attribution"].to_numpy() > 0
    piles = {
        raises: merged(piled(attributed, seqlets[adds == raises], both_strands), attributed.sequences, both_strands)
        for raises in (True, False)
    }
    return motifs_of(piles, attributed, fewest)


def motifs_of(piles: Mapping[bool, Sequence[Pile]], attributed: Attributed, fewest: int = FEWEST) -> list[Found]:
    """Return the motifs of piles that are large enough, those that add most first.

    Args:
        piles: of seqlets that raise the answer, by True, and of those that lower it, by False.
        attributed: the attributions that the seqlets were called from.
        fewest: seqlets of a motif.
    """
    found = [
        _found(pile, attributed, raises)
        for raises, own in piles.items()
        for pile in own
        if len(pile.motif) and len(pile.sites) >= fewest
    ]
    # Letters beside a strong motif may take a little: what they show is the motif, and together it adds.
    found = [one for one in found if (one.places["attribution"].mean() > 0) == one.raises]
    found.sort(key=lambda one: -float(one.places["attribution"].abs().sum()))
    return [Found(one.motif.named(f"motif_{k}"), one.raises, one.places) for k, one in enumerate(found, 1)]


def _found(pile: Pile, attributed: Attributed, raises: bool) -> Found:
    """Return what a pile comes to; the strand on which most of its places lie is its own."""
    turned = sum(site.step < 0 for site in pile.sites) > len(pile.sites) / 2
    motif = pile.motif.reversed() if turned else pile.motif
    rows = [_place(site, pile.shown, attributed, turned) for site in pile.sites]
    places = pd.DataFrame(rows, columns=["row", "start", "end", "strand", "attribution"])
    return Found(motif, raises, places.sort_values(["row", "start"], ignore_index=True))


def _place(site: Site, shown: slice, attributed: Attributed, turned: bool) -> tuple[int, int, int, str, float]:
    one, other = site.at(shown.start), site.at(shown.stop - 1)
    start, end = max(min(one, other), 0), min(max(one, other) + 1, int(attributed.sequences.lengths[site.row]))
    strand = "-" if (site.step < 0) != turned else "+"
    return site.row, start, end, strand, float(attributed.means[site.row][start:end].sum())
