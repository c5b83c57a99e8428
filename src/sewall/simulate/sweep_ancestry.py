"""Samples of a population in which selection favoured an allele: its trajectory, their ancestors, their variants.

The ancestors are followed to the origin of the allele by `trace_back`, and from there on by msprime under the history
as it was given (Baumdicker et al. 2022, Genetics 220:iyab229).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sewall.data.alignment import Alignment
from sewall.errors import SewallError
from sewall.simulate.coalescent import WindowSpec, haplotypes, msprime_seeds
from sewall.simulate.sweep_course import Sweep, Trajectory, trajectory
from sewall.simulate.sweep_lineages import trace_back
from sewall.simulate.sweep_sizes import Counts, Floats, Line, line_of_descent

if TYPE_CHECKING:
    import tskit


def simulate_sweep(spec: WindowSpec, sweep: Sweep, seed: np.random.SeedSequence) -> tuple[Alignment, Trajectory]:
    """Simulate the haplotypes of a stretch in which selection favoured an allele.

    Returns:
        The sites that vary, the one of the allele among them if it does; and the trajectory of the allele.

    Raises:
        SewallError: see `sweep_trees`.
    """
    import msprime

    ancestry, mutations = seed.spawn(2)
    trees, course, carriers = sweep_trees(spec, sweep, ancestry)
    model, (chance,) = msprime.BinaryMutationModel(), msprime_seeds(mutations, 1)
    varied = msprime.sim_mutations(trees, rate=spec.mutation_rate, random_seed=chance, model=model)
    return _with_allele(haplotypes(varied, spec.length), sweep.position, carriers), course


def sweep_trees(
    spec: WindowSpec, sweep: Sweep, seed: np.random.SeedSequence
) -> tuple[tskit.TreeSequence, Trajectory, int]:
    """Simulate the genealogies of a stretch in which selection favoured an allele.

    Args:
        spec: the stretch; its mutation rate is not looked at.
        sweep: the allele.
        seed: of the trajectory, the sample and its ancestors; a child of a seed sequence, used once.

    Returns:
        Trees without mutations, the trajectory of the allele, and how many of the sample (the first) carry it.

    Raises:
        SewallError: for a site outside the stretch, for gene conversion, and where no trajectory is found.
    """
    if not sweep.position < spec.length:
        raise SewallError(f"sweep: position {sweep.position:,} is not in a stretch of {spec.length:,} bp; lower it")
    if spec.gene_conversion_rate:
        raise SewallError("sweeps are simulated without gene conversion; set its rate to 0")
    path, sample, ancestors, before = seed.spawn(4)
    line = line_of_descent(spec.history)
    course = trajectory(sweep, line, path)
    carriers = int(np.random.default_rng(sample).binomial(spec.chromosomes, course.frequency()))
    times, edges = trace_back(
        np.random.default_rng(ancestors), course.copies, course.chromosomes, carriers, spec.chromosomes,
        sweep.position, *_genetic_map(spec),
    )  # fmt: skip
    tables = _tables(spec, line, times, edges)
    return _completed(tables, spec, course.origin + 1, msprime_seeds(before, 1)[0]), course, carriers


def _genetic_map(spec: WindowSpec) -> tuple[Floats, Floats]:
    """Return places and the expected crossovers left of them."""
    if isinstance(spec.recombination_rate, (int, float)):
        return np.array([0.0, spec.length]), np.array([0.0, spec.recombination_rate * spec.length])
    places = np.array(spec.recombination_rate.position)  # the map does not give its own away
    if places[-1] != spec.length or np.isnan(spec.recombination_rate.rate).any():
        raise SewallError(f"recombination map: does not give a rate everywhere from 0 to {spec.length:,} bp; extend it")
    return places, spec.recombination_rate.get_cumulative_mass(places)


def _tables(spec: WindowSpec, line: Line, times: Floats, edges: Counts) -> tskit.TableCollection:
    import tskit

    tables = tskit.TableCollection(spec.length)
    tables.time_units = "generations"
    tables.populations.metadata_schema = tskit.MetadataSchema.permissive_json()
    number = {}
    for population in spec.history.demography().populations:
        number[population.name] = tables.populations.add_row({"name": population.name, "description": ""})
    of_time = [number.get(line.population(time), 0) for time in times]
    sampled = np.arange(len(times)) < spec.chromosomes
    flags = np.where(sampled, tskit.NODE_IS_SAMPLE, 0).astype(np.uint32)
    tables.nodes.set_columns(flags=flags, time=times, population=np.array(of_time, np.int32))
    left, right, parent, child = edges.T
    tables.edges.set_columns(left=left, right=right, parent=parent.astype(np.int32), child=child.astype(np.int32))
    tables.sort()
    return tables


def _completed(tables: tskit.TableCollection, spec: WindowSpec, since: int, seed: int) -> tskit.TreeSequence:
    import msprime

    return msprime.sim_ancestry(
        initial_state=tables,
        start_time=since,
        ploidy=2,
        demography=spec.history.demography(),
        recombination_rate=spec.recombination_rate,
        random_seed=seed,
        record_provenance=False,
    )


def _with_allele(alignment: Alignment, position: int, carriers: int) -> Alignment:
    """Return the alignment with the site of the allele, which the first so many columns carry, if it varies."""
    if not 0 < carriers < alignment.chromosomes:
        return alignment
    other = alignment.positions != position
    place = int(np.searchsorted(alignment.positions[other], position))
    row = (np.arange(alignment.chromosomes) < carriers).astype(np.int8)
    return Alignment(
        np.insert(alignment.positions[other], place, position).astype(np.int32),
        np.insert(alignment.calls[other], place, row, axis=0),
        alignment.copies,
        alignment.length,
    )
