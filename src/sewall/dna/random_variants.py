"""Random variants of the kind and the neighbourhood of given ones: what any change there does.

A variant is a row of a table: ``chrom``, ``start`` (from 0), ``removed`` and ``inserted`` letters.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sewall.data.genome import Genome
from sewall.dna.alleles import COLUMNS, Variant, kind_at

MOST_GIVEN = 5_000  # variants whose neighbourhoods are looked at
_WIDENINGS = 8  # each makes neighbourhoods twice as wide
_DRAWS = 10  # for every indel that is wanted
_TURNED = {"transition": str.maketrans("ACGT", "GTAC"), "transversion": str.maketrans("ACGT", "CACA"),
           "other transversion": str.maketrans("ACGT", "TGTG")}  # fmt: skip

Stretch = tuple[str, int, int]


def random_variants(
    genome: Genome, given: pd.DataFrame, kind: str, number: int, within: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return random variants of one kind near given ones.

    They are drawn evenly from the neighbourhoods of the given ones. Where those hold too few places (few CpGs), they
    are made twice as wide, and so on. Indels are as long as given ones; what is inserted is copied from
    another place of the neighbourhood. None is one of the given variants, and none is drawn twice.

    Args:
        genome: that the variants are of.
        given: one row per variant, all of the kind.
        kind: as `alleles.kind_of` names it.
        number: how many are wanted; there may be fewer.
        within: letters from a given variant at which a random one may lie.
        rng: source of chance.

    Returns:
        ``chrom start removed inserted``, and ``near``: how far from a given variant, at most, each was drawn.
    """
    some = given if len(given) <= MOST_GIVEN else given.iloc[np.sort(rng.permutation(len(given))[:MOST_GIVEN])]
    seen: set[Variant] = set(given[COLUMNS].itertuples(index=False, name=None))
    found: list[tuple[str, int, str, str, int]] = []
    for widening in range(_WIDENINGS):
        near = within * 2**widening
        hoods = _neighbourhoods(genome, some, near)
        single = kind.startswith(("transition", "transversion"))
        drawn = _single(genome, hoods, kind, rng) if single else _longer(genome, hoods, some, number * _DRAWS, rng)
        for variant in drawn:
            if len(found) == number:
                break
            if variant not in seen and kind_at(genome, *variant) == kind:
                seen.add(variant)
                found.append((*variant, near))
    return pd.DataFrame(found, columns=[*COLUMNS, "near"])


def _neighbourhoods(genome: Genome, given: pd.DataFrame, near: int) -> list[Stretch]:
    """Return the stretches within *near* letters of given variants, overlapping ones as one."""
    found: list[Stretch] = []
    for chrom, start in sorted(zip(given["chrom"], given["start"], strict=True)):
        first, last = max(start - near, 0), min(start + near, genome.lengths[chrom])
        if found and found[-1][0] == chrom and first <= found[-1][2]:
            found[-1] = (chrom, found[-1][1], max(last, found[-1][2]))
        else:
            found.append((chrom, first, last))
    return found


def _single(genome: Genome, hoods: list[Stretch], kind: str, rng: np.random.Generator) -> Iterator[Variant]:
    """Yield all changes of single letters of a kind, in random order."""
    texts = [genome.sequence(*hood).upper() for hood in hoods]
    ways = [name for name in _TURNED if kind.split()[0] in name]
    sizes = np.cumsum([0, *map(len, texts)])
    for place in rng.permutation(len(ways) * sizes[-1]).tolist():
        way, place = ways[place % len(ways)], place // len(ways)
        hood = int(np.searchsorted(sizes, place, side="right")) - 1
        chrom, first, _ = hoods[hood]
        old = texts[hood][place - sizes[hood]]
        if old in "ACGT":
            yield chrom, first + place - int(sizes[hood]), old, old.translate(_TURNED[way])


def _longer(
    genome: Genome, hoods: list[Stretch], given: pd.DataFrame, number: int, rng: np.random.Generator
) -> Iterator[Variant]:
    """Yield changes of as many letters as the given variants make, at random places."""
    sizes = np.array([last - first for _, first, last in hoods], float)
    removed, inserted = given["removed"].str.len().to_numpy(), given["inserted"].str.len().to_numpy()
    which = rng.choice(len(hoods), number, p=sizes / sizes.sum())
    for turn, hood in enumerate(which.tolist()):
        chrom, first, last = hoods[hood]
        away, brought = int(removed[turn % len(given)]), int(inserted[turn % len(given)])
        if last - first < max(away, brought):
            continue
        start, other = rng.integers(first, last - max(away, brought), size=2, endpoint=True).tolist()
        old = genome.sequence(chrom, start, start + away).upper() if away else ""
        new = genome.sequence(chrom, other, other + brought).upper() if brought else ""
        if old != new and not set(old + new) - set("ACGT"):
            yield chrom, start, old, new
