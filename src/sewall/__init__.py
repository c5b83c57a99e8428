"""Deep learning for genetics that a scientist can trust.

The jobs are loaded when they are first used, so that ``import sewall`` costs nothing:

>>> import sewall
>>> "recombination" in dir(sewall)
True
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_JOBS = {
    "recombination": "sewall.jobs.recombination",
    "sequence": "sewall.jobs.sequence",
    "sweep": "sewall.jobs.sweep",
    "trait": "sewall.jobs.trait",
}

__all__ = ["__version__", "recombination", "sequence", "sweep", "trait"]


def __getattr__(name: str) -> Any:
    if name in _JOBS:
        return import_module(_JOBS[name])
    if name == "__version__":
        from importlib.metadata import version

        return version("sewall")
    raise AttributeError(f"module 'sewall' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
