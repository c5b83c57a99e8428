"""What a training leaves behind: networks, simple models, calibration and support reference, and what they are for.

A bundle is a folder: ``model.safetensors`` holds all numbers, ``bundle.json`` says what they are, ``card.md`` tells a
person. Loading one runs no code from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from sewall.errors import SewallError
from sewall.nets.network import Network
from sewall.provenance import digest
from sewall.rundir import atomic_path, write_json, write_text
from sewall.task import SimpleModel, Task
from sewall.trust.support import SupportCheck

FORMAT_VERSION = 2
FORMAT_1 = {"quantiles": "answer", "test_quantiles": "test_answer"}  # arrays that had other names
WORTH_SHARING = 2**16  # bytes of an array that is not kept twice
MODEL, ABOUT, CARD = "model.safetensors", "bundle.json", "card.md"

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Bundle:
    """Everything that a prediction needs.

    Attributes:
        about: job, target, what it was trained on, scores: plain JSON.
        networks: the ensemble.
        simple_models: fitted simple models, the simplest first.
        calibration: answers to examples that they did not know, and the truth, on the learning scale: any interval
            level can be calibrated from them (see `run.fit` and `crossrun.fit`).
        support: reference of the support check.
        extra: what the job itself must know again, for instance the sites of a panel.
    """

    about: dict[str, Any]
    networks: list[Network]
    simple_models: list[SimpleModel]
    calibration: Arrays
    support: SupportCheck
    extra: Arrays = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the bundle; each file whole or not at all."""
        numbers, texts = _divided(self.support.state())
        arrays: Arrays = _prefixed("support", numbers) | _prefixed("calibration", self.calibration)
        arrays |= _prefixed("extra", self.extra)
        for number, network in enumerate(self.networks):
            weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
            arrays |= _prefixed(f"network{number}", weights)
        for model in self.simple_models:
            arrays |= _prefixed(model.key, {name: np.asarray(value) for name, value in model.state().items()})
        shape: dict[str, Any] = {
            "networks": [network.recipe() for network in self.networks],
            "simple_models": [model.key for model in self.simple_models],
            "support": texts,
        }
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        shape["same"] = same = _repeated(arrays)
        with atomic_path(folder / MODEL) as path:
            save_file({name: array for name, array in arrays.items() if name not in same}, path)
        write_text(folder / CARD, card(self.about))
        known = {"format_version": FORMAT_VERSION, **self.about, "shape": shape, "digest": digest(folder / MODEL)}
        write_json(folder / ABOUT, known)


def read_about(folder: Path) -> dict[str, Any]:
    """Return what ``bundle.json`` says, without the numbers.

    Raises:
        SewallError: the folder holds no bundle, a damaged one, or one of a newer version.
    """
    file = folder / ABOUT if folder.is_dir() else folder
    if not folder.is_dir() or not file.exists():
        raise SewallError(f"{folder}: not a bundle; give the folder that holds {ABOUT}, for instance out/bundle")
    try:
        about: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version = int(about["format_version"])
    except (ValueError, KeyError, TypeError):
        raise SewallError(f"{file}: damaged; train the bundle again or copy it again") from None
    if version > FORMAT_VERSION:
        raise SewallError(f"{folder}: made by a newer sewall (bundle format {version}); update sewall to use it")
    return about


def load(folder: Path, task: Task) -> Bundle:
    """Return the bundle in *folder*, with networks as *task* builds them.

    Raises:
        SewallError: the bundle is of another job, or damaged.
    """
    about = read_about(folder)
    if about.get("job") != task.name:
        raise SewallError(f"{folder}: a bundle of the job {about.get('job')}, not {task.name}")
    try:
        arrays = load_file(folder / MODEL)
        arrays |= {name: arrays[other] for name, other in dict(about["shape"]["same"]).items()}
        networks = [_network(task, r, _part(arrays, f"network{n}")) for n, r in enumerate(about["shape"]["networks"])]
        untrained = {model.key: model for model in task.simple_models(0)}
        models = [untrained[key].with_state(_part(arrays, key)) for key in about["shape"]["simple_models"]]
        support = SupportCheck.from_state(_part(arrays, "support") | about["shape"]["support"])
        calibration = {FORMAT_1.get(name, name): a for name, a in _part(arrays, "calibration").items()}
        extra = _part(arrays, "extra")
        if about["digest"] != digest(folder / MODEL):
            raise ValueError("its content has changed")
    except (SafetensorError, OSError, KeyError, RuntimeError, ValueError, TypeError) as problem:
        reason = str(problem).splitlines()[0][:80] if str(problem) else type(problem).__name__
        raise SewallError(f"{folder / MODEL}: damaged ({reason}); train the bundle again or copy it again") from None
    return Bundle(about, networks, models, calibration, support, extra)


def read_extra(folder: Path) -> Arrays:
    """Return what the job itself put into the bundle in *folder*; `load` checks that it is whole.

    Raises:
        SewallError: the bundle is damaged.
    """
    about = read_about(folder)
    try:
        same = dict(about["shape"]["same"])
        with safe_open(folder / MODEL, framework="numpy") as arrays:
            names = [name for name in [*arrays.keys(), *same] if name.startswith("extra/")]
            return {name.removeprefix("extra/"): arrays.get_tensor(same.get(name, name)) for name in names}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as problem:
        raise SewallError(f"{folder / MODEL}: damaged ({problem}); train the bundle again or copy it again") from None


def describe(folder: Path) -> str:
    """Return in words what a bundle was trained on, what it predicts and how well it did.

    Raises:
        SewallError: as `read_about`.
    """
    return card(read_about(folder))


def card(about: Mapping[str, Any]) -> str:
    """Return a page in Markdown that tells a person what the bundle is for, how good it is, and its limits."""
    lines = [f"# A bundle of sewall for {about['job']}", "", about.get("description", ""), ""]
    for title, key in (("Trained on", "trained_on"), ("Scores on held-out examples", "scores")):
        lines += [f"## {title}", "", *(f"- {name}: {value}" for name, value in about.get(key, {}).items()), ""]
    lines += ["## Limits", "", *(f"- {limit}" for limit in about.get("limits", [])), ""]
    return "\n".join(lines)


def _network(task: Task, recipe: Mapping[str, Any], weights: Arrays) -> Network:
    network = task.network_like(recipe)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return network.eval()


def _repeated(arrays: Arrays) -> dict[str, str]:
    """Return the names of arrays that others repeat, with the name under which they are kept.

    Models that predict by likeness to the training individuals each hold their genotypes: once is enough on disk.
    """
    first: dict[tuple[bytes, str, tuple[int, ...]], str] = {}
    same = {}
    for name, array in arrays.items():
        if array.nbytes < WORTH_SHARING:
            continue
        content = blake2b(array.tobytes(), digest_size=20).digest(), str(array.dtype), array.shape
        kept = first.setdefault(content, name)
        if kept != name:
            same[name] = kept
    return same


def _prefixed(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(f"{prefix}/"): a for name, a in arrays.items() if name.startswith(f"{prefix}/")}


def _divided(state: Mapping[str, Any]) -> tuple[Arrays, dict[str, Any]]:
    """Divide a state into number arrays, for the file of numbers, and the rest, for the JSON."""
    numbers = {k: v for k, v in state.items() if isinstance(v, np.ndarray) and v.dtype.kind in "fiub"}
    rest = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in state.items() if k not in numbers}
    return numbers, rest
