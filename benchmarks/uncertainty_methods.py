"""Ways in which a network says how sure it is, each as raw intervals on the learning scale.

Every way is a function of networks and windows; `WAYS` names them. All read the same embedding of the same alignments
and differ in the head, or in what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import zuko
from numpy.typing import NDArray
from torch import Tensor, nn

from sewall.jobs.recombination.task import RecombinationTask
from sewall.nets.heads import Head
from sewall.nets.network import Network
from sewall.task import Examples, Rows
from sewall.train import apply_network

Floats = NDArray[np.float64]
LEVEL = 0.9
PASSES = 50  # of Monte Carlo dropout
NORMAL = float(torch.distributions.Normal(0, 1).icdf(torch.tensor((1 + LEVEL) / 2)))


class Standardised(Head):
    """A head whose answers are in units of the spread of the training targets."""

    centre: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(1))
        self.register_buffer("scale", torch.ones(1))

    def standardise(self, target: Tensor, offset: Tensor) -> None:
        self.centre.copy_(target.mean(0))
        self.scale.copy_(target.std(0))


class GaussianHead(Standardised):
    """Mean and log standard deviation; judged by the likelihood (Nix and Weigend 1994)."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 2)

    def forward(self, embedding: Tensor) -> Tensor:
        raw = self.linear(embedding)
        return torch.stack([self.centre + self.scale * raw[:, 0], self.scale.log() + raw[:, 1].clamp(-6, 3)], dim=1)

    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        return (answer[:, 1] + (target[:, 0] - answer[:, 0]).square() / (2 * (2 * answer[:, 1]).exp())).mean()


class FlowHead(Standardised):
    """A neural spline flow given the embedding (Durkan et al. 2019), by zuko; judged by the likelihood."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.flow = zuko.flows.NSF(1, context=inputs, transforms=2, bins=8, hidden_features=(64, 64))

    def forward(self, embedding: Tensor) -> Tensor:
        return embedding

    def loss(self, answer: Tensor, target: Tensor) -> Tensor:
        return -self.flow(answer).log_prob((target - self.centre) / self.scale).mean()

    @torch.no_grad()
    def quantiles(self, embedding: Tensor, levels: tuple[float, ...]) -> Tensor:
        """Return ``(batch, levels)``; of one target, a flow is a rising function of a normal variable."""
        normal = torch.distributions.Normal(0, 1).icdf(torch.tensor(levels))
        given = self.flow(embedding)
        at = [given.transform.inv(z.expand(len(embedding), 1)) for z in normal]
        return self.centre + self.scale * torch.cat(at, dim=1)


class Headed(RecombinationTask):
    """The recombination job with another head."""

    def __init__(self, upper: float, head: Callable[[int], Head]) -> None:
        super().__init__(upper)
        self.head = head

    def network(self, examples: Examples, rows: Rows) -> Network:
        network = super().network(examples, rows)
        network.head = self.head(network.recipe()["width"] // 2)
        return network


@dataclass(frozen=True)
class Said:
    """Raw intervals on the learning scale, ``(rows,)`` each: the middle, and both ends at `LEVEL`."""

    middle: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Networks:
    """Everything that the ways may use.

    Attributes:
        task: of the networks, whatever their head.
        quantile, gaussian: five members each.
        flow: one network.
        examples, train: what they learnt from.
        simulated: rates of simulations made for the bootstrap, ``(rates,)`` on the learning scale, and what the first
            quantile network says of each, ``(rates, simulations)``.
    """

    task: RecombinationTask
    quantile: list[Network]
    gaussian: list[Network]
    flow: Network
    examples: Examples
    train: Rows
    simulated: tuple[Floats, Floats]


def quantile(found: Networks, examples: Examples, rows: Rows) -> Said:
    """One network with a quantile head."""
    return _of_quantiles(apply_network(found.quantile[0], found.task, examples, rows)[0])


def quantile_ensemble(found: Networks, examples: Examples, rows: Rows) -> Said:
    """Five of them, quantile by quantile their mean."""
    answers = [apply_network(network, found.task, examples, rows)[0] for network in found.quantile]
    return _of_quantiles(np.mean(answers, axis=0))


def gaussian(found: Networks, examples: Examples, rows: Rows) -> Said:
    """One network with mean and variance."""
    return _normal(*_moments(apply_network(found.gaussian[0], found.task, examples, rows)[0]))


def deep_ensemble(found: Networks, examples: Examples, rows: Rows) -> Said:
    """Five of them as a mixture (Lakshminarayanan et al. 2017, NeurIPS 30)."""
    answers = [apply_network(network, found.task, examples, rows)[0] for network in found.gaussian]
    return _mixture([_moments(answer) for answer in answers])


def dropout(found: Networks, examples: Examples, rows: Rows) -> Said:
    """One network with mean and variance, dropout left on in prediction (Gal and Ghahramani 2016, ICML)."""
    network = found.gaussian[0]
    for part in network.modules():
        part.train(isinstance(part, nn.Dropout))
    torch.manual_seed(0)
    try:
        return _mixture([_moments(apply_network(network, found.task, examples, rows)[0]) for _ in range(PASSES)])
    finally:
        network.eval()


def laplace(found: Networks, examples: Examples, rows: Rows) -> Said:
    """The same network, weights of its last layer uncertain (MacKay 1992; Daxberger et al. 2021, NeurIPS 34).

    The precision of the prior is the one of largest evidence.
    """
    assert found.examples.target is not None
    network = found.gaussian[0]
    truth = found.task.target.forward(found.examples.target[found.train])
    scale = float(network.head.scale)
    features, mean, sd = _features(found, found.examples, found.train)
    weights = torch.cat([network.head.linear.weight[0], network.head.linear.bias[:1]]).detach().double().numpy()
    curvature = (features * (scale / sd)[:, None] ** 2).T @ features
    values, vectors = np.linalg.eigh(curvature)
    likelihood = -0.5 * (((truth - mean) / sd) ** 2).sum()

    def evidence(precision: float) -> float:
        prior = 0.5 * len(values) * np.log(precision) - 0.5 * precision * weights @ weights
        return float(likelihood + prior - 0.5 * np.log(np.maximum(values, 0) + precision).sum())

    precision = max(np.logspace(-3, 6, 91), key=evidence)
    features, mean, sd = _features(found, examples, rows)
    spread = ((features @ vectors) ** 2 / (np.maximum(values, 0) + precision)).sum(axis=1)
    return _normal(mean, np.sqrt(sd**2 + scale**2 * spread))


def flow(found: Networks, examples: Examples, rows: Rows) -> Said:
    """One network with a flow."""
    embedding = torch.from_numpy(apply_network(found.flow, found.task, examples, rows)[1])
    assert isinstance(found.flow.head, FlowHead)
    answers = found.flow.head.quantiles(embedding, ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)).double().numpy()
    return Said(answers[:, 1], answers[:, 0], answers[:, 2])


def bootstrap(found: Networks, examples: Examples, rows: Rows) -> Said:
    """Spread of the first network's answers to simulations at the nearest rate (Adrion et al. 2020, MBE 37:1790)."""
    rates, answers = found.simulated
    middle = apply_network(found.quantile[0], found.task, examples, rows)[0].mean(axis=1)
    nearest = np.abs(middle[:, None] - rates).argmin(axis=1)
    lower, upper = np.quantile(answers, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    return Said(middle, lower[nearest], upper[nearest])


WAYS: dict[str, tuple[str, Callable[[Networks, Examples, Rows], Said]]] = {
    "quantile ensemble": ("five quantile heads", quantile_ensemble),
    "quantile": ("one quantile head", quantile),
    "gaussian": ("one Gaussian head", gaussian),
    "deep ensemble": ("five Gaussian heads, as a mixture", deep_ensemble),
    "dropout": (f"one Gaussian head, {PASSES} passes with dropout", dropout),
    "laplace": ("one Gaussian head, Laplace on the last layer", laplace),
    "flow": ("neural spline flow", flow),
    "bootstrap": ("parametric bootstrap of one network", bootstrap),
}


def _of_quantiles(answers: Floats) -> Said:
    answers = answers.astype(float)
    return Said(answers.mean(axis=1), answers[:, 0], answers[:, -1])


def _moments(answer: Floats) -> tuple[Floats, Floats]:
    return answer[:, 0].astype(float), np.exp(answer[:, 1].astype(float))


def _mixture(parts: list[tuple[Floats, Floats]]) -> Said:
    means, sds = np.array([mean for mean, _ in parts]), np.array([sd for _, sd in parts])
    mean = means.mean(axis=0)
    return _normal(mean, np.sqrt((sds**2 + means**2).mean(axis=0) - mean**2))


def _normal(mean: Floats, sd: Floats) -> Said:
    return Said(mean, mean - NORMAL * sd, mean + NORMAL * sd)


def _features(found: Networks, examples: Examples, rows: Rows) -> tuple[Floats, Floats, Floats]:
    answer, hidden = apply_network(found.gaussian[0], found.task, examples, rows)
    return np.column_stack([hidden.astype(float), np.ones(len(hidden))]), *_moments(answer)
