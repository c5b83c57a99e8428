"""A clean set as a file: sequences without those that an audit would have left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.dna.audit import Audit, Cleaned, clean
from sewall.errors import SewallError
from sewall.jobs.sequence.audit_inputs import Everything
from sewall.jobs.sequence.audit_options import AuditOptions
from sewall.jobs.sequence.reading import TRAIN, Labelled
from sewall.rundir import write_text
from sewall.tables import write_table


def write_clean(options: AuditOptions, path: Path, every: Everything, found: Audit) -> Cleaned:
    """Write the clean set, and say what is left out of it; with a test file, it is the training that is written.

    Letters are capitals, and all columns of the files are kept: in FASTA as ``name=value`` in the headers.

    Raises:
        SewallError: nothing is left, the file is an input, or a column does not fit into the headers of FASTA.
    """
    if path.resolve() in {given.resolve() for given in options.input_files().values()}:
        raise SewallError(f"--clean {path}: would overwrite an input; give another file")
    cleaned = clean(every.labelled.sequences, found.kin, every.names, every.parts)
    if options.test is not None and every.parts is not None:
        cleaned = replace(cleaned, rows=cleaned.rows[every.parts[cleaned.rows] == TRAIN])
    if not len(cleaned.rows):
        raise SewallError(f"{options.sequences}: nothing is left of it when it is cleaned; see findings.tsv")
    table = _table(every.labelled, cleaned.rows)
    if path.suffix.lower() == ".tsv":
        write_table(path, table)
    else:
        write_text(path, _fasta(path, table))
    return cleaned


def _table(labelled: Labelled, rows: NDArray[np.intp]) -> pd.DataFrame:
    """Return the sequences of some rows with all that their files say of them."""
    read_ = labelled.read
    table = pd.DataFrame({"sequence_id": read_.sequences.ids, **read_.columns}).iloc[rows]
    return table.assign(sequence=[read_.sequences.text(row) for row in rows])


def _fasta(path: Path, table: pd.DataFrame) -> str:
    """Return sequences as FASTA, with what is said of them as ``name=value`` in the headers."""
    facts = table.drop(columns=["sequence_id", "sequence"])
    for name in facts.columns:
        if table[name].str.contains(r"[\s|;]|^$").any():
            raise SewallError(
                f"--clean {path}: column {name} has gaps or empty cells, which FASTA cannot hold; give a .tsv"
            )
    headers = [" ".join(f"{name}={cell}" for name, cell in row.items()) for row in facts.to_dict("records")]
    return "".join(
        f">{name} {header}".rstrip() + f"\n{text}\n"
        for name, header, text in zip(table["sequence_id"], headers, table["sequence"], strict=True)
    )
