"""What stands beside scores: how models were tested, what composition is worth alone, how steady answers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sewall import crossscores
from sewall.bundle import Bundle
from sewall.crossfit import Fits
from sewall.data.sequences import Floats, Sequences
from sewall.dna.audit import Audit
from sewall.jobs.sequence.fragility import drawn, fragility
from sewall.jobs.sequence.matched_scores import matched_scores
from sewall.jobs.sequence.task import MOST_AMBIGUOUS, SequenceTask
from sewall.jobs.sequence.verdicts import verdict_of
from sewall.run import Predictions
from sewall.stacking import Nested

FEW = f"another length than the bundle reads, or more than {MOST_AMBIGUOUS:.0%} ambiguous letters"


def beside(
    scores: Mapping[str, Any], bundle: Bundle, fits: Fits, found: Nested, looked: Audit, how: str
) -> dict[str, Any]:
    """Return what evaluation.json holds beside the *scores* of a cross-fit.

    Args:
        scores: from `crossscores.evaluate`.
        bundle: that was scored.
        fits: behind it.
        found: answers to sequences that models did not know.
        looked: the audit.
        how: what was kept together in folds, in words.
    """
    best = next(m for m in bundle.simple_models if m.key == bundle.about["best_simple"])
    findings = [finding.to_dict() for finding in looked.findings]
    return {
        "best_simple": {"key": best.key, "name": best.name}, "learning": fits.learning,
        "held_out": f"{len(found.rows):,} sequences, each predicted by models that were fitted without its fold "
                    f"({fits.folds.number} folds, {how})",
        "audit": {"status": looked.status, "findings": findings}, **verdict_of(scores, findings).to_dict(),
    }  # fmt: skip


def scored(
    task: SequenceTask, bundle: Bundle, sequences: Sequences, predicted: Predictions, truth: Floats, level: float,
    seed: int, numbers: Sequence[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the scores of a bundle on sequences that it does not know, matched too, and how steady its answers are.

    Args:
        task, bundle: that predicted.
        sequences: all of them.
        predicted: their predictions.
        truth: ``(sequences,)`` numbers of the classes, or quantities; NaN where not known.
        level: of intervals and sets.
        seed: of bootstrap, choice and small changes.
        numbers: as of `matched_scores`.
    """
    strata = np.zeros(len(truth), np.int64)
    scores = crossscores.evaluate_new(task, bundle, predicted, truth, strata, level, seed)
    return scores | {
        "held_out": f"{scores['n']:,} sequences that no model has seen",
        "matched": matched_scores(task.target, scores["models"], predicted.answers, truth, sequences, numbers, seed),
        "fragility": fragility(task, bundle, sequences, predicted, drawn(len(truth), seed), seed).to_dict(),
    }
