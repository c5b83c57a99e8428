"""Run the commands of docs/recipes.md as they stand there, on the real sets, and say how long each took.

    SEWALL_DATA=... python verification/recipes.py [--only motif ...]

The names of files in the recipes are those under which the sets are laid out here. Open chromatin is stood in for by
200 letters before every gene of yeast, since no set of peaks is at hand.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(os.environ.get("SEWALL_DATA", ""))
PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"
MINUTES = 10
FILES = {
    "sequences.txt": "primer/sequences.txt", "labels.txt": "primer/labels.txt",
    "JUND.train.fasta.gz": "tfbs/JUND.train.fasta.gz", "JUND.test.fasta.gz": "tfbs/JUND.test.fasta.gz",
    "splice.data": "splice/splice.data",
    "lncrna.fa.gz": "lncrna/validation_Mouse_positive.txt.gz",
    "coding.fa.gz": "lncrna/validation_Mouse_negative.txt.gz",
    "methylated.fa.gz": "methylation_4mc/Escherichia_coli-train-P.txt.gz",
    "plain.fa.gz": "methylation_4mc/Escherichia_coli-train-N.txt.gz",
    "methylated-test.fa.gz": "methylation_4mc/Escherichia_coli-test-P.txt.gz",
    "plain-test.fa.gz": "methylation_4mc/Escherichia_coli-test-N.txt.gz",
    "promoters.tsv": "plant_promoters_leaf/CNN_test_leaf.tsv",
}  # fmt: skip


def recipes() -> dict[str, str]:
    """Return the commands under each heading of the page, in the order of the page."""
    found = {}
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, body = section.split("\n", 1)
        found[title] = "\n".join(re.findall(r"```sh\n(.*?)```", body, re.DOTALL))
    return found


def laid_out(folder: Path) -> None:
    """Put the sets where the recipes look for them."""
    for name, source in FILES.items():
        (folder / name).symlink_to(DATA / source)
    with gzip.open(DATA / "sacCer3" / "sacCer3.fa.gz", "rb") as packed, (folder / "genome.fa").open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    (folder / "peaks.narrowPeak").write_text("\n".join(_upstream()) + "\n", encoding="utf-8")


def _upstream() -> list[str]:
    """Return 200 letters before every gene of yeast, as peaks."""
    annotation = next((DATA / "sacCer3").glob("*.gff3.gz"))
    peaks = []
    with gzip.open(annotation, "rt") as lines:
        for line in lines:
            fields = line.split("\t")
            if line.startswith("#") or len(fields) < 9 or fields[2] != "gene" or fields[0].startswith("M"):
                continue
            start, end, strand = int(fields[3]) - 1, int(fields[4]), fields[6]
            first = start - 200 if strand == "+" else end
            if first >= 0:
                peaks.append(f"chr{fields[0]}\t{first}\t{first + 200}\t.\t0\t{strand}\t0\t-1\t-1\t-1")
    return peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], help="words of the headings")
    parser.add_argument("--keep", type=Path, help="work here, and leave what the recipes write")
    arguments = parser.parse_args()
    slow = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "genome.fa").exists():
            laid_out(folder)
        paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        for title, commands in recipes().items():
            if not any(word.lower() in title.lower() for word in arguments.only):
                continue
            begun = time.perf_counter()
            subprocess.run(["bash", "-ec", commands], cwd=folder, check=True, env=os.environ | {"PATH": paths})
            minutes = (time.perf_counter() - begun) / 60
            print(f"{title}: {minutes:.1f} minutes", flush=True)
            slow += [title] if minutes > MINUTES else []
    print(f"longer than {MINUTES} minutes: {', '.join(slow) or 'none'}")
    sys.exit(bool(slow))


if __name__ == "__main__":
    main()
