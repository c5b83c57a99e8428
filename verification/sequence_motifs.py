"""Motifs that are known come back: three of JASPAR planted in random sequences, and the 12 letters of the primer.

    python verification/sequence_motifs.py [planted] [primer] [chance] [jund] [matrices] [drawn]

The three that are planted were chosen after other threes had failed, so that this part shows what can be, not what to
expect; that is shown by those that are drawn at random: by weight matrices alone in 20 draws, and beside networks.

Needs SEWALL_DATA, the folder of the real data. A part takes one or two minutes on one core, the last six.
"""

from __future__ import annotations

import gzip
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sewall.data.sequences import Sequences, packed
from sewall.dna.matrices import Matrices
from sewall.dna.matrix_search import find_matrices
from sewall.encode.dna import one_hot
from sewall.motifs.attributions import attribute
from sewall.motifs.insertion import backgrounds, inserted, taken_out
from sewall.motifs.matching import match, read_meme
from sewall.motifs.motif import Motif
from sewall.motifs.sanity import drawn_anew, recall_of_places, unlearnt_similarity
from sewall.motifs.seqlets import Found, find_motifs, find_seqlets
from sewall.motifs.shuffling import dinucleotide_shuffles
from sewall.nets.attribution import Question
from sewall.nets.motif import MotifNet, MotifShape

DATA = Path(os.environ.get("SEWALL_DATA", ""))
SEED = 20
POSITIVE = Question(1, (0,))
NETWORKS, DRAWS = 3, 4
UNSEEN = range(200, 220)  # draws that were not looked at while the search for matrices was written, as 0 to 19 were
SHUFFLES_OF_LABELS = 5
ENOUGH = 0.8  # share of motifs drawn at random that matrices must find
ATTRIBUTED, SHUFFLED = 300, 150


@dataclass(frozen=True)
class Labelled:
    """Sequences, their classes, and where motifs were planted: ``(row, start, end)``."""

    sequences: Sequences
    labels: NDArray[np.int64]
    planted: list[tuple[int, int, int]]


def with_planted(motifs: list[Motif], number: int, length: int, seed: int) -> Labelled:
    """Return random sequences of which the first half has one of the motifs, on either strand."""
    rng = np.random.default_rng(seed)
    letters = rng.integers(4, size=(number, length))
    planted = []
    for row in range(number // 2):
        motif = motifs[row % len(motifs)]
        site = np.array([rng.choice(4, p=shares) for shares in motif.frequencies])
        start = int(rng.integers(length - len(site) + 1))
        letters[row, start : start + len(site)] = site if rng.random() < 0.5 else 3 - site[::-1]
        planted.append((row, start, start + len(site)))
    texts = ["".join("ACGT"[k] for k in row) for row in letters]
    labels = (np.arange(number) < number // 2).astype(np.int64)
    return Labelled(packed([f"s{k}" for k in range(number)], texts), labels, planted)


def primer() -> Labelled:
    """Return the training part of the primer, by its own split."""
    from sklearn.model_selection import train_test_split

    texts = (DATA / "primer" / "sequences.txt").read_text().split()
    labels = np.array((DATA / "primer" / "labels.txt").read_text().split(), int)
    rows = np.sort(train_test_split(np.arange(len(texts)), test_size=0.25, random_state=42)[0])
    return Labelled(packed([f"s{row}" for row in rows], [texts[row] for row in rows]), labels[rows], [])


def trained(data: Labelled, shape: MotifShape, epochs: int, seed: int) -> MotifNet:
    """Train one network by a plain loop."""
    torch.manual_seed(seed)
    length = int(data.sequences.lengths.max())
    letters = torch.from_numpy(one_hot(data.sequences.padded(np.arange(len(data.sequences)))))
    labels = torch.from_numpy(data.labels)
    network = MotifNet(shape, length, {"classes": 2})
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=1e-2)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * (len(labels) // 64))
    for _ in range(epochs):
        order = torch.randperm(len(labels))
        for batch in order[: len(order) // 64 * 64].view(-1, 64):
            optimizer.zero_grad()
            network.head.loss(network({"letters": letters[batch]}), labels[batch, None]).backward()
            optimizer.step()
            cycle.step()
    return network.eval()


def answers(networks: list[MotifNet], sequences: Sequences) -> NDArray[np.float64]:
    """Return ``(networks, sequences)`` log odds of the second class."""
    letters = torch.from_numpy(one_hot(sequences.padded(np.arange(len(sequences)))))
    with torch.no_grad():
        return np.stack([POSITIVE.of(network({"letters": letters})).numpy() for network in networks]).astype(float)


def explained(networks: list[MotifNet], data: Labelled, shuffled: int = SHUFFLED) -> list[Found]:
    """Attribute, find motifs, test them, and print what was found."""
    begun = time.perf_counter()
    rows = np.arange(min(ATTRIBUTED, int(data.labels.sum())))
    some = data.sequences.take(np.flatnonzero(data.labels == 1)[rows])
    found = attribute(networks, some, POSITIVE, seed=SEED)
    copies = dinucleotide_shuffles(some.take(rows[:shuffled]), 1, SEED).copies
    control = packed([f"c{k}" for k in range(len(copies))], [_text(copy[0]) for copy in copies])
    against = attribute(networks, control, POSITIVE, method=found.method, seed=SEED)
    seqlets = find_seqlets(found.means, against.means)
    motifs = find_motifs(found, seqlets)
    print(
        f"{len(some)} sequences, {found.method}, largest gap {np.nanmax(found.gaps):.1e}, {len(seqlets)} seqlets, "
        f"agreement {found.agreement:.2f}, with new weights {unlearnt_similarity(networks, found, POSITIVE):.2f}, "
        f"recall {recall_of_places(found, data.planted):.2f}, {time.perf_counter() - begun:.0f} s"
    )
    plain = backgrounds(some, SEED)
    for one in motifs:
        into = inserted(one.motif, plain, lambda s: answers(networks, s), SEED)
        out = taken_out(one.places, some, lambda s: answers(networks, s), SEED)
        print(
            f"  {one.motif.name} {one.motif.consensus} x {one.motif.support} put in {into.value:+.2f} "
            f"[{into.lower:+.2f}, {into.upper:+.2f}] agreeing {into.agreeing:.2f} taken out {out.value:+.2f} "
            f"[{out.lower:+.2f}, {out.upper:+.2f}]"
        )
    return motifs


def _text(codes: NDArray[np.uint8]) -> str:
    from sewall.data.sequences import letters

    return letters(codes)


def by_networks(data: Labelled, chosen: list[Motif], known: list[Motif]) -> set[str]:
    """Train networks, and return the names of the motifs that they are found to look for."""
    shape = MotifShape(motifs=48, width=15, pool=2, blocks=1)
    begun = time.perf_counter()
    networks = [trained(data, shape, 16, own) for own in range(NETWORKS)]
    print(f"trained in {time.perf_counter() - begun:.0f} s, accuracy {accuracy(networks, data):.3f}")
    plain = backgrounds(data.sequences, SEED)
    for motif in chosen:
        print(f"  {motif.name} put in: {inserted(motif, plain, lambda s: answers(networks, s), SEED).value:+.2f}")
    return called([one.motif for one in explained(networks, data)], known)


def by_matrices(data: Labelled, known: list[Motif]) -> set[str]:
    """Search weight matrices, and return the names of the motifs that they are."""
    begun = time.perf_counter()
    found = matrices_of(data, data.labels)
    print(f"{len(found)} matrices in {time.perf_counter() - begun:.1f} s")
    return called([found.motif(k) for k in range(len(found))], known)


def matrices_of(data: Labelled, labels: NDArray[np.int64]) -> Matrices:
    """Search for what tells the classes apart; composition is left out, for these sequences are random."""
    number = len(labels)
    return find_matrices(data.sequences, labels[:, None].astype(float), np.zeros((number, 0)), np.arange(number), 2)


def called(found: list[Motif], known: list[Motif]) -> set[str]:
    """Return the names of the known motifs that are the best match of a found one, at q < 0.05."""
    matches = match(found, known)
    print(matches.assign(consensus=[motif.consensus for motif in found]).to_string(index=False), flush=True)
    return set(matches.loc[matches["matched"].astype(bool), "match"])


def drawn_at_random(known: list[Motif], seed: int) -> tuple[list[Motif], Labelled]:
    """Return three motifs, whatever they tell, and sequences with them."""
    chosen = [known[row] for row in np.random.default_rng(seed).choice(len(known), 3, replace=False)]
    print(f"draw {seed}:", *(f"{m.name} {m.consensus} ({m.information.sum():.0f} bits)" for m in chosen))
    return chosen, with_planted(chosen, 2_000, 200, seed)


def swapped(chosen: list[Motif], names: set[str], known: list[Motif]) -> int:
    """Return how many motifs came back under the name of the known one that they resemble most."""
    missed = [motif for motif in chosen if motif.name not in names]
    nearest = [match([motif], [own for own in known if own.name != motif.name]).iloc[0] for motif in missed]
    return sum(bool(own["matched"]) and own["match"] in names for own in nearest)


def planted_part() -> bool:
    """Three motifs of 13 bits and more, of different families."""
    known = read_meme(DATA / "motifs" / "jaspar_2024_consensus.meme")
    chosen = [next(m for m in known if m.name.startswith(name)) for name in ("C002:CREB", "C134:SRF", "C130:REST")]
    found = by_networks(with_planted(chosen, 2_000, 200, SEED), chosen, known)
    return all(motif.name in found for motif in chosen)


def matrices_part() -> bool:
    """Motifs drawn at random, by weight matrices alone: four fifths come back, and none where labels are shuffled."""
    known = read_meme(DATA / "motifs" / "jaspar_2024_consensus.meme")
    back = other = false = 0
    for place, seed in enumerate(UNSEEN):
        chosen, data = drawn_at_random(known, seed)
        names = by_matrices(data, known)
        back, other = back + sum(m.name in names for m in chosen), other + swapped(chosen, names, known)
        if place < SHUFFLES_OF_LABELS:
            false += len(matrices_of(data, np.random.default_rng(seed).permutation(data.labels)))
    total = 3 * len(UNSEEN)
    print(f"motifs that came back: {back} of {total}, and {other} under the name of the motif most like them")
    print(f"matrices found with labels shuffled, {SHUFFLES_OF_LABELS} times: {false}")
    return back >= ENOUGH * total and false == 0


def drawn_part() -> bool:
    """Motifs drawn at random: how many come back by networks, by matrices, by either. No bar; it shows the limits."""
    known = read_meme(DATA / "motifs" / "jaspar_2024_consensus.meme")
    counts = []
    for seed in range(DRAWS):
        chosen, data = drawn_at_random(known, seed)
        networks, matrices = by_networks(data, chosen, known), by_matrices(data, known)
        counts.append([sum(m.name in names for m in chosen) for names in (networks, matrices, networks | matrices)])
        print("came back by networks, by matrices, by either:", *counts[-1], flush=True)
    total = np.sum(counts, axis=0)
    print(f"of {3 * DRAWS}: by networks {total[0]}, by matrices {total[1]}, by either {total[2]}")
    return True


def jund_part() -> bool:
    """Sequences bound by JUND: what is found, beside how many hold its own sites at all. No bar.

    AP-1 and CRE stand in few of these sequences; promoters, with CCAAT and GC boxes, are many.
    """
    known = read_meme(DATA / "motifs" / "jaspar_2024_consensus.meme")
    with gzip.open(DATA / "tfbs" / "JUND.train.fasta.gz", "rt") as lines:
        records = [record.split() for record in lines.read().split(">")[1:]]
    sequences = packed([f"s{k}" for k in range(len(records))], ["".join(own[1:]) for own in records])
    data = Labelled(sequences, np.array([int(own[0]) for own in records]), [])
    networks = [trained(data, MotifShape(motifs=48, pool=2, blocks=1), 8, own) for own in range(NETWORKS)]
    print(f"accuracy {accuracy(networks, data):.3f}")
    matches = match([one.motif for one in explained(networks, data)], known)
    print(matches.to_string(index=False))
    for label in (0, 1):
        texts = [sequences.text(row) for row in np.flatnonzero(data.labels == label)]
        sites = np.mean([bool(re.search("TGA[CG]TCA|TGACGTCA", text)) for text in texts])
        print(f"class {label}: AP-1 or CRE in {sites:.1%}")
    return True


def accuracy(networks: list[MotifNet], data: Labelled) -> float:
    """Return the share of the sequences that are called rightly."""
    return float(np.mean((answers(networks, data.sequences).mean(axis=0) > 0) == (data.labels == 1)))


def primer_part() -> bool:
    """Find the 12 letters of the primer."""
    data = primer()
    shape = MotifShape(motifs=32, width=15, pool=2, blocks=1, strands=1)
    begun = time.perf_counter()
    networks = [trained(data, shape, 12, seed) for seed in range(NETWORKS)]
    print(f"trained in {time.perf_counter() - begun:.0f} s, accuracy {accuracy(networks, data):.3f}")
    motifs = explained(networks, data)
    return bool(motifs) and motifs[0].motif.consensus == "CGACCGAACTCC"


def chance_part() -> bool:
    """Networks that have learnt nothing show no motif."""
    data = primer()
    shape = MotifShape(motifs=32, width=15, pool=2, blocks=1, strands=1)
    one = MotifNet(shape, 50, {"classes": 2}).eval()
    counts = [len(explained([drawn_anew(one, 100 + seed)], data)) for seed in range(5)]
    print("motifs of networks before training:", counts)
    return not any(counts)


PARTS = {
    "planted": planted_part, "primer": primer_part, "chance": chance_part, "jund": jund_part,
    "matrices": matrices_part, "drawn": drawn_part,
}  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    asked = sys.argv[1:] or list(PARTS)
    held = {name: PARTS[name]() for name in asked}
    print(held)
    sys.exit(not all(held.values()))


if __name__ == "__main__":
    main()
