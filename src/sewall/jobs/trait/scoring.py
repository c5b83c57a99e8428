"""The verb ``score``: a scoring file of anybody's making, applied to genotypes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import provenance
from sewall.data.convert import file_digest
from sewall.data.panel import Panel
from sewall.data.panels.chromosomes import build_name
from sewall.data.samples import read_sample_list
from sewall.data.score_files import UNKNOWN, ScoreFile, read_score_file
from sewall.data.score_matching import MATCHED, Matched, match_report, match_scores
from sewall.errors import SewallError
from sewall.jobs.options import command
from sewall.jobs.session import started
from sewall.jobs.trait.options import ScoreOptions
from sewall.jobs.trait.polygenic import Males, polygenic_scores
from sewall.jobs.trait.reading import input_record, open_genotypes
from sewall.jobs.trait.score_export import X_MALES
from sewall.rundir import RunDirectory, now, write_json
from sewall.tables import write_table

CITATIONS = ("pgs-catalog", "vcf-zarr")
FEW = 0.75  # share of the weights, by size, below which the score is another one than that of the file


@dataclass(frozen=True)
class ScoreResult:
    """Finished scores: a table, one row per individual, what was matched, the run directory, and the page."""

    table: pd.DataFrame
    scored: dict[str, Any]
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return how much of the score was found, and where the scores lie."""
        return (
            f"{len(self.table)} individuals; {self.scored['used']} of {self.scored['variants']} variants used, with "
            f"{self.scored['weight']:.1%} of the weight\n{self.folder / 'scores.tsv'}\n{self.report}"
        )


def score(scores: str | Path, genotypes: str | Path, *, out: str | Path, **options: Any) -> ScoreResult:
    """Apply a scoring file to genotypes.

    Args:
        scores: scoring file of the PGS Catalog, format 1 or 2, gzipped or not.
        genotypes: as for `train`; variants are matched by place and letters, whichever way round they are written.
        out: the run directory.
        **options: the fields of `ScoreOptions`.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = ScoreOptions.of(scores=scores, genotypes=genotypes, out=out, **options)
    begun = now()
    file = read_score_file(given.scores)
    _check_build(given, file)
    with started(given) as (folder, console):
        wanted = read_sample_list(given.samples) if given.samples is not None else None
        panel = open_genotypes(given, folder, console, wanted, keep_constant=True)
        matched = match_scores(panel, file, given.keep_ambiguous)
        report = match_report(file, matched)
        write_table(folder.claim("match_report.tsv"), report, ["what became of each variant of the score file"])
        _check_match(given, file, report)
        males = given.x_males or ("one" if file.header.get(X_MALES) == "one" else "two")
        with console.bar("scoring", len(matched.used)) as bar:
            table = polygenic_scores(panel, file, matched, given.missing, males, bar.advance)
        _write(folder, given, table)
        scored = _summed(given, file, matched, males)
        write_json(folder.claim("evaluation.json"), {"job": "trait", "level": given.level, "scored": scored})
        write_json(folder.claim("run.json"), _record(given, folder, panel, report, scored, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            page = write_report(folder.path)
    return ScoreResult(table, scored, folder.path, page)


def _check_build(options: ScoreOptions, file: ScoreFile) -> None:
    """Raise where the file says another build than the user."""
    said = file.header.get("HmPOS_build") or file.header.get("genome_build", UNKNOWN)
    if options.build is not None and _known_build(said) not in (None, options.build):
        raise SewallError(
            f"{options.scores}: its positions are of {said}, and --build says {options.build}; give the file of that "
            "build (the Catalog has harmonised ones)"
        )


def _known_build(said: str) -> str | None:
    try:
        return build_name(said)
    except SewallError:  # a build that nothing else here is of
        return None


def _check_match(options: ScoreOptions, file: ScoreFile, report: pd.DataFrame) -> None:
    if report["outcome"].isin(MATCHED).any():
        return
    reasons = report["outcome"].value_counts()
    why = f" ({reasons.iloc[0]} {reasons.index[0]})" if len(reasons) else ""
    build = file.header.get("HmPOS_build") or file.header.get("genome_build", UNKNOWN)
    raise SewallError(
        f"{options.scores}: none of its {len(file)} variants can be used with {options.genotypes.name}{why}; give "
        f"genotypes of the same species and genome build ({build})"
    )


def _write(folder: RunDirectory, options: ScoreOptions, table: pd.DataFrame) -> None:
    exact = table.assign(**{name: table[name].map("{:.10g}".format) for name in ("score", "average", "effect_copies")})
    filled = {"mean": "frequencies in these data", "file": "frequencies of the score file", "zero": "nothing"}
    header = [
        "score: sum of weights times copies; average: over the copies",
        f"missing calls add: {filled[options.missing]}",
    ]
    write_table(folder.claim("scores.tsv"), exact, header)


def _summed(options: ScoreOptions, file: ScoreFile, matched: Matched, males: Males) -> dict[str, Any]:
    """Return how much of the score was found, in variants and in weight."""
    spread = np.nan_to_num(np.where(file.additive, 2 * np.abs(file.weight), np.ptp(file.by_copies, axis=1)))
    return {
        "name": file.title or options.scores.name, "header": dict(file.header), "variants": len(file),
        "used": len(matched.used), "weight": float(spread[matched.used].sum() / max(spread.sum(), 1e-300)),
        "missing": options.missing, X_MALES: males,
    }  # fmt: skip


def _record(
    options: ScoreOptions, folder: RunDirectory, panel: Panel, report: pd.DataFrame, scored: dict[str, Any], begun: str
) -> dict[str, Any]:
    outcomes = report["outcome"].value_counts()
    notes = list(panel.notes)
    if scored["weight"] < FEW:
        notes.append(f"variants with {scored['weight']:.1%} of the weight were found: scores are not those of the file")
    score_file = {"path": str(options.scores), "digest": file_digest([options.scores])}
    return provenance.record(
        job="trait", verb="score", command=command("score", options, ("scores", "genotypes"), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        inputs=[input_record(options.genotypes, panel), score_file], citations=CITATIONS, level=options.level,
        dropped=[{"reason": r, "count": int(n), "of": len(report)} for r, n in outcomes.items() if r not in MATCHED],
        notes=notes,
    )  # fmt: skip
