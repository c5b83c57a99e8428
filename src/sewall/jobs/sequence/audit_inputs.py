"""What an audit looks at: sequences, their labels and groups, and the parts of a split that is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.sequences import joined
from sewall.dna.composition import composition
from sewall.errors import SewallError
from sewall.jobs.sequence.audit_options import AuditOptions
from sewall.jobs.sequence.labels import labels_of
from sewall.jobs.sequence.reading import GROUP, LABEL, TRAIN, Labelled, part_of, read, read_labelled

PART, TEST = "part", "test"
NUMBERS = ["length", "gc", "cpg", "complexity", "n_share", "lower"]  # of the table of sequences


@dataclass(frozen=True)
class Everything:
    """All sequences with what is known of them.

    Attributes:
        labelled: those of training and those that are held out.
        parts: ``(sequences,)`` the part of a split that each belongs to, or None.
    """

    labelled: Labelled
    parts: NDArray[np.str_] | None

    @classmethod
    def read(cls, options: AuditOptions) -> Everything:
        """Read all files.

        Raises:
            SewallError: as `read_labelled`; a split that is given twice, or has no training.
        """
        labelled = _labelled(options)
        if options.test is not None and options.part is not None:
            raise SewallError("--test and --part are two ways to give a split; give one of them")
        if options.test is not None:
            return cls._with_test(labelled, options, options.test)
        if options.part is None:
            return cls(labelled, None)
        return cls(labelled, part_of(labelled.read, options.sequences, options.part))

    @classmethod
    def _with_test(cls, labelled: Labelled, options: AuditOptions, path: Path) -> Everything:
        test = read(path, options)
        taken = set(labelled.sequences.ids)
        ids = [f"{name}:{TEST}" if name in taken else name for name in test.sequences.ids]
        both = joined([labelled.sequences, test.sequences.named(ids)])
        labels = {}
        for name, own in labelled.labels.items():
            if name not in test.columns:
                raise SewallError(f"{path}: no label {name}; the test needs the labels of the training")
            kind = "classes" if own.classes else "quantity"
            others = labels_of(name, test.columns[name], kind, own.classes)
            labels[name] = replace(own, known=np.concatenate([own.known, others.known]))
        keys = pd.concat([labelled.read.keys, test.keys.assign(sequence_id=ids)], ignore_index=True)
        columns = {
            name: [*cells, *test.columns[name]] for name, cells in labelled.read.columns.items() if name in test.columns
        }
        groups = None
        if labelled.groups is not None and (options.group or GROUP) in columns:
            groups = np.array(columns[options.group or GROUP], np.str_)
        found = replace(labelled.read, sequences=both, keys=keys, columns=columns)
        parts = np.array([TRAIN] * len(labelled.sequences) + [TEST] * len(test), np.str_)
        return cls(Labelled(found, labels, groups, (*labelled.notes, *test.notes)), parts)

    @property
    def names(self) -> dict[str, NDArray[Any]]:
        """Labels as the audit reads them: names of classes, empty where not known, or quantities."""
        return {name: own.told() for name, own in self.labelled.labels.items()}

    def table(self) -> pd.DataFrame:
        """Return ``sequence_id``, the labels, the part, and what each sequence is made of."""
        sequences = self.labelled.sequences
        table = pd.DataFrame({"sequence_id": sequences.ids} | self.names)
        if self.parts is not None:
            table[PART] = self.parts
        return pd.concat([table, composition(sequences, np.arange(len(sequences)))[NUMBERS]], axis=1)


def _labelled(options: AuditOptions) -> Labelled:
    """Read sequences, with labels where there are any."""
    if options.negatives is None and options.track is None and options.label == (LABEL,):
        found = read(options.sequences, options)
        if LABEL not in found.columns:
            groups = found.columns.get(options.group or GROUP)
            return Labelled(found, {}, None if groups is None else np.array(groups, np.str_), found.notes)
    return read_labelled(options)
