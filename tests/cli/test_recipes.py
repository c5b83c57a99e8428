"""The commands of the recipes are such as the command line takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from sewall.cli.sequence import sequence

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
COMMANDS = re.findall(r"sewall sequence ([^`\n]+)", PAGE.read_text(encoding="utf-8"))


def test_there_is_a_recipe_for_each_question() -> None:
    assert sum(command.startswith("train") for command in COMMANDS) >= 7


@pytest.mark.parametrize("command", COMMANDS)
def test_a_recipe_is_understood(command: str) -> None:
    name, *words = shlex.split(command)
    verb = sequence.commands[name]
    context = verb.make_context(name, words)
    assert context.params["out"] or "-o" not in words
    with pytest.raises(click.UsageError):
        verb.make_context(name, [*words, "--no-such-option"])
