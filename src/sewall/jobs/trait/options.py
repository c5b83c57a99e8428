"""What a user may ask of the trait job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from sewall.jobs.options import Input, Options, Size

FOLDS = 5


def _names(value: Any) -> Any:
    """Return names given one by one, or in one text with commas, as a tuple."""
    words = [value] if isinstance(value, str) else list(value)
    return tuple(name.strip() for word in words for name in str(word).split(",") if name.strip())


def _each(value: Any) -> Any:
    """Return one name, or several, as a tuple; a name may hold commas."""
    return (value,) if isinstance(value, str) else tuple(value)


def _file_or_column(value: Any) -> Any:
    """Return the path of a file where there is one of that name, and else the name of a column."""
    return Path(value) if Path(value).is_file() else str(value)


def _numbers(value: Any) -> Any:
    """Return numbers given one by one, or in one text with commas, as a tuple."""
    words = [value] if isinstance(value, str | float | int) else list(value)
    return tuple(part for word in words for part in str(word).split(",") if part.strip())


Sizes = Annotated[tuple[Annotated[float, Field(gt=0, le=10)], ...], BeforeValidator(_numbers)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
FileOrColumn = Annotated[Path | str, BeforeValidator(_file_or_column)]
Level = Annotated[float, Field(gt=0.5, le=0.995)]


class TraitOptions(Options):
    """Which genotypes are read, and how.

    Attributes:
        genotypes: PLINK 1 or 2, VCF, BCF, VCF Zarr, tree sequence, HapMap text, a cross of R/qtl2 (which brings its own
            *phenotypes*), or a matrix of 0, 1, 2.
        phenotypes: table of traits and covariates by ``sample_id``.
        sites: map of the sites of a matrix.
        ids: column of the sample ids in *phenotypes*; by default ``sample_id``, or else ``IID``, or the first.
        sex: table with a column of sexes, or a column of *phenotypes*; believed before what the genotypes say.
        field: ``DS``, ``GP``, ``PL`` or ``GL``: read expected genotypes from it; None for called ones.
        build: tells the pseudo-autosomal regions.
        autosomes: number of autosomes, where chromosomes after the last are numbered.
        sex_system: ``ZW`` where females have one Z and one W.
        samples: file whose first column names the individuals to use; all by default.
        allow_missing: leave out individuals of the table that have no genotypes, and those without all covariates.
        level: share of the true values that the intervals shall cover.
    """

    job: ClassVar[str] = "trait"
    says: ClassVar[dict[str, str]] = Options.says | {
        "folds": "is the number of parts for cross-validation, 3 or more",
        "window": "is a number of sites, 2 or more",
        "autosomes": "is the number of autosomes, 1 or more",
        "model": 'is "default" or "article"',
        "control": "is auto, always or never",
        "kernel": "is local or shared",
        "kernel_sizes": "are multiples of the window above 0, for instance 0.5,1,2",
        "build": "is GRCh37 or GRCh38 (human), GRCm38 or GRCm39 (mouse)",
        "field": "is DS, GP, PL or GL",
        "sex_system": "is XY or ZW",
        "missing": "is mean (of these data), file (frequencies of the score file) or zero",
        "x_males": "is one or two",
        "architecture": "is additive, sparse, dominance, epistasis-within, epistasis-between, x-linked, multi-allelic "
        "or null",
        "heritability": "is the share of the variance that is genetic, above 0 and at most 1",
        "causal": "is a number of sites, or of pairs of them, 1 or more",
        "share": "is a share of the genetic variance, above 0 and at most 1",
        "third_alleles": "is a share of the sites, above 0 and at most 1",
        "individuals": "is a number of individuals, 1 or more",
    }
    when_missing: ClassVar[dict[str, str]] = {
        "phenotypes": "is missing; give a table with the columns sample_id and the trait",
        "trait": "is missing; name the column of the table that is to be predicted",
        "architecture": "is missing; say how the trait shall be inherited: additive, dominance, null ...",
    }

    genotypes: Input
    sites: Input | None = None
    samples: Input | None = None
    ids: str | None = None
    sex: FileOrColumn | None = None
    field: Literal["DS", "GP", "PL", "GL"] | None = None
    build: Literal["GRCh37", "GRCh38", "GRCm38", "GRCm39"] | None = None
    autosomes: Annotated[int, Field(ge=1)] | None = None
    sex_system: Literal["XY", "ZW"] = "XY"
    allow_missing: bool = False
    level: Level = 0.9

    @model_validator(mode="before")
    @classmethod
    def _own_phenotypes(cls, given: Any) -> Any:
        """Take the traits and covariates of a zipped cross where no table is given."""
        genotypes = given.get("genotypes") if isinstance(given, dict) else None
        brings = "phenotypes" in cls.model_fields and str(genotypes).endswith(".zip")
        return given | {"phenotypes": given.get("phenotypes") or genotypes} if brings else given


class TrainOptions(TraitOptions):
    """Options of ``sewall trait train``.

    Attributes:
        trait: column of the table, or several; one network then learns all that are quantities.
        classes: traits whose numbers are names of classes; those of two values, or of words, have classes anyway.
        categories: covariates whose numbers are codes (batch, cage); those of words are categories anyway.
        covariates: columns that are known of everybody; their effects are never shrunk, and no network sees them.
        groups: column of what must not straddle folds (family, cage).
        leave_out: column of which every value is a fold of its own (population).
        folds: number of folds.
        window: linkage window in sites; None finds it.
        model: ``default`` or ``article`` (one shared kernel per chromosome, two-hot as it stands).
        kernel: ``local`` (every window has weights of its own) or ``shared`` (one kernel slides along a chromosome).
        kernel_sizes: lengths of parallel kernels as multiples of the window, for instance 0.5, 1 and 2.
        share: what chromosomes share: ``none``, ``deep`` (the layers above the kernels) or ``all`` (kernels too).
        pool: width of the genomic intervals over which windows are averaged, so that layers above fit other sites.
        control: whether a gain over additive models is compared with that of additive traits whose causes are not
            typed: ``auto`` where there is one beyond chance, ``always``, or ``never``.
    """

    says: ClassVar[dict[str, str]] = TraitOptions.says | {"share": "is none, deep or all"}

    phenotypes: Input
    trait: Annotated[tuple[str, ...], BeforeValidator(_each), Field(min_length=1)]
    classes: Names = ()
    covariates: Names = ()
    categories: Names = ()
    groups: str | None = None
    leave_out: str | None = None
    folds: Annotated[int, Field(ge=3)] = FOLDS
    window: Annotated[int, Field(ge=2)] | None = None
    model: Literal["default", "article"] = "default"
    kernel: Literal["local", "shared"] | None = None
    kernel_sizes: Sizes = ()
    share: Literal["none", "deep", "all"] | None = None
    pool: Size | None = None
    control: Literal["auto", "always", "never"] = "auto"

    @model_validator(mode="after")
    def _once(self) -> TrainOptions:
        if len(set(self.trait)) < len(self.trait):
            raise ValueError("--trait: a trait is named twice; name each once")
        if self.groups is not None and self.leave_out is not None:
            raise ValueError("--groups and --leave-out both say what folds are made of; give one")
        return self


class TransferOptions(TrainOptions):
    """Options of ``sewall trait transfer``.

    Attributes:
        bundle: a trained bundle.
        trait: column of the table; by default the trait of the bundle.
    """

    bundle: Input
    trait: Annotated[tuple[str, ...], BeforeValidator(_each), Field(max_length=1)] = ()


class PredictOptions(TraitOptions):
    """Options of ``sewall trait predict``.

    Attributes:
        bundle: a trained bundle.
        phenotypes: table of the covariates that the bundle was trained with, where it was.
    """

    bundle: Input
    phenotypes: Input | None = None


class InspectOptions(TraitOptions):
    """Options of ``sewall trait inspect``.

    Attributes:
        phenotypes: table of traits.
        samples: file whose first column names whom to look at.
    """

    phenotypes: Input | None = None
    samples: Input | None = None


class EvaluateOptions(PredictOptions):
    """Options of ``sewall trait evaluate``.

    Attributes:
        phenotypes: table of the trait, and of the covariates that the bundle was trained with.
        trait: its column; by default that of the bundle.
        keep_known: judge by individuals of the training too; else they are left out.
    """

    phenotypes: Input
    trait: str | None = None
    keep_known: bool = False


class ExplainOptions(PredictOptions):
    """Options of ``sewall trait explain``.

    Attributes:
        trait: column of *phenotypes* that sites are tested for; by default the trait of the bundle.
        label: class that is explained, where the bundle predicts one of several; by default the last.
    """

    trait: str | None = None
    label: str | None = None


class ScoreOptions(TraitOptions):
    """Options of ``sewall trait score``.

    Attributes:
        scores: scoring file of the PGS Catalog.
        missing: what a missing call adds: ``mean``, what the frequency in these data lets expect; ``file``, the same
            with the frequency of the file; ``zero``, nothing.
        x_males: copies as which a male's one copy of X counts; None takes what the file says, or else ``two``.
        keep_ambiguous: read A/T and C/G as they stand, also where nothing tells the strand.
    """

    scores: Input
    missing: Literal["mean", "file", "zero"] = "mean"
    x_males: Literal["one", "two"] | None = None
    keep_ambiguous: bool = False


class SimulateOptions(TraitOptions):
    """Options of ``sewall trait simulate``.

    Attributes:
        architecture: how the trait is inherited.
        heritability: share of its variance that is genetic; half by default.
        causal: number of causal sites, or of pairs in epistasis.
        share: of the genetic variance, that of what is not additive (of X, of third alleles); half by default.
        compensation: whether the one X of a male counts as two.
        within: most bp between the partners of a pair; by default they are 3 to 11 sites apart.
        third_alleles: share of the sites at which a third allele is made first.
        individuals: make so many, as mosaics of those in the file.
        remove_causal: write genotypes without the causal sites.
    """

    architecture: Literal[
        "additive", "sparse", "dominance", "epistasis-within", "epistasis-between", "x-linked", "multi-allelic", "null"
    ]
    heritability: Annotated[float, Field(gt=0, le=1)] | None = None
    causal: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    compensation: bool = False
    within: Size | None = None
    third_alleles: Annotated[float, Field(gt=0, le=1)] | None = None
    individuals: Annotated[int, Field(ge=1)] | None = None
    remove_causal: bool = False

    @model_validator(mode="after")
    def _applies(self) -> SimulateOptions:
        """Refuse what the architecture does not have: an option that does nothing would be believed to do something."""
        without = {
            "heritability": ("null",), "causal": ("null",), "remove_causal": ("null",),
            "share": ("null", "additive", "sparse"),
        }  # fmt: skip
        only = {"compensation": "x-linked", "within": "epistasis-within", "third_alleles": "multi-allelic"}
        for name in (*without, *only):
            fits = self.architecture not in without.get(name, ()) and only.get(name) in (None, self.architecture)
            if getattr(self, name) and not fits:
                raise ValueError(
                    f"--{name.replace('_', '-')}: the architecture {self.architecture} has none; leave out"
                )
        return self
