import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from sewall.errors import SewallError
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.demography_files import constant_history, read_demography
from sewall.simulate.history import History, branch_lengths

ONE_DEME = """
time_units: generations
demes:
- name: pond
  epochs:
  - {start_size: 12000, end_time: 1600}
  - {start_size: 1000, end_time: 800}
  - {start_size: 30000}
"""
TWO_DEMES = """
time_units: years
generation_time: 29
demes:
- name: ancestor
  epochs:
  - {start_size: 10000, end_time: 29000}
- name: east
  ancestors: [ancestor]
  epochs:
  - {start_size: 2000, end_size: 20000}
- name: west
  ancestors: [ancestor]
  epochs:
  - {start_size: 30000}
migrations:
- {demes: [east, west], rate: 1e-4}
"""
SMCPP = """label,x,y,plot_type,plot_num
EAST,0.0,5000.0,path,0
EAST,290.0,5000.0,path,0
EAST,2900.0,20000.0,path,0
WEST,0.0,7000.0,path,1
"""
MSMC = """time_index\tleft_time_boundary\tright_time_boundary\tlambda
0\t0\t1.25e-5\t4000
1\t1.25e-5\t5e-5\t8000
2\t5e-5\tinf\t2000
"""
STAIRWAY = """mutation_per_site\tn_estimation\ttheta_per_site_median\tyear\tNe_median\tNe_2.5%\tNe_97.5%
0.0\t200\t0.1\t100.0\t5000.0\t1\t9
0.0\t200\t0.1\t1000.0\t5000.0\t1\t9
0.0\t200\t0.1\t1000.0\t900.0\t1\t9
0.0\t200\t0.1\t5000.0\t900.0\t1\t9
0.0\t200\t0.1\t5000.0\t8000.0\t1\t9
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_demes_graph_of_one_deme_is_a_history(tmp_path: Path) -> None:
    given = read_demography(write(tmp_path, "pond.yaml", ONE_DEME))
    assert given.history == History((30000, 1000, 12000), (800, 1600))
    assert given.population is None
    assert "pond" in given.description


def test_demes_as_json(tmp_path: Path) -> None:
    text = '{"time_units": "generations", "demes": [{"name": "pond", "epochs": [{"start_size": 500}]}]}'
    assert read_demography(write(tmp_path, "pond.json", text)).history == History((500,))


def test_a_structured_graph_is_simulated_and_measured(tmp_path: Path) -> None:
    given = read_demography(write(tmp_path, "two.yml", TWO_DEMES), population="east")
    assert given.history is None
    assert given.population == "east"
    given = pickle.loads(pickle.dumps(given))  # it travels to the workers
    sizes = given.effective_size(10)
    assert sizes == given.effective_size(10)
    spec = WindowSpec(10, 50_000, 1.25e-8, 1e-8, given)
    seen = [simulate_window(spec, np.random.SeedSequence(1, spawn_key=(i,))).sites for i in range(150)]
    expected = 1.25e-8 * 50_000 * given.branch_lengths(10).sum()
    assert abs(np.mean(seen) - expected) < 4 * np.std(seen) / np.sqrt(150) + 0.03 * expected
    assert given.expected_sfs(10).sum() == pytest.approx(1)


def test_times_in_years_become_generations(tmp_path: Path) -> None:
    given = read_demography(write(tmp_path, "two.yml", TWO_DEMES), population="west")
    assert [e.time for e in given.demography().events] == pytest.approx([1000] * len(given.demography().events))


def test_smcpp_sizes_hold_until_the_next_line(tmp_path: Path) -> None:
    given = read_demography(write(tmp_path, "s.csv", SMCPP), population="EAST", generation_time=29)
    assert given.history == History((5000, 20000), (100,))
    assert "EAST" in given.description
    assert "29 years" in given.description


def test_msmc_is_scaled_by_the_mutation_rate(tmp_path: Path) -> None:
    given = read_demography(write(tmp_path, "m.final.txt", MSMC), mutation_rate=1.25e-8)
    assert given.history is not None
    assert given.history.sizes == pytest.approx((1e4, 5e3, 2e4))
    assert given.history.times == pytest.approx((1000, 4000))


def test_msmc_with_two_populations_asks_which(tmp_path: Path) -> None:
    text = MSMC.replace("lambda", "lambda_00\tlambda_01\tlambda_11")
    text = "\n".join(line + ("\t1000\t100" if i else "") for i, line in enumerate(text.splitlines()))
    path = write(tmp_path, "m.final.txt", text)
    with pytest.raises(SewallError, match=r"2 populations \(0, 1\)"):
        read_demography(path, mutation_rate=1.25e-8)
    second = read_demography(path, mutation_rate=1.25e-8, population="1").history
    assert second is not None
    assert second.sizes == pytest.approx((4e5,))


def test_stairway_steps(tmp_path: Path) -> None:
    given = read_demography(write(tmp_path, "x.final.summary", STAIRWAY), generation_time=2)
    assert given.history == History((5000, 900, 8000), (500, 2500))


def test_a_constant_history_is_one_too() -> None:
    given = constant_history(500)
    assert given.effective_size(20) == pytest.approx(500)
    np.testing.assert_array_equal(given.branch_lengths(20), branch_lengths(History((500,)), 20))
    assert given.draw(np.random.default_rng(0)) is given
    assert given.state()["sizes"] == [500]


@pytest.mark.parametrize(
    ("name", "text", "given", "message"),
    [
        ("a.yaml", ONE_DEME.replace("12000", "-12000"), {}, r"a.yaml.*start_size"),
        ("a.yaml", ONE_DEME.replace("12000", "0"), {}, r"a.yaml.*start_size"),
        ("a.yaml", "demes: [", {}, "a.yaml: not a valid demes file"),
        ("a.yaml", "- 5", {}, "a.yaml: not a valid demes file"),
        ("a.json", "{", {}, "a.json: not a valid demes file"),
        ("a.yaml", "", {}, "a.yaml: not a valid demes file"),
        ("a.yaml", TWO_DEMES, {}, r"holds 2 populations \(east, west\); name one with --population"),
        ("a.yaml", TWO_DEMES, {"population": "north"}, "no population north today; there are east, west"),
        ("a.yaml", TWO_DEMES, {"population": "ancestor"}, "no population ancestor today"),
        ("a.csv", SMCPP, {"generation_time": 29}, r"2 populations \(EAST, WEST\)"),
        ("a.csv", SMCPP, {"generation_time": 29, "population": "CEU"}, "no population CEU"),
        ("a.csv", SMCPP, {"population": "EAST"}, "give --generation-time"),
        ("a.csv", SMCPP, {"population": "EAST", "generation_time": -1}, "--generation-time -1 is not a positive"),
        (
            "a.csv",
            SMCPP.replace("20000.0", "-5"),
            {"population": "EAST", "generation_time": 29},
            "line 4: y gives.* -5",
        ),
        ("a.csv", SMCPP.replace("20000.0", "many"), {"population": "EAST", "generation_time": 29}, "line 4: y is many"),
        (
            "a.csv",
            SMCPP.replace("2900.0", "20"),
            {"population": "EAST", "generation_time": 29},
            "line 4: times go back",
        ),
        ("a.csv", "label,x,y\n", {"generation_time": 29}, "holds no line"),
        ("a.txt", MSMC, {}, "give --mutation-rate"),
        ("a.txt", MSMC, {"mutation_rate": 0}, "--mutation-rate 0 is not"),
        ("a.txt", MSMC, {"mutation_rate": 1e-8, "population": "CEU"}, "no population CEU"),
        ("a.txt", MSMC.replace("8000", "-8000"), {"mutation_rate": 1e-8}, "line 3: lambda gives"),
        ("a.txt", MSMC.replace("8000", "0"), {"mutation_rate": 1e-8}, "line 3: lambda gives"),
        ("a.txt", MSMC.replace("lambda", "rate"), {"mutation_rate": 1e-8}, "no column lambda"),
        ("a.summary", STAIRWAY, {}, "give --generation-time"),
        ("a.summary", STAIRWAY, {"generation_time": 1, "population": "x"}, "leave --population x out"),
        ("a.tsv", "one\ttwo\n1\t2\n", {}, "not a history of a known form"),
        ("a.tsv", "", {}, "not a history of a known form"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, text: str, given: dict, message: str) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(SewallError, match=message) as caught:
        read_demography(path, **given)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(SewallError, match="no such file"):
        read_demography(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(SewallError, match="cannot be read as text"):
        read_demography(tmp_path / "b.csv")
    with pytest.raises(SewallError, match="cannot be read"):
        read_demography(tmp_path)


def test_the_published_histories_of_26_populations() -> None:
    data = os.environ.get("SEWALL_DATA")
    if not data:
        pytest.skip("SEWALL_DATA is not set")
    path = Path(data) / "smcpp_1kg" / "smcpp_popsizes_1kg.csv"
    given = read_demography(path, population="CEU", generation_time=29)
    assert given.history is not None
    sizes, times = given.history.sizes, (0.0, *given.history.times)
    assert min(sizes) == pytest.approx(3207, abs=1)
    assert times[int(np.argmin(sizes))] * 29 == pytest.approx(61_151, rel=1e-3)
    assert given.effective_size(2) * 4 * 1.25e-8 == pytest.approx(0.00079, rel=0.02)
    with pytest.raises(SewallError, match="26 populations"):
        read_demography(path, generation_time=29)
