"""VCF and BCF as a source for VCF Zarr: streamed with cyvcf2, without an index, whatever the header forgot to declare.

bio2zarr's own VCF reader asks for an index where there are several contigs and carries every field over; ours reads a
file from front to end twice (once to count and check, once to copy) and keeps what inference needs.
"""

from __future__ import annotations

import ctypes
import io
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cyvcf2
import numpy as np
from bio2zarr import constants, core, vcz
from bio2zarr.zarr_utils import DEFAULT_COMPRESSOR_BOOL_CONFIG, DEFAULT_COMPRESSOR_GENOTYPES_CONFIG
from numpy.dtypes import StringDType
from numpy.typing import NDArray

from sewall.data.regions import WHOLE
from sewall.errors import SewallError

Progress = Callable[[int, int], None]
"""Called with the number of variants converted so far and their total."""

IDS = "ID"
DOSAGES = ("DS", "GP", "PL", "GL")
"""Fields of expected genotypes."""

_REPORT_EVERY = 5_000
_CHUNK_GENOTYPES = 1 << 22
_DIPLOID = 2
_NO_INTEGER = -(2**31) + 1  # missing, and padding, in the integers of VCF


class VcfSource(vcz.Source):
    """Reads a VCF or BCF for `bio2zarr.vcz.encode`.

    Args:
        path: what to read (perhaps a mended copy).
        name: the user's own path, for messages.
        header_lines: lines before the first record, or None where records have no line (BCF).
        progress: told how far the copy is.
        keep: what to copy beside the called genotypes: `IDS`, and fields among `DOSAGES`.

    Raises:
        SewallError: no records, no genotypes nor a field to keep in any record, positions out of order, a contig in
            two places, or a record that cannot be parsed; names the line.
    """

    def __init__(
        self,
        path: Path,
        name: Path,
        header_lines: int | None,
        progress: Progress | None = None,
        keep: Sequence[str] = (),
    ) -> None:
        self._path, self._name, self._header_lines, self._progress = path, name, header_lines, progress
        self._keep_ids, self._kept = IDS in keep, [field for field in keep if field in DOSAGES]
        self._contig_index: dict[str, int] = {}
        self._filter_index: dict[str, int] = {"PASS": 0}
        self._contig_codes, self._filter_codes, self._positions = array("i"), array("i"), array("i")
        self._max_alleles, self._max_ploidy = 2, 0
        self._widths = dict.fromkeys(self._kept, 0)
        self._record_ids = bytearray()  # a line each
        with _opened(self._path, name) as reader:
            self._ids = list(reader.samples)
            self._scan(reader)
            self._lengths = _declared_lengths(reader)

    def _scan(self, reader: cyvcf2.VCF) -> None:
        for record in self._records(reader):
            self._place(record.CHROM, record.POS)
            self._filter_codes.append(self._filter_index.setdefault(record.FILTER or "PASS", len(self._filter_index)))
            self._max_alleles = max(self._max_alleles, len(record.ALT) + 1)
            found = _genotypes(record)
            if found is not None:
                self._check_alleles(int(found[:, :-1].max()), len(record.ALT))
                self._max_ploidy = max(self._max_ploidy, found.shape[1] - 1)
            if self._keep_ids:
                self._record_ids += f"{record.ID or ''}\n".encode()
            for field in self._kept:
                values = _field(record, field)
                self._widths[field] = max(self._widths[field], 0 if values is None else values.shape[1])
        self._check_content()

    def _check_content(self) -> None:
        if not self._positions:
            raise SewallError(f"{self._name}: holds no variants; check how it was made")
        if absent := [field for field, width in self._widths.items() if not width]:
            raise SewallError(f"{self._name}: has no field {' or '.join(absent)} in any record; leave --field out")
        if self._kept and self._max_ploidy == 0:
            self._max_ploidy = _DIPLOID  # expected genotypes without called ones
        if self._max_ploidy == 0:
            raise SewallError(
                f"{self._name}: has no GT field (genotypes) in any record; give a VCF with called genotypes"
            )

    def _place(self, contig: str, position: int) -> None:
        code = self._contig_index.setdefault(contig, len(self._contig_index))
        if self._positions and code != self._contig_codes[-1] and code < len(self._contig_index) - 1:
            raise SewallError(f"{self._here()}: contig {contig} comes a second time; sort the file with bcftools sort")
        if self._positions and code == self._contig_codes[-1] and position < self._positions[-1]:
            raise SewallError(
                f"{self._here()}: position {contig}:{position} comes after {self._positions[-1]}; "
                "sort the file with bcftools sort"
            )
        self._contig_codes.append(code)
        self._positions.append(position)

    def _check_alleles(self, highest: int, alternates: int) -> None:
        if highest > alternates:
            raise SewallError(
                f"{self._here(0)}: a genotype names allele {highest}, but the record has "
                f"{alternates} alternate alleles; mend the record"
            )

    def _here(self, ahead: int = 1) -> str:
        number = len(self._positions) + ahead
        return f"{self._name}, " + (
            f"record {number}" if self._header_lines is None else f"line {self._header_lines + number}"
        )

    def _records(self, reader: cyvcf2.VCF) -> Iterator[Any]:
        while True:
            try:
                record = next(reader, None)
            except Exception:  # cyvcf2 raises the bare class
                raise SewallError(f"{self._here()}: the record cannot be read; check its columns") from None
            if record is None:
                return
            yield record

    @property
    def path(self) -> Path:
        """The user's path."""
        return self._name

    @property
    def num_records(self) -> int:
        """Number of records."""
        return len(self._positions)

    @property
    def num_samples(self) -> int:
        """Number of samples."""
        return len(self._ids)

    @property
    def samples(self) -> list[vcz.Sample]:
        """Samples in the order of the columns."""
        return [vcz.Sample(name) for name in self._ids]

    @property
    def contigs(self) -> list[vcz.Contig]:
        """Contigs that have records, in the order of the file."""
        return [vcz.Contig(name, self._lengths.get(name)) for name in self._contig_index]

    @property
    def filters(self) -> list[vcz.Filter]:
        """Values of the FILTER column; several in one record count as one value."""
        return [vcz.Filter(name) for name in self._filter_index]

    def iter_contig(self, start: int, stop: int) -> Iterator[int]:
        """Yield the contig code of each record."""
        yield from self._contig_codes[start:stop]

    def iter_field(
        self, field_name: str, shape: tuple[int, ...], dtype: Any, start: int, stop: int
    ) -> Iterator[int | NDArray[np.float32]]:
        """Yield the positions, or the values of a field, ``(samples, values)``, NaN where there are none."""
        if field_name not in self._kept:
            yield from self._positions[start:stop]
            return
        with _opened(self._path, self._name) as reader:
            for record in islice(self._records(reader), start, stop):
                values, laid = _field(record, field_name), np.full(shape, np.nan, np.float32)
                if values is not None:
                    laid[:, : values.shape[1]] = values[:, : shape[1]]
                yield laid

    def iter_id(self, start: int, stop: int) -> Iterator[str | None]:
        """Yield the ID of each record, None where it has none."""
        for line in islice(io.BytesIO(self._record_ids), start, stop):
            yield line.decode().rstrip("\n") or None

    def iter_filters(self, start: int, stop: int) -> Iterator[NDArray[np.bool_]]:
        """Yield for each record which filter value it has."""
        table = np.eye(len(self._filter_index), dtype=bool)
        yield from (table[code] for code in self._filter_codes[start:stop])

    def iter_alleles_and_genotypes(
        self, start: int, stop: int, shape: tuple[int, int], num_alleles: int
    ) -> Iterator[vcz.VariantData]:
        """Yield alleles, genotypes ``(samples, ploidy)`` and phase of each record."""
        with _opened(self._path, self._name) as reader:
            for number, record in enumerate(islice(self._records(reader), start, stop), start=start + 1):
                yield _variant_data(record, shape, num_alleles, _DIPLOID if self._kept else 1)
                if self._progress and (number % _REPORT_EVERY == 0 or number == stop):
                    self._progress(number, self.num_records)

    def generate_schema(
        self, variants_chunk_size: int | None = None, samples_chunk_size: int | None = None, local_alleles: Any = None
    ) -> vcz.VcfZarrSchema:
        """Lay out the arrays; chunks hold about four million alleles."""
        per_row = self.num_samples * self._max_ploidy
        dimensions = vcz.standard_dimensions(
            variants_size=self.num_records,
            samples_size=self.num_samples,
            variants_chunk_size=variants_chunk_size or int(np.clip(_CHUNK_GENOTYPES // per_row, 100, 10_000)),
            samples_chunk_size=samples_chunk_size,
            alleles_size=self._max_alleles,
            filters_size=len(self._filter_index),
            ploidy_size=self._max_ploidy,
        )
        for field, width in self._widths.items():
            dimensions[_values_of(field)] = vcz.VcfZarrDimension.unchunked(min(width, _DIPLOID + 1))
        return vcz.VcfZarrSchema(vcz.ZARR_SCHEMA_FORMAT_VERSION, [*self._fields(), *self._kept_fields()], dimensions)

    def _kept_fields(self) -> list[vcz.ZarrArraySpec]:
        """Lay out what is kept on request; of the genotypes of a site those of the first two alleles."""
        spec, rows = vcz.ZarrArraySpec, ["variants"]
        ids = [spec("variant_id", "T", rows, None), spec("variant_id_mask", "bool", rows, None)]
        values = [
            spec(f"call_{field}", "f4", [*rows, "samples", _values_of(field)], f"{field} of the VCF", source=field)
            for field in self._kept
        ]
        return (ids if self._keep_ids else []) + values

    def _fields(self) -> list[vcz.ZarrArraySpec]:
        calls, rows = ["variants", "samples", "ploidy"], ["variants"]
        genotype = core.min_int_dtype(constants.INT_FILL, self._max_alleles)
        contig = core.min_int_dtype(0, len(self._contig_index))
        flags = dict(DEFAULT_COMPRESSOR_BOOL_CONFIG)
        spec = vcz.ZarrArraySpec
        return [
            spec("variant_position", "i4", rows, None, source="position"),
            spec("variant_contig", contig, rows, None),
            spec("variant_length", "i4", rows, None),
            spec("variant_allele", "T", ["variants", "alleles"], None),
            spec("variant_filter", "bool", ["variants", "filters"], None, compressor=flags),
            spec("call_genotype", genotype, calls, None, compressor=dict(DEFAULT_COMPRESSOR_GENOTYPES_CONFIG)),
            spec("call_genotype_phased", "bool", calls[:2], None, compressor=flags),
            spec("call_genotype_mask", "bool", calls, None, compressor=flags),
        ]


def _values_of(field: str) -> str:
    """Return the name of the dimension of a field's values."""
    return f"values_of_{field}"


def _opened(path: Path, name: Path) -> cyvcf2.VCF:
    _silence_htslib()
    try:
        return cyvcf2.VCF(str(path))
    except Exception as error:  # cyvcf2 raises the bare class
        raise SewallError(f"{name}: the header cannot be read ({error}); look at it with bcftools view -h") from None


def _silence_htslib() -> None:
    """Keep htslib from printing: what matters becomes our own one-line error."""
    quiet = getattr(ctypes.CDLL(cyvcf2.cyvcf2.__file__), "hts_set_log_level", None)
    if quiet is not None:
        quiet(0)


def _declared_lengths(reader: cyvcf2.VCF) -> dict[str, int]:
    """Return the contig lengths that the header declares."""
    try:
        pairs = zip(reader.seqnames, reader.seqlens, strict=True)
    except (AttributeError, ValueError):
        return {}
    return {name: int(length) for name, length in pairs if 0 < length <= WHOLE}


def _genotypes(record: Any) -> NDArray[np.int16] | None:
    """Return ``(samples, ploidy + 1)`` alleles and phase, or None for a record without GT."""
    try:
        return record.genotype.array()
    except Exception:  # cyvcf2 raises the bare class where a record has no GT
        return None


def _field(record: Any, name: str) -> NDArray[np.float32] | None:
    """Return ``(samples, values)`` of a field, NaN where missing, or None for a record without it."""
    try:
        values = record.format(name)
    except KeyError:  # not declared in the header
        return None
    if values is None:
        return None
    if values.dtype.kind == "i":
        return np.where(values <= _NO_INTEGER, np.nan, values).astype(np.float32)
    return np.asarray(values, np.float32)


def _variant_data(record: Any, shape: tuple[int, int], num_alleles: int, unknown: int = 1) -> vcz.VariantData:
    alleles = np.full(num_alleles, constants.STR_FILL, dtype=StringDType())
    alleles[: len(record.ALT) + 1] = [record.REF, *record.ALT]
    genotypes = np.full(shape, constants.INT_FILL, np.int16)
    phased = np.zeros(shape[0], bool)
    found = _genotypes(record)
    if found is None:
        genotypes[:, :unknown] = constants.INT_MISSING
    else:
        genotypes[:, : found.shape[1] - 1] = found[:, :-1]
        phased = found[:, -1] == 1
    return vcz.VariantData(len(record.REF), alleles, genotypes, phased)
