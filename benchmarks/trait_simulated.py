"""Traits: simulated ones on real genotypes, where it is known what there is to find.

    SEWALL_DATA=... python benchmarks/trait_simulated.py [--architectures additive dominance ...] [--seeds 1 2 3]

Heritability one half. On the heterogeneous stock mice (n = 1,940): additive; dominance, half of the genetic variance;
pairs on different chromosomes; a null trait; an additive trait whose causal sites are then removed. On those with X
(n = 1,814): X-linked with effects that differ between the sexes, once coded by copies and once with males as 0 and 2.
Everything else as in `sewall trait train`.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from cohorts import PANELS, Cohort
from reporting import RESULTS, write
from threadpoolctl import threadpool_limits
from trait_panels import questions, scores

from sewall.crossfit import fit_all
from sewall.data.panel import Panel, X
from sewall.jobs.trait.networks import suited_networks
from sewall.jobs.trait.people import People
from sewall.simulate.traits import SimulatedTrait, simulate

HERITABILITY = 0.5
CAUSAL = 100
ARCHITECTURES = ("additive", "sparse", "dominance", "epistasis-between", "null", "causal-removed", "x-linked")


def cohort_of(architecture: str, cache: Path) -> Cohort:
    """Return the panel on which a trait is simulated."""
    return PANELS["mice1814" if architecture == "x-linked" else "mouse_hs1940"](cache)


def simulated(architecture: str, panel: Panel, seed: int) -> SimulatedTrait:
    """Return a trait on a panel."""
    if architecture == "causal-removed":
        return simulate(panel, "additive", HERITABILITY, seed, causal=CAUSAL)
    given = {"causal": CAUSAL} if architecture in ("dominance", "epistasis-between") else {}
    return simulate(panel, architecture, HERITABILITY, seed, **given)


def with_trait(cohort: Cohort, panel: Panel, trait: SimulatedTrait) -> Cohort:
    """Return a panel with one simulated trait."""
    people = People(panel, cohort.people.covariates, cohort.people.names)
    return replace(cohort, people=people, traits=pd.DataFrame({"simulated": trait.value}))


def doubled(panel: Panel) -> Panel:
    """Return a panel in which males have two copies of X, so that theirs count as 0 and 2."""
    copies = panel.copies.copy()
    copies[X] = 2
    return replace(panel, copies=copies)


def run(architecture: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Fit everything to one simulated trait."""
    cohort = cohort_of(architecture, arguments.cache / "panels")
    panel = cohort.people.panel
    trait = simulated(architecture, panel, seed)
    kept = np.setdiff1d(np.arange(len(panel.sites)), trait.causal_sites)
    seen = panel.take_sites(kept) if architecture == "causal-removed" else panel
    found = {"by copies": judged(with_trait(cohort, seen, trait), seed, arguments)}
    if architecture == "x-linked":
        found["males 0 and 2"] = judged(with_trait(cohort, doubled(seen), trait), seed, arguments)
    return {
        "architecture": architecture, "seed": seed, "individuals": len(panel), "sites": len(seen.sites),
        "heritability": trait.heritability, "shares": trait.shares, "codings": found,
    }  # fmt: skip


def judged(cohort: Cohort, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the scores of all models and of the stack."""
    asked = questions(cohort, seed, False, None)
    place = arguments.cache / f"simulated-{seed}"
    shutil.rmtree(place, ignore_errors=True)
    with threadpool_limits(1):
        config = suited_networks(cohort.people, asked[0].folds)[1]
        (fits,) = fit_all(asked, config, place, seed, arguments.workers)
    shutil.rmtree(place, ignore_errors=True)
    return scores(asked[0], fits, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", nargs="+", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--cache", type=Path, default=Path("build/trait_simulated"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for architecture in arguments.architectures:
        for seed in arguments.seeds:
            name = f"trait_simulated_{architecture}_{seed}"
            path = RESULTS / f"{name}.json"
            found = json.loads(path.read_text()) if path.exists() else run(architecture, seed, arguments)
            if not path.exists():
                write(name, found)
            for coding, told in found["codings"].items():
                r, adds = told["pearson"], told["adds"]["additive"]
                print(
                    f"{architecture} seed {seed} {coding}: stack {r['stack']:.3f}, GBLUP {r['gblup']:.3f}, "
                    f"dominance {r['dominance']:.3f}, network {r['network']:.3f}; over the additive stack "
                    f"{adds['value']:+.3f} ({adds['lower']:+.3f} to {adds['upper']:+.3f})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
