from __future__ import annotations

import importlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from sewall.cli import run
from sewall.errors import SewallError
from sewall.jobs import recombination
from sewall.jobs.options import Options, flag

MAP = ["recombination", "map"]


class Summary:
    def summary(self) -> str:
        return "three lines"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace the public functions of the job by ones that note what they are given."""
    seen: list[dict[str, Any]] = []

    def note(**given: Any) -> Summary:
        seen.append(given)
        return Summary()

    for verb in ("map", "simulate", "train", "predict", "evaluate"):
        monkeypatch.setattr(recombination, verb, note, raising=False)
    return seen


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], int]:
    """Run ``map`` so that its public function raises the given exception; return the exit code."""

    def run_with(problem: BaseException) -> int:
        def fail(**_: Any) -> Summary:
            raise problem

        monkeypatch.setattr(recombination, "map", fail, raising=False)
        return run([*MAP, "a.vcf", "-o", "out"])

    return run_with


@pytest.mark.parametrize(
    "words", ["--help", "recombination -h", "recombination map --help", "bundle show -h", "report -h"]
)
def test_help_loads_nothing_heavy_and_is_fast(words: str) -> None:
    code = (
        "import sys; from sewall.cli import run; code = run(sys.argv[1:]);"
        "heavy = {'numpy', 'torch', 'pandas', 'pydantic', 'rich', 'msprime'} & set(sys.modules);"
        "sys.exit(code or (f'loaded {heavy}' if heavy else 0))"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, *words.split()], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: sewall")
    assert time.monotonic() - started < 2  # 0.1 s on a quiet machine; the modules loaded are the real test


def _options_of(job: str, verb: str) -> type[Options]:
    module = importlib.import_module(f"sewall.jobs.{job}.options")
    return cast("type[Options]", getattr(module, f"{verb.title()}Options"))


@pytest.mark.parametrize("verb", ["map", "simulate", "train", "predict", "evaluate"])
def test_every_option_of_recombination_is_in_its_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _missing_in_help("recombination", verb, capsys) == []


@pytest.mark.parametrize("verb", ["scan", "simulate", "train", "predict", "evaluate", "explain"])
def test_every_option_of_sweep_is_in_its_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused = (
        ["windows"] if verb in {"scan", "simulate", "predict", "explain"} else []
    )  # a scan lays its windows itself
    assert _missing_in_help("sweep", verb, capsys) == refused


def _missing_in_help(job: str, verb: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run([job, verb, "--help"]) == 0
    text = capsys.readouterr().out
    words = re.findall(r"--[a-z-]+|\b[A-Z]+\b", text)
    of_no_use = {"verbosity", "device"} if verb == "simulate" else {"verbosity"}
    names = set(_options_of(job, verb).model_fields) - of_no_use
    return sorted(name for name in names if flag(name) not in words and name.upper() not in words)


def test_the_options_of_map_stand_under_headings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*MAP, "--help"]) == 0
    text = capsys.readouterr().out
    assert [heading in text for heading in ("\nMain:", "\nYour data:", "\nWhat is simulated:", "\nHow it runs:")] == [
        True
    ] * 4
    assert "Other:" not in text


def test_only_what_was_given_is_passed_on(calls: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["a.vcf", "--mutation-rate", "1e-8", "--unphased", "--window", "50kb", "-o", "out", "-v", "--seed", "4"]
    assert run([*MAP, *words]) == 0
    assert calls == [
        {
            "variants": "a.vcf",
            "mutation_rate": 1e-8,
            "phased": False,
            "window": "50kb",
            "out": "out",
            "verbosity": 2,
            "seed": 4,
        }
    ]
    assert capsys.readouterr().out == "three lines\n"


def test_an_absent_mutation_rate_is_passed_on_to_be_refused_there(calls: list[dict[str, Any]]) -> None:
    assert run([*MAP, "a.vcf", "-o", "out", "-q"]) == 0
    assert calls == [{"variants": "a.vcf", "mutation_rate": None, "out": "out", "verbosity": 0}]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["simulate", "a.vcf", "--mutation-rate", "1e-8"], {"variants", "mutation_rate"}),
        (["train", "simulations", "--quick"], {"simulations", "quick"}),
        (["predict", "bundle", "a.vcf", "--mutation-rate", "1e-8"], {"bundle", "variants", "mutation_rate"}),
        (["evaluate", "bundle", "simulations", "--level", ".8"], {"bundle", "simulations", "level"}),
    ],
)
def test_the_other_verbs(calls: list[dict[str, Any]], words: list[str], names: set[str]) -> None:
    assert run(["recombination", *words, "-o", "out"]) == 0
    assert set(calls[0]) == {*names, "out"}


def test_a_config_file_gives_defaults_and_the_command_line_wins(calls: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('mutation-rate = 1.25e-8\nwindow = 50000\nunphased = true\nquick = true\nout = "there"\nseed = 1\n')
    assert run([*MAP, "a.vcf", "--config", str(file), "--seed", "2"]) == 0
    assert calls == [
        {
            "variants": "a.vcf",
            "mutation_rate": 1.25e-8,
            "window": "50000",
            "phased": False,
            "quick": True,
            "out": "there",
            "seed": 2,
        }
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mutatoin_rate = 1", "unknown key mutatoin_rate; did you mean mutation-rate?"),
        ("zzz = 1", "unknown key zzz"),
        ("mutation-rate 1", "cannot be read as TOML"),
        (None, "no such file"),
    ],
)
def test_bad_config_files(
    calls: list[dict[str, Any]], tmp_path: Path, text: str | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.toml"
    if text is not None:
        file.write_text(text)
    assert run([*MAP, "a.vcf", "--config", str(file), "-o", "out"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1
    assert "run.toml" in err and says in err
    assert calls == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([*MAP, "a.vcf"], "Missing option '-o'"),
        ([*MAP, "-o", "out"], "Missing argument 'VARIANTS'"),
        ([*MAP, "a.vcf", "-o", "out", "--mutation-rate", "fast"], "not a valid float"),
        ([*MAP, "a.vcf", "-o", "out", "--windw", "1"], "--windw"),
        ([*MAP, "a.vcf", "-o", "out", "-q", "-v"], "exclude each other"),
        (["recombination", "mop"], "No such command"),
        (["nothing"], "No such command"),
    ],
)
def test_wrong_usage_exits_2_in_one_line(
    calls: list[dict[str, Any]], words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1
    assert says in err and "--help" in err


def test_no_command_shows_the_help_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert capsys.readouterr().err.startswith("Usage: sewall")


def test_user_errors_exit_1(failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(SewallError("a.vcf: no such file; check the path")) == 1
    assert capsys.readouterr() == ("", "error: a.vcf: no such file; check the path\n")


def test_unexpected_errors_exit_1_in_one_line(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(ValueError("two\nlines")) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: unexpected ValueError: two lines; run again with --debug") and err.count("\n") == 1


def test_ctrl_c_exits_130(failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: interrupted")


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> Summary:
        raise SewallError("no")

    monkeypatch.setattr(recombination, "map", fail, raising=False)
    with pytest.raises(SewallError):
        run([*MAP, "a.vcf", "-o", "out", "--debug"], debug=True)


def test_a_reader_that_leaves_is_no_error() -> None:
    done = subprocess.run(
        [
            "bash",
            "-c",
            f"set -o pipefail; {sys.executable} -c 'from sewall.cli import main; main()' recombination map -h | true",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    import sewall

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"sewall {sewall.__version__}\n"
