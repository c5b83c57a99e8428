from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sewall.errors import SewallError
from sewall.jobs.options import command
from sewall.jobs.recombination.options import MapOptions, PredictOptions, TrainOptions


@pytest.fixture
def vcf(tmp_path: Path) -> Path:
    path = tmp_path / "a.vcf"
    path.touch()
    return path


def options(vcf: Path, **more: Any) -> MapOptions:
    return MapOptions(**{"variants": vcf, "out": "out", "mutation_rate": 1.25e-8, **more})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mutation_rate": None}, "--mutation-rate: is missing"),
        ({"mutation_rate": 0}, "--mutation-rate: 0 is not between 0 and 1e-05; the unit is"),
        ({"mutation_rate": 1.25}, "did you mean 1.25e-8?"),
        ({"mutation_rate": -1e-8}, "--mutation-rate: -1e-08 is not between"),
        ({"mutation_rate": float("nan")}, "--mutation-rate: nan is not between"),
        ({"mutation_rate": "fast"}, "--mutation-rate: 'fast' is not a number"),
        ({"window": "5 leagues"}, "--window: "),
        ({"window": 0}, "--window"),
        ({"window": "50kb", "windows": "VCF"}, "--window and --windows exclude each other"),
        ({"mask_accessible": "VCF", "mask_inaccessible": "VCF"}, "--mask-inaccessible exclude each other"),
        ({"samples": "/no/such.txt"}, "/no/such.txt: no such file; check the path (--samples)"),
        ({"level": 90}, "--level is the share"),
        ({"level": 0.5}, "--level is the share"),
        ({"simulations": 10}, "--simulations is the number"),
        ({"min_count": 0}, "--min-count is the lowest"),
        ({"threads": 0}, "--threads is a number"),
        ({"seed": -1}, "--seed is a whole number"),
        ({"device": "gpu"}, '--device is "cpu" or "auto"'),
        ({"phased": "perhaps"}, "--phased is true, false or not given"),
        ({"population": "CEU"}, "--population speaks of a history file; give it with --demography"),
        ({"generation_time": 29}, "--generation-time speaks of a history file"),
        ({"demography": "VCF", "generation_time": 0}, "--generation-time is in years"),
        ({"bundle": "VCF", "quick": True}, "--bundle is trained already: --quick has no effect"),
        ({"windw": 1}, "windw: there is no such option"),
    ],
)
def test_each_refusal_is_one_line_that_names_the_flag(vcf: Path, given: dict[str, Any], says: str) -> None:
    given = {name: vcf if value == "VCF" else value for name, value in given.items()}
    with pytest.raises(SewallError) as problem:
        options(vcf, **given)
    assert says in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_missing_input_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match=r"none\.vcf: no such file"):
        options(tmp_path / "none.vcf")


def test_an_option_left_out_in_python_is_named(vcf: Path) -> None:
    with pytest.raises(SewallError, match="--mutation-rate: is missing"):
        MapOptions(variants=vcf, out="out")
    with pytest.raises(SewallError, match="--out: is missing"):
        TrainOptions(simulations=vcf)


def test_sizes_are_parsed(vcf: Path) -> None:
    assert options(vcf, window="1Mb").window == 1_000_000
    assert options(vcf).window == 100_000


def test_options_are_frozen(vcf: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        options(vcf).__setattr__("window", 5)


def test_the_identity_leaves_out_how_and_where_the_work_is_done(vcf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a = options(vcf, threads=1, device="auto", seed=1, verbosity=0)
    monkeypatch.chdir(vcf.parent)
    b = options(Path("a.vcf"), threads=2, out="there", force=True)
    assert a.identity() == b.identity() != options(vcf, window=5000).identity()


def test_resolved_is_json(vcf: Path) -> None:
    import json

    assert json.loads(json.dumps(options(vcf).resolved()))["variants"] == str(vcf)


def test_input_files(vcf: Path) -> None:
    assert options(vcf, samples=vcf).input_files() == {"variants": vcf, "samples": vcf}


def test_the_command_repeats_the_run(vcf: Path) -> None:
    given = options(vcf, window="50kb", phased=False, quick=True)
    assert command("map", given, ("variants",), 7) == [
        *["sewall", "recombination", "map", str(vcf), "--mutation-rate", "1.25e-08", "--window", "50000"],
        *["--unphased", "--quick", "--seed", "7", "-o", "out"],
    ]
    predict = PredictOptions(bundle=vcf, variants=vcf, out="out", mutation_rate=1e-8, phased=True)
    words = command("predict", predict, ("bundle", "variants"), 7)
    assert words[3:8] == [str(vcf), str(vcf), "--mutation-rate", "1e-08", "--phased"]
