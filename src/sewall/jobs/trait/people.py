"""Individuals as the models of this job read them: genotypes, covariates, and how much of both is there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.panel import MALE, Panel, Sites
from sewall.encode.alleles import Individuals
from sewall.task import Rows

MOST_MISSING = 0.5  # share of an individual's calls beyond which nothing is said of them


@dataclass(frozen=True)
class People:
    """The data behind the examples of this job: one example is one individual of a panel.

    Attributes:
        panel: genotypes.
        covariates: ``(individuals, columns)`` without an intercept; all of them known.
        names: of the columns.
    """

    panel: Panel
    covariates: NDArray[np.float64]
    names: tuple[str, ...] = ()
    kept: dict[bytes, Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.panel)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was computed once behind; another process computes it for its own rows."""
        return {"panel": self.panel, "covariates": self.covariates, "names": self.names, "kept": {}}

    def load(self, rows: Rows) -> list[Any]:
        """Return the codes of *rows*, ``(sites,)`` uint8 each."""
        return list(self.individuals.codes(rows))

    @cached_property
    def individuals(self) -> Individuals:
        """Batches for networks."""
        return Individuals(self.panel)

    @cached_property
    def called(self) -> pd.DataFrame:
        """Shares of calls that are missing, of those that a sex can have, and that are heterozygous, by individual."""
        steps, absent = self.panel.calls.steps, self.panel.calls.missing
        missing, mixed = np.zeros(len(self)), np.zeros(len(self))
        for start in range(0, len(self.panel.sites), 4096):
            codes = self.panel.calls.codes(slice(start, start + 4096))
            missing += (codes == absent).sum(axis=0)
            mixed += ((codes > 0) & (codes < steps)).sum(axis=0)
        kinds = np.bincount(self.panel.sites.inheritance, minlength=len(self.panel.copies))
        absent_sites = kinds @ (self.panel.copies == 0)
        number, missing = np.maximum(len(self.panel.sites) - absent_sites, 1), missing - absent_sites
        shares = {"missing": missing / number, "heterozygous": mixed / np.maximum(number - missing, 1)}
        return pd.DataFrame(shares)

    @property
    def male(self) -> NDArray[np.bool_]:
        """``(individuals,)`` whether they are male; those of unknown sex are not."""
        return np.asarray(self.panel.sex == MALE)


def marks(sample_ids: list[str]) -> NDArray[np.uint64]:
    """Return a number for each id, so that individuals of the training are recognised without being named."""
    digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in sample_ids]
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)


def packed_sites(sites: Sites) -> dict[str, NDArray]:
    """Return sites as number arrays, for a bundle."""
    texts = {"chrom": sites.chrom, "name": sites.name, "ref": sites.alleles[:, 0], "alt": sites.alleles[:, 1]}
    packed = {f"sites_{key}": np.frombuffer("\n".join(values).encode(), np.uint8) for key, values in texts.items()}
    return packed | {"sites_position": sites.position, "sites_inheritance": sites.inheritance}


def unpacked_sites(arrays: dict[str, NDArray]) -> Sites:
    """Return the sites of `packed_sites`."""
    chrom, name, ref, alt = (
        np.array(arrays[f"sites_{key}"].tobytes().decode().split("\n")) for key in ("chrom", "name", "ref", "alt")
    )
    alleles = np.column_stack([ref, alt])
    return Sites(chrom, arrays["sites_position"], name, alleles, arrays["sites_inheritance"])
