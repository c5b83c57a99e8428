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
WIDEST = 11  # windows that are called together: as far apart as a network looks
LEAST_ADDED = 0.05  # of the probability of the likeliest window, or a neighbour is left out
REGIONS = "sweeps.bed"
UNITS = {
    "start, end": "bp, 0-based, half-open: the central sub-window",
    "p_*": "probability of a class at the stated priors",
    "region, p_region": "windows that are called together, and the probability of a sweep in any of them",
    "q": "expected share of false calls if this region and all surer ones are called",
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
    """Return the table with ``p_sweep``, ``region``, ``p_region``, ``q`` and ``called``.

    Where a sweep is sure but its place is not, its probability lies on several windows side by side. So these are
    called together, as a region, with the sum of their probabilities: sweeps in different sub-windows exclude each
    other. What is called has q at most *fdr*. Windows outside the support keep their probabilities, but are in no
    region: nothing is claimed for them.
    """
    chance = of_sweeps(table)
    inside = np.isfinite(chance) & (table["support"] != "outside").to_numpy()
    number = _stretches(table, np.where(inside, chance, np.nan))
    known = np.flatnonzero(number >= 0)
    together = np.minimum(np.bincount(number[known], chance[known]), 1.0)
    q = q_values(1 - together)
    of_region = {"p_region": together, "q": q}
    columns = {name: np.where(number >= 0, values[number] if len(values) else np.nan, np.nan)
               for name, values in of_region.items()}  # fmt: skip
    return table.assign(p_sweep=chance, region=number, **columns, called=np.nan_to_num(columns["q"], nan=1.0) <= fdr)


def _stretches(table: pd.DataFrame, chance: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return ``(windows,)`` number of the stretch that each is in, -1 where *chance* is NaN.

    The likeliest window takes its likelier neighbour as long as that adds something, then the likeliest of the rest.
    """
    chrom, start, end = (table[name].to_numpy() for name in ("chrom", "start", "end"))
    apart = np.flatnonzero((chrom[1:] != chrom[:-1]) | (start[1:] != end[:-1])) + 1
    first = np.concatenate([[0], apart])[np.searchsorted(apart, np.arange(len(chance)), side="right")]
    number, free = np.full(len(chance), -1), np.isfinite(chance)
    count = 0
    for peak in np.argsort(-chance, kind="stable"):
        if not free[peak]:
            continue
        low = high = int(peak)
        while high - low + 1 < WIDEST:
            near = [k for k in (low - 1, high + 1) if 0 <= k < len(chance) and free[k] and first[k] == first[peak]]
            likelier = max(near, key=lambda k: float(chance[k]), default=-1)
            if likelier < 0 or chance[likelier] < LEAST_ADDED * chance[peak]:
                break
            low, high = min(low, likelier), max(high, likelier)
        number[low : high + 1], free[low : high + 1] = count, False
        count += 1
    return number


def regions(table: pd.DataFrame) -> pd.DataFrame:
    """Return the called regions, the surest first; of equally sure ones, that which is best placed.

    A row says where, the surest window's kind and place, the probability of the region and its q.
    """
    found = []
    for _, part in table[table["called"].astype(bool)].groupby("region", sort=False):
        top = part.iloc[int(part["p_sweep"].to_numpy(float).argmax())]
        found.append(
            {"chrom": top["chrom"], "start": int(part["start"].min()), "end": int(part["end"].max()),
             "windows": len(part), "kind": kind_of(top), "peak": int(top["start"] + top["end"]) // 2,
             "p_peak": float(top["p_sweep"]), "p_sweep": float(top["p_region"]), "q": float(top["q"]),
             "support": str(top["support"])}
        )  # fmt: skip
    columns = ["chrom", "start", "end", "windows", "kind", "peak", "p_peak", "p_sweep", "q", "support"]
    return pd.DataFrame(found, columns=columns).sort_values(["p_sweep", "p_peak"], ascending=False, ignore_index=True)


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
            for row in found.sort_values(["chrom", "start"]).to_dict("records")
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
