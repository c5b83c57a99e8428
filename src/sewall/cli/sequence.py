"""``sewall sequence``: what DNA does."""

from __future__ import annotations

from typing import Any

import click

from sewall.cli.layout import CONTEXT, SectionedCommand, SectionedGroup, option, options
from sewall.cli.shared import device, level, out, running, show

_DATA, _MODELS = "Your data", "Models"

_places = options(
    option(_DATA, "--fasta", metavar="FILE", help="Genome of SEQUENCES that are regions (BED, narrowPeak)."),
    option(_DATA, "--width", metavar="N", help="Letters of the windows around the summit or middle of regions."),
)

_labels = options(
    option(_DATA, "--negatives", metavar="FILE", help="Sequences of the other class; SEQUENCES are then positives."),
    option(_DATA, "--label", metavar="NAME", multiple=True, help="Columns that hold labels.  [default: label]"),
    option(_DATA, "--kind", type=click.Choice(["auto", "classes", "quantity"]), help="What labels are."),
    option(_DATA, "--group", metavar="NAME", help="Column of what must not straddle folds: gene.  [default: group]"),
    option(_DATA, "--track", metavar="FILE", help="bigWig whose mean over each region is the quantity."),
)


@click.group(cls=SectionedGroup, context_settings=CONTEXT)
def sequence() -> None:
    """What does this DNA do?

    audit says what would make a score too good.
    train looks the sequences over, fits networks and simple models to the same folds, and says which are needed.
    predict answers for new sequences, evaluate says how well.
    explain finds the letters and motifs that answers stand on.
    variants says what changes of letters do.
    """


@sequence.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("sequences")
@options(out, _places, _labels)
@option(_DATA, "--test", metavar="FILE", help="Sequences that will be kept for a test.")
@option(_DATA, "--part", metavar="NAME", help="Column of a given split, one of whose parts is train.")
@option(_DATA, "--strands", type=click.Choice(["both", "one"]), help="one: a reverse complement is another sequence.")
@option("Main", "--clean", metavar="FILE", help="Write the sequences without what speaks against them.")
@options(running)
@click.pass_context
def audit(context: click.Context, **_: Any) -> None:
    """Look SEQUENCES over before anything is learnt from them: exit code 1 where a check fails.

    Copies and kin across classes and parts, labels that contradict each other, what one number alone (GC, length,
    order) tells of the label, letters, classes, size.

    \b
    Example:
      sewall sequence audit bound.fa --negatives unbound.fa --clean clean.tsv -o audited

    \b
    DIR then holds:
      report.html         every finding, with what to do
      findings.tsv duplicates.tsv numbers.tsv composition.tsv
    """
    from sewall.jobs.sequence import audit as public

    if show(public, context).failed:
        context.exit(1)


@sequence.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("sequences")
@options(out, level, _places, _labels)
@option(_DATA, "--shuffled", type=int, metavar="N", help="No negatives: N dinucleotide shuffles of each sequence.")
@option(_DATA, "--matched", is_flag=True, help="No negatives: stretches of the genome alike in GC, length, repeats.")
@option(_DATA, "--test", metavar="FILE", help="Labelled sequences that are kept out and looked at once.")
@option(
    _DATA, "--part", metavar="NAME", help="Column of a given split: what is not train is kept out and looked at once."
)
@option(_DATA, "--test-negatives", metavar="FILE", help="Those of the other class, where they are a file of their own.")
@option(
    _MODELS,
    "--split",
    type=click.Choice(["auto", "random", "group", "chromosome", "cluster"]),
    help="What stays together in folds.  [default: groups, or else clusters of like sequences]",
)
@option(_MODELS, "--folds", type=int, metavar="N", help="Parts for cross-validation.  [default: 5]")
@option(
    _MODELS,
    "--strands",
    type=click.Choice(["auto", "both", "one"]),
    help="both: a sequence and its reverse complement are one thing.  [default: what a quick look says]",
)
@option(
    _MODELS,
    "--places",
    type=click.Choice(["auto", "anchored", "free"]),
    help="anchored: places count from the ends.  [default: what a quick look says]",
)
@option(
    _MODELS,
    "--predictor",
    type=click.Choice(["stack", "network", "simplest"]),
    help="What answers: all models together, the network, or the simplest that is good enough.  [default: stack]",
)
@option(_MODELS, "--curve/--no-curve", default=True, help="Fit models to fewer sequences too: are there enough?")
@options(running, device)
@click.pass_context
def train(context: click.Context, **_: Any) -> None:
    """Learn to predict labels of SEQUENCES: FASTA, a table with the columns sequence and label, or regions.

    \b
    Examples:
      sewall sequence train bound.fa --negatives unbound.fa -o out
      sewall sequence train promoters.tsv --label strength -o out
      sewall sequence train peaks.narrowPeak --fasta genome.fa --width 200 --matched -o out

    \b
    DIR then holds:
      report.html         what was found, how sure, and whether the network was needed
      predictions.tsv     every sequence, predicted by models that did not know it
      models.tsv          the same of every model; evaluation.json: all scores
      bundle/             predicts new sequences
    """
    from sewall.jobs.sequence import train as public

    show(public, context)


@sequence.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("sequences")
@options(out, level, _places)
@option(
    _MODELS,
    "--fragile",
    type=click.Choice(["auto", "always", "never"]),
    help="Say which answers a small change of the letters turns.  [default: of the first 2,000]",
)
@options(running)
@click.pass_context
def predict(context: click.Context, **_: Any) -> None:
    """Predict the label of SEQUENCES with a trained BUNDLE.

    \b
    Example:
      sewall sequence predict out/bundle new.fa -o new

    \b
    DIR then holds:
      report.html         the predictions, and which of them not to believe
      predictions.tsv     one row per sequence
    """
    from sewall.jobs.sequence import predict as public

    show(public, context)


@sequence.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("sequences")
@options(out, level, _places, _labels, running)
@click.pass_context
def evaluate(context: click.Context, **_: Any) -> None:
    """Say how well a BUNDLE predicts labelled SEQUENCES that it does not know.

    \b
    Example:
      sewall sequence evaluate out/bundle other.tsv -o other
    """
    from sewall.jobs.sequence import evaluate as public

    show(public, context)


@sequence.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@click.argument("sequences")
@options(out, level, _places)
@option(_DATA, "--motifs", metavar="FILE", help="Known motifs (MEME) to which those that are found are compared.")
@option(_MODELS, "--label", metavar="CLASS", help="Class whose chance is explained.  [default: the last]")
@option(_MODELS, "--most", type=int, metavar="N", help="Sequences that are attributed.  [default: 500]")
@option(
    _MODELS,
    "--method",
    type=click.Choice(["auto", "deeplift", "mutagenesis"]),
    help="auto: DeepLIFT, or where its sums do not add up, every single change.  [default: auto]",
)
@option(
    _MODELS,
    "--finder",
    type=click.Choice(["seqlets", "modisco"]),
    help="What finds motifs in attributions; modisco is TF-MoDISco, an extra.  [default: seqlets]",
)
@option(_MODELS, "--permuted/--no-permuted", default=True, help="Where there are labels: search with them shuffled.")
@options(running, device)
@click.pass_context
def explain(context: click.Context, **_: Any) -> None:
    """Say which letters of SEQUENCES the networks of a BUNDLE stand on, and which motifs they make.

    \b
    Example:
      sewall sequence explain out/bundle bound.fa --motifs jaspar.meme -o why

    \b
    DIR then holds:
      report.html         logos, tracks, and what putting a motif in does to the answer
      motifs.tsv motifs.meme seqlets.tsv attributions.npz
    """
    from sewall.jobs.sequence import explain as public

    show(public, context)


@sequence.command(cls=SectionedCommand, context_settings=CONTEXT)
@click.argument("bundle")
@options(out, level)
@option("Main", "--vcf", metavar="FILE", required=True, help="The variants; every ALT is asked about by itself.")
@option("Main", "--fasta", metavar="FILE", required=True, help="Genome that they were called against.")
@option(_DATA, "--genes", metavar="FILE", help="GFF3: adds the consequence by rule.")
@option(_MODELS, "--label", metavar="CLASS", help="Class whose chance is followed.  [default: the last]")
@option(_MODELS, "--width", metavar="N", help="Letters of the windows.  [default: those of the training]")
@option(_MODELS, "--strand", type=click.Choice(["+", "-"]), help="Where the bundle tells strands apart.  [default: +]")
@option(_MODELS, "--shifts", type=int, metavar="N", help="Windows around each variant; their mean counts.")
@option(_MODELS, "--random", type=int, metavar="N", help="Random variants of each kind to compare with.")
@option(_MODELS, "--within", metavar="N", help="How far off random variants may lie.  [default: in the same windows]")
@options(running, device)
@click.pass_context
def variants(context: click.Context, **_: Any) -> None:
    """Say what variants do to the answer of a BUNDLE, beside what random variants of their kind do.

    \b
    Example:
      sewall sequence variants out/bundle --vcf calls.vcf.gz --fasta genome.fa -o effects

    \b
    DIR then holds:
      report.html         which variants do more than chance would
      variants.tsv        one row per alternative allele
    """
    from sewall.jobs.sequence import variants as public

    show(public, context)
