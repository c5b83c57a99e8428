"""Infer a recombination map from variants alone, and compare it with the truth.

Simulates one chromosome of ten individuals whose recombination rate varies strongly along the way, writes its variants
as a VCF, maps them as anybody would map their own, and says how close the map came. ``make demo`` runs this file.
"""

from __future__ import annotations

import json
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
from numpy.typing import NDArray

import sewall
from sewall.data.ratemaps import write_hapmap
from sewall.data.regions import Region
from sewall.report import write_report
from sewall.rundir import write_json

MUTATION_RATE = 1.25e-8
POPULATION_SIZE = 10_000
WINDOW = 100_000
WINDOWS = 80
SEED = 20
FOLDER = Path("demo")


def varying_rates(seed: int) -> NDArray[np.float64]:
    """Return one rate per window: low in the middle of the chromosome, high at its ends, and rough throughout."""
    rng = np.random.default_rng(seed)
    arm = np.abs(np.linspace(-1, 1, WINDOWS))
    return np.clip((0.3 + 2.2 * arm**1.5) * 1e-8 * rng.lognormal(0, 0.6, WINDOWS), 1e-10, 5e-8)


def write_variants(path: Path, rates: NDArray[np.float64]) -> None:
    """Simulate ten diploid individuals along a chromosome with these rates and write their variants."""
    ends = np.arange(WINDOWS + 1) * WINDOW
    ancestry = msprime.sim_ancestry(
        10,
        population_size=POPULATION_SIZE,
        recombination_rate=msprime.RateMap(position=ends, rate=rates),
        random_seed=SEED,
    )
    mutated = msprime.sim_mutations(ancestry, rate=MUTATION_RATE, random_seed=SEED)
    with path.open("w") as file:
        mutated.write_vcf(file, contig_id="chr1", position_transform=lambda positions: np.asarray(positions) + 1)


def closeness(table: pd.DataFrame, rates: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return R2 and rank correlation of the map, R2 of the simple model, and the share of rates in the intervals."""
    table = table.dropna(subset=["estimate"])
    truth = rates[(table["start"] // WINDOW).to_numpy()]
    spread = ((truth - truth.mean()) ** 2).sum()
    r2, simple = (1 - ((table[name] - truth) ** 2).sum() / spread for name in ("estimate", "simple"))
    inside = ((table["lower"] <= truth) & (truth <= table["upper"])).mean()
    return r2, table["estimate"].corr(pd.Series(truth, table.index), method="spearman"), simple, inside


def show_truth(out: Path, rates: NDArray[np.float64]) -> None:
    """Draw the true rates into the report, as a dotted line."""
    windows = [Region("chr1", k * WINDOW, (k + 1) * WINDOW) for k in range(WINDOWS)]
    write_hapmap(out / "truth.hapmap.txt", windows, rates)
    about = json.loads((out / "run.json").read_text())
    write_json(out / "run.json", about | {"truth": "truth.hapmap.txt"})
    write_report(out)


def main() -> None:
    """Simulate, map, compare."""
    FOLDER.mkdir(exist_ok=True)
    variants, out = FOLDER / "chromosome.vcf", FOLDER / "map"
    rates = varying_rates(SEED)
    if not variants.exists():
        write_variants(variants, rates)
    sewall.recombination.map(variants, out=out, mutation_rate=MUTATION_RATE, quick=True, seed=SEED)
    show_truth(out, rates)
    r2, spearman, simple, inside = closeness(pd.read_csv(out / "predictions.tsv", sep="\t", comment="#"), rates)
    print(f"map against truth, {WINDOWS} windows of 100 kb: R2 {r2:.2f}, rank correlation {spearman:.2f}")
    print(f"simple model: R2 {simple:.2f}; true rates inside the 90 % intervals: {inside:.0%}")
    print(f"the page to read: {(out / 'report.html').resolve()}")


if __name__ == "__main__":  # worker processes import this file and must not run it
    main()
