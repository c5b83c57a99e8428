import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from sewall.errors import SewallError
from sewall.simulate.farm import run_farm
from sewall.simulate.shards import ShardedAlignments

# The workers import the work by the name of its module, so it is written to a module of its own.
MODULE = """
    import os, time
    from dataclasses import dataclass
    import numpy as np
    from sewall.errors import SewallError
    from sewall.simulate.coalescent import WindowSpec, simulate_window
    from sewall.simulate.history import History

    @dataclass(frozen=True)
    class Windows:
        fails_at: int = -1
        kind: str = "user"
        pause: float = 0.0

        def __call__(self, i, seed):
            if i == self.fails_at:
                if self.kind == "death":
                    os._exit(9)
                raise SewallError("no window") if self.kind == "user" else ZeroDivisionError("by zero")
            time.sleep(self.pause)
            draws, trees = seed.spawn(2)
            r = np.random.default_rng(draws).uniform(0, 5e-8)
            return simulate_window(WindowSpec(6, 20_000, 1.25e-8, r, History((1e4,))), trees), {"r": r, "i": i}
"""


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type:
    (tmp_path / "farm_work.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("farm_work", None)
    import farm_work

    return farm_work.Windows


def contents(paths: list[Path]) -> list[bytes]:
    return [p.read_bytes() for p in paths]


def test_the_number_of_workers_changes_nothing(windows: type, tmp_path: Path) -> None:
    alone = run_farm(windows(), 23, 7, tmp_path / "a", config={}, shard_size=5, workers=1)
    together = run_farm(windows(), 23, 7, tmp_path / "b", config={}, shard_size=5, workers=2)
    assert [p.name for p in alone] == [f"shard-{k:05d}.npz" for k in range(5)] == [p.name for p in together]
    for left, right in zip(alone, together, strict=True):
        with np.load(left) as a, np.load(right) as b:
            assert a.files == b.files
            for name in a.files:
                np.testing.assert_array_equal(a[name], b[name])
    labels = ShardedAlignments(alone).labels
    assert labels["i"].tolist() == list(range(23))
    assert labels["r"].nunique() == 23


def test_the_size_of_shards_changes_nothing_but_the_files(windows: type, tmp_path: Path) -> None:
    few = ShardedAlignments(run_farm(windows(), 12, 7, tmp_path / "a", config={}, shard_size=12, workers=1))
    many = ShardedAlignments(run_farm(windows(), 12, 7, tmp_path / "b", config={}, shard_size=5, workers=1))
    for left, right in zip(few.load(range(12)), many.load(range(12)), strict=True):
        np.testing.assert_array_equal(left.calls, right.calls)


def test_whole_shards_are_kept_and_the_rest_made_again(windows: type, tmp_path: Path) -> None:
    paths = run_farm(windows(), 20, 7, tmp_path, config={"n": 6}, shard_size=5, workers=1)
    before = contents(paths)
    marks = [p.stat().st_mtime_ns for p in paths]
    paths[1].unlink()
    paths[2].write_bytes(before[2][:100])
    (tmp_path / ".shard-00003.npz.99.part").write_bytes(b"half")
    seen: list[tuple[int, int]] = []
    run_farm(
        windows(), 20, 7, tmp_path, config={"n": 6}, shard_size=5, workers=1, progress=lambda d, n: seen.append((d, n))
    )
    assert contents(paths) == before
    assert [paths[0].stat().st_mtime_ns, paths[3].stat().st_mtime_ns] == [marks[0], marks[3]]
    assert seen == [(10, 20), (15, 20), (20, 20)]


def test_more_simulations_keep_those_that_exist(windows: type, tmp_path: Path) -> None:
    first = run_farm(windows(), 10, 7, tmp_path, config={}, shard_size=5, workers=1)
    mark = first[0].stat().st_mtime_ns
    more = run_farm(windows(), 15, 7, tmp_path, config={}, shard_size=5, workers=1)
    assert more[0].stat().st_mtime_ns == mark
    assert len(ShardedAlignments(more)) == 15


@pytest.mark.parametrize("change", [{"seed": 8}, {"config": {"n": 7}}])
def test_shards_of_another_kind_are_made_again(windows: type, tmp_path: Path, change: dict) -> None:
    given = {"seed": 7, "config": {"n": 6}} | change
    paths = run_farm(windows(), 5, 7, tmp_path, config={"n": 6}, shard_size=5, workers=1)
    mark = paths[0].stat().st_mtime_ns
    run_farm(windows(), 5, given["seed"], tmp_path, config=given["config"], shard_size=5, workers=1)
    assert paths[0].stat().st_mtime_ns != mark


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [("user", SewallError, "simulation 7: no window"), ("bug", RuntimeError, "simulation 7 .*ZeroDivisionError")],
)
def test_an_error_names_the_simulation(
    windows: type, tmp_path: Path, workers: int, kind: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run_farm(windows(7, kind), 20, 7, tmp_path / "s", config={}, shard_size=5, workers=workers)
    left = [p.name for p in (tmp_path / "s").iterdir()]
    assert "shard-00001.npz" not in left
    assert not [name for name in left if name.endswith(".part")]


def test_a_worker_that_dies_is_reported(windows: type, tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="ended from outside"):
        run_farm(windows(7, "death"), 20, 7, tmp_path / "s", config={}, shard_size=5, workers=2)


SCRIPT = """
    import signal
    from pathlib import Path
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background has it ignored
    from farm_work import Windows
    from sewall.simulate.farm import run_farm
    print("started", flush=True)
    run_farm(Windows(pause={pause}), 40, 7, Path("{out}"), config={{}}, shard_size=5, workers=2)
"""


def start(tmp_path: Path, pause: float) -> subprocess.Popen[str]:
    script = tmp_path / "no_guard.py"
    script.write_text(textwrap.dedent(SCRIPT.format(out=tmp_path / "s", pause=pause)))
    return subprocess.Popen(
        [sys.executable, str(script)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_script_without_main_guard_runs_once(windows: type, tmp_path: Path) -> None:
    out, err = start(tmp_path, 0.0).communicate(timeout=60)
    assert (out, err) == ("started\n", "")
    assert len(list((tmp_path / "s").glob("*.npz"))) == 8


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_run_killed_goes_on_from_its_whole_shards(windows: type, tmp_path: Path, end: signal.Signals) -> None:
    process = start(tmp_path, 0.25)  # slow enough to be met half-way on a busy machine
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and not list((tmp_path / "s").glob("shard-*")):
        time.sleep(0.05)
    process.send_signal(end)
    process.communicate(timeout=30)
    assert process.returncode != 0
    whole = sorted((tmp_path / "s").glob("shard-*"))
    assert 0 < len(whole) < 8
    resumed = run_farm(windows(), 40, 7, tmp_path / "s", config={}, shard_size=5, workers=1)
    unbroken = run_farm(windows(), 40, 7, tmp_path / "u", config={}, shard_size=5, workers=1)
    for left, right in zip(resumed, unbroken, strict=True):
        with np.load(left) as a, np.load(right) as b:
            for name in b.files:
                np.testing.assert_array_equal(a[name], b[name])


def test_a_dask_cluster_gives_the_same(windows: type, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    alone = run_farm(windows(), 12, 7, tmp_path / "a", config={}, shard_size=5, workers=1)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="tcp"
    ) as cluster:
        address = cluster.scheduler_address
        spread = run_farm(windows(), 12, 7, tmp_path / "b", config={}, shard_size=5, cluster=address)
    for left, right in zip(alone, spread, strict=True):
        with np.load(left) as a, np.load(right) as b:
            for name in a.files:
                np.testing.assert_array_equal(a[name], b[name])


def test_a_cluster_that_is_away_is_reported(windows: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("sewall.simulate.farm.CLUSTER_TIMEOUT", 0.5)
    with pytest.raises(SewallError, match=r"tcp://127.0.0.1:9: .*|no Dask scheduler answers at tcp://127.0.0.1:9"):
        run_farm(windows(), 5, 7, tmp_path, config={}, cluster="tcp://127.0.0.1:9")
