"""Alignments and their labels on disk, some hundreds to a file.

A shard is an ``.npz`` of plain arrays (sites of all alignments end to end, and where each begins), written under a
temporary name and renamed: a file with a shard's name is whole.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.errors import SewallError

LABEL = "label:"
Arrays = dict[str, NDArray[Any]]


def pack(
    alignments: Sequence[Alignment], labels: Mapping[str, NDArray[Any]] | None = None, fingerprint: str = ""
) -> bytes:
    """Return the bytes of a shard.

    Args:
        alignments: any number, any sizes.
        labels: named arrays ``(alignments, ...)``: numbers, or arrays of one shape.
        fingerprint: says what the shard was made from; `shard_fingerprint` returns it.
    """
    arrays: Arrays = {
        "fingerprint": np.array(fingerprint),
        "length": np.array([a.length for a in alignments], np.int64),
        "sites": np.array([a.sites for a in alignments], np.int64),
        "columns": np.array([len(a.copies) for a in alignments], np.int64),
        "intervals": np.array([len(a.accessible) for a in alignments], np.int64),
        "positions": _end_to_end([a.positions for a in alignments], np.int32),
        "calls": _end_to_end([a.calls.ravel() for a in alignments], np.int8),
        "copies": _end_to_end([a.copies for a in alignments], np.int8),
        "accessible": _end_to_end([a.accessible.ravel() for a in alignments], np.int32),
    }
    for name, values in (labels or {}).items():
        if len(values) != len(alignments):
            raise ValueError(f"label {name}: {len(values)} values for {len(alignments)} alignments")
        arrays[LABEL + name] = np.asarray(values)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def write_whole(path: Path, content: bytes) -> None:
    """Write *content* under a temporary name, then rename: nobody ever sees half a file.

    Raises:
        SewallError: where the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise SewallError(
            f"{path}: cannot be written ({error.strerror}); make room or choose another folder"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_shard(
    path: Path,
    alignments: Sequence[Alignment],
    labels: Mapping[str, NDArray[Any]] | None = None,
    fingerprint: str = "",
) -> None:
    """Write alignments and their labels to *path* (see `pack` and `write_whole`)."""
    write_whole(path, pack(alignments, labels, fingerprint))


def shard_fingerprint(path: Path) -> str | None:
    """Return what the shard was made from, or None where there is no whole shard."""
    try:
        return str(_read_arrays(path, ["fingerprint"])["fingerprint"])
    except SewallError:
        return None


def read_shard(path: Path) -> list[Alignment]:
    """Return all alignments of a shard.

    Raises:
        SewallError: where the file is missing or damaged.
    """
    return _unpack(_read_arrays(path, ("length", "sites", "columns", "intervals", *_LONG)))


class ShardedAlignments:
    """Lazy access to the alignments of several shards, in the order of *paths*.

    Args:
        paths: shards as written by `write_shard`.
        memory: bytes of decompressed shards to keep; one shard is kept whatever its size.
    """

    def __init__(self, paths: Sequence[Path | str], memory: int = 2**29) -> None:
        self.paths = [Path(p) for p in paths]
        self._memory = memory
        sizes = [len(_read_arrays(path, ("length",))["length"]) for path in self.paths]
        self._ends = np.cumsum(sizes, dtype=np.intp)
        self._kept: OrderedDict[int, tuple[list[Alignment], int]] = OrderedDict()

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @cached_property
    def labels(self) -> pd.DataFrame:
        """One row per alignment, one column per label that is a single number."""
        numbers = ({k: v for k, v in _read_arrays(path).items() if v.ndim == 1} for path in self.paths)
        tables = [pd.DataFrame(shard).rename(columns=_label_name) for shard in numbers]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def array(self, label: str) -> NDArray[Any]:
        """Return one label of all alignments, ``(alignments, ...)``, whatever its shape."""
        return np.concatenate([_read_arrays(path, [LABEL + label])[LABEL + label] for path in self.paths])

    def load(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> list[Alignment]:
        """Return the alignments of *rows*, in their order.

        Raises:
            IndexError: for a row that does not exist.
            SewallError: where a shard is missing or damaged.
        """
        rows = np.asarray(rows, np.intp)
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)} alignments")
        shards = np.searchsorted(self._ends, rows, side="right")
        found: dict[int, Alignment] = {}
        for shard in np.unique(shards):  # one shard at a time, however the rows are mixed
            alignments = self._shard(int(shard))
            begin = int(self._ends[shard]) - len(alignments)
            for place in np.flatnonzero(shards == shard):
                found[int(place)] = alignments[int(rows[place]) - begin]
        return [found[i] for i in range(len(rows))]

    def _shard(self, index: int) -> list[Alignment]:
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index][0]
        alignments = read_shard(self.paths[index])
        size = sum(a.calls.nbytes + a.positions.nbytes for a in alignments)
        while self._kept and size + sum(kept for _, kept in self._kept.values()) > self._memory:
            self._kept.popitem(last=False)
        self._kept[index] = (alignments, size)
        return alignments


_LONG = ("positions", "calls", "copies", "accessible")


def _end_to_end(parts: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)


def _label_name(array: str) -> str:
    return array.removeprefix(LABEL)


def _read_arrays(path: Path, names: Sequence[str] | None = None) -> Arrays:
    """Return the named arrays of a shard; its labels where no names are given."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as shard:
            if names is None:
                names = [name for name in shard.files if name.startswith(LABEL)]
            return {name: shard[name] for name in names}
    except FileNotFoundError:
        raise SewallError(f"{path}: no such shard of simulations; simulate again") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        raise SewallError(f"{path}: not a whole shard of simulations; delete it and simulate again") from None


def _unpack(shard: Arrays) -> list[Alignment]:
    sites, columns = shard["sites"], shard["columns"]
    positions = np.split(shard["positions"], np.cumsum(sites)[:-1])
    calls = np.split(shard["calls"], np.cumsum(sites * columns)[:-1])
    copies = np.split(shard["copies"], np.cumsum(columns)[:-1])
    accessible = np.split(shard["accessible"], np.cumsum(2 * shard["intervals"])[:-1])
    return [
        Alignment(
            positions[i], calls[i].reshape(sites[i], columns[i]), copies[i], int(length), accessible[i].reshape(-1, 2)
        )
        for i, length in enumerate(shard["length"])
    ]
