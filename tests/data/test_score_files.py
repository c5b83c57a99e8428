from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall.data import score_files as f
from sewall.data import score_matching as m
from sewall.data.panel import OddCalls, Panel, Sites
from sewall.data.panels.harmonise import ABSENT, AMBIGUOUS, BY_FREQUENCY, DIFFERENT
from sewall.errors import SewallError

HEADER = """###PGS CATALOG SCORING FILE - see the downloads page
#format_version=2.0
##POLYGENIC SCORE (PGS) INFORMATION
#pgs_id=PGS999999
#pgs_name=PRS_tall
#trait_reported=Height = stature
#genome_build=GRCh37
#weight_type=beta
"""
NAMES = "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"


def written(tmp_path: Path, text: str, name: str = "score.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def read(tmp_path: Path, *lines: str, names: str = NAMES) -> f.ScoreFile:
    return f.read_score_file(written(tmp_path, HEADER + "\n".join([names, *lines]) + "\n"))


@pytest.mark.parametrize("name", ["score.txt", "score.txt.gz"])
def test_header_and_variants_are_read(tmp_path: Path, name: str) -> None:
    text = HEADER + NAMES + "\nrs1\t1\t808631\ta\tG\t-2.76009e-02\n\t22\t949608\tC\tCAT\t0.5\r\n"
    scores = f.read_score_file(written(tmp_path, text, name))
    assert scores.header["pgs_id"] == "PGS999999"
    assert scores.header["trait_reported"] == "Height = stature"
    assert scores.title == "PRS_tall"
    assert scores.name.tolist() == ["rs1", ""]
    assert scores.chrom.tolist() == ["1", "22"]
    assert scores.position.tolist() == [808630, 949607]  # counted from 0
    assert (scores.effect.tolist(), scores.other.tolist()) == (["A", "C"], ["G", "CAT"])
    assert scores.weight.tolist() == [-0.0276009, 0.5]
    assert scores.additive.all()


def test_weights_may_depend_on_the_number_of_copies(tmp_path: Path) -> None:
    names = NAMES + "\tdosage_0_weight\tdosage_1_weight\tdosage_2_weight\tis_dominant\tis_recessive"
    scores = read(
        tmp_path, "a\t1\t5\tA\tG\t\t0\t1.5\t2\t\t", "b\t1\t6\tA\tG\t3\t\t\t\tTRUE\tFALSE",
        "c\t1\t7\tA\tG\t3\t\t\t\tFalse\tTrue", "d\t1\t8\tA\tG\t3\t\t\t\tFALSE\tFALSE", names=names,
    )  # fmt: skip
    assert scores.by_copies[:3].tolist() == [[0, 1.5, 2], [0, 3, 3], [0, 0, 3]]
    assert scores.additive.tolist() == [False, False, False, True]
    assert (scores.problem == "").all()


def test_odds_ratios_become_weights_where_there_are_none(tmp_path: Path) -> None:
    scores = read(tmp_path, "a\t1\t5\tA\tG\t\t2", "b\t1\t6\tA\tG\t0.1\t2", names=NAMES + "\tOR")
    np.testing.assert_allclose(scores.weight, [np.log(2), 0.1])


def test_harmonised_places_come_first(tmp_path: Path) -> None:
    names = NAMES + "\thm_chr\thm_pos\thm_inferOtherAllele"
    scores = read(tmp_path, "a\t1\t5\tA\tG\t1\t2\t77\t", "b\t1\t6\tA\t\t1\t\t\tC", names=names)
    assert scores.chrom.tolist() == ["2", ""]  # the other one has no place in this build
    assert scores.position.tolist() == [76, f.NO_PLACE]
    assert scores.other.tolist() == ["G", "C"]


def test_older_files_call_the_other_allele_the_reference(tmp_path: Path) -> None:
    assert read(tmp_path, "a\t1\t5\tA\tG\t1", names=NAMES.replace("other", "reference")).other.tolist() == ["G"]


def test_what_cannot_be_scored_keeps_its_reason(tmp_path: Path) -> None:
    scores = read(
        tmp_path, "a\t1\t5\tA\tG\t1\tTRUE", "b\t1\t6\tA\tG\t\tFALSE", "c\t1\t7\t\tG\t1\t", "d\t1\t8\tA\tG\t1\t",
        names=NAMES + "\tis_interaction",
    )  # fmt: skip
    assert scores.problem.tolist() == [f.COMPLEX, f.NO_WEIGHT, f.NO_ALLELE, ""]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no line of column names"),
        ("#a=b\n", "has no line of column names"),
        (HEADER + NAMES + "\n", "has column names and no variants"),
        (HEADER + NAMES + "\nrs1\t1\t5\tA\tG\tmuch\n", "line 10: 'much' in effect_weight is not a number"),
        (HEADER + NAMES + "\n\nrs1\t1\t5th\tA\tG\t1\n", "line 11: '5th' in chr_position is not a number"),
        (HEADER + NAMES + "\nrs1\t1\t5\tA\tG\t1\nrs1\t1\t5\tA\tG\t1\t1\n", "line 11: has more columns than names"),
        (HEADER + "rsID\tchr_name\teffect_weight\n1\t1\t1\n", "lacks columns of a scoring file"),
        ("rsID chr_name chr_position effect_allele effect_weight\n", "line 1: the columns are not separated by tabs"),
    ],
)
def test_what_is_no_scoring_file_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SewallError, match=says) as refusal:
        f.read_score_file(written(tmp_path, text))
    assert "score.txt" in str(refusal.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match=r"nothing\.txt: no such file"):
        f.read_score_file(tmp_path / "nothing.txt")


PLACE = pd.DataFrame(
    {"name": ["rs1", "", "rs3"], "chrom": ["1", "X", "2"], "position": [9, 99, f.NO_PLACE],
     "effect": ["A", "C", "GT"], "other": ["G", "T", "G"]}
)  # fmt: skip


@pytest.mark.parametrize("name", ["out.txt", "out.txt.gz"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    weight = np.array([0.123456789, -2e-12, 3.0])
    scores = f.ScoreFile.of({"trait_reported": "a\nb"}, PLACE, weight, frequency=np.array([0.1, 0.25, 0.5]))
    f.write_score_file(tmp_path / name, scores)
    again = f.read_score_file(tmp_path / name)
    np.testing.assert_allclose(again.weight, weight, rtol=1e-9)
    np.testing.assert_allclose(again.frequency, [0.1, 0.25, 0.5])
    assert again.position.tolist() == [9, 99, f.NO_PLACE]
    for column in ("name", "effect", "other"):
        assert getattr(again, column).tolist() == PLACE[column].tolist()
    assert again.header["trait_reported"] == "a b"
    assert again.header["variants_number"] == "3"
    assert again.header["genome_build"] == f.UNKNOWN
    assert again.header["format_version"] == "2.0"


def test_weights_by_copies_are_written_in_columns_of_their_own(tmp_path: Path) -> None:
    by_copies = np.array([[0, 1, 1.5], [0, 0.2, 0.1], [0, -1, 2.0]])
    f.write_score_file(tmp_path / "out.txt", f.ScoreFile.of({}, PLACE, by_copies=by_copies))
    names = next(line for line in (tmp_path / "out.txt").read_text().splitlines() if not line.startswith("#"))
    assert names.split("\t")[5:] == f.DOSAGE_WEIGHTS  # not both: the format has one kind of weight for a variant
    np.testing.assert_array_equal(f.read_score_file(tmp_path / "out.txt").by_copies, by_copies)


def test_the_same_scores_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.txt.gz", "b.txt.gz"):
        f.write_score_file(tmp_path / name, f.ScoreFile.of({}, PLACE, np.ones(3)))
    assert (tmp_path / "a.txt.gz").read_bytes() == (tmp_path / "b.txt.gz").read_bytes()


# Which variant of a file is which site of a panel.

ALLELES = [("A", "G")] * 3 + [("C", "T"), ("A", "T"), ("C", "G"), ("G", "GA")]
CODES = np.array([[0, 1, 2, 2]] * 3 + [[0, 0, 1, 1], [0, 0, 0, 1], [1, 1, 2, 0], [0, 1, 0, 3]], np.uint8)


def panel(chrom: str = "1", many: int = 0) -> Panel:
    """Seven sites; with *many*, as many more on chromosome 9 that tell the strand."""
    alleles = np.array([*ALLELES, *[("A", "C")] * many])
    names = np.array([f"rs{k}" for k in range(len(alleles))])
    chroms = np.array([chrom] * len(ALLELES) + ["9"] * many)
    position = np.r_[10 * np.arange(len(ALLELES)), np.arange(many)].astype(np.int32)
    sites = Sites(chroms, position, names, alleles, np.zeros(len(alleles), np.int8))
    codes = np.vstack([CODES, np.tile(np.array([[0, 1, 2, 1]], np.uint8), (many, 1))])
    return Panel.from_codes(codes, sites, ["a", "b", "c", "d"])


def variants(rows: list[tuple[str, int, str, str]], frequency: float = np.nan, many: int = 0) -> f.ScoreFile:
    rows = rows + [("9", k, "C", "A") for k in range(many)]
    chrom, position, effect, other = map(list, zip(*rows, strict=True))
    place = pd.DataFrame({"name": "", "chrom": chrom, "position": position, "effect": effect, "other": other})
    return f.ScoreFile.of({}, place, np.ones(len(rows)), frequency=np.full(len(rows), frequency))


CASES = [
    (("1", 0, "G", "A"), m.COUNTS_ALT), (("1", 0, "A", "G"), m.COUNTS_REF), (("1", 10, "T", "C"), m.FLIPPED_REF),
    (("1", 10, "C", "T"), m.FLIPPED_ALT), (("1", 20, "G", ""), m.COUNTS_ALT), (("1", 20, "C", ""), m.FLIPPED_ALT),
    (("1", 20, "G", "C/A"), m.COUNTS_ALT), (("1", 30, "A", "C"), DIFFERENT), (("1", 60, "GA", "G"), m.COUNTS_ALT),
    (("1", 60, "G", "GA"), m.COUNTS_REF), (("1", 60, "TC", "C"), DIFFERENT), (("1", 61, "G", "A"), ABSENT),
    (("5", 0, "G", "A"), ABSENT), (("1", 40, "T", "A"), AMBIGUOUS),
]  # fmt: skip


@pytest.mark.parametrize(("row", "outcome"), CASES)
@pytest.mark.parametrize("chrom", ["1", "chr1"])
def test_letters_tell_which_allele_is_counted(row: tuple[str, int, str, str], outcome: str, chrom: str) -> None:
    found = m.match_scores(panel(chrom), variants([row]))
    assert found.outcome.tolist() == [outcome]
    assert len(found.used) == (outcome in m.MATCHED)
    if outcome in m.MATCHED:
        assert found.counted[0] == (m.ALT if outcome.endswith("ALT") else m.REF)


def test_on_one_strand_throughout_at_and_cg_are_read_as_they_stand() -> None:
    rows = [("1", 40, "T", "A"), ("1", 50, "C", "G")]
    found = m.match_scores(panel(many=30), variants(rows, many=30))
    assert found.outcome[:2].tolist() == [m.COUNTS_ALT, m.COUNTS_REF]
    assert m.match_scores(panel(), variants(rows), keep_ambiguous=True).counted.tolist() == [m.ALT, m.REF]


def test_else_frequency_tells_where_it_can() -> None:
    rows = [("1", 40, "T", "A"), ("1", 40, "A", "T"), ("1", 50, "C", "G")]
    rare = m.match_scores(panel(), variants(rows, frequency=0.1))  # T is rare here too, so A is not what was counted
    assert rare.outcome.tolist() == [BY_FREQUENCY, m.REPEATED, AMBIGUOUS]
    assert rare.counted[0] == m.ALT
    common = m.match_scores(panel(), variants(rows[:1], frequency=0.9))
    assert (common.outcome[0], common.counted[0]) == (BY_FREQUENCY, m.REF)


def test_a_third_allele_can_be_counted() -> None:
    code = np.array([[1, 0, 0, 1, 0]], np.float32)
    odd = replace(panel(), odd=OddCalls(np.array([0]), np.array([1]), code))
    found = m.match_scores(odd, variants([("1", 0, "T", "A"), ("1", 10, "T", "A")]))
    assert found.outcome.tolist() == [m.COUNTS_THIRD, DIFFERENT]
    assert (found.counted[0], found.letter[0]) == (m.THIRD, 3)


def test_names_serve_where_there_is_no_place() -> None:
    scores = variants([("", f.NO_PLACE, "G", "A")] * 2)
    found = m.match_scores(panel(), replace(scores, name=np.array(["rs2", "rs99"])))
    assert found.outcome.tolist() == [m.COUNTS_ALT, ABSENT]
    assert found.site[0] == 2


def test_a_variant_counts_once_but_each_of_its_alleles_may() -> None:
    found = m.match_scores(panel(), variants([("1", 0, "G", "A"), ("1", 0, "G", "A"), ("1", 0, "A", "G")]))
    assert found.outcome.tolist() == [m.COUNTS_ALT, m.REPEATED, m.COUNTS_REF]


def test_the_report_has_a_reason_for_every_variant() -> None:
    scores = variants([("1", 0, "G", "A"), ("", f.NO_PLACE, "G", "A")])
    report = m.match_report(scores, m.match_scores(panel(), scores))
    assert report["position"].tolist()[0] == 1
    assert report["position"].isna().tolist() == [False, True]
    assert report["outcome"].tolist() == [m.COUNTS_ALT, ABSENT]
