from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sewall.bundle import Bundle
from sewall.data.sequences import packed
from sewall.errors import SewallError
from sewall.jobs.sequence import variant_effects as verb
from sewall.jobs.sequence.form import Form
from sewall.jobs.sequence.source import Strands
from sewall.jobs.sequence.task import SequenceTask
from sewall.jobs.sequence.variant_effects import FEW, NO_WINDOW, variants
from sewall.nets.motif import MotifNet, MotifShape
from sewall.report import page, sequence_variants
from sewall.task import Examples, Target
from sewall.trust.effects import FEWEST_NULL
from sewall.trust.support import SupportCheck

MOTIF, WIDTH = "GATTACAG", 60
PAIR = str.maketrans("ACGT", "TGCA")


def reader(shape: MotifShape, seed: int, classes: int) -> MotifNet:
    """A network whose first filter is the motif: what it finds goes to the last answer."""
    net = MotifNet(shape, 0, {"classes": classes} if classes else {"traits": 1}).eval()
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for weights in net.parameters():
            weights.copy_(torch.from_numpy(rng.normal(0, 0.01, weights.shape)))
        net.stem[1].weight.fill_(1.0)
        net.stem[1].bias[0] = -5.5  # two letters off, and it is silent
        net.stem[0].weight[0].fill_(-0.5)
        for place, letter in enumerate(MOTIF):
            net.stem[0].weight[0, "ACGT".index(letter), place] = 1.0
        net.head.linear.weight[-1, 0] = 1.0 + rng.normal(0, 0.2)
    return net


def bundle(classes: tuple[str, ...] = ("free", "bound"), strands: int = 2) -> tuple[SequenceTask, Bundle]:
    """A bundle that knows one motif, and a k-mer regression of few sequences beside it."""
    shape = MotifShape(motifs=4, width=8, pool=1, blocks=0, strands=strands)
    task = SequenceTask(Target("binding", "fold", "identity", 0, 1, classes), Form(strands, shape=shape))
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("ACGT"), WIDTH)) for _ in range(400)]
    examples = Examples(
        pd.DataFrame({"sequence_id": [str(k) for k in range(400)]}),
        Strands(packed([str(k) for k in range(400)], texts)),
        np.array(["TGA" in text for text in texts], float),
    )
    rows = np.arange(400)
    models = [model.fit(examples, rows[:200]) for model in task.simple_models(1) if model.key in ("prior", "kmers")]
    statistics, place = task.place({}, examples, rows)
    values = statistics.to_numpy(float)
    support = SupportCheck.fit(values[:200], place[:200], values[200:], place[200:], list(statistics.columns))
    about = {
        "best_simple": "kmers", "column": 0, "letters": WIDTH, "scores_in_full": {},
        "stack": {"base": "prior", "weights": {"network": 0.6, "kmers": 0.4}},
    }  # fmt: skip
    nets = [reader(shape, seed, len(classes)) for seed in range(5)]
    return task, Bundle(about, nets, models, {}, support)


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Random letters with the motif at 1,000, on the other strand at 2,000, and all but one letter of it at 3,000."""
    rng = np.random.default_rng(7)
    text = "".join(rng.choice(list("ACGT"), 6_000))
    near = MOTIF[:3] + "G" + MOTIF[4:]
    for place, piece in [(1_000, MOTIF), (2_000, MOTIF[::-1].translate(PAIR)), (3_000, near)]:
        text = text[:place] + piece + text[place + len(piece) :]
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_text(f">chr1\n{text}\n>chr2\n{'A' * 300}\n")
    return path, text


@pytest.fixture
def ask(genome: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setitem(page.JOBS, "sequence", sequence_variants.answer)

    def run(rows: list[tuple[str, int, str, str]], made: Any = None, **options: Any) -> Any:
        known = made or bundle()
        monkeypatch.setattr(verb, "load", lambda _: known)
        (tmp_path / "bundle").mkdir(exist_ok=True)
        lines = [f"{chrom}\t{pos}\t.\t{ref}\t{alt}\t.\t.\t." for chrom, pos, ref, alt in rows]
        header = (
            "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=2>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        )
        (tmp_path / "some.vcf").write_text(header + "\n".join(lines) + "\n")
        asked = {"fasta": genome[0], "seed": 3, "verbosity": 0, "random": 300, "shifts": 1, "within": 2_000} | options
        return variants(tmp_path / "bundle", tmp_path / "some.vcf", out=tmp_path / "out", **asked)

    return run


def at(genome: tuple[Path, str], place: int, alt: str = "") -> tuple[str, int, str, str]:
    """The change of one letter, counted from 0; of T and C to G by default, of others to T."""
    ref = genome[1][place]
    return "1", place + 1, ref, alt or ("G" if ref in "TC" else "T")


def test_a_broken_motif_is_a_loss_on_either_strand_and_a_mended_one_a_gain(
    ask: Callable[..., Any], genome: tuple[Path, str]
) -> None:
    quiet = [at(genome, place) for place in range(4_000, 5_500, 60)]
    rows = [at(genome, 1_003), at(genome, 2_004), at(genome, 3_003, MOTIF[3]), *quiet]
    found = ask(rows)
    table = found.table
    assert table["effect"].tolist()[:3] == ["loss", "loss", "gain"]
    assert (table["estimate"][:2] < -0.5).all() and table["estimate"][2] > 0.5
    assert (table["confidence"][:3] > 0.9).all()
    assert (table["q"][:3] < 0.1).all()
    assert (table["lower"] <= table["estimate"]).all() and (table["estimate"] <= table["upper"]).all()
    assert table["estimate"][0] == pytest.approx(np.log(table["p_alt"] / (1 - table["p_alt"]))[0]
                                                 - np.log(table["p_ref"] / (1 - table["p_ref"]))[0])  # fmt: skip
    assert (table["effect"][3:] == "none").mean() > 0.7
    assert {"simple", "stack"} <= set(table) and table["simple"].notna().all()
    told = json.loads((found.folder / "evaluation.json").read_text())["variants"]
    assert told["kinds"] and all(row["random"] >= 200 for row in told["kinds"])
    assert told["tested"]["n"] == len(rows)
    page = found.report.read_text()
    assert "change the log odds of bound more than random variants" in page.replace("\xa0", " ")
    assert str(found.folder / "variants.tsv") in found.summary()


def test_indels_that_break_the_motif_are_losses(ask: Callable[..., Any], genome: tuple[Path, str]) -> None:
    text = genome[1]
    rows = [("1", 1_003, text[1_002:1_005], text[1_002]), ("1", 1_004, text[1_003], text[1_003] + "GGG")]
    table = ask(rows).table
    assert table["kind"].tolist() == ["deletion of 2 letters", "insertion of 3 letters"]
    assert table["effect"].tolist() == ["loss", "loss"]


def test_a_variant_says_the_same_in_any_company_and_with_any_number_of_threads(
    ask: Callable[..., Any], genome: tuple[Path, str]
) -> None:
    first = ask([at(genome, 1_003)], force=True).table.iloc[0]
    text = genome[1]
    again = ask([at(genome, 1_003), ("1", 4_001, text[4_000], text[4_000] + "AC")], force=True, threads=2).table.iloc[0]
    for name in ("estimate", "p_ref", "simple", "stack", "p"):
        assert first[name] == pytest.approx(again[name], abs=1e-6), name


def test_nothing_is_claimed_outside_the_training_nor_without_a_window(
    ask: Callable[..., Any], genome: tuple[Path, str]
) -> None:
    found = ask([("2", 150, "A", "G"), ("1", 5, genome[1][4], "ACGT".replace(genome[1][4], "")[0]), at(genome, 1_003)])
    table = found.table
    assert table["support"].tolist() == ["outside", "outside", "ok"]
    assert table.loc[:1, ["lower", "upper", "p", "q", "confidence", "effect"]].isna().all(axis=None)
    assert table["estimate"].notna().tolist() == [True, False, True]
    assert "unlike" in table["reason"][0] and table["reason"][1] == NO_WINDOW
    record = json.loads((found.folder / "run.json").read_text())
    assert [(row["reason"], row["count"]) for row in record["dropped"]] == [("its window reaches beyond the contig", 1)]


def test_a_kind_without_enough_random_variants_is_not_judged(
    ask: Callable[..., Any], genome: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No stretch of 50 letters of so small a genome can be removed in 200 ways and still leave a window."""
    short, place = genome[1][970:1_070], 43
    path = genome[0].with_name("short.fa")
    path.write_text(f">chr1\n{short}\n")
    rows = [("1", place, short[place - 1 : place + 12], short[place - 1])]
    found = ask(rows, fasta=path, width=30)
    assert found.found["kinds"][0]["random"] < FEWEST_NULL
    assert found.table["p"].isna().all() and found.table["reason"][0] == FEW
    assert "Too few random variants could be placed" in found.report.read_text()


def test_quantities_and_several_classes(ask: Callable[..., Any], genome: tuple[Path, str]) -> None:
    rows = [at(genome, 1_003)]
    quantity = ask(rows, bundle(()), force=True)
    assert quantity.table["of_alt"][0] - quantity.table["of_ref"][0] == pytest.approx(quantity.table["estimate"][0])
    assert quantity.found["unit"] == "fold"
    several = ask(rows, bundle(("a", "b", "c")), force=True)
    assert several.found["label"] == "c" and several.table["effect"][0] == "loss"
    other = ask(rows, bundle(("a", "b", "c")), force=True, label="a")
    assert other.table["estimate"][0] > 0
    with pytest.raises(SewallError, match="--label d: not a class of the bundle; its classes are a, b, c"):
        ask(rows, bundle(("a", "b", "c")), force=True, label="d")


def test_the_strand_matters_only_to_bundles_that_tell_strands_apart(
    ask: Callable[..., Any], genome: tuple[Path, str]
) -> None:
    rows = [at(genome, 1_003), at(genome, 2_004)]
    forward = ask(rows, bundle(strands=1), force=True).table["estimate"]
    backward = ask(rows, bundle(strands=1), force=True, strand="-").table["estimate"]
    both = ask(rows, force=True, strand="-").table["estimate"]
    assert forward[0] < -0.5 < forward[1] and backward[1] < -0.5 < backward[0]
    assert (both < -0.5).all()


def test_ref_that_disagrees_writes_nothing(ask: Callable[..., Any], genome: tuple[Path, str], tmp_path: Path) -> None:
    wrong = "ACGT".replace(genome[1][1_003], "")[0]
    with pytest.raises(SewallError, match=r"REF disagrees with genome\.fa in 1 of 1 alleles"):
        ask([("1", 1_004, wrong, genome[1][1_003])])
    assert not (tmp_path / "out" / "variants.tsv").exists()


def test_a_bundle_without_a_length_asks_for_one(ask: Callable[..., Any], genome: tuple[Path, str]) -> None:
    task, made = bundle()
    del made.about["letters"]
    with pytest.raises(SewallError, match="--width: is missing"):
        ask([at(genome, 1_003)], (task, made))
    assert ask([at(genome, 1_003)], (task, made), width=80).found["width"] == 80


def test_genes_stand_beside_the_effects(ask: Callable[..., Any], genome: tuple[Path, str], tmp_path: Path) -> None:
    genes = tmp_path / "genes.gff3"
    genes.write_text("1\tx\tCDS\t1001\t1300\t.\t+\t0\tID=c;Parent=GENE\n")
    found = ask([at(genome, 1_003), at(genome, 4_003)], genes=genes)
    assert found.table["consequence"].tolist()[1] == "intergenic"
    assert found.table["consequence"][0] in {"missense", "synonymous", "nonsense", "start lost"}
    assert "What do rules say?" in found.report.read_text()
