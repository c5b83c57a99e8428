"""Simulated haplotypes as a file that a command reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_vcf(
    path: Path, length: int, positions: NDArray[np.integer], haplotypes: NDArray[np.int8], phased: bool = True
) -> None:
    """Write diploid genotypes of chromosome 1.

    Args:
        path: of the file.
        length: of the chromosome in bp.
        positions: ``(sites,)`` counted from 0.
        haplotypes: ``(sites, 2 * individuals)`` of 0 and 1.
        phased: whether it is said which allele lies on which chromosome.
    """
    join = "|" if phased else "/"
    with path.open("w", encoding="utf-8") as file:
        file.write(f"##fileformat=VCFv4.2\n##contig=<ID=1,length={length}>\n")
        file.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        names = "\t".join(f"i{k}" for k in range(haplotypes.shape[1] // 2))
        file.write(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n")
        for position, calls in zip(positions + 1, haplotypes, strict=True):
            pairs = calls.reshape(-1, 2) if phased else np.sort(calls.reshape(-1, 2))
            genotypes = "\t".join(f"{a}{join}{b}" for a, b in pairs)
            file.write(f"1\t{position}\t.\tA\tC\t.\tPASS\t.\tGT\t{genotypes}\n")
