from __future__ import annotations

import numpy as np
import pytest

from sewall.data.sequences import Sequences, letters, packed
from sewall.motifs.attributions import Attributed, attribute
from sewall.motifs.insertion import backgrounds
from sewall.motifs.sanity import recall_of_places
from sewall.motifs.seqlets import Found, find_motifs, find_seqlets
from sewall.nets.motif import MotifNet, MotifShape

from .conftest import POSITIVE, WORD, knowing, random_net, random_sequences, with_word

TURNED = "GGAGTTCGGTCG"


def found_in(
    networks: list[MotifNet], sequences: Sequences, both_strands: bool = True
) -> tuple[Attributed, list[Found]]:
    own = attribute(networks, sequences, POSITIVE, method="deeplift")
    control = attribute(networks, backgrounds(sequences, 1, len(sequences)), POSITIVE, method="deeplift")
    seqlets = find_seqlets(own.means, control.means)
    return own, find_motifs(own, seqlets, both_strands=both_strands)


def test_the_word_comes_back_with_its_places() -> None:
    sequences, starts = with_word(40, 50, 3)
    own, motifs = found_in([knowing(strands=1)], sequences, both_strands=False)
    assert [one.motif.consensus for one in motifs] == [WORD]
    assert motifs[0].motif.support == 40
    assert motifs[0].raises
    places = motifs[0].places
    assert places["start"].tolist() == starts
    assert (places["end"] - places["start"] == len(WORD)).all()
    assert recall_of_places(own, [(row, start, start + 12) for row, start in enumerate(starts)]) > 0.9


def test_a_word_on_both_strands_is_one_motif() -> None:
    one, _ = with_word(24, 50, 3)
    other, _ = with_word(24, 50, 4, TURNED)
    sequences = packed([f"s{k}" for k in range(48)], [own.text(k) for own in (one, other) for k in range(24)])
    _, motifs = found_in([knowing()], sequences)
    assert len(motifs) == 1
    assert motifs[0].motif.consensus in (WORD, TURNED)
    assert motifs[0].places["strand"].value_counts().to_dict() == {"+": 24, "-": 24}


def test_a_word_that_takes_from_the_answer() -> None:
    sequences, _ = with_word(30, 50, 3)
    _, motifs = found_in([knowing(strands=1, sure=-4.0)], sequences, both_strands=False)
    assert [(one.motif.consensus, one.raises) for one in motifs] == [(WORD, False)]


def test_fewer_than_twenty_places_are_no_motif() -> None:
    sequences, _ = with_word(19, 50, 3)
    assert found_in([knowing(strands=1)], sequences, both_strands=False)[1] == []


def test_parts_of_a_word_come_together() -> None:
    """Networks that look at one half of the word each: the letters between show that it is one word."""
    sequences, starts = with_word(40, 50, 3)
    tracks = [np.zeros(50, np.float32) for _ in starts]
    rng = np.random.default_rng(1)
    for row, start in enumerate(starts):
        tracks[row] += rng.normal(0, 0.02, 50).astype(np.float32)
        tracks[row][start + 6 * (row % 2) : start + 6 * (row % 2) + 6] += 1.0
    control = [rng.normal(0, 0.02, 50).astype(np.float32) for _ in starts]
    own = Attributed(sequences, [], [track[None] for track in tracks], np.zeros(40), "deeplift")
    motifs = find_motifs(own, find_seqlets(own.means, control), both_strands=False)
    assert [(one.motif.consensus, one.motif.support) for one in motifs] == [(WORD, 40)]


def test_letters_beside_a_word_are_no_motif_of_their_own() -> None:
    sequences, starts = with_word(40, 50, 3)
    rng = np.random.default_rng(1)
    tracks = [rng.normal(0, 0.02, 50).astype(np.float32) for _ in starts]
    control = [rng.normal(0, 0.02, 50).astype(np.float32) for _ in starts]
    for row, start in enumerate(starts):
        tracks[row][start : start + 12] += 1.0
        tracks[row][start + 12 : start + 17] -= 0.4
    own = Attributed(sequences, [], [track[None] for track in tracks], np.zeros(40), "deeplift")
    seqlets = find_seqlets(own.means, control)
    assert (seqlets["attribution"] < 0).sum() > 20
    assert [one.raises for one in find_motifs(own, seqlets, both_strands=False)] == [True]


@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_has_learnt_nothing_shows_no_motif(seed: int) -> None:
    network = random_net(MotifShape(motifs=12, width=7, pool=2, blocks=1, strands=1), 0, seed)
    assert found_in([network], with_word(60, 50, 3)[0], both_strands=False)[1] == []


def test_seqlets_of_sequences_of_unequal_length_end_where_they_end() -> None:
    texts = [random_sequences(1, length, length).text(0) + WORD for length in range(20, 50)]
    sequences = packed([f"s{k}" for k in range(30)], texts)
    own = attribute([knowing(strands=1)], sequences, POSITIVE, method="deeplift")
    control = attribute([knowing(strands=1)], backgrounds(sequences, 1, 30), POSITIVE, method="deeplift")
    seqlets = find_seqlets(own.means, control.means)
    assert (seqlets["end"].to_numpy() <= sequences.lengths[seqlets["row"]]).all()
    motifs = find_motifs(own, seqlets, both_strands=False)
    assert [one.motif.consensus for one in motifs] == [WORD]
    assert letters(sequences.codes_of(0)[-12:]) == WORD
