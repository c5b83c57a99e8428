"""What is known of recombination along a genome: one rate that was stated, or a genetic map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sewall.data.ratemaps import GeneticMap, read_maps
from sewall.data.regions import Region, check_contigs
from sewall.data.variants import Variants
from sewall.errors import SewallError
from sewall.simulate.sweeps import Range

STATED_SPREAD = 2.5  # how far, either way, the rate of a window may lie from one that was stated for a genome
MAP_SPREAD = 1.5  # and a whole map from the truth
LEAST_COVERED = 0.9  # of the windows' sub-windows
FLATTEST = 1e-3  # relative to the mean: rates below it, and there are maps with zeros, are taken for it

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KnownRates:
    """A rate for the whole genome, or what a map says of every place.

    Attributes:
        mean: crossovers per bp per generation; networks read the rates of a map relative to it.
        maps: by contig; None where one rate was stated.
    """

    mean: float
    maps: Mapping[str, GeneticMap] | None = None

    @property
    def drawn(self) -> Range:
        """What the mean rate of a simulation is drawn from."""
        spread = STATED_SPREAD if self.maps is None else MAP_SPREAD
        return Range(self.mean / spread, self.mean * spread, log=True)

    def along(self, window: Region, sub_windows: int, beside: int = 0) -> Floats:
        """Return the log of the rate of each sub-window, and of *beside* more to either side, relative to the mean.

        0 where one rate was stated, and where a map does not reach.
        """
        if self.maps is None:
            return np.zeros(sub_windows + 2 * beside)
        rates = _rates(self.maps[window.chrom], window, sub_windows, beside)
        relative = np.where(np.isfinite(rates), rates / self.mean, 1.0)
        return np.asarray(np.log(np.maximum(relative, FLATTEST)))


def _rates(known: GeneticMap, window: Region, sub_windows: int, beside: int) -> Floats:
    size = window.length / sub_windows
    edges = window.start + size * np.arange(-beside, sub_windows + beside + 1, dtype=float)
    return known.rates(edges)


def read_rates(
    path: Path, variants: Variants, windows: Sequence[Region], sub_windows: int, mean: float | None = None
) -> KnownRates:
    """Read the genetic map of the genome that the windows are of.

    Args:
        path: HapMap or PLINK format, or a bedGraph of rates per bp.
        variants: the genome.
        windows: those that are scanned.
        sub_windows: in each.
        mean: per bp per generation, that rates are told relative to; None takes the mean over the windows.

    Raises:
        SewallError: the map cannot be read, names other contigs, leaves more than a tenth of the windows out, ends
            beyond the end of a contig (as one of another build does), or is flat.
    """
    maps = read_maps(path)
    chroms = list(dict.fromkeys(window.chrom for window in windows))
    if set(maps) == {""}:
        if len(chroms) > 1:
            raise SewallError(f"{path}: the map does not say of which contig it is; add a column chrom")
        maps = {chroms[0]: maps[""]}
    check_contigs(str(path), maps, variants.contig_names, every=False)
    if missing := [chrom for chrom in chroms if chrom not in maps]:
        raise SewallError(
            f"{path}: holds no map of contig {missing[0]}; add it, or scan the contigs that it has (--regions)"
        )
    _check_build(path, maps, variants)
    rates = np.array([_rates(maps[window.chrom], window, sub_windows, 0) for window in windows])
    covered = float(np.isfinite(rates).mean())
    if covered < LEAST_COVERED:
        known = maps[chroms[0]].positions
        raise SewallError(
            f"{path}: reaches {covered:.0%} of the windows; on contig {chroms[0]} it goes from {known[0]:,} to "
            f"{known[-1]:,}. Give a map of this build that covers them, or scan less (--regions)"
        )
    found = float(np.nanmean(rates))
    if found <= 0:
        raise SewallError(f"{path}: the map has no crossover in any of the windows; give another one")
    return KnownRates(found if mean is None else mean, maps)


def _check_build(path: Path, maps: Mapping[str, GeneticMap], variants: Variants) -> None:
    for contig in variants.contigs:
        if contig.name not in maps or not contig.length:
            continue
        last = int(maps[contig.name].positions[-1])
        if last > contig.length:
            raise SewallError(
                f"{path}: the map of contig {contig.name} goes to {last:,} and the contig ends at {contig.length:,}; "
                "it is of another build. Give the map of the build of the variants"
            )
