"""What an audit says: one finding per check, each with a light, numbers, examples and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

PASS, WARN, FAIL = "pass", "warn", "fail"
_ORDER = (FAIL, WARN, PASS)
EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: short name, the same in every run.
        status: ``pass``, ``warn`` or ``fail``.
        what: what was found, a sentence.
        count, of: how many sequences it concerns, and of how many.
        first: examples.
        advice: what to do; empty where it passes.
    """

    check: str
    status: str
    what: str
    count: int = 0
    of: int = 0
    first: tuple[str, ...] = ()
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON types."""
        return {**vars(self), "first": list(self.first)}


def worst(findings: Iterable[Finding]) -> str:
    """Return the worst status of some findings.

    >>> worst([Finding("size", "pass", ""), Finding("order", "warn", "")])
    'warn'
    """
    return min((finding.status for finding in findings), key=_ORDER.index, default=PASS)


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order in which they should be read."""
    return sorted(findings, key=lambda finding: _ORDER.index(finding.status))
