"""Genotypes of R/qtl2's zipped crosses: two alleles A and B that the founders share, without letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sewall.data.panels.codes import NO_PLACE
from sewall.data.panels.rows import Facts, SiteRows
from sewall.data.panels.site_map import SiteMap, placed
from sewall.data.rqtl2 import Cross, sexes
from sewall.data.samples import find_samples
from sewall.errors import SewallError

PARTLY_KNOWN = "calls set to missing: not one genotype but several (dominant markers)"

_CALLS = np.array([[-1, -1], [0, 0], [0, 1], [1, 1], [-1, -1], [-1, -1]], np.int8)  # by R/qtl2's number
_BASES = 1_000_000  # of the Mb in which R/qtl2 keeps physical maps


class CrossGenotypes:
    """A `sewall.data.panels.rows.GenotypeSource`.

    Sites lie where the physical map puts them, or else in the order of the genetic map.

    Args:
        path: the zip file.
        samples: ids of the individuals to read; all by default.

    Raises:
        SewallError: what `sewall.data.rqtl2.Cross` refuses, no map, a call that the control file does not explain.
    """

    def __init__(self, path: Path, samples: Sequence[str] | None = None) -> None:
        cross, self.steps = Cross.open(path), 2
        markers, calls = cross.table("geno")
        if not calls:
            raise SewallError(f"{path}: holds no individuals with genotypes; check the control file")
        self.sample_ids = list(samples) if samples is not None else list(calls)
        find_samples(str(path), list(calls), self.sample_ids)
        self.facts = Facts(sex=sexes(cross))
        self._map = _site_map(cross, markers)
        self.sites = len(self._map.column)
        self.facts.counts[NO_PLACE] += len(markers) - self.sites
        self._codes = self._numbered(cross, [calls[name] for name in self.sample_ids])

    def _numbered(self, cross: Cross, calls: Sequence[Sequence[str]]) -> NDArray[np.uint8]:
        """Return ``(individuals, markers)`` numbers of genotypes as in R/qtl2, 0 where missing."""
        known = dict.fromkeys(cross.missing, 0) | {"": 0}
        known |= {str(call): int(number) for call, number in cross.control.get("genotypes", {}).items()}
        strange = {call for row in calls for call in row} - set(known)
        wrong = [call for call in strange if not call.isdecimal() or int(call) >= len(_CALLS)]
        if wrong or max(known.values()) >= len(_CALLS):
            raise SewallError(
                f"{cross.path}: call '{min(wrong) if wrong else max(known, key=known.__getitem__)}' cannot be read; "
                "the control file must number the genotypes 1 (AA), 2 (AB), 3 (BB)"
            )
        known |= {call: int(call) for call in strange}
        codes = np.array([[known[call] for call in row] for row in calls], np.uint8)
        self.facts.counts[PARTLY_KNOWN] += int((codes > 3).sum())
        return codes

    def rows(self) -> Iterator[SiteRows]:
        """Yield the sites, a chromosome at a time."""
        chroms = self._map.chrom.astype(str)
        for chrom in dict.fromkeys(chroms.tolist()):
            here = np.flatnonzero(chroms == chrom)
            genotypes = _CALLS[self._codes[:, self._map.column[here]].T]
            yield SiteRows(chrom, self._map.position[here], self._map.name[here], self._map.alleles[here], genotypes)


def _site_map(cross: Cross, markers: Sequence[str]) -> SiteMap:
    kind = next((kind for kind in ("pmap", "gmap") if kind in cross.control), None)
    if kind is None:
        raise SewallError(f"{cross.path}: names no map (pmap or gmap), so that no marker has a place; add one")
    columns, cells = cross.table(kind)
    names = [name.lower() for name in columns]
    if not {"chr", "pos"} <= set(names):
        raise SewallError(f"{cross.path}: its {kind} has no columns chr and pos; mend it")
    chrom, pos = names.index("chr"), names.index("pos")
    try:
        places = {name: (row[chrom], _position(row[pos], kind, cross.missing), "") for name, row in cells.items()}
    except ValueError as error:
        raise SewallError(f"{cross.path}: a position of its {kind} is not a number ({error}); mend it") from None
    found = [k for k, name in enumerate(markers) if name in places]
    if not found:
        raise SewallError(f"{cross.path}: its {kind} holds none of its {len(markers)} markers; give the right map")
    return placed(found, markers, places)


def _position(text: str, kind: str, missing: set[str]) -> float:
    """Return a position counted from 1, in bp by a physical map and in cM by a genetic one."""
    if text in missing:
        return np.nan
    return float(round(float(text) * _BASES)) if kind == "pmap" else float(text)
