"""Traits from genotypes, with the classical models beside the network and an interval for every individual.

>>> from sewall import trait
>>> trait.train("cohort.bed", phenotypes="traits.tsv", trait="height", out="out").summary()  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sewall.jobs.trait.evaluating import EvaluateResult, evaluate
    from sewall.jobs.trait.explaining import ExplainResult, explain
    from sewall.jobs.trait.inspecting import InspectResult, inspect
    from sewall.jobs.trait.predicting import PredictResult, predict
    from sewall.jobs.trait.results import TrainResult, TrainResults
    from sewall.jobs.trait.scoring import ScoreResult, score
    from sewall.jobs.trait.simulating import SimulateResult, simulate
    from sewall.jobs.trait.training import train
    from sewall.jobs.trait.transferring import TransferResult, transfer

__all__ = [
    "EvaluateResult",
    "ExplainResult",
    "InspectResult",
    "PredictResult",
    "ScoreResult",
    "SimulateResult",
    "TrainResult",
    "TrainResults",
    "TransferResult",
    "evaluate",
    "explain",
    "inspect",
    "predict",
    "score",
    "simulate",
    "train",
    "transfer",
]

_PLACES = {
    "evaluate": "evaluating",
    "EvaluateResult": "evaluating",
    "explain": "explaining",
    "ExplainResult": "explaining",
    "inspect": "inspecting",
    "InspectResult": "inspecting",
    "score": "scoring",
    "ScoreResult": "scoring",
    "simulate": "simulating",
    "SimulateResult": "simulating",
    "train": "training",
    "TrainResult": "results",
    "TrainResults": "results",
    "transfer": "transferring",
    "TransferResult": "transferring",
    "predict": "predicting",
    "PredictResult": "predicting",
}


def __getattr__(name: str) -> Any:  # heavy modules are read when a verb is used, so that --help stays fast
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
