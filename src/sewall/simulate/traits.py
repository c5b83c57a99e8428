"""Traits with a known truth, on the genotypes of real or simulated individuals.

A trait is a sum of components (additive, dominance, epistasis, X) and noise. Each component is freed of those before it
and scaled to its share of the genetic variance in the sample, so that the shares add up to the heritability. What is
called non-additive is what the sites themselves leave over: the state of heterozygotes apart from the additive line
(the dominance deviation of Falconer & Mackay 1996, Introduction to Quantitative Genetics), products of two sites apart
from the additive and dominance effects of both. Products of linked sites would otherwise be mostly additive.

Sites are read block by block; nothing of the size individuals x sites is ever held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.panel import AUTOSOME, Panel, X
from sewall.data.panels.harmonise import frequencies
from sewall.encode.alleles import NO_CHANNEL, channels
from sewall.errors import SewallError
from sewall.task import Rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = Callable[[Rows], tuple[Floats, Flags]]  # of sites or pairs: (individuals, ...) centred codes, and which will do

BLOCK, CALLS = 256, 2**21  # most sites, or pairs of sites, and most calls that are coded at once
RAREST = 0.01  # frequency of the rarer allele from which a site can be causal
FEWEST_HETEROZYGOTES = 0.02  # share of individuals below which a site tells nothing of dominance
LEFT_OVER = 0.1  # share of its variance that a dominance state or a product must keep apart from main effects
NEAREST, FARTHEST = 3, 11  # sites between the partners of a pair within a linkage window
APART = 0.25  # of the sites of the only chromosome: partners at this distance are not linked

FEW_SITES = 100  # causal sites by default where a trait is sparse or sites are multi-allelic
DOMINANT_SITES = 500
PAIRS = 200


@dataclass(frozen=True)
class SimulatedTrait:
    """A trait with its truth.

    Attributes:
        value: ``(individuals,)`` the trait: mean near 0, variance near 1.
        components: by name, ``(individuals,)`` parts of the true genetic value: centred, uncorrelated with each other,
            their variances heritability times share. None where no site has an effect.
        causal: one row per effect: ``component``, ``site`` and ``partner`` (indices in the panel; -1 where there is no
            partner), and ``effect``. Additive: of each copy of ALT. Dominance: of being heterozygous. Epistasis: of
            the product of the two centred dosages. On X: of each copy counted; ``x_by_sex`` is that of females, males
            have the opposite. Multi-allelic: of each copy of ALT, the opposite of each copy of a third allele.
    """

    value: Floats
    components: dict[str, Floats]
    causal: pd.DataFrame

    @property
    def genetic(self) -> Floats:
        """``(individuals,)`` the true genetic value."""
        return np.sum([np.zeros(len(self.value)), *self.components.values()], axis=0)

    @property
    def heritability(self) -> float:
        """Share of the trait's variance in the sample that is genetic."""
        return float(self.genetic.var() / self.value.var())

    @property
    def shares(self) -> dict[str, float]:
        """Share of each component in the genetic variance."""
        total = sum(float(part.var()) for part in self.components.values())
        return {name: float(part.var()) / total for name, part in self.components.items()}

    @property
    def causal_sites(self) -> Rows:
        """Rising indices of all sites with an effect."""
        both = np.concatenate([self.causal["site"].to_numpy(np.intp), self.causal["partner"].to_numpy(np.intp)])
        return np.unique(both[both >= 0])


def simulate(
    panel: Panel,
    architecture: str,
    heritability: float = 0.5,
    seed: int = 0,
    *,
    causal: int | None = None,
    share: float = 0.5,
    compensation: bool = False,
    within: int | None = None,
    block: int | None = None,
) -> SimulatedTrait:
    """Simulate a trait on the genotypes of a panel.

    Args:
        panel: genotypes; missing calls have no effect.
        architecture: one of `ARCHITECTURES`.
        heritability: share of the trait's variance that is genetic, above 0 and at most 1; not used by ``null``.
        seed: the same seed, the same trait, whatever *block* is.
        causal: number of causal sites, or of pairs in epistasis; by default as the architecture says.
        share: of the genetic variance, that of what is not additive (of X, of third alleles).
        compensation: whether the one X of a male counts as two.
        within: bp between the partners of a pair at most; by default they are 3 to 11 sites apart.
        block: sites coded at once; by default as many as need little memory.

    Raises:
        SewallError: an architecture that is not known or that this panel cannot have, a share out of its range, or
            more causal sites than there are.
    """
    if architecture not in ARCHITECTURES:
        raise SewallError(f"architecture {architecture} is not known; give one of {', '.join(ARCHITECTURES)}")
    for name, given in (("heritability", heritability), ("share", share)):
        if not 0 < given <= 1:
            raise SewallError(f"{name} {given:g} is out of range; give a share above 0 and at most 1")
    effects, noise = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2))
    size = block or max(1, min(BLOCK, CALLS // max(len(panel), 1)))
    draw = _Draw(panel, effects, causal, share, compensation, within, size)
    parts = [part for part in ARCHITECTURES[architecture](draw) if part.share > 0]
    settled = _settled(parts, heritability)
    rest = noise.standard_normal(len(panel))
    rest *= np.sqrt(1 - heritability if parts else 1.0) / rest.std()
    components = {part.name: part.value for part in settled}
    value = np.sum([rest, *components.values()], axis=0)
    return SimulatedTrait(value, components, _table(settled))


@dataclass(frozen=True)
class _Part:
    """A component before or after scaling: its share of the genetic variance, its value, and its effects."""

    name: str
    share: float
    value: Floats
    site: Rows
    partner: Rows
    effect: Floats


def _settled(parts: list[_Part], heritability: float) -> list[_Part]:
    """Free each component of those before it, and scale it to its share."""
    done: list[_Part] = []
    for part in parts:
        value = part.value - part.value.mean()
        for known in done:
            value -= known.value * (known.value @ value) / (known.value @ known.value)
        scale = np.sqrt(heritability * part.share) / value.std()
        done.append(_Part(part.name, part.share, value * scale, part.site, part.partner, part.effect * scale))
    return done


def _table(parts: list[_Part]) -> pd.DataFrame:
    names = np.repeat(np.array([part.name for part in parts], object), [len(part.site) for part in parts])
    columns = {
        key: np.concatenate([getattr(part, key) for part in parts]) if parts else np.zeros(0, kind)
        for key, kind in (("site", np.intp), ("partner", np.intp), ("effect", np.float64))
    }
    return pd.DataFrame({"component": names, **columns})


@dataclass(frozen=True)
class _Draw:
    """What an architecture draws from, and how."""

    panel: Panel
    rng: np.random.Generator
    causal: int | None
    share: float
    compensation: bool
    within: int | None
    block: int
    _kept: dict[int, Rows] = field(default_factory=dict)

    def common(self, kind: int = AUTOSOME) -> Rows:
        """Return the sites of one kind of chromosome whose rarer allele is not too rare."""
        if kind not in self._kept:
            sites = np.flatnonzero(self.panel.sites.inheritance == kind)
            found = [frequencies(self.panel, part) for part in _blocks(sites, self.block)]
            share = np.concatenate([np.zeros(0), *found])
            self._kept[kind] = sites[np.minimum(share, 1 - share) >= RAREST]
        return self._kept[kind]

    def some(self, pool: Rows, default: int | None, what: str) -> Rows:
        """Draw causal sites from a pool: as many as asked for, or the default, or all."""
        number = self.causal or min(default or len(pool), len(pool))
        if number > len(pool) or not number:
            raise SewallError(f"{number} causal sites are needed, and {len(pool)} {what}; lower --causal, or give more")
        return np.sort(self.rng.choice(pool, number, replace=False))

    def first_clear(self, candidates: Rows, codes: Codes, number: int) -> Rows:
        """Return the first *number* candidates that have effects of their own; fewer where there are no more."""
        found: list[Rows] = []
        for part in _blocks(candidates, self.block):
            found.append(part[codes(part)[1]])
            if sum(map(len, found)) >= number:
                break
        return np.concatenate([candidates[:0], *found])[:number]

    def part(self, name: str, share: float, places: Rows, codes: Codes, sizes: Floats) -> _Part:
        """Return the component of *sizes* per standard deviation of the codes of some sites or pairs."""
        value, effects = np.zeros(len(self.panel)), [np.zeros(0)]
        for start in range(0, len(places) if share > 0 else 0, self.block):
            found, _ = codes(places[start : start + self.block])
            spread = found.std(axis=0)
            effects.append(sizes[start : start + self.block] / np.where(spread > 0, spread, np.inf))
            value += found @ effects[-1]
        pairs = places if places.ndim == 2 else np.column_stack([places, np.full(len(places), -1)])
        return _Part(name, share, value, pairs[:, 0], pairs[:, 1], np.concatenate(effects))

    def polygenic(self, sites: Rows, share: float = 1.0) -> _Part:
        """Return an additive component with normal effects of standardised dosages."""
        return self.part("additive", share, sites, self.copies, self.rng.standard_normal(len(sites)))

    def copies(self, sites: Rows) -> tuple[Floats, Flags]:
        """Return centred copies of ALT."""
        found = _centred(self.panel.dosages(np.arange(len(self.panel)), sites))
        return found, np.ones(len(sites), bool)

    def states(self, sites: Rows) -> tuple[Floats, Flags]:
        """Return 1 in heterozygotes and 0 in others, freed of the dosage; halfway states of polyploids lie between."""
        shares = self.panel.shares(np.arange(len(self.panel)), sites)
        mixed = 4 * shares * (1 - shares)
        found, left = _freed(_centred(mixed), [_centred(shares)])
        return found, (left >= LEFT_OVER) & (np.nan_to_num(mixed).mean(axis=0) >= FEWEST_HETEROZYGOTES)

    def products(self, pairs: Rows) -> tuple[Floats, Flags]:
        """Return products of the centred dosages of two sites, freed of dosage and dominance of both."""
        rows, main = np.arange(len(self.panel)), list[Floats]()
        for sites in pairs.T:
            shares = self.panel.shares(rows, sites)
            copies = self.panel.copies[AUTOSOME][:, None]
            main += [_centred(shares * copies), _centred(4 * shares * (1 - shares))]
        found, left = _freed(main[0] * main[2], main)
        return found, left >= LEFT_OVER


def _blocks(places: Rows, size: int) -> Iterator[Rows]:
    return (places[start : start + size] for start in range(0, len(places), size))


def _centred(values: NDArray[np.floating]) -> Floats:
    """Return columns less their means, zeros where nothing is known."""
    called = ~np.isnan(values)
    found = np.where(called, values, 0).astype(np.float64)
    return (found - found.sum(axis=0) / np.maximum(called.sum(axis=0), 1)) * called


def _freed(values: Floats, of: list[Floats]) -> tuple[Floats, Floats]:
    """Return columns less what a regression on the same columns of *of* tells, and which share of variance is left.

    >>> x = np.array([[-1.0], [0.0], [1.0]])
    >>> [part.round(9).tolist() for part in _freed(2 * x + x**2, [x])]
    [[[0.333333333], [-0.666666667], [0.333333333]], [0.076923077]]
    """
    axes: list[Floats] = []
    for column in [*of, values]:
        rest = column - column.mean(axis=0)
        whole = np.einsum("ij,ij->j", rest, rest)
        for axis in axes:
            rest -= axis * np.einsum("ij,ij->j", axis, rest)
        left = np.einsum("ij,ij->j", rest, rest)
        known = left > 1e-9 * whole  # else the column is told by those before it, and is no axis of its own
        axes.append(rest / np.sqrt(np.where(known, left, np.inf)))
    return rest, left / np.where(whole > 0, whole, 1.0)


def _additive(draw: _Draw) -> list[_Part]:
    return [draw.polygenic(draw.some(draw.common(), None, "autosomal ones have both alleles often enough"))]


def _sparse(draw: _Draw) -> list[_Part]:
    return [draw.polygenic(draw.some(draw.common(), FEW_SITES, "autosomal ones have both alleles often enough"))]


def _dominance(draw: _Draw) -> list[_Part]:
    """Heterozygotes deviate the same way at every causal site; the additive part lies at the same sites."""
    pool = draw.common()
    number = draw.causal or max(1, min(DOMINANT_SITES, len(pool) // 3))
    sites = np.sort(draw.first_clear(draw.rng.permutation(pool), draw.states, number))
    if len(sites) < number:
        raise SewallError(
            f"dominance at {number} sites: {len(sites)} of {len(pool)} have enough heterozygotes, as in inbred lines; "
            f"give outbred individuals{', or a lower --causal' if len(sites) else ''}"
        )
    sizes = np.abs(draw.rng.standard_normal(number))
    return [
        draw.polygenic(sites, 1 - draw.share),
        draw.part("dominance", draw.share, sites, draw.states, sizes),
    ]


def _epistasis_within(draw: _Draw) -> list[_Part]:
    return _epistasis(draw, _neighbours)


def _epistasis_between(draw: _Draw) -> list[_Part]:
    return _epistasis(draw, _strangers)


def _epistasis(draw: _Draw, partners: Callable[[_Draw, Rows], Rows]) -> list[_Part]:
    """Pairs of sites with an effect of their product; the additive part lies at the same sites."""
    pool = draw.common()
    number = draw.causal or max(1, min(PAIRS, len(pool) // 3))
    candidates = pd.DataFrame(partners(draw, pool)).drop_duplicates().to_numpy(np.intp)
    pairs = draw.first_clear(candidates, draw.products, number)
    if len(pairs) < number:
        raise SewallError(
            f"epistasis of {number} pairs: only {len(pairs)} can be told from the effects of their sites; lower "
            "--causal, or give more sites"
        )
    pairs = pairs[np.lexsort(pairs.T[::-1])]
    return [
        draw.polygenic(np.unique(pairs), 1 - draw.share),
        draw.part("epistasis", draw.share, pairs, draw.products, draw.rng.standard_normal(number)),
    ]


def _neighbours(draw: _Draw, pool: Rows) -> Rows:
    """Return ``(pairs, 2)`` sites of one linkage window in random order, each site once as the first."""
    low, high = np.full(len(draw.panel.sites), -1), np.full(len(draw.panel.sites), -1)
    for _, span in draw.panel.sites.chromosomes():
        own = np.arange(span.start, span.stop)
        if draw.within is None:
            low[span], high[span] = own + NEAREST, np.minimum(own + FARTHEST, span.stop - 1)
        else:
            position = draw.panel.sites.position[span].astype(np.int64)
            low[span] = own + 1
            high[span] = span.start + np.searchsorted(position, position + draw.within, "right") - 1
    first = draw.rng.permutation(pool[low[pool] <= high[pool]])
    second = draw.rng.integers(low[first], high[first] + 1) if len(first) else first
    fit = np.isin(second, pool)
    return np.column_stack([first[fit], second[fit]])


def _strangers(draw: _Draw, pool: Rows) -> Rows:
    """Return ``(pairs, 2)`` sites of two chromosomes, or far apart on the only one, in random order."""
    low, high = np.searchsorted(pool, _neighbourhoods(draw.panel, pool).T)  # of the pool, what is too near
    place = draw.rng.permutation(np.flatnonzero(high - low < len(pool)))
    other = (high[place] + draw.rng.integers(0, len(pool) - (high - low)[place])) % len(pool) if len(place) else place
    return np.sort(np.column_stack([pool[place], pool[other]]), axis=1)


def _neighbourhoods(panel: Panel, pool: Rows) -> Rows:
    """Return ``(sites of the pool, 2)`` the range of sites that are linked with each."""
    spans = panel.sites.chromosomes()
    if len(spans) == 1:
        reach = max(1, round(APART * len(panel.sites)))
        return np.column_stack([pool - reach, pool + reach + 1])
    starts = np.array([span.start for _, span in spans])
    stops = np.array([span.stop for _, span in spans])
    own = np.searchsorted(starts, pool, "right") - 1
    return np.column_stack([starts[own], stops[own]])


def _x_linked(draw: _Draw) -> list[_Part]:
    """Autosomes, and X with effects that are independent between the sexes; the mean of both sexes is the same."""
    male = draw.panel.copies[X] == 1  # in birds, whose Z is an X here, these are the females
    if not (draw.panel.sites.inheritance == X).any():
        raise SewallError("there are no sites on X; give genotypes with X, and --autosomes where it is numbered")
    if male.all() or not male.any():
        raise SewallError(f"everybody has {1 if male.all() else 2} X; give individuals of both sexes, and say which")
    sites = draw.some(draw.common(X), None, "on X have both alleles often enough")

    def counted(places: Rows) -> tuple[Floats, Flags]:
        found = draw.panel.dosages(np.arange(len(draw.panel)), places)
        found[male] *= 2 if draw.compensation else 1
        whole = np.empty(found.shape)
        for sex in (male, ~male):
            whole[sex] = _centred(found[sex])
        return whole, np.ones(len(places), bool)

    def opposed(places: Rows) -> tuple[Floats, Flags]:
        found, fit = counted(places)
        return np.where(male[:, None], -found, found), fit

    shared, by_sex = draw.rng.standard_normal((2, len(sites)))
    return [
        draw.polygenic(draw.common(), 1 - draw.share),
        draw.part("x", draw.share / 2, sites, counted, shared),
        draw.part("x_by_sex", draw.share / 2, sites, opposed, by_sex),
    ]


def _multi_allelic(draw: _Draw) -> list[_Part]:
    """Sites at which two ALT alleles have opposite effects; the additive part lies at all sites."""
    panel, rows = draw.panel, np.arange(len(draw.panel))
    three = np.intersect1d(panel.odd.site, draw.common())
    if not len(three):
        raise SewallError("no autosomal site has three alleles; --third-alleles 0.2 makes them at a fifth of the sites")
    sites = draw.some(three, FEW_SITES, "have three alleles")
    known = channels(panel.sites)

    def contrast(places: Rows) -> tuple[Floats, Flags]:
        found = panel.dosages(rows, places).astype(np.float64)
        here = np.isin(panel.odd.site, places)
        site, sample, code = panel.odd.site[here], panel.odd.sample[here], panel.odd.code[here]
        of_two = np.zeros(len(site))
        for named in known[site].T:
            of_two += np.where(named == NO_CHANNEL, 0, code[np.arange(len(site)), named])
        found[sample, np.searchsorted(places, site)] -= code.sum(axis=1) - of_two
        return _centred(found), np.ones(len(places), bool)

    return [
        draw.polygenic(draw.common(), 1 - draw.share),
        draw.part("multi-allelic", draw.share, sites, contrast, draw.rng.standard_normal(len(sites))),
    ]


def _null(draw: _Draw) -> list[_Part]:
    return []


ARCHITECTURES: dict[str, Callable[[_Draw], list[_Part]]] = {
    "additive": _additive,
    "sparse": _sparse,
    "dominance": _dominance,
    "epistasis-within": _epistasis_within,
    "epistasis-between": _epistasis_between,
    "x-linked": _x_linked,
    "multi-allelic": _multi_allelic,
    "null": _null,
}
"""The architectures by name."""
