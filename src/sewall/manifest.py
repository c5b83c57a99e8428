"""What a run directory keeps about its run: its settings, what it made, and what must not be overwritten."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sewall.errors import SewallError
from sewall.provenance import draw_seed

MANIFEST = "manifest.json"
LOG = "log.jsonl"
FORMAT_VERSION = 1


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name what differs between two settings, one phrase each.

    >>> differences({"window": 100000, "prior": {"low": 0}}, {"window": 50000, "prior": {"low": 1}})
    ['prior.low was 0, is 1', 'window was 100000, is 50000']
    """
    before, after = _flat(then), _flat(now)
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return [f"{key} was {_word(before.get(key))}, is {_word(after.get(key))}" for key in keys]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for key, value in settings.items():
        rows |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return rows


def _word(value: Any) -> str:
    text = "not given" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Return the manifest of the run in a directory, None where the directory is empty or not there.

    Raises:
        SewallError: there is a file, a directory of something else, or a manifest that cannot be read.
    """
    if path.exists() and not path.is_dir():
        raise SewallError(f"{path}: is a file, not a directory; give another directory with -o")
    file = path / MANIFEST
    if not file.exists():
        if path.is_dir() and any(not item.name.startswith(".") for item in path.iterdir()):
            raise SewallError(f"{path}: is not empty and holds no run of sewall; give another directory with -o")
        return None
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version = int(manifest["format_version"])
        whole = {"config", "seed", "seed_drawn", "made", "stages"} <= set(manifest)
    except (ValueError, KeyError, TypeError):
        raise SewallError(f"{file}: damaged, or not of a run of sewall; give another directory with -o") from None
    if version > FORMAT_VERSION or not whole:
        raise SewallError(f"{file}: written by another version of sewall; update sewall or give another directory")
    return manifest


def make_folder(path: Path) -> None:
    """Make a directory, its parents too."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as problem:
        raise SewallError(f"{path}: no directory can be made here ({problem.strerror}); give another with -o") from None


def new_manifest(settings: dict[str, Any], seed: int | None) -> dict[str, Any]:
    """Return the manifest of a run that has done nothing yet; a seed is drawn where none is given."""
    return {
        "format_version": FORMAT_VERSION,
        "config": settings,
        "seed": draw_seed() if seed is None else seed,
        "seed_drawn": seed is None,
        "made": [LOG],
        "stages": {},
    }


def unequal_settings(manifest: Mapping[str, Any], settings: Mapping[str, Any], seed: int | None) -> list[str]:
    """Name what differs between the run of a manifest and the one asked for; an absent seed is no difference."""
    then, now = dict(manifest["config"]), dict(settings)
    digests_then, digests_now = then.pop("inputs", {}), now.pop("inputs", {})
    both = set(digests_then) & set(digests_now)  # that another file is read is told by the option itself
    changed = sorted(file for file in both if digests_then[file] != digests_now[file])
    other_seed = [] if seed in {None, manifest["seed"]} else [f"seed was {manifest['seed']}, is {seed}"]
    return [*differences(then, now), *(f"the content of {file} has changed" for file in changed), *other_seed]


def nothing_to_lose(path: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether the run of a manifest has come to no result: no finished stage, and no file but its log.

    A mistake in the options is often found by the run itself. Mending it must not call for another directory.
    """
    return not manifest["stages"] and not any((path / made).is_file() for made in manifest["made"] if made != LOG)


def other_settings(path: Path, unequal: list[str]) -> SewallError:
    """Return the refusal of a directory whose run has other settings."""
    shown = "; ".join(unequal[:4]) + (f"; and {len(unequal) - 4} more" if len(unequal) > 4 else "")
    return SewallError(
        f"{path}: holds a run with other settings ({shown}); give another directory, or --force to start it afresh"
    )


def measure(path: Path) -> list[int] | None:
    """Return the number of files and of bytes of a file or folder, None where it is not there."""
    if path.is_file():
        return [1, path.stat().st_size]
    if not path.is_dir():
        return None
    sizes = [file.stat().st_size for file in path.rglob("*") if file.is_file()]
    return [len(sizes), sum(sizes)]


def delete_made(path: Path, manifest: dict[str, Any], inputs: Iterable[Path | str]) -> None:
    """Delete what a run made, and its manifest; refuse where that would take one of *inputs* or a file elsewhere."""
    made = [(path / relative).resolve() for relative in manifest["made"]]
    for item in (Path(given) for given in inputs):
        if any(item.resolve().is_relative_to(target) for target in made):
            raise SewallError(f"{item}: starting afresh would delete this input; give another directory with -o")
    for target in made:
        if not target.is_relative_to(path.resolve()):
            raise SewallError(f"{path / MANIFEST}: names a file outside the directory ({target}); delete it yourself")
    for target in [*made, (path / MANIFEST).resolve()]:  # the manifest last: a kill on the way leaves the list
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)


class Lock:
    """Holds a directory for this process while the object lives.

    A record lock dies with its process and is not inherited by workers: a killed run never blocks its rerun.
    """

    def __init__(self, path: Path) -> None:
        handle = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        weakref.finalize(self, os.close, handle)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            if problem.errno in {errno.EACCES, errno.EAGAIN}:  # other errors: a disk that knows no locks
                raise SewallError(
                    f"{path}: another run of sewall is writing here; wait for it or give another directory"
                ) from None
