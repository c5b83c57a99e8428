"""What was asked, what was dropped, and how to cite and repeat the run."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

from sewall.report import words
from sewall.report.blocks import Answer, Block, Code, Facts, References, Section, Table, Text
from sewall.report.files import RunFiles, part, parts

MAX_CONTIGS = 12


def asked(files: RunFiles, answer: Answer) -> Section:
    """Return the section on the question and the data."""
    inputs = parts(files.run, "inputs")
    rows = [row for given in inputs for row in _genomes(given)]
    rows += answer.asked
    if answer.predicts:
        level = words.percent(files.level)
        rows.append((files.claims.capitalize(), f"{level}: of such {files.claims}, {level} should hold the truth"))
    blocks: list[Block] = [Facts(rows)]
    contigs = [(_file(given), contig) for given in inputs for contig in parts(given, "contigs")]
    if contigs:
        blocks.append(_contigs(contigs, files.terms.contigs))
    return Section("asked", "What was asked, and of what data?", blocks)


def _file(given: dict[str, Any]) -> str:
    return Path(str(given.get("path") or words.MISSING)).name


def _genomes(given: dict[str, Any]) -> list[tuple[str, str]]:
    """Say which file an input is and whose genomes it holds."""
    said = []
    if given.get("samples") is not None:
        said.append(words.counted(int(given["samples"]), "individual"))
    if given.get("chromosomes") is not None:
        said.append(f"{words.count(given['chromosomes'])} chromosome copies")
    if isinstance(given.get("phased"), bool):
        said.append("phased" if given["phased"] else "unphased")
    return [("File", _file(given)), *([("Genomes", ", ".join(said))] if said else [])]


def _contigs(contigs: list[tuple[str, dict[str, Any]]], folded: str) -> Table:
    most = len(contigs) if folded else MAX_CONTIGS
    several = len({name for name, _ in contigs}) > 1
    rows = [[*_contig(contig), *([name] if several else [])] for name, contig in contigs[:most]]
    note = ""
    if len(contigs) > most:
        rest = sum(int(contig.get("variants") or 0) for _, contig in contigs[most:])
        note = f"And {len(contigs) - most} more contigs with {words.counted(rest, 'variant')}."
    columns = ["contig", "first to last variant (bp)", "variants", *(["file"] if several else [])]
    return Table(columns, rows, (0, 3), folded=folded, note=note)


def _contig(contig: dict[str, Any]) -> list[str]:
    span = f"{words.count(contig.get('first'))} to {words.count(contig.get('last'))}"
    return [str(contig.get("name", words.MISSING)), span, words.count(contig.get("variants"))]


def dropped(files: RunFiles) -> Section | None:
    """Return the section on what was left out, or None where the run does not say."""
    if "dropped" not in files.run:
        return None
    entries = parts(files.run, "dropped")
    if not entries:
        return Section("dropped", "What was left out, and why?", [Text(["Nothing was left out."])])
    ordered = sorted(entries, key=lambda entry: -(entry.get("count") or 0))
    rows = [
        [str(entry.get("reason", words.MISSING)), words.count(entry.get("count")), *_share(entry)] for entry in ordered
    ]
    return Section("dropped", "What was left out, and why?", [Table(["reason", "left out", "of", "share"], rows)])


def _share(entry: dict[str, Any]) -> list[str]:
    total, count = entry.get("of"), entry.get("count")
    if not isinstance(total, (int, float)) or not total or count is None:
        return [words.MISSING, words.MISSING]
    return [words.count(total), words.percent(count / total)]


def repeat(files: RunFiles) -> Section:
    """Return the section on how to repeat the run and what to cite."""
    run = files.run
    blocks: list[Block] = []
    command = run.get("command")
    if isinstance(command, list) and command:
        blocks.append(Code(command_line([str(word) for word in command])))
    circumstances = _circumstances(files)
    if circumstances:
        blocks.append(Facts(circumstances))
    elif not blocks:
        blocks.append(Text(["This run does not say how it was made."]))
    digests = [(_file(given), given.get("digest")) for given in parts(run, "inputs")]
    if any(digest for _, digest in digests):
        rows = [[name, str(digest or words.MISSING)] for name, digest in digests]
        blocks.append(Table(["input", "digest"], rows, (0, 1)))
    references = [
        (str(entry.get("what") or ""), str(entry.get("text") or ""), str(entry.get("doi") or ""))
        for entry in parts(run, "citations")
    ]
    if references:
        blocks.append(References(references))
    return Section("repeat", "How to repeat it, and what to cite", blocks)


def command_line(command: list[str], width: int = 72) -> str:
    """Return a command for a shell, folded before its options where it is long.

    >>> print(command_line(["sewall", "recombination", "map", "a b.vcf", "-o", "out"], width=30))
    sewall recombination map 'a b.vcf' \\
      -o out
    """
    quoted = [shlex.quote(word) for word in command]
    if len(" ".join(quoted)) <= width:
        return " ".join(quoted)
    lines, line = [], ""
    for word in quoted:
        if word.startswith("-") and line:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return " \\\n  ".join([*lines, line])


def _circumstances(files: RunFiles) -> list[tuple[str, str]]:
    run = files.run
    rows = [("Sewall", str(run["sewall"]))] if run.get("sewall") else []
    if run.get("seed") is not None:
        rows.append(("Seed", str(run["seed"])))
    if run.get("started"):
        rows.append(("Started", _moment(str(run["started"]))))
    stages = part(run, "stages")
    told = ", ".join(f"{name} {words.duration(seconds)}" for name, seconds in stages.items())
    if run.get("seconds") is not None:
        rows.append(("Took", words.duration(run["seconds"]) + (f" ({told})" if told else "")))
    versions = part(run, "versions")
    if versions:
        rows.append(("With", ", ".join(f"{name} {version}" for name, version in versions.items())))
    if files.bundle.get("format_version") is not None:
        rows.append(("Bundle format", str(files.bundle["format_version"])))
    return rows


def _moment(iso: str) -> str:
    try:
        return f"{datetime.fromisoformat(iso):%-d %B %Y, %H:%M}"
    except ValueError:
        return iso
