"""The run directory: every file is written whole or not at all, and a finished stage is not done twice.

``manifest.json`` in the directory holds the settings of the run, its seed, what it made, and one entry per finished
stage with the settings of that stage and the sizes of its files. A rerun of the same command skips the stages whose
entry is whole, so that a run killed at any moment goes on from its last whole stage.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sewall.errors import SewallError
from sewall.manifest import (
    LOG,
    MANIFEST,
    Lock,
    delete_made,
    differences,
    make_folder,
    measure,
    new_manifest,
    nothing_to_lose,
    other_settings,
    read_manifest,
    unequal_settings,
)
from sewall.provenance import digest, sewall_version

_PARTIAL = ".partial"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def room_on_disk(path: Path) -> Iterator[None]:
    """Turn a full disk or a directory that may not be written into one line; *path* says where it happened."""
    try:
        yield
    except OSError as problem:
        if problem.errno in _NO_ROOM:
            raise SewallError(
                f"{path}: no room on disk; free some space and run the same command again: "
                "it goes on from the last whole stage"
            ) from problem
        if problem.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise SewallError(
                f"{problem.filename or path}: may not be written; give a directory of your own with -o"
            ) from problem
        raise


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside *path*; when the block ends well the file written there takes the name *path*.

    After an error, or a kill, *path* is what it was before. The temporary name keeps the suffixes of *path*, because
    many writers choose the format by them.

    Raises:
        SewallError: no room on disk, or the directory may not be written.
    """
    path = Path(path)
    with room_on_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{_PARTIAL}-", suffix=f"-{path.name}", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            _settle(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _settle(temporary: Path, path: Path) -> None:
    """Rename a finished file once its bytes are on the disk, with the rights that a plain new file would have."""
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def write_text(path: Path | str, text: str) -> None:
    """Write a text file whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write a JSON file whole or not at all; NumPy numbers and arrays and paths are taken, NaN becomes null."""
    write_text(path, json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """Return *value* in the types of JSON.

    >>> plain({"window": Path("a.bed"), "rates": (1.0, float("nan"))})
    {'window': 'a.bed', 'rates': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy arrays and scalars
        return plain(value.tolist())
    if isinstance(value, float) and not (abs(value) < float("inf")):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


@dataclass
class Stage:
    """One stage of a run, given by `RunDirectory.stage`.

    Attributes:
        name: name of the stage.
        done: whether it was finished by an earlier run of the same command; its work must then be skipped.
        notes: small results kept with the stage; on a skip they are those of the earlier run.
    """

    name: str
    done: bool
    notes: dict[str, Any]
    _run: RunDirectory
    _files: list[str] = field(default_factory=list)

    def makes(self, relative: str) -> Path:
        """Say that the stage makes this file or folder; return its path. The stage is whole while it is unchanged."""
        self._files.append(relative)
        return self._run.claim(relative)

    def note(self, **values: Any) -> None:
        """Keep small results (numbers, texts, lists) for the reruns that skip the stage."""
        self.notes |= plain(values)


@dataclass
class RunDirectory:
    """A directory that belongs to one run.

    Attributes:
        path: the directory.
        config: the settings that decide the result, as plain JSON types.
        seed: the seed of the run: given, drawn, or that of the earlier run of the same command.
        seconds: seconds per finished stage, those of earlier runs included.
    """

    path: Path
    config: dict[str, Any]
    seed: int
    seed_drawn: bool
    _manifest: dict[str, Any]
    _lock: Lock

    @classmethod
    def open(
        cls,
        path: Path | str,
        config: Mapping[str, Any],
        *,
        seed: int | None = None,
        force: bool = False,
        inputs: Iterable[Path | str] = (),
    ) -> Self:
        """Open a new run directory, or the one of an earlier run of the same command.

        Args:
            path: the directory; made if it does not exist.
            config: the settings that decide the result (not threads or verbosity).
            seed: None takes the seed of the earlier run, or draws one.
            force: start afresh: what an earlier run made there is deleted, and nothing else.
            inputs: files that the run reads: a rerun is refused where their content has changed, and a fresh start
                where it would delete one of them.

        Raises:
            SewallError: the directory holds something else, or a run with other settings (named), or is in use.
        """
        path, read = Path(path), [Path(item) for item in inputs]
        digests = {str(item.resolve()): digest(item) for item in read}
        settings = plain({**config, "sewall": sewall_version(), "inputs": digests})
        with room_on_disk(path):
            read_manifest(path)  # refuses a directory of something else before anything is written there
            make_folder(path)
            lock, manifest = Lock(path), read_manifest(path)
            unequal = [] if manifest is None else unequal_settings(manifest, settings, seed)
            if manifest is not None and (force or unequal):
                if not force and not nothing_to_lose(path, manifest):
                    raise other_settings(path, unequal)
                delete_made(path, manifest, read)
                manifest = None
            manifest = manifest or new_manifest(settings, seed)
            run = cls(path, settings, manifest["seed"], manifest["seed_drawn"], manifest, lock)
            run._sweep_partial_files()
            run._save()
        return run

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds that each finished stage took."""
        return {name: entry["seconds"] for name, entry in self._manifest["stages"].items()}

    def claim(self, relative: str) -> Path:
        """Note that a file or folder is made by this run, so that a fresh start may delete it; return its path."""
        if relative not in self._manifest["made"]:
            self._manifest["made"].append(relative)
            self._save()
        path = self.path / relative
        with room_on_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def stage(self, name: str, config: Mapping[str, Any] | None = None) -> Iterator[Stage]:
        """Do a stage once: ``with run.stage("train") as stage: if not stage.done: ...``.

        The stage counts as finished when the block ends without an error; its files (`Stage.makes`) are then recorded.
        A stage that is done anew takes the entries of all later stages with it, because they were made from its files.

        Raises:
            SewallError: an earlier run finished the stage with other settings; or no room on disk.
        """
        settings = plain(config or {})
        entry = self._manifest["stages"].get(name)
        if entry is not None and (unequal := differences(entry["config"], settings)):
            raise other_settings(self.path, [f"{name}: {text}" for text in unequal])
        if entry is not None and all(measure(self.path / file) == size for file, size in entry["files"].items()):
            self.log("skip", stage=name)
            yield Stage(name, True, entry["notes"], self)
            return
        self._forget_from(name)
        stage, started = Stage(name, False, {}, self), time.monotonic()
        self.log("start", stage=name)
        with room_on_disk(self.path):
            yield stage
        self._finish(stage, settings, time.monotonic() - started)

    def log(self, event: str, **values: Any) -> None:
        """Append one line to ``log.jsonl``."""
        line = json.dumps({"time": now(), "event": event, **plain(values)}, ensure_ascii=False)
        with room_on_disk(self.path), (self.path / LOG).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _finish(self, stage: Stage, settings: dict[str, Any], seconds: float) -> None:
        sizes = {relative: measure(self.path / relative) for relative in stage._files}
        if absent := [relative for relative, size in sizes.items() if size is None]:
            raise RuntimeError(f"stage {stage.name} did not make {', '.join(absent)}")
        self._manifest["stages"][stage.name] = {
            "config": settings,
            "files": sizes,
            "notes": stage.notes,
            "seconds": round(seconds, 3),
            "finished": now(),
        }
        self._save()
        self.log("finish", stage=stage.name, seconds=round(seconds, 3))

    def _forget_from(self, name: str) -> None:
        stages = self._manifest["stages"]
        names = list(stages)
        for later in names[names.index(name) :] if name in names else []:
            del stages[later]
        self._save()

    def _save(self) -> None:
        write_json(self.path / MANIFEST, self._manifest)

    def _sweep_partial_files(self) -> None:
        """Remove what a killed run was writing; the names are those that `atomic_path` gives."""
        for folder in {self.path, *((self.path / made).parent for made in self._manifest["made"])}:
            for file in folder.glob(f"{_PARTIAL}-*"):
                file.unlink(missing_ok=True)


def now() -> str:
    """Return the time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()
