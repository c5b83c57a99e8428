"""What a user may ask of the recombination job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

import sewall
from sewall.jobs.options import Input, existing, flag
from sewall.jobs.windows.options import DataOptions, PriorOptions, WindowOptions

RECOMBINATION = "recombination"
GENERAL, NAME = Path(sewall.__file__).parent / "shipped" / "recombination", "general"  # of training/recombination.py


def _named(value: Any) -> Any:
    return GENERAL if str(value) == NAME and not Path(NAME).exists() else value


def _name(path: Path) -> str:
    return NAME if path == GENERAL else str(path)


Trained = Annotated[
    Path, BeforeValidator(_named), AfterValidator(existing), PlainSerializer(_name, return_type=str)
]  # "general" is the bundle that comes with sewall


class MapOptions(PriorOptions):
    """Options of ``sewall recombination map``.

    Attributes:
        level: share of the true rates that the intervals shall cover.
        bundle: a trained bundle, or ``"general"`` for the one that comes with sewall; nothing is then simulated or
            trained.
        refit: whether training begins from the general networks, with all of the budget.
    """

    job: ClassVar[str] = RECOMBINATION
    level: Annotated[float, Field(gt=0.5, le=0.995)] = 0.9
    bundle: Trained | None = None
    refit: bool = False

    @property
    def of_training(self) -> list[str]:
        """The options that were given and that speak of how simulations are made."""
        names = ("refit", "demography", "population", "generation_time", "simulations", "adapt")
        return [flag(name) for name in names if getattr(self, name)]

    @model_validator(mode="after")
    def _bundle_is_trained(self) -> Self:
        given = self.of_training + [flag(name) for name in ("quick", "cluster", "min_count") if getattr(self, name)]
        if self.bundle is not None and given:
            raise ValueError(f"--bundle is trained already: {given[0]} has no effect on it; leave one of the two out")
        return self


class SimulateOptions(PriorOptions):
    """Options of ``sewall recombination simulate``."""

    job: ClassVar[str] = RECOMBINATION

    @model_validator(mode="after")
    def _trained_elsewhere(self) -> Self:
        if self.adapt in ("reweight", "align"):
            raise ValueError(f"--adapt {self.adapt}: a training does that, which must know the data; give it to map")
        return self


class TrainOptions(WindowOptions):
    """Options of ``sewall recombination train``.

    Attributes:
        simulations: run directory made by ``sewall recombination simulate``.
        quick: a small budget, for a first look.
    """

    job: ClassVar[str] = RECOMBINATION
    simulations: Input
    quick: bool = False


class PredictOptions(DataOptions):
    """Options of ``sewall recombination predict``.

    Attributes:
        bundle: a trained bundle, or ``"general"``.
        level: share of the true rates that the intervals shall cover.
    """

    job: ClassVar[str] = RECOMBINATION
    bundle: Trained
    level: Annotated[float, Field(gt=0.5, le=0.995)] = 0.9


class EvaluateOptions(WindowOptions):
    """Options of ``sewall recombination evaluate``.

    Attributes:
        bundle: a trained bundle, or ``"general"``.
        simulations: run directory of simulations with another seed than the bundle's own.
        level: share of the true rates that the intervals shall cover.
    """

    job: ClassVar[str] = RECOMBINATION
    bundle: Trained
    simulations: Input
    level: Annotated[float, Field(gt=0.5, le=0.995)] = 0.9
