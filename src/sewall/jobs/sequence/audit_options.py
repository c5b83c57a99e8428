"""What a user may ask of an audit."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator

from sewall.jobs.options import Input, Output
from sewall.jobs.sequence.options import LabelledOptions


class AuditOptions(LabelledOptions):
    """Options of ``sewall sequence audit``.

    Attributes:
        test: held-out sequences of a given split; the others are then those of training.
        part: column that names the part of a split each sequence belongs to, ``train`` or another.
        strands: whether a sequence and its reverse complement are one molecule (``both``) or two (``one``).
        clean: file for a clean set, FASTA or TSV by its name.
    """

    says: ClassVar[dict[str, str]] = LabelledOptions.says | {
        "strands": "is both (a sequence and its reverse complement are one) or one",
    }

    test: Input | None = None
    part: str | None = None
    strands: Literal["both", "one"] = "both"
    clean: Output | None = None

    @field_validator("clean")
    @classmethod
    def _known_format(cls, value: Path | None) -> Path | None:
        if value is not None and value.suffix.lower() not in {".fa", ".fasta", ".tsv"}:
            raise ValueError(f"{value} should end in .fa, .fasta or .tsv, which says the format")
        return value

    def input_files(self) -> dict[str, Path]:
        """Return the input files that are given, by option name; the clean set is none."""
        return {name: path for name, path in super().input_files().items() if name != "clean"}
