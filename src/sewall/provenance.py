"""What stands behind a result: versions, digests of the inputs, the seed, and whom to cite."""

from __future__ import annotations

import hashlib
import platform
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sewall.errors import SewallError

_PACKAGES = ("torch", "lightning", "numpy", "scipy", "scikit-learn", "pandas", "msprime", "tskit", "zarr", "bio2zarr")
_OF_RERUNS = ("log.jsonl", "manifest.json")
_WHOLE = 64 * 2**20
_PIECE = 2**20


@dataclass(frozen=True)
class Citation:
    """One work to cite.

    Attributes:
        what: what it was used for, in a few words.
        text: authors, year, title, journal.
        doi: DOI without the resolver, or an empty text.
    """

    what: str
    text: str
    doi: str = ""


CITATIONS: dict[str, Citation] = {
    "msprime": Citation(
        "coalescent simulation",
        "Baumdicker F, Bisschop G, Goldstein D, et al. (2022) Efficient ancestry and mutation simulation with "
        "msprime 1.0. Genetics 220:iyab229.",
        "10.1093/genetics/iyab229",
    ),
    "relernn": Citation(
        "recombination rates learned from simulated alignments",
        "Adrion JR, Galloway JG, Kern AD (2020) Predicting the landscape of recombination using deep learning. "
        "Molecular Biology and Evolution 37:1790-1808.",
        "10.1093/molbev/msaa038",
    ),
    "ld": Citation(
        "two-locus sampling as the signal of recombination",
        "Hudson RR (2001) Two-locus sampling distributions and their application. Genetics 159:1805-1817.",
        "10.1093/genetics/159.4.1805",
    ),
    "cqr": Citation(
        "calibrated intervals",
        "Romano Y, Patterson E, Candes EJ (2019) Conformalized quantile regression. Advances in Neural Information "
        "Processing Systems 32.",
    ),
    "ensemble": Citation(
        "ensemble of networks",
        "Lakshminarayanan B, Pritzel A, Blundell C (2017) Simple and scalable predictive uncertainty estimation "
        "using deep ensembles. Advances in Neural Information Processing Systems 30.",
    ),
    "mmd": Citation(
        "support check",
        "Gretton A, Borgwardt KM, Rasch MJ, Scholkopf B, Smola A (2012) A kernel two-sample test. Journal of Machine "
        "Learning Research 13:723-773.",
    ),
    "ledoit-wolf": Citation(
        "support check",
        "Ledoit O, Wolf M (2004) A well-conditioned estimator for large-dimensional covariance matrices. Journal of "
        "Multivariate Analysis 88:365-411.",
        "10.1016/S0047-259X(03)00096-4",
    ),
    "vcf-zarr": Citation(
        "reading of variants",
        "Czech E, Tyler W, White T, et al. (2025) Analysis-ready VCF at Biobank scale using Zarr. "
        "GigaScience 14:giaf049.",
        "10.1093/gigascience/giaf049",
    ),
    "diploshic": Citation(
        "statistics of sub-windows as an image of a sweep",
        "Kern AD, Schrider DR (2018) diploS/HIC: an updated approach to classifying selective sweeps. G3: Genes, "
        "Genomes, Genetics 8:1959-1970.",
        "10.1534/g3.118.200262",
    ),
    "h12": Citation(
        "haplotype homozygosity as the simple scan",
        "Garud NR, Messer PW, Buzbas EO, Petrov DA (2015) Recent selective sweeps in North American Drosophila "
        "melanogaster show signatures of soft sweeps. PLoS Genetics 11:e1005004.",
        "10.1371/journal.pgen.1005004",
    ),
    "tajima": Citation(
        "Tajima's D as the simple scan",
        "Tajima F (1989) Statistical method for testing the neutral mutation hypothesis by DNA polymorphism. Genetics "
        "123:585-595.",
        "10.1093/genetics/123.3.585",
    ),
    "label-shift": Citation(
        "probabilities at stated priors",
        "Saerens M, Latinne P, Decaestecker C (2002) Adjusting the outputs of a classifier to new a priori "
        "probabilities: a simple procedure. Neural Computation 14:21-41.",
        "10.1162/089976602753284446",
    ),
    "two-hot": Citation(
        "two-hot genotypes and a network per chromosome",
        "Karavani E (2018) Applying Deep Learning to Genetic Prediction.",
    ),
    "king": Citation(
        "kinship of pairs of individuals",
        "Manichaikul A, Mychaleckyj JC, Rich SS, Daly K, Sale M, Chen WM (2010) Robust relationship inference in "
        "genome-wide association studies. Bioinformatics 26:2867-2873.",
        "10.1093/bioinformatics/btq559",
    ),
    "gblup": Citation(
        "genomic best linear unbiased prediction",
        "VanRaden PM (2008) Efficient methods to compute genomic predictions. Journal of Dairy Science 91:4414-4423.",
        "10.3168/jds.2007-0980",
    ),
    "gapped": Citation(
        "gapped k-mers",
        "Ghandi M, Lee D, Mohammad-Noori M, Beer MA (2014) Enhanced regulatory sequence prediction using gapped k-mer "
        "features. PLoS Computational Biology 10:e1003711.",
        "10.1371/journal.pcbi.1003711",
    ),
    "spaced-words": Citation(
        "search for like sequences",
        "Ma B, Tromp J, Li M (2002) PatternHunter: faster and more sensitive homology search. Bioinformatics "
        "18:440-445.",
        "10.1093/bioinformatics/18.3.440",
    ),
    "alignment": Citation(
        "gapped extension of alignments",
        "Altschul SF, Madden TL, Schäffer AA, et al. (1997) Gapped BLAST and PSI-BLAST: a new generation of protein "
        "database search programs. Nucleic Acids Research 25:3389-3402.",
        "10.1093/nar/25.17.3389",
    ),
    "deeplift": Citation(
        "attributions by reference",
        "Shrikumar A, Greenside P, Kundaje A (2017) Learning important features through propagating activation "
        "differences. Proceedings of Machine Learning Research 70:3145-3153.",
    ),
    "matrices": Citation(
        "search for weight matrices",
        "Bailey TL (2021) STREME: accurate and versatile sequence motif discovery. Bioinformatics 37:2834-2840.",
        "10.1093/bioinformatics/btab203",
    ),
    "modisco": Citation(
        "motifs in attributions",
        "Shrikumar A, Tian K, Avsec Ž, et al. (2018) Technical note on transcription factor motif discovery from "
        "importance scores (TF-MoDISco). arXiv 1811.00416.",
        "10.48550/arXiv.1811.00416",
    ),
    "tomtom": Citation(
        "comparison of motifs",
        "Gupta S, Stamatoyannopoulos JA, Bailey TL, Noble WS (2007) Quantifying similarity between motifs. Genome "
        "Biology 8:R24.",
        "10.1186/gb-2007-8-2-r24",
    ),
    "conformal-sets": Citation(
        "sets of classes",
        "Romano Y, Sesia M, Candès EJ (2020) Classification with valid and adaptive coverage. Advances in Neural "
        "Information Processing Systems 33.",
    ),
    "rkhs": Citation(
        "Gaussian kernel on genotypes",
        "de los Campos G, Gianola D, Rosa GJM, Weigel KA, Crossa J (2010) Semi-parametric genomic-enabled prediction "
        "of genetic values using reproducing kernel Hilbert spaces methods. Genetics Research 92:295-308.",
        "10.1017/S0016672310000285",
    ),
    "lasso": Citation(
        "sparse regression",
        "Tibshirani R (1996) Regression shrinkage and selection via the lasso. Journal of the Royal Statistical "
        "Society B 58:267-288.",
    ),
    "stacking": Citation("stack of models", "Breiman L (1996) Stacked regressions. Machine Learning 24:49-64."),
    "cv-plus": Citation(
        "intervals from cross-validation",
        "Barber RF, Candes EJ, Ramdas A, Tibshirani RJ (2021) Predictive inference with the jackknife+. Annals of "
        "Statistics 49:486-507.",
        "10.1214/20-AOS1965",
    ),
    "integrated-gradients": Citation(
        "attributions of a network's answers to its inputs",
        "Sundararajan M, Taly A, Yan Q (2017) Axiomatic attribution for deep networks. Proceedings of Machine Learning "
        "Research 70:3319-3328.",
    ),
    "pgs-catalog": Citation(
        "scoring files",
        "Lambert SA, Gil L, Jupp S, et al. (2021) The Polygenic Score Catalog as an open database for reproducibility "
        "and systematic evaluation. Nature Genetics 53:420-425.",
        "10.1038/s41588-021-00783-5",
    ),
    "torch": Citation(
        "networks",
        "Paszke A, Gross S, Massa F, et al. (2019) PyTorch: an imperative style, high-performance deep learning "
        "library. Advances in Neural Information Processing Systems 32.",
    ),
    "scikit-learn": Citation(
        "simple models",
        "Pedregosa F, Varoquaux G, Gramfort A, et al. (2011) Scikit-learn: machine learning in Python. Journal of "
        "Machine Learning Research 12:2825-2830.",
    ),
}


def cite(*keys: str) -> list[dict[str, str]]:
    """Return citations as ``run.json`` keeps them.

    >>> cite("msprime")[0]["doi"]
    '10.1093/genetics/iyab229'
    """
    return [asdict(CITATIONS[key]) for key in keys]


@cache
def sewall_version() -> str:
    """Return the version of sewall that is running."""
    return version("sewall")


def versions(packages: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """Return the versions of Python, sewall and the libraries that decide a result; absent ones are left out."""
    found = {"python": platform.python_version(), "sewall": sewall_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def draw_seed() -> int:
    """Draw a seed short enough to be typed again (31 bits)."""
    return secrets.randbelow(2**31)


def digest(path: Path | str) -> str:
    """Return a digest by which a changed input is recognised.

    Files up to 64 MiB are read whole. Of larger ones the size and three pieces (start, middle, end) are taken, and of
    folders the names and sizes of the files: a digest must not take longer than the run. The prefix says which. What a
    rerun that has nothing to do writes into a run directory (log, manifest, hidden files) does not count.

    Raises:
        SewallError: there is nothing at *path*.
    """
    path = Path(path)
    if not path.exists():
        raise SewallError(f"{path}: no such file; check the path")
    state = hashlib.blake2b(digest_size=16)
    if path.is_dir():
        for file in sorted(item for item in path.rglob("*") if item.is_file() and not item.match(".*")):
            if file.parent == path and file.name in _OF_RERUNS:
                continue
            state.update(f"{file.relative_to(path).as_posix()}\t{file.stat().st_size}\n".encode())
        return f"listing:{state.hexdigest()}"
    kind = "content" if path.stat().st_size <= _WHOLE else "pieces"
    for piece in _pieces(path):
        state.update(piece)
    return f"{kind}:{state.hexdigest()}"


def _pieces(path: Path) -> Iterable[bytes]:
    size = path.stat().st_size
    starts = range(0, size, _PIECE) if size <= _WHOLE else (0, size // 2, size - _PIECE)
    yield str(size).encode()
    with path.open("rb") as file:
        for start in starts:
            file.seek(start)
            yield file.read(_PIECE)


def record(
    *,
    job: str,
    verb: str,
    command: list[str],
    arguments: dict[str, Any],
    seed: int,
    started: str,
    stages: dict[str, float],
    inputs: list[dict[str, Any]],
    citations: Iterable[str],
    **more: Any,
) -> dict[str, Any]:
    """Return what ``run.json`` holds for any job; *more* adds the keys of the job (units, prior, dropped, notes).

    Args:
        command: a command line that repeats the run, seed included.
        started: ISO time of the start, as `sewall.rundir.now` gives it.
        stages: seconds per stage; their sum is the time of the run, however often it was interrupted.
        inputs: one dict per input with ``path`` and ``digest``.
        citations: keys of `CITATIONS`.
    """
    return {
        "sewall": sewall_version(),
        "job": job,
        "verb": verb,
        "command": command,
        "arguments": arguments,
        "seed": seed,
        "started": started,
        "seconds": round(sum(stages.values()), 1),
        "stages": stages,
        "versions": versions(),
        "inputs": inputs,
        "citations": cite(*citations),
        **more,
    }
