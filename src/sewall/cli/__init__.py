"""The command line ``sewall JOB VERB INPUT -o DIR``: it parses, calls one public function, prints.

Exit codes: 0 well, 1 an error in the input or the data, 2 wrong usage, 130 interrupted by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from sewall.cli.layout import CONTEXT, SectionedGroup
from sewall.errors import SewallError

# Name, where the command lives, and its line of help: known here so that --help loads nothing.
_COMMANDS = {
    "recombination": ("sewall.cli.recombination:recombination", "How fast does each stretch of the genome recombine?"),
    "trait": ("sewall.cli.trait:trait", "What will this individual's trait be, from its genotypes?"),
    "sequence": ("sewall.cli.sequence:sequence", "What does this DNA do?"),
    "sweep": ("sewall.cli.sweep:sweep", "Where did selection act, and how?"),
    "bundle": ("sewall.cli.bundle:bundle", "Look into a trained bundle."),
    "report": ("sewall.cli.report:report", "Write the report page of a run again."),
}


class LazyGroup(SectionedGroup):
    """A group whose commands are loaded when they are called."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the commands in the order of their use."""
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Load one command."""
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def command_lines(self, context: click.Context) -> list[tuple[str, str]]:
        """Return name and line of help of every command without loading it."""
        return [(name, line) for name, (_, line) in _COMMANDS.items()]


@click.command(cls=LazyGroup, context_settings=CONTEXT)
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda *given: _version(*given),
    help="Show the version and exit.",
)
def sewall() -> None:
    """Deep learning for genetics that a scientist can trust.

    Every number comes with an interval that was checked, a flag where your data are unlike anything the network was
    trained on, and the answer of a simpler model beside it.

    \b
    First steps:
      sewall recombination map cohort.vcf.gz --mutation-rate 1.25e-8 -o out
      sewall recombination map --help
    """


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    """Show the version and exit."""
    if asked:
        from sewall.provenance import sewall_version

        click.echo(f"sewall {sewall_version()}")
        context.exit()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the console script ``sewall``."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(words, debug="--debug" in words))


def run(words: list[str], debug: bool = False) -> int:
    """Run one command line and return its exit code; every error is one line on stderr, tracebacks only for *debug*."""
    try:
        code = sewall.main(words, prog_name="sewall", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as problem:
        print(problem.format_message(), file=sys.stderr)
        return 2
    except click.UsageError as problem:
        return _fail(_usage(problem), 2)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; the same command goes on from the last whole stage", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left: nothing more to say
        return 1
    except SewallError as problem:
        if debug:
            raise
        return _fail(str(problem), 1)
    except Exception as problem:
        if debug:
            raise
        what = " ".join(f"{type(problem).__name__}: {problem}".split())
        return _fail(f"unexpected {what}; run again with --debug for the traceback, and please report it", 1)


def _fail(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr, flush=True)
    return code


def _usage(problem: click.UsageError) -> str:
    where = "sewall" if problem.ctx is None else problem.ctx.command_path
    return f"{' '.join(problem.format_message().split()).rstrip('.')} (see {where} --help)"
