"""What each input of a network has to do with its answer: integrated gradients, and what knocking inputs out changes.

Both compare an example with a reference, an example that is in no way special. The inputs that are explained are those
that the reference holds, by their key in the batch; all others stay as they are in the example. An input that is NaN
(missing) is so on the whole way from reference to example, and has no part in the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sewall.nets.network import Batch, Network

POINTS = 8  # on the way from the reference; enough for smooth networks (the gap is reported)


@dataclass(frozen=True)
class Question:
    """Which answer of a network is explained, where it gives several.

    Attributes:
        index: of the answer.
        against: answers whose mean is taken from it; the scores of classes have a meaning only against each other.
    """

    index: int = 0
    against: tuple[int, ...] = ()

    def of(self, answers: Tensor) -> Tensor:
        """Return ``(batch,)`` the answer among ``(batch, answers)``.

        >>> Question(1, (0, 2)).of(torch.tensor([[1.0, 5.0, 2.0]]))
        tensor([3.5000])
        """
        own = answers[:, self.index]
        return own - answers[:, list(self.against)].mean(dim=1) if self.against else own


FIRST = Question()


def integrated_gradients(
    network: Network,
    batch: Batch,
    reference: Mapping[str, Tensor],
    asked: Question = FIRST,
    points: int = POINTS,
) -> dict[str, Tensor]:
    """Return what each input adds to the answer, compared with the reference (Sundararajan 2017, ICML, axiom 3.2).

    The gradient is averaged along the straight way from reference to example by Gauss-Legendre quadrature, and
    multiplied by the way. For each example the attributions of all inputs sum to the difference of the two answers.

    Args:
        network: in evaluation mode, without dropout.
        batch: examples.
        reference: inputs that broadcast to those of the batch.
        asked: the answer that is explained.
        points: at which the gradient is taken.

    Returns:
        By key, attributions of the shape of the input; 0 where it is missing.
    """
    ways = {key: (batch[key] - start).nan_to_num() for key, start in reference.items()}
    total = {key: torch.zeros_like(way) for key, way in ways.items()}
    nodes, weights = np.polynomial.legendre.leggauss(points)
    for node, weight in zip((1 + nodes) / 2, weights / 2, strict=True):
        between = {key: (batch[key] - (1 - node) * way).requires_grad_() for key, way in ways.items()}
        answer = asked.of(network({**batch, **between})).sum()
        found = torch.autograd.grad(answer, list(between.values()), allow_unused=True)
        for key, gradient in zip(between, found, strict=True):
            if gradient is not None:
                total[key] += weight * gradient
    return {key: way * total[key] for key, way in ways.items()}


@torch.no_grad()
def at_reference(network: Network, batch: Batch, reference: Mapping[str, Tensor], asked: Question = FIRST) -> Tensor:
    """Return ``(batch,)`` the answer to examples that have the reference in place of their inputs."""
    everything = dict.fromkeys(reference, torch.tensor(True))
    return asked.of(network({**batch, **_without(batch, reference, everything)}))


@torch.no_grad()
def knock_out(
    network: Network,
    batch: Batch,
    reference: Mapping[str, Tensor],
    parts: Iterable[Mapping[str, Tensor]],
    asked: Question = FIRST,
) -> Tensor:
    """Return what each part of the inputs does for the answer: the answer less that with the part at the reference.

    Args:
        network: in evaluation mode.
        batch: examples.
        reference: as for `integrated_gradients`.
        parts: each a mapping from keys to flags that broadcast to the input: what is knocked out together.
        asked: the answer.

    Returns:
        ``(batch, parts)``.
    """
    whole = asked.of(network(batch))
    left = [asked.of(network({**batch, **_without(batch, reference, part)})) for part in parts]
    return torch.stack([whole - answer for answer in left], dim=1) if left else whole.new_zeros(len(whole), 0)


def _without(batch: Batch, reference: Mapping[str, Tensor], part: Mapping[str, Tensor]) -> Batch:
    """Return the inputs with flagged ones at the reference; what is missing stays so."""
    return {key: torch.where(flag & ~batch[key].isnan(), reference[key], batch[key]) for key, flag in part.items()}
