"""The verb ``simulate``: a trait with a known truth on the genotypes of a file, or on new ones made of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import provenance
from sewall.console import Console
from sewall.data.panel import UNKNOWN, Panel
from sewall.data.panels.reading import open_panel
from sewall.data.panels.writing import fits_plink, sexes, write_plink, write_vcf
from sewall.data.phenotypes import read_sex
from sewall.errors import SewallError
from sewall.jobs.options import command, flag
from sewall.jobs.session import started, stream
from sewall.jobs.trait.options import SimulateOptions
from sewall.jobs.trait.reading import input_record
from sewall.rundir import RunDirectory, Stage, now, write_json
from sewall.simulate import cohorts, traits
from sewall.simulate.traits import SimulatedTrait
from sewall.tables import write_table

CITATIONS = ("vcf-zarr",)
TRAIT = "trait"  # name of the column
HALF = 0.5

# Independent streams of one seed.
MOSAICS, ALLELES, EFFECTS = range(3)

_EFFECTS = [
    "effect, in units of the trait: additive, of each copy of ALT; dominance, of being heterozygous; epistasis, of the "
    "product of the centred dosages of the site and its partner; x, of each copy counted; x_by_sex, the same in "
    "females, and its opposite in males; multi-allelic, of each copy of ALT, and its opposite of each third allele"
]


@dataclass(frozen=True)
class SimulateResult:
    """A finished simulation.

    Attributes:
        trait: the trait and its truth.
        genotypes: the file to train on: the one that was given, or one in the run directory.
        phenotypes: the table to train on; the trait's column is called ``trait``.
        train: the command that does.
        folder: the run directory.
        report: the page.
    """

    trait: SimulatedTrait
    genotypes: Path
    phenotypes: Path
    train: str
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return what was simulated, how to train on it, and where the page lies."""
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.trait.shares.items()) or "no effects"
        return (
            f"{len(self.trait.value)} individuals: heritability {self.trait.heritability:.3f} in the sample, {shares}\n"
            f"{self.train}\n{self.report}"
        )


def simulate(genotypes: str | Path, *, out: str | Path, **options: Any) -> SimulateResult:
    """Simulate a trait with a known truth.

    Args:
        genotypes: as for `train`.
        out: the run directory.
        **options: the fields of `SimulateOptions`; ``architecture``, how the trait is inherited, must be among them.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    given = SimulateOptions.of(genotypes=genotypes, out=out, **options)
    begun = now()
    with started(given) as (folder, console), _of(given.genotypes):
        with folder.stage("simulate") as stage:
            read = _read(given, folder, console)
            with console.bar("simulating"):
                panel = _cohort(given, folder, read)
                trait = _trait(given, folder, panel)
            left = _left(given, panel, trait)
            with console.bar("writing"):
                path = given.genotypes if left is read else _write_genotypes(left, stage)
                _write_tables(panel, trait, stage)
        write_json(folder.claim("run.json"), _record(given, folder, read, left, trait, path, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    table = folder.path / "phenotypes.tsv"
    return SimulateResult(trait, path, table, _training(given, path, table, panel), folder.path, report)


@contextmanager
def _of(genotypes: Path) -> Iterator[None]:
    """Name the file in errors that speak of a panel."""
    try:
        yield
    except SewallError as problem:
        text = str(problem)
        raise SewallError(text if str(genotypes) in text or text[:2] == "--" else f"{genotypes}: {text}") from problem


def _read(options: SimulateOptions, folder: RunDirectory, console: Console) -> Panel:
    if options.sex is not None and not isinstance(options.sex, Path):
        raise SewallError(f"--sex: no such file {options.sex}; give a table with the columns sample_id and sex")
    with console.bar(f"reading {options.genotypes.name}") as bar:
        return open_panel(
            options.genotypes, folder.claim("variants"), sex=read_sex(options.sex) if options.sex else None,
            build=options.build, autosomes=options.autosomes, sex_system=options.sex_system, field=options.field,
            sites=options.sites, progress=bar.update,
        )  # fmt: skip


def _cohort(options: SimulateOptions, folder: RunDirectory, panel: Panel) -> Panel:
    """Return the individuals that get the trait."""
    if options.individuals is not None:
        panel = cohorts.mosaics(panel, options.individuals, stream(folder.seed, MOSAICS))
    if options.third_alleles is not None:
        panel = cohorts.with_third_alleles(panel, options.third_alleles, stream(folder.seed, ALLELES))
    return panel


def _trait(options: SimulateOptions, folder: RunDirectory, panel: Panel) -> SimulatedTrait:
    return traits.simulate(
        panel, options.architecture, options.heritability or HALF, stream(folder.seed, EFFECTS), causal=options.causal,
        share=options.share or HALF, compensation=options.compensation, within=options.within,
    )  # fmt: skip


def _left(options: SimulateOptions, panel: Panel, trait: SimulatedTrait) -> Panel:
    """Return the genotypes to train on."""
    if not options.remove_causal:
        return panel
    kept = np.setdiff1d(np.arange(len(panel.sites)), trait.causal_sites)
    if not len(kept):
        raise SewallError("all sites are causal, so that none would be left; give a lower --causal")
    return panel.take_sites(kept)


def _write_genotypes(panel: Panel, stage: Stage) -> Path:
    """Write genotypes that are not those of the file; nothing is written again by a rerun."""
    plain = fits_plink(panel)
    files = [stage.makes(f"genotypes.{kind}") for kind in (("bed", "bim", "fam") if plain else ("vcf.gz",))]
    if not stage.done:
        (write_plink if plain else write_vcf)(panel, files[0])
    return files[0]


def _write_tables(panel: Panel, trait: SimulatedTrait, stage: Stage) -> None:
    write_table(stage.makes("phenotypes.tsv"), _phenotypes(panel, trait))
    write_table(stage.makes("truth.tsv"), _truth(panel, trait), ["true values; genetic and noise make up the trait"])
    write_table(stage.makes("causal.tsv"), _causal(panel, trait), _EFFECTS)


def _training(options: SimulateOptions, genotypes: Path, table: Path, panel: Panel) -> str:
    """Return the command that trains on what was simulated; the file that was given is read as it was here."""
    words = ["sewall", "trait", "train", str(genotypes), "--phenotypes", str(table), "--trait", TRAIT]
    given = {name: getattr(options, name) for name in ("build", "autosomes")}
    given["sex_system"] = options.sex_system if options.sex_system != "XY" else None
    if genotypes == options.genotypes:
        given |= {name: getattr(options, name) for name in ("sites", "sex", "field")}
    elif genotypes.suffix == ".gz" and (sexes(panel) != UNKNOWN).any():
        given["sex"] = "sex"  # VCF does not hold it, the table does
    words += [word for name, value in given.items() if value is not None for word in (flag(name), str(value))]
    return shlex.join([*words, "-o", "OUT"])


def _phenotypes(panel: Panel, trait: SimulatedTrait) -> pd.DataFrame:
    table = pd.DataFrame({"sample_id": panel.sample_ids, TRAIT: trait.value})
    sex = sexes(panel)
    return table.assign(sex=np.array(["NA", "male", "female"])[sex]) if (sex != UNKNOWN).any() else table


def _truth(panel: Panel, trait: SimulatedTrait) -> pd.DataFrame:
    truth = {"sample_id": panel.sample_ids, "genetic": trait.genetic, **trait.components}
    return pd.DataFrame({**truth, "noise": trait.value - trait.genetic})


def _causal(panel: Panel, trait: SimulatedTrait) -> pd.DataFrame:
    """Return one row per effect, sites by place and alleles, positions from 1."""
    sites, table = panel.sites, trait.causal
    site, partner = table["site"].to_numpy(np.intp), table["partner"].to_numpy(np.intp)
    places = {
        "component": table["component"], "chrom": sites.chrom[site], "position": sites.position[site] + 1,
        "name": sites.name[site], "ref": sites.alleles[site, 0], "alt": sites.alleles[site, 1],
    }  # fmt: skip
    if (partner >= 0).any():
        there = partner >= 0
        places["partner_chrom"] = np.where(there, sites.chrom[partner], "")
        places["partner_position"] = np.where(there, (sites.position[partner] + 1).astype(str), "")
        places["partner_name"] = np.where(there, sites.name[partner], "")
    return pd.DataFrame({**places, "effect": table["effect"]})


def _record(
    options: SimulateOptions, folder: RunDirectory, read: Panel, left: Panel, trait: SimulatedTrait, path: Path,
    begun: str,
) -> dict[str, Any]:  # fmt: skip
    counts = left.counts | ({"causal": len(trait.causal_sites)} if options.remove_causal else {})
    total = len(left.sites) + sum(counts.values())
    return provenance.record(
        job="trait", verb="simulate", command=command("simulate", options, ("genotypes",), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        inputs=[input_record(options.genotypes, read)], citations=CITATIONS, notes=list(read.notes),
        dropped=[{"reason": reason, "count": n, "of": total} for reason, n in counts.items() if n],
        simulated=_achieved(options, left, trait, path),
    )  # fmt: skip


def _achieved(options: SimulateOptions, left: Panel, trait: SimulatedTrait, path: Path) -> dict[str, Any]:
    effects = trait.causal["component"].value_counts()
    return {
        "architecture": options.architecture, "heritability": trait.heritability,
        "components": [
            {"name": name, "share": share, "effects": int(effects[name])} for name, share in trait.shares.items()
        ],
        "causal_sites": len(trait.causal_sites), "individuals": len(left), "sites": len(left.sites),
        "sites_of_three_alleles": len(np.unique(left.odd.site)), "genotypes": str(path),
    }  # fmt: skip
