"""``sewall trait``: traits of individuals from their genotypes."""

from __future__ import annotations

from typing import Any

import click

from sewall.cli.layout import CONTEXT, SectionedCommand, SectionedGroup, option, options
from sewall.cli.shared import device, level, out, running, show

_DATA, _MODELS = "Your data", "Models"

_genotypes = options(
    option(_DATA, "--samples", metavar="FILE", help="Use only the individuals in the first column of this file."),
    option(_DATA, "--sites", metavar="FILE", help="Map of a matrix: name, chromosome, position, alleles of its sites."),
    option(_DATA, "--ids", metavar="NAME", help="Column of the sample ids in --phenotypes.  [default: sample_id]"),
    option(
        _DATA, "--sex", metavar="FILE", help="Table with the columns sample_id and sex, or a column of --phenotypes."
    ),
    option(
        _DATA, "--field", type=click.Choice(["DS", "GP", "PL", "GL"]), help="Read expected genotypes, not called ones."
    ),
    option(
        _DATA,
        "--build",
        type=click.Choice(["GRCh37", "GRCh38", "GRCm38", "GRCm39"]),
        help="Tells the pseudo-autosomal regions.",
    ),
    option(_DATA, "--autosomes", type=int, metavar="N", help="Of species whose X is numbered N + 1.  [default: 22]"),
    option(_DATA, "--sex-system", type=click.Choice(["XY", "ZW"]), help="ZW: females have one Z.  [default: XY]"),
    option(_DATA, "--allow-missing", is_flag=True, help="Leave out individuals without genotypes or covariates."),
)

_people = options(
    option(_DATA, "--classes", metavar="NAMES", multiple=True, help="Traits whose numbers are names of classes."),
    option(_DATA, "--covariates", metavar="NAMES", multiple=True, help="Columns that are known of everybody: age."),
    option(_DATA, "--categories", metavar="NAMES", multiple=True, help="Covariates whose numbers are codes: batch."),
    option(_DATA, "--groups", metavar="NAME", help="Column of what must not straddle folds: family, cage."),
    option(_DATA, "--leave-out", metavar="NAME", help="Column of which every value is a fold of its own: population."),
)


@click.group(cls=SectionedGroup, context_settings=CONTEXT)
def trait() -> None:
    """What will this individual's trait be?

    inspect says what is in the files, and what to mend.
    train fits networks and all classical predictors to the same folds, stacks them, and says what the network added.
    predict answers for individuals that the bundle does not know, evaluate says how well.
    transfer carries a bundle to another study.
    explain says which variants a bundle's predictions stand on, and writes its linear models as scoring files.
    score applies any scoring file.
    """


@trait.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("genotypes")
@options(out)
@option("Main", "--phenotypes", metavar="TSV", help="Table of traits, to look at as well.")
@options(_genotypes, running)
@click.pass_context
def inspect(context: click.Context, **_: Any) -> None:
    """Say what is in GENOTYPES, and in a table of traits, before anything is learnt from them.

    Format, build, calls by individual and site, sex checked against X and Y, relatives, linkage, and of which kind the
    traits are.

    \b
    Example:
      sewall trait inspect cohort.bed --phenotypes traits.tsv -o looked

    \b
    DIR then holds:
      report.html         all of it, with what deserves attention first
      individuals.tsv sites.tsv relatives.tsv traits.tsv
    """
    from sewall.jobs.trait import inspect as public

    show(public, context)


@trait.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("genotypes")
@options(out)
@option("Main", "--phenotypes", metavar="TSV", help="Table with the columns sample_id and the trait.")
@option(
    "Main", "--trait", metavar="NAME", multiple=True, help="Column of the table that is to be predicted; or several."
)
@options(_people, _genotypes, level)
@option(_MODELS, "--folds", type=int, metavar="N", help="Parts for cross-validation.  [default: 5]")
@option(_MODELS, "--window", type=int, metavar="SITES", help="Linkage window.  [default: found in the training folds]")
@option(
    _MODELS,
    "--model",
    type=click.Choice(["default", "article"]),
    help="article: one shared kernel per chromosome, two-hot as it stands.  [default: default]",
)
@option(
    _MODELS,
    "--kernel",
    type=click.Choice(["local", "shared"]),
    help="Weights by window, or one that slides.  [default: local]",
)
@option(_MODELS, "--kernel-sizes", metavar="X,Y", multiple=True, help="Parallel kernels, in windows: 0.5,1,2.")
@option(_MODELS, "--share", type=click.Choice(["none", "deep", "all"]), help="What chromosomes share.  [default: none]")
@option(_MODELS, "--pool", metavar="SIZE", help="Average windows over genomic intervals of this size, as 500kb.")
@option(
    _MODELS,
    "--control",
    type=click.Choice(["auto", "always", "never"]),
    help="Ask of a gain over additive models whether untyped causes explain it.  [default: auto, where there is one]",
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


@trait.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("genotypes")
@options(out)
@option("Main", "--phenotypes", metavar="TSV", help="Table of the trait, and of the covariates of the bundle.")
@option("Main", "--trait", metavar="NAME", help="Column of the table.  [default: the trait of the bundle]")
@option(_DATA, "--keep-known", is_flag=True, help="Count individuals whose ids are those of the training, too.")
@options(_genotypes, level, device, running)
@click.pass_context
def evaluate(context: click.Context, **_: Any) -> None:
    """Score a trained BUNDLE on individuals in GENOTYPES that were not in its training.

    \b
    Example:
      sewall trait evaluate out/bundle others.bed --phenotypes others.tsv -o judged
    """
    from sewall.jobs.trait import evaluate as public

    show(public, context)


@trait.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("genotypes")
@options(out)
@option("Main", "--phenotypes", metavar="TSV", help="Table of the new study: sample_id, the trait, covariates.")
@option("Main", "--trait", metavar="NAME", help="Column of the table.  [default: the trait of the bundle]")
@options(_people, _genotypes, level)
@option(_MODELS, "--folds", type=int, metavar="N", help="Parts for cross-validation.  [default: 5]")
@options(device, running)
@click.pass_context
def transfer(context: click.Context, **_: Any) -> None:
    """Carry a trained BUNDLE to another study, and compare it with a training from scratch.

    The bundle is tried as it is, with its networks tuned, and as one model in the stack of the new study. DIR then
    holds the bundle of the new study, and under scratch/ that of a training without the old one.

    \b
    Example:
      sewall trait transfer out/bundle other.vcf.gz --phenotypes other.tsv -o carried
    """
    from sewall.jobs.trait import transfer as public

    show(public, context)


@trait.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("genotypes")
@options(out)
@option(_DATA, "--phenotypes", metavar="TSV", help="Table of the trait, for p values, and of the bundle's covariates.")
@option(_DATA, "--trait", metavar="NAME", help="Column that sites are tested for.  [default: the bundle's trait]")
@option(_MODELS, "--label", metavar="CLASS", help="Which class to explain.  [default: the last]")
@options(_genotypes, device, running)
@click.pass_context
def explain(context: click.Context, **_: Any) -> None:
    """Say which variants the predictions of a trained BUNDLE stand on, for the individuals in GENOTYPES.

    The individuals may be those of the training. Networks are explained by integrated gradients.

    \b
    Example:
      sewall trait explain out/bundle cohort.bed --phenotypes traits.tsv -o explained

    \b
    DIR then holds:
      report.html                        importance of variants over their p values, by chromosome, by window
      variants.tsv windows.tsv chromosomes.tsv
      scores/                            linear models as scoring files of the PGS Catalog
    """
    from sewall.jobs.trait import explain as public

    show(public, context)


@trait.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("scores", metavar="SCOREFILE")
@click.argument("genotypes")
@options(out)
@option(
    "Main",
    "--missing",
    type=click.Choice(["mean", "file", "zero"]),
    help="What a missing call adds: by the frequency in these data or in the file, or nothing.  [default: mean]",
)
@option(
    _DATA,
    "--x-males",
    type=click.Choice(["one", "two"]),
    help="Copies of a male's X.  [default: as the file says, two]",
)
@option(_DATA, "--keep-ambiguous", is_flag=True, help="Read A/T and C/G as they stand where the strand is not known.")
@options(_genotypes, running)
@click.pass_context
def score(context: click.Context, **_: Any) -> None:
    """Apply a SCOREFILE (PGS Catalog, format 1 or 2) to the individuals in GENOTYPES.

    Variants are matched by place and letters, whichever way round they are written; match_report.tsv says what became
    of each, scores.tsv holds the scores.

    \b
    Example:
      sewall trait score PGS000001.txt.gz cohort.bed -o scored
    """
    from sewall.jobs.trait import score as public

    show(public, context)


_TRAIT = "The trait"


@trait.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("genotypes")
@options(out)
@option("Main", "--architecture", metavar="NAME", help="How the trait is inherited; see above.")
@option(_TRAIT, "--heritability", type=float, metavar="SHARE", help="Genetic share of the variance.  [default: 0.5]")
@option(_TRAIT, "--causal", type=int, metavar="N", help="Causal sites, or pairs of them in epistasis.")
@option(_TRAIT, "--share", type=float, metavar="SHARE", help="Of V_G, what is not additive.  [default: 0.5]")
@option(_TRAIT, "--compensation", is_flag=True, help="The one X of a male counts as two.")
@option(_TRAIT, "--within", metavar="SIZE", help="Most bp between partners.  [default: partners 3 to 11 sites apart]")
@option(_TRAIT, "--third-alleles", type=float, metavar="SHARE", help="Make a third allele at this share of the sites.")
@option(_DATA, "--individuals", metavar="N", type=int, help="Make so many, as mosaics of those in GENOTYPES.")
@option(_DATA, "--remove-causal", is_flag=True, help="Write genotypes without the causal sites.")
@options(_genotypes, running)
@click.pass_context
def simulate(context: click.Context, **_: Any) -> None:
    """Simulate a trait with a known truth on GENOTYPES, or on new individuals made of them.

    \b
    Architectures:
      additive            all sites, or --causal of them
      sparse              100 sites, or --causal
      dominance           heterozygotes deviate, everywhere in the same direction
      epistasis-within    products of sites in one linkage window, freed of the effects of each
      epistasis-between   the same of sites on two chromosomes
      x-linked            X, with other effects in males than in females
      multi-allelic       two ALT alleles of opposite effects
      null                no effect of any site

    \b
    Example:
      sewall trait simulate cohort.bed --architecture dominance --share 0.8 --individuals 8000 -o made
      sewall trait train made/genotypes.bed --phenotypes made/phenotypes.tsv --trait trait -o out

    \b
    DIR then holds:
      phenotypes.tsv      the trait, for train
      truth.tsv           true genetic values, component by component
      causal.tsv          causal sites and their effects
      genotypes.*         where the genotypes are new (PLINK 1, or VCF where there are third alleles)
    """
    from sewall.jobs.trait import simulate as public

    show(public, context)
