"""The page of a training: how well a trait is predicted in individuals that the models did not know."""

from __future__ import annotations

from typing import Any

from sewall.report import trait_interactions, trait_linkage, words
from sewall.report.blocks import Block, Figures, Section, Table, Text, Tile
from sewall.report.classes import chances, classes_of, confusion, reliability, table_columns
from sewall.report.comparison import STACK
from sewall.report.files import RunFiles, number_or_none, part
from sewall.report.held_out import folds, measured, weights_by_fold, weights_of
from sewall.report.scores import (
    answers_table,
    in_words,
    interval,
    known_answers,
    metric_name,
    metric_of,
    model_name,
    reached,
    score,
    target_name,
    with_what,
)

COMPONENTS = "components"
_COLUMNS = {
    "measured": "measured", "estimate": "predicted", "lower": "lower", "upper": "upper", "simple": "best single model",
    "network": "network",
}  # fmt: skip


def sentence(files: RunFiles) -> str:
    """Say how well the stack predicts individuals that it did not know, beside the best single model."""
    known = score(files, STACK)
    if not known:
        return "How well the trait is predicted was not measured in this run."
    said = (
        f"In individuals that it did not know, the stack's prediction of {target_name(files)} has "
        f"{reached(files, in_words(known))}{with_what(files)}"
    )
    best = part(files.evaluation, "best_simple")
    alone = score(files, str(best.get("key")))
    rival = f"that of the best single model, {best.get('name')}, is {in_words(alone)}"
    return f"{said}; {rival}." if alone else f"{said}."


def tile(files: RunFiles) -> Tile:
    """Return the score of the stack."""
    name = metric_name(files)
    return _score_tile(f"{name[:1].upper()}{name[1:]}, stack", score(files, STACK))


def beside(files: RunFiles) -> Tile:
    """Return the score of the best single model: a training checks no support."""
    best = part(files.evaluation, "best_simple")
    name = str(best.get("name") or "")
    return _score_tile("Best single model", score(files, str(best.get("key"))), name)


def _score_tile(label: str, known: dict[str, Any], note: str = "") -> Tile:
    if not known:
        return Tile(label, words.MISSING, "not measured in this run")
    return Tile(label, words.decimal(known["value"]), note or f"{interval(known)} (95 % interval)")


def asked(files: RunFiles) -> list[tuple[str, str]]:
    """Return what was asked of the training."""
    arguments, trained = part(files.run, "arguments"), part(files.bundle, "trained_on")
    rows = []
    number = arguments.get("folds") or trained.get("folds")
    if number is not None:
        groups = arguments.get("groups")
        how = f"whole groups of {groups} together" if groups else "drawn at random"
        rows.append(("Cross-validation", f"{words.counted(int(number), 'fold')}, {how}"))
    covariates = files.run.get("covariates")
    if isinstance(covariates, list):
        rows.append(("Covariates", ", ".join(map(str, covariates)) or "none"))
    lengths = trained.get("window")
    if isinstance(lengths, list) and lengths:
        rows.append(("Linkage window", _window(lengths, arguments.get("window") is not None)))
    if arguments.get("model") == "article":
        rows.append(("Network", "the article's pure form: one shared kernel per chromosome"))
    return rows


def _window(lengths: list[Any], given: bool) -> str:
    low, high = int(min(lengths)), int(max(lengths))
    size = words.counted(high, "site") if low == high else f"{low:,} to {words.counted(high, 'site')}"
    return f"{size}, {'as given' if given else 'found in the training folds'}"


def section(files: RunFiles) -> Section:
    """Return the section that sets predictions beside measurements."""
    people, name = known_answers(files.predictions), target_name(files)
    question = f"How well is {name} predicted?"
    if not len(people) or "measured" not in people:
        return Section("trait", question, [Text(["This run has no predictions of individuals that were held out."])])
    by_fold = folds(files)
    if classes_of(files):
        figures = [reliability(files), chances(files, people, True), *by_fold]
        columns = table_columns(files, True)
        blocks: list[Block] = [Figures(figures, columns=2), confusion(files, people), answers_table(files, columns)]
    else:
        blocks = [Figures([measured(files), *by_fold], columns=2), answers_table(files, _COLUMNS)]
    return Section("trait", question, blocks)


def more(files: RunFiles) -> list[Section]:
    """Return the sections on the stack and on linkage, where the run has them."""
    lengths = part(files.bundle, "trained_on").get("window")
    given = part(files.run, "arguments").get("window") is not None
    read = f" Networks read windows of {_window(lengths, given)}." if isinstance(lengths, list) and lengths else ""
    lead = f"Linkage among all training individuals asks for windows of {files.linkage.get('sites')} sites.{read}"
    linkage = trait_linkage.section(files.linkage, lead)
    found = [*stack_sections(files), trait_interactions.section(files), linkage]
    return [each for each in found if each is not None]


def stack_sections(files: RunFiles) -> list[Section]:
    """Return the section on the stack, where the run has one."""
    stack = part(files.evaluation, "stack")
    weights = {key: value for key, value in part(stack, "weights").items() if number_or_none(value) is not None}
    beyond = part(files.evaluation, "beyond_base")
    if not weights and not beyond:
        return []
    base = model_name(files, str(stack.get("base") or "covariates"))
    blocks: list[Block] = []
    if weights:
        lead = f"The answer is that of the model “{base}”, plus what the other models add to it, each times its weight."
        if classes_of(files):
            lead += " What is added are log odds of the classes."
        blocks += [Text([lead]), Figures([weights_of(files, weights)], columns=1)]
    if beyond:
        blocks.append(_beyond(files, weights, beyond))
    return [Section("stack", "What is the prediction made of?", blocks)]


def _beyond(files: RunFiles, weights: dict[str, float], beyond: dict[str, Any]) -> Table:
    what = "covariates" if files.run.get("covariates") else "the mean"
    rows = []
    for key, value in beyond.items():
        spread = weights_by_fold(files, key)
        between = f"{min(spread):.2f} to {max(spread):.2f}" if spread else words.MISSING
        weight = f"{weights[key]:.2f}" if key in weights else words.MISSING
        rows.append([model_name(files, key), weight, between, words.decimal(value)])
    columns = ["model", "weight", "weight by fold", f"correlation beyond {what}"]
    note = (
        f"The last column is the correlation of what a model adds to {what} with what {what} "
        f"{'leave' if what == 'covariates' else 'leaves'}: the accuracy of the genetic part."
    )
    strong = tuple(i for i, key in enumerate(beyond) if key == STACK)
    return Table(columns, rows, (0,), strong=strong, note=note)


def doubts(files: RunFiles) -> list[tuple[str, str]]:
    """Return where the accuracy may not carry over."""
    found: list[tuple[str, str]] = []
    stack, base = score(files, STACK), str(part(files.evaluation, "stack").get("base") or "covariates")
    for key, why in (
        (COMPONENTS, "that part of the accuracy tells populations or families apart and does not carry over to others"),
        (base, "that part of the accuracy is not genetic"),
    ):
        alone = score(files, key)
        if stack and alone and _beyond_chance(files, alone) > 0.5 * _beyond_chance(files, stack) > 0:
            found.append(
                ("warn", f"{_named(files, key)} reach {reached(files, words.decimal(alone['value']))}: {why}.")
            )
    if part(files.run, "arguments") and not part(files.run, "arguments").get("groups"):
        text = "Folds were drawn at random, so relatives may stand on both sides: expect less in unrelated individuals"
        found.append(("note", f"{text} (--groups keeps families together)."))
    limits = files.bundle.get("limits")
    return found + [("note", str(limit)) for limit in limits if limit] if isinstance(limits, list) else found


def _beyond_chance(files: RunFiles, known: dict[str, Any]) -> float:
    """Return how far a score is above that of guessing."""
    return float(known["value"]) - (0.5 if metric_of(files) == "auroc" else 0.0)


def _named(files: RunFiles, key: str) -> str:
    name = model_name(files, key).removesuffix(" only")
    return f"{name[:1].upper()}{name[1:]} alone"
