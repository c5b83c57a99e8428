"""Reference builds, told by the lengths that a file declares, or guessed from where its sites end."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sewall.data.panel import Sites

_SEXED = ("X", "Y")
LENGTHS = {
    build: dict(zip([*map(str, range(1, len(lengths) - 1)), *_SEXED], lengths, strict=True))
    for build, lengths in {
        "GRCh37": (
            249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431,
            135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983,
            63025520, 48129895, 51304566, 155270560, 59373566,
        ),
        "GRCh38": (
            248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717,
            133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616,
            64444167, 46709983, 50818468, 156040895, 57227415,
        ),
        "NCBIm37": (
            197195432, 181748087, 159599783, 155630120, 152537259, 149517037, 152524553, 131738871, 124076172,
            129993255, 121843856, 121257530, 120284312, 125194864, 103494974, 98319150, 95272651, 90772031, 61342430,
            166650296, 15902555,
        ),
        "GRCm38": (
            195471971, 182113224, 160039680, 156508116, 151834684, 149736546, 145441459, 129401213, 124595110,
            130694993, 122082543, 120129022, 120421639, 124902244, 104043685, 98207768, 94987271, 90702639, 61431566,
            171031299, 91744698,
        ),
        "GRCm39": (
            195154279, 181755017, 159745316, 156860686, 151758149, 149588044, 144995196, 130127694, 124359700,
            130530862, 121973369, 120092757, 120883175, 125139656, 104073951, 98008968, 95294699, 90720763, 61420004,
            169476592, 91455967,
        ),
    }.items()
}  # fmt: skip
"""Lengths of the chromosomes in bp, of two human builds and three of the mouse."""

_OF_LENGTH = {length: build for build, lengths in LENGTHS.items() for length in lengths.values()}
_NEAR_THE_END = 0.97  # of a chromosome: how far the sites of an array reach
_ENOUGH = 50  # sites on a chromosome, below which their end says nothing


def build_of_lengths(lengths: Iterable[int | None]) -> str | None:
    """Tell the build from the lengths of chromosomes that a file declares.

    >>> build_of_lengths([None, 155_270_560])
    'GRCh37'
    """
    return next((_OF_LENGTH[length] for length in lengths if length in _OF_LENGTH), None)


def builds_that_fit(sites: Sites) -> list[str]:
    """Return the builds on whose chromosomes all sites have room, and reach nearly to the end of most of them.

    None fits where a species has other chromosomes, or positions are ranks.
    """
    ends = {
        name.lower().removeprefix("chr").upper(): int(sites.position[where].max()) + 1
        for name, where in sites.chromosomes()
        if where.stop - where.start >= _ENOUGH
    }
    return [build for build, lengths in LENGTHS.items() if _fits(ends, lengths)]


def _fits(ends: dict[str, int], lengths: dict[str, int]) -> bool:
    autosomes = [name for name in ends if name.isdecimal()]
    known = [name for name in autosomes if name in lengths]
    if len(known) < len(autosomes) or 2 * len(known) < len(lengths):
        return False
    reach = np.array([ends[name] / lengths[name] for name in ends if name in lengths])
    return bool((reach <= 1).all() and np.median(reach) > _NEAR_THE_END)
