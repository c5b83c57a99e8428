"""Sequences and what is known of them, from whatever files they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.sequence_files import LABEL, SequenceFile, read_sequences
from sewall.data.sequences import Sequences, joined
from sewall.errors import SewallError
from sewall.jobs.sequence.genomic import genomic_groups, read_regions
from sewall.jobs.sequence.labels import Labels, labels_of
from sewall.jobs.sequence.options import LabelledOptions, SequenceOptions, TrainOptions
from sewall.task import Rows

TRAIN = "train"  # the part of a given split that is learnt from
REGIONS = {".bed", ".narrowpeak"}
NEGATIVE, POSITIVE = "negative", "positive"
GROUP, CHROMOSOME, SIGNAL = "group", "chrom", "signal"


@dataclass(frozen=True)
class Read:
    """Sequences as they were read.

    Attributes:
        sequences: all of them.
        columns: what the files say of each, as text, by name.
        keys: columns of a table of predictions beside ``sequence_id``: places, of regions of a genome.
        dropped: what was left out, by reason.
        notes: sentences for the user.
        about: how regions were read, for ``run.json``.
    """

    sequences: Sequences
    columns: Mapping[str, list[str]]
    keys: pd.DataFrame
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """What was dropped, as ``run.json`` says it."""
        whole = len(self) + sum(self.dropped.values())
        return [{"reason": reason, "count": n, "of": whole} for reason, n in self.dropped.items() if n]

    def take(self, rows: Rows) -> Read:
        """Return some of the sequences."""
        columns = {name: [cells[row] for row in rows] for name, cells in self.columns.items()}
        keys = self.keys.iloc[rows].reset_index(drop=True)
        return replace(self, sequences=self.sequences.take(rows), columns=columns, keys=keys)


@dataclass(frozen=True)
class Labelled:
    """Sequences with labels.

    Attributes:
        read: the sequences.
        labels: by name.
        groups: ``(sequences,)`` what must not straddle folds, or None.
        notes: sentences for the user.
    """

    read: Read
    labels: Mapping[str, Labels]
    groups: NDArray[np.str_] | None
    notes: tuple[str, ...]

    @property
    def sequences(self) -> Sequences:
        """All sequences."""
        return self.read.sequences

    def take(self, rows: Rows) -> Labelled:
        """Return some of the sequences."""
        labels = {name: replace(own, known=own.known[rows]) for name, own in self.labels.items()}
        return replace(
            self, read=self.read.take(rows), labels=labels, groups=None if self.groups is None else self.groups[rows]
        )


def is_regions(path: Path) -> bool:
    """Return whether a file is one of regions of a genome, by its name."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return bool(suffixes) and (suffixes[-2] if suffixes[-1] == ".gz" and len(suffixes) > 1 else suffixes[-1]) in REGIONS


def read(path: Path, options: SequenceOptions, track: Path | None = None) -> Read:
    """Read one file of sequences or regions.

    Raises:
        SewallError: as `read_sequences` and `read_regions`; regions without a genome.
    """
    if is_regions(path):
        return _regions(path, options, track)
    found: SequenceFile = read_sequences(path)
    keys = pd.DataFrame({"sequence_id": found.sequences.ids})
    return Read(found.sequences, found.columns, keys, notes=found.notes)


def _regions(path: Path, options: SequenceOptions, track: Path | None) -> Read:
    if options.fasta is None:
        raise SewallError(f"{path}: regions need their genome; give its FASTA (--fasta)")
    asked = options.label if isinstance(options, LabelledOptions) else (LABEL,)
    label = None if track is not None or asked == (LABEL,) else asked[0]
    found = read_regions(path, options.fasta, options.width, label, track)
    columns = {CHROMOSOME: found.keys["chrom"].tolist(), GROUP: found.groups.tolist()}
    if found.labels is not None:
        columns[str(label)] = list(found.labels)
    if found.signal is not None:
        columns[SIGNAL] = [str(value) for value in found.signal]
    return Read(found.sequences, columns, found.keys, found.dropped, found.notes, found.about)


def read_labelled(options: LabelledOptions) -> Labelled:
    """Read sequences with their labels.

    Raises:
        SewallError: as `read` and `labels_of`; no labels.
    """
    track = options.track
    found = read(options.sequences, options, track)
    names = (SIGNAL,) if track is not None else options.label
    if options.negatives is not None:
        found = with_negatives(found, read(options.negatives, options))
        names = (LABEL,)
    for name in names:
        if name not in found.columns:
            has = ", ".join(sorted(found.columns)) or "no columns"
            raise SewallError(
                f"{options.sequences}: no label {name} (it has {has}); name the column (--label), or give sequences of "
                "the other class (--negatives)"
            )
    kind = "quantity" if track is not None else options.kind
    labels = {name: labels_of(name, found.columns[name], kind) for name in names}
    return Labelled(found, labels, _groups(options, found), found.notes)


def learnt_and_tested(labelled: Labelled, options: TrainOptions) -> tuple[Labelled, Labelled | None]:
    """Return the sequences that are learnt from, and those that are kept for the test, if there are any.

    Raises:
        SewallError: a split that is given twice, or does not say what is learnt from; as `read` of a test's file.
    """
    if options.test is not None and options.part is not None:
        raise SewallError("--test and --part are two ways to give a split; give one of them")
    if options.test_negatives is not None and options.test is None:
        raise SewallError("--test-negatives: are the other class of a test; give its first file, too (--test)")
    if options.test is not None:
        return labelled, _test_of(labelled, options, options.test)
    if options.part is None:
        return labelled, None
    learnt = part_of(labelled.read, options.sequences, options.part) == TRAIN
    return labelled.take(np.flatnonzero(learnt)), labelled.take(np.flatnonzero(~learnt))


def part_of(found: Read, path: Path, name: str) -> NDArray[np.str_]:
    """Return ``(sequences,)`` the part of a given split that each belongs to.

    Raises:
        SewallError: no such column, or one that does not say ``train`` of some and something else of others.
    """
    if name not in found.columns:
        raise SewallError(f"{path}: no column {name} (--part); it has {', '.join(sorted(found.columns))}")
    parts = np.array(found.columns[name], np.str_)
    if TRAIN not in parts or (parts == TRAIN).all():
        raise SewallError(f"{path}: column {name} should say {TRAIN} of some, and not of all")
    return parts


def _test_of(labelled: Labelled, options: TrainOptions, path: Path) -> Labelled:
    """Read the sequences that are kept for the test, with labels of the same classes."""
    found = read(path, options)
    if options.test_negatives is not None:
        found = with_negatives(found, read(options.test_negatives, options))
    labels = {}
    for name, own in labelled.labels.items():
        if name not in found.columns:
            raise SewallError(
                f"{path}: no label {name}; the test needs the labels of the training (or --test-negatives)"
            )
        labels[name] = labels_of(name, found.columns[name], "classes" if own.classes else "quantity", own.classes)
    return Labelled(found, labels, None, found.notes)


def with_negatives(positives: Read, negatives: Read) -> Read:
    """Return positives and negatives as one, labelled."""
    columns = {name: [*cells, *negatives.columns[name]] for name, cells in positives.columns.items()
               if name in negatives.columns and name != LABEL}  # fmt: skip
    columns[LABEL] = [POSITIVE] * len(positives) + [NEGATIVE] * len(negatives)
    both = _apart(positives, negatives)
    keys = pd.concat([positives.keys, negatives.keys], ignore_index=True).assign(sequence_id=both.ids)
    if CHROMOSOME in columns:  # stretches of both files may overlap
        columns[GROUP] = genomic_groups(keys)[0].tolist()
    dropped = {
        reason: positives.dropped.get(reason, 0) + negatives.dropped.get(reason, 0)
        for reason in {**positives.dropped, **negatives.dropped}
    }
    notes = tuple(dict.fromkeys([*positives.notes, *negatives.notes]))
    return Read(both, columns, keys, dropped, notes, positives.about)


def _apart(positives: Read, negatives: Read) -> Sequences:
    """Return all sequences; where both files use the same names, those of negatives get a mark."""
    taken = set(positives.sequences.ids)
    names = [f"{name}:{NEGATIVE}" if name in taken else name for name in negatives.sequences.ids]
    return joined([positives.sequences, negatives.sequences.named(names)])


def _groups(options: LabelledOptions, found: Read) -> NDArray[np.str_] | None:
    name = options.group or (GROUP if GROUP in found.columns else None)
    if name is None:
        return None
    if name not in found.columns:
        raise SewallError(f"{options.sequences}: no column {name} (--group); it has {', '.join(sorted(found.columns))}")
    cells = np.array(found.columns[name], np.str_)
    if (np.char.str_len(cells) == 0).any():
        raise SewallError(f"{options.sequences}: column {name} has empty cells; every sequence needs a group")
    return cells
