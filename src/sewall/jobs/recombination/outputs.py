"""What a map leaves behind: the table, the genetic map, the bedGraph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sewall.data.ratemaps import write_bedgraph, write_hapmap
from sewall.data.regions import Region

COLUMNS = [
    "chrom", "start", "end", "estimate", "lower", "upper", "simple", "support",
    "variants", "accessible_bp", "rho_over_theta", "reason",
]  # fmt: skip
UNITS = {
    "start, end": "bp, 0-based, half-open",
    "estimate, lower, upper, simple": "crossovers per bp per generation",
    "rho_over_theta": "crossovers per mutation",
    "accessible_bp": "bp",
}


def rates_table(answers: pd.DataFrame, mutation_rate: float) -> pd.DataFrame:
    """Turn crossovers per mutation into rates per bp per generation.

    Windows outside the support keep their estimate but lose their interval: nothing is claimed for them.
    """
    table = answers.copy()
    table["rho_over_theta"] = table["estimate"]
    for name in ("estimate", "lower", "upper", "simple"):
        table[name] = table[name] * mutation_rate
    table.loc[table["support"] == "outside", ["lower", "upper"]] = np.nan
    return table[COLUMNS]


def header(mutation_rate: float, level: float) -> list[str]:
    """Return the comment lines above the table."""
    units = "; ".join(f"{names}: {unit}" for names, unit in UNITS.items())
    return [
        f"units: {units}",
        f"lower, upper: {100 * level:g} % interval; NA where support is outside, because nothing is claimed there",
        f"mutation rate: {mutation_rate:g} per bp per generation; rates are proportional to it",
    ]


def write_maps(folder: Path, table: pd.DataFrame) -> list[Path]:
    """Write the map in HapMap format, one file per contig, and as a bedGraph; return their paths."""
    known = table[table["estimate"].notna()]
    bedgraph = folder / "map.bedgraph"
    write_bedgraph(bedgraph, _regions(known), known["estimate"].to_numpy())
    paths = [bedgraph]
    contigs = list(dict.fromkeys(table["chrom"]))
    for contig in contigs:
        part = table[table["chrom"] == contig]
        if part["estimate"].notna().any():
            name = "map.hapmap.txt" if len(contigs) == 1 else f"map.{contig}.hapmap.txt"
            write_hapmap(folder / name, _regions(part), part["estimate"].to_numpy())
            paths.append(folder / name)
    return paths


def _regions(table: pd.DataFrame) -> list[Region]:
    return [
        Region(str(c), int(s), int(e)) for c, s, e in zip(table["chrom"], table["start"], table["end"], strict=True)
    ]
