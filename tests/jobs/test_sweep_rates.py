"""What is known of recombination along a genome that is scanned."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from sewall.data.ratemaps import write_bedgraph
from sewall.data.regions import Region
from sewall.data.variants import Variants
from sewall.errors import SewallError
from sewall.jobs.sweep.rates import FLATTEST, MAP_SPREAD, KnownRates, read_rates

WINDOWS = [Region("2", start, start + 1_100) for start in range(1_000, 3_000, 100)]


def genome(length: int | None = 10_000, names: tuple[str, ...] = ("2",)) -> Variants:
    contigs = [SimpleNamespace(name=name, length=length) for name in names]
    return cast(Variants, SimpleNamespace(contigs=contigs, contig_names=list(names)))


def written(path: Path, rates: dict[int, float], contig: str = "2") -> Path:
    regions = [Region(contig, start, start + 1_000) for start in rates]
    write_bedgraph(path, regions, list(rates.values()))
    return path


def test_rates_are_told_relative_to_the_mean_of_the_windows(tmp_path: Path) -> None:
    path = written(tmp_path / "map", {0: 1e-8, 1_000: 1e-8, 2_000: 3e-8, 3_000: 3e-8, 4_000: 3e-8})
    known = read_rates(path, genome(), WINDOWS, 11)
    assert 1e-8 < known.mean < 3e-8
    own = known.along(Region("2", 1_400, 2_500), 11)
    assert own == pytest.approx(np.log(np.repeat([1e-8, 3e-8], [6, 5]) / known.mean))
    assert known.along(Region("2", 1_400, 2_500), 11, 5)[5:16] == pytest.approx(own)
    assert read_rates(path, genome(), WINDOWS, 11, 2e-8).along(WINDOWS[0], 11)[0] == pytest.approx(np.log(0.5))
    assert known.drawn.lower == pytest.approx(known.mean / MAP_SPREAD)


def test_where_the_map_does_not_reach_nothing_is_known_and_flat_places_are_finite(tmp_path: Path) -> None:
    path = written(tmp_path / "map", {1_000: 0.0, 2_000: 2e-8, 3_000: 2e-8})
    known = read_rates(path, genome(), WINDOWS, 11)
    assert known.along(Region("2", 0, 1_100), 11) == pytest.approx([*[0.0] * 10, np.log(FLATTEST)])
    assert (KnownRates(1e-8).along(WINDOWS[0], 11, 5) == np.zeros(21)).all()


@pytest.mark.parametrize(
    ("rates", "contig", "data", "said"),
    [
        ({0: 1e-8, 1_000: 1e-8, 2_000: 1e-8, 3_000: 1e-8}, "chr2", {}, "contig chr2 is not one of .* rename them"),
        ({0: 1e-8, 1_000: 1e-8}, "3", {"names": ("2", "3")}, "holds no map of contig 2"),
        ({0: 1e-8, 1_000: 1e-8}, "2", {}, r"reaches \d+% of the windows; on contig 2 it goes from 0 to 2,000"),
        ({0: 1e-8, 20_000: 1e-8}, "2", {}, "goes to 21,000 and the contig ends at 10,000; it is of another build"),
        ({0: 0.0, 1_000: 0.0, 2_000: 0.0, 3_000: 0.0, 4_000: 0.0}, "2", {}, "no crossover in any of the windows"),
    ],
)
def test_maps_of_another_genome_are_refused(
    rates: dict[int, float], contig: str, data: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(SewallError, match=said):
        read_rates(written(tmp_path / "map", rates, contig), genome(**data), WINDOWS, 11)


def test_a_map_without_contigs_is_that_of_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "map.txt"
    path.write_text("pos cM\n0 0\n5000 0.005\n")
    assert read_rates(path, genome(), WINDOWS, 11).mean == pytest.approx(1e-8)
    with pytest.raises(SewallError, match="does not say of which contig"):
        read_rates(path, genome(names=("1", "2")), [Region("1", 0, 1_100), *WINDOWS], 11)
