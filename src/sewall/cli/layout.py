"""How help looks: options under headings, in the order in which a newcomer needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
LAST_SECTION = "How it runs"
F = TypeVar("F", bound=Callable[..., Any])


class SectionedOption(click.Option):
    """An option that stands under a heading of the help text."""

    def __init__(self, *names: Any, section: str = LAST_SECTION, **settings: Any) -> None:
        self.section = section
        super().__init__(*names, **settings)


class SectionedCommand(click.Command):
    """A command whose help shows its options under their headings."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one definition list per heading, headings in the order of their first option."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(context):
            line = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
            if line is not None:
                sections.setdefault(getattr(parameter, "section", LAST_SECTION), []).append(line)
        width = max(len(name) for lines in sections.values() for name, _ in lines)
        for heading, lines in sections.items():
            with formatter.section(heading):  # padded names put all texts in one column
                formatter.write_dl([(name.ljust(width), text) for name, text in lines], col_max=width)


class SectionedGroup(click.Group):
    """A group that shows its commands first and whole lines of help."""

    def command_lines(self, context: click.Context) -> list[tuple[str, str]]:
        """Return name and line of help of every command."""
        found = [(name, self.get_command(context, name)) for name in self.list_commands(context)]
        return [(name, command.get_short_help_str(limit=90)) for name, command in found if command is not None]

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the commands in the order in which they were added, which is that of their use."""
        return list(self.commands)

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        with formatter.section("Commands"):
            formatter.write_dl(self.command_lines(context))
        lines = [option.get_help_record(context) for option in self.get_params(context)]
        with formatter.section("Options"):
            formatter.write_dl([line for line in lines if line is not None])

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write nothing: `format_options` has written them."""


def option(section: str, *names: str, **settings: Any) -> Callable[[F], F]:
    """Return a decorator that adds an option under *section*."""
    return click.option(*names, cls=SectionedOption, section=section, **settings)


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator that adds several options, shown in the order given."""

    def add(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return add
