"""Traits: a model carried to another array.

    SEWALL_DATA=... python benchmarks/trait_transfer.py [--seeds 1 2 3]

Trained on the odd variants of mice1814 and of rice44k, applied to held-out individuals that are typed at 60 % of them:
correlation, beyond covariates, against that with all odd variants typed. Absent sites are filled in from linkage, as in
`sewall trait predict`, or left out, as where a linear score is applied to what is there.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from cohorts import PANELS, Cohort
from reporting import write
from threadpoolctl import threadpool_limits

from sewall import crossrun
from sewall.bundle import Bundle
from sewall.crossfit import Question, fit_all
from sewall.data.panel import Calls, Panel
from sewall.folds import divide
from sewall.genomic.blup import GBLUP
from sewall.genomic.filling import fill
from sewall.jobs.trait.models import PLACE, SPREAD
from sewall.jobs.trait.networks import suited_networks
from sewall.jobs.trait.people import People
from sewall.jobs.trait.task import TraitTask, genomic_model
from sewall.stacking import STACK, nested
from sewall.task import Examples, Target

FOLDS, OVERLAP, HELD_OUT = 5, 0.6, 0.2
TRAITS = {"mice1814": "body weight", "rice44k": "plant height"}


def array(panel: Panel) -> Panel:
    """Return a panel at its odd variants."""
    return panel.take_sites(np.arange(1, len(panel.sites), 2))


def typed_at(panel: Panel, present: np.ndarray) -> Panel:
    """Return a panel in which nobody is called at other sites."""
    codes = panel.calls.codes(slice(None)).copy()
    codes[~present] = panel.calls.missing
    kept = present[panel.odd.site]
    odd = type(panel.odd)(panel.odd.site[kept], panel.odd.sample[kept], panel.odd.code[kept])
    return replace(panel, calls=Calls.pack(codes, panel.calls.bits, panel.calls.steps), odd=odd)


def trained(cohort: Cohort, panel: Panel, trait: str, rows: np.ndarray, seed: int, workers: int) -> tuple[Any, Bundle]:
    """Return the task and the bundle of a training on some individuals."""
    values = cohort.traits[trait].to_numpy(float).copy()
    values[np.setdiff1d(np.arange(len(values)), rows)] = np.nan
    people = People(panel, cohort.people.covariates, cohort.people.names)
    examples = Examples(pd.DataFrame({"sample_id": panel.sample_ids}), people, values)
    target = Target(trait, "", "identity", -np.inf, np.inf)
    folds = divide(TraitTask(target, panel.sites), examples, FOLDS, seed)
    shape, config = suited_networks(people, folds)
    task = TraitTask(target, panel.sites, shape)
    with TemporaryDirectory() as place, threadpool_limits(1):
        (fits,) = fit_all([Question(task, examples, folds)], config, Path(place), seed, workers)
    found = nested(task, fits, values, leave=(PLACE,))
    return task, crossrun.bundle_of(task, examples, fits, found, {})


def another_array(name: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the correlations of one panel with all odd variants, and with 60 % of them, filled in and not."""
    cohort, trait = PANELS[name](arguments.cache), TRAITS[name]
    panel, rng = array(cohort.people.panel), np.random.default_rng(seed)
    known = rng.permutation(np.flatnonzero(cohort.traits[trait].notna()))
    new, old = np.sort(known[: int(HELD_OUT * len(known))]), np.sort(known[int(HELD_OUT * len(known)) :])
    task, bundle = trained(cohort, panel, trait, old, seed, arguments.workers)
    present = rng.random(len(panel.sites)) < OVERLAP
    blup = genomic_model({model.key: model for model in bundle.simple_models}, SPREAD)
    assert isinstance(blup, GBLUP) and blup.reference is not None
    lacking = typed_at(panel, present)
    ways = {"all": panel, "filled": fill(lacking, ~present, blup.reference)[0], "left out": lacking}
    truth, found = cohort.traits[trait].to_numpy(float)[new], {}
    for way, seen in ways.items():
        people = People(seen, cohort.people.covariates, cohort.people.names)
        answers = crossrun.answers(bundle, task, Examples(pd.DataFrame({"sample_id": seen.sample_ids}), people), new)
        base = answers[task.base]
        left = truth - base
        found[way] = {
            key: float(np.corrcoef(answers[key] - base, left)[0, 1]) for key in (STACK, "network", "gblup", "gaussian")
        }
    return {"panel": name, "trait": trait, "seed": seed, "n": len(new), "sites": len(panel.sites), "r": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panels", nargs="+", choices=list(TRAITS), default=list(TRAITS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--cache", type=Path, default=Path("build/trait_panels/panels"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in arguments.panels:
        for seed in arguments.seeds:
            rows.append(another_array(name, seed, arguments))
            r = rows[-1]["r"]
            print(
                f"{name} seed {seed}: stack with all sites {r['all'][STACK]:.3f}, 60 % filled in "
                f"{r['filled'][STACK]:.3f}; GBLUP {r['all']['gblup']:.3f}, 60 % left out {r['left out']['gblup']:.3f}",
                flush=True,
            )
    write("trait_transfer", {"setting": "another array", "overlap": OVERLAP, "rows": rows})


if __name__ == "__main__":
    main()
