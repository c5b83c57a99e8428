"""Options of the verbs of all jobs that read windows of variants."""

from __future__ import annotations

from sewall.cli.layout import option, options

_DATA, _TRAINED = "Your data", "What is simulated"

rate = option("Main", "--mutation-rate", type=float, metavar="MU", help="Mutations per bp per generation: 1.25e-8.")
data = options(
    option(
        _DATA, "--regions", metavar="BED|TEXT", help="Where to look: a BED file, or chr2, or chr2:134000000-140000000."
    ),
    option(_DATA, "--samples", metavar="FILE", help="Use only the samples in the first column of this file."),
    option(_DATA, "--mask-accessible", metavar="BED", help="Where variants could be called; all else is ignored."),
    option(_DATA, "--mask-inaccessible", metavar="BED", help="Where variants could not be called."),
    option(
        _DATA,
        "--phased/--unphased",
        default=None,
        help="Trust, or ignore, which allele lies on which copy.  [default: as the calls are written]",
    ),
)
history = options(
    option(
        _TRAINED,
        "--demography",
        metavar="FILE",
        help="History of population size (demes YAML, SMC++ csv, MSMC or Stairway Plot).  "
        "[default: random histories that fit your data]",
    ),
    option(
        _TRAINED,
        "--adapt",
        metavar="HOW",
        help="Against a wrong history: resimulate, randomise or auto; for maps also reweight or align.  "
        "[default: the history given, else resimulate]",
    ),
    option(_TRAINED, "--population", metavar="NAME", help="Which population of the history was sampled."),
    option(_TRAINED, "--generation-time", type=float, metavar="YEARS", help="For histories in years."),
    option(_TRAINED, "--min-count", type=int, metavar="N", help="Lowest allele count kept.  [default: as your data]"),
    option(_TRAINED, "--quick", is_flag=True, help="Small budget for a first look: less sure, and it says so."),
)
