"""The verb ``variants``: what the two forms of a variant do to a bundle's answer, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from sewall import provenance
from sewall.console import Console
from sewall.crossfit import NETWORK
from sewall.data.genome import Genome
from sewall.data.sequences import Floats
from sewall.data.small_variants import SmallVariants, read_small_variants
from sewall.dna.alleles import kinds
from sewall.dna.consequence import consequences
from sewall.dna.random_variants import random_variants
from sewall.errors import SewallError
from sewall.jobs.options import command
from sewall.jobs.sequence.effects import STEP, Asked, Effects, asked_of, effects, worst
from sewall.jobs.sequence.predicting import load
from sewall.jobs.sequence.variant_options import VariantOptions
from sewall.jobs.session import started, stream
from sewall.report import write_report
from sewall.rundir import RunDirectory, now, write_json
from sewall.tables import write_table
from sewall.task import over_all
from sewall.trust.effects import FEWEST_NULL, GAIN, LOSS, NONE, judge

CITATIONS = ("ensemble", "torch")
FEW = f"fewer than {FEWEST_NULL} random variants of its kind could be placed"
NO_WINDOW = "it has no window: see what was left out"
OUTSIDE = "its window is unlike the sequences of the training"

# Independent streams of one seed.
NULL = 40


@dataclass(frozen=True)
class VariantsResult:
    """Finished effects: a table, one row per ALT allele, what was found in numbers, the run directory, and the page."""

    table: pd.DataFrame
    found: dict[str, Any]
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return how many variants do something, and where the table lies."""
        effect = self.table["effect"].value_counts()
        called = f"{effect.get(GAIN, 0)} gain, {effect.get(LOSS, 0)} loss, {effect.get(NONE, 0)} none"
        return (
            f"{len(self.table)} variants: {called}, {int(self.table['effect'].isna().sum())} without a claim; "
            f"{int((self.table['q'] <= 0.1).sum())} differ from random variants of their kind (q <= 0.1)\n"
            f"{self.folder / 'variants.tsv'}\n{self.report}"
        )


def variants(
    bundle: str | Path, vcf: str | Path, *, fasta: str | Path, out: str | Path, **options: Any
) -> VariantsResult:
    """Compare the answers of a trained bundle to the REF and the ALT form of variants.

    Args:
        bundle: folder of a bundle of this job.
        vcf: single-nucleotide variants and small indels.
        fasta: the genome that they were called against.
        out: the run directory.
        **options: the fields of `VariantOptions`.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = VariantOptions.of(bundle=bundle, vcf=vcf, fasta=fasta, out=out, **options)
    begun = now()
    asked, notes = asked_of(*load(given.bundle), given.label, given.width, given.strand, given.shifts)
    with started(given) as (folder, console):
        with Genome.open(given.fasta) as genome:
            read = read_small_variants(given.vcf, genome)
            notes += genome.notes
            table, found = _judged(given, asked, genome, read, folder.seed, console)
        write_table(folder.claim("variants.tsv"), table, header(asked, given))
        scores = asked.bundle.about.get("scores_in_full", {})
        write_json(
            folder.claim("evaluation.json"), {"job": given.job, **scores, "level": given.level, "variants": found}
        )
        write_json(folder.claim("run.json"), _record(given, folder, found, notes, begun))
        with console.bar("writing the report"):
            folder.claim("report.html")
            report = write_report(folder.path)
    return VariantsResult(table, found, folder.path, report)


def _judged(
    options: VariantOptions, asked: Asked, genome: Genome, read: SmallVariants, seed: int, console: Console
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the table of effects, and what was found in numbers."""
    variants = read.table.assign(kind=kinds(genome, read.table))
    with console.bar("both forms", len(variants) * len(asked.shifts)) as bar:
        own = effects(asked, genome, variants, bar.advance)
    rows, left_out = own.centred.rows, own.centred.left_out
    if not len(rows):
        reasons = "; ".join(f"{number}: {reason}" for reason, number in left_out.items())
        raise SewallError(f"{options.vcf}: none of its {len(variants)} variants can be answered ({reasons})")
    nulls, near = _nulls(options, asked, genome, variants.iloc[rows], seed, console)
    status = _status(asked, own, len(variants))
    judged = judge(own.change, variants["kind"].to_numpy(object), status != "outside", nulls, options.level)
    beside = {name: over_all(change, rows, len(variants)) for name, change in _beside(asked, own).items()}
    reason = _reasons(own, status, judged.table["p"].notna().to_numpy())
    table = variants.drop(columns=["start", "removed", "inserted"]).join(judged.table)
    table = table.assign(**_forms(asked, own), **beside, support=status, reason=reason)[_columns(asked)]
    if options.genes is not None:
        table = table.join(consequences(genome, options.genes, variants))
    kinds_told = [row | {"near": near[row["kind"]]} for row in judged.kinds]
    return table, _told(asked, read) | {"kinds": kinds_told, "tested": judged.tested, "left_out": left_out}


def _nulls(
    options: VariantOptions, asked: Asked, genome: Genome, given: pd.DataFrame, seed: int, console: Console
) -> tuple[dict[str, Floats], dict[str, int]]:
    """Return, by kind, the effects of random variants ``(variants, networks)``, and how far off they were drawn."""
    changes, near = {}, {}
    groups = given.groupby("kind")
    with console.bar("random variants", len(groups) * options.random * len(asked.shifts)) as bar:
        for kind, own in groups:
            # The name of the kind makes its chance, so that other kinds in the file change nothing.
            rng = np.random.default_rng([stream(seed, NULL), crc32(str(kind).encode())])
            drawn = random_variants(genome, own, str(kind), options.random, options.within or asked.width // 2, rng)
            change = effects(asked, genome, drawn, bar.advance).change
            changes[str(kind)] = change[~np.isnan(change).any(axis=1)]
            near[str(kind)] = int(drawn["near"].max()) if len(drawn) else 0
    return changes, near


def _status(asked: Asked, own: Effects, number: int) -> NDArray[np.str_]:
    """Return ``(variants,)`` the worse support of the two forms; outside where there is no window."""
    status = np.full(number, "outside", "U7")
    status[own.centred.rows] = worst(asked.support(own.centred.ref), asked.support(own.centred.alt))
    return status


def _beside(asked: Asked, own: Effects) -> dict[str, Floats]:
    """Return what the other models make of the centred windows, by column."""
    before, after = asked.by_models(own.centred.ref), asked.by_models(own.centred.alt)
    return {name: after[name] - before[name] for name in after}


def _forms(asked: Asked, own: Effects) -> dict[str, Floats]:
    """Return what the networks say of either form: chances of the class, or quantities."""
    alt = own.ref + own.change.mean(axis=1)
    return {"of_ref": own.ref, "of_alt": alt} if asked.label is None else {"p_ref": expit(own.ref), "p_alt": expit(alt)}


def _columns(asked: Asked) -> list[str]:
    forms = ["of_ref", "of_alt"] if asked.label is None else ["p_ref", "p_alt"]
    first = ["chrom", "pos", "id", "ref", "alt", "kind", "estimate", "lower", "upper", *forms]
    return [*first, "simple", "stack", "support", "p", "q", "effect", "confidence", "reason"]


def _reasons(own: Effects, status: NDArray[np.str_], judged: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return ``(variants,)`` why nothing is claimed, or an empty text."""
    absent = np.isnan(own.ref)
    return np.select([judged, absent, status == "outside"], ["", NO_WINDOW, OUTSIDE], FEW).astype(object)


def _told(asked: Asked, read: SmallVariants) -> dict[str, Any]:
    about = asked.bundle.about
    best = next(model for model in asked.bundle.simple_models if model.key == about["best_simple"])
    return {
        "n": len(read), "lines": read.lines, "skipped": read.skipped, "unit": asked.unit, "label": asked.label,
        "width": asked.width, "shifts": list(asked.shifts), "strand": asked.strand, "step": STEP,
        "networks": len(asked.bundle.networks), "network_weight": about["stack"]["weights"].get(NETWORK, 0.0),
        "best_simple": {"key": best.key, "name": best.name},
    }  # fmt: skip


def header(asked: Asked, options: VariantOptions) -> list[str]:
    """Return the comment lines of the table: what every column claims."""
    beyond = f"{(1 - options.level) / 2:.3g}"
    return [
        f"estimate: {asked.unit}, ALT less REF, mean of {len(asked.bundle.networks)} networks; lower, upper: what a "
        f"further network trained alike would say, {options.level:.0%} of the time for random variants",
        "simple, stack: the same difference by the best simple model, and by the whole bundle",
        "p: share of random variants of the kind, near the given ones, whose estimate is as large (two-sided); q: the "
        "same for the whole file (Benjamini and Hochberg)",
        f"effect: gain or loss where the estimate lies beyond all but {beyond} of such random variants on that side; "
        "confidence: share of further networks that would call it so. None of this is a measured effect",
        "support: the worse of the two forms; outside: nothing is claimed",
    ]


def _record(
    options: VariantOptions, folder: RunDirectory, found: dict[str, Any], notes: list[str], begun: str
) -> dict[str, Any]:
    of = found["n"] + sum(found["skipped"].values())
    reasons = {**found["skipped"], **found["left_out"]}
    files = [{"path": str(path), "digest": provenance.digest(path)} for path in options.input_files().values()]
    return provenance.record(
        job="sequence", verb="variants", command=command("variants", options, ("bundle",), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds, inputs=files,
        citations=CITATIONS, level=options.level, notes=notes,
        dropped=[{"reason": reason, "count": number, "of": of} for reason, number in reasons.items()],
    )  # fmt: skip
