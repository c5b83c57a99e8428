"""What the networks of a bundle look for: motifs in their attributions, tested, and those of simple models beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from sewall.bundle import Bundle
from sewall.console import Console
from sewall.data.sequences import Sequences
from sewall.dna.counts import kmer_names
from sewall.dna.matrices import PLACES, Matrices, Scanned
from sewall.encode.dna import one_hot
from sewall.jobs.sequence.matrix_model import MatrixModel
from sewall.jobs.sequence.models import LONGEST, Regression
from sewall.jobs.session import stream
from sewall.motifs.attributions import Attributed, Method, attribute
from sewall.motifs.insertion import Effect, backgrounds, inserted, taken_out
from sewall.motifs.kmer_motifs import assemble
from sewall.motifs.matching import match
from sewall.motifs.modisco import modisco_motifs
from sewall.motifs.motif import Motif
from sewall.motifs.sanity import AGREEING, UNLEARNT, unlearnt_similarity
from sewall.motifs.seqlets import Found, find_motifs, find_seqlets
from sewall.nets.attribution import Question
from sewall.nets.motif import MotifNet

Floats = NDArray[np.float64]

MOST_SHUFFLED = 200  # shuffled sequences that say how much is found where nothing is
SHORTEST_KMER = 4
MOST_AT_ONCE = 256
NETWORKS, MATRICES, KMERS = "networks", "weight matrices", "k-mers"

# Independent streams of one seed.
REFERENCES, SHUFFLES, EFFECTS, ANEW = 60, 61, 62, 63


@dataclass(frozen=True)
class Search:
    """What is searched with.

    Attributes:
        networks: the ensemble.
        asked: which of its answers.
        both_strands: whether a sequence and its reverse complement are one.
        device: where networks run.
        seed: of everything random.
    """

    networks: Sequence[MotifNet]
    asked: Question
    both_strands: bool
    device: str
    seed: int

    @torch.no_grad()
    def answers(self, sequences: Sequences) -> Floats:
        """Return ``(networks, sequences)`` what each network answers."""
        parts: list[Floats] = [np.zeros((len(self.networks), 0))]
        for start in range(0, len(sequences), MOST_AT_ONCE):
            codes = sequences.padded(np.arange(start, min(start + MOST_AT_ONCE, len(sequences))))
            batch = {"letters": torch.from_numpy(one_hot(codes)).to(self.device)}
            told = [self.asked.of(network.to(self.device)(batch)).cpu().double() for network in self.networks]
            parts.append(torch.stack(told).numpy())
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class ModelMotif:
    """A motif of one of the models.

    Attributes:
        motif: the motif.
        model: that it is of.
        raises: whether that model's answer rises by it.
        places: ``row start end`` in the sequences that are explained, for networks with ``attribution``; or None.
    """

    motif: Motif
    model: str
    raises: bool
    places: pd.DataFrame | None = None


@dataclass(frozen=True)
class Searched:
    """What was found.

    Attributes:
        attributed: the attributions.
        seqlets: ``row start end attribution p_value motif``.
        motifs: of the networks, and after them those of simple models.
        table: one row per motif, in the same order.
        told: numbers about the search.
    """

    attributed: Attributed
    seqlets: pd.DataFrame
    motifs: list[Motif]
    table: pd.DataFrame
    told: dict[str, Any]


def searched(
    search: Search, sequences: Sequences, simple: list[ModelMotif], known: list[Motif], method: Method, finder: str,
    console: Console,
) -> Searched:  # fmt: skip
    """Attribute, find motifs, and test them.

    Args:
        search: with what.
        sequences: of A, C, G and T alone.
        simple: motifs of simple models, tested beside the others.
        known: motifs to compare with; may be none.
        method: of attribution.
        finder: of motifs in attributions: ``seqlets`` or ``modisco``.
        console: for progress.
    """
    with console.bar("attributing", len(sequences)) as bar:
        own = attribute(
            search.networks, sequences, search.asked, method=method, seed=stream(search.seed, REFERENCES),
            device=search.device, progress=bar.advance,
        )  # fmt: skip
    number = min(len(sequences), MOST_SHUFFLED)
    shuffled = backgrounds(sequences, stream(search.seed, SHUFFLES), number)
    with console.bar("attributing shuffled sequences", number) as bar:
        control = attribute(
            search.networks, shuffled, search.asked, method=own.method,
            seed=stream(search.seed, REFERENCES), device=search.device, progress=bar.advance,
        )  # fmt: skip
    with console.bar("finding motifs"):
        seqlets = find_seqlets(own.means, control.means)
        found = (
            modisco_motifs(own) if finder == "modisco" else find_motifs(own, seqlets, both_strands=search.both_strands)
        )
    with console.bar("testing motifs"):
        told = _told(search, own, number, len(seqlets))
        every = [*(ModelMotif(one.motif, NETWORKS, one.raises, one.places) for one in found), *simple]
        table = _table(search, own.sequences, every)
        if not (told["agrees"] and told["learnt"]):
            table["used"] = table["used"].astype(bool) & (table["model"] != NETWORKS)
    motifs = [one.motif for one in every]
    return Searched(own, _assigned(seqlets, found), motifs, _matched(table, motifs, known, search.both_strands), told)


def _told(search: Search, own: Attributed, shuffled: int, seqlets: int) -> dict[str, Any]:
    again = unlearnt_similarity(
        search.networks, own, search.asked, seed=stream(search.seed, ANEW), device=search.device
    )
    largest = None if np.isnan(own.gaps).all() else float(np.nanmax(own.gaps))
    return {
        "agrees": bool(np.isnan(own.agreement) or own.agreement >= AGREEING),
        "learnt": bool(np.isnan(again) or again <= UNLEARNT),
        "method": own.method, "given_up": own.given_up, "gap": largest, "failing": own.failing,
        "agreement": None if np.isnan(own.agreement) else own.agreement,
        "unlearnt": None if np.isnan(again) else again, "shuffled": shuffled, "seqlets": seqlets,
    }  # fmt: skip


def _table(search: Search, sequences: Sequences, motifs: list[ModelMotif]) -> pd.DataFrame:
    plain = backgrounds(sequences, stream(search.seed, SHUFFLES))
    return pd.DataFrame([_tested(search, sequences, plain, one) for one in motifs], columns=COLUMNS)


COLUMNS = [
    "motif", "model", "consensus", "support", "sequences", "raises", "attribution", "effect", "effect_lower",
    "effect_upper", "agreeing", "taken_out", "taken_out_lower", "taken_out_upper", "used",
]  # fmt: skip


def _tested(search: Search, sequences: Sequences, plain: Sequences, one: ModelMotif) -> dict[str, Any]:
    """Return the row of a motif: what it does to the networks' answers, put in and taken out."""
    seed, places = stream(search.seed, EFFECTS), one.places
    anchored = search.networks[0].shape.anchored
    place = int(places["start"].median()) if anchored and places is not None else None
    into = inserted(one.motif, plain, search.answers, seed, place)
    row = {
        "motif": one.motif.name, "model": one.model, "consensus": one.motif.consensus, "support": one.motif.support,
        "raises": one.raises, "agreeing": into.agreeing, **_interval("effect", into),
        "used": into.certain and (into.value > 0) == one.raises and into.agreeing > 0.5,
    }  # fmt: skip
    if places is None:
        return row
    out = taken_out(places, sequences, search.answers, seed)
    added = places["attribution"].mean() if "attribution" in places else np.nan
    return row | {"sequences": places["row"].nunique(), "attribution": added, **_interval("taken_out", out)}


def _interval(name: str, effect: Effect) -> dict[str, float]:
    known = np.isfinite(effect.lower)
    lower, upper = (effect.lower, effect.upper) if known else (np.nan, np.nan)
    return {name: effect.value, f"{name}_lower": lower, f"{name}_upper": upper}


def _matched(table: pd.DataFrame, motifs: list[Motif], known: list[Motif], both_strands: bool) -> pd.DataFrame:
    if not known or not motifs:
        return table.assign(match="", p_value=np.nan, q_value=np.nan, matched=False)
    found = match(motifs, known, both_strands=both_strands)
    return pd.concat([table, found[["match", "p_value", "q_value", "matched"]]], axis=1)


def _assigned(seqlets: pd.DataFrame, found: list[Found]) -> pd.DataFrame:
    """Return the seqlets with the motif that lies on each, or an empty text."""
    names = np.full(len(seqlets), "", object)
    row, start, end = (seqlets[name].to_numpy() for name in ("row", "start", "end"))
    for one in reversed(found):
        for place in one.places.itertuples(index=False):
            names[(row == place.row) & (start < place.end) & (end > place.start)] = one.motif.name
    return seqlets.assign(motif=names)


def matrix_motifs(bundle: Bundle, asked: Question, classes: int, sequences: Sequences) -> list[ModelMotif]:
    """Return the weight matrices of a bundle, and where they have sites; none where it has no such model."""
    model = next((own for own in bundle.simple_models if isinstance(own, MatrixModel)), None)
    if model is None:
        return []
    found = model.matrices
    weights = _weights(model.effects, asked, classes)[-2 * len(found) :].reshape(2, len(found)).sum(axis=0)
    places = _sites(found, sequences, model.strands)
    return [ModelMotif(found.motif(k), MATRICES, bool(weights[k] > 0), places[k]) for k in range(len(found))]


def _sites(matrices: Matrices, sequences: Sequences, strands: int) -> list[pd.DataFrame]:
    """Return of each matrix ``row start end`` of the best sites that reach its threshold, without what overhangs."""
    found = []
    for k, sites in enumerate(matrices.sites(Scanned.of(sequences), strands)):
        rows, shown = np.flatnonzero(sites.scores >= matrices.thresholds[k]), matrices.shown(k)
        firsts, turned = sites.firsts[rows], sites.turned[rows]
        starts = np.maximum(firsts + np.where(turned, PLACES - shown.stop, shown.start), 0)
        ends = np.minimum(firsts + np.where(turned, PLACES - shown.start, shown.stop), sequences.lengths[rows])
        found.append(pd.DataFrame({"row": rows, "start": starts, "end": ends})[starts < ends])
    return found


def kmer_motifs(bundle: Bundle, asked: Question, classes: int) -> list[ModelMotif]:
    """Return the motifs of the k-mer model of a bundle; none where it has no such model."""
    model = next((own for own in bundle.simple_models if own.key == "kmers"), None)
    if not isinstance(model, Regression):
        return []
    weights = _weights(model.effects, asked, classes)
    kmers = kmer_names(LONGEST, model.reader.strands)
    long = [k for k, kmer in enumerate(kmers) if len(kmer) >= SHORTEST_KMER]
    motifs = assemble([kmers[k] for k in long], weights[long], both_strands=model.reader.strands == 2)
    return [ModelMotif(motif, KMERS, raises=True) for motif in motifs]


def _weights(effects: Floats, asked: Question, classes: int) -> Floats:
    """Return what each number of a regression adds to the answer that was asked for."""
    if not classes:
        return effects[1:, 0]
    return np.asarray(effects[1:, asked.index] - effects[1:, list(asked.against)].mean(axis=1))
