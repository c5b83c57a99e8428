"""The trait job's part of the page: how well a trait is predicted, or what is predicted for new individuals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sewall.report import (
    several,
    trait_evaluating,
    trait_explaining,
    trait_inspecting,
    trait_predicting,
    trait_scoring,
    trait_simulating,
    trait_training,
    trait_transferring,
    words,
)
from sewall.report.blocks import Answer
from sewall.report.files import RunFiles, part, parts
from sewall.report.scores import target_name

_PAGES = {"train": trait_training, "predict": trait_predicting, "evaluate": trait_evaluating}


def answer(files: RunFiles) -> Answer:
    """Return what the trait job says on its page, for the verbs that train and that predict."""
    if files.run.get("verb") == "simulate":
        return trait_simulating.answer(files, _source_name(files))
    if files.run.get("verb") == "inspect":
        return trait_inspecting.answer(files)
    if files.run.get("verb") == "explain":
        return trait_explaining.answer(files, _source_name(files))
    if files.run.get("verb") == "transfer":
        return trait_transferring.answer(files, _source_name(files), _subtitle(files))
    if files.run.get("verb") == "score":
        return trait_scoring.answer(files, _source_name(files))
    if len(files.traits):
        asked = [("Traits", target_name(files)), *_sites(files), *trait_training.asked(files)]
        return several.answer(files, f"Traits from {_source_name(files)}", _subtitle(files), asked)
    verb: Any = trait_training if files.held_out else _PAGES.get(str(files.run.get("verb")), trait_predicting)
    return Answer(
        title=f"{target_name(files)} from {_source_name(files)}",
        subtitle=_subtitle(files),
        sentence=verb.sentence(files),
        tile=verb.tile(files),
        asked=[("Trait", target_name(files)), *_sites(files), *verb.asked(files)],
        section=verb.section(files),
        doubts=verb.doubts(files),
        beside=verb.beside(files),
        more=verb.more(files),
    )


def _source_name(files: RunFiles) -> str:
    given = _input(files).get("path") or part(files.run, "arguments").get("genotypes")
    return Path(str(given)).name if given else files.directory.name


def _input(files: RunFiles) -> dict[str, Any]:
    return next(iter(parts(files.run, "inputs")), {})


def _subtitle(files: RunFiles) -> str:
    given = _input(files)
    people = given.get("samples") if given.get("samples") is not None else len(files.predictions) or None
    said = [words.counted(int(people), "individual")] if people is not None else []
    if given.get("sites") is not None:
        said.append(words.counted(int(given["sites"]), "site"))
    contigs = parts(given, "contigs")
    return " · ".join([*said, *([words.counted(len(contigs), "chromosome")] if contigs else [])])


def _sites(files: RunFiles) -> list[tuple[str, str]]:
    given = _input(files)
    if given.get("sites") is None:
        return []
    contigs = parts(given, "contigs")
    where = f" on {words.counted(len(contigs), 'chromosome')}" if contigs else ""
    return [("Sites", words.count(given["sites"]) + where)]
