"""Options, tables and files that the benchmarks share."""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest
from threadpoolctl import threadpool_limits

from sewall import run
from sewall.bundle import Bundle
from sewall.task import Examples, Task
from sewall.train import TrainConfig

RESULTS = Path(__file__).parent / "results"


def options(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options of all benchmarks."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of training")
    parser.add_argument("--data-seed", type=int, default=20, help="of the simulations")
    parser.add_argument("--members", type=int, default=5, help="networks in the ensemble")
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks"), help="folder of simulations")
    parser.add_argument("--workers", type=int, default=2, help="processes that simulate")
    parser.add_argument("--name", help="of the file of results")
    return parser


@dataclass
class Fitted:
    """A bundle and what its training took, in CPU seconds of one thread."""

    bundle: Bundle
    cpu_networks: float
    cpu_all: float
    learning: list[dict[str, float]] = field(default_factory=list)

    def costs(self) -> dict[str, Any]:
        """Return the costs for a file of results."""
        epochs = [max(r["epoch"] for r in self.learning if r["member"] == m) for m in range(len(self.bundle.networks))]
        return {
            "cpu_seconds_networks": round(self.cpu_networks, 1),
            "cpu_seconds_all": round(self.cpu_all, 1),
            "epochs": epochs,
            "best_tuning_loss": [min(r["tune"] for r in self.learning if r["member"] == m) for m in range(len(epochs))],
        }


def fit(
    task: Task, examples: Examples, split: run.Split, members: int, seed: int, config: TrainConfig | None = None
) -> Fitted:
    """Train on one thread, as `run.fit` does for any map unless told how, and measure its CPU time."""
    torch.set_num_threads(1)
    start, marks = time.process_time(), [0.0]

    def progress(_: float) -> None:
        marks.append(time.process_time() - start)
        print(f"\rtraining: {len(marks) - 1} epochs, {marks[-1]:.0f} CPU seconds", end="", flush=True)

    with TemporaryDirectory() as folder, threadpool_limits(1):
        config = replace(config or TrainConfig(), members=members)
        bundle, learning = run.fit(task, examples, split, config, Path(folder), seed, progress=progress)
    print()
    return Fitted(bundle, marks[-1], time.process_time() - start, learning)


def evaluated(bundle: Bundle, task: Task, examples: Examples, rows: Any, level: float, seed: int) -> dict[str, Any]:
    """Return the scores of `run.evaluate` without what only a report draws."""
    with threadpool_limits(1):
        scores = run.evaluate(bundle, task, examples, rows, level, seed)
    return {key: scores[key] for key in ("n", "level", "models", "differences", "verdict", "calibration")}


def share(flagged: NDArray[np.bool_]) -> dict[str, float]:
    """Return the share that is True, with its 95 % Wilson interval."""
    interval = binomtest(int(flagged.sum()), len(flagged)).proportion_ci(method="wilson")
    return {"value": float(flagged.mean()), "lower": float(interval.low), "upper": float(interval.high)}


def words(score: dict[str, float], digits: int = 4, sign: str = "") -> str:
    """Return a score with its 95 % interval."""
    return "{value:{f}} ({lower:{f}} to {upper:{f}})".format(f=f"{sign}.{digits}f", **score)


def show(title: str, scores: dict[str, Any]) -> None:
    """Print R2, differences and coverage of one set of test windows, with 95 % intervals."""
    print(f"\n{title}: n = {scores['n']:,}, intervals are 95 % (paired bootstrap; Wilson for coverage)")
    for model in scores["models"]:
        print(f"  R2 {model['key']:<10} {words(model['metrics']['r2'])}")
    for row in scores["differences"]:
        print(f"  R2 {row['model']} - {row['against']:<10} {words(row, sign='+')}")
    calibration = scores["calibration"]
    print(f"  coverage of {scores['level']:.0%} intervals {words(calibration['coverage'], 3)}")
    for group in calibration["by_group"]:
        print(f"    {group['group']:<28} n = {group['n']:<5} {words(group['coverage'], 3)}")


def write(name: str, results: dict[str, Any]) -> Path:
    """Write results, with the versions that gave them, to ``results/NAME.json``."""
    packages = ("sewall", "torch", "scikit-learn", "msprime", "numpy")
    versions = {"python": platform.python_version(), **{p: version(p) for p in packages}}
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results | {"versions": versions}, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten: {path}")
    return path


def settings(arguments: argparse.Namespace, leave: Iterable[str] = ("cache", "workers", "name")) -> dict[str, Any]:
    """Return the options that decide the figures."""
    return {key: value for key, value in vars(arguments).items() if key not in set(leave)}
