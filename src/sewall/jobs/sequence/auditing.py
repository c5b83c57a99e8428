"""The verb ``audit``: what in a set of sequences would make a score too good, before anything is learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import provenance
from sewall.data.headers import reading
from sewall.dna.audit import Audit, Cleaned
from sewall.dna.audit import audit as looked_over
from sewall.dna.clusters import Clusters
from sewall.dna.confounders import NAMES
from sewall.dna.findings import FAIL, PASS
from sewall.jobs.options import command
from sewall.jobs.sequence.audit_inputs import PART, Everything
from sewall.jobs.sequence.audit_options import AuditOptions
from sewall.jobs.sequence.clean_set import write_clean
from sewall.jobs.session import started, stream
from sewall.rundir import RunDirectory, now, write_json
from sewall.tables import write_table

CITATIONS = ("spaced-words", "alignment")

# Independent streams of one seed.
AUDIT = 0


@dataclass(frozen=True)
class AuditResult:
    """A finished audit.

    Attributes:
        audit: what was found.
        cleaned: what a clean set keeps; None where none was asked for.
        folder: the run directory.
        report: the page.
    """

    audit: Audit
    cleaned: Cleaned | None
    folder: Path
    report: Path

    @property
    def failed(self) -> bool:
        """Whether something must be mended before a score can be believed."""
        return self.audit.status == FAIL

    def summary(self) -> str:
        """Return what failed and what to look at, one line each, and where the page lies."""
        grave = [finding for finding in self.audit.findings if finding.status != PASS]
        lines = [f"{finding.status}: {finding.what}" for finding in grave] or ["pass: nothing was found"]
        if self.cleaned is not None:
            lines.append(_kept(self.cleaned))
        return "\n".join([*lines, str(self.report)])


def audit(sequences: str | Path, *, out: str | Path, **options: Any) -> AuditResult:
    """Look sequences over: copies and kin, confounders, conflicting labels, size.

    Args:
        sequences: as for `train`; labels are not needed.
        out: the run directory.
        **options: the fields of `AuditOptions`.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = AuditOptions.of(sequences=sequences, out=out, **options)
    begun = now()
    with started(given) as (folder, console):
        with console.bar("reading the sequences"):
            every = Everything.read(given)
        with console.bar("looking at the sequences"):
            found = looked_over(
                every.labelled.sequences, every.names, every.labelled.groups, every.parts,
                stranded=given.strands == "one", ordered=given.negatives is None,
                headers=headers_of(given, every.labelled.sequences.ids), seed=stream(folder.seed, AUDIT),
            )  # fmt: skip
        cleaned = None if given.clean is None else write_clean(given, given.clean, every, found)
        _write(given, folder, every, found, cleaned, begun)
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return AuditResult(found, cleaned, folder.path, report)


def headers_of(options: AuditOptions, ids: Sequence[str]) -> Sequence[str]:
    """Return what stands above each sequence, the whole line, or the *ids* where not all files are FASTA."""
    paths = [path for path in (options.sequences, options.negatives, options.test) if path is not None]
    found: list[str] = []
    for path in paths:
        with reading(path) as stream:
            found += [line[1:].decode("utf-8", "replace").strip() for line in stream if line.startswith(b">")]
    return found if len(found) == len(ids) else ids


def _write(
    options: AuditOptions, folder: RunDirectory, every: Everything, found: Audit, cleaned: Cleaned | None, begun: str
) -> None:
    """Write all files but the page."""
    findings = pd.DataFrame([finding.to_dict() for finding in found.findings])
    findings = findings.assign(first=["; ".join(names) for names in findings["first"]])
    columns = ["check", "status", "what", "count", "of", "first", "advice"]
    write_table(folder.claim("findings.tsv"), findings[columns], ["what each check found; first: examples"])
    said = ["near copy: 95 % identity over 90 % of the shorter; similar: 80 % over 90 %; relative: 80 % over half"]
    write_table(folder.claim("duplicates.tsv"), _pairs(every, found), said)
    write_table(folder.claim("numbers.tsv"), found.numbers.drop(columns="quantity"), ["what one number alone can do"])
    write_table(folder.claim("composition.tsv"), every.table(), ["what each sequence is made of"])
    held = found.together()
    told = _told(every, found, cleaned, held)
    write_json(folder.claim("evaluation.json"), {"job": "sequence", "level": options.level, "audit": told})
    write_json(folder.claim("run.json"), _record(options, folder, every, held, begun))


def _pairs(every: Everything, found: Audit) -> pd.DataFrame:
    """Return who is alike, by name, with their labels and parts."""
    table, ids = found.kin.table, np.array(every.labelled.sequences.ids, object)
    pairs = table.assign(first=ids[table["first"]], second=ids[table["second"]])
    for name, own in {**every.names, **({} if every.parts is None else {PART: every.parts})}.items():
        pairs[f"{name}_first"], pairs[f"{name}_second"] = own[table["first"]], own[table["second"]]
    return pairs


def _told(every: Everything, found: Audit, cleaned: Cleaned | None, held: Clusters) -> dict[str, Any]:
    """Return what the page shows."""
    lengths = every.labelled.sequences.lengths
    return {
        "status": found.status, "findings": [finding.to_dict() for finding in found.findings],
        "sequences": len(lengths), "shortest": int(lengths.min()), "longest": int(lengths.max()),
        "labels": {name: list(own.classes) for name, own in every.labelled.labels.items()},
        "numbers": found.numbers.assign(name=found.numbers["number"].map(NAMES)).to_dict("records"),
        "pairs": len(found.kin.table),
        "clusters": {"number": held.number, "largest": held.largest, "cut": held.cut},
        "cleaned": None if cleaned is None else {"kept": len(cleaned.rows), "left_out": cleaned.counts},
    }  # fmt: skip


def _record(
    options: AuditOptions, folder: RunDirectory, every: Everything, held: Clusters, begun: str
) -> dict[str, Any]:
    found = every.labelled.read
    return provenance.record(
        job="sequence", verb="audit", command=command("audit", options, ("sequences",), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        inputs=[{"path": str(options.sequences), "sequences": len(found), **found.about}],
        citations=CITATIONS,
        dropped=found.left_out,
        notes=[*every.labelled.notes, *held.notes()],
    )  # fmt: skip


def _kept(cleaned: Cleaned) -> str:
    why = ", ".join(f"{count:,} {reason}" for reason, count in cleaned.counts.items())
    return f"clean: {len(cleaned.rows):,} sequences kept; left out: {why or 'none'}"
