"""Loops that are compiled."""

from __future__ import annotations

import os
from pathlib import Path

from numba import njit

compiled = njit(cache=os.access(Path(__file__).parent, os.W_OK))  # takes seconds: kept beside the source where it can
