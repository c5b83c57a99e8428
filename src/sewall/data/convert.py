"""Every source of variants becomes VCF Zarr once; the converted copy is reused as long as the source is the same."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sewall.data.headers import check_whole, detect_format, mended_copy, read_header
from sewall.data.plink import clean_copy, fileset, irregularities
from sewall.data.vcf import Progress, VcfSource
from sewall.errors import SewallError
from sewall.rundir import room_on_disk

LAYOUT = 1
"""Raised when the conversion changes, so that older copies are not reused."""

_BLOCK = 1 << 20
_SMALL = 1 << 16


@dataclass(frozen=True)
class Converted:
    """A source as VCF Zarr.

    Attributes:
        store: the VCF Zarr directory.
        digest: of the content of the source.
        notes: what was mended on the way, in sentences for the user.
    """

    store: Path
    digest: str
    notes: tuple[str, ...] = ()


def as_vcz(
    path: str | Path, cache: str | Path, progress: Progress | None = None, keep: Sequence[str] = ()
) -> Converted:
    """Return *path* as VCF Zarr, converting it into *cache* unless a whole copy lies there already.

    The copy is written under a temporary name and renamed when it is whole; nothing stays behind after a failure.

    Args:
        path: of any format that `sewall.data.headers.detect_format` knows.
        cache: directory for the copy.
        progress: told how far a conversion is.
        keep: what of a VCF or BCF to copy beside the called genotypes, see `VcfSource`; a copy with more has another
            name.

    Raises:
        SewallError: the file is missing, empty, cut, damaged, of no known format, or its content is unusable.
    """
    path = Path(path)
    kind = detect_format(path)
    if kind == "vcz":
        return Converted(path, _directory_digest(path))
    files = fileset(path) if kind == "plink" else (path,)
    digest = file_digest(files)
    notes = _notes(path, kind)
    keep = keep if kind in ("vcf", "bcf") else ()
    store = Path(cache) / f"{'-'.join([path.name.split('.')[0], digest[:16], str(LAYOUT), *keep])}.vcz"
    if not store.exists():
        _convert(path, kind, store, progress, keep)
    return Converted(store, digest, notes)


def file_digest(files: Iterable[Path]) -> str:
    """Return the BLAKE2b digest (hexadecimal) of the content of *files*."""
    state = hashlib.blake2b(digest_size=20)
    for path in files:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                state.update(block)
    return state.hexdigest()


def _directory_digest(path: Path) -> str:
    """Digest names and sizes of all files of a store, and the content of small ones: chunks may be many gigabytes."""
    state = hashlib.blake2b(digest_size=20)
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        size = file.stat().st_size
        state.update(f"{file.relative_to(path)} {size}\n".encode())
        state.update(file.read_bytes() if size <= _SMALL else b"")
    return state.hexdigest()


def _notes(path: Path, kind: str) -> tuple[str, ...]:
    """Say what is not as it should be but can be read all the same."""
    found = {"vcf": _header_note, "plink": irregularities}.get(kind, lambda _: "")(path)
    return (found,) if found else ()


def _header_note(path: Path) -> str:
    header = read_header(path)
    if header.wrong is None:
        return ""
    have, want = header.wrong
    return (
        f"{path}, line {header.lines}: the header calls a column {have} instead of {want}; it was read as {want} "
        f"(to mend the file: sed '{header.lines}s/{have}/{want}/')"
    )


def _convert(path: Path, kind: str, store: Path, progress: Progress | None, keep: Sequence[str]) -> None:
    with room_on_disk(store):
        store.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".converting-", dir=store.parent))
        try:
            write = {"plink": _plink, "trees": _trees}.get(kind) or partial(_vcf, keep=keep)
            write(path, work, progress)
            _settle(work / "out.vcz", store)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _settle(made: Path, store: Path) -> None:
    """Give the finished copy its name, unless another process was faster."""
    try:
        made.rename(store)
    except OSError:
        if not store.exists():
            raise


def _vcf(path: Path, work: Path, progress: Progress | None, keep: Sequence[str]) -> None:
    from bio2zarr import vcz

    check_whole(path)
    readable, lines = path, None
    if detect_format(path) == "vcf":
        header = read_header(path)
        lines = header.lines
        readable = mended_copy(path, header, work / "mended.vcf.gz") if header.wrong else path
    source = VcfSource(readable, path, lines, progress, keep)
    vcz.encode(source, source.generate_schema(), work / "out.vcz", worker_processes=0)


def _plink(path: Path, work: Path, progress: Progress | None) -> None:
    from bio2zarr import plink

    plink.convert(clean_copy(path, work), work / "out.vcz", worker_processes=0)


def _trees(path: Path, work: Path, progress: Progress | None) -> None:
    import numpy as np
    import tskit
    from bio2zarr import tskit as converter

    try:
        trees = tskit.load(path)
    except (tskit.FileFormatError, EOFError, OSError) as error:
        raise SewallError(f"{path}: is not a whole tree sequence ({error}); write it with TreeSequence.dump") from None
    if trees.num_samples == 0 or trees.num_sites == 0:
        raise SewallError(
            f"{path}: has no {'sites' if trees.num_samples else 'samples'}; add mutations or samples to it"
        )
    # VCF counts from 1 and trees from 0: shifted, the positions inside are those of the tree sequence
    mapping = trees.map_to_vcf_model(position_transform=lambda x: np.floor(x).astype(np.int64) + 1)
    mapping.contig_length = int(trees.sequence_length)
    converter.convert(trees, work / "out.vcz", model_mapping=mapping, worker_processes=0)
