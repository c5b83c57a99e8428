"""What a user may ask of the sweep job."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from sewall.data.ratemaps import HIGHEST_RATE
from sewall.jobs.options import Input, Options, Size, flag
from sewall.jobs.windows.options import DataOptions, PriorOptions, WindowOptions
from sewall.simulate.sweeps import CLASSES

SWEEP = "sweep"
SUB_WINDOWS = 11
DEFAULT_WINDOW = 1_100_000
Level = Annotated[float, Field(gt=0.5, le=0.995)]
Rate = Annotated[float, Field(gt=0, lt=1)]


def _share(text: str) -> str:
    name, _, value = text.partition("=")
    try:
        float(value)
    except ValueError:
        raise ValueError(f"{text!r}: write a class and its share, for instance neutral=0.95") from None
    if name not in CLASSES:
        raise ValueError(f"there is no class {name!r}; the classes are {', '.join(CLASSES)}")
    return text


Share = Annotated[str, AfterValidator(_share)]
_SAYS = WindowOptions.says | {
    "simulations": "is the number of simulations, at least 500",
    "fdr": "is the share of false calls that is accepted, above 0 and below 1, for instance 0.05",
}


class _Scan(Options):
    """What every verb that calls sweeps may be asked.

    Attributes:
        level: share of the true classes that the sets shall hold, and of the true values that intervals shall.
        prior: how common each class is, as ``class=share``, once for each; None takes
            `sewall.jobs.sweep.calls.default_priors`.
        fdr: share of false calls among those that are made.
    """

    level: Level = 0.9
    prior: tuple[Share, ...] | None = None
    fdr: Rate = 0.05

    def priors(self) -> dict[str, float] | None:
        """Return the stated priors by class, or None."""
        if self.prior is None:
            return None
        return {name: float(value) for name, _, value in (text.partition("=") for text in self.prior)}


class WindowsOptions(DataOptions):
    """Windows of this job: long, and one at every sub-window.

    Attributes:
        window: length of a window, of which eleven sub-windows are made.
        recombination_rate: per bp per generation, or a genetic map.
    """

    says: ClassVar[dict[str, str]] = _SAYS
    window: Size = DEFAULT_WINDOW
    recombination_rate: float | Input | None = None

    @field_validator("recombination_rate", mode="before")
    @classmethod
    def _per_bp(cls, value: Any) -> Any:
        try:
            rate = float(value)
        except (TypeError, ValueError):
            return value
        if not 0 < rate < HIGHEST_RATE:
            meant = f"; did you mean {rate:g}e-8?" if 0.01 <= rate < 100 else ""
            raise ValueError(
                f"{rate:g} is not between 0 and {HIGHEST_RATE:g}; the unit is crossovers per bp per "
                f"generation, for instance 1e-8 for humans{meant}"
            )
        return rate

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.windows is not None:
            raise ValueError("--windows: a scan lays its windows itself; give their length with --window")
        if self.window < 10 * SUB_WINDOWS:
            raise ValueError(f"--window {self.window}: too short for {SUB_WINDOWS} sub-windows")
        return self


class SimulateOptions(WindowsOptions, PriorOptions):
    """Options of ``sewall sweep simulate``.

    Attributes:
        partial: whether sweeps that have not ended are a class of their own.
    """

    job: ClassVar[str] = SWEEP
    partial: bool = True

    @model_validator(mode="after")
    def _histories_alone(self) -> Self:
        if self.adapt in ("reweight", "align"):
            raise ValueError(
                f"--adapt {self.adapt}: sweeps are rare in genomes and common in training, so simulations cannot be "
                "drawn towards the data; give resimulate, randomise or auto"
            )
        return self

    @model_validator(mode="after")
    def _rate_stated(self) -> Self:
        if self.recombination_rate is None and getattr(self, "bundle", None) is None:
            raise ValueError(
                "--recombination-rate: is missing; give crossovers per bp per generation (1e-8 for humans), or a "
                "genetic map"
            )
        return self


class ScanOptions(SimulateOptions, _Scan):
    """Options of ``sewall sweep scan``.

    Attributes:
        bundle: a trained bundle; nothing is then simulated or trained.
    """

    bundle: Input | None = None

    @model_validator(mode="after")
    def _bundle_is_trained(self) -> Self:
        of_training = (
            "demography", "population", "generation_time", "simulations", "adapt", "quick", "min_count", "cluster",
        )  # fmt: skip
        given = [flag(name) for name in of_training if getattr(self, name)]
        given += ["--recombination-rate"] if isinstance(self.recombination_rate, float) else []
        given += [] if self.partial else ["--no-partial"]
        if self.bundle is not None and given:
            raise ValueError(f"--bundle is trained already: {given[0]} has no effect on it; leave one of the two out")
        return self


class TrainOptions(Options):
    """Options of ``sewall sweep train``.

    Attributes:
        simulations: run directory made by ``sewall sweep simulate``.
        quick: a small budget, for a first look.
    """

    job: ClassVar[str] = SWEEP
    simulations: Input
    quick: bool = False


class PredictOptions(WindowsOptions, _Scan):
    """Options of ``sewall sweep predict``.

    Attributes:
        bundle: a trained bundle.
    """

    job: ClassVar[str] = SWEEP
    bundle: Input


class EvaluateOptions(Options):
    """Options of ``sewall sweep evaluate``.

    Attributes:
        bundle: a trained bundle.
        simulations: run directory of simulations with another seed than the bundle's own.
        level: share of the true classes that the sets shall hold.
    """

    job: ClassVar[str] = SWEEP
    bundle: Input
    simulations: Input
    level: Level = 0.9


class ExplainOptions(WindowsOptions):
    """Options of ``sewall sweep explain``.

    Attributes:
        bundle: a trained bundle.
        at: places to explain, as ``contig:position``; None takes the windows most like sweeps.
        number: how many of these.
    """

    job: ClassVar[str] = SWEEP
    bundle: Input
    at: tuple[str, ...] | None = None
    number: Annotated[int, Field(ge=1, le=50)] = 3
