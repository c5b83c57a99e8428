"""What an inspection finds in files made here, in which everything is known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from sewall import trait
from sewall.cli import run
from sewall.jobs.trait.inspecting import InspectResult

PEOPLE, PER, CHROMOSOMES = 40, 400, ["1", "2", "3", "4", "X"]
IDS = [f"{k:03d}" for k in range(PEOPLE)]
MALES = np.arange(PEOPLE) % 2 == 0


def cohort(folder: Path) -> Path:
    """Write strangers with one twin (039 of 037), a male who is called female (004), and one half empty (007)."""
    rng = np.random.default_rng(8)
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *IDS])]
    words = np.array(["0/0", "0/1", "1/1"])
    for chrom in CHROMOSOMES:
        p = rng.uniform(0.2, 0.8, PER)
        p[:3] = 0
        copies = (rng.random((2, PEOPLE, PER)) < p).astype(int)
        if chrom == "X":
            copies[1, MALES] = copies[0, MALES]
        copies[:, 39] = copies[:, 37]
        calls = words[copies.sum(axis=0)].astype("U3")
        calls[7, : PER // 4] = "./."
        if chrom == "X":
            calls[0, 3:10] = "0/1"  # of a male
        start = 2_779_480 if chrom == "X" else 1  # two sites of X are pseudo-autosomal
        for k in range(PER):
            lines.append(
                "\t".join([chrom, str(1000 * k + start), f"{chrom}_{k}", "A", "C", ".", ".", ".", "GT", *calls[:, k]])
            )
    path = folder / "cohort.vcf"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> InspectResult:
    folder = tmp_path_factory.mktemp("cohort")
    rng = np.random.default_rng(9)
    height = rng.normal(170, 5, PEOPLE).round(2)
    height[5] = 1700
    sex = np.where(MALES, "M", "F").astype(object)
    sex[[4, 38]] = ["F", "NA"]
    rows = [
        [name, str(h), "5", str(k % 2), ["red", "blue", "green"][k % 3], word, "tall" if k == 3 else str(k)]
        for k, (name, h, word) in enumerate(zip(IDS, height, sex, strict=True))
    ]
    header = ["sample_id", "height", "same", "case", "colour", "sex", "mixed"]
    (folder / "t.tsv").write_text("\n".join("\t".join(row) for row in [header, *rows[1:], ["stranger", *rows[0][1:]]]))
    return trait.inspect(
        cohort(folder), phenotypes=folder / "t.tsv", sex="sex", build="GRCh38", out=folder / "out", seed=1, verbosity=0
    )


def test_individuals(inspected: InspectResult) -> None:
    people = inspected.individuals.set_index("sample_id")
    assert people.loc[["000", "001", "004", "038"], "sex"].tolist() == ["male", "female", "female", "male"]
    assert people.loc["038", "sex_reported"] == "NA" and people.loc["038", "sex_inferred"] == "male"
    assert people.index[people["sex_disagrees"] == "yes"].tolist() == ["004"]
    assert people.loc["000", "impossible_calls"] == 7
    assert people.loc["007", "missing"] == pytest.approx(0.25) and people.loc["008", "missing"] == 0
    assert people.loc["039", "same_as"] == "037" and (people["same_as"] != "").sum() == 1
    assert abs(people["inbreeding"].median()) < 0.1


def test_sites(inspected: InspectResult) -> None:
    sites = inspected.sites
    assert len(sites) == PER * len(CHROMOSOMES) and (sites["varies"] == "no").sum() == 3 * len(CHROMOSOMES)
    assert sites["name"][0] == "1_0" and sites["position"][0] == 1
    assert sites["inheritance"].value_counts().to_dict() == {"autosome": 4 * PER + 2, "X": PER - 2}


def test_relatives(inspected: InspectResult) -> None:
    assert inspected.relatives[["first", "second"]].values.tolist() == [["037", "039"]]
    assert inspected.inspected["relatives"]["families"] == 1


def test_traits(inspected: InspectResult) -> None:
    traits = inspected.traits.set_index("trait")
    kinds = {"height": "quantity", "same": "constant", "case": "binary", "colour": "classes", "sex": "binary"}
    assert traits["kind"].to_dict() == kinds | {"mixed": "not usable"}
    assert traits.loc["height", "outliers"] == 1 and traits.loc["height", "first"] == "005"
    assert traits.loc["height", "genotyped"] == PEOPLE - 1 and traits.loc["sex", "missing"] == 1
    assert "line 4: 'tall' in mixed is not a number" in traits.loc["mixed", "remark"]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("warn", "1 individuals of t.tsv are not in cohort.vcf (first: stranger)"),
        ("warn", "1 individuals of cohort.vcf not in t.tsv (first: 000)"),
        ("warn", "The reported sex of 1 individuals is not what X and Y tell (004)"),
        ("warn", "7 calls set to missing: heterozygous on the X of males (1 individuals)"),
        ("warn", "1 individuals lack more than a tenth of their calls (007)"),
        ("warn", "1 pairs are the same, or twins (among them 039)"),
        ("warn", "height: 1 values lie far from the others (005)"),
        ("note", "15 sites do not vary"),
        ("note", "mixed cannot be trained on"),
    ],
)
def test_findings(inspected: InspectResult, status: str, text: str) -> None:
    found = [entry for entry in inspected.inspected["findings"] if text in entry["text"]]
    assert [entry["status"] for entry in found] == [status], inspected.inspected["findings"]


def test_files_and_page(inspected: InspectResult) -> None:
    names = {path.name for path in inspected.folder.iterdir()}
    assert {"individuals.tsv", "sites.tsv", "relatives.tsv", "traits.tsv", "run.json", "evaluation.json"} <= names
    page = inspected.report.read_text()
    for text in ("What is in cohort.vcf", "Are the sexes as reported?", "Who is related?", "GRCh38"):
        assert text in page
    assert "not measured in this run" not in page


def test_a_dozen_lines(inspected: InspectResult, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = inspected.folder.parent / "cohort.vcf"
    assert run(["trait", "inspect", str(path), "-o", str(tmp_path / "out"), "-q"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 12
    assert lines[0].startswith("cohort.vcf (VCF): 40 individuals, 2000 sites on 5 chromosomes")
    assert "20 males, 20 females, 0 unknown" in lines[3]


def test_crosses(tmp_path: Path) -> None:
    if "SEWALL_DATA" not in os.environ:
        pytest.skip("SEWALL_DATA does not point to the real data")
    path = Path(os.environ["SEWALL_DATA"]) / "mouse_do_x/DOex.zip"
    found = trait.inspect(path, out=tmp_path / "out", verbosity=0).inspected
    assert found["format"] == "R/qtl2 cross" and found["relatives"] is None
    assert found["sex"]["males"] == 126 and found["sex"]["disagree"] == 0
