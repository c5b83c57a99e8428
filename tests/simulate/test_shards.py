from pathlib import Path

import numpy as np
import pytest

from sewall.data.alignment import Alignment
from sewall.errors import SewallError
from sewall.simulate.nuisances import apply_mask
from sewall.simulate.shards import ShardedAlignments, read_shard, shard_fingerprint, write_shard


def some(n: int, seed: int = 0) -> list[Alignment]:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        sites, columns = int(rng.integers(0, 30)), int(rng.integers(2, 9))
        positions = np.sort(rng.choice(1000, sites, replace=False)).astype(np.int32)
        calls = rng.integers(-1, 3, (sites, columns)).astype(np.int8)
        al = Alignment(positions, calls, rng.integers(1, 3, columns).astype(np.int8), 1000 + i)
        made.append(apply_mask(al, np.array([[0, 400], [500, 900]], np.int32)) if i % 2 else al)
    return made


def assert_same(left: Alignment, right: Alignment) -> None:
    for name in ("positions", "calls", "copies", "accessible"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
        assert getattr(left, name).dtype == getattr(right, name).dtype
    assert left.length == right.length


@pytest.fixture
def shards(tmp_path: Path) -> tuple[list[Path], list[Alignment]]:
    everything = some(25)
    paths = []
    for k, start in enumerate(range(0, 25, 10)):
        paths.append(tmp_path / f"shard-{k:05d}.npz")
        part = everything[start : start + 10]
        write_shard(paths[-1], part, {"r": np.arange(start, start + len(part)) * 1e-9}, "abc")
    return paths, everything


def test_a_shard_comes_back_as_it_was(shards: tuple[list[Path], list[Alignment]]) -> None:
    paths, everything = shards
    for left, right in zip(read_shard(paths[0]), everything[:10], strict=True):
        assert_same(left, right)
    assert shard_fingerprint(paths[0]) == "abc"


@pytest.mark.parametrize("memory", [0, 2**29])
def test_rows_come_in_the_order_asked(shards: tuple[list[Path], list[Alignment]], memory: int) -> None:
    source = ShardedAlignments(shards[0], memory=memory)
    assert len(source) == 25
    rows = [24, 0, 13, 9, 10, 0]
    for row, al in zip(rows, source.load(rows), strict=True):
        assert_same(al, shards[1][row])
    assert source.load([]) == []


def test_labels_are_a_table(shards: tuple[list[Path], list[Alignment]]) -> None:
    labels = ShardedAlignments(shards[0]).labels
    np.testing.assert_allclose(labels["r"], np.arange(25) * 1e-9)


def test_memory_is_bounded(shards: tuple[list[Path], list[Alignment]]) -> None:
    source = ShardedAlignments(shards[0], memory=0)
    source.load(np.arange(25))
    assert len(source._kept) == 1


def test_absent_rows_are_an_error(shards: tuple[list[Path], list[Alignment]]) -> None:
    with pytest.raises(IndexError, match="25"):
        ShardedAlignments(shards[0]).load([25])
    with pytest.raises(IndexError):
        ShardedAlignments(shards[0]).load([-1])


def test_no_shards_hold_nothing() -> None:
    source = ShardedAlignments([])
    assert len(source) == 0
    assert source.load([]) == []
    assert len(source.labels) == 0


def test_an_empty_shard_is_whole(tmp_path: Path) -> None:
    write_shard(tmp_path / "s.npz", [], {"r": np.zeros(0)})
    assert read_shard(tmp_path / "s.npz") == []


def test_a_damaged_shard_is_named(shards: tuple[list[Path], list[Alignment]]) -> None:
    path = shards[0][1]
    path.write_bytes(path.read_bytes()[:-200])
    assert shard_fingerprint(path) is None
    with pytest.raises(SewallError, match=r"shard-00001.npz: not a whole shard"):
        read_shard(path)
    path.unlink()
    with pytest.raises(SewallError, match="no such shard"):
        ShardedAlignments(shards[0])


def test_labels_must_match(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="label r: 2 values for 3"):
        write_shard(tmp_path / "s.npz", some(3), {"r": np.zeros(2)})
    assert list(tmp_path.iterdir()) == []


def test_no_room_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SewallError, match="No space left on device"):
        write_shard(tmp_path / "s.npz", some(3))
    assert list(tmp_path.iterdir()) == []
