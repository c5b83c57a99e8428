"""Panels as files: PLINK 1 where it can hold them, VCF else."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import AUTOSOME, BLOCK, FEMALE, LETTERS, MALE, NO_LETTER, UNKNOWN, Panel, Sexes, X
from sewall.data.panels.rows import DOSAGE_STEPS
from sewall.errors import SewallError


def fits_plink(panel: Panel) -> bool:
    """Return whether PLINK 1 can hold a panel: two alleles, called genotypes of diploids, ids without blanks."""
    diploid = panel.calls.steps == 2 and bool((panel.copies[AUTOSOME] == 2).all())
    return diploid and not len(panel.odd) and not any(len(name.split()) != 1 for name in panel.sample_ids)


def write_plink(panel: Panel, bed: Path) -> None:
    """Write a .bed, .bim and .fam, site by site; A1 is ALT. Alleles without a name are 1 (REF) and 2."""
    from bed_reader import create_bed

    bim, fam = bed.with_suffix(".bim"), bed.with_suffix(".fam")
    sites = panel.sites
    properties = {
        "fid": panel.sample_ids, "iid": panel.sample_ids, "sex": sexes(panel), "chromosome": sites.chrom,
        "sid": np.where(sites.name == "", ".", sites.name), "bp_position": sites.position + 1,
        "allele_1": np.where(sites.alleles[:, 1] == "", "2", sites.alleles[:, 1]),
        "allele_2": np.where(sites.alleles[:, 0] == "", "1", sites.alleles[:, 0]),
    }  # fmt: skip
    with create_bed(
        bed, len(panel), len(sites), properties, fam_location=fam, bim_location=bim, num_threads=1
    ) as writer:
        for start in range(0, len(sites), BLOCK):
            codes = panel.calls.codes(slice(start, start + BLOCK)).astype(np.int8)
            for row in np.where(codes == panel.calls.missing, np.int8(-127), codes):
                writer.write(row)


def write_vcf(panel: Panel, path: Path) -> None:
    """Write a gzipped VCF; a male's X is haploid, a female's Y a missing call."""
    if panel.calls.steps == DOSAGE_STEPS:
        raise SewallError("expected genotypes cannot be written as calls; give called ones, without --field")
    if (panel.odd.code % 1 != 0).any():
        raise SewallError("calls with ambiguous letters cannot be written as VCF; give called genotypes")
    sites = panel.sites
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        file.write("##fileformat=VCFv4.2\n")
        file.writelines(f"##contig=<ID={name}>\n" for name, _ in sites.chromosomes())
        file.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        heads = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *panel.sample_ids]
        file.write("\t".join(heads) + "\n")
        for start in range(0, len(sites), BLOCK):
            _write_rows(panel, np.arange(start, min(start + BLOCK, len(sites))), file)


def sexes(panel: Panel) -> Sexes:
    """Return the sexes; where they are not known, those with one X among others with two are males."""
    one = panel.copies[X] == 1
    known = (panel.sex != UNKNOWN).any() or not one.any() or one.all()
    return panel.sex if known else np.where(one, MALE, FEMALE).astype(np.int8)


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
