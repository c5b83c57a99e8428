from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sewall.report import write_report

ORDER = ["asked", "map", "trust", "models", "support", "learning", "dropped", "repeat"]
FIGURES = {"map", "calibration", "groups", "scatter", "ranks", "models", "support", "learning"}


def change(directory: Path, name: str, **values: Any) -> None:
    content = json.loads((directory / name).read_text())
    content.update(values)
    (directory / name).write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def page(directory: Path) -> str:
    return write_report(directory).read_text().replace("\xa0", " ").replace("\u2060", "")


def ids(html: str, tag: str) -> list[str]:
    return re.findall(rf'<{tag} id="([\w-]+)"', html)


class Balance(HTMLParser):
    VOID = frozenset({"meta", "link", "path", "use", "rect", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag, self.getpos()


def test_answers_in_order_with_all_figures(make_run):
    html = page(make_run())
    assert ids(html, "section") == ORDER
    assert {name.removeprefix("figure-") for name in ids(html, "figure")} == FIGURES
    assert "Recombination map of lct_ceu.vcf.gz" in html
    assert "60 windows of 100 kb in chr2:134–140 Mb · 25 individuals · 50 chromosome copies · phased" in html
    assert "89.6 % (88.2 to 90.9) of 2,000 held-out tests" in html
    assert "doi.org/10.1093/genetics/iyab229" in html
    assert "1 statistic outside the simulated range" in html
    assert "Highest fifth of predictions: 90 % intervals held in 85.2 % (82.2 to 88.2) of tests" in html


def test_page_is_well_formed_and_loads_nothing(make_run):
    html = write_report(make_run()).read_text()
    parser = Balance()
    parser.feed(html)
    assert parser.open == []
    assert not re.findall(r'(?:src|@import|url\()\s*=?\s*["\']?(?:https?:)?//', html)
    assert "default-src 'none'" in html


def test_same_files_same_page(make_run):
    directory = make_run()
    assert write_report(directory).read_bytes() == write_report(directory).read_bytes()
    assert not [path.name for path in directory.iterdir() if path.name.startswith(".")]


def test_failure_leaves_the_old_page(make_run):
    directory = make_run()
    before = write_report(directory).read_bytes()
    (directory / "evaluation.json").write_text("{")
    with pytest.raises(Exception, match="damaged"):
        write_report(directory)
    assert (directory / "report.html").read_bytes() == before


def test_text_from_the_data_is_escaped(make_run):
    directory = make_run(contigs={"<script>x</script>": (0, 12)})
    change(directory, "run.json", notes=["<img src=x onerror=alert(1)>"])
    html = page(directory)
    assert "<script>x" not in html
    assert "<img" not in html


def test_outside_takes_the_claim_back(make_run):
    html = page(make_run(outside=0.93))
    assert "do not use this map as it stands" in html
    assert "not claimed for your data" in html
    assert "Yours lie outside, so they do not carry over." in html


def test_in_support_makes_no_such_warning(make_run):
    assert "do not use this map" not in page(make_run()).lower()


def test_run_json_alone_is_enough(make_run):
    directory = make_run()
    for name in ("predictions.tsv", "evaluation.json", "bundle/bundle.json"):
        (directory / name).unlink()
    (directory / "run.json").write_text('{"job": "recombination"}')
    html = page(directory)
    assert ids(html, "section") == ["asked", "map", "trust", "repeat"]
    assert "no predictions.tsv" in html
    assert "Nothing was checked in this run" in html


@pytest.mark.parametrize(
    ("key", "section", "figures"),
    [
        ("models", "models", {"models"}),
        ("learning", "learning", {"learning"}),
        ("calibration", None, {"calibration", "groups", "ranks"}),
        ("scatter", None, {"scatter"}),
        ("support", None, {"support"}),
        ("differences", None, set()),
        ("verdict", None, set()),
        ("simplest_adequate", None, set()),
        ("target", None, set()),
        ("n", None, set()),
        ("held_out", None, set()),
    ],
)
@pytest.mark.parametrize("left", ["absent", "empty"])
def test_any_part_of_the_evaluation_may_be_missing(make_run, key, section, figures, left):
    directory = make_run()
    empty = type(json.loads((directory / "evaluation.json").read_text())[key])()
    change(directory, "evaluation.json", **{key: None if left == "absent" else empty})
    html = page(directory)
    assert ids(html, "section") == [name for name in ORDER if name != section]
    assert {name.removeprefix("figure-") for name in ids(html, "figure")} == FIGURES - figures


@pytest.mark.parametrize("key", ["prior", "inputs", "dropped", "citations", "notes", "stages", "versions", "command"])
def test_any_part_of_the_run_may_be_missing(make_run, key):
    directory = make_run()
    change(directory, "run.json", **{key: None})
    assert ids(page(directory), "section") == [name for name in ORDER if name != key]


def test_null_numbers_are_left_out(make_run):
    directory = make_run()
    evaluation = json.loads((directory / "evaluation.json").read_text())
    evaluation["support"]["statistics"][0]["observed"] = None
    evaluation["models"][2]["metrics"]["r2"]["value"] = None
    evaluation["calibration"]["curve"][0]["coverage"]["value"] = None
    evaluation["learning"][3]["train"] = None
    evaluation["scatter"][0] = [None, 1.0]
    (directory / "evaluation.json").write_text(json.dumps(evaluation))
    html = page(directory)
    assert "899 held-out examples" in html
    assert "nan" not in re.sub(r"<[^>]*>", " ", html).lower().split()


def test_only_the_keys_and_the_estimate_are_needed(make_run):
    directory = make_run()
    table = pd.read_csv(directory / "predictions.tsv", sep="\t", comment="#")[["chrom", "start", "end", "estimate"]]
    table.to_csv(directory / "predictions.tsv", sep="\t", index=False, na_rep="NA")
    html = page(directory)
    assert "figure-map" in html
    assert "over the 59 windows with an estimate" in html


def test_no_window_has_an_estimate(make_run):
    directory = make_run()
    table = pd.read_csv(directory / "predictions.tsv", sep="\t", comment="#")
    table[["estimate", "lower", "upper", "simple", "rho_over_theta"]] = float("nan")
    table.to_csv(directory / "predictions.tsv", sep="\t", index=False, na_rep="NA")
    assert "No window holds enough variants for an estimate." in page(directory)


def test_long_tables_are_cut_and_say_so(make_run):
    html = page(make_run(contigs={"1": (0, 700)}))
    assert "The first 500 of 700 windows." in html
    assert html.count("<tr") < 600


def test_truth_is_drawn_where_the_run_names_it(make_run):
    directory = make_run()
    (directory / "true.txt").write_text(
        "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\nchr2\t134000000\t2\t0\nchr2\t140000000\t0\t12\n"
    )
    assert ">true rate<" not in page(directory)
    change(directory, "run.json", truth="true.txt")
    assert ">true rate<" in page(directory)


def test_estimates_at_the_edge_of_training_are_told(make_run):
    directory = make_run()
    change(directory, "run.json", prior={"rho_over_theta": [0.0, 400.0]})
    assert "top of the trained range" not in page(directory)
    change(directory, "run.json", prior={"rho_over_theta": [0.0, 1.0]})
    assert re.search(r"\d+ windows at the top of the trained range \(ρ/θ 1\)", page(directory))


def test_under_covering_tile_is_marked(make_run):
    directory = make_run()
    calibration = json.loads((directory / "evaluation.json").read_text())["calibration"]
    marked = re.compile(r'<li class="warn">\s*<span class="label">90 % intervals hold')
    assert not marked.search(page(directory))
    calibration["coverage"] = {"value": 0.8, "lower": 0.78, "upper": 0.82}
    change(directory, "evaluation.json", calibration=calibration)
    assert marked.search(page(directory))
