"""The one kind of error that a user may see: what is wrong, where, and what to do, in one line."""

from __future__ import annotations


class SewallError(Exception):
    """A mistake in the input or the data that the user can mend.

    The command line prints it as ``error: MESSAGE`` and exits with 1; from Python it is an ordinary exception.
    The message says what is wrong, where (file, line, contig, sample) and what to do, in one line.

    >>> raise SewallError("cohort.vcf: no such file; check the path")
    Traceback (most recent call last):
    ...
    sewall.errors.SewallError: cohort.vcf: no such file; check the path
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def some_names(names: list[str], limit: int = 3) -> str:
    """Return the first few of *names* for a message, and how many more there are.

    >>> some_names(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
