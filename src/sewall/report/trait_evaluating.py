"""The page of an evaluation: how well a bundle predicts individuals that were not in its training."""

from __future__ import annotations

from sewall.report.comparison import STACK
from sewall.report.files import RunFiles, part
from sewall.report.scores import in_words, reached, score, target_name, with_what
from sewall.report.trait_predicting import asked, beside, doubts, more
from sewall.report.trait_training import section, tile

__all__ = ["asked", "beside", "doubts", "more", "section", "sentence", "tile"]


def sentence(files: RunFiles) -> str:
    """Say how well the stack predicts individuals that were not in its training, beside the best single model."""
    known = score(files, STACK)
    if not known:
        return "How well the bundle predicts was not measured in this run."
    said = (
        f"In {files.evaluation.get('n', 0):,} individuals that were not in its training, the bundle's prediction of "
        f"{target_name(files)} has {reached(files, in_words(known))}{with_what(files)}"
    )
    best = part(files.evaluation, "best_simple")
    alone = score(files, str(best.get("key")))
    return f"{said}; that of {best.get('name')} is {in_words(alone)}." if alone else f"{said}."
