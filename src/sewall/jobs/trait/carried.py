"""A trained bundle carried to another study: what it adds to covariates, as one more simple model, and as a start.

Networks that begin where others ended are tuned to the new study (the article's claim, after image networks); what the
whole old bundle predicts enters the new stack as a model with one free weight.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

import numpy as np
import torch

from sewall import crossrun
from sewall.data.panel import Sites
from sewall.genomic.principal import CovariatesOnly
from sewall.jobs.trait.class_models import ClassOdds
from sewall.jobs.trait.models import Floats, Genomic, people_of
from sewall.jobs.trait.people import People
from sewall.jobs.trait.reading import SEX
from sewall.jobs.trait.task import TraitTask
from sewall.nets.chromosomes import ChromosomeNet
from sewall.nets.network import Network
from sewall.stacking import STACK, Stack
from sewall.task import Examples, Rows, SimpleModel, Target

KEY, NAME = "carried", "bundle of the other study"


@dataclass(frozen=True)
class Models:
    """The part of a bundle that answers, read from where it was kept; attributes as in `sewall.bundle.Bundle`."""

    about: dict[str, Any]
    networks: list[Network]
    simple_models: list[SimpleModel]


@dataclass(frozen=True)
class Carried:
    """A trained bundle, read as what it adds to the covariates of anybody who has its sites.

    Attributes:
        task: the job that the bundle was trained for.
        bundle: its networks, simple models and stack.
        known: what was computed for everybody in a panel, by a number made of their ids.
    """

    task: TraitTask
    bundle: crossrun.Answering
    known: dict[int, Floats] = field(default_factory=dict, compare=False)

    def added(self, examples: Examples, rows: Rows) -> Floats:
        """Return what the stack adds to its base model, for *rows*, on the learning scale."""
        people = people_of(examples)
        key = crc32("\n".join(people.panel.sample_ids).encode())  # the same in the processes that share the work
        if key not in self.known:
            own = Examples(examples.keys, People(people.panel, self._covariates(people)))
            found = crossrun.answers(self.bundle, self.task, own, np.arange(len(examples)))
            self.known[key] = found[STACK] - found[self.task.base]
        return self.known[key][rows]

    def answer(self, examples: Examples, rows: Rows) -> Floats:
        """Return the answers of the bundle as it is, to *rows* that may lack its covariates."""
        own = Examples(examples.keys, People(people_of(examples).panel, self._covariates(people_of(examples))))
        base = next(model for model in self.bundle.simple_models if model.key == self.task.base)
        return self.task.target.corrected(base.predict(own, rows), self.added(examples, rows))

    def _covariates(self, people: People) -> Floats:
        """Return the covariates of the bundle: sex as it is, all others as they were on average in its training."""
        names = list(self.bundle.about["covariates"])
        base = next(model for model in self.bundle.simple_models if model.key == self.task.base)
        centre = base.centre if isinstance(base, ClassOdds) else _centre(base)
        values = np.tile(centre, (len(people), 1))
        if SEX in names:
            values[:, names.index(SEX)] = people.male
        return values

    def network(self) -> ChromosomeNet:
        """Return a copy of one of the networks, drawn by torch's own chance, with a head for this question alone."""
        number = int(torch.randint(len(self.bundle.networks), (1,)))
        network = copy.deepcopy(self.bundle.networks[number])
        assert isinstance(network, ChromosomeNet)
        return network.answering(self.bundle.about["column"])

    def state(self) -> dict[str, Any]:
        """Return all numbers of the bundle's models, and how to build them again as text in bytes."""
        arrays: dict[str, Any] = {}
        for number, network in enumerate(self.bundle.networks):
            arrays |= {f"network{number}/{name}": value.numpy() for name, value in network.state_dict().items()}
        for model in self.bundle.simple_models:
            arrays |= {f"model/{model.key}/{name}": np.asarray(value) for name, value in model.state().items()}
        kept = ("stack", "column", "covariates", "target", "carried", "borrowed")
        about = {name: self.bundle.about[name] for name in kept if name in self.bundle.about}
        recipe = {
            "about": about, "networks": [network.recipe() for network in self.bundle.networks],
            "models": [model.key for model in self.bundle.simple_models],
        }  # fmt: skip
        return arrays | {"recipe": np.frombuffer(json.dumps(recipe).encode(), np.uint8)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], sites: Sites) -> Carried:
        """Return what `state` was taken from; for predictions alone, so without calibration and support."""
        recipe = json.loads(np.asarray(state["recipe"], np.uint8).tobytes())
        about = recipe["about"]
        task = task_of(about, sites)
        networks: list[Network] = []
        for number, own in enumerate(recipe["networks"]):
            network = task.network_like(own)
            weights = _part(state, f"network{number}/")
            network.load_state_dict({name: torch.tensor(np.asarray(value)) for name, value in weights.items()})
            networks.append(network.eval())
        untrained = {model.key: model for model in task.simple_models(0)}
        models = [untrained[key].with_state(_part(state, f"model/{key}/")) for key in recipe["models"]]
        return cls(task, Models(about, networks, models))


def _centre(base: SimpleModel) -> Floats:
    assert isinstance(base, Genomic) and isinstance(base.model, CovariatesOnly)
    return base.model.score.fixed.centre


def _part(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def task_of(about: Mapping[str, Any], sites: Sites) -> TraitTask:
    """Return the task that a bundle was trained for, from what it says of itself."""
    told = about["target"]
    target = Target(told["name"], "", "identity", -np.inf, np.inf, tuple(told["classes"]))
    if about.get("carried"):
        return TransferTask(target, sites)
    return TraitTask(target, sites, borrowed=tuple(about.get("borrowed", ())))


@dataclass(frozen=True)
class CarriedScore:
    """The bundle of the other study as a simple model: covariates of the new one, and its score times one weight.

    Attributes:
        target: of the new study.
        sites: of the bundle.
        carried: the bundle; None before `with_state`.
        base: the new study's model of covariates.
        weight: of the score, not negative.
    """

    target: Target
    sites: Sites
    carried: Carried | None
    base: SimpleModel
    weight: float = 0.0

    key = KEY
    name = NAME

    def fit(self, examples: Examples, rows: Rows) -> CarriedScore:
        """Fit covariates and the weight to labelled *rows*."""
        assert examples.target is not None
        base = self.base.fit(examples, rows)
        known = base.predict(examples, rows)
        both = {"base": known, KEY: self.target.corrected(known, self._added(examples, rows))}
        truth = self.target.forward(examples.target[rows])
        return replace(self, base=base, weight=Stack.fit(both, truth, self.target, "base").weights[KEY])

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return the answers to *rows* on the learning scale."""
        return self.target.corrected(self.base.predict(examples, rows), self.weight * self._added(examples, rows))

    def _added(self, examples: Examples, rows: Rows) -> Floats:
        if self.carried is None:
            raise ValueError("no bundle is carried; give one")
        return self.carried.added(examples, rows)

    @property
    def parameters(self) -> int:
        """Number of parameters that the new study fitted."""
        return self.base.parameters + 1

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers, those of the carried bundle among them."""
        assert self.carried is not None
        carried = {f"carried/{name}": value for name, value in self.carried.state().items()}
        base = {f"base/{name}": value for name, value in self.base.state().items()}
        return carried | base | {"weight": np.array([self.weight])}

    def with_state(self, state: Mapping[str, Any]) -> CarriedScore:
        """Return the fitted model whose `state` was *state*."""
        carried = Carried.from_state(_part(state, "carried/"), self.sites)
        base = self.base.with_state(_part(state, "base/"))
        return replace(self, carried=carried, base=base, weight=float(np.asarray(state["weight"]).ravel()[0]))


class TransferTask(TraitTask):
    """A trait of another study, with a trained bundle to begin from.

    Args:
        target: the trait.
        sites: of the bundle.
        carried: the bundle; None to read a bundle that was made by this task.
        tune: which layers of its networks learn: ``head`` (the layers over all chromosomes) or ``all``.
    """

    def __init__(self, target: Target, sites: Sites, carried: Carried | None = None, tune: str = "all") -> None:
        super().__init__(target, sites)
        self.carried, self.tune = carried, tune

    def network(self, examples: Examples, rows: Rows) -> Network:
        """Return a copy of a network of the bundle, of which the chosen layers learn."""
        assert self.carried is not None
        network = self.carried.network()
        if self.tune == "head":
            learning = {id(p) for part in (network.hidden, network.head) for p in part.parameters()}
            for parameter in network.parameters():
                parameter.requires_grad_(id(parameter) in learning)
        return network

    def simple_models(self, seed: int) -> list[SimpleModel]:
        """Return the classical predictors, and the bundle as one more."""
        own = super().simple_models(seed)
        base = next(model for model in own if model.key == self.base)
        return [*own, CarriedScore(self.target, self.sites, self.carried, base)]
