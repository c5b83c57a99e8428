"""How chromosomes are inherited, by their names, and which parts of X and Y behave like autosomes, by the build.

In the ZW system (birds, butterflies, some fish and plants) Z is inherited as X and W as Y, with the sexes exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import AUTOSOME, HAPLOID, X, Y
from sewall.errors import SewallError

PSEUDO_AUTOSOMAL = {
    "GRCh37": {
        X: [(60_000, 2_699_520), (154_931_043, 155_260_560)],
        Y: [(10_000, 2_649_520), (59_034_049, 59_363_566)],
    },
    "GRCh38": {
        X: [(10_000, 2_781_479), (155_701_382, 156_030_895)],
        Y: [(10_000, 2_781_479), (56_887_902, 57_217_415)],
    },
    "GRCm38": {X: [(169_969_758, 170_931_299)], Y: [(90_745_844, 91_644_698)]},
    "GRCm39": {X: [(168_752_754, 169_376_592)], Y: [(90_757_113, 91_355_967)]},
}
"""Pseudo-autosomal regions of X and Y in humans and mice by build, counted from 0, half-open.

As the Genome Reference Consortium lists them, https://www.ncbi.nlm.nih.gov/grc/human and /grc/mouse.
"""

BUILDS = tuple(PSEUDO_AUTOSOMAL)
_OTHER_NAMES = {
    "hg19": "GRCh37", "b37": "GRCh37", "hg38": "GRCh38", "b38": "GRCh38", "mm10": "GRCm38", "mm39": "GRCm39",
}  # fmt: skip
_BUILD_NAMES = {build.lower(): build for build in BUILDS} | _OTHER_NAMES
_SEX_NAMES = {"XY": {"X": X, "Y": Y}, "ZW": {"Z": X, "W": Y}}
_NAMES = dict.fromkeys(["M", "MT", "MITO", "MITOCHONDRION", "PT", "CP", "PLASTID", "CHLOROPLAST"], HAPLOID)
_HUMAN_AUTOSOMES = 22
_AFTER_AUTOSOMES = (X, Y, AUTOSOME, HAPLOID)  # the codes of PLINK: X, Y, pseudo-autosomal, mitochondria
_ROMAN = {"VI", "VII", "VIII", "IX", "XI", "XII"}


def build_name(build: str | None) -> str | None:
    """Return one of `BUILDS` for the names in use (hg19, b37, hg38, mm10 ...).

    >>> build_name("hg19")
    'GRCh37'
    """
    if build is None:
        return None
    if build.lower() not in _BUILD_NAMES:
        raise SewallError(f"build {build} is not known; give {' or '.join(BUILDS)}, or none for other species")
    return _BUILD_NAMES[build.lower()]


def inheritance_of(names: Sequence[str], autosomes: int | None = None, system: str = "XY") -> tuple[list[int], str]:
    """Tell from the names of all chromosomes of a panel how each is inherited.

    Numbers after the last autosome mean X, Y, the pseudo-autosomal region and mitochondria, as in PLINK: 23 to 26 in
    humans. Without *autosomes* they do so only where no number is larger than 26, and never in the ZW system.

    Args:
        names: of the chromosomes.
        autosomes: number of autosomes of the species.
        system: ``XY``, or ``ZW``, where Z is inherited as `X` and W as `Y`.

    Returns:
        `AUTOSOME`, `X`, `Y` or `HAPLOID` of each, and a sentence for the user where numbers were taken for X or Y.

    >>> inheritance_of(["chr1", "X", "24", "MT", "A1"])[0] == [AUTOSOME, X, Y, HAPLOID, AUTOSOME]
    True
    """
    bare = [re.sub(r"^(chromosome|chrom|chr)[_ ]?", "", name, flags=re.IGNORECASE).upper() for name in names]
    numbers = [int(name) for name in bare if name.isdecimal()]
    last = autosomes if autosomes is not None else _HUMAN_AUTOSOMES
    like_humans = system == "XY" and max(numbers, default=0) <= _HUMAN_AUTOSOMES + len(_AFTER_AUTOSOMES)
    known = _NAMES if _ROMAN & set(bare) else _NAMES | _SEX_NAMES[system]  # X may be the tenth
    kinds = [_kind(name, last if like_humans or autosomes is not None else None, known) for name in bare]
    taken = [name for name, b, kind in zip(names, bare, kinds, strict=True) if b.isdecimal() and kind in (X, Y)]
    said = f"chromosome {' and '.join(taken)} was read as X or Y, as in humans; else give the number of autosomes"
    return kinds, said if taken and autosomes is None else ""


def _kind(name: str, last: int | None, known: Mapping[str, int]) -> int:
    if name.isdecimal() and last is not None and last < int(name) <= last + len(_AFTER_AUTOSOMES):
        return _AFTER_AUTOSOMES[int(name) - last - 1]
    return known.get(name, AUTOSOME)


def pseudo_autosomal(kind: int, position: NDArray[np.int32], build: str | None) -> NDArray[np.bool_]:
    """Return which sites of X or Y lie in a pseudo-autosomal region; none where the build is unknown."""
    found = np.zeros(len(position), bool)
    for start, end in PSEUDO_AUTOSOMAL.get(build or "", {}).get(kind, []):
        found |= (position >= start) & (position < end)
    return found
