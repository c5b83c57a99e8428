"""Puts a panel together from blocks of sites, and settles what can be known only once all of them are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import AUTOSOME, Calls, OddCalls, Panel, SexCheck, Sexes, Sites, X, Y
from sewall.data.panels import chromosomes, sexes
from sewall.data.panels.codes import MANY_ALLELES, CodedSites, coded
from sewall.data.panels.rows import DOSAGE_STEPS, GenotypeSource, SiteRows
from sewall.data.panels.split_rows import joined_sites
from sewall.data.sites import CONSTANT, NOT_CALLED, call_ploidy

_DIPLOID = 2


class Assembly:
    """Packed sites, filled block by block.

    Room for all rows is reserved at the start, but takes memory only as it is written.

    Args:
        source: where the rows come from.
        keep_constant: keep sites that do not vary.
    """

    def __init__(self, source: GenotypeSource, keep_constant: bool) -> None:
        samples = len(source.sample_ids)
        self.counts: Counter[str] = source.facts.counts
        self.sites = 0
        self._source, self._keep_constant = source, keep_constant
        self._bits = 2 if source.steps == _DIPLOID else 8
        self._data = np.empty((source.sites, -(-samples * self._bits // 8)), np.uint8)
        self._parts: list[CodedSites] = []
        self._chroms: list[tuple[str, int]] = []
        self._copies: dict[str, NDArray[np.int64]] = {}

    def add(self, rows: SiteRows) -> None:
        """Pack the usable sites of a block that holds all rows of its positions."""
        if rows.dosages is None:
            self._copies[rows.chrom] = self._copies.get(rows.chrom, 0) + call_ploidy(rows.genotypes)
        rows = joined_sites(rows, self.counts)
        found = coded(rows, self._source.steps, 2**self._bits - 1, self._keep_constant, self.counts)
        if not len(found):
            return
        stop = self.sites + len(found)
        self._data[self.sites : stop] = Calls.pack(found.codes, self._bits, self._source.steps).data
        site, sample, code = found.odd
        self._parts.append(replace(found, codes=found.codes[:0].copy(), odd=(site + self.sites, sample, code)))
        self._chroms.append((rows.chrom, len(found)))
        self.sites = stop

    def panel(self, sex: Mapping[str, str], build: str | None, autosomes: int | None, sex_system: str = "XY") -> Panel:
        """Tell how sites are inherited, settle the sexes, and put everything together.

        Args:
            sex: by sample id; believed before what the file says.
            build: in place of what the file says.
            autosomes, sex_system: see `sewall.data.panels.chromosomes.inheritance_of`.
        """
        facts, ids, system = self._source.facts, self._source.sample_ids, sexes.SYSTEMS[sex_system]
        calls = Calls(self._data[: self.sites], len(ids), self._bits, self._source.steps)
        build = chromosomes.build_name(build) or facts.build
        sites, notes = self._sites(build, autosomes, sex_system)
        known, check, said = self._settled_sex(sex, calls, sites, system)
        copies = sexes.copies_by_sex(known, self._ploidy(sites), system)
        odd = OddCalls(*(np.concatenate([part.odd[k] for part in self._parts]) for k in range(3)))
        exact = self._source.steps != DOSAGE_STEPS
        impossible = sexes.clean_sex_calls(calls, odd, sites.inheritance, copies, exact, system)
        self.counts.update({reason: int(number.sum()) for reason, number in impossible.items()})
        odd = _settled(odd, calls, copies[sites.inheritance[odd.site], odd.sample])
        check = None if check is None else replace(check, impossible=impossible)
        panel = Panel(ids, sites, calls, copies, odd, {}, (*facts.notes, *notes, *said), known, check, build)
        panel = panel if self._keep_constant else self._varying(panel)
        self.counts[MANY_ALLELES] += len(np.unique(panel.odd.site))
        return replace(panel, counts=dict((+self.counts).most_common()))

    def _settled_sex(
        self, given: Mapping[str, str], calls: Calls, sites: Sites, system: sexes.SexSystem
    ) -> tuple[Sexes, SexCheck | None, list[str]]:
        """Return the sexes: as given, else as in the file, else as X and Y tell them."""
        ids = self._source.sample_ids
        filed = sexes.parse_sex(self._source.facts.sex, ids)
        reported, notes = sexes.believed(sexes.parse_sex(given, ids), filed, ids)
        if not np.isin(sites.inheritance, (X, Y)).any():
            return reported, None, notes + (sexes.unknown_note(reported, ids, system) if reported.any() else [])
        signs = sexes.sex_signs(calls, sites.inheritance)
        known, said = sexes.settle_sex(reported, signs, ids, system)
        wrong = signs.against(reported, system)
        check = SexCheck(reported, signs.sex(system=system), wrong, signs.inbreeding, signs.y_called, {})
        return known, check, [*notes, *said, *sexes.unknown_note(known, ids, system)]

    def _sites(self, build: str | None, autosomes: int | None, sex_system: str) -> tuple[Sites, list[str]]:
        names = list(dict.fromkeys(chrom for chrom, _ in self._chroms))
        kinds, said = chromosomes.inheritance_of(names, autosomes, sex_system)
        kind_of = dict(zip(names, kinds, strict=True))
        sizes = [size for _, size in self._chroms]
        inheritance = np.repeat(np.array([kind_of[chrom] for chrom, _ in self._chroms], np.int8), sizes)
        position = np.concatenate([part.position for part in self._parts])
        for kind in (X, Y):
            inside = chromosomes.pseudo_autosomal(kind, position, build)
            inheritance[(inheritance == kind) & inside] = AUTOSOME
        chrom = np.repeat(np.array([chrom for chrom, _ in self._chroms]), sizes)
        name = np.concatenate([part.name for part in self._parts]).astype(str)
        alleles = np.concatenate([part.alleles for part in self._parts]).astype(str)
        return Sites(chrom, position, name, alleles, inheritance), [said] if said else []

    def _ploidy(self, sites: Sites) -> NDArray[np.int8]:
        """Return the most frequent number of copies of each individual on its autosomes; two where nothing tells."""
        autosomes = set(sites.chrom[sites.inheritance == AUTOSOME].tolist())
        seen = [found for chrom, found in self._copies.items() if chrom in autosomes]
        if not seen:
            return np.full(len(self._source.sample_ids), _DIPLOID, np.int8)
        tally = np.sum(seen, axis=0)[:, 1:]
        return np.where(tally.any(axis=1), tally.argmax(axis=1) + 1, _DIPLOID).astype(np.int8)

    def _varying(self, panel: Panel) -> Panel:
        """Leave out the sites of X and Y that no longer vary without the calls that sex rules out."""
        kept = np.ones(len(panel.sites), bool)
        for block in sexes.blocks_of(np.isin(panel.sites.inheritance, (X, Y))):
            codes = panel.calls.codes(block)
            called = codes != panel.calls.missing
            low, high = np.where(called, codes, 255).min(axis=1), np.where(called, codes, 0).max(axis=1)
            same = (low == high) & np.isin(low, (0, panel.calls.steps)) & ~np.isin(block, panel.odd.site)
            kept[block] = called.any(axis=1) & ~same
            self.counts[CONSTANT] += int((called.any(axis=1) & same).sum())
            self.counts[NOT_CALLED] += int((~called.any(axis=1)).sum())
        return panel if kept.all() else panel.take_sites(kept)


def _settled(odd: OddCalls, calls: Calls, copies: NDArray[np.int8]) -> OddCalls:
    """Leave out odd calls that were set to missing, and scale the others to the copies there are."""
    packed = calls.data[odd.site, odd.sample // 4] >> 2 * (odd.sample % 4) & 3 if calls.bits == 2 else None
    codes = packed if packed is not None else calls.data[odd.site, odd.sample]
    kept = codes != calls.missing
    scale = copies / odd.code.sum(axis=1)
    return OddCalls(odd.site[kept], odd.sample[kept], (odd.code * scale[:, None]).astype(np.float32)[kept])
