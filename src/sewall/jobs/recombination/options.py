"""What a user may ask of the recombination job, checked in one place for the command line and for Python."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from sewall.errors import SewallError

DEFAULT_WINDOW = 100_000
HIGHEST_MUTATION_RATE = 1e-5
# What one field says when it is refused; pydantic's own texts speak of types, not of genetics.
_SAYS = {
    "level": "is the share of true rates that the intervals cover, above 0.5 and at most 0.995, for instance 0.9",
    "simulations": "is the number of windows to simulate, at least 500",
    "min_count": "is the lowest count of the rarer allele that is kept, 1 or more",
    "threads": "is a number of processor cores, 1 or more",
    "phased": "is true, false or not given",
    "seed": "is a whole number from 0 to 4294967295",
    "generation_time": "is in years per generation, above 0",
    "device": 'is "cpu" or "auto" (takes an accelerator where there is one)',
}


def _size(value: Any) -> Any:
    from sewall.data.regions import parse_size

    try:
        return parse_size(value)
    except SewallError as problem:
        raise ValueError(str(problem)) from None


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError("no such file; check the path")
    return path


Size = Annotated[int, BeforeValidator(_size), Field(ge=1)]
AsText = PlainSerializer(str, return_type=str)
Input = Annotated[Path, AfterValidator(_existing), AsText]
Output = Annotated[Path, AsText]


class Options(BaseModel):
    """Base of the options of every verb: frozen, unknown names refused, every refusal one `SewallError`.

    Attributes:
        out: the run directory.
        seed: None draws one, or takes that of the earlier run in the same directory.
        threads: processor cores to use; None takes all that the process may use.
        device: where networks run.
        force: start the run in ``out`` afresh.
        verbosity: 0 quiet, 1 normal, 2 verbose.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Output
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    threads: Annotated[int, Field(ge=1)] | None = None
    device: Literal["cpu", "auto"] = "cpu"
    force: bool = False
    verbosity: Annotated[int, Field(ge=0, le=2)] = 1

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as problem:
            raise SewallError(_one_line(problem)) from None

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Return the options for values as users give them: paths as text, sizes with units."""
        return cls(**values)

    def resolved(self) -> dict[str, Any]:
        """Return all options as JSON types, for ``run.json``."""
        return self.model_dump(mode="json")

    def identity(self) -> dict[str, Any]:
        """Return the options that decide the result; those that say how and where to work are left out.

        Paths are absolute, so that the same command from another folder is the same run.
        """
        left_out = {"out", "seed", "threads", "device", "cluster", "force", "verbosity"}
        chosen = {name: getattr(self, name) for name in type(self).model_fields if name not in left_out}
        return {name: str(value.resolve()) if isinstance(value, Path) else value for name, value in chosen.items()}

    def input_files(self) -> dict[str, Path]:
        """Return the input files and folders that are given, by option name."""
        named = {name: getattr(self, name) for name in type(self).model_fields if name != "out"}
        return {name: value for name, value in named.items() if isinstance(value, Path)}


class DataOptions(Options):
    """Which variants are read, and how.

    Attributes:
        variants: VCF, BCF, VCF Zarr, PLINK 1 or tree sequence.
        mutation_rate: per bp per generation; turns rho/theta into a rate.
        window: window length in bp (``"100kb"``, ``"1Mb"`` or a number).
        windows: BED file of windows instead of a length.
        regions: what is looked at: a BED file, ``"chr2"`` or ``"chr2:134000000-140000000"`` (counted from 0).
        samples: file whose first column names the samples to use.
        mask_accessible, mask_inaccessible: BED file of where variants could, or could not, be called.
        phased: None detects the phase from the calls, per contig.
    """

    variants: Input
    mutation_rate: float
    window: Size = DEFAULT_WINDOW
    windows: Input | None = None
    regions: str | None = None
    samples: Input | None = None
    mask_accessible: Input | None = None
    mask_inaccessible: Input | None = None
    phased: bool | None = None

    @field_validator("mutation_rate", mode="before")
    @classmethod
    def _per_bp_per_generation(cls, value: Any) -> float:
        if value is None:
            raise ValueError(_missing_rate())
        try:
            rate = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{value!r} is not a number; {_rate_unit()}") from None
        if not 0 < rate < HIGHEST_MUTATION_RATE:
            raise ValueError(_refused_rate(rate))
        return rate

    @model_validator(mode="after")
    def _one_of_each_kind(self) -> Self:
        if self.windows is not None and self.window != DEFAULT_WINDOW:
            raise ValueError("--window and --windows exclude each other: give a length or a BED file")
        if self.mask_accessible is not None and self.mask_inaccessible is not None:
            raise ValueError("--mask-accessible and --mask-inaccessible exclude each other: give one of them")
        return self


class PriorOptions(DataOptions):
    """What is simulated, and how much.

    Attributes:
        demography: history file (demes, SMC++ csv, MSMC, Stairway Plot); None randomises histories that fit the data.
        population: which population of the history was sampled.
        generation_time: years per generation, for histories in years.
        quick: a small budget, for a first look.
        simulations: windows to simulate; None takes the default of the budget.
        min_count: lowest count of the rarer allele kept in data and simulations; None finds it from the data.
        cluster: address of a Dask scheduler; None works on this machine.
    """

    demography: Input | None = None
    population: str | None = None
    generation_time: Annotated[float, Field(gt=0)] | None = None
    quick: bool = False
    simulations: Annotated[int, Field(ge=500)] | None = None
    min_count: Annotated[int, Field(ge=1)] | None = None
    cluster: str | None = None

    @model_validator(mode="after")
    def _history_complete(self) -> Self:
        for name in ("population", "generation_time"):
            if getattr(self, name) is not None and self.demography is None:
                raise ValueError(f"{flag(name)} speaks of a history file; give it with --demography, or leave it out")
        return self


class MapOptions(PriorOptions):
    """Options of ``sewall recombination map``.

    Attributes:
        level: share of the true rates that the intervals shall cover.
        bundle: a trained bundle; nothing is then simulated or trained.
    """

    level: Annotated[float, Field(gt=0.5, le=0.995)] = 0.9
    bundle: Input | None = None

    @model_validator(mode="after")
    def _bundle_is_trained(self) -> Self:
        of_training = ("demography", "population", "generation_time", "simulations", "quick", "min_count", "cluster")
        given = [flag(name) for name in of_training if getattr(self, name)]
        if self.bundle is not None and given:
            raise ValueError(f"--bundle is trained already: {given[0]} has no effect on it; leave one of the two out")
        return self


class SimulateOptions(PriorOptions):
    """Options of ``sewall recombination simulate``."""


class TrainOptions(Options):
    """Options of ``sewall recombination train``.

    Attributes:
        simulations: run directory made by ``sewall recombination simulate``.
        quick: a small budget, for a first look.
    """

    simulations: Input
    quick: bool = False


class PredictOptions(DataOptions):
    """Options of ``sewall recombination predict``.

    Attributes:
        bundle: a trained bundle.
        level: share of the true rates that the intervals shall cover.
    """

    bundle: Input
    level: Annotated[float, Field(gt=0.5, le=0.995)] = 0.9


class EvaluateOptions(Options):
    """Options of ``sewall recombination evaluate``.

    Attributes:
        bundle: a trained bundle.
        simulations: run directory of simulations with another seed than the bundle's own.
        level: share of the true rates that the intervals shall cover.
    """

    bundle: Input
    simulations: Input
    level: Annotated[float, Field(gt=0.5, le=0.995)] = 0.9


def flag(name: str) -> str:
    """Return an option as users write it.

    >>> flag("mutation_rate")
    '--mutation-rate'
    """
    return f"--{name.replace('_', '-')}"


def command(verb: str, options: Options, positional: tuple[str, ...], seed: int) -> list[str]:
    """Return the command line that repeats a run: its options where they differ from the default, and its seed."""
    words = ["sewall", "recombination", verb, *(str(getattr(options, name)) for name in positional)]
    for name, field in type(options).model_fields.items():
        value = getattr(options, name)
        if name in {*positional, "seed", "force", "verbosity", "out"} or value is None or value == field.default:
            continue
        if isinstance(value, bool):
            words.append(flag(name) if value else f"--un{name}")
        else:
            words += [flag(name), str(value)]
    return [*words, "--seed", str(seed), "-o", str(options.out)]


def _one_line(problem: ValidationError) -> str:
    first = problem.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    cause = first.get("ctx", {}).get("error")
    if first["type"] == "extra_forbidden":
        return f"{name}: there is no such option; sewall recombination map --help lists them"
    if name == "mutation_rate" and first["type"] == "missing":
        return f"{flag(name)}: {_missing_rate()}"
    if first["type"] == "missing":
        return f"{flag(name)}: is missing; give it"
    if isinstance(cause, ValueError) and not name:
        return str(cause)
    if str(cause).startswith("no such file"):
        return f"{first['input']}: {cause} ({flag(name)})" if name != "variants" else f"{first['input']}: {cause}"
    says = str(cause) if cause is not None else _SAYS.get(name, first["msg"].lower())
    return f"{flag(name)}: {says}" if cause is not None else f"{flag(name)} {says}; got {first['input']!r}"


def _rate_unit() -> str:
    return "the unit is mutations per bp per generation, for instance 1.25e-8 for humans"


def _missing_rate() -> str:
    return f"is missing; without it the data give only rho/theta, not a rate ({_rate_unit()})"


def _refused_rate(rate: float) -> str:
    meant = f"; did you mean {rate:g}e-8?" if 0.01 <= rate < 100 else ""
    return f"{rate:g} is not between 0 and {HIGHEST_MUTATION_RATE:g}; {_rate_unit()}{meant}"
