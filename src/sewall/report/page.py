"""Put the sections together and fill the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sewall.errors import SewallError
from sewall.report import calibration, comparison, learning, provenance, recombination, sequence, support, sweep, trait
from sewall.report.blocks import Answer, Points, Section, Tile
from sewall.report.drawing import DARK, LIGHT
from sewall.report.files import RunFiles, part, read_run

# What each job says on its page; all other sections are the same for every job.
JOBS: dict[str, Callable[[RunFiles], Answer]] = {
    "recombination": recombination.answer,
    "sequence": sequence.answer,
    "sweep": sweep.answer,
    "trait": trait.answer,
}


def render_page(directory: Path) -> str:
    """Return the page of a run directory as HTML."""
    files = read_run(directory)
    if files.job not in JOBS:
        raise SewallError(f"{directory / 'run.json'}: no report for the job {files.job!r}; known: {', '.join(JOBS)}")
    answer = JOBS[files.job](files)
    environment = Environment(
        loader=PackageLoader("sewall.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=unbroken,
    )
    return environment.get_template("page.html").render(
        answer=answer,
        summary=_summary(files, answer),
        tiles=_tiles(files, answer),
        sections=_sections(files, answer),
        light=LIGHT,
        dark=DARK,
        version=files.run.get("sewall", ""),
        job=files.job,
        quick=bool(part(files.run, "arguments").get("quick")),
    )


def unbroken(value: object) -> object:
    """Keep a number and its unit, and the two ends of a range, on one line.

    >>> unbroken("90 % at 134–140 Mb")
    '90\\xa0% at 134\\u2060–\\u2060140\\xa0Mb'
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    value = re.sub(r"(?<=\d) (?=(%|Mb|kb|bp|cM/Mb|×|min|s|h)\b|[%×])", "\xa0", value)
    value = re.sub(r"\bp ([=<]) (?=\d)", "p\xa0\\1\xa0", value)
    value = value.replace("ρ/θ", "ρ/\u2060θ")
    return re.sub(r"(?<=\d)–(?=\d)", "\u2060–\u2060", value)


def _summary(files: RunFiles, answer: Answer) -> list[tuple[str, str]]:
    if not answer.predicts:
        return [("Answer", answer.sentence)]
    sure = "; ".join(filter(None, [calibration.sentence(files).rstrip("."), support.sentence(files)]))
    return [("Answer", answer.sentence), ("How sure", f"{sure}."), ("Network needed?", comparison.sentence(files))]


def _tiles(files: RunFiles, answer: Answer) -> list[Tile]:
    if answer.tiles:
        return answer.tiles
    if not answer.predicts:
        return [answer.tile, *([answer.beside] if answer.beside else [])]
    return [answer.tile, calibration.tile(files), answer.beside or support.tile(files), comparison.tile(files)]


def _sections(files: RunFiles, answer: Answer) -> list[Section]:
    if not answer.predicts:
        said = answer.doubts + [("note", str(note)) for note in files.run.get("notes") or []]
        doubts = Section("trust", "What to keep in mind?", [Points("Doubts and notes", said)]) if said else None
        asked = provenance.asked(files, answer) if answer.asked else None
        found = [asked, answer.section, *answer.more, doubts, provenance.dropped(files), provenance.repeat(files)]
        return [section for section in found if section is not None]
    found = [
        provenance.asked(files, answer),
        answer.section,
        calibration.section(files, answer),
        comparison.section(files),
        *answer.more,
        support.section(files),
        learning.section(files),
        provenance.dropped(files),
        provenance.repeat(files),
    ]
    return [section for section in found if section is not None]
