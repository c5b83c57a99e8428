"""Recombination maps from variants, with intervals that hold.

>>> from sewall import recombination
>>> recombination.map("cohort.vcf.gz", mutation_rate=1.25e-8, out="out").table  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sewall.jobs.recombination.mapping import MapResult, map, predict
    from sewall.jobs.recombination.stages import evaluate, simulate, train

__all__ = ["MapResult", "evaluate", "map", "predict", "simulate", "train"]

_PLACES = {"map": "mapping", "predict": "mapping", "MapResult": "mapping"}


def __getattr__(name: str) -> Any:  # heavy modules are read when a verb is used, so that --help stays fast
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES.get(name, 'stages')}"), name)
