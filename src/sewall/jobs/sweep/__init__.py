"""Selective sweeps from variants: a scan whose probabilities hold.

>>> from sewall import sweep
>>> sweep.scan("cohort.vcf.gz", mutation_rate=1.25e-8, recombination_rate=1e-8, out="out").regions  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sewall.jobs.sweep.explaining import ExplainResult, explain
    from sewall.jobs.sweep.scanning import ScanResult, predict, scan
    from sewall.jobs.sweep.stages import evaluate, simulate, train

__all__ = ["ExplainResult", "ScanResult", "evaluate", "explain", "predict", "scan", "simulate", "train"]

_PLACES = {
    "scan": "scanning", "predict": "scanning", "ScanResult": "scanning", "explain": "explaining",
    "ExplainResult": "explaining",
}  # fmt: skip


def __getattr__(name: str) -> Any:  # heavy modules are read when a verb is used, so that --help stays fast
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES.get(name, 'stages')}"), name)
