"""The verb ``explain``: what the networks of a bundle look for in sequences, and whether they use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sewall import provenance
from sewall.bundle import Bundle
from sewall.console import Console
from sewall.data.sequences import Sequences
from sewall.errors import SewallError, some_names
from sewall.jobs.options import command
from sewall.jobs.sequence.explain_options import ExplainOptions
from sewall.jobs.sequence.form import MOST_LETTERS
from sewall.jobs.sequence.labels import labels_of
from sewall.jobs.sequence.motif_search import NETWORKS, Search, Searched, kmer_motifs, matrix_motifs, searched
from sewall.jobs.sequence.permuted_labels import Unlearnable
from sewall.jobs.sequence.reading import Read, read
from sewall.jobs.sequence.source import examples_of
from sewall.jobs.sequence.task import SequenceTask
from sewall.jobs.session import started, stream
from sewall.motifs.matching import read_meme
from sewall.motifs.shuffling import drawn
from sewall.motifs.writing import write_meme
from sewall.nets.attribution import Question
from sewall.nets.motif import MotifNet
from sewall.rundir import RunDirectory, atomic_path, now, write_json
from sewall.tables import write_table
from sewall.task import Rows

CITATIONS = ("ensemble", "deeplift", "matrices", "tomtom", "torch")
FEWEST = 20  # sequences, and seqlets of a motif
FEWEST_PERMUTED = 40  # labelled sequences from which a network of shuffled labels is trained
MOST_NETWORKS = 5  # that are attributed, of different folds where there are several of each
UNREADABLE = "of another length than the bundle reads, too short, or half of its letters are ambiguous"

# Independent streams of one seed.
LETTERS = 64


@dataclass(frozen=True)
class ExplainResult:
    """A finished explanation: the table of motifs, what was found in numbers, the run directory, and the page."""

    motifs: pd.DataFrame
    explained: dict[str, Any]
    folder: Path
    report: Path

    def summary(self) -> str:
        """Return which motifs the networks use, and where it all lies."""
        own = self.motifs[self.motifs["model"] == NETWORKS]
        used = own[own["used"].astype(bool)]
        others = self.motifs[(self.motifs["model"] != NETWORKS) & self.motifs["used"].astype(bool)]
        names = ", ".join(used["consensus"].astype(str)[:5]) or "none"
        beside = ", ".join(others["consensus"].astype(str)[:5]) or "none"
        number = f"{self.explained['sequences']} sequences attributed ({self.explained['method']})"
        return (
            f"{number}: {len(own)} motifs, of which the networks use {len(used)}: {names}\n"
            f"motifs of the simple models to which the networks answer: {beside}\n"
            f"{self.folder / 'motifs.meme'}\n{self.report}"
        )


def explain(bundle: str | Path, sequences: str | Path, *, out: str | Path, **options: Any) -> ExplainResult:
    """Explain the answers of a trained bundle to sequences, which may be those of its training.

    Args:
        bundle: folder of a bundle of this job.
        sequences: as for `train`; labels are not needed.
        out: the run directory.
        **options: the fields of `ExplainOptions`.

    Raises:
        SewallError: for anything that the user can mend, in one line.
    """
    from sewall.jobs.sequence.predicting import load

    given = ExplainOptions.of(bundle=bundle, sequences=sequences, out=out, **options)
    begun = now()
    known = read_meme(given.motifs) if given.motifs is not None else []
    task, trained = load(given.bundle)
    asked, name = _asked(given, task, trained)
    with started(given) as (folder, console):
        search = _search(given, trained, asked, folder.seed)
        found = read(given.sequences, given)
        some, notes = _chosen(given, task, search, found, console)
        classes = len(task.target.classes)
        simple = [*matrix_motifs(trained, asked, classes, some), *kmer_motifs(trained, asked, classes)]
        told = searched(search, some, simple, known, given.method, given.finder, console)
        explained = told.told | {
            "permuted": _permuted(given, task, found, search, told, console),
            "name": name, "unit": _unit(task, name), "sequences": len(some), "given": len(found),
            "networks": len(search.networks), "known": len(known), "strands": 2 if search.both_strands else 1,
        }  # fmt: skip
        _write(folder, search, told, explained)
        write_json(folder.claim("evaluation.json"), {"job": task.name, "level": given.level, "explained": explained})
        notes += [*found.notes, *_notes(explained)]
        write_json(folder.claim("run.json"), _record(given, folder, found, notes, begun))
        with console.bar("writing the report"):
            from sewall.report import write_report

            folder.claim("report.html")
            report = write_report(folder.path)
    return ExplainResult(told.table, explained, folder.path, report)


def _permuted(
    options: ExplainOptions, task: SequenceTask, found: Read, search: Search, told: Searched, console: Console
) -> dict[str, Any] | None:
    """Return what is found with labels shuffled; None where it is not asked, or there are no labels to learn from."""
    name, classes = task.target.name, task.target.classes
    if not options.permuted or name not in found.columns:
        return None
    try:
        known = labels_of(name, found.columns[name], "classes" if classes else "quantity", classes).known
    except SewallError:  # an explanation needs no labels: others than the bundle's are none
        return None
    values = known[np.isfinite(known) & task.usable(examples_of(found.sequences))]
    if len(values) < FEWEST_PERMUTED or len(np.unique(values)) < 2:
        return None
    with console.bar("a network of shuffled labels"):
        return Unlearnable(task, found.sequences, known).told(search, told)


def _asked(options: ExplainOptions, task: SequenceTask, bundle: Bundle) -> tuple[Question, str]:
    """Return which answer of the networks is explained, and what it is called."""
    classes = task.target.classes
    if not classes:
        if options.label is not None:
            raise SewallError(f"--label {options.label}: {options.bundle} predicts a quantity; leave the label out")
        return Question(int(bundle.about.get("column", 0))), task.target.name
    if options.label is not None and options.label not in classes:
        known = some_names(list(classes), 8)
        raise SewallError(f"--label {options.label}: not a class of {options.bundle}; its classes are {known}")
    index = classes.index(options.label) if options.label else len(classes) - 1
    return Question(index, tuple(k for k in range(len(classes)) if k != index)), classes[index]


def _unit(task: SequenceTask, name: str) -> str:
    """Return in what effects count."""
    if not task.target.classes:
        return task.target.unit or task.target.name
    return f"log odds of {name}" if len(task.target.classes) == 2 else f"score of {name} over the mean of the others"


def _search(options: ExplainOptions, bundle: Bundle, asked: Question, seed: int) -> Search:
    import torch

    networks = [network for network in bundle.networks if isinstance(network, MotifNet)]
    if not networks:
        raise SewallError(f"{options.bundle}: it has no networks; train it again with sewall sequence train")
    networks = networks[:: max(len(networks) // MOST_NETWORKS, 1)][:MOST_NETWORKS]
    device = "cuda" if options.device == "auto" and torch.cuda.is_available() else "cpu"
    if options.finder == "modisco" and networks[0].shape.strands == 1:
        raise SewallError(
            f"--finder modisco: takes both strands as one, and {options.bundle} reads the strand as given; leave it out"
        )
    return Search(networks, asked, networks[0].shape.strands == 2, device, seed)


def _chosen(
    options: ExplainOptions, task: SequenceTask, search: Search, found: Read, console: Console
) -> tuple[Sequences, list[str]]:
    """Return the sequences to attribute, of plain letters, and notes on what was done to them.

    Of a class those with the highest answers are taken, of a quantity half of the highest and half of the lowest.
    """
    examples = examples_of(found.sequences)
    rows = np.flatnonzero(task.usable(examples))
    if len(rows) < FEWEST:
        raise SewallError(
            f"{options.sequences}: {len(rows)} of {len(found)} sequences can be read by this bundle, and {FEWEST} are "
            f"needed at least (the others are {UNREADABLE}); give more, or such as it was trained on"
        )
    notes = [f"{len(found) - len(rows)} sequences were left out: {UNREADABLE}"] if len(rows) < len(found) else []
    some, ambiguous = drawn(_cut(found.sequences.take(rows)), stream(search.seed, LETTERS))
    if ambiguous:
        notes.append(f"{ambiguous} ambiguous letters were each given one of their bases, drawn at random")
    if (found.sequences.lengths[rows] > MOST_LETTERS).any():
        notes.append(f"only the first {MOST_LETTERS} letters of a sequence were looked at, as networks do")
    if len(rows) > options.most:
        with console.bar("choosing sequences"):
            some = some.take(_extreme(search.answers(some).mean(axis=0), options.most, bool(task.target.classes)))
        which = "highest" if task.target.classes else "highest and the lowest"
        notes.append(f"of {len(rows)} sequences the {options.most} with the {which} answers were attributed (--most)")
    return some, notes


def _cut(sequences: Sequences) -> Sequences:
    """Return the sequences as far as networks read them."""
    if sequences.lengths.max(initial=0) <= MOST_LETTERS:
        return sequences
    lengths = np.minimum(sequences.lengths, MOST_LETTERS)
    codes = np.concatenate([sequences.codes_of(row)[:MOST_LETTERS] for row in range(len(sequences))])
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Sequences(sequences.ids, codes, starts, sequences.lower)


def _extreme(answers: np.ndarray, most: int, highest_only: bool) -> Rows:
    """Return the rows of the highest answers, or of the highest and the lowest, in their order.

    >>> _extreme(np.array([3.0, 1.0, 2.0, 5.0]), 2, True), _extreme(np.array([3.0, 1.0, 2.0, 5.0]), 2, False)
    (array([0, 3]), array([1, 3]))
    """
    order = np.argsort(-answers, kind="stable")
    above = most if highest_only else most - most // 2
    return np.sort(np.concatenate([order[:above], order[len(order) - (most - above) :]]))


def _write(folder: RunDirectory, search: Search, told: Searched, explained: dict[str, Any]) -> None:
    own = told.attributed
    write_table(folder.claim("motifs.tsv"), told.table, header(explained))
    write_meme(folder.claim("motifs.meme"), told.motifs, both_strands=search.both_strands)
    ids = np.array(own.sequences.ids, object)
    seqlets = told.seqlets.assign(sequence_id=ids[told.seqlets["row"].to_numpy(int)])
    columns = ["sequence_id", "start", "end", "attribution", "p_value", "motif"]
    write_table(folder.claim("seqlets.tsv"), seqlets[columns], ["start, end: from 0, half-open, as in BED"])
    arrays = {
        "sequence_id": np.array(own.sequences.ids, str), "starts": own.sequences.starts, "codes": own.sequences.codes,
        "hypothetical": np.concatenate(own.hypothetical, axis=1), "attribution": np.concatenate(own.means),
    }  # fmt: skip
    with atomic_path(folder.claim("attributions.npz")) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def header(explained: dict[str, Any]) -> list[str]:
    """Return the comment lines of the table of motifs: what every column claims."""
    return [
        "model: networks, or the simple model of the bundle that it was found by in the training sequences",
        "support: places, of a weight matrix training sequences, of k-mers those that it was made of",
        f"sequences: those with such a place; attribution: what its letters add together, {explained['unit']}, mean",
        "effect: of the consensus in the middle of shuffled sequences, over its own shuffles, with 95 % interval; "
        "agreeing: share of the networks with the same sign",
        "taken_out: how much the answer sinks when its letters are shuffled where it was found",
        "used: the effect is beyond chance and of the sign that the model lets expect, most networks agree, and "
        "attributions agree and are not those of untrained networks, where the motif was found by them",
        "match: the most similar known motif (TOMTOM), whatever it is worth; matched: q < 0.05 over all comparisons",
    ]


def _notes(explained: dict[str, Any]) -> list[str]:
    notes = []
    if explained["given_up"] is not None:
        notes.append(
            f"DeepLIFT missed the answers of {explained['given_up']:.0%} of the sequences by more than 0.001; all were "
            "attributed by saturation mutagenesis"
        )
    if not explained["known"]:
        notes.append("motifs were compared with no known ones; give a MEME file (--motifs)")
    return notes


def _citations(options: ExplainOptions) -> tuple[str, ...]:
    return (*CITATIONS, "modisco") if options.finder == "modisco" else CITATIONS


def _record(
    options: ExplainOptions, folder: RunDirectory, found: Read, notes: Sequence[str], begun: str
) -> dict[str, Any]:
    source = {"path": str(options.sequences), "digest": provenance.digest(options.sequences), "sequences": len(found)}
    return provenance.record(
        job="sequence", verb="explain", command=command("explain", options, ("bundle", "sequences"), folder.seed),
        arguments=options.resolved(), seed=folder.seed, started=begun, stages=folder.seconds,
        inputs=[source | dict(found.about)], citations=_citations(options), level=options.level, notes=list(notes),
        dropped=found.left_out,
    )  # fmt: skip
