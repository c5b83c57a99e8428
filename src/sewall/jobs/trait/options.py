"""What a user may ask of the trait job."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from sewall.jobs.options import Input, Options

FOLDS = 5


def _names(value: Any) -> Any:
    """Return names given one by one, or in one text with commas, as a tuple."""
    words = [value] if isinstance(value, str) else list(value)
    return tuple(name.strip() for word in words for name in str(word).split(",") if name.strip())


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Level = Annotated[float, Field(gt=0.5, le=0.995)]


class TraitOptions(Options):
    """Which genotypes are read, and how.

    Attributes:
        genotypes: PLINK 1 or 2, VCF, BCF, VCF Zarr, tree sequence, HapMap text, or a matrix of 0, 1, 2.
        phenotypes: table of traits and covariates by ``sample_id``.
        sites: map of the sites of a matrix.
        build: ``GRCh37`` or ``GRCh38``: tells the pseudo-autosomal regions.
        autosomes: number of autosomes, where chromosomes after the last are numbered.
        allow_missing: leave out individuals of the table that have no genotypes, and those without all covariates.
        level: share of the true values that the intervals shall cover.
    """

    job: ClassVar[str] = "trait"
    says: ClassVar[dict[str, str]] = Options.says | {
        "folds": "is the number of parts for cross-validation, 3 or more",
        "window": "is a number of sites, 2 or more",
        "autosomes": "is the number of autosomes, 1 or more",
        "model": 'is "default" or "article"',
        "build": 'is "GRCh37" or "GRCh38"',
    }
    when_missing: ClassVar[dict[str, str]] = {
        "phenotypes": "is missing; give a table with the columns sample_id and the trait",
        "trait": "is missing; name the column of the table that is to be predicted",
    }

    genotypes: Input
    sites: Input | None = None
    build: Literal["GRCh37", "GRCh38"] | None = None
    autosomes: Annotated[int, Field(ge=1)] | None = None
    allow_missing: bool = False
    level: Level = 0.9


class TrainOptions(TraitOptions):
    """Options of ``sewall trait train``.

    Attributes:
        trait: column of the table.
        covariates: columns that are known of everybody; their effects are never shrunk, and no network sees them.
        groups: column of what must not straddle folds (family, cage).
        folds: number of folds.
        window: linkage window in sites; None finds it.
        model: ``default`` or ``article`` (one shared kernel per chromosome, two-hot as it stands).
    """

    phenotypes: Input
    trait: Annotated[str, Field(min_length=1)]
    covariates: Names = ()
    groups: str | None = None
    folds: Annotated[int, Field(ge=3)] = FOLDS
    window: Annotated[int, Field(ge=2)] | None = None
    model: Literal["default", "article"] = "default"


class PredictOptions(TraitOptions):
    """Options of ``sewall trait predict``.

    Attributes:
        bundle: a trained bundle.
        phenotypes: table of the covariates that the bundle was trained with, where it was.
        samples: file whose first column names whom to predict.
    """

    bundle: Input
    phenotypes: Input | None = None
    samples: Input | None = None
