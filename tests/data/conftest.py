from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

HEADER = '##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
COLUMNS = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT"


def vcf_text(rows: Sequence[str], samples: Sequence[str] = ("a", "b", "c"), columns: str = COLUMNS) -> str:
    """Rows are 'chrom pos ref alt gt gt ...', perhaps with the FILTER after a slash: 'chrom pos ref alt/q10 ...'."""
    lines = ["\t".join([*columns.split(), *samples])]
    for row in rows:
        chrom, pos, ref, alt, *calls = row.split()
        alt, _, failed = alt.partition("/")
        lines.append("\t".join([chrom, pos, ".", ref, alt, ".", failed or "PASS", ".", "GT", *calls]))
    return HEADER + "\n".join(lines) + "\n"


@pytest.fixture
def write_vcf(tmp_path: Path) -> Callable[..., Path]:
    def write(rows: Sequence[str], samples: Sequence[str] = ("a", "b", "c"), name: str = "cohort.vcf") -> Path:
        path = tmp_path / name
        path.write_text(vcf_text(rows, samples))
        return path

    return write


@pytest.fixture
def shared() -> Path:
    if "SEWALL_DATA" not in os.environ:
        pytest.skip("SEWALL_DATA does not point to the real data")
    return Path(os.environ["SEWALL_DATA"])
