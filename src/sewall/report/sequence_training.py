"""The page of a training on sequences: how well labels are predicted in sequences that models did not know."""

from __future__ import annotations

from typing import Any

from sewall.report import sample_size, sequence_fragility, sequence_matched, words
from sewall.report.blocks import Block, Figures, Points, Section, Table, Text, Tile
from sewall.report.classes import chances, classes_of, confusion, reliability, table_columns
from sewall.report.comparison import STACK
from sewall.report.files import RunFiles, number_or_none, part, parts
from sewall.report.held_out import folds, measured, weights_of
from sewall.report.scores import (
    answers_table,
    in_words,
    interval,
    known_answers,
    metric_name,
    model_name,
    reached,
    score,
    target_name,
    with_what,
)

TOLD = {
    "kmers-both": "k-mers, both strands as one", "kmers-one": "k-mers, on the strand as given",
    "composition": "composition", "positions": "letters by position",
}  # fmt: skip
_COLUMNS = {
    "measured": "measured", "estimate": "predicted", "lower": "lower", "upper": "upper", "simple": "best single model",
    "network": "network",
}  # fmt: skip


def sentence(files: RunFiles) -> str:
    """Say how well labels are predicted, beside the best single model."""
    known = score(files, STACK)
    if not known:
        return "How well labels are predicted was not measured in this run."
    said = (
        f"In sequences that it did not know, the stack's prediction of {target_name(files)} has "
        f"{reached(files, in_words(known))}{with_what(files)}"
    )
    best = part(files.evaluation, "best_simple")
    alone = score(files, str(best.get("key")))
    rival = f"; that of the best single model, {best.get('name')}, is {in_words(alone)}" if alone else ""
    return f"{said}{rival}."


def tile(files: RunFiles) -> Tile:
    """Return the score of the stack."""
    name = metric_name(files)
    return _tile(f"{name[:1].upper()}{name[1:]}, stack", score(files, STACK))


def beside(files: RunFiles) -> Tile:
    """Return the score of the best single model."""
    best = part(files.evaluation, "best_simple")
    return _tile("Best single model", score(files, str(best.get("key"))), str(best.get("name") or ""))


def _tile(label: str, known: dict[str, Any], note: str = "") -> Tile:
    if not known:
        return Tile(label, words.MISSING, "not measured in this run")
    return Tile(label, words.decimal(known["value"]), note or f"{interval(known)} (95 % interval)")


def asked(files: RunFiles) -> list[tuple[str, str]]:
    """Return how sequences were read, and how models were tested."""
    rows = []
    if files.evaluation.get("held_out"):
        rows.append(("Cross-validation", str(files.evaluation["held_out"])))
    negatives = next(iter(parts(files.run, "inputs")), {}).get("negatives")
    if negatives:
        rows.append(("Negatives", str(negatives)))
    predictor = files.bundle.get("predictor")
    if predictor and predictor != STACK:
        rows.append(("Answers come from", model_name(files, str(predictor))))
    return rows


def section(files: RunFiles) -> Section:
    """Return the section that sets predictions beside labels."""
    known, name = known_answers(files.predictions), target_name(files)
    question = f"How well is {name} predicted?"
    if not len(known) or "measured" not in known:
        return Section("sequence", question, [Text(["This run has no predictions of sequences that were held out."])])
    if classes_of(files):
        figures = [reliability(files), chances(files, known, True), *folds(files)]
        columns = table_columns(files, True)
        blocks: list[Block] = [Figures(figures, columns=2), confusion(files, known), answers_table(files, columns)]
    else:
        blocks = [Figures([measured(files), *folds(files)], columns=2), answers_table(files, _COLUMNS)]
    return Section("sequence", question, blocks)


def more(files: RunFiles) -> list[Section]:
    """Return the audit, the test, whether there are enough sequences, and what the prediction is made of."""
    found = [
        _audit(files), _test(files), sequence_matched.section(files), sequence_fragility.section(files),
        sample_size.section(files), _made_of(files), _read(files),
    ]  # fmt: skip
    return [section for section in found if section is not None]


def _audit(files: RunFiles) -> Section | None:
    audit = part(files.evaluation, "audit")
    findings = parts(audit, "findings")
    if not findings:
        return None
    grave = [finding for finding in findings if finding.get("status") != "pass"]
    passed = len(findings) - len(grave)
    lead = f"{words.counted(passed, 'check')} passed." if passed else ""
    if not grave:
        return Section("audit", "Can the score be trusted?", [Text([f"{lead} Nothing was found."])])
    points = [(_STATUS[str(f["status"])], f"{f['what']} {f.get('advice') or ''}".strip()) for f in grave]
    said = "What was found, and what to do"
    return Section("audit", "Can the score be trusted?", [*([Text([lead])] if lead else []), Points(said, points)])


_STATUS = {"fail": "outside", "warn": "warn"}


def _test(files: RunFiles) -> Section | None:
    test = part(files.evaluation, "test")
    models = parts(test, "models")
    if not models:
        return None
    metrics = [key for key in ("auroc", "accuracy", "r2", "pearson", "log_loss") if key in part(models[0], "metrics")]
    names = {"auroc": "AUROC", "accuracy": "accuracy", "r2": "R²", "pearson": "correlation", "log_loss": "log loss"}
    rows = [
        [str(model.get("name")), *(in_words(part(part(model, "metrics"), key)) for key in metrics)] for model in models
    ]
    strong = tuple(k for k, model in enumerate(models) if model.get("key") == STACK)
    cover = part(part(test, "calibration"), "coverage")
    lead = f"{words.counted(int(test.get('n') or 0), 'sequence')} were kept out of everything and looked at once."
    if number_or_none(cover.get("value")) is not None:
        lead += f" {words.percent(files.level)} {files.claims} held the truth in {words.share(cover)}."
    table = Table(["model", *(names[key] for key in metrics)], rows, (0,), strong=strong)
    return Section("test", "And on the test that was given?", [Text([lead, str(test.get("verdict") or "")]), table])


def _made_of(files: RunFiles) -> Section | None:
    stack = part(files.evaluation, "stack")
    weights = {key: value for key, value in part(stack, "weights").items() if number_or_none(value) is not None}
    if not weights:
        return None
    lead = (
        "The answer is what is known without the sequence, plus what each model adds to it times its weight; weights "
        "come from sequences that the models did not know."
    )
    return Section("stack", "What is the prediction made of?", [Text([lead]), Figures([weights_of(files, weights)])])


def _read(files: RunFiles) -> Section | None:
    told = part(files.bundle, "told")
    if not told:
        return None
    rows = [[TOLD.get(key, key), words.percent(max(float(value), 0.0))] for key, value in told.items()]
    lead = (
        "Before anything else, quick regressions were cross-validated on what can be read off the sequences. What they "
        "tell decides whether models keep the strands apart and count places from the ends."
    )
    what = "of the uncertainty of the label" if classes_of(files) else "of its variance"
    table = Table(["what is read", f"share {what} that it tells"], rows, (0,))
    return Section("form", "Do strand and place matter?", [Text([lead]), table])


def doubts(files: RunFiles) -> list[tuple[str, str]]:
    """Return where the score may not carry over."""
    findings = parts(part(files.evaluation, "audit"), "findings")
    failed = sum(finding.get("status") == "fail" for finding in findings)
    text = f"{words.counted(failed, 'check')} of the sequences failed: see “Can the score be trusted?”."
    found = [("outside", text)] if failed else []
    if files.evaluation.get("status") == "small_sample":
        found.append(("warn", "Fewer than 1,000 sequences: a small sample, in which a network seldom pays."))
    found += sequence_fragility.doubts(files)
    limits = files.bundle.get("limits")
    return found + [("note", str(limit)) for limit in limits if limit] if isinstance(limits, list) else found
