"""Traits: what is called non-additive, and what tagging, where the truth is known.

    SEWALL_DATA=... python benchmarks/trait_control.py [--architectures dominance ...] [--seeds 1 2]

Simulated traits of `trait_simulated.py` on the heterogeneous stock mice, families together, against the control of
`sewall trait train`: additive traits whose causes are not typed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from reporting import write
from threadpoolctl import threadpool_limits
from trait_simulated import ARCHITECTURES, cohort_of, simulated

from sewall.genomic.tagging import tagging_null

CHOSEN = ("additive", "causal-removed", "dominance", "epistasis-between", "null")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", nargs="+", choices=ARCHITECTURES, default=list(CHOSEN))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--cache", type=Path, default=Path("build/trait_simulated"))
    arguments = parser.parse_args()
    rows = []
    for architecture in arguments.architectures:
        cohort = cohort_of(architecture, arguments.cache / "panels")
        panel, covariates = cohort.people.panel, cohort.people.covariates
        for seed in arguments.seeds:
            trait = simulated(architecture, panel, seed)
            kept = np.setdiff1d(np.arange(len(panel.sites)), trait.causal_sites)
            seen = panel.take_sites(kept) if architecture == "causal-removed" else panel
            with threadpool_limits(1):
                found = tagging_null(seen, np.arange(len(seen)), trait.value, covariates, cohort.groups, seed=seed)
            rows.append({"architecture": architecture, "seed": seed, **found.to_dict()})
            print(f"{architecture} seed {seed}: {found.words()} [{found.verdict}]", flush=True)
    write("trait_control", {"setting": "mouse_hs1940, families together", "rows": rows})


if __name__ == "__main__":
    main()
