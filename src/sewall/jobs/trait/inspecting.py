"""The verb ``inspect``: what is in the files, before anything is learnt from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import provenance
from sewall.console import Console
from sewall.data.describing import describe_traits
from sewall.data.panel import FEMALE, MALE, UNKNOWN, Panel
from sewall.data.panels.builds import builds_that_fit
from sewall.data.panels.reading import format_name
from sewall.data.panels.sexes import SYSTEMS
from sewall.data.phenotypes import read_cells
from sewall.data.samples import read_sample_list
from sewall.encode.ld import Linkage
from sewall.genomic.relatedness import Relatives, informative_sites, relatives
from sewall.genomic.survey import KINDS, Survey, survey
from sewall.jobs.options import command
from sewall.jobs.session import started
from sewall.jobs.trait.findings import findings, in_lines
from sewall.jobs.trait.linkage import linkage_record, measured_linkage
from sewall.jobs.trait.options import InspectOptions
from sewall.jobs.trait.reading import input_record, open_genotypes
from sewall.rundir import RunDirectory, now, write_json
from sewall.tables import write_table

CITATIONS = ("king", "two-hot", "vcf-zarr")
SAID_BY_FINDINGS = ("the report was believed", "taken as female", "taken as male")
SEXES = {UNKNOWN: "NA", MALE: "male", FEMALE: "female"}


@dataclass(frozen=True)
class InspectResult:
    """What was found in the files.

    Attributes:
        individuals, sites, relatives: tables, as they are written.
        traits: a row per column of the table of traits; empty without one.
        inspected: all numbers that the page shows.
        folder: the run directory.
        report: the page.
    """

    individuals: pd.DataFrame
    sites: pd.DataFrame
    relatives: pd.DataFrame
    traits: pd.DataFrame
    inspected: dict[str, Any]
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return at most a dozen lines."""
        return "\n".join([*in_lines(self.inspected), str(self.report)])


def inspect(genotypes: str | Path, *, out: str | Path, **options: Any) -> InspectResult:
    """Say what is in a file of genotypes, and in a table of traits.

    Args:
        genotypes: as for `train`.
        out: the run directory.
        **options: the fields of `InspectOptions`.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = InspectOptions.of(genotypes=genotypes, out=out, **options)
    begun = now()
    with started(given) as (folder, console):
        wanted = read_sample_list(given.samples) if given.samples is not None else None
        panel = open_genotypes(given, folder, console, wanted, keep_constant=True)
        counted, linkage, related = _looked_at(panel, console)
        traits = _traits(given, panel)
        tables = {
            "individuals": _individuals(panel, counted, related), "sites": _sites(panel, counted),
            "relatives": _pairs(panel, related), "traits": traits,
        }  # fmt: skip
        everybody = np.arange(len(panel))
        write_json(folder.claim("linkage.json"), linkage_record(panel, everybody, linkage))
        inspected = _inspected(given, panel, counted, linkage, related) | _of_traits(given, panel, traits)
        inspected["findings"] = findings(inspected, tables["individuals"], traits)
        _write(folder, tables, given, panel, inspected, begun)
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return InspectResult(**tables, inspected=inspected, folder=folder.path, report=report)


def _looked_at(panel: Panel, console: Console) -> tuple[Survey, Linkage | None, Relatives | None]:
    """Count calls, find how far linkage reaches, and who is related where there is enough to tell."""
    with console.bar("counting calls"):
        counted = survey(panel)
    with console.bar("measuring linkage"):
        linkage = measured_linkage(panel, np.arange(len(panel)))
    frequency = counted.sites["frequency"].to_numpy()
    if linkage is None:
        return counted, linkage, None
    with console.bar("comparing individuals"):
        stretches = _stretches(panel, frequency, linkage)
        return counted, linkage, relatives(panel, frequency, counted.inbred, stretches)


def _stretches(panel: Panel, frequency: np.ndarray, linkage: Linkage) -> float:
    """Return how many stretches of linked sites there are, about as many as independent sites."""
    lengths = linkage.lengths(panel.sites)
    sites = panel.sites.take(informative_sites(panel, frequency))
    thinned = len(sites) / max(len(panel.sites), 1)
    return sum((w.stop - w.start) / max(1.0, lengths[name] * thinned) for name, w in sites.chromosomes())


def _traits(options: InspectOptions, panel: Panel) -> pd.DataFrame:
    if options.phenotypes is None:
        return pd.DataFrame()
    return describe_traits(options.phenotypes, frozenset(panel.sample_ids), options.ids)


def _individuals(panel: Panel, counted: Survey, related: Relatives | None) -> pd.DataFrame:
    table = pd.DataFrame({"sample_id": panel.sample_ids, "sex": [SEXES[int(sex)] for sex in panel.sex]})
    if panel.check is not None:
        check = panel.check
        table["sex_reported"] = [SEXES[int(sex)] for sex in check.reported]
        table["sex_inferred"] = [SEXES[int(sex)] for sex in check.inferred]
        table["sex_disagrees"] = np.where(check.disagree, "yes", "no")
        table["x_inbreeding"], table["y_called"] = check.inbreeding, check.y_called
        table["impossible_calls"] = sum(check.impossible.values())
    table = pd.concat([table, counted.individuals], axis=1)
    if related is not None:
        named = [f"F{number + 1}" if number >= 0 else "" for number in related.family.tolist()]
        twins = related.pairs[related.pairs["relation"] == next(iter(related.levels))]
        first_of = dict(zip(twins["second"].tolist(), twins["first"].tolist(), strict=True))
        table["family"] = named
        table["same_as"] = [panel.sample_ids[first_of[k]] if k in first_of else "" for k in range(len(panel))]
    return table


def _sites(panel: Panel, counted: Survey) -> pd.DataFrame:
    sites = panel.sites
    where = {"chrom": sites.chrom, "position": sites.position + 1, "name": sites.name}
    alleles = {"ref": sites.alleles[:, 0], "alt": sites.alleles[:, 1]}
    inherited = {"inheritance": [KINDS[int(kind)] for kind in sites.inheritance]}
    varies = {"varies": np.where(counted.constant, "no", "yes")}
    return pd.concat([pd.DataFrame(where | alleles | inherited), counted.sites, pd.DataFrame(varies)], axis=1)


def _pairs(panel: Panel, related: Relatives | None) -> pd.DataFrame:
    if related is None:
        return pd.DataFrame(columns=["first", "second", "kinship", "same", "relation"])
    ids = np.array(panel.sample_ids, object)
    return related.pairs.assign(first=ids[related.pairs["first"]], second=ids[related.pairs["second"]])


def _inspected(
    options: InspectOptions, panel: Panel, counted: Survey, linkage: Linkage | None, related: Relatives | None
) -> dict[str, Any]:
    people, sites = counted.individuals, counted.sites
    kinds = Counter(KINDS[int(kind)] for kind in panel.sites.inheritance)
    return {
        "file": options.genotypes.name, "format": format_name(options.genotypes), "individuals": len(panel),
        "sites": len(panel.sites), "constant": int(counted.constant.sum()),
        "chromosomes": [{"name": n, "sites": w.stop - w.start} for n, w in panel.sites.chromosomes()],
        "inheritance": dict(kinds.most_common()), "sex_system": list(SYSTEMS[options.sex_system][:2]),
        "build": {"told": panel.build, "fitting": builds_that_fit(panel.sites)},
        "missing": float(people["missing"].mean()), "heterozygous": float(people["heterozygous"].median()),
        "sites_missing_a_tenth": int((sites["missing"] > 0.1).sum()),
        "inbreeding": float(people["inbreeding"].median()), "inbred": counted.inbred,
        "sex": _sexes(panel), "relatives": _related(related),
        "linkage": None if linkage is None else {"sites": linkage.genome.sites},
        "left_out": dict(panel.counts),
    }  # fmt: skip


def _sexes(panel: Panel) -> dict[str, Any]:
    counts = {name: int((panel.sex == sex).sum()) for sex, name in ((MALE, "males"), (FEMALE, "females"))}
    found: dict[str, Any] = counts | {"unknown": int((panel.sex == UNKNOWN).sum()), "checked": panel.check is not None}
    if panel.check is not None:
        check = panel.check
        found |= {
            "reported": int((check.reported != UNKNOWN).sum()),
            "disagree": int(check.disagree.sum()),
            "impossible": {why: [int(n.sum()), int((n > 0).sum())] for why, n in check.impossible.items() if n.any()},
        }  # fmt: skip
    return found


def _related(related: Relatives | None) -> dict[str, Any] | None:
    if related is None:
        return None
    sizes = np.bincount(related.family[related.family >= 0])
    counts = related.pairs["relation"].value_counts()
    return {
        "pairs": {name: int(counts.get(name, 0)) for name in related.levels}, "total": related.total,
        "kept": len(related.pairs), "families": len(sizes), "largest": int(sizes.max(initial=0)),
        "in_families": int(sizes.sum()), "sites": related.sites, "inbred": related.inbred,
    }  # fmt: skip


def _of_traits(options: InspectOptions, panel: Panel, traits: pd.DataFrame) -> dict[str, Any]:
    """Return how many columns are of which kind, and who is in one of the two files alone."""
    if options.phenotypes is None:
        return {"traits": None}
    ids, known = read_cells(options.phenotypes, options.ids)[0], set(panel.sample_ids)
    strangers = [name for name in ids if name not in known]
    unlisted = sorted(known - set(ids))
    return {
        "traits": dict(Counter(traits["kind"]).most_common()), "table": options.phenotypes.name,
        "listed": len(ids), "matched": len(ids) - len(strangers),
        "not_genotyped": {"count": len(strangers), "first": strangers[:3]},
        "not_listed": {"count": len(unlisted), "first": unlisted[:3]},
    }  # fmt: skip


def _write(
    folder: RunDirectory, tables: dict[str, pd.DataFrame], options: InspectOptions, panel: Panel,
    inspected: dict[str, Any], begun: str,
) -> None:  # fmt: skip
    headers = {
        "individuals": ["shares of calls; inbreeding: 1 - observed / expected heterozygous calls"],
        "sites": ["positions from 1; frequency of alt; shares of calls"],
        "relatives": ["kinship, and the share of equal calls, over common sites; the closest first"],
        "traits": ["first: the first outliers, more than five robust standard deviations from the median"],
    }
    for name, table in tables.items():
        if len(table.columns):
            write_table(folder.claim(f"{name}.tsv"), table, headers[name])
    write_json(folder.claim("evaluation.json"), {"job": "trait", "inspected": inspected})
    of = len(panel.sites) + sum(panel.counts.values())
    record = provenance.record(
        job="trait", verb="inspect", command=command("inspect", options, ("genotypes",), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        inputs=[input_record(options.genotypes, panel)], citations=CITATIONS,
        dropped=[{"reason": reason, "count": n, "of": of} for reason, n in panel.counts.items() if n],
        notes=[note for note in panel.notes if not note.endswith(SAID_BY_FINDINGS)],
    )  # fmt: skip
    write_json(folder.claim("run.json"), record)
