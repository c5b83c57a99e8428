"""``sewall recombination``: a recombination map from variants."""

from __future__ import annotations

from typing import Any

import click

from sewall.cli.layout import CONTEXT, SectionedCommand, SectionedGroup, option, options
from sewall.cli.shared import cluster, device, level, out, running, show
from sewall.cli.windows import data, history, rate

_TRAINED = "What is simulated"

_windows = options(
    option("Main", "--window", metavar="SIZE", help="Length of a window: 50000, 100kb or 1Mb.  [default: 100kb]"),
    option("Your data", "--windows", metavar="BED", help="Windows of your own instead of one length."),
    data,
)
_prior = options(
    history,
    option(_TRAINED, "--simulations", type=int, metavar="N", help="Windows to simulate.  [default: by budget]"),
)


@click.group(cls=SectionedGroup, context_settings=CONTEXT)
def recombination() -> None:
    """How fast does each stretch of the genome recombine?

    map does it all: it looks at your data, simulates genomes like them, trains on these, checks itself and writes
    the map. The other verbs are its stages, for large studies and clusters.
    """


@recombination.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("variants")
@options(out, rate, _windows, level, _prior)
@option(_TRAINED, "--bundle", metavar="DIR", help="Use this trained bundle, or 'general': nothing is simulated.")
@option(
    _TRAINED,
    "--refit",
    is_flag=True,
    help="Begin from the networks that come with sewall, with all of the budget.",
)
@options(device, cluster, running)
@click.pass_context
def map(context: click.Context, mutation_rate: float | None, **_: Any) -> None:
    """Map the recombination rate along the genome in VARIANTS.

    VARIANTS is a .vcf, .vcf.gz, .bcf, .vcz (VCF Zarr), .bed (PLINK 1) or .trees file of 4 or more chromosomes, phased
    or not. The network is trained on simulations that share your sample size, ploidy, phase, missing calls and mask.
    --quick simulates and trains less, and is less exact. --bundle general asks networks that come with sewall, made for
    data of many kinds: an answer in seconds, for a first look.

    \b
    Examples:
      sewall recombination map cohort.vcf.gz --mutation-rate 1.25e-8 -o out
      sewall recombination map cohort.vcf.gz --mutation-rate 1.25e-8 --window 50kb --quick -o look
      sewall recombination map cohort.vcf.gz --mutation-rate 1.25e-8 --demography history.yaml -o known
      sewall recombination map cohort.vcf.gz --mutation-rate 1.25e-8 --bundle general -o first
      sewall recombination map other.vcf.gz --mutation-rate 1.25e-8 --bundle out/bundle -o other

    \b
    DIR then holds:
      report.html         the map, and how far to trust it, on one page
      predictions.tsv     one row per window: estimate, lower, upper, simple, support
      map.hapmap.txt      the map for msprime, Beagle and others
      bundle/             the trained networks, for other data of the kind

    Run the same command again after an interruption: it goes on from the last whole stage.
    """
    from sewall.jobs.recombination import map as public

    show(public, context, mutation_rate=mutation_rate)


@recombination.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("variants")
@options(out, rate, _windows, _prior, cluster, running)
@click.pass_context
def simulate(context: click.Context, mutation_rate: float | None, **_: Any) -> None:
    """Simulate windows like those in VARIANTS, for training elsewhere.

    \b
    Example:
      sewall recombination simulate cohort.vcf.gz --mutation-rate 1.25e-8 -o simulations
    """
    from sewall.jobs.recombination import simulate as public

    show(public, context, mutation_rate=mutation_rate)


@recombination.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("simulations")
@options(out)
@option("Main", "--quick", is_flag=True, help="Small budget for a first look: wider intervals, and it says so.")
@options(device, running)
@click.pass_context
def train(context: click.Context, **_: Any) -> None:
    """Train, calibrate and test a bundle on SIMULATIONS, a directory from simulate.

    \b
    Example:
      sewall recombination train simulations -o trained
    """
    from sewall.jobs.recombination import train as public

    show(public, context)


@recombination.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("variants")
@options(out, rate, _windows, level, device, running)
@click.pass_context
def predict(context: click.Context, mutation_rate: float | None, **_: Any) -> None:
    """Map VARIANTS with a trained BUNDLE.

    \b
    Example:
      sewall recombination predict trained/bundle cohort.vcf.gz --mutation-rate 1.25e-8 -o out
    """
    from sewall.jobs.recombination import predict as public

    show(public, context, mutation_rate=mutation_rate)


@recombination.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("simulations")
@options(out, level, device, running)
@click.pass_context
def evaluate(context: click.Context, **_: Any) -> None:
    """Test a trained BUNDLE on SIMULATIONS that it has not seen.

    Simulate them with another seed, or under another history to see what a wrong history costs.

    \b
    Example:
      sewall recombination evaluate trained/bundle bottleneck -o test
    """
    from sewall.jobs.recombination import evaluate as public

    show(public, context)
