"""Labels as users write them, as quantities or as numbers of classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.errors import SewallError

MISSING = frozenset({"", "na", "nan", ".", "null", "none", "n/a"})
MOST_CLASSES = 20
FEWEST_OF_A_CLASS = 10  # sequences; with fewer, cross-validation cannot tell how often they are recognised


@dataclass(frozen=True)
class Labels:
    """One label of all sequences.

    Attributes:
        name: of the label.
        known: ``(sequences,)`` quantities or numbers of classes; NaN where not known.
        classes: names of the classes; none of a quantity.
    """

    name: str
    known: NDArray[np.float64]
    classes: tuple[str, ...] = ()

    def told(self) -> NDArray[Any]:
        """Return ``(sequences,)`` quantities, or names of classes, empty where not known: what an audit looks at."""
        if not self.classes:
            return self.known
        names = np.array([*self.classes, ""], np.str_)
        return names[np.where(np.isfinite(self.known), self.known, -1).astype(int)]


def labels_of(name: str, cells: Sequence[str], kind: str = "auto", classes: Sequence[str] = ()) -> Labels:
    """Return a label from its cells.

    Args:
        name: of the label.
        cells: one text for each sequence; empty cells, ``NA``, ``NaN`` and ``.`` are not known.
        kind: ``classes``, ``quantity``, or ``auto``: a quantity where all cells are numbers of which some are no
            whole ones, or which are more than twenty different ones.
        classes: names that the classes must have, where they are known.

    Raises:
        SewallError: nothing is known, all is the same, a quantity is text, or a class has too few sequences.

    >>> labels_of("bound", ["yes"] * 10 + ["no"] * 10).classes
    ('no', 'yes')
    """
    known = [cell for cell in cells if cell.strip().lower() not in MISSING]
    if not known:
        raise SewallError(f"label {name}: no sequence has one; give labels, or negatives (--negatives)")
    if len(set(known)) == 1 and not classes:
        raise SewallError(
            f"label {name}: it is {known[0]} in all {len(known)} sequences, so there is nothing to learn; give others "
            "too, for instance sequences of the other class (--negatives)"
        )
    quantity = kind == "quantity" or (kind == "auto" and not classes and _is_quantity(known))
    return _quantity(name, cells) if quantity else _classes(name, cells, known, classes)


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _is_quantity(known: list[str]) -> bool:
    values = [_number(cell) for cell in set(known)]
    numbers = [value for value in values if value is not None]
    return len(numbers) == len(values) and (len(numbers) > MOST_CLASSES or any(value % 1 for value in numbers))


def _quantity(name: str, cells: Sequence[str]) -> Labels:
    values = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        number = _number(cell)
        if number is None and cell.strip().lower() not in MISSING:
            raise SewallError(
                f"label {name}: '{cell}' of sequence {row + 1} is not a number; write NA if it is missing, or ask for "
                "classes (--kind classes)"
            )
        values[row] = np.nan if number is None else number
    return Labels(name, values)


def _classes(name: str, cells: Sequence[str], known: list[str], classes: Sequence[str]) -> Labels:
    counts = Counter(known)
    names = tuple(classes) or tuple(sorted(counts, key=_in_order))
    strange = sorted(set(counts) - set(names))
    if strange:
        raise SewallError(f"label {name}: '{strange[0]}' is none of the classes {', '.join(names)}; mend the labels")
    if len(names) > MOST_CLASSES:
        raise SewallError(
            f"label {name}: {len(names)} different texts are too many for classes; merge some, or give numbers"
        )
    rarest = min(names, key=lambda each: counts[each])
    if not classes and counts[rarest] < FEWEST_OF_A_CLASS:
        raise SewallError(
            f"label {name}: only {counts[rarest]} of {len(known)} sequences are '{rarest}'; a class needs "
            f"{FEWEST_OF_A_CLASS}: give more, or merge classes"
        )
    number = {each: float(place) for place, each in enumerate(names)}
    return Labels(name, np.array([number.get(cell, np.nan) for cell in cells]), names)


def _in_order(cell: str) -> tuple[float, str]:
    """Sort numbers as numbers, before words."""
    number = _number(cell)
    return (np.inf if number is None else number, cell)
