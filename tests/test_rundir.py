from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sewall import rundir
from sewall.errors import SewallError
from sewall.rundir import RunDirectory, atomic_path, plain, room_on_disk, write_json, write_text

CONFIG = {"window": 100_000, "mutation_rate": 1e-8}


def one_stage(run: RunDirectory, name: str, config: dict[str, object] | None = None) -> bool:
    """Run a stage that writes one file; return whether it was skipped."""
    with run.stage(name, config) as stage:
        target = stage.makes(f"{name}.txt")
        if not stage.done:
            write_text(target, name)
            stage.note(length=len(name))
    assert stage.notes == {"length": len(name)}
    return stage.done


def test_atomic_path_keeps_the_old_file_after_an_error(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text(file, "old")
    with pytest.raises(ZeroDivisionError), atomic_path(file) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_atomic_path_gives_the_rights_of_a_plain_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_text(tmp_path / "atomic", "x")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_write_json_takes_numpy_and_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": np.arange(2), "b": np.float32(0.5), "c": [float("nan")], "d": np.True_})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [0, 1], "b": 0.5, "c": [None], "d": True}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    with pytest.raises(SewallError, match=r"a\.txt: no room on disk"), atomic_path(tmp_path / "a.txt"):
        raise OSError(number, "full")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_in_a_stage_is_one_line(tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path / "out", CONFIG)
    with pytest.raises(SewallError, match="no room on disk"), run.stage("train"):
        raise OSError(errno.ENOSPC, "full")
    assert run.seconds == {}


def test_a_directory_that_may_not_be_written_is_one_line() -> None:
    with pytest.raises(SewallError, match="may not be written"), room_on_disk(Path("out")):
        raise PermissionError(errno.EACCES, "denied", "out/x")


def test_other_os_errors_stay_what_they_are() -> None:
    with pytest.raises(FileNotFoundError), room_on_disk(Path("out")):
        raise FileNotFoundError(errno.ENOENT, "absent")


def test_a_finished_stage_is_skipped_on_a_rerun(tmp_path: Path) -> None:
    assert not one_stage(RunDirectory.open(tmp_path, CONFIG), "simulate", {"n": 1})
    assert one_stage(RunDirectory.open(tmp_path, CONFIG), "simulate", {"n": 1})


def test_a_failed_stage_is_done_again(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), RunDirectory.open(tmp_path, CONFIG).stage("simulate"):
        raise ZeroDivisionError
    assert not one_stage(RunDirectory.open(tmp_path, CONFIG), "simulate")


def test_a_changed_file_is_made_again_and_with_it_all_later_stages(tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path, CONFIG)
    for name in ("simulate", "train", "predict"):
        one_stage(run, name)
    (tmp_path / "train.txt").write_text("cut")
    again = RunDirectory.open(tmp_path, CONFIG)
    assert [one_stage(again, name) for name in ("simulate", "train", "predict")] == [True, False, False]


def test_a_folder_with_a_file_missing_is_not_whole(tmp_path: Path) -> None:
    def shards(run: RunDirectory) -> bool:
        with run.stage("simulate") as stage:
            folder = stage.makes("shards")
            for number in () if stage.done else range(3):
                write_text(folder / f"{number}.txt", "x")
        return stage.done

    assert [shards(RunDirectory.open(tmp_path, CONFIG)) for _ in range(2)] == [False, True]
    (tmp_path / "shards" / "1.txt").unlink()
    assert not shards(RunDirectory.open(tmp_path, CONFIG))


def test_a_stage_that_does_not_make_its_file_is_not_finished(tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path, CONFIG)
    with pytest.raises(RuntimeError, match=r"did not make x\.txt"), run.stage("simulate") as stage:
        stage.makes("x.txt")
    assert run.seconds == {}


def test_other_settings_are_refused_with_the_difference(tmp_path: Path) -> None:
    one_stage(RunDirectory.open(tmp_path, CONFIG), "simulate")
    with pytest.raises(SewallError, match=r"window was 100000, is 50000.*--force"):
        RunDirectory.open(tmp_path, {**CONFIG, "window": 50_000})


def test_results_outside_stages_too_are_not_overwritten_by_other_settings(tmp_path: Path) -> None:
    write_text(RunDirectory.open(tmp_path, CONFIG).claim("predictions.tsv"), "x")
    with pytest.raises(SewallError, match="holds a run with other settings"):
        RunDirectory.open(tmp_path, {**CONFIG, "window": 50_000})


def test_a_run_without_results_may_be_started_with_other_settings(tmp_path: Path) -> None:
    run = RunDirectory.open(tmp_path, CONFIG)
    run.claim("cache").mkdir()
    run.log("failed")
    assert RunDirectory.open(tmp_path, {**CONFIG, "window": 50_000}).config["window"] == 50_000
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == ["manifest.json"]


def test_a_changed_input_is_refused(tmp_path: Path) -> None:
    vcf = tmp_path / "a.vcf"
    vcf.write_text("x")
    one_stage(RunDirectory.open(tmp_path / "out", CONFIG, inputs=[vcf]), "simulate")
    assert one_stage(RunDirectory.open(tmp_path / "out", CONFIG, inputs=[vcf]), "simulate")
    vcf.write_text("y")
    with pytest.raises(SewallError, match=r"the content of .*a\.vcf has changed"):
        RunDirectory.open(tmp_path / "out", CONFIG, inputs=[vcf])


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SewallError, match="no directory can be made here"):
        RunDirectory.open(tmp_path / "file" / "out", CONFIG)


def test_another_version_of_sewall_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_stage(RunDirectory.open(tmp_path, CONFIG), "simulate")
    monkeypatch.setattr(rundir, "sewall_version", lambda: "99.0")
    with pytest.raises(SewallError, match=r"sewall was .*, is 99\.0"):
        RunDirectory.open(tmp_path, CONFIG)


def test_other_settings_of_a_stage_are_refused(tmp_path: Path) -> None:
    one_stage(RunDirectory.open(tmp_path, CONFIG), "simulate", {"n": 1})
    with pytest.raises(SewallError, match="simulate: n was 1, is 2"):
        one_stage(RunDirectory.open(tmp_path, CONFIG), "simulate", {"n": 2})


def test_a_drawn_seed_is_taken_again_and_a_given_one_must_agree(tmp_path: Path) -> None:
    first = RunDirectory.open(tmp_path, CONFIG)
    assert first.seed_drawn
    again = RunDirectory.open(tmp_path, CONFIG)
    assert (again.seed, again.seed_drawn) == (first.seed, True)
    assert RunDirectory.open(tmp_path, CONFIG, seed=first.seed).seed == first.seed
    one_stage(again, "simulate")
    with pytest.raises(SewallError, match="seed was"):
        RunDirectory.open(tmp_path, CONFIG, seed=first.seed + 1)


def test_force_deletes_what_the_run_made_and_nothing_else(tmp_path: Path) -> None:
    one_stage(RunDirectory.open(tmp_path, CONFIG, seed=1), "simulate")
    RunDirectory.open(tmp_path, CONFIG).claim("cache").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    fresh = RunDirectory.open(tmp_path, {"window": 1}, seed=2, force=True)
    assert (fresh.seed, fresh.seconds) == (2, {})
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == ["manifest.json", "notes.txt"]


def test_force_does_not_delete_an_input(tmp_path: Path) -> None:
    bundle = RunDirectory.open(tmp_path, CONFIG).claim("bundle")
    bundle.mkdir()
    with pytest.raises(SewallError, match="would delete this input"):
        RunDirectory.open(tmp_path, CONFIG, force=True, inputs=[bundle])
    assert bundle.exists()


@pytest.mark.parametrize("force", [False, True])
def test_a_directory_of_something_else_is_refused(tmp_path: Path, force: bool) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(SewallError, match="is not empty and holds no run"):
        RunDirectory.open(tmp_path, CONFIG, force=force)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_refused_as_directory(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(SewallError, match="is a file"):
        RunDirectory.open(tmp_path / "out", CONFIG)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"format_version": 1}', "another version"),
        ('{"format_version": 9}', "another version"),
    ],
)
def test_a_damaged_or_newer_manifest_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(SewallError, match=says):
        RunDirectory.open(tmp_path, CONFIG)


def test_a_manifest_that_names_files_outside_deletes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    RunDirectory.open(tmp_path / "out", CONFIG)
    file = tmp_path / "out" / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "made": ["../mine.txt"]}))
    with pytest.raises(SewallError, match="outside"):
        RunDirectory.open(tmp_path / "out", CONFIG, force=True)
    assert (tmp_path / "mine.txt").exists()


CHILD = """
import sys, time
from sewall.rundir import RunDirectory, atomic_path
run = RunDirectory.open(sys.argv[1], {"window": 1}, seed=3)
with run.stage("simulate") as stage:
    stage.makes("a.txt").write_text("x")
with run.stage("train") as stage, atomic_path(stage.makes("b.txt")) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_directory_in_use_is_refused_and_a_kill_leaves_whole_stages(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", CHILD, out], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "writing\n"
        with pytest.raises(SewallError, match="another run of sewall is writing here"):
            RunDirectory.open(out, {"window": 1})
        os.kill(child.pid, signal.SIGKILL)
    run = RunDirectory.open(out, {"window": 1})
    assert (list(run.seconds), run.seed) == (["simulate"], 3)
    assert not (out / "b.txt").exists()
    assert not list(out.glob(".partial-*"))


def test_the_log_tells_what_happened(tmp_path: Path) -> None:
    for _ in range(2):
        one_stage(RunDirectory.open(tmp_path, CONFIG), "simulate")
    events = [json.loads(line)["event"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert events == ["start", "finish", "skip"]


def test_plain_turns_other_values_into_text() -> None:
    assert plain({1: {2}, "p": Path("x"), "n": None}) == {"1": [2], "p": "x", "n": None}
