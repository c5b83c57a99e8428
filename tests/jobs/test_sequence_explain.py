"""The verb ``explain``, with a bundle whose networks know one word: nothing is trained."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sewall.dna.counts import kmer_names
from sewall.dna.matrices import PLACES, Matrices
from sewall.errors import SewallError
from sewall.jobs.sequence import predicting
from sewall.jobs.sequence.explaining import ExplainResult, explain
from sewall.jobs.sequence.form import Form
from sewall.jobs.sequence.matrix_model import MatrixModel
from sewall.jobs.sequence.models import Reader, Regression
from sewall.jobs.sequence.task import SequenceTask
from sewall.motifs.matching import read_meme
from sewall.motifs.motif import Motif
from sewall.motifs.writing import write_meme
from sewall.nets.motif import MotifNet, MotifShape
from sewall.report import page, sequence_explaining
from sewall.tables import read_table
from sewall.task import Target

WORD = "CGACCGAACTCC"
TARGET = Target("bound", "", "identity", float("-inf"), float("inf"), ("no", "yes"))


@dataclass
class Bundle:
    networks: list[Any]
    simple_models: list[Any]
    about: dict[str, Any] = field(default_factory=dict)


def knowing(sure: float) -> MotifNet:
    network = MotifNet(MotifShape(motifs=2, width=13, pool=1, blocks=0, strands=1), 0, {"classes": 2})
    with torch.no_grad():
        network.stem[0].weight.zero_()
        for place, letter in enumerate(WORD):
            network.stem[0].weight[0, "ACGT".index(letter), place] = 1.0
        network.stem[1].running_mean.fill_(9)
        network.head.linear.weight.zero_()
        network.head.linear.weight[:, 0] = torch.tensor([-sure, sure])
        network.head.linear.bias.zero_()
    return network.eval()


def kmer_model() -> Regression:
    names = kmer_names(6, 1)
    effects = np.zeros((1 + len(names), 2))
    for start in range(7):
        effects[1 + names.index(WORD[start : start + 6]), 1] = 1.0
    return Regression(TARGET, Reader("kmers", "k-mers", 1), effects=effects)


def matrix_model() -> MatrixModel:
    """Return a model with two matrices: the word, which raises the answer, and another that lowers it."""
    odds = np.zeros((2, PLACES, 4))
    for own, word in zip(odds, (WORD, "GTGTGTGT"), strict=True):
        own[4 : 4 + len(word)] = np.log(0.04)
        own[np.arange(4, 4 + len(word)), ["ACGT".index(letter) for letter in word]] = np.log(3.88)
    found = Matrices(odds, np.full(4, 0.25), np.array([14.0, 8.0]), np.array([70, 30]), np.full(2, 0.001))
    effects = np.zeros((6, 2))
    effects[2:, 1] = [1.0, -1.0, 0.5, -0.5]
    return MatrixModel(TARGET, 1, found, np.zeros(5), np.ones(5), effects)


def sequences(number: int, ambiguous: str = "") -> str:
    rng = np.random.default_rng(4)
    texts = ["".join("ACGT"[k] for k in rng.integers(4, size=40)) for _ in range(number)]
    starts = rng.integers(1, 28, size=number)
    return "".join(
        f">s{k}\n{ambiguous or text[0]}{text[1:start]}{WORD}{text[start + 12 :]}\n"
        for k, (text, start) in enumerate(zip(texts, starts, strict=True))
    )


Explain = Callable[..., ExplainResult]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Explain:
    task = SequenceTask(TARGET, Form(strands=1))
    bundle = Bundle([knowing(4.0), knowing(3.0)], [matrix_model(), kmer_model()])
    monkeypatch.setattr(predicting, "load", lambda folder: (task, bundle))
    monkeypatch.setitem(page.JOBS, "sequence", sequence_explaining.answer)
    (tmp_path / "bundle").mkdir()

    def explained(text: str, **options: Any) -> ExplainResult:
        (tmp_path / "some.fa").write_text(text)
        return explain(tmp_path / "bundle", tmp_path / "some.fa", out=tmp_path / "out", seed=1, verbosity=0, **options)

    return explained


def test_the_word_is_found_tested_named_and_shown(run: Explain, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    known = [Motif(f"k{k}", rng.dirichlet(np.full(4, 0.2), 10)) for k in range(60)]
    known.append(Motif("the-word", np.eye(4)[["ACGT".index(letter) for letter in WORD]] * 0.96 + 0.01))
    write_meme(tmp_path / "known.meme", known)
    result = run(sequences(40), motifs=tmp_path / "known.meme")

    table = read_table(tmp_path / "out" / "motifs.tsv")
    assert table["consensus"].tolist() == [WORD, WORD, "GTGTGTGT", WORD]
    assert table["model"].tolist() == ["networks", "weight matrices", "weight matrices", "k-mers"]
    assert table["match"].str.startswith("the-word").tolist() == [True, True, False, True]
    assert table["matched"].tolist() == [True, True, False, True]
    assert table["used"].tolist() == [True, True, False, True]
    assert table["raises"].tolist() == [True, True, False, True]
    assert table.loc[0, "effect_lower"] > 10
    assert table.loc[0, "taken_out_lower"] > 10
    matrix = table.loc[1]
    assert (matrix["support"], matrix["sequences"]) == (70, 40)
    assert matrix["taken_out_lower"] > 10  # its sites are where the word stands
    names = ["motif_1", "matrix_1", "matrix_2", "kmers_1"]
    assert [motif.name.split()[0] for motif in read_meme(tmp_path / "out" / "motifs.meme")] == names
    seqlets = read_table(tmp_path / "out" / "seqlets.tsv")
    assert seqlets.loc[seqlets["motif"] == "motif_1", "sequence_id"].nunique() == 40
    with np.load(tmp_path / "out" / "attributions.npz") as kept:
        assert kept["hypothetical"].shape == (4, 1600)
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text())["explained"]
    assert told["agrees"]
    assert told["unit"] == "log odds of yes"
    shown = (tmp_path / "out" / "report.html").read_text()
    assert f"The networks look for {WORD}, which resembles the-word" in shown
    assert f"Logo of motif_1: {WORD}" in shown
    assert f"Logo of matrix_1: {WORD}" in shown
    assert f"{WORD} (weight matrix)" in shown
    assert "1 motifs, of which the networks use 1" in result.summary()


def test_the_other_class_loses_by_it(run: Explain) -> None:
    table = run(sequences(30), label="no").motifs
    own = table[table["model"] == "networks"].iloc[0]
    assert (own["consensus"], bool(own["raises"])) == (WORD, False)
    assert own["effect_upper"] < 0
    assert own["match"] == ""


def test_a_matrix_tells_what_networks_answer_to_where_they_show_no_motif(run: Explain) -> None:
    rng = np.random.default_rng(5)
    plain = "".join(f">p{k}\n{''.join(rng.choice(list('ACGT'), 40))}\n" for k in range(30))
    result = run(plain)
    assert result.motifs["model"].tolist() == ["weight matrices", "weight matrices", "k-mers"]
    assert result.motifs.loc[0, "used"]
    assert result.motifs.loc[0, "sequences"] == 0
    assert np.isnan(result.motifs.loc[0, "taken_out"])
    shown = result.report.read_text()
    assert f"Yet they answer to {WORD}: put into shuffled sequences it raises" in shown
    assert "(a motif of the weight matrices)" in shown


def test_with_labels_a_network_of_shuffled_ones_shows_nothing(run: Explain, tmp_path: Path) -> None:
    """The words are found by the networks of the bundle, and not by one that could learn nothing of them."""
    rng = np.random.default_rng(6)
    plain = "".join(f">p{k} bound=no\n{''.join(rng.choice(list('ACGT'), 40))}\n" for k in range(40))
    words = "".join(f"{line} bound=yes\n" if line[0] == ">" else f"{line}\n" for line in sequences(40).splitlines())
    result = run(words + plain)
    told = result.explained["permuted"]
    assert (told["trained"], told["motifs"]) == (80, 0)
    assert told["learnt"]
    assert "shuffled labels of 80 sequences shows no motif" in result.report.read_text()
    strange = (words + plain).replace("bound=no", "bound=maybe")  # labels are not needed: others are no error
    assert run(strange, force=True).explained["permuted"] is None
    assert run(words, force=True).explained["permuted"] is None  # of one class
    assert run(words + plain, permuted=False, force=True).explained["permuted"] is None
    assert "--no-permuted" in json.loads((tmp_path / "out" / "run.json").read_text())["command"]


def test_ambiguous_letters_and_those_left_out_are_told(run: Explain, tmp_path: Path) -> None:
    run(sequences(30, "N") + ">short\nACG\n", most=25)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    notes = " ".join(record["notes"])
    assert "1 sequences were left out" in notes
    assert "ambiguous letters" in notes
    assert "of 30 sequences the 25 with the highest answers" in notes


def test_the_same_seed_gives_the_same_tables(run: Explain, tmp_path: Path) -> None:
    run(sequences(30))
    first = [(tmp_path / "out" / name).read_bytes() for name in ("motifs.tsv", "seqlets.tsv", "motifs.meme")]
    run(sequences(30), force=True)
    assert first == [(tmp_path / "out" / name).read_bytes() for name in ("motifs.tsv", "seqlets.tsv", "motifs.meme")]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (sequences(30), {"label": "maybe"}, "--label maybe: not a class of .*; its classes are no, yes"),
        (sequences(10), {}, "10 of 10 sequences can be read by this bundle, and 20 are needed"),
        (sequences(30), {"motifs": "some.fa"}, "not a MEME file"),
        (sequences(30), {"method": "guess"}, "--method is auto, deeplift or mutagenesis; got 'guess'"),
        (sequences(30), {"most": 3}, "--most is a number of sequences, 20 or more"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    run: Explain, tmp_path: Path, text: str, options: dict[str, Any], says: str
) -> None:
    if "motifs" in options:
        (tmp_path / "some.fa").write_text(text)
        options = {"motifs": tmp_path / options["motifs"]}
    with pytest.raises(SewallError, match=says) as error:
        run(text, **options)
    assert "\n" not in str(error.value)
