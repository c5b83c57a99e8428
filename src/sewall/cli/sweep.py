"""``sewall sweep``: a scan for selective sweeps."""

from __future__ import annotations

from typing import Any

import click

from sewall.cli.layout import CONTEXT, SectionedCommand, SectionedGroup, option, options
from sewall.cli.shared import cluster, device, level, out, running, show
from sewall.cli.windows import data, history, rate

_TRAINED, _CALLS = "What is simulated", "What is called"

_data = options(
    option("Main", "--window", metavar="SIZE", help="Window, of which eleven sub-windows are made.  [default: 1.1Mb]"),
    data,
)
_recombination = option(
    "Main",
    "--recombination-rate",
    metavar="R|MAP",
    help="Crossovers per bp per generation (1e-8), or a genetic map: HapMap, PLINK or bedGraph.",
)
_prior = options(
    option(
        _TRAINED, "--partial/--no-partial", default=True, help="Whether sweeps that have not ended are a class, too."
    ),
    option(_TRAINED, "--simulations", type=int, metavar="N", help="Stretches to simulate.  [default: by budget]"),
    history,
)
_calls = options(
    option(
        _CALLS,
        "--prior",
        metavar="CLASS=SHARE",
        multiple=True,
        help="How common a class is, once for each: neutral=0.89, hard=0.005, ...  [default: one sweep in 100 windows]",
    ),
    option(_CALLS, "--fdr", type=float, metavar="Q", help="Share of false calls that is accepted.  [default: 0.05]"),
)


@click.group(cls=SectionedGroup, context_settings=CONTEXT)
def sweep() -> None:
    """Where did selection act, was the sweep hard or soft, and how sure are we?

    scan does it all: it looks at your data, simulates genomes like them with and without sweeps, trains on these,
    checks itself and calls. The other verbs are its stages; explain says which positions and haplotypes drive a call.
    """


@sweep.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("variants")
@options(out, rate, _recombination, _prior, _data, level, _calls)
@option(_TRAINED, "--bundle", metavar="DIR", help="Use this trained bundle: nothing is simulated or trained.")
@options(device, cluster, running)
@click.pass_context
def scan(context: click.Context, mutation_rate: float | None, **_: Any) -> None:
    """Scan the genome in VARIANTS for selective sweeps.

    VARIANTS is a .vcf, .vcf.gz, .bcf, .vcz (VCF Zarr), .bed (PLINK 1) or .trees file of 8 or more chromosomes, phased
    or not. Windows are classed as neutral, hard or soft sweep, or beside one, by what happened in their middle.

    \b
    Examples:
      sewall sweep scan cohort.vcf.gz --mutation-rate 1.25e-8 --recombination-rate 1e-8 -o out
      sewall sweep scan fly.vcf.gz --mutation-rate 5e-9 --recombination-rate 2e-8 --window 55kb -o fly
      sewall sweep scan other.vcf.gz --mutation-rate 1.25e-8 --bundle out/bundle -o other

    \b
    DIR then holds:
      report.html        the scan, and how far to trust it, on one page
      predictions.tsv    one row per window: label, probabilities, set, q, strength, age, support
      sweeps.bed         called regions with their q-values
      p_hard.bedgraph    the probability of each class along the genome
      bundle/            the trained networks, for other data of the kind

    Run the same command again after an interruption: it goes on from the last whole stage.
    """
    from sewall.jobs.sweep import scan as public

    show(public, context, mutation_rate=mutation_rate)


@sweep.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("variants")
@options(out, rate, _recombination, _prior, _data, cluster, running)
@click.pass_context
def simulate(context: click.Context, mutation_rate: float | None, **_: Any) -> None:
    """Simulate windows like those in VARIANTS, with and without sweeps, for training elsewhere.

    \b
    Example:
      sewall sweep simulate cohort.vcf.gz --mutation-rate 1.25e-8 --recombination-rate 1e-8 -o simulations
    """
    from sewall.jobs.sweep import simulate as public

    show(public, context, mutation_rate=mutation_rate)


@sweep.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("simulations")
@options(out)
@option("Main", "--quick", is_flag=True, help="Small budget for a first look, and it says so.")
@options(device, running)
@click.pass_context
def train(context: click.Context, **_: Any) -> None:
    """Train, calibrate and test a bundle on SIMULATIONS, a directory from simulate.

    \b
    Example:
      sewall sweep train simulations -o trained
    """
    from sewall.jobs.sweep import train as public

    show(public, context)


@sweep.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("variants")
@options(out, rate, _recombination, _data, level, _calls, device, running)
@click.pass_context
def predict(context: click.Context, mutation_rate: float | None, **_: Any) -> None:
    """Scan VARIANTS with a trained BUNDLE.

    \b
    Example:
      sewall sweep predict trained/bundle cohort.vcf.gz --mutation-rate 1.25e-8 -o out
    """
    from sewall.jobs.sweep import predict as public

    show(public, context, mutation_rate=mutation_rate)


@sweep.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("simulations")
@options(out, level, device, running)
@click.pass_context
def evaluate(context: click.Context, **_: Any) -> None:
    """Test a trained BUNDLE on SIMULATIONS that it has not seen.

    \b
    Example:
      sewall sweep evaluate trained/bundle bottleneck -o test
    """
    from sewall.jobs.sweep import evaluate as public

    show(public, context)


@sweep.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("variants")
@options(out, rate, _recombination, _data)
@option("Main", "--at", metavar="CONTIG:POS", multiple=True, help="Explain the window whose middle holds this place.")
@option("Main", "--number", type=int, metavar="N", help="Windows to explain, likest to sweeps first.  [default: 3]")
@options(device, running)
@click.pass_context
def explain(context: click.Context, mutation_rate: float | None, **_: Any) -> None:
    """Say which positions and haplotypes drive a BUNDLE's calls in VARIANTS.

    \b
    Example:
      sewall sweep explain out/bundle cohort.vcf.gz --mutation-rate 1.25e-8 --at 2:136608646 -o why
    """
    from sewall.jobs.sweep import explain as public

    show(public, context, mutation_rate=mutation_rate)
