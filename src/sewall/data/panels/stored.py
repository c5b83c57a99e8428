"""Genotypes of a VCF Zarr store, row by row: where VCF, BCF, PLINK 1 and tree sequences arrive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from sewall.data.convert import as_vcz
from sewall.data.headers import detect_format
from sewall.data.panels.builds import build_of_lengths
from sewall.data.panels.codes import NO_PLACE
from sewall.data.panels.dosages import dosages_of
from sewall.data.panels.plink_map import placed_fileset
from sewall.data.panels.rows import DOSAGE_STEPS, Facts, SiteRows, texts
from sewall.data.plink import fileset
from sewall.data.samples import find_samples
from sewall.data.sites import FILTERED, call_ploidy
from sewall.data.store import Store
from sewall.data.vcf import IDS, Progress
from sewall.errors import SewallError

_DIPLOID = 2


class StoredGenotypes:
    """A `sewall.data.panels.rows.GenotypeSource`.

    Args:
        path: VCF, BCF, VCF Zarr, PLINK 1 ``.bed`` or tree sequence.
        cache: where the copy as VCF Zarr is kept.
        samples: ids of the individuals to read; all by default.
        field: None for called genotypes, or ``DS``, ``GP``, ``PL`` or ``GL`` where the file has them.
        progress: told how far a conversion is.
    """

    def __init__(
        self,
        path: Path,
        cache: Path,
        samples: Sequence[str] | None = None,
        field: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        is_plink = detect_format(path) == "plink"
        readable, said = placed_fileset(path, cache) if is_plink else (path, "")
        converted = as_vcz(readable, cache, progress, (IDS,) if field is None else (IDS, field))
        self._store = Store(converted.store, path)
        self._root: Any = zarr.open_group(converted.store, mode="r")
        self._field = field
        if field is not None and f"call_{field}" not in self._root:
            raise SewallError(f"{path}: has no field {field}; leave --field out to read called genotypes")
        if samples is not None:
            self._store.samples = np.array(find_samples(str(path), self._store.sample_ids, samples), np.intp)
        self.sample_ids = list(samples) if samples is not None else self._store.sample_ids
        self.sites = len(self._store.positions)
        self.facts = Facts(build=build_of_lengths(c.length for c in self._store.contigs), notes=[said] if said else [])
        self.facts.notes += [note.replace(str(readable.parent), str(path.parent)) for note in converted.notes]
        if is_plink:
            self._read_tables(path)
        self.steps = DOSAGE_STEPS if field else self._steps()

    def _read_tables(self, path: Path) -> None:
        """Take from a PLINK 1 fileset what VCF Zarr does not hold: the sexes, and how many variants had no place."""
        _, bim, fam = fileset(path)
        people = [line.split() for line in fam.read_text(encoding="utf-8").splitlines() if line.strip()]
        self.facts.sex = {row[1]: row[4] for row in people}
        with bim.open(encoding="utf-8") as lines:
            self.facts.counts[NO_PLACE] += sum(1 for line in lines if line.strip()) - self.sites

    def _steps(self) -> int:
        """Return the steps that hold the shares of all individuals exactly, whatever their ploidies."""
        ploidy = int(self._root["call_genotype"].shape[2])
        if ploidy <= _DIPLOID:
            return _DIPLOID
        numbers = range(-(-self.sites // self._store.rows_per_block))
        seen = sum(call_ploidy(self._store.block(number).genotypes).sum(axis=0) for number in numbers)
        steps = lcm(*(copies for copies in np.flatnonzero(seen).tolist() if copies))
        return steps if steps <= DOSAGE_STEPS else ploidy

    def rows(self) -> Iterator[SiteRows]:
        """Yield the rows that passed the caller's filters, one stored chunk at a time."""
        size = self._store.rows_per_block
        for contig in self._store.contigs:
            first, stop = self._store.all_rows(contig.name)
            for number in range(first // size, -(-stop // size)):
                rows = slice(max(first, number * size), min(stop, (number + 1) * size))
                passed = self._store.passed(rows)
                self.facts.counts[FILTERED] += int((~passed).sum())
                if passed.any():
                    yield self._rows(contig.name, rows).take(passed)

    def _rows(self, chrom: str, rows: slice) -> SiteRows:
        block = self._store.block(rows.start // self._store.rows_per_block)
        inside = slice(rows.start - block.start, rows.stop - block.start)
        alleles = np.array(block.alleles[inside], object)
        genotypes = block.genotypes[inside]
        return SiteRows(
            chrom, self._store.positions[rows], self._names(rows), alleles, genotypes, self._dosages(rows, genotypes)
        )

    def _names(self, rows: slice) -> NDArray[np.object_]:
        if "variant_id" not in self._root:
            return texts([""] * (rows.stop - rows.start))
        return texts("" if name == "." else str(name) for name in self._root["variant_id"][rows])

    def _dosages(self, rows: slice, genotypes: NDArray[np.int8]) -> NDArray[np.uint8] | None:
        if self._field is None:
            return None
        values = self._root[f"call_{self._field}"][rows]
        values = values if self._store.samples is None else values[:, self._store.samples]
        return dosages_of(self._field, np.asarray(values, np.float64), (genotypes != -2).sum(axis=2))
