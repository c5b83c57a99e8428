"""What the sections that all jobs share call the examples of a job: the one place where their words differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """The words of one job.

    Attributes:
        examples: what the models learned from, in the plural.
        source: the same with what it was for.
        range: where 98 % of the examples lie.
        tests: on what the models were tested.
        elsewhere: the same, said to somebody whose data are not like them.
        truth: name of an axis with the true values, with ``{name}`` for the target.
        blind: what the support check cannot see.
        members: what sets the networks of an ensemble apart.
        contigs: title under which the table of contigs is folded away, or empty to show it.
    """

    examples: str
    source: str
    range: str
    tests: str
    elsewhere: str
    truth: str
    blind: str
    members: str
    contigs: str = ""


SIMULATIONS = Terms(
    examples="simulations",
    source="simulations that the network learned from",
    range="simulated range",
    tests="held-out tests",
    elsewhere="simulated tests",
    truth="True {name}, as simulated",
    blind="a feature that none of these statistics measures, and a process that imitates another history of the kind "
    "that was simulated (selection against harmful variants looks like a smaller population)",
    members="from different starts",
)
INDIVIDUALS = Terms(
    examples="training individuals",
    source="individuals that the models learned from",
    range="training range",
    tests="held-out individuals",
    elsewhere="held-out individuals",
    truth="Measured {name}",
    blind="anything but genotypes. Another environment, another age or another way of measuring can shift the trait of "
    "individuals whose genomes look familiar",
    members="that each left out one fold",
    contigs="Sites by chromosome",
)
SEQUENCES = Terms(
    examples="training sequences",
    source="sequences that the models learned from",
    range="training range",
    tests="held-out sequences",
    elsewhere="held-out sequences",
    truth="Measured {name}",
    blind="what neither composition nor short words tell: another cell type, another protein, another way of choosing "
    "negatives can change what a sequence does while it looks familiar",
    members="that each left out one fold",
)
_BY_JOB = {"sequence": SEQUENCES, "trait": INDIVIDUALS}


def terms_of(job: str) -> Terms:
    """Return the words of a job; those of simulations where it has none of its own.

    >>> terms_of("trait").examples
    'training individuals'
    """
    return _BY_JOB.get(job, SIMULATIONS)
