"""What a user may ask of an explanation."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sewall.jobs.options import Input
from sewall.jobs.sequence.options import SequenceOptions


class ExplainOptions(SequenceOptions):
    """Options of ``sewall sequence explain``.

    Attributes:
        bundle: folder of a trained bundle.
        motifs: file in MEME's format of known motifs, with which found ones are compared.
        label: class whose score is explained; by default the last.
        most: sequences to attribute, of those that are given.
        method: ``deeplift``, ``mutagenesis``, or ``auto``: the first where it is true to the networks.
        permuted: whether a network is trained on shuffled labels, where there are labels, in which nothing should be
            found.
        finder: what finds motifs in attributions: ``seqlets``, Sewall's own, or ``modisco`` (TF-MoDISco, an extra).
    """

    says: ClassVar[dict[str, str]] = SequenceOptions.says | {
        "method": "is auto, deeplift or mutagenesis",
        "finder": "is seqlets or modisco",
        "most": "is a number of sequences, 20 or more",
    }

    bundle: Input
    motifs: Input | None = None
    label: str | None = None
    most: Annotated[int, Field(ge=20)] = 500
    method: Literal["auto", "deeplift", "mutagenesis"] = "auto"
    finder: Literal["seqlets", "modisco"] = "seqlets"
    permuted: bool = True
