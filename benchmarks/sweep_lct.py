"""Real data: the lactase sweep, in 6 Mb of 25 CEU genomes and in 300 kb of seven populations.

    SEWALL_DATA=folder python benchmarks/sweep_lct.py scan          # with all defaults, then with the bundle alone
    SEWALL_DATA=folder python benchmarks/sweep_lct.py populations   # everyone in each, --quick, windows of 275 kb

The folder holds ``lct_ceu`` and ``lct_1kg``. Both show the same sweep, and the 25 are among the others: a sanity check,
nothing to tune on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
from reporting import settings, share, words, write

CEU = "lct_ceu/ceu25.chr2_134_140Mb.GRCh37.vcf.gz"
EVERYONE, PANEL = "lct_1kg/lct_2504.vcf.gz", "lct_1kg/panel_2504.tsv"
SWEPT, SPARED = ("CEU", "GBR", "FIN"), ("YRI", "ESN", "CHB", "JPT")
CORE = (136_000_000, 136_900_000)
FLANKS = (135_000_000, 137_600_000)  # what ends before the first, or begins after the second
WINDOW = 275_000  # in which a sub-window is a quarter as long as by default


def scan(arguments: argparse.Namespace, data: Path) -> dict[str, Any]:
    """Scan the 6 Mb from nothing, then again with the bundle."""
    out = arguments.cache / f"lct-{arguments.seed}"
    seconds = _sewall(data / CEU, out, arguments, "--recombination-rate", "1e-8")
    stages = json.loads((out / "run.json").read_text(encoding="utf-8"))["seconds"]
    again = _sewall(data / CEU, arguments.cache / f"lct-{arguments.seed}-again", arguments, "--bundle", out / "bundle")
    table = _table(out)
    top = table.loc[table["p_sweep"].idxmax()]
    beside = table[(table["end"] <= FLANKS[0]) | (table["start"] >= FLANKS[1])]
    labelled = beside["label"].isin(["hard", "soft", "partial"]).to_numpy()
    middle = (top["start"] + top["end"]) / 2
    return {
        "seconds": max(seconds, round(stages + again, 1)),  # a run that went on from finished stages took no less
        "seconds_with_bundle": again, "windows": len(table),
        "top": {"start": int(top["start"]), "end": int(top["end"]), "label": top["label"], "p_sweep": top["p_sweep"],
                "q": top["q"], "set": top["set"], "in_core": bool(CORE[0] <= middle <= CORE[1])},
        "regions": pd.read_csv(out / "regions.tsv", sep="\t", comment="#").to_dict("records"),
        "flanks_labelled": share(labelled), "flanks": len(beside),
        "support": table["support"].value_counts().to_dict(), "held_out": _held_out(out),
    }  # fmt: skip


def _held_out(out: Path) -> dict[str, Any]:
    """Return the scores of the run on simulations like the data that no model saw."""
    scores = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    parts = {"kind": scores, **scores["quantities"]}
    return {
        name: {
            "n": part["n"], "metric": part["metric"], "coverage": part["calibration"]["coverage"],
            "models": {m["key"]: m["metrics"][part["metric"]] for m in part["models"]},
            "network_less": {d["against"]: {k: d[k] for k in ("value", "lower", "upper")}
                             for d in part["differences"] if d["model"] == "network"},
        }
        for name, part in parts.items()
    }  # fmt: skip


def populations(arguments: argparse.Namespace, data: Path) -> dict[str, Any]:
    """Train and ask for each population by itself."""
    panel = pd.read_csv(data / PANEL, sep="\t")
    found = {}
    for name in (*SWEPT, *SPARED):
        own = panel.loc[panel["population"] == name, "sample"].to_numpy()
        chosen = arguments.cache / f"{name}.txt"
        chosen.write_text("\n".join(own) + "\n", encoding="utf-8")
        out = arguments.cache / f"lct-{name}-{arguments.seed}"
        extra = ("--recombination-rate", "1e-8", "--samples", chosen, "--window", str(WINDOW), "--quick")
        seconds = _sewall(data / EVERYONE, out, arguments, *extra)
        table = _table(out)
        top = table.loc[table["p_sweep"].idxmax()]
        found[name] = {
            "p_sweep": float(top["p_sweep"]), "p_within": float((1 - table["p_neutral"]).max()), "label": top["label"],
            "support": top["support"], "seconds": seconds, "windows": len(table), "individuals": len(own),
        }  # fmt: skip
        print(name, found[name], flush=True)
    return {"swept": SWEPT, "spared": SPARED, "populations": found}


def _sewall(variants: Path, out: Path, arguments: argparse.Namespace, *extra: Any) -> float:
    command = [sys.executable, "-c", "from sewall.cli import main; main()", "sweep", "scan", variants]
    command += ["--mutation-rate", "1.25e-8", "--seed", arguments.seed, "-o", out, "--threads", arguments.workers]
    begun = time.monotonic()
    subprocess.run([str(part) for part in (*command, *extra)], check=True)
    return round(time.monotonic() - begun, 1)


def _table(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "predictions.tsv", sep="\t", comment="#", dtype={"chrom": str})


PARTS = {"scan": scan, "populations": populations}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/sweep"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    folder = os.environ.get("SEWALL_DATA")
    if folder is None or not (Path(folder) / CEU).is_file():
        sys.exit(f"error: set SEWALL_DATA to the folder that holds {CEU}")
    arguments.cache.mkdir(parents=True, exist_ok=True)
    results = PARTS[arguments.part](arguments, Path(folder))
    if "flanks_labelled" in results:
        print(f"top {results['top']}; flanks {words(results['flanks_labelled'])} of {results['flanks']}")
    own = settings(arguments, ("cache", "workers"))
    write(f"sweep_lct_{arguments.part}-seed{arguments.seed}", {**results, "settings": own})


if __name__ == "__main__":
    main()
