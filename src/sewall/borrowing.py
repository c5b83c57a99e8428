"""What is learnt of one trait, lent to another that was measured in the same individuals.

Traits that share causes tell of each other: a line whose relatives are tall is likely to be heavy, also where few were
weighed. So each question may borrow a model of every other one, as a correction of its own base model (selection
indices; Hazel 1943, Genetics 28:476). The stack decides what that is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.task import Examples, Rows, SimpleModel

Floats = NDArray[np.float64]
FAMILY = "other traits"
FEWEST = 10  # individuals in whom both were measured


def borrowed_key(other: str) -> str:
    """Return the key of a model that is borrowed from another trait.

    >>> borrowed_key("plant height")
    'of plant height'
    """
    return f"of {other}"


def borrowed_answer(base: Floats, lent: Floats, scale: float) -> Floats:
    """Return the base model's answer, corrected by what is *lent*: a model's answer less that of its own base."""
    return np.asarray(base + scale * lent)


def shared_scale(own: Floats, other: Floats, rows: Rows) -> float:
    """Return the regression of one trait on another among *rows*, both without what their base models explain.

    0 where too few were measured for both.
    """
    both = rows[np.isfinite(own[rows]) & np.isfinite(other[rows])]
    if len(both) < FEWEST or other[both].std() == 0:
        return 0.0
    centred = other[both] - other[both].mean()
    return float(centred @ own[both] / (centred @ centred))


@dataclass(frozen=True)
class Borrowed:
    """A model of another trait as a simple model of this one; it is put together, not fitted.

    Attributes:
        key, name: short name, and that in front of people.
        own: base model of this trait.
        base, lent: base model of the other trait, and the model that it lends.
        scale: units of this trait per unit of the other.
    """

    key: str
    name: str
    own: SimpleModel
    base: SimpleModel
    lent: SimpleModel
    scale: float = 0.0

    def fit(self, examples: Examples, rows: Rows) -> Borrowed:
        """Refuse: it is made of models that were fitted to their own traits."""
        raise ValueError(f"{self.name} is put together from fitted models, not fitted")

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)`` answers on the learning scale."""
        lent = self.lent.predict(examples, rows) - self.base.predict(examples, rows)
        return borrowed_answer(self.own.predict(examples, rows), lent, self.scale)

    @property
    def parameters(self) -> int:
        """Number of parameters of the model that is lent, and the scale."""
        return self.lent.parameters + 1

    def state(self) -> Mapping[str, Any]:
        """Return the numbers of all three models, and the scale."""
        parts = {"own": self.own, "base": self.base, "lent": self.lent}
        found = {f"{part}/{name}": value for part, model in parts.items() for name, value in model.state().items()}
        return found | {"scale": np.array([self.scale])}

    def with_state(self, state: Mapping[str, Any]) -> Borrowed:
        """Return the model whose `state` was *state*."""
        own, base, lent = (
            model.with_state(_part(state, f"{part}/"))
            for part, model in (("own", self.own), ("base", self.base), ("lent", self.lent))
        )
        return replace(self, own=own, base=base, lent=lent, scale=float(np.asarray(state["scale"]).ravel()[0]))


def _part(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
