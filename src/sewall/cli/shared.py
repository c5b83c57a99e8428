"""Options that every verb of every job has, and how a verb hands what was given to its public function."""

from __future__ import annotations

import difflib
import sys
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
from click.core import ParameterSource

from sewall.cli.layout import LAST_SECTION, option, options
from sewall.errors import SewallError


class Result(Protocol):
    """What a public function of a job returns."""

    def summary(self) -> str:
        """Return the result in a few lines for people."""
        ...


Shown = TypeVar("Shown", bound=Result)


def show(function: Callable[..., Shown], context: click.Context, **always: Any) -> Shown:
    """Call the public function of a verb with what the user gave, print its summary on stdout, and return its result.

    Options that were not given are not passed, so that defaults stand in one place. *always* are passed in any case.
    """
    given = {name: value for name, value in context.params.items() if _was_given(context, name)}
    given |= _verbosity(context, given.pop("quiet", False), given.pop("verbose", False))
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")  # of libraries; what concerns the user is said by the run itself
        result = function(**{**always, **given})
    click.echo(result.summary())
    return result


def _was_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) not in {ParameterSource.DEFAULT, None}


def _verbosity(context: click.Context, quiet: bool, verbose: bool) -> dict[str, int]:
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose exclude each other", context)
    return {"verbosity": 0 if quiet else 2} if quiet or verbose else {}


def read_config(context: click.Context, _: click.Parameter, value: str | None) -> None:
    """Take the values of a TOML file as defaults: the command line wins over the file. Unknown keys are refused."""
    if value is None:
        return
    settings = _toml(Path(value))
    names = _names(context.command)
    for key, setting in settings.items():
        known = names.get(key.replace("_", "-"))
        if known is None:
            close = difflib.get_close_matches(key.replace("_", "-"), names, 1)
            hint = f"did you mean {close[0]}?" if close else f"{context.command_path} --help lists them"
            raise SewallError(f"{value}: unknown key {key}; {hint}")
        name, opposite = known
        context.default_map = {**(context.default_map or {}), name: (not setting) if opposite else setting}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SewallError(f"{path}: no such file; check the path given to --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        raise SewallError(f"{path}: cannot be read as TOML: {problem}") from None


def _names(command: click.Command) -> dict[str, tuple[str, bool]]:
    """Return each option's name in a config file, with the parameter that it sets and whether it means its opposite."""
    names: dict[str, tuple[str, bool]] = {}
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name and parameter.expose_value:
            names |= {word.lstrip("-"): (parameter.name, False) for word in parameter.opts if word.startswith("--")}
            names |= {word.lstrip("-"): (parameter.name, True) for word in parameter.secondary_opts}
    return names


out = option("Main", "-o", "--out", metavar="DIR", required=True, help="Directory of the run; made if needed.")
level = option(
    "Main", "--level", type=float, metavar="SHARE", help="Share of true values inside the intervals.  [default: 0.9]"
)
device = option(
    LAST_SECTION,
    "--device",
    type=click.Choice(["cpu", "auto"]),
    help="auto takes an accelerator where there is one.  [default: cpu]",
)
cluster = option(
    LAST_SECTION,
    "--cluster",
    metavar="ADDRESS",
    help="Send the simulations to a Dask scheduler, e.g. tcp://10.0.0.1:8786.",
)
running = options(
    option(LAST_SECTION, "--seed", type=int, metavar="N", help="Same seed, same result.  [default: drawn and printed]"),
    option(LAST_SECTION, "--threads", type=int, metavar="N", help="Processor cores to use.  [default: all]"),
    option(
        LAST_SECTION, "--force", is_flag=True, help="Start DIR afresh: delete what the run made there, and only that."
    ),
    option(LAST_SECTION, "-q", "--quiet", is_flag=True, help="Say nothing but the result."),
    option(LAST_SECTION, "-v", "--verbose", is_flag=True, help="Say more."),
    option(
        LAST_SECTION,
        "--config",
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=read_config,
        help="TOML file with any of these options (mutation-rate = 1.25e-8); the command line wins.",
    ),
    option(LAST_SECTION, "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."),
)
