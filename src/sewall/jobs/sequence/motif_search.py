"""What the networks of a bundle look for: motifs in their attributions, tested, and those of the k-mer model beside."""

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
from sewall.encode.dna import one_hot
from sewall.jobs.sequence.models import LONGEST, Regression
from sewall.jobs.session import stream
from sewall.motifs.attributions import Attributed, Method, attribute
from sewall.motifs.insertion import Effect, backgrounds, inserted, taken_out
from sewall.motifs.kmer_motifs import assemble
from sewall.motifs.matching import match
from sewall.motifs.motif import Motif
from sewall.motifs.sanity import AGREEING, UNLEARNT, unlearnt_similarity
from sewall.motifs.seqlets import Found, find_motifs, find_seqlets
from sewall.nets.attribution import Question
from sewall.nets.motif import MotifNet

Floats = NDArray[np.float64]

MOST_SHUFFLED = 200  # shuffled sequences that say how much is found where nothing is
SHORTEST_KMER = 4
MOST_AT_ONCE = 256
NETWORKS, KMERS = "networks", "k-mers"

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
class Searched:
    """What was found.

    Attributes:
        attributed: the attributions.
        seqlets: ``row start end attribution p_value motif``.
        motifs: of the networks, and after them those of the k-mer model.
        table: one row per motif, in the same order.
        told: numbers about the search.
    """

    attributed: Attributed
    seqlets: pd.DataFrame
    motifs: list[Motif]
    table: pd.DataFrame
    told: dict[str, Any]


def searched(
    search: Search, sequences: Sequences, simple: list[Motif], known: list[Motif], method: Method, console: Console
) -> Searched:
    """Attribute, find motifs, and test them.

    Args:
        search: with what.
        sequences: of A, C, G and T alone.
        simple: motifs of the k-mer model, tested beside the others.
        known: motifs to compare with; may be none.
        method: of attribution.
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
        found = find_motifs(own, seqlets, both_strands=search.both_strands)
    with console.bar("testing motifs"):
        told = _told(search, own, number, len(seqlets))
        table = _table(search, own, found, simple, told["agrees"] and told["learnt"])
    motifs = [*(one.motif for one in found), *simple]
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


def _table(search: Search, own: Attributed, found: list[Found], simple: list[Motif], trusted: bool) -> pd.DataFrame:
    plain = backgrounds(own.sequences, stream(search.seed, SHUFFLES))
    seed = stream(search.seed, EFFECTS)
    anchored = search.networks[0].shape.anchored
    rows = []
    for one in found:
        place = int(one.places["start"].median()) if anchored else None
        into = inserted(one.motif, plain, search.answers, seed, place)
        out = taken_out(one.places, own.sequences, search.answers, seed)
        used = trusted and into.certain and (into.value > 0) == one.raises and into.agreeing > 0.5
        rows.append(
            _of(one.motif, NETWORKS, into) | {
                "sequences": one.places["row"].nunique(), "raises": one.raises,
                "attribution": one.places["attribution"].mean(), "taken_out": out.value, "taken_out_lower": out.lower,
                "taken_out_upper": out.upper, "used": used,
            }
        )  # fmt: skip
    rows += [_of(motif, KMERS, inserted(motif, plain, search.answers, seed)) | {"raises": True} for motif in simple]
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = [
    "motif", "model", "consensus", "support", "sequences", "raises", "attribution", "effect", "effect_lower",
    "effect_upper", "agreeing", "taken_out", "taken_out_lower", "taken_out_upper", "used",
]  # fmt: skip


def _of(motif: Motif, model: str, into: Effect) -> dict[str, Any]:
    certain = np.isfinite(into.lower)
    return {
        "motif": motif.name, "model": model, "consensus": motif.consensus, "support": motif.support,
        "effect": into.value, "effect_lower": into.lower if certain else np.nan,
        "effect_upper": into.upper if certain else np.nan, "agreeing": into.agreeing, "used": into.certain,
    }  # fmt: skip


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


def kmer_motifs(bundle: Bundle, asked: Question, classes: int) -> list[Motif]:
    """Return the motifs of the k-mer model of a bundle; none where it has no such model."""
    model = next((own for own in bundle.simple_models if own.key == "kmers"), None)
    if not isinstance(model, Regression):
        return []
    effects = model.effects[1:]
    weights = effects[:, asked.index] - effects[:, list(asked.against)].mean(axis=1) if classes else effects[:, 0]
    kmers = kmer_names(LONGEST, model.reader.strands)
    long = [k for k, kmer in enumerate(kmers) if len(kmer) >= SHORTEST_KMER]
    return assemble([kmers[k] for k in long], weights[long], both_strands=model.reader.strands == 2)
