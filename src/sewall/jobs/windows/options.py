"""What a user may ask of any job that reads windows of variants and simulates others like them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from sewall.jobs.options import Input, Options, Size, flag

Method = Literal["resimulate", "randomise", "reweight", "align", "auto"]  # of adapting
DEFAULT_WINDOW = 100_000
HIGHEST_MUTATION_RATE = 1e-5
RATE_UNIT = "the unit is mutations per bp per generation, for instance 1.25e-8 for humans"
MISSING_RATE = f"is missing; without it the data give only rho/theta, not a rate ({RATE_UNIT})"


class WindowOptions(Options):
    """Base of the options of these jobs' verbs."""

    says: ClassVar[dict[str, str]] = Options.says | {
        "simulations": "is the number of windows to simulate, at least 500",
        "min_count": "is the lowest count of the rarer allele that is kept, 1 or more",
        "phased": "is true, false or not given",
        "generation_time": "is in years per generation, above 0",
        "adapt": "is one of resimulate, randomise, reweight, align, auto",
    }
    when_missing: ClassVar[dict[str, str]] = {"mutation_rate": MISSING_RATE}


class DataOptions(WindowOptions):
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
            raise ValueError(MISSING_RATE)
        try:
            rate = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{value!r} is not a number; {RATE_UNIT}") from None
        if not 0 < rate < HIGHEST_MUTATION_RATE:
            raise ValueError(_refused_rate(rate))
        return rate

    @model_validator(mode="after")
    def _one_of_each_kind(self) -> Self:
        if self.windows is not None and self.window != type(self).model_fields["window"].default:
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
        adapt: what is done against a history that the data did not live through (see `sewall.jobs.windows.adapting`);
            None follows the history that was given, and where there is none the spectrum of the data.
        min_count: lowest count of the rarer allele kept in data and simulations; None finds it from the data.
        cluster: address of a Dask scheduler; None works on this machine.
    """

    demography: Input | None = None
    population: str | None = None
    generation_time: Annotated[float, Field(gt=0)] | None = None
    quick: bool = False
    simulations: Annotated[int, Field(ge=500)] | None = None
    adapt: Method | None = None
    min_count: Annotated[int, Field(ge=1)] | None = None
    cluster: str | None = None

    @model_validator(mode="after")
    def _history_complete(self) -> Self:
        for name in ("population", "generation_time"):
            if getattr(self, name) is not None and self.demography is None:
                raise ValueError(f"{flag(name)} speaks of a history file; give it with --demography, or leave it out")
        return self


def _refused_rate(rate: float) -> str:
    meant = f"; did you mean {rate:g}e-8?" if 0.01 <= rate < 100 else ""
    return f"{rate:g} is not between 0 and {HIGHEST_MUTATION_RATE:g}; {RATE_UNIT}{meant}"
