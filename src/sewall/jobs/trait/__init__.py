"""Traits from genotypes, with the classical models beside the network and an interval for every individual.

>>> from sewall import trait
>>> trait.train("cohort.bed", phenotypes="traits.tsv", trait="height", out="out").summary()  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sewall.jobs.trait.predicting import PredictResult, predict
    from sewall.jobs.trait.training import TrainResult, train

__all__ = ["PredictResult", "TrainResult", "predict", "train"]

_PLACES = {"train": "training", "TrainResult": "training", "predict": "predicting", "PredictResult": "predicting"}


def __getattr__(name: str) -> Any:  # heavy modules are read when a verb is used, so that --help stays fast
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
