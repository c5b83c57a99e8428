"""From probabilities to calls: q-values, called regions, the table and its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.ratemaps import write_bedgraph
from sewall.data.regions import Region
from sewall.rundir import atomic_path
from sewall.simulate.sweeps import HARD, LINKED, NEUTRAL, PARTIAL, SOFT
from sewall.trust.discovery import q_values

SWEEPS = (HARD, SOFT, PARTIAL)
# Sweeps are rare, and each has ten windows beside it.
RARE, BESIDE_EACH = 0.01, 10
REGIONS = "sweeps.bed"
UNITS = {
    "start, end": "bp, 0-based, half-open: the central sub-window",
    "p_*": "probability of a class at the stated priors",
    "q": "expected share of false calls if this window and all surer ones are called",
    "s, s_lower, s_upper": "advantage of homozygotes, where a sweep is called",
    "age, age_lower, age_upper": "generations since fixation, where a complete sweep is called",
}


def default_priors(classes: tuple[str, ...]) -> dict[str, float]:
    """Return how common the classes are where nothing is stated: one window of a hundred holds a sweep.

    >>> round(default_priors(("neutral", "hard", "soft", "linked-hard", "linked-soft"))["neutral"], 6)
    0.89
    """
    sweeps = [name for name in classes if name in SWEEPS]
    linked = [name for name in classes if name in LINKED.values()]
    shares = {name: RARE / len(sweeps) for name in sweeps} | {name: BESIDE_EACH * RARE / len(linked) for name in linked}
    return {name: shares.get(name, 1 - (1 + BESIDE_EACH) * RARE) for name in classes}


def of_sweeps(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return ``(windows,)`` probability that a sweep of any kind lies in the central sub-window."""
    return np.asarray(table[[f"p_{name}" for name in SWEEPS if f"p_{name}" in table]].sum(axis=1, skipna=False), float)


def called(table: pd.DataFrame, fdr: float) -> pd.DataFrame:
    """Return the table with ``p_sweep``, ``q`` and ``called``: what is called has q at most *fdr* and lies in support.

    Windows outside the support keep their probabilities, but are not called: nothing is claimed for them.
    """
    chance = of_sweeps(table)
    inside = np.isfinite(chance) & (table["support"] != "outside").to_numpy()
    q = q_values(np.where(inside, 1 - chance, np.nan))
    return table.assign(p_sweep=chance, q=q, called=np.nan_to_num(q, nan=1.0) <= fdr)


def regions(table: pd.DataFrame) -> pd.DataFrame:
    """Return runs of called windows that touch: where, the surest window's kind, probability and q."""
    rows = table[table["called"].astype(bool)]
    fresh = (rows["chrom"] != rows["chrom"].shift()) | (rows["start"] > rows["end"].shift())
    found = []
    for _, part in rows.groupby(fresh.cumsum(), sort=False):
        top = part.iloc[int(part["p_sweep"].to_numpy(float).argmax())]
        found.append(
            {"chrom": top["chrom"], "start": int(part["start"].min()), "end": int(part["end"].max()),
             "windows": len(part), "kind": kind_of(top), "peak": int(top["start"] + top["end"]) // 2,
             "p_sweep": float(top["p_sweep"]), "q": float(part["q"].max()), "support": str(top["support"])}
        )  # fmt: skip
    columns = ["chrom", "start", "end", "windows", "kind", "peak", "p_sweep", "q", "support"]
    return pd.DataFrame(found, columns=columns)


def kind_of(row: pd.Series) -> str:
    """Return the likeliest kind of sweep of one window."""
    names = [name for name in SWEEPS if f"p_{name}" in row]
    return max(names, key=lambda name: float(row[f"p_{name}"]))


def write_calls(folder: Path, table: pd.DataFrame, classes: tuple[str, ...]) -> list[Path]:
    """Write the called regions as BED with their q-values, and a bedGraph for each class; return their paths."""
    found = regions(table)
    bed = folder / REGIONS
    with atomic_path(bed) as path:
        lines = [
            "\t".join(
                [
                    row["chrom"],
                    str(row["start"]),
                    str(row["end"]),
                    row["kind"],
                    f"{1000 * row['p_sweep']:.0f}",
                    ".",
                    f"{row['q']:.4g}",
                ]
            )
            for row in found.to_dict("records")
        ]
        head = "#chrom\tstart\tend\tkind\tscore\tstrand\tq"
        path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    paths = [bed]
    known = table[table["p_sweep"].notna()]
    where = [
        Region(str(c), int(a), int(b)) for c, a, b in zip(known["chrom"], known["start"], known["end"], strict=True)
    ]
    for name in (*(name for name in classes if name != NEUTRAL), NEUTRAL):
        path = folder / f"p_{name}.bedgraph"
        write_bedgraph(path, where, known[f"p_{name}"].to_numpy(float))
        paths.append(path)
    return paths


def header(level: float, fdr: float, priors: dict[str, float]) -> list[str]:
    """Return the comment lines above the table."""
    stated = ", ".join(f"{name}={share:.4g}" for name, share in priors.items())
    return [
        "; ".join(f"{names}: {unit}" for names, unit in UNITS.items()),
        f"set: holds the true class in {100 * level:g} % of windows; called: q at most {fdr:g}, and not outside",
        f"priors: {stated}",
    ]
