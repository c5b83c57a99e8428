"""What one number alone can do: composition, the ends, and the order of the file, each held against the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from sewall.data.sequences import BASES, Floats, Sequences
from sewall.dna.composition import LABELS, composition
from sewall.encode.dna import numbers

if TYPE_CHECKING:
    import pandas as pd

POSITION = "position"
NAMES = LABELS | {"first_base": "first base", "last_base": "last base", POSITION: "position in the file"}
# From which strength on a number is remarkable, and from which on it can carry a model: |2 AUROC - 1|, |Spearman|.
REMARKABLE, STRONG = 0.2, 0.5
_SURE = 4.0  # standard errors that are not chance, with some thirty numbers tried


def confounders(sequences: Sequences, labels: NDArray[Any], positions: bool = True) -> pd.DataFrame:
    """Return how well each number alone tells the labels.

    Args:
        sequences: labelled ones.
        labels: ``(sequences,)`` names of classes, or quantities where they are floating numbers.
        positions: whether the order of the sequences is that of a file.

    Returns:
        A row per number of `NAMES`: ``number``; ``value``, for classes the AUROC of one against all others, folded to
        0.5 and more, of the class that is told best, else ``|Spearman|``; ``strength``, ``2 AUROC - 1`` or
        ``|Spearman|``; ``towards``, where the number is larger; ``status``: ``pass``, ``warn`` from `REMARKABLE` on,
        ``fail`` from `STRONG` on. What may be chance passes.

    >>> from sewall.data.sequences import packed
    >>> told = confounders(packed(["a", "b"], ["GGGC", "ATTA"]), np.array(["bound", "not"])).iloc[0]
    >>> float(told["value"]), told["towards"], told["status"]
    (1.0, 'bound', 'pass')
    """
    import pandas as pd

    quantity = labels.dtype.kind == "f"
    names, of = np.unique(labels if quantity else labels.astype(str), return_inverse=True)
    rows = []
    for number, columns in _columns(sequences, positions).items():
        found = [_follows(own, labels) if quantity else _told(own, of, names) for own in columns]
        strength, errors, towards = max(found, key=lambda one: one[0])
        value = strength if quantity else (1 + strength) / 2
        rows.append([number, value, strength, towards, _status(strength, errors)])
    return pd.DataFrame(rows, columns=["number", "value", "strength", "towards", "status"])


def _columns(sequences: Sequences, positions: bool) -> dict[str, list[Floats]]:
    """Return numbers by name; a base is several, one for each letter that it may be."""
    table = composition(sequences, np.arange(len(sequences)))
    columns = {name: [table[name].to_numpy()] for name in table.columns}
    for name, ends in (("first_base", sequences.starts[:-1]), ("last_base", sequences.starts[1:] - 1)):
        base = numbers(sequences.codes[ends])
        columns[name] = [(base == number).astype(float) for number in range(len(BASES))]
    if positions:
        columns[POSITION] = [np.arange(len(sequences), dtype=float)]
    return columns


def _told(values: Floats, of: NDArray[np.intp], names: NDArray[Any]) -> tuple[float, float, str]:
    """Return how well a number tells one class from the others, its distance from chance in standard errors, and which.

    The strength is the rank-biserial correlation, ``2 AUROC - 1``; ties are allowed for.
    """
    ranks, number = rankdata(values), len(values)
    spread = 12 * ranks.var() / max(number**2 - 1, 1)
    best = (0.0, 0.0, "")
    for index, name in enumerate(names.tolist()):
        inside = of == index
        own, rest = int(inside.sum()), int((~inside).sum())
        strength = 2 * (ranks[inside].mean() - (own + 1) / 2) / rest - 1 if rest else 0.0
        if abs(strength) > best[0]:
            error = np.sqrt(spread * (number + 1) / (3 * own * rest))
            rather = str(name) if strength > 0 else str(names[1 - index]) if len(names) == 2 else f"other than {name}"
            best = (float(abs(strength)), float(abs(strength) / error), rather)
    return best


def _follows(values: Floats, labels: Floats) -> tuple[float, float, str]:
    """Return how well a quantity follows a number, in standard errors, too, and in which direction."""
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(labels) == 0:
        return 0.0, 0.0, ""
    found = float(np.corrcoef(rankdata(values), rankdata(labels))[0, 1])
    return abs(found), abs(found) * np.sqrt(len(values) - 1), "large values" if found > 0 else "small values"


def _status(strength: float, errors: float) -> str:
    if strength < REMARKABLE or errors < _SURE:
        return "pass"
    return "warn" if strength < STRONG else "fail"
