"""What composition bought: scores of all models where one number tells nothing, the section of trainings and tests."""

from __future__ import annotations

from typing import Any

from sewall.report import words
from sewall.report.blocks import Block, Notice, Section, Table, Text
from sewall.report.comparison import METRICS, NETWORK, STACK
from sewall.report.files import RunFiles, number_or_none, part, parts
from sewall.report.scores import in_words


def section(files: RunFiles) -> Section | None:
    """Return the scores with GC content, and what else could carry a model, taken out; None where there are none."""
    test = part(files.evaluation, "test")
    told = parts(test, "matched") or parts(files.evaluation, "matched")
    where = "of the test" if parts(test, "matched") else "that models did not know"
    if not told:
        return None
    blocks: list[Block] = [block for one in told for block in _of(one, where)]
    return Section("matched", "How much of it is composition?", blocks)


def _of(told: dict[str, Any], where: str) -> list[Block]:
    """Return the blocks on one number."""
    by, models = str(told.get("by")), parts(told, "models")
    before = words.decimal(part(told, "alone").get("before"), 2)
    by = f"{by[:1].upper()}{by[1:]}"
    classes = told.get("metric") == "auroc"
    alone = f"{by} alone has {'an AUROC' if classes else 'a rank correlation'} of {before}."
    number, of = words.count(told.get("n")), words.counted(int(told.get("of") or 0), "sequence")
    if not models:
        return [Notice("warn", f"{alone} Only {number} of {of} can be matched in it: too few for scores.")]
    after = words.decimal(part(told, "alone").get("after"), 2)
    how = f"Among {number} of {of} {where}, drawn so that classes are alike in it, it has {after}."
    if not classes:
        how = f"What a straight line in it tells was taken from {of} {where}, measurements and answers alike; then "
        how += f"it has {after}."
    return [Text([f"{alone} {how}"]), _table(models, str(told["metric"]), classes)]


def _table(models: list[dict[str, Any]], metric: str, classes: bool) -> Table:
    name = METRICS[metric]
    heads = ["model", name, f"{name} in matched sequences" if classes else f"partial {name}", "difference"]
    rows = [
        [str(model.get("name")), words.decimal(model.get("before")), in_words(part(part(model, "metrics"), metric)),
         words.signed(_less(model, metric))]
        for model in models
    ]  # fmt: skip
    strong = tuple(row for row, model in enumerate(models) if model.get("key") in (STACK, NETWORK))
    return Table(heads, rows, (0,), strong=strong, note="In brackets: 95 % intervals.")


def _less(model: dict[str, Any], metric: str) -> float | None:
    after = number_or_none(part(part(model, "metrics"), metric).get("value"))
    before = number_or_none(model.get("before"))
    return None if after is None or before is None else after - before
