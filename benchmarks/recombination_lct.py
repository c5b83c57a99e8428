"""Real data: 25 CEU genomes, chr2:134-140 Mb, against the HapMap II map.

    SEWALL_DATA=folder python benchmarks/recombination_lct.py [--seed 1]

The folder holds ``lct_ceu``, ``hapmap_b37`` and ``smcpp_1kg``. Spearman's correlation of `sewall recombination map`,
run with and without a given history, with the map in windows of 100 kb: all, and without the lactase sweep. Beside it
the mean r2 of pairs of sites 20-50 kb apart. Intervals are from a circular block bootstrap. The reference map is itself
made from linkage, and the windows are few: a sanity check, nothing to tune on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from reporting import options, settings, words, write
from scipy.stats import spearmanr

from sewall.data.alignment import Alignment
from sewall.data.ratemaps import CM_PER_MB, read_hapmap
from sewall.data.regions import Region
from sewall.data.variants import open_variants
from sewall.encode.pairs import minor_counts, site_pairs

Floats = NDArray[np.float64]

VARIANTS = "lct_ceu/ceu25.chr2_134_140Mb.GRCh37.vcf.gz"
MAP = "hapmap_b37/chr2.b37.gmap.gz"
HISTORY = "smcpp_1kg/smcpp_popsizes_1kg.csv"
SWEEP = (135_200_000, 137_000_000)
PAIRS_BP, FREQUENCY, FEWEST_PAIRS = (20_000, 50_000), 0.1, 20
BLOCK = 5  # windows
REPEATS = 2_000


def main() -> None:
    arguments = _parsed()
    data = _data()
    given = ["--demography", str(data / HISTORY), "--population", "CEU", "--generation-time", "29"]
    maps = {"history from the data": mapped(data, arguments, "random", [])}
    maps |= {"history given": mapped(data, arguments, "given", given)}
    truth = read_hapmap(data / MAP)
    scores: dict[str, Any] = {}
    for name, (table, seconds) in maps.items():
        regions = [Region(*row) for row in zip(table["chrom"], table["start"], table["end"], strict=True)]
        rates = np.array([truth.mean_rate(region) for region in regions])
        columns = {"network": table["estimate"], "simple model": table["simple"]}
        scores[name] = {
            "seconds": round(seconds, 1),
            "flags": table["support"].value_counts().to_dict(),
            "mean_cm_per_mb": float(table["estimate"].mean() * CM_PER_MB),
            "map_mean_cm_per_mb": float(np.nanmean(rates) * CM_PER_MB),
            **{key: correlations(regions, v.to_numpy(float), rates, arguments.seed) for key, v in columns.items()},
        }
    baseline = -mean_r2(data, regions, arguments.cache)
    scores["mean r2 alone"] = {"minus r2": correlations(regions, baseline, rates, arguments.seed)}
    _show(scores)
    name = arguments.name or f"recombination_lct-seed{arguments.seed}"
    write(name, {"setting": "lct_ceu", **settings(arguments), "scores": scores})


def _parsed() -> Any:
    parser = options("Recombination map of real data.")
    parser.add_argument("--quick", action="store_true", help="small budget")
    return parser.parse_args()


def _data() -> Path:
    folder = os.environ.get("SEWALL_DATA")
    if folder is None or not (Path(folder) / VARIANTS).is_file():
        sys.exit(f"error: set SEWALL_DATA to the folder that holds {VARIANTS}")
    return Path(folder)


def mapped(data: Path, arguments: Any, name: str, extra: list[str]) -> tuple[pd.DataFrame, float]:
    """Run `sewall recombination map` and return its table and the seconds that it took."""
    out = arguments.cache / f"lct-{name}{'-quick' if arguments.quick else ''}-seed{arguments.seed}"
    command = [sys.executable, "-c", "from sewall.cli import main; main()", "recombination", "map"]
    command += [str(data / VARIANTS), "--mutation-rate", "1.25e-8", "--seed", str(arguments.seed), "-o", str(out)]
    command += ["--threads", str(arguments.workers), *(["--quick"] if arguments.quick else []), *extra]
    start = time.monotonic()
    subprocess.run(command, check=True)
    table = pd.read_csv(out / "predictions.tsv", sep="\t", comment="#", dtype={"chrom": str})
    return table, time.monotonic() - start


def mean_r2(data: Path, regions: list[Region], cache: Path) -> Floats:
    """Return the mean r2 of common pairs at the distances of `PAIRS_BP`, NaN where a window has too few."""
    variants = open_variants(data / VARIANTS, cache)
    return np.array([_mean_r2(variants.alignment(region, None, True)) for region in regions])


def _mean_r2(window: Alignment) -> float:
    minor, copies = minor_counts(window)
    common = minor >= FREQUENCY * copies
    kept = Alignment(window.positions[common], window.calls[common], window.copies, window.length)
    pairs = site_pairs(kept)
    wanted = (pairs.distance >= PAIRS_BP[0]) & (pairs.distance < PAIRS_BP[1])
    return float((pairs.correlation[wanted] ** 2).mean()) if wanted.sum() >= FEWEST_PAIRS else float("nan")


def correlations(regions: list[Region], values: Floats, rates: Floats, seed: int) -> dict[str, Any]:
    """Return Spearman's correlation over all windows and over those that do not touch the sweep."""
    clear = np.array([region.end <= SWEEP[0] or region.start >= SWEEP[1] for region in regions])
    known = np.isfinite(values) & np.isfinite(rates)
    return {
        "all": _correlation(values[known], rates[known], seed),
        "without the sweep": _correlation(values[known & clear], rates[known & clear], seed),
    }


def _correlation(values: Floats, rates: Floats, seed: int) -> dict[str, float]:
    rng, n = np.random.default_rng(seed), len(values)
    drawn = []
    for _ in range(REPEATS):
        starts = rng.integers(n, size=-(-n // BLOCK))
        rows = ((starts[:, None] + np.arange(BLOCK)) % n).ravel()[:n]
        drawn.append(spearmanr(values[rows], rates[rows]).statistic)
    lower, upper = np.nanquantile(drawn, [0.025, 0.975])
    value = spearmanr(values, rates).statistic
    return {"n": n, "value": float(value), "lower": float(lower), "upper": float(upper)}


def _show(scores: dict[str, Any]) -> None:
    for name, score in scores.items():
        print(f"\n{name}" + (f": {score['seconds']:.0f} s, windows {score['flags']}" if "flags" in score else ""))
        if "mean_cm_per_mb" in score:
            print(f"  mean {score['mean_cm_per_mb']:.3f} cM/Mb, reference {score['map_mean_cm_per_mb']:.3f}")
        for model in ("network", "simple model", "minus r2"):
            for part, value in score.get(model, {}).items():
                print(f"  Spearman {model:<12} {part:<18} n = {value['n']:<3} {words(value, 3)}")


if __name__ == "__main__":
    main()
