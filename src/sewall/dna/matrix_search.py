"""The search for weight matrices that tell sequences apart, without knowing what to look for.

Words that stand where values are high, or low, are made into matrices, and these are counted again from the best sites
of the sequences (Bailey 2021, Bioinformatics 37:2834, does so for two classes). Here every sequence counts by its
value less what is known of it, so that what chance sites show cancels, quantities need no classes, and a matrix only
has to tell what composition and the matrices before it do not. Those matrices are kept that tell more than chance of
sequences that took no part in the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sewall.data.sequences import Sequences
from sewall.dna.matrices import OVER, PLACES, UNKNOWN, Floats, Matrices, Scanned, Sites, best_sites
from sewall.dna.matrix_seeds import FEWEST, HALF, seeds
from sewall.encode.dna import Numbers
from sewall.task import Rows

MOST = 5  # matrices
LEVEL = 0.05  # chance that a matrix is kept where there is nothing to find
ROWS, LETTERS = 4_000, 1_500_000  # that are searched, at the most
HELD = 0.25  # share of these that only test
REFINED = 3  # matrices that are refined, of which one is kept
STEPS = 10  # of refinement, at the most
CERTAINTY = 0.8  # of the letters of a seed
COMMONEST = 0.8  # share of sequences with a site, at the most
SAME = 0.5  # share of their sequences that two matrices have in common, from which they are one
BY_CHANCE = 1e-3  # chance that a place that tells nothing seems to tell something
DRAWS = 1_999  # of the test by permutation
LEAST = 0.1  # share of the spread of values, below which they are told

Parts = list[Floats]  # of the rows that are searched, and of those that test


@dataclass(frozen=True)
class Candidate:
    """A matrix, and how well it tells high values from low ones.

    Attributes:
        log_odds: ``(PLACES, 4)``.
        sign: -1 where sequences with a site have low values.
        z: by how many standard deviations the values of the sequences with a site exceed chance.
        threshold: from which a place is a site: where z is highest.
        rows: the sequences with a site.
        sites: the best ones of all sequences.
    """

    log_odds: Floats
    sign: int
    z: float
    threshold: float
    rows: Rows
    sites: Sites


@dataclass(frozen=True)
class Search:
    """What is searched, and what tests.

    Attributes:
        own, held: sequences that are searched, and those that test.
        background: ``(4,)`` shares of the bases.
        strands: 2 where both are one.
        seed: of the test.
    """

    own: Scanned
    held: Scanned
    background: Floats
    strands: int
    seed: int

    @classmethod
    def of(cls, own: Sequences, held: Sequences, strands: int, seed: int) -> Search:
        """Lay sequences out, and count their bases."""
        scanned = Scanned.of(own)
        counts = np.bincount(scanned.letters, minlength=UNKNOWN)[:UNKNOWN] + 1.0
        counts = counts + counts[::-1] if strands == 2 else counts
        return cls(scanned, Scanned.of(held), counts / counts.sum(), strands, seed)

    def candidates(self, values: Floats) -> Iterator[Candidate]:
        """Yield refined matrices that have little in common, the best first, by ``(sequences,)`` values."""
        begun = [
            self._again(self._judged(self._of_seed(gap, word), sign, values), values)
            for gap, word, sign in seeds(self.own, values, self.strands)
        ]
        refined = [self._refined(own, values) for own in _apart(begun)]
        yield from sorted(refined, key=lambda own: -own.z)

    def _of_seed(self, gap: int, word: int) -> Floats:
        """Return the matrix of a seed, in the middle."""
        frequencies = np.tile(self.background, (PLACES, 1))
        first = (PLACES - 2 * HALF - gap) // 2
        for place in range(2 * HALF):
            row = frequencies[first + place + gap * (place >= HALF)]
            row *= 1 - CERTAINTY
            row[word >> 2 * (2 * HALF - 1 - place) & 3] += CERTAINTY
        return np.asarray(np.log(frequencies / self.background))

    def _judged(self, log_odds: Floats, sign: int, values: Floats) -> Candidate:
        """Find the threshold beyond which values exceed chance most."""
        sites = best_sites(self.own, log_odds, self.strands)
        order = np.argsort(-sites.scores, kind="stable")
        score, number = sites.scores[order], np.arange(1, len(order))
        z = sign * np.cumsum(values[order])[:-1] / np.sqrt(number * (1 - number / len(order)))
        allowed = (score[:-1] > score[1:]) & (number >= FEWEST) & (number <= COMMONEST * len(order))
        z[~allowed] = -np.inf
        best = int(z.argmax())
        threshold = float(score[best : best + 2].mean())
        return Candidate(log_odds, sign, float(z[best]), threshold, order[: best + 1], sites)

    def _again(self, own: Candidate, values: Floats) -> Candidate:
        """Count a matrix from its sites, and judge it again."""
        if own.z <= 0:
            return own
        firsts = self.own.starts[own.rows] + own.sites.firsts[own.rows] - OVER
        letters = self.own.windows(firsts, own.sites.turned[own.rows], PLACES + 2 * OVER)
        log_odds = counted(letters, own.sign * values[own.rows], self.background)
        return self._judged(log_odds, own.sign, values) if log_odds.any() else own

    def _refined(self, own: Candidate, values: Floats) -> Candidate:
        for _ in range(STEPS):
            better = self._again(own, values)
            if better.z <= own.z:
                break
            own = better
        return own

    def chance(self, own: Candidate, sites: Sites, values: Floats) -> float:
        """Return how often sequences drawn at random from those that test have such values, or more extreme ones."""
        inside = sites.scores >= own.threshold
        rng = np.random.default_rng(self.seed)
        drawn = rng.permuted(np.tile(own.sign * values, (DRAWS, 1)), axis=1)[:, : inside.sum()].sum(axis=1)
        return float((1 + (drawn >= own.sign * values[inside].sum() - 1e-9).sum()) / (1 + DRAWS))


def find_matrices(
    sequences: Sequences, values: Floats, known: Floats, groups: NDArray[np.int64], strands: int, most: int = MOST
) -> Matrices:
    """Find matrices whose sites tell something of values.

    What a matrix tells of one question is known to the next ones. Chances are corrected for all matrices that may be
    tested (Bonferroni), so that nothing is found in 95 % of the data in which there is nothing.

    Args:
        sequences: of any lengths; of many, 4,000 are searched, or fewer where they are long.
        values: ``(sequences, questions)``: flags of classes, or quantities.
        known: ``(sequences, numbers)``, which tell what matrices need not tell.
        groups: ``(sequences,)`` numbers of what must not be searched and tested as well.
        strands: 2 where a sequence and its reverse complement are one.
        most: matrices of each question.

    >>> from sewall.data.sequences import packed
    >>> letters = np.random.default_rng(1).choice(list("ACGT"), (400, 40))
    >>> letters[::2, 10:18] = list("TGACTCAT")
    >>> sequences = packed([f"s{k}" for k in range(400)], ["".join(row) for row in letters])
    >>> flags = np.arange(400)[:, None] % 2 == 0
    >>> found = find_matrices(sequences, flags.astype(float), np.zeros((400, 0)), np.arange(400), 1)
    >>> len(found), found.motif(0).consensus
    (1, 'TGACTCAT')
    """
    seed = len(sequences)
    parts = _parts(sequences.lengths, groups, np.random.default_rng(seed))
    search = Search.of(sequences.take(parts[0]), sequences.take(parts[1]), strands, seed)
    told = [np.hstack([np.ones((len(part), 1)), known[part]]) for part in parts]
    level = LEVEL / (most * REFINED * values.shape[1])
    found: list[tuple[Candidate, float]] = []
    for column in values.T if min(map(len, parts)) >= 2 * FEWEST else []:
        for _ in range(most):
            more = _next(search, [column[part] for part in parts], told, level)
            if more is None:
                break
            found.append(more[:2])
            told = more[2]
    if not found:
        return Matrices.none()
    return Matrices(
        np.array([one.log_odds for one, _ in found]), search.background, np.array([one.threshold for one, _ in found]),
        np.array([len(one.rows) for one, _ in found]), np.array([chance for _, chance in found]),
    )  # fmt: skip


def _parts(lengths: Numbers, groups: NDArray[np.int64], rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return the rows that are searched and those that test, whole groups together."""
    few = rng.permutation(len(lengths))[:ROWS]
    few = np.sort(few[np.cumsum(lengths[few]) <= max(LETTERS, lengths[few[0]])])
    names, member = np.unique(groups[few], return_inverse=True)
    held = rng.permutation(len(names))[member] < HELD * len(names)
    return few[~held], few[held]


def _next(search: Search, values: Parts, told: Parts, level: float) -> tuple[Candidate, float, Parts] | None:
    """Return a matrix that tells more than is told, the chance of that, and what is told with it; None without one."""
    effects = np.linalg.lstsq(told[0], values[0], rcond=None)[0]
    left = [own - part @ effects for own, part in zip(values, told, strict=True)]
    spread = left[0].std()
    if spread <= LEAST * values[0].std():
        return None
    own, held = left[0] / spread, left[1] / spread
    for one in search.candidates(own):
        sites = best_sites(search.held, one.log_odds, search.strands)
        chance = search.chance(one, sites, held)
        if chance < level:
            both = zip(told, (one.sites, sites), strict=True)
            return one, chance, [np.column_stack([part, at.scores, at.scores >= one.threshold]) for part, at in both]
    return None


def _apart(candidates: list[Candidate]) -> list[Candidate]:
    """Return the best candidates that have few sequences in common."""
    kept: list[Candidate] = []
    for own in sorted(candidates, key=lambda own: -own.z):
        shared = [len(np.intersect1d(own.rows, one.rows)) / min(len(own.rows), len(one.rows)) for one in kept]
        if len(kept) < REFINED and max(shared, default=0) < SAME:
            kept.append(own)
    return kept


def counted(letters: NDArray[np.int8], weights: Floats, background: Floats) -> Floats:
    """Return ``(PLACES, 4)`` log odds counted from the letters of sites; their middle is that of what they tell.

    Places whose letters are no further from the background than chance puts them have log odds of 0.

    Args:
        letters: ``(sites, width)`` of the sites and what stands around them.
        weights: ``(sites,)``, below zero for what is to be taken off.
        background: ``(4,)`` shares of the bases.
    """
    counts = np.stack([weights @ (letters == base) for base in range(UNKNOWN)], axis=1)
    total, noise = counts.sum(axis=1, keepdims=True), float((weights**2).sum())
    beyond = ((counts - total * background) ** 2 / background).sum(axis=1) / noise > chi2.isf(BY_CHANCE, 3)
    counts = np.maximum(counts, 0) + np.sqrt(noise) * background
    odds = np.log(counts / counts.sum(axis=1, keepdims=True) / background) * beyond[:, None]
    told = (background * np.exp(odds) * odds).sum(axis=1)
    if not beyond.any():
        return np.zeros((PLACES, 4))
    middle = float(told @ np.arange(len(told)) / told.sum())
    first = int(np.clip(round(middle - (PLACES - 1) / 2), 0, len(told) - PLACES))
    return np.asarray(odds[first : first + PLACES])
