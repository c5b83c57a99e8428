"""The sequence job: what does this DNA do?

Each verb is a function here, loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sewall.jobs.sequence.auditing import AuditResult, audit
    from sewall.jobs.sequence.evaluating import EvaluateResult, evaluate
    from sewall.jobs.sequence.explaining import ExplainResult, explain
    from sewall.jobs.sequence.predicting import PredictResult, predict
    from sewall.jobs.sequence.results import TrainResult, TrainResults
    from sewall.jobs.sequence.training import train
    from sewall.jobs.sequence.variant_effects import VariantsResult, variants

__all__ = [
    "AuditResult",
    "EvaluateResult",
    "ExplainResult",
    "PredictResult",
    "TrainResult",
    "TrainResults",
    "VariantsResult",
    "audit",
    "evaluate",
    "explain",
    "predict",
    "train",
    "variants",
]

_PLACES = {
    "audit": "auditing",
    "AuditResult": "auditing",
    "evaluate": "evaluating",
    "EvaluateResult": "evaluating",
    "explain": "explaining",
    "ExplainResult": "explaining",
    "predict": "predicting",
    "PredictResult": "predicting",
    "train": "training",
    "variants": "variant_effects",
    "VariantsResult": "variant_effects",
    "TrainResult": "results",
    "TrainResults": "results",
}


def __getattr__(name: str) -> Any:  # heavy modules are read when a verb is used, so that --help stays fast
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
