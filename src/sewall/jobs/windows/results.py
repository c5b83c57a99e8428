"""What a single stage of a job gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """A finished stage: the folder or file it made, and one line about it."""

    path: Path
    text: str

    def summary(self) -> str:
        """Return what was made, and where it lies."""
        return f"{self.text}\n{self.path}"
