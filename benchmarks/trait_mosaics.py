"""Traits: what is not additive, learnt from more and more individuals.

    SEWALL_DATA=... python benchmarks/trait_mosaics.py [--seeds 1 2 3] [--sizes 1000 2000 4000 8000]

Mosaics of mouse_hs1940 (`sewall.simulate.cohorts.mosaics`: each of the two gametes of a new mouse copies the phased
chromosomes of random mice and changes over a few times per chromosome) with traits of `sewall.simulate.traits`: h2 .5,
80 % of the genetic variance from products of two sites 3 to 11 apart, or from the state of heterozygotes, each apart
from the main effects of its sites. Scores are correlations with the true genetic value of 2,000 mice not in training,
the same for all sizes; the network is the mean of three. A run that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from cohorts import PANELS
from numpy.typing import NDArray
from reporting import write
from threadpoolctl import threadpool_limits

from sewall.data.panel import Panel
from sewall.genomic.blup import GBLUP, AdditiveDominance
from sewall.genomic.gaussian import GaussianKernel
from sewall.genomic.kernels import Kernels
from sewall.jobs.trait.networks import FEW, PLENTY
from sewall.jobs.trait.people import People
from sewall.jobs.trait.task import TraitTask
from sewall.nets.chromosomes import MANY, NetShape
from sewall.simulate.cohorts import mosaics
from sewall.simulate.traits import simulate
from sewall.task import Examples, Rows, Target
from sewall.train import Member, apply_network, train_network

KINDS = ("epistasis-within", "dominance")
TEST, SHARE, HERITABILITY = 2_000, 0.8, 0.5
NETS = 3
TUNE = 0.12  # share of the individuals that decides when a network stops
CLASSICAL = {"gblup": GBLUP, "dominance": AdditiveDominance, "gaussian": GaussianKernel}
MODELS = (*CLASSICAL, "network")

Floats = NDArray[np.float64]


class Setting:
    """Mosaics and a trait, made when first asked for.

    Args:
        kind: architecture of the trait.
        seed: of mosaics and trait.
        most: individuals to learn from at most; those to test come after them.
        cache: folder of the original panel.
    """

    def __init__(self, kind: str, seed: int, most: int, cache: Path) -> None:
        self.kind, self.seed, self.most, self.cache = kind, seed, most, cache
        self._made: tuple[Panel, Floats, Floats] | None = None

    def made(self) -> tuple[Panel, Floats, Floats]:
        """Return the panel, the trait and its true genetic value."""
        if self._made is None:
            panel = mosaics(PANELS["mouse_hs1940"](self.cache).people.panel, self.most + TEST, self.seed)
            trait = simulate(panel, self.kind, HERITABILITY, self.seed, share=SHARE)
            self._made = panel, trait.value, trait.genetic
        return self._made

    def score(self, model: str, n: int) -> dict[str, float]:
        """Return the correlation of a model's answers with the truth in the test individuals, and its seconds."""
        panel, target, genetic = self.made()
        rows, test = np.arange(n), np.arange(self.most, len(panel))
        start = time.perf_counter()
        if model == "network":
            answers = _network(panel, target, rows, test, self.seed)
        else:
            none = np.zeros((len(panel), 0))
            fitted = CLASSICAL[model]().fit(panel, rows, target[rows], none, Kernels(panel, rows))
            answers = fitted.predict(panel, test, none)
        seconds = round(time.perf_counter() - start, 1)
        return {"r": float(np.corrcoef(answers, genetic[test])[0, 1]), "seconds": seconds}


def _network(panel: Panel, target: Floats, rows: Rows, test: Rows, seed: int) -> Floats:
    people = People(panel, np.zeros((len(panel), 0)))
    examples = Examples(pd.DataFrame({"sample_id": panel.sample_ids}), people, target)
    mixed = float(people.called["heterozygous"].iloc[rows].mean())
    shape = NetShape.suited(len(rows), mixed, bool(len(panel.odd)))
    task = TraitTask(Target("trait", "", "identity", -np.inf, np.inf), panel.sites, shape)
    config = PLENTY if len(rows) >= MANY else FEW
    answers = np.zeros(len(test))
    for number in range(NETS):
        own = np.random.default_rng([seed, number]).permutation(rows)
        tune = round(TUNE * len(rows))
        with TemporaryDirectory() as folder:
            member = Member(number, np.sort(own[tune:]), np.sort(own[:tune]))
            network, _ = train_network(task, examples, member, config, Path(folder))
        answers += apply_network(network, task, examples, test)[0][:, 0] / NETS
    return answers


def main() -> None:
    arguments = _parsed()
    torch.set_num_threads(1)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    rows = []
    with threadpool_limits(1):
        for seed in arguments.seeds:
            for kind in arguments.kinds:
                setting = Setting(kind, seed, max(arguments.sizes), arguments.cache / "mouse_hs1940")
                for n in sorted(arguments.sizes, reverse=True):
                    found = {model: _once(arguments.cache, setting, model, n) for model in arguments.models}
                    words = "  ".join(f"{model} {score['r']:.3f}" for model, score in found.items())
                    print(f"{kind:<17} seed {seed}  n {n:>5,}   {words}", flush=True)
                    rows.append({"kind": kind, "seed": seed, "n": n, "models": found})
    means = [_mean(rows, kind, n, arguments.models) for kind in arguments.kinds for n in sorted(arguments.sizes)]
    for mean in means:
        words = "  ".join(f"{model} {value:.3f} ± {mean['sd'][model]:.3f}" for model, value in mean["r"].items())
        print(f"{mean['kind']:<17} n {mean['n']:>5,}   {words}   (mean ± SD of {len(arguments.seeds)} seeds)")
    settings = {"share": SHARE, "heritability": HERITABILITY, "test": TEST, "networks": NETS}
    write(arguments.name, {"setting": "mosaics of mouse_hs1940", **settings, "means": means, "rows": rows})


def _mean(rows: list[dict[str, Any]], kind: str, n: int, models: list[str]) -> dict[str, Any]:
    own = [row["models"] for row in rows if (row["kind"], row["n"]) == (kind, n)]
    r = {model: [found[model]["r"] for found in own] for model in models}
    spread = {model: float(np.std(values, ddof=1)) if len(values) > 1 else 0.0 for model, values in r.items()}
    return {"kind": kind, "n": n, "r": {model: float(np.mean(values)) for model, values in r.items()}, "sd": spread}


def _once(cache: Path, setting: Setting, model: str, n: int) -> dict[str, float]:
    path = cache / f"{setting.kind}-{setting.seed}-{setting.most}-{n}-{model}.json"
    if not path.exists():
        path.write_text(json.dumps(setting.score(model, n)), encoding="utf-8")
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What is not additive, learnt from more and more individuals.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--sizes", nargs="+", type=int, default=[1_000, 2_000, 4_000, 8_000])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--cache", type=Path, default=Path("build/trait_mosaics"), help="folder of what is done")
    parser.add_argument("--name", default="trait_mosaics", help="of the file of results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
