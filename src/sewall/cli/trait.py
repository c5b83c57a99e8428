"""``sewall trait``: traits of individuals from their genotypes."""

from __future__ import annotations

from typing import Any

import click

from sewall.cli.layout import CONTEXT, SectionedCommand, SectionedGroup, option, options
from sewall.cli.shared import device, level, out, running, show

_DATA, _MODELS = "Your data", "Models"

_genotypes = options(
    option(_DATA, "--sites", metavar="FILE", help="Map of a matrix: name, chromosome, position, alleles of its sites."),
    option(_DATA, "--build", type=click.Choice(["GRCh37", "GRCh38"]), help="Tells the pseudo-autosomal regions."),
    option(_DATA, "--autosomes", type=int, metavar="N", help="Of species whose X is numbered N + 1.  [default: 22]"),
    option(_DATA, "--allow-missing", is_flag=True, help="Leave out individuals without genotypes or covariates."),
)


@click.group(cls=SectionedGroup, context_settings=CONTEXT)
def trait() -> None:
    """What will this individual's trait be?

    train fits networks and all classical predictors to the same folds, stacks them, and says what the network added.
    predict answers for individuals that the bundle does not know.
    """


@trait.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("genotypes")
@options(out)
@option("Main", "--phenotypes", metavar="TSV", help="Table with the columns sample_id and the trait.")
@option("Main", "--trait", metavar="NAME", help="Column of the table that is to be predicted.")
@option(_DATA, "--covariates", metavar="NAMES", multiple=True, help="Columns that are known of everybody: age,batch.")
@option(_DATA, "--groups", metavar="NAME", help="Column of what must not straddle folds: family, cage, population.")
@options(_genotypes, level)
@option(_MODELS, "--folds", type=int, metavar="N", help="Parts for cross-validation.  [default: 5]")
@option(_MODELS, "--window", type=int, metavar="SITES", help="Linkage window.  [default: found in the training folds]")
@option(
    _MODELS,
    "--model",
    type=click.Choice(["default", "article"]),
    help="article: one shared kernel per chromosome, two-hot as it stands.  [default: default]",
)
@options(device, running)
@click.pass_context
def train(context: click.Context, **_: Any) -> None:
    """Train all models of a trait on GENOTYPES, and score them on individuals that they did not know.

    GENOTYPES is a .bed (PLINK 1), .pgen (PLINK 2), .vcf, .vcf.gz, .bcf, .vcz (VCF Zarr) or .hmp.txt file, or a matrix
    of 0, 1 and 2 (CSV or TSV).

    \b
    Example:
      sewall trait train cohort.bed --phenotypes traits.tsv --trait height --covariates age,batch -o out

    \b
    DIR then holds:
      report.html         how well each model predicts, and whether the network was needed
      predictions.tsv     everybody's prediction by models that did not know them
      bundle/             the trained models, for other individuals
    """
    from sewall.jobs.trait import train as public

    show(public, context)


@trait.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("genotypes")
@options(out)
@option("Main", "--samples", metavar="FILE", help="Predict only the samples in the first column of this file.")
@option(_DATA, "--phenotypes", metavar="TSV", help="Table of the covariates that the bundle was trained with.")
@options(_genotypes, level, device, running)
@click.pass_context
def predict(context: click.Context, **_: Any) -> None:
    """Predict the trait of the individuals in GENOTYPES with a trained BUNDLE.

    Variants are matched by place and letters, whichever way round they are written; match_report.tsv says what became
    of each.

    \b
    Example:
      sewall trait predict out/bundle others.bed -o predicted
    """
    from sewall.jobs.trait import predict as public

    show(public, context)
