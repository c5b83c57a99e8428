"""What a user may ask of the sequence job."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from sewall.jobs.options import Input, Options, Size

FOLDS = 5


def _each(value: Any) -> Any:
    """Return one name, or several, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value)


Names = Annotated[tuple[str, ...], BeforeValidator(_each)]
Level = Annotated[float, Field(gt=0.5, le=0.995)]


class SequenceOptions(Options):
    """Base of the options of this job's verbs.

    Attributes:
        sequences: FASTA, a table, or regions (BED, narrowPeak) of a genome.
        fasta: the genome of regions.
        width: letters of windows around the middle, or summit, of regions.
        level: share of the true values that intervals and sets shall hold.
    """

    job: ClassVar[str] = "sequence"
    says: ClassVar[dict[str, str]] = Options.says | {
        "folds": "is the number of parts for cross-validation, 3 or more",
        "kind": "is auto, classes or quantity",
        "split": "is auto, random, group, chromosome or cluster",
        "strands": "is auto, both (a sequence and its reverse complement are one) or one",
        "places": "is auto, anchored (places count from the ends) or free",
        "predictor": "is stack, network or simplest",
        "width": "is a number of letters, 1 or more",
        "shuffled": "is a number of shuffled copies for each sequence, 1 to 20",
    }

    sequences: Input
    fasta: Input | None = None
    width: Size | None = None
    level: Level = 0.9


class LabelledOptions(SequenceOptions):
    """Where labels come from.

    Attributes:
        negatives: a second file, whose sequences are the class ``negative`` beside ``positive``.
        label: columns that hold labels; by default ``label``.
        kind: whether labels are classes or quantities.
        group: column of what must not straddle folds (gene, patient); by default ``group`` where there is one.
        track: bigWig whose mean over each region is the quantity.
    """

    negatives: Input | None = None
    label: Names = ("label",)
    kind: Literal["auto", "classes", "quantity"] = "auto"
    group: str | None = None
    track: Input | None = None


class TrainOptions(LabelledOptions):
    """Options of ``sewall sequence train``.

    Attributes:
        shuffled: where there are no negatives: dinucleotide-shuffled copies of each sequence that take their place.
        matched: where there are no negatives: take stretches of the genome that are alike in GC, length and repeats.
        test: labelled sequences that are kept out of everything and looked at once.
        part: column of a given split: what is not ``train`` is the test.
        test_negatives: the test's second file, where classes stand in files of their own.
        split: what is kept together in folds: groups, chromosomes, or clusters of like sequences.
        folds: parts for cross-validation.
        strands, places: how sequences are read; ``auto`` lets the data say.
        predictor: what answers: the stack of all models, the network, or the simplest adequate model.
        curve: whether models are fitted to fewer sequences too, to see whether there are enough.
    """

    shuffled: Annotated[int, Field(ge=1, le=20)] | None = None
    matched: bool = False
    test: Input | None = None
    part: str | None = None
    test_negatives: Input | None = None
    split: Literal["auto", "random", "group", "chromosome", "cluster"] = "auto"
    folds: Annotated[int, Field(ge=3)] = FOLDS
    strands: Literal["auto", "both", "one"] = "auto"
    places: Literal["auto", "anchored", "free"] = "auto"
    predictor: Literal["stack", "network", "simplest"] = "stack"
    curve: bool = True


class PredictOptions(SequenceOptions):
    """Options of ``sewall sequence predict``.

    Attributes:
        bundle: folder of a trained bundle.
        fragile: whether sequences are changed a little to see which answers turn; ``auto`` asks of the first 2,000.
    """

    says: ClassVar[dict[str, str]] = SequenceOptions.says | {"fragile": "is auto, always or never"}

    bundle: Input
    fragile: Literal["auto", "always", "never"] = "auto"


class EvaluateOptions(LabelledOptions):
    """Options of ``sewall sequence evaluate``.

    Attributes:
        bundle: folder of a trained bundle.
    """

    bundle: Input
