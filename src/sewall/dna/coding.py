"""Numbers that tell whether a transcript encodes a protein.

Size and share of the reading frame, the position and content parameters of Fickett (1982, Nucleic Acids Res 10:5303)
and the use of hexamers are those of CPAT (Wang et al. 2013, Nucleic Acids Res 41:e74).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.dna.codon_use import PAIRS, CodonUse, codon_sums
from sewall.dna.reading_frames import CODON, Floats, Transcripts, summed, words
from sewall.encode.dna import Numbers

NO_FRAME = -9.0  # score where there is no frame
FEWEST = 10  # codons that a mean is taken over
END = 150  # letters that are looked at by themselves
TAIL, SIGNALS = 50, {"AATAAA": 0b000011000000, "ATTAAA": 0b001111000000}  # of polyadenylation, in the last letters


def plain_numbers(transcripts: Transcripts) -> pd.DataFrame:
    """Return what is seen of transcripts without knowing how codons are used, one row each.

    >>> from sewall.data.sequences import packed
    >>> plain_numbers(Transcripts.of(packed(["a"], ["CCATGAAATAGC"])))["longest frame"].tolist()
    [9.0]
    """
    lengths, frames = np.diff(transcripts.starts), transcripts.frames
    longest_open = np.zeros(len(transcripts))
    np.maximum.at(longest_open, frames.row, frames.lengths)
    return pd.DataFrame(
        {
            "length": np.log(lengths),
            **_placed("longest frame", transcripts.longest, transcripts),
            "longest open frame": longest_open,
            "frames per letter": np.bincount(frames.row, minlength=len(transcripts)) / lengths,
            **_fickett(transcripts),
            **_ends(transcripts),
        }
    )


def coding_numbers(transcripts: Transcripts, use: CodonUse) -> pd.DataFrame:
    """Return how much transcripts look like coding ones by what was learnt of these, one row each."""
    phases, stretch = use.stretches(transcripts)
    scores, frames, longest = use.frame_scores(transcripts), transcripts.frames, transcripts.longest
    best, rows = transcripts.best_frame(scores), np.arange(len(transcripts))
    spans, others = transcripts.spans_of(best), scores.copy()
    others[best[best >= 0]] = -np.inf
    return pd.DataFrame(
        {
            **{f"stretch: score, phase {number}": phases[:, number] for number in range(CODON)},
            **_placed("stretch", stretch, transcripts),
            **_codons("stretch", transcripts, stretch, use.stretch),
            "best frame: score": _of(scores, best, NO_FRAME),
            "best frame: score of the next": _of(scores, transcripts.best_frame(others), NO_FRAME),
            "best frame: ATG": _of(frames.begun, best, 0),
            "best frame: stop": _of(frames.stopped, best, 0),
            "best frame: around ATG": use.start_scores(transcripts, rows, spans[:, 0]),
            **_placed("best frame", spans, transcripts),
            **_codons("best frame", transcripts, spans, use.frame),
            **_codons("longest frame", transcripts, longest, use.successor),
            "longest frame: around ATG": use.start_scores(transcripts, rows, longest[:, 0]),
        }
    )


def _of(values: NDArray[Any], frames: Numbers, missing: float) -> Floats:
    """Return the value of one frame of each transcript; *missing* for the frame -1."""
    found = np.full(len(frames), missing, float)
    found[frames >= 0] = values[frames[frames >= 0]]
    return found


def _placed(name: str, spans: Numbers, transcripts: Transcripts) -> dict[str, Floats]:
    """Return where spans lie in their transcripts: in letters, and as shares of them."""
    first, last = transcripts.spans.T
    size, before = spans[:, 1] - spans[:, 0], spans[:, 0] - first
    return {
        name: size.astype(float),
        f"{name}: share": size / (last - first),
        f"{name}: before": before.astype(float),
        f"{name}: share before": before / (last - first),
        f"{name}: behind": (last - spans[:, 1]).astype(float),
    }


def _codons(name: str, transcripts: Transcripts, spans: Numbers, values: Floats) -> dict[str, Floats]:
    """Return sum and mean of the log odds of pairs of codons in spans."""
    sums, codons = codon_sums(transcripts, spans, values), (spans[:, 1] - spans[:, 0]) / CODON
    return {f"{name}: pairs": sums, f"{name}: mean of pairs": sums / np.maximum(codons, FEWEST)}


def _fickett(transcripts: Transcripts) -> dict[str, Floats]:
    """Return the share of every base, and how unevenly it falls on the positions of codons."""
    single, spans = words(transcripts.letters, transcripts.starts, 1), transcripts.spans
    shifted = [np.minimum(spans + np.array([phase, 0]), spans[:, 1:]) for phase in range(CODON)]
    found = {}
    for base, letter in enumerate("ACGT"):
        counts = np.array([summed(single, span, np.eye(4)[base], CODON) for span in shifted])
        found[f"{letter}: unevenness"] = counts.max(axis=0) / (counts.min(axis=0) + 1)
        found[f"{letter}: share"] = counts.sum(axis=0) / np.diff(transcripts.starts)
    return found


def _ends(transcripts: Transcripts) -> dict[str, Floats]:
    """Return GC and CpG of both ends and of the whole, and whether there is a signal of polyadenylation."""
    first, last = transcripts.spans.T
    parts = {
        "start": np.column_stack([first, np.minimum(first + END, last)]),
        "end": np.column_stack([np.maximum(last - END, first), last]),
        "whole": transcripts.spans,
    }
    single, double = (words(transcripts.letters, transcripts.starts, k) for k in (1, 2))
    found = {}
    for name, spans in parts.items():
        size = spans[:, 1] - spans[:, 0]
        found[f"GC: {name}"] = summed(single, spans, np.array([0.0, 1, 1, 0]), 1) / size
        found[f"CpG: {name}"] = summed(double, spans, np.eye(16)[0b0110], 1) / size
    tail = np.column_stack([np.maximum(last - TAIL, first), last])
    for name, number in SIGNALS.items():
        found[name] = np.minimum(summed(transcripts.pairs, tail, np.eye(PAIRS)[number], 1), 1)
    return found
