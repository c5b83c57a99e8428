"""Traits: the stack, the network and every classical model on real panels, in the same folds.

    SEWALL_DATA=... python benchmarks/trait_panels.py [--panels wheat599 ...] [--seeds 5] [--folds random groups]

Nested cross-validation as in `sewall trait train` with all traits of a panel given at once; five folds drawn by each
seed, at random and with families or cages held out whole. Scores are correlations with the trait over all individuals,
each predicted by models that did not know them, and the same beyond covariates. A run that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cohorts import PANELS, Cohort
from reporting import RESULTS, write
from threadpoolctl import threadpool_limits

from sewall.crossfit import Fits, Question, fit_all
from sewall.crossscores import beyond_base, by_fold
from sewall.folds import Folds, divide
from sewall.jobs.trait.models import PLACE
from sewall.jobs.trait.networks import suited_networks
from sewall.jobs.trait.task import TraitTask
from sewall.nets.chromosomes import NetShape
from sewall.stacking import STACK, nested
from sewall.task import Target
from sewall.trust.compare import paired_difference
from sewall.trust.held_out import Intervals

FOLDS = 5
LEVEL = 0.9


def questions(cohort: Cohort, seed: int, grouped: bool, shape: NetShape | None) -> list[Question]:
    """Return what is asked of every trait of a panel, in folds of one division."""
    names, sites = list(cohort.traits), cohort.people.panel.sites
    targets = [Target(name, "", "identity", -np.inf, np.inf) for name in names]
    folds = divide(TraitTask(targets[0], sites), cohort.examples(names, grouped), FOLDS, seed)
    tasks = [TraitTask(target, sites, shape or suited_networks(cohort.people, folds)[0]) for target in targets]
    found = []
    for task, name in zip(tasks, names, strict=True):
        examples = cohort.examples(name, grouped)
        assert examples.target is not None
        found.append(Question(task, examples, folds.among(np.isfinite(examples.target))))
    return found


def scores(question: Question, fits: Fits, seed: int) -> dict[str, Any]:
    """Return the scores of one trait."""
    task, examples = question.task, question.examples
    assert examples.target is not None
    found = nested(task, fits, examples.target, leave=(PLACE,))
    truth = examples.target[found.rows]
    fold = fits.folds.of[found.rows]
    adds = {
        kind: paired_difference(truth, found.answers[STACK], values, "pearson", seed=seed).to_dict()
        for kind, values in found.lesser.items()
    }
    return {
        "trait": task.target.name, "n": len(truth),
        "pearson": {key: _correlation(values, truth) for key, values in found.answers.items()},
        "beyond_covariates": beyond_base(found.answers, truth, task.base),
        "by_fold": [entry["pearson"] for entry in by_fold(found.answers, truth, fold, "pearson")],
        "weights": found.final.weights, "adds": adds, **_coverage(question, fits, found, truth),
    }  # fmt: skip


def _coverage(question: Question, fits: Fits, found: Any, truth: np.ndarray) -> dict[str, Any]:
    """Return how often intervals hold that were made without the fold they are judged on: of all, and by sex."""
    rows = found.rows
    spread = np.full(len(question.examples), np.nan)
    for unit in fits.folds.single:
        mine = fits.folds.rows(*unit)
        spread[mine] = fits.located[unit].spread[mine]
    stratum = question.task.strata(question.examples, rows)
    known = {
        "answer": found.answers[STACK], "truth": truth, "spread": spread[rows], "stratum": stratum,
        "fold": fits.folds.of[rows],
    }  # fmt: skip
    held = np.zeros(len(rows), bool)
    width = np.zeros(len(rows))
    for fold in range(fits.folds.number):
        mine = known["fold"] == fold
        others = {name: values[~mine] for name, values in known.items()}
        own = (known[name][mine] for name in ("answer", "spread", "stratum"))
        lower, upper = Intervals.fit(others, LEVEL).around(*own)
        held[mine], width[mine] = (lower <= truth[mine]) & (truth[mine] <= upper), upper - lower
    names = question.task.stratum_names
    by_sex = {names[int(code)]: float(held[stratum == code].mean()) for code in np.unique(stratum)}
    return {"coverage": float(held.mean()), "width_in_sd": float(width.mean() / truth.std()), "coverage_by_sex": by_sex}


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 1e-12 else 0.0


def run(cohort: Cohort, seed: int, grouped: bool, arguments: argparse.Namespace) -> dict[str, Any]:
    """Fit everything for one seed; keep what models answered, for whoever wants to try another stack."""
    shape = NetShape.article() if arguments.model == "article" else None
    place = arguments.cache / f"{cohort.name}-{'groups' if grouped else 'random'}-{seed}-{arguments.model}"
    asked = questions(cohort, seed, grouped, shape)
    start = time.perf_counter()
    with threadpool_limits(1):
        config = suited_networks(cohort.people, Folds.joint([question.folds for question in asked]))[1]
        fits = fit_all(asked, config, place, seed, arguments.workers)
    seconds = time.perf_counter() - start
    for number, (question, found) in enumerate(zip(asked, fits, strict=True)):
        np.savez(place / f"answers-{number}.npz", **_answers(question, found))
    shutil.rmtree(place / "checkpoints", ignore_errors=True)
    found = [scores(question, own, seed) for question, own in zip(asked, fits, strict=True)]
    return {
        "panel": cohort.name, "seed": seed, "folds": cohort.grouped_by if grouped else "random",
        "model": arguments.model, "seconds": round(seconds, 1), "traits": found,
    }  # fmt: skip


def _answers(question: Question, fits: Fits) -> dict[str, np.ndarray]:
    assert question.examples.target is not None
    answers = {
        f"{'-'.join(map(str, unit)) or 'none'}/{key}": values
        for unit, own in fits.answers.items()
        for key, values in own.items()
    }
    return answers | {"truth": question.examples.target, "fold": fits.folds.of}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panels", nargs="+", choices=list(PANELS), default=list(PANELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--folds", nargs="+", choices=["random", "groups"], default=["random", "groups"])
    parser.add_argument("--model", choices=["default", "article"], default="default")
    parser.add_argument("--cache", type=Path, default=Path("build/trait_panels"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.panels:
        cohort = PANELS[name](arguments.cache / "panels")
        for seed in arguments.seeds:
            for kind in arguments.folds:
                if kind == "random" or cohort.groups is not None:
                    one(cohort, seed, kind, arguments)


def one(cohort: Cohort, seed: int, kind: str, arguments: argparse.Namespace) -> None:
    """Run one seed unless its results are there, and print the scores."""
    name = f"trait_panels_{cohort.name}_{kind}_{seed}" + ("_article" if arguments.model == "article" else "")
    path = RESULTS / f"{name}.json"
    if path.exists():
        found = json.loads(path.read_text())
    else:
        found = run(cohort, seed, kind == "groups", arguments)
        write(name, found)
    for trait in found["traits"]:
        r = trait["pearson"]
        best = max((key for key in r if key not in ("stack", "network")), key=lambda key: r[key])
        print(
            f"{cohort.name} {trait['trait']} {found['folds']} seed {seed}: stack {r['stack']:.3f}, network "
            f"{r['network']:.3f}, GBLUP {r['gblup']:.3f}, best {best} {r[best]:.3f}, covers {trait['coverage']:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
