"""Which networks are trained: their form and their budget, by how many individuals there are to learn from."""

from __future__ import annotations

from dataclasses import replace

from sewall.crossfit import TUNE
from sewall.folds import Folds
from sewall.jobs.trait.options import TrainOptions
from sewall.jobs.trait.people import People
from sewall.nets.chromosomes import MANY, NetShape
from sewall.train import TrainConfig

FEW = TrainConfig(
    epochs=25, patience=4, learning_rate=2e-3, weight_decay=0.1, batch=64, members=1, fused=True
)  # fmt: skip
# With many, the last steps of the cycle are the best ones: it is gone through to its end, and weights decay more.
PLENTY = replace(FEW, epochs=10, patience=10, weight_decay=1.0)


def chosen_shape(options: TrainOptions, suited: NetShape) -> NetShape:
    """Return the form of the networks that the user asked for, *suited* to the panel where nothing was said.

    Raises:
        SewallError: choices that exclude each other.
    """
    if options.model == "article":
        return NetShape.article()
    return replace(
        suited, kernel=options.kernel or suited.kernel, share=options.share or suited.share,
        bins=options.pool or suited.bins, factors=options.kernel_sizes or suited.factors,
    )  # fmt: skip


def suited_networks(people: People, folds: Folds) -> tuple[NetShape, TrainConfig]:
    """Return the form and the budget of the networks of a run.

    Both follow from the smallest fit of the run, that without two folds, so that all fits have networks of one kind.

    Args:
        people: genotypes.
        folds: of all who are used.
    """
    rows = folds.without(())
    learning = int(len(rows) * (1 - 2 / folds.number) * (1 - TUNE))
    heterozygous = float(people.called["heterozygous"].to_numpy()[rows].mean())
    shape = NetShape.suited(learning, heterozygous, bool(len(people.panel.odd)))
    return shape, PLENTY if learning >= MANY else FEW
