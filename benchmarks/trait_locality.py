"""Traits: does it matter that windows hold neighbours? The same network with the sites of every chromosome shuffled.

    SEWALL_DATA=... python benchmarks/trait_locality.py [--panels mouse_hs1940 rice44k ...] [--seeds 1 2]

Windows are as long as linkage reaches in the true order, in both arms; each has kernels of its own. Covariates are
removed by models of the training folds. Five folds at random; the mean of three networks answers. Correlation with what
the covariates leave in the held-out fold, and its difference, real order less shuffled, paired by fold, with a 95 %
interval by the corrected t test (Nadeau & Bengio 2003, Mach Learn 52:239). A run that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from cohorts import PANELS, Cohort
from numpy.typing import NDArray
from reporting import write
from scipy import stats

from sewall.data.panel import OddCalls, Panel
from sewall.encode.ld import ld_windows
from sewall.folds import Folds, divide
from sewall.genomic.principal import CovariatesOnly
from sewall.jobs.trait.networks import FEW
from sewall.jobs.trait.people import People
from sewall.jobs.trait.task import TraitTask
from sewall.nets.chromosomes import NetShape
from sewall.task import Examples, Rows, Target
from sewall.train import Member, apply_network, train_network

FOLDS, NETS = 5, 3
TUNE = 0.12  # share of a fit's individuals that decides when its network stops
ORDERS = ("real", "shuffled")


def shuffled(panel: Panel, seed: int) -> Panel:
    """Return the panel with the sites of every chromosome in random order, each at the position of another."""
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(np.arange(w.start, w.stop)) for _, w in panel.sites.chromosomes()])
    moved = panel.take_sites(order)
    by_site = np.argsort(moved.odd.site, kind="stable")
    odd = OddCalls(moved.odd.site[by_site], moved.odd.sample[by_site], moved.odd.code[by_site])
    return replace(moved, sites=replace(moved.sites, position=panel.sites.position), odd=odd)


def fold_scores(cohort: Cohort, trait: str, seed: int, outer: int) -> dict[str, float]:
    """Return, by order of the sites, the correlation in one held-out fold."""
    target = cohort.traits[trait].to_numpy(float)
    folds = _folds(cohort, trait, seed)
    rows, test = folds.without((outer,)), folds.rows(outer)
    people = cohort.people
    base = CovariatesOnly().fit(people.panel, rows, target[rows], people.covariates)
    left = target - base.predict(people.panel, np.arange(len(people)), people.covariates)
    length = ld_windows(people.panel, rows).genome.sites
    panels = {"real": people.panel, "shuffled": shuffled(people.panel, seed)}
    return {order: _answered(panels[order], left, rows, test, length, seed) for order in ORDERS}


def _folds(cohort: Cohort, trait: str, seed: int) -> Folds:
    task = TraitTask(Target(trait, "", "identity", -np.inf, np.inf), cohort.people.panel.sites)
    return divide(task, cohort.examples(trait, grouped=False), FOLDS, seed)


def _answered(panel: Panel, left: NDArray[np.float64], rows: Rows, test: Rows, length: int, seed: int) -> float:
    people = People(panel, np.zeros((len(panel), 0)))
    examples = Examples(pd.DataFrame({"sample_id": panel.sample_ids}), people, left)
    mixed = float(people.called["heterozygous"].iloc[rows].mean())
    shape = NetShape.suited(len(rows), mixed, bool(len(panel.odd)))
    task = TraitTask(Target("trait", "", "identity", -np.inf, np.inf), panel.sites, shape, length)
    answers = np.zeros(len(test))
    for number in range(NETS):
        own = np.random.default_rng([seed, number]).permutation(rows)
        tune = round(TUNE * len(rows))
        with TemporaryDirectory() as folder:
            member = Member(number, np.sort(own[tune:]), np.sort(own[:tune]))
            network, _ = train_network(task, examples, member, FEW, Path(folder))
        answers += apply_network(network, task, examples, test)[0][:, 0]
    return float(np.corrcoef(answers, left[test])[0, 1])


def summary(panel: str, trait: str, scores: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Return and print the means of both orders, and their paired difference."""
    table = np.array([[score[order] for order in ORDERS] for score in scores])
    gaps = table[:, 0] - table[:, 1]
    variance = gaps.var(ddof=1) * (1 / len(gaps) + 1 / (FOLDS - 1))  # folds share most of their training rows
    reach = float(stats.t.ppf(0.975, len(gaps) - 1) * np.sqrt(variance))
    real, other = table.mean(0)
    print(
        f"{panel:<13} {trait:<22} real {real:.3f}  shuffled {other:.3f}  difference {gaps.mean():+.3f} "
        f"({gaps.mean() - reach:+.3f} to {gaps.mean() + reach:+.3f}), {len(gaps)} folds", flush=True,
    )  # fmt: skip
    difference = {"value": gaps.mean(), "lower": gaps.mean() - reach, "upper": gaps.mean() + reach}
    return {
        "panel": panel, "trait": trait, "real": real, "shuffled": other, "difference": difference,
        "by_fold": table.tolist(),
    }  # fmt: skip


def main() -> None:
    arguments = _parsed()
    torch.set_num_threads(1)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in arguments.panels:
        cohort = PANELS[name](arguments.cache / name)
        for trait in cohort.traits:
            if arguments.traits and trait not in arguments.traits:
                continue
            scores = [
                _once(arguments.cache / f"locality-{name}-{trait}-{seed}-{outer}.json", cohort, trait, seed, outer)
                for seed in arguments.seeds
                for outer in range(FOLDS)
            ]
            rows.append(summary(name, trait, scores))
    settings = {"networks": NETS, "folds": FOLDS, "seeds": arguments.seeds}
    write(arguments.name, {"setting": "locality", **settings, "rows": rows})


def _once(path: Path, cohort: Cohort, trait: str, seed: int, outer: int) -> dict[str, float]:
    if not path.exists():
        path.write_text(json.dumps(fold_scores(cohort, trait, seed, outer)), encoding="utf-8")
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Does the order of the sites matter?")
    parser.add_argument("--panels", nargs="+", choices=list(PANELS), default=list(PANELS))
    parser.add_argument("--traits", nargs="+", help="some of their traits")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], help="divisions into folds")
    parser.add_argument("--cache", type=Path, default=Path("build/trait_locality"), help="folder of what is done")
    parser.add_argument("--name", default="trait_locality", help="of the file of results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
