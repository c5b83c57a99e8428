"""What one number alone can do: composition, the ends, and the order of the file, each held against the labels.

And what words in the headers tell of them: models do not read headers, but whoever makes features of a file may.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

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
_WORD = re.compile(r"(?<=[|\s:;=,])[A-Za-z_]+")  # behind the name: of CDS:122-721 the word CDS
_MARKS = frozenset({"negative", "shuffled", "test"})  # that reading adds to names
MOST_WORDS = 100  # the commonest, that are tried


class Told(NamedTuple):
    """How well a number tells the labels.

    Attributes:
        strength: ``2 AUROC - 1`` of the class that is told best, or ``|Spearman|``; from 0 to 1.
        errors: its distance from chance in standard errors.
        towards: where the number is larger.
    """

    strength: float
    errors: float
    towards: str

    @property
    def status(self) -> str:
        """``pass``, ``warn`` from `REMARKABLE` on, ``fail`` from `STRONG` on; what may be chance passes."""
        if self.strength < REMARKABLE or self.errors < _SURE:
            return "pass"
        return "warn" if self.strength < STRONG else "fail"

    def value(self, quantity: bool) -> float:
        """Return the AUROC, folded to 0.5 and more, or of a quantity ``|Spearman|``."""
        return self.strength if quantity else (1 + self.strength) / 2


class Word(NamedTuple):
    """A word in the headers, and what it tells of the labels."""

    word: str
    told: Told


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

    quantity, rows = labels.dtype.kind == "f", []
    for number, columns in single_numbers(sequences, positions).items():
        found = told_by(columns, labels)
        rows.append([number, found.value(quantity), found.strength, found.towards, found.status])
    return pd.DataFrame(rows, columns=["number", "value", "strength", "towards", "status"])


def told_by(columns: Iterable[Floats], labels: NDArray[Any]) -> Told:
    """Return how well a number tells the labels; of several columns, the one that tells most.

    Args:
        columns: ``(sequences,)`` each.
        labels: as for `confounders`.
    """
    if labels.dtype.kind == "f":
        return max((_follows(own, labels) for own in columns), key=lambda one: one.strength)
    names, of = np.unique(labels.astype(str), return_inverse=True)
    return max((_told(own, of, names) for own in columns), key=lambda one: one.strength)


def telling_word(headers: Sequence[str], labels: NDArray[Any]) -> Word | None:
    """Return the word in the headers that tells the labels best, or None where there are no words.

    Words stand behind the name, between bars, spaces, colons, commas or equals signs, and are taken without the numbers
    that follow them. Names of classes are no words: there, the header says the label.

    >>> headers = ["t1|G7|CDS:1-90|", "t2|G8|UTR:1-9|CDS:10-60|", "t3|G9|", "t4|G4|"]
    >>> telling_word(headers, np.array(["coding", "coding", "not", "not"])).word
    'CDS'
    """
    classes = set() if labels.dtype.kind == "f" else {str(name).lower() for name in np.unique(labels)}
    said = [{word for word in _WORD.findall(header) if word.lower() not in classes | _MARKS} for header in headers]
    counts = Counter(word for words in said for word in sorted(words))
    tried = [word for word, number in counts.most_common(MOST_WORDS) if number < len(headers)]
    found = [Word(word, told_by([np.array([word in words for words in said], float)], labels)) for word in tried]
    return max(found, key=lambda one: one.told.strength, default=None)


def single_numbers(sequences: Sequences, positions: bool = False) -> dict[str, list[Floats]]:
    """Return the numbers of `NAMES`, ``(sequences,)`` each; a base is a flag for each letter that it may be.

    Args:
        sequences: in the order of a file.
        positions: whether their place in it is one of the numbers.
    """
    table = composition(sequences, np.arange(len(sequences)))
    columns = {name: [table[name].to_numpy()] for name in table.columns}
    for name, ends in (("first_base", sequences.starts[:-1]), ("last_base", sequences.starts[1:] - 1)):
        base = numbers(sequences.codes[ends])
        columns[name] = [(base == number).astype(float) for number in range(len(BASES))]
    if positions:
        columns[POSITION] = [np.arange(len(sequences), dtype=float)]
    return columns


def _told(values: Floats, of: NDArray[np.intp], names: NDArray[Any]) -> Told:
    """Return how well a number tells one class from the others, and which.

    The strength is the rank-biserial correlation, ``2 AUROC - 1``; ties are allowed for.
    """
    ranks, number = rankdata(values), len(values)
    spread = 12 * ranks.var() / max(number**2 - 1, 1)
    best = Told(0.0, 0.0, "")
    for index, name in enumerate(names.tolist()):
        inside = of == index
        own, rest = int(inside.sum()), int((~inside).sum())
        strength = 2 * (ranks[inside].mean() - (own + 1) / 2) / rest - 1 if rest else 0.0
        if abs(strength) > best.strength:
            error = np.sqrt(spread * (number + 1) / (3 * own * rest))
            rather = str(name) if strength > 0 else str(names[1 - index]) if len(names) == 2 else f"other than {name}"
            best = Told(float(abs(strength)), float(abs(strength) / error), rather)
    return best


def _follows(values: Floats, labels: Floats) -> Told:
    """Return how well a quantity follows a number, and in which direction."""
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(labels) == 0:
        return Told(0.0, 0.0, "")
    found = float(np.corrcoef(rankdata(values), rankdata(labels))[0, 1])
    return Told(abs(found), abs(found) * np.sqrt(len(values) - 1), "large values" if found > 0 else "small values")
