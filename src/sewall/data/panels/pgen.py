"""PLINK 2 filesets, through the optional package pgenlib."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.data.delimited import table_rows
from sewall.data.panels.dosages import as_dosages
from sewall.data.panels.rows import DOSAGE_STEPS, Facts, SiteRows, texts
from sewall.data.samples import find_samples, refuse_duplicates
from sewall.errors import SewallError

_ROWS = 2048


class PgenGenotypes:
    """A `sewall.data.panels.rows.GenotypeSource`.

    Args:
        path: the ``.pgen``; its ``.pvar`` (or ``.pvar.zst``) and ``.psam`` lie beside it.
        samples: ids of the individuals to read; all by default.
        field: None for called genotypes, ``DS`` for dosages.

    Raises:
        SewallError: pgenlib is not installed, a file is missing or damaged, variants are not sorted.
    """

    def __init__(self, path: Path, samples: Sequence[str] | None = None, field: str | None = None) -> None:
        library = _library(path)
        self._path = path
        if field not in (None, "DS"):
            raise SewallError(f"{path}: PLINK 2 data hold no {field}; read their dosages as DS")
        ids, sex = _people(_beside(path, ".psam"))
        self.sample_ids = list(samples) if samples is not None else ids
        which = np.array(find_samples(str(path), ids, self.sample_ids))
        self._back = np.argsort(np.argsort(which))  # pgenlib gives individuals in the order of the file
        self._variants, self._reader = _opened(library, path, len(ids), np.sort(which))
        self.sites = int(self._variants.get_variant_ct())
        self.steps = DOSAGE_STEPS if field else 2
        self.facts = Facts(sex=sex)
        self._widest = max(2, int(self._variants.get_max_allele_ct()))

    def rows(self) -> Iterator[SiteRows]:
        """Yield the variants in the order of the file."""
        chroms = [_text(self._variants.get_variant_chrom(k)) for k in range(self.sites)]
        done = set[str]()
        for chrom, group in groupby(range(self.sites), key=chroms.__getitem__):
            members = list(group)
            self._refuse_unsorted(chrom, members, chrom in done)
            done.add(chrom)
            for start in range(members[0], members[-1] + 1, _ROWS):
                yield self._rows(chrom, start, min(start + _ROWS, members[-1] + 1))

    def _refuse_unsorted(self, chrom: str, members: Sequence[int], seen: bool) -> None:
        positions = np.array([self._variants.get_variant_pos(k) for k in members])
        if seen or (np.diff(positions) < 0).any():
            raise SewallError(f"{self._path}: chromosome {chrom} is not in order; sort it with plink2 --sort-vars")

    def _rows(self, chrom: str, start: int, stop: int) -> SiteRows:
        numbers = range(start, stop)
        position = np.array([self._variants.get_variant_pos(k) for k in numbers], np.int32) - 1
        name = texts(_text(self._variants.get_variant_id(k)) for k in numbers)
        alleles = np.full((stop - start, self._widest), "", object)
        for row, k in enumerate(numbers):
            for allele in range(self._variants.get_allele_ct(k)):
                alleles[row, allele] = _text(self._variants.get_allele_code(k, allele)).replace(".", "")
        genotypes, dosages = self._calls(start, stop)
        return SiteRows(chrom, position, name, alleles, genotypes, dosages)

    def _calls(self, start: int, stop: int) -> tuple[NDArray[np.int8], NDArray[np.uint8] | None]:
        shape = (stop - start, len(self.sample_ids))
        if self.steps == DOSAGE_STEPS:
            copies = np.empty(shape, np.float32)
            self._reader.read_dosages_range(start, stop, copies)
            copies[copies < 0] = np.nan
            return np.zeros((*shape, 0), np.int8), as_dosages(copies[:, self._back] / 2)
        alleles = np.empty((shape[0], 2 * shape[1]), np.int32)
        self._reader.read_alleles_range(start, stop, alleles)
        calls = np.where(alleles < 0, -1, alleles).astype(np.int8).reshape(*shape, 2)
        return calls[:, self._back], None


def _library(path: Path) -> Any:
    try:
        return importlib.import_module("pgenlib")
    except ImportError:
        raise SewallError(f"{path}: PLINK 2 data need pgenlib: install sewall[plink2], or plink2 --make-bed") from None


def _beside(path: Path, ending: str) -> Path:
    found = [other for other in (path.with_suffix(ending), path.with_suffix(f"{ending}.zst")) if other.is_file()]
    if not found:
        raise SewallError(f"{path.with_suffix(ending)}: no such file; PLINK 2 data are a .pgen, a .pvar and a .psam")
    return found[0]


def _opened(library: Any, path: Path, samples: int, which: NDArray[np.intp]) -> tuple[Any, Any]:
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    try:
        variants = library.PvarReader(bytes(_beside(path, ".pvar")))
        reader = library.PgenReader(
            bytes(path),
            raw_sample_ct=samples,
            variant_ct=variants.get_variant_ct(),
            sample_subset=which.astype(np.uint32),
            allele_idx_offsets=variants.get_allele_idx_offsets(),
        )
    except (RuntimeError, OSError) as error:
        raise SewallError(f"{path}: cannot be read ({error}); give the .pvar and .psam it was made with") from None
    return variants, reader


def _people(psam: Path) -> tuple[list[str], dict[str, str]]:
    """Return the ids and the sexes of a .psam file, which is a .fam file where it has no header."""
    with table_rows(psam) as rows:
        table = [fields for _, fields in rows if not fields[0].startswith("##")]
    header = [name.lstrip("#") for name in table[0]]
    if "IID" in header:
        table = table[1:]
    else:
        header = ["FID", "IID", "PAT", "MAT", "SEX"]
    ids = [row[header.index("IID")] for row in table]
    refuse_duplicates(str(psam), ids)
    sex = {name: row[header.index("SEX")] for name, row in zip(ids, table, strict=True)} if "SEX" in header else {}
    return ids, sex


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
