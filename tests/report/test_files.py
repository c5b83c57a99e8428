from __future__ import annotations

import json

import pytest

from sewall.errors import SewallError
from sewall.report import write_report
from sewall.report.files import read_run


def test_reads_all_parts(make_run):
    files = read_run(make_run())
    assert files.job == "recombination"
    assert files.level == 0.9
    assert len(files.predictions) == 60
    assert files.predictions["estimate"].isna().sum() == 1
    assert sum(files.support_counts.values()) == 60
    assert files.noun == "window"


def test_contig_names_stay_text(make_run):
    files = read_run(make_run(contigs={"2": (0, 20), "NA12": (0, 5)}))
    assert list(files.predictions["chrom"].unique()) == ["2", "NA12"]


def test_hash_in_a_reason_is_no_comment(make_run):
    directory = make_run()
    text = (directory / "predictions.tsv").read_text().replace("3 variants, at least", "run #2: 3 variants, at least")
    (directory / "predictions.tsv").write_text(text)
    assert "run #2: 3 variants, at least 10 are needed" in set(read_run(directory).predictions["reason"])


def test_support_counts_without_predictions_come_from_the_evaluation(make_run):
    directory = make_run()
    told = json.loads((directory / "evaluation.json").read_text())["support"]["windows"]
    (directory / "predictions.tsv").unlink()
    assert read_run(directory).support_counts == told


def test_no_run_directory(tmp_path):
    with pytest.raises(SewallError, match=r"not a run directory \(it has no run\.json\)"):
        write_report(tmp_path)


@pytest.mark.parametrize("name", ["run.json", "evaluation.json", "bundle/bundle.json"])
@pytest.mark.parametrize("content", ['{"job": "recomb', "[1, 2]", ""])
def test_damaged_json_is_named(make_run, name, content):
    directory = make_run()
    (directory / name).write_text(content)
    with pytest.raises(SewallError, match=rf"{name.replace('.', chr(92) + '.')}: damaged .*again") as caught:
        write_report(directory)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", ["", "chrom\tstart\n1\t2\t3\t4\n5\t6\n", "chrom\tstart\tend\n\t1\t2\n", "# units\n"]
)
def test_damaged_predictions_are_named(make_run, content):
    directory = make_run()
    (directory / "predictions.tsv").write_text(content)
    with pytest.raises(SewallError, match=r"predictions\.tsv: damaged"):
        write_report(directory)


def test_unknown_job_is_refused(make_run):
    directory = make_run()
    (directory / "run.json").write_text('{"job": "astrology"}')
    with pytest.raises(SewallError, match="no report for the job 'astrology'; known: recombination"):
        write_report(directory)
