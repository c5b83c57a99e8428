"""Simulated haplotypes as a file that a command reads, and what it makes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall import run
from sewall.data.alignment import Alignment
from sewall.jobs import recombination
from sewall.jobs.recombination.learn import SHARD, simulated_examples
from sewall.jobs.recombination.task import RecombinationTask
from sewall.task import Examples


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


def write_windows(windows: Sequence[Alignment], path: Path, called: Path) -> None:
    """Write phased windows side by side as one chromosome of a VCF, and where they were called as BED."""
    length = windows[0].length
    starts = np.arange(len(windows)) * length
    positions = np.concatenate([start + w.positions for start, w in zip(starts, windows, strict=True)])
    write_vcf(path, length * len(windows), positions, np.concatenate([window.calls for window in windows]))
    kept = [f"1\t{a}\t{b}\n" for start, w in zip(starts, windows, strict=True) for a, b in w.accessible + start]
    called.write_text("".join(kept), encoding="utf-8")


def resimulated(
    windows: Sequence[Alignment], folder: Path, mutation_rate: float, number: int, **options: Any
) -> tuple[Examples, RecombinationTask]:
    """Return what ``recombination simulate`` makes of a file of windows, and the task with the rates that it found.

    Args:
        windows: phased, all of one length.
        folder: where file and simulations lie; what is there is taken as it is.
        mutation_rate: per bp per generation.
        number: of simulations that are wanted, in whole shards; the command may make more.
        **options: of the command.
    """
    file, called, prior = folder / "windows.vcf", folder / "called.bed", folder / "run" / "prior.json"
    if not prior.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_windows(windows, file, called)
        recombination.simulate(
            file, out=prior.parent, mutation_rate=mutation_rate, window=windows[0].length, mask_accessible=called,
            seed=1, verbosity=0, simulations=max(number, run.fewest_examples()), **options,
        )  # fmt: skip
    upper = json.loads(prior.read_text(encoding="utf-8"))["prior"]["upper"]
    shards = sorted((prior.parent / "simulations" / "simulating").glob("shard-*.npz"))
    return simulated_examples(shards[: -(-number // SHARD)]), RecombinationTask(upper)
