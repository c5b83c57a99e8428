"""Genotypes of individuals that do not exist: mosaics of a panel's, the coalescent's, sites with third alleles.

Mosaics keep what a trait model reads (frequencies, linkage, homozygotes) and give any number of individuals. Each has
two gametes; a gamete copies one chromosome copy of the panel at a time and changes over a few times per chromosome.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import AUTOSOME, HAPLOID, LETTERS, NO_LETTER, Calls, OddCalls, Panel, Sites, Y
from sewall.errors import SewallError
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.history import History
from sewall.task import Rows

SWITCHES = 2.0  # expected changes of the copied chromosome, per chromosome of a gamete
BLOCK = 256  # sites made at once
MEMORY = 24  # sites before a heterozygous one that may tell its phase
THREE_ALLELES = "sites of three alleles, which mosaics do not copy"
RAREST = 0.01  # frequency below which simulated sites are left out, as from an array

_UNCALLED = -1
_DIPLOID = 2

Copies = NDArray[np.int8]


def mosaics(panel: Panel, individuals: int, seed: int, switches: float = SWITCHES, block: int = BLOCK) -> Panel:
    """Return a panel of new individuals made of the chromosomes of a diploid one.

    Calls hold no phase, so heterozygous ones are phased first, each by the earlier site that tells most about it:
    linkage between close sites survives, long haplotypes do so only in part. Sex is drawn as often as in the panel; an
    X comes from the panel's X, Y and mitochondria are copied whole. A call is missing where a copied one was.

    Args:
        panel: the originals; two at least.
        individuals: how many to make.
        seed: the same seed, the same individuals, whatever *block* is.
        switches: expected changes of the copied chromosome, per chromosome of a gamete.
        block: sites made at once.

    Raises:
        SewallError: a panel that is not diploid, or too few individuals.
    """
    if individuals < 1 or len(panel) < _DIPLOID:
        raise SewallError(f"mosaics: {individuals} of {len(panel)} individuals; make 1 or more, of 2 or more")
    if panel.calls.steps != _DIPLOID or (panel.copies[AUTOSOME] != _DIPLOID).any():
        raise SewallError("mosaics are made of called genotypes of diploids; give a panel of these")
    counts = panel.counts
    if len(panel.odd):
        plain = ~np.isin(np.arange(len(panel.sites)), panel.odd.site)
        panel, counts = panel.take_sites(plain), counts | {THREE_ALLELES: int((~plain).sum())}
    sexes, phase, gametes = np.random.SeedSequence(seed).spawn(3)
    parent = np.random.default_rng(sexes).integers(len(panel), size=individuals)  # whose sex it has
    made = replace(
        panel,
        sample_ids=[f"m{k:0{len(str(individuals))}d}" for k in range(1, individuals + 1)],
        copies=panel.copies[:, parent],
        sex=panel.sex[parent],
        counts=counts,
    )
    rng = np.random.default_rng(gametes)
    codes = [
        Calls.pack(_joined(part, made.copies[panel.sites.inheritance[start]])).data
        for run in _runs(panel.sites)
        for start, part in _gametes(_phased(panel, run, block, phase), panel, run, individuals, switches, rng)
    ]
    return replace(made, calls=Calls(np.concatenate(codes), individuals))


def _runs(sites: Sites) -> list[slice]:
    """Return the ranges of sites of one chromosome that are inherited alike."""
    changes = (sites.chrom[1:] != sites.chrom[:-1]) | (sites.inheritance[1:] != sites.inheritance[:-1])
    return [slice(a, b) for a, b in pairwise([0, *(np.flatnonzero(changes) + 1).tolist(), len(sites)])]


def _phased(panel: Panel, run: slice, block: int, seed: np.random.SeedSequence) -> Iterator[tuple[int, Copies]]:
    """Yield, block by block, ``(sites, 2, individuals)`` alleles of both copies: 0 REF, 1 ALT, -1 not called.

    A heterozygous call follows the one of the last `MEMORY` sites, heterozygous in the same individual, that tells
    most: alleles lie on one copy with the odds of their haplotype frequencies, which the covariance of the dosages
    gives (twice the disequilibrium under random mating).
    """
    rng = np.random.default_rng([*seed.generate_state(2).tolist(), run.start])
    dosages = np.zeros((0, len(panel)), np.float32)  # of the last sites, NaN where not called
    sides = np.zeros((0, len(panel)), np.int8)  # of their heterozygous calls: 1 where the first copy carries ALT, or -1
    for start in range(run.start, run.stop, block):
        own = np.minimum(start + block, run.stop) - start
        codes = panel.calls.codes(slice(start, start + own))
        known = np.where(codes == panel.calls.missing, np.nan, codes).astype(np.float32)
        dosages = np.concatenate([dosages, known])[-(own + MEMORY) :]
        odds = _odds(dosages, own)
        heterozygous, first = codes == 1, np.zeros((own, len(panel)), np.int8)
        for k in range(own):
            votes = sides[-MEMORY:] * odds[k, MEMORY - min(len(sides), MEMORY) :, None]
            best = np.take_along_axis(votes, np.abs(votes).argmax(axis=0)[None], 0)[0] if len(votes) else 0.0
            side = np.where(rng.random(len(panel)) < 1 / (1 + np.exp(-best)), 1, -1) * heterozygous[k]
            sides = np.concatenate([sides, side[None].astype(np.int8)])[-MEMORY:]
            first[k] = np.where(side > 0, 1, codes[k] == _DIPLOID)
        second = np.where(heterozygous, 1 - first, first)
        uncalled = codes == panel.calls.missing
        yield start, np.stack([np.where(uncalled, _UNCALLED, one) for one in (first, second)], axis=1).astype(np.int8)


def _odds(dosages: NDArray[np.float32], own: int) -> NDArray[np.float64]:
    """Return ``(own, MEMORY)`` log odds that ALT of a site and ALT of each site before it are on one copy."""
    called = ~np.isnan(dosages)
    mean = np.where(called, dosages, 0).sum(axis=1) / np.maximum(called.sum(axis=1), 1)
    centred = np.where(called, dosages - mean[:, None], 0)
    p = np.full(own + MEMORY, 0.5)
    p[own + MEMORY - len(mean) :] = mean / 2
    padded = np.zeros((own + MEMORY, dosages.shape[1]), np.float32)
    padded[own + MEMORY - len(centred) :] = centred
    least = 0.5 / dosages.shape[1]
    odds = np.empty((own, MEMORY))
    for lag in range(1, MEMORY + 1):
        here, there = slice(MEMORY, None), slice(MEMORY - lag, -lag)
        together = np.einsum("ij,ij->i", padded[here], padded[there]) / dosages.shape[1] / 2
        a, b = p[here], p[there]
        cis = np.maximum(a * b + together, least) * np.maximum((1 - a) * (1 - b) + together, least)
        trans = np.maximum(a * (1 - b) - together, least) * np.maximum((1 - a) * b - together, least)
        odds[:, MEMORY - lag] = np.log(cis / trans)
    return odds


def _gametes(
    phased: Iterator[tuple[int, Copies]],
    panel: Panel,
    run: slice,
    individuals: int,
    switches: float,
    rng: np.random.Generator,
) -> Iterator[tuple[int, Copies]]:
    """Yield, block by block, ``(sites, 2, new individuals)`` alleles of both gametes along one run of sites."""
    copies = panel.copies[panel.sites.inheritance[run.start]]
    pool = np.flatnonzero(np.stack([copies > 0, copies > 1]))  # one copy each, two where there are two
    if not len(pool):
        pool = np.arange(1)  # the Y of a panel of females: not called in anybody
    change = _changes(panel.sites, run, switches)
    source = np.zeros((_DIPLOID, individuals), np.intp)
    for start, alleles in phased:
        flat = alleles.reshape(len(alleles), -1)
        made = np.empty((len(alleles), _DIPLOID, individuals), np.int8)
        for k, row in enumerate(flat):
            over = rng.random(source.shape, np.float32) < change[start - run.start + k]
            source[over] = pool[rng.integers(len(pool), size=int(over.sum()))]
            made[k] = row[source]
        yield start, made


def _changes(sites: Sites, run: slice, switches: float) -> NDArray[np.float64]:
    """Return ``(sites of the run,)`` probability that a gamete changes over before each; 1 at the first."""
    if sites.inheritance[run.start] in (Y, HAPLOID):
        switches = 0.0
    gaps = np.diff(sites.position[run].astype(np.float64))
    share = np.maximum(gaps, 0) / gaps.sum() if gaps.sum() > 0 else np.zeros(len(gaps))
    return np.concatenate([[1.0], 1 - np.exp(-switches * share)])


def _joined(gametes: Copies, copies: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return ``(sites, individuals)`` codes of both gametes, or of the first where there is one copy only."""
    first, second = gametes[:, 0], np.where(copies == 1, gametes[:, 0], gametes[:, 1])
    uncalled = (first == _UNCALLED) | (second == _UNCALLED) | (copies == 0)
    return np.where(uncalled, 3, first + second).astype(np.uint8)


def with_third_alleles(panel: Panel, share: float, seed: int) -> Panel:
    """Return a panel in which some sites have a third allele: at these, each copy of ALT becomes it with chance 1/2.

    Args:
        panel: diploid, with letters.
        share: of the autosomal sites that have two letters and two alleles.
        seed: of the sites, the letters and the copies.

    Raises:
        SewallError: no site can have one.
    """
    rng = np.random.default_rng(seed)
    two = (panel.sites.letters != NO_LETTER).all(axis=1) & (panel.sites.inheritance == AUTOSOME)
    pool = np.setdiff1d(np.flatnonzero(two), panel.odd.site)
    if not len(pool) or panel.calls.steps != _DIPLOID:
        raise SewallError("third alleles need called genotypes of diploids and sites with letters; give such a panel")
    sites = np.sort(rng.choice(pool, max(1, round(share * len(pool))), replace=False))
    data, made = panel.calls.data.copy(), [panel.odd]
    for start in range(0, len(sites), BLOCK):
        part = sites[start : start + BLOCK]
        codes = panel.calls.codes(part)
        carried = np.where(codes == panel.calls.missing, 0, codes)
        turned = rng.binomial(carried, 0.5)
        data[part] = Calls.pack((codes - turned).astype(np.uint8), panel.calls.bits, panel.calls.steps).data
        made.append(_turned(panel.sites.letters[part], part, carried, turned, rng))
    odd = OddCalls(*(np.concatenate([getattr(each, key) for each in made]) for key in ("site", "sample", "code")))
    order = np.lexsort((odd.sample, odd.site))
    odd = OddCalls(odd.site[order], odd.sample[order], odd.code[order])
    return replace(panel, calls=replace(panel.calls, data=data), odd=odd)


def _turned(
    letters: NDArray[np.int8],
    sites: Rows,
    carried: NDArray[np.integer],
    turned: NDArray[np.integer],
    rng: np.random.Generator,
) -> OddCalls:
    """Return the calls with a third allele, its letter drawn among the two that are left."""
    absent = np.array([np.setdiff1d(np.arange(len(LETTERS)), pair) for pair in letters])
    third = absent[np.arange(len(sites)), rng.integers(absent.shape[1], size=len(sites))]
    site, sample = np.nonzero(turned)
    code = np.zeros((len(site), 5), np.float32)
    calls = np.arange(len(site))
    code[calls, letters[site, 0]] = _DIPLOID - carried[site, sample]
    code[calls, letters[site, 1]] = (carried - turned)[site, sample]
    code[calls, third[site]] = turned[site, sample]
    return OddCalls(sites[site], sample, code)


@dataclass(frozen=True)
class Genome:
    """What `coalescent` simulates: a random-mating population of constant size.

    Attributes:
        chromosomes: how many.
        length: of each, bp.
        size: of the population, diploid individuals.
        mutation_rate, recombination_rate: per bp per generation.
    """

    chromosomes: int = 5
    length: int = 1_000_000
    size: float = 10_000
    mutation_rate: float = 1e-8
    recombination_rate: float = 1e-8


def coalescent(individuals: int, seed: int, genome: Genome | None = None, rarest: float = RAREST) -> Panel:
    """Return a panel of diploid females from the neutral coalescent, two letters at every site.

    Args:
        individuals: how many.
        seed: of everything.
        genome: what is simulated.
        rarest: frequency of the rarer allele below which a site is left out.

    Raises:
        SewallError: no site varies enough.
    """
    genome = genome or Genome()
    seeds = np.random.SeedSequence(seed).spawn(genome.chromosomes + 1)
    spec = WindowSpec(
        _DIPLOID * individuals, genome.length, genome.mutation_rate, genome.recombination_rate, History((genome.size,))
    )
    codes, places = [], []
    for own in seeds[1:]:
        found = simulate_window(spec, own)
        share = found.calls.mean(axis=1)
        kept = np.minimum(share, 1 - share) >= rarest
        codes.append((found.calls[kept, ::2] + found.calls[kept, 1::2]).astype(np.uint8))
        places.append(found.positions[kept])
    chrom = np.repeat(np.array([str(k + 1) for k in range(len(codes))]), [len(part) for part in codes])
    if not len(chrom):
        raise SewallError("the coalescent left no site that varies enough; give a longer or larger genome")
    pairs = np.array([("A", "C"), ("A", "G"), ("C", "T"), ("G", "T")])
    letters = pairs[np.random.default_rng(seeds[0]).integers(len(pairs), size=len(chrom))]
    name = np.array([f"s{k}" for k in range(1, len(chrom) + 1)])
    inheritance = np.full(len(chrom), AUTOSOME, np.int8)
    sites = Sites(chrom, np.concatenate(places), name, letters, inheritance)
    ids = [f"c{k:0{len(str(individuals))}d}" for k in range(1, individuals + 1)]
    return Panel.from_codes(np.concatenate(codes), sites, ids)
