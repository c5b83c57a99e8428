"""What a user may ask about variants."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sewall.jobs.options import Input, Options, Size
from sewall.trust.effects import FEWEST_NULL


class VariantOptions(Options):
    """Options of ``sewall sequence variants``.

    Attributes:
        bundle: folder of a bundle of this job.
        vcf: the variants, VCF or BCF; every ALT allele is asked about by itself.
        fasta: the genome that they were called against.
        genes: GFF3 file of the genes, for the consequence by rule.
        label: class whose chance is followed; by default the last.
        width: letters of the windows; by default those of the training.
        strand: on which windows are read, where the bundle tells strands apart.
        shifts: windows around each variant, each 5 letters from the next; their mean counts.
        random: random variants of each kind that the others are compared with.
        within: how far from the given variants random ones lie; by default in their windows, so that of variants in a
            motif, some random ones hit the same motif.
        level: share of random variants that is called no effect, and of further networks that the intervals hold.
    """

    job: ClassVar[str] = "sequence"
    says: ClassVar[dict[str, str]] = Options.says | {
        "strand": "is + or -",
        "shifts": "is a number of windows, 1 to 9",
        "level": "is a share above 0.5 and at most 0.98, for instance 0.9",
        "random": f"is a number of random variants, {FEWEST_NULL} to 20000",
    }
    when_missing: ClassVar[dict[str, str]] = {
        "vcf": "is missing; give the variants as a VCF",
        "fasta": "is missing; give the genome that the variants were called against",
    }

    bundle: Input
    vcf: Input
    fasta: Input
    genes: Input | None = None
    label: str | None = None
    width: Size | None = None
    strand: Literal["+", "-"] = "+"
    shifts: Annotated[int, Field(ge=1, le=9)] = 3
    random: Annotated[int, Field(ge=FEWEST_NULL, le=20_000)] = 500
    within: Size | None = None
    level: Annotated[float, Field(gt=0.5, le=0.98)] = 0.9
