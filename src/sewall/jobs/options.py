"""What every verb of every job may be asked, checked in one place for the command line and for Python."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from sewall.errors import SewallError


def _size(value: Any) -> Any:
    from sewall.data.regions import parse_size

    try:
        return parse_size(value)
    except SewallError as problem:
        raise ValueError(str(problem)) from None


def existing(path: Path) -> Path:
    """Return a path that is there."""
    if not path.exists():
        raise ValueError("no such file; check the path")
    return path


Size = Annotated[int, BeforeValidator(_size), Field(ge=1)]
_OFF = {"phased": "--unphased"}  # how users say no; else by --no-
AsText = PlainSerializer(str, return_type=str)
Input = Annotated[Path, AfterValidator(existing), AsText]
Output = Annotated[Path, AsText]


class Options(BaseModel):
    """Base of the options of every verb: frozen, unknown names refused, every refusal one `SewallError`.

    A job's own base class sets ``job``, and adds to ``says`` and ``when_missing``.

    Attributes:
        out: the run directory.
        seed: None draws one, or takes that of the earlier run in the same directory.
        threads: processor cores to use; None takes all that the process may use.
        device: where networks run.
        force: start the run in ``out`` afresh.
        verbosity: 0 quiet, 1 normal, 2 verbose.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    job: ClassVar[str]
    says: ClassVar[dict[str, str]] = {  # what one field says when it is refused; pydantic's own texts speak of types
        "level": "is the share of true values that the intervals cover, above 0.5 and at most 0.995, for instance 0.9",
        "threads": "is a number of processor cores, 1 or more",
        "seed": "is a whole number from 0 to 4294967295",
        "device": 'is "cpu" or "auto" (takes an accelerator where there is one)',
    }
    when_missing: ClassVar[dict[str, str]] = {}

    out: Output
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    threads: Annotated[int, Field(ge=1)] | None = None
    device: Literal["cpu", "auto"] = "cpu"
    force: bool = False
    verbosity: Annotated[int, Field(ge=0, le=2)] = 1

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as problem:
            raise SewallError(_one_line(problem, type(self))) from None

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Return the options for values as users give them: paths as text, sizes with units."""
        return cls(**values)

    def resolved(self) -> dict[str, Any]:
        """Return all options as JSON types, for ``run.json``."""
        return self.model_dump(mode="json")

    def identity(self) -> dict[str, Any]:
        """Return the options that decide the result; those that say how and where to work are left out.

        Paths are absolute, so that the same command from another folder is the same run.
        """
        left_out = {"out", "seed", "threads", "device", "cluster", "force", "verbosity"}
        chosen = {name: getattr(self, name) for name in type(self).model_fields if name not in left_out}
        return {name: str(value.resolve()) if isinstance(value, Path) else value for name, value in chosen.items()}

    def input_files(self) -> dict[str, Path]:
        """Return the input files and folders that are given, by option name."""
        named = {name: getattr(self, name) for name in type(self).model_fields if name != "out"}
        return {name: value for name, value in named.items() if isinstance(value, Path)}


def flag(name: str) -> str:
    """Return an option as users write it.

    >>> flag("mutation_rate")
    '--mutation-rate'
    """
    return f"--{name.replace('_', '-')}"


def command(verb: str, options: Options, positional: tuple[str, ...], seed: int) -> list[str]:
    """Return the command line that repeats a run: its options where they differ from the default, and its seed."""
    shown = options.resolved()
    words = ["sewall", options.job, verb, *(str(shown[name]) for name in positional)]
    for name, field in type(options).model_fields.items():
        value, given = shown[name], getattr(options, name)
        if name in {*positional, "seed", "force", "verbosity", "out"} or given is None or given == field.default:
            continue
        if isinstance(value, bool):
            words.append(flag(name) if value else _OFF.get(name, f"--no-{name.replace('_', '-')}"))
        elif isinstance(value, list):
            words += [word for item in value for word in (flag(name), str(item))]
        else:
            words += [flag(name), str(value)]
    return [*words, "--seed", str(seed), "-o", str(options.out)]


def _one_line(problem: ValidationError, kind: type[Options]) -> str:
    first = problem.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    cause = first.get("ctx", {}).get("error")
    if first["type"] == "extra_forbidden":
        return f"{name}: there is no such option; sewall {kind.job} --help lists the verbs and their options"
    if first["type"] == "missing":
        return f"{flag(name)}: {kind.when_missing.get(name, 'is missing; give it')}"
    if isinstance(cause, ValueError) and not name:
        return str(cause)
    if str(cause).startswith("no such file"):
        return f"{first['input']}: {cause}" + ("" if name == "variants" else f" ({flag(name)})")
    if cause is not None:
        return f"{flag(name)}: {cause}"
    return f"{flag(name)} {kind.says.get(name, first['msg'].lower())}; got {first['input']!r}"
