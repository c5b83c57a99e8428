from __future__ import annotations

import pytest

from sewall.console import NORMAL, QUIET, VERBOSE, Console


@pytest.mark.parametrize(("verbosity", "lines"), [(QUIET, 0), (NORMAL, 2), (VERBOSE, 3)])
def test_what_is_said_goes_to_stderr_by_verbosity(
    verbosity: int, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with Console(verbosity) as console:
        console.say("a")
        console.detail("b")
        console.skipped("simulating")
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", lines)


def test_away_from_a_terminal_a_bar_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Console() as console, console.bar("simulating", total=3) as bar:
        bar.advance()
        bar.update(3, 5)
    assert (bar.done, bar.total) == (3, 5)
    err = capsys.readouterr().err
    assert err.startswith("simulating: ") and err.count("\n") == 1


def test_on_a_terminal_bars_move(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Console() as console, console.bar("simulating", total=2) as bar:
        bar.advance(2)
        console.say("[a line] between")
    assert bar._progress is not None
    assert bar._progress.finished
    assert "[a line] between" in capsys.readouterr().err
