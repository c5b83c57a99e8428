"""Genotypes of individuals from whatever file they came in: the one door between files and the trait job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sewall.data.headers import detect_format
from sewall.data.panel import Panel
from sewall.data.panels.assembly import Assembly
from sewall.data.panels.cross import CrossGenotypes
from sewall.data.panels.hapmap import HapMapText
from sewall.data.panels.matrix import NumericMatrix, text_format
from sewall.data.panels.pgen import PgenGenotypes
from sewall.data.panels.rows import GenotypeSource, whole_positions
from sewall.data.panels.stored import StoredGenotypes
from sewall.data.vcf import DOSAGES, Progress
from sewall.errors import SewallError

__all__ = ["format_name", "open_panel"]


def open_panel(
    path: str | Path,
    cache: str | Path,
    *,
    samples: list[str] | None = None,
    sex: Mapping[str, str] | None = None,
    build: str | None = None,
    autosomes: int | None = None,
    sex_system: str = "XY",
    field: str | None = None,
    sites: str | Path | None = None,
    row_names: bool | None = None,
    keep_constant: bool = False,
    progress: Progress | None = None,
) -> Panel:
    """Read the genotypes of individuals into a packed panel; memory is that of the packed calls and one block.

    Sites of one position that stand in several rows become one site. At a site of several alleles the calls count the
    commonest ALT, and calls that carry another are kept beside. Everything left out or changed is counted by reason.

    Args:
        path: PLINK 1 ``.bed``, VCF (``.vcf``, ``.vcf.gz``), BCF, VCF Zarr, ``.trees``, PLINK 2 ``.pgen`` (extra
            ``plink2``), HapMap text (``.hmp.txt``), a cross of R/qtl2 (``.zip``), or a CSV or TSV matrix, individuals
            by sites, of copies of one allele (0, 1, 2 or fractions); text files may be gzipped and are held in memory
            while they are read.
        cache: directory for the copy as VCF Zarr, made once and reused.
        samples: ids of the individuals to read, in this order; all by default.
        sex: by sample id, in words or codes (1 male, 2 female); believed before what the file says. Where neither
            knows it, it is inferred from X and Y.
        build: ``GRCh37``, ``GRCh38``, ``GRCm38`` or ``GRCm39``, which tells the pseudo-autosomal regions; by default
            from declared lengths.
        autosomes: number of autosomes where chromosomes after the last are numbered as in PLINK; 22 by default.
        sex_system: ``XY``, or ``ZW`` where females have one Z and one W.
        field: None for called genotypes; ``DS``, ``GP``, ``PL`` or ``GL`` for expected ones.
        sites: map of a matrix: a table with columns for the name, chromosome and position of each site, and perhaps
            its alleles (``A;G``).
        row_names: whether the first column of a matrix holds the ids; by default as it looks.
        keep_constant: keep sites that do not vary in these individuals, as prediction needs: an individual's answer
            may not depend on who is read with it.
        progress: told how far a conversion is.

    Raises:
        SewallError: the file is missing, damaged, of no known format, holds no usable site, or lacks some *samples*.
    """
    if field is not None and field not in DOSAGES:
        raise SewallError(f"field {field} holds no dosages; give one of {', '.join(DOSAGES)}, or none for GT")
    path = Path(path)
    source = _source(path, Path(cache), samples, field, sites, row_names, progress)
    assembly = Assembly(source, keep_constant)
    for rows in whole_positions(source.rows()):
        assembly.add(rows)
    if not assembly.sites:
        reasons = "; ".join(f"{reason}: {count}" for reason, count in assembly.counts.most_common() if count)
        raise SewallError(f"{path}: no site can be used ({reasons or 'there are none'}); check how it was made")
    return assembly.panel(sex or {}, build, autosomes, sex_system)


def format_name(path: str | Path) -> str:
    """Return what the format of a file is called.

    Raises:
        SewallError: the file is missing, or of no known format.
    """
    path = Path(path)
    by_ending = {".zip": "R/qtl2 cross", ".pgen": "PLINK 2"}.get(path.suffix)
    as_text = {"hapmap": "HapMap text", "matrix": "matrix"}
    stored = {"vcf": "VCF", "bcf": "BCF", "plink": "PLINK 1", "trees": "tree sequence", "vcz": "VCF Zarr"}
    return by_ending or as_text.get(text_format(path)) or stored[detect_format(path)]


def _source(
    path: Path,
    cache: Path,
    samples: list[str] | None,
    field: str | None,
    sites: str | Path | None,
    row_names: bool | None,
    progress: Progress | None,
) -> GenotypeSource:
    if path.suffix == ".zip":
        return CrossGenotypes(path, samples)
    if path.suffix == ".pgen":
        return PgenGenotypes(path, samples, field)
    text = text_format(path)
    if text == "hapmap":
        return HapMapText(path, samples)
    if text == "matrix":
        return NumericMatrix(path, samples, Path(sites) if sites else None, row_names)
    return StoredGenotypes(path, cache, samples, field, progress)
