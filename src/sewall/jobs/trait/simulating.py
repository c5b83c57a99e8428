"""The verb ``simulate``: a trait with a known truth on the genotypes of a file, or on new ones made of them."""

from __future__ import annotations

import gzip
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall import provenance
from sewall.console import Console
from sewall.data.panel import AUTOSOME, FEMALE, LETTERS, MALE, NO_LETTER, UNKNOWN, Panel, X
from sewall.data.panels.reading import open_panel
from sewall.data.panels.rows import DOSAGE_STEPS
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
    plain = _is_plain(panel)
    files = [stage.makes(f"genotypes.{kind}") for kind in (("bed", "bim", "fam") if plain else ("vcf.gz",))]
    if not stage.done:
        (_write_plink if plain else _write_vcf)(panel, files)
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
    elif genotypes.suffix == ".gz" and (_sex(panel) != UNKNOWN).any():
        given["sex"] = "sex"  # VCF does not hold it, the table does
    words += [word for name, value in given.items() if value is not None for word in (flag(name), str(value))]
    return shlex.join([*words, "-o", "OUT"])


def _is_plain(panel: Panel) -> bool:
    """Return whether PLINK 1 can hold a panel: two alleles, called genotypes of diploids, ids without blanks."""
    diploid = panel.calls.steps == 2 and bool((panel.copies[AUTOSOME] == 2).all())
    return diploid and not len(panel.odd) and not any(len(name.split()) != 1 for name in panel.sample_ids)


def _write_plink(panel: Panel, files: list[Path]) -> None:
    """Write a .bed, .bim and .fam, site by site; A1 is ALT. Alleles without a name are 1 (REF) and 2."""
    from bed_reader import create_bed

    bed, bim, fam = files
    sites = panel.sites
    properties = {
        "fid": panel.sample_ids, "iid": panel.sample_ids, "sex": _sex(panel), "chromosome": sites.chrom,
        "sid": np.where(sites.name == "", ".", sites.name), "bp_position": sites.position + 1,
        "allele_1": np.where(sites.alleles[:, 1] == "", "2", sites.alleles[:, 1]),
        "allele_2": np.where(sites.alleles[:, 0] == "", "1", sites.alleles[:, 0]),
    }  # fmt: skip
    with create_bed(
        bed, len(panel), len(sites), properties, fam_location=fam, bim_location=bim, num_threads=1
    ) as writer:
        for start in range(0, len(sites), traits.BLOCK):
            codes = panel.calls.codes(slice(start, start + traits.BLOCK)).astype(np.int8)
            for row in np.where(codes == panel.calls.missing, np.int8(-127), codes):
                writer.write(row)


def _sex(panel: Panel) -> NDArray[np.int8]:
    """Return the sexes; where they are not known, those with one X among others with two are males."""
    one = panel.copies[X] == 1
    known = (panel.sex != UNKNOWN).any() or not one.any() or one.all()
    return panel.sex if known else np.where(one, MALE, FEMALE).astype(np.int8)


def _write_vcf(panel: Panel, files: list[Path]) -> None:
    """Write a gzipped VCF; a male's X is haploid, a female's Y a missing call."""
    if panel.calls.steps == DOSAGE_STEPS:
        raise SewallError("expected genotypes cannot be written as calls; give called ones, without --field")
    if (panel.odd.code % 1 != 0).any():
        raise SewallError("calls with ambiguous letters cannot be written as VCF; give called genotypes")
    sites = panel.sites
    with gzip.open(files[0], "wt", compresslevel=1, encoding="utf-8") as file:
        file.write("##fileformat=VCFv4.2\n")
        file.writelines(f"##contig=<ID={name}>\n" for name, _ in sites.chromosomes())
        file.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        heads = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *panel.sample_ids]
        file.write("\t".join(heads) + "\n")
        for start in range(0, len(sites), traits.BLOCK):
            _write_rows(panel, np.arange(start, min(start + traits.BLOCK, len(sites))), file)


def _write_rows(panel: Panel, sites: NDArray[np.intp], file: IO[str]) -> None:
    codes, most = panel.calls.codes(sites), int(panel.copies.max())
    words = np.array([[_call(copies - alt, alt) for alt in range(most + 1)] for copies in range(most + 1)], object)
    absent = np.array([_call(0, 0, copies) for copies in range(most + 1)], object)
    for site, row in zip(sites.tolist(), codes, strict=True):
        copies = panel.copies[panel.sites.inheritance[site]].astype(int)
        alt = np.where(row == panel.calls.missing, 0, row).astype(int) * copies // panel.calls.steps
        calls = np.where(row == panel.calls.missing, absent[copies], words[copies, alt])
        ref, *alts = _alleles(panel, site, calls)
        place = [panel.sites.chrom[site], str(panel.sites.position[site] + 1), panel.sites.name[site] or "."]
        file.write("\t".join([*place, ref, ",".join(alts), ".", "PASS", ".", "GT", *calls.tolist()]) + "\n")


def _call(ref: int, alt: int, missing: int = 0) -> str:
    return "/".join("0" * ref + "1" * alt + "." * missing) or "."


def _alleles(panel: Panel, site: int, calls: NDArray[np.object_]) -> list[str]:
    """Return the alleles of a site, and write its odd calls into *calls*."""
    names = [panel.sites.alleles[site, 0] or "N", panel.sites.alleles[site, 1] or "<ALT>"]
    first, stop = np.searchsorted(panel.odd.site, [site, site + 1])
    for sample, code in zip(panel.odd.sample[first:stop], panel.odd.code[first:stop], strict=True):
        carried = []
        for channel in np.flatnonzero(code).tolist():
            name = LETTERS[channel] if channel < len(LETTERS) else _other(panel, site)
            if name not in names:
                names.append(name)
            carried += [names.index(name)] * int(code[channel])
        calls[sample] = "/".join(map(str, sorted(carried)))
    return names


def _other(panel: Panel, site: int) -> str:
    """Return the allele of a site that is not one letter."""
    both = zip(panel.sites.alleles[site], panel.sites.letters[site], strict=True)
    return next((str(name) for name, letter in both if letter == NO_LETTER and name), "<OTHER>")


def _phenotypes(panel: Panel, trait: SimulatedTrait) -> pd.DataFrame:
    table = pd.DataFrame({"sample_id": panel.sample_ids, TRAIT: trait.value})
    sex = _sex(panel)
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
