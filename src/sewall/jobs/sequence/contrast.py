"""What the positives are held against: negatives that were given, shuffled, or taken from the genome."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.sequences import joined
from sewall.dna.negatives import Negatives, shuffled_negatives
from sewall.errors import SewallError
from sewall.jobs.sequence.genomic import Stretches, genomic_groups, negatives_like
from sewall.jobs.sequence.labels import labels_of
from sewall.jobs.sequence.options import TrainOptions
from sewall.jobs.sequence.reading import CHROMOSOME, GROUP, LABEL, NEGATIVE, POSITIVE, Labelled, Read, read
from sewall.jobs.sequence.reading import read_labelled as as_given


def read_contrasted(options: TrainOptions, seed: int) -> Labelled:
    """Read labelled sequences; where negatives are to be made, make them.

    Raises:
        SewallError: as `read_labelled`; negatives are both given and to be made.
    """
    if options.shuffled is None and not options.matched:
        return as_given(options)
    if options.negatives is not None or (options.shuffled is not None and options.matched):
        raise SewallError("--negatives, --shuffled and --matched are three ways to the same; give one of them")
    positives = read(options.sequences, options)
    made = _matched(options, positives, seed) if options.matched else _shuffled(options, positives, seed)
    cells = [POSITIVE] * len(positives) + [NEGATIVE] * len(made.sequences)
    columns, groups = {LABEL: cells}, np.concatenate([_own_groups(positives), _own_groups(positives)[made.of]])
    keys = pd.concat([positives.keys, made.keys], ignore_index=True)
    if made.windows is None:
        keys = keys[["sequence_id"]]
    else:
        columns[CHROMOSOME], groups = keys["chrom"].tolist(), genomic_groups(keys)[0]
    notes = (*positives.notes, *made.notes)
    both = joined([positives.sequences, made.sequences])
    about = {**positives.about, "negatives": made.kind}
    found = Read(both, columns, keys, positives.dropped, notes, about)
    return Labelled(found, {LABEL: labels_of(LABEL, cells)}, groups, notes)


def _own_groups(positives: Read) -> NDArray[np.str_]:
    return np.array(positives.columns.get(GROUP, positives.sequences.ids), np.str_)


def _shuffled(options: TrainOptions, positives: Read, seed: int) -> Negatives:
    """Return all shuffled copies; each stays with the sequence that it was made of."""
    copies = [shuffled_negatives(positives.sequences, seed + copy) for copy in range(options.shuffled or 1)]
    parts = [
        made.sequences.named(f"{name}:shuffled{number}" for name in made.sequences.ids)
        for number, made in enumerate(copies, start=1)
    ]
    of = np.concatenate([made.of for made in copies])
    return Negatives(copies[0].kind, joined(parts), of, None, copies[0].counts)


def _matched(options: TrainOptions, positives: Read, seed: int) -> Negatives:
    """Return stretches of the genome that are like the positives."""
    if options.fasta is None or CHROMOSOME not in positives.columns:
        raise SewallError("--matched: negatives are taken from the genome; give regions (BED) and the genome (--fasta)")
    groups = np.array(positives.columns[GROUP], np.str_)
    stretches = Stretches(positives.sequences, positives.keys, groups, None, None, {}, ())
    return negatives_like(stretches, options.fasta, seed)
