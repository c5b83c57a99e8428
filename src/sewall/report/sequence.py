"""The sequence job's part of the page; each verb has a page of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sewall.report import sequence_auditing, sequence_explaining, sequence_predicting, sequence_training, several, words
from sewall.report import sequence_variants as variants
from sewall.report.blocks import Answer
from sewall.report.files import RunFiles, part, parts
from sewall.report.scores import target_name

_OWN_PAGES = {
    "audit": sequence_auditing.answer,
    "explain": sequence_explaining.answer, "variants": variants.answer,
}  # fmt: skip


def answer(files: RunFiles) -> Answer:
    """Return what the sequence job says on its page."""
    name = str(files.run.get("verb"))
    if name in _OWN_PAGES:
        return _OWN_PAGES[name](files)
    given: dict[str, Any] = next(iter(parts(files.run, "inputs")), {})
    number = given.get("sequences")
    source = Path(str(given.get("path") or files.directory.name)).name
    subtitle = words.counted(int(number), "sequence") if number is not None else ""
    if len(files.labels):
        return several.answer(files, f"Labels of {source}", subtitle, [("Labels", ", ".join(files.labels["label"]))])
    verb: Any = sequence_predicting if name == "predict" else sequence_training
    return Answer(
        title=f"{target_name(files)} of {source}",
        subtitle=subtitle,
        sentence=verb.sentence(files),
        tile=verb.tile(files),
        asked=[("Label", target_name(files)), *_form(files), *verb.asked(files)],
        section=verb.section(files),
        doubts=verb.doubts(files),
        beside=verb.beside(files),
        more=verb.more(files),
    )


def _form(files: RunFiles) -> list[tuple[str, str]]:
    trained = part(files.bundle, "trained_on")
    names = {"letters": "Letters", "strands": "Strands", "places": "Places"}
    return [(label, str(trained[key])) for key, label in names.items() if key in trained]
