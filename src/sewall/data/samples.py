"""Lists of samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sewall.errors import SewallError, some_names


def read_sample_list(path: str | Path) -> list[str]:
    """Read sample ids from the first column of a text file; a header is recognised by the name ``sample_id``.

    Columns are separated by tabs. Ids stay text: ``007`` is not 7.

    Raises:
        SewallError: the file is missing, holds no ids, or an id stands in it twice (names the ids).
    """
    path = Path(path)
    if not path.is_file():
        raise SewallError(f"{path}: no such file; check the path")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SewallError(f"{path}: is not a text file; list one sample id a line") from None
    ids = [line.split("\t")[0].strip() for line in lines if line.strip()]
    ids = ids[1:] if ids and ids[0] == "sample_id" else ids
    if not ids:
        raise SewallError(f"{path}: lists no samples; write one sample id a line")
    refuse_duplicates(str(path), ids)
    return ids


def refuse_duplicates(what: str, ids: Sequence[str]) -> None:
    """Raise when a sample id occurs more than once in *ids*."""
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise SewallError(f"{what}: sample {some_names(twice)} occurs more than once; every sample needs its own id")


def find_samples(source: str, known: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return where the *wanted* samples stand among the *known* ones of *source*.

    Raises:
        SewallError: none are wanted, one is wanted twice, or some are absent (says how many and names them).
    """
    refuse_duplicates("the sample list", wanted)
    place = {name: index for index, name in enumerate(known)}
    absent = [name for name in wanted if name not in place]
    if not wanted:
        raise SewallError(f"{source}: the sample list is empty; name at least one of its {len(known)} samples")
    if absent:
        raise SewallError(
            f"{source}: {len(absent)} of {len(wanted)} listed samples are absent ({some_names(absent)}); "
            f"its samples are {some_names(list(known))}; a header line of the list must begin with sample_id"
        )
    return [place[name] for name in wanted]
