"""A made-up run directory with all its files, as a run of `sewall recombination map` would leave it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

MU = 1.25e-8
MakeRun = Callable[..., Path]


def windows_table(contigs: dict[str, tuple[int, int]], seed: int, outside: float) -> pd.DataFrame:
    """Rates that vary as human ones do (0.03 to 5 cM/Mb, lognormal, correlated between neighbours), 100 kb windows."""
    rng = np.random.default_rng(seed)
    rows = []
    for chrom, (start, windows) in contigs.items():
        noise = np.convolve(rng.normal(size=windows + 2), [0.5, 1.0, 0.5], mode="valid")
        rate = np.clip(0.9e-8 * np.exp(0.95 * noise), 3e-10, 5e-8)
        begins = start + 100_000 * np.arange(windows)
        half = rng.uniform(0.25, 0.5, windows)
        frame = pd.DataFrame({"chrom": chrom, "start": begins, "end": begins + 100_000, "estimate": rate})
        frame["lower"], frame["upper"] = rate * (1 - half), rate * (1 + 1.6 * half)
        frame["simple"] = rate * np.exp(rng.normal(0, 0.25, windows))
        frame["support"] = rng.choice(
            ["ok", "warn", "outside"], windows, p=[0.9 * (1 - outside), 0.1 * (1 - outside), outside]
        )
        frame["variants"], frame["accessible_bp"] = (
            rng.integers(80, 400, windows),
            rng.integers(60_000, 100_000, windows),
        )
        frame["rho_over_theta"] = rate / MU
        frame["reason"] = np.where(frame["support"] == "ok", None, "Tajima's D above the simulated range")
        rows.append(frame)
    table = pd.concat(rows, ignore_index=True)
    table.loc[7, ["estimate", "lower", "upper", "simple", "rho_over_theta", "support"]] = [*[np.nan] * 5, "outside"]
    table.loc[7, "reason"] = "3 variants, at least 10 are needed"
    return table


def write_table(directory: Path, table: pd.DataFrame) -> None:
    header = "# units: estimate, lower, upper, simple: crossovers per bp per generation\n# a second comment\n"
    (directory / "predictions.tsv").write_text(header + table.to_csv(sep="\t", index=False, na_rep="NA"))


def ranged(value: float, half: float) -> dict[str, float]:
    return {"value": value, "lower": value - half, "upper": value + half}


def run_json(table: pd.DataFrame) -> dict[str, Any]:
    contigs = [
        {"name": name, "first": int(part["start"].min()), "last": int(part["end"].max()), "variants": 24_113}
        for name, part in table.groupby("chrom", sort=False)
    ]
    return {
        "sewall": "0.1.0",
        "job": "recombination",
        "verb": "map",
        "command": [
            "sewall",
            "recombination",
            "map",
            "lct_ceu.vcf.gz",
            "--mutation-rate",
            "1.25e-8",
            "--window",
            "100kb",
            "-o",
            "out",
        ],
        "arguments": {"quick": False, "window": "100kb"},
        "seed": 20260731,
        "started": "2026-07-31T09:12:44+00:00",
        "seconds": 1184.2,
        "stages": {"inspect": 4.1, "simulate": 512.0, "train": 601.3, "calibrate": 12.2, "check": 21.0, "predict": 9.4},
        "versions": {"python": "3.11.2", "torch": "2.13.0", "msprime": "1.4.4", "numpy": "2.4.1"},
        "inputs": [
            {"path": "data/lct_ceu.vcf.gz", "digest": "sha256:5f0c1b7a", "samples": 25, "chromosomes": 50}
            | {"contigs": contigs, "phased": True}
        ],
        "units": {"estimate": "crossovers per bp per generation"},
        "mutation_rate": MU,
        "level": 0.9,
        "dropped": [
            {"reason": "not a single-nucleotide variant", "count": 2_114, "of": 31_020},
            {"reason": "more than two alleles in the sample", "count": 88, "of": 31_020},
            {"reason": "does not vary in the chosen samples", "count": 4_705, "of": 31_020},
        ],
        "prior": {
            "rho_over_theta": [0.0, 4.0],
            "history": "1 to 3 epochs at random, those kept that fit the site frequencies",
            "windows": 60,
            "simulations": 20_000,
            "min_count": 2,
        },
        "citations": [
            {
                "what": "coalescent simulations",
                "text": "Baumdicker F. and others (2022). Efficient ancestry and mutation simulation with msprime 1.0. "
                "Genetics 220: iyab229.",
                "doi": "10.1093/genetics/iyab229",
            },
            {
                "what": "calibrated intervals",
                "text": "Romano Y., Patterson E., Candès E. (2019). Conformalized quantile regression. NeurIPS 32.",
                "doi": "",
            },
        ],
        "notes": ["The file lacks singletons; the simulations lack them too."],
    }


def models() -> list[dict[str, Any]]:
    def model(key: str, name: str, r2: float, mae: float, parameters: int, seconds: float) -> dict[str, Any]:
        metrics = {"r2": ranged(r2, 0.004), "mae": ranged(mae, 0.005), "spearman": ranged(r2 + 0.02, 0.003)}
        metrics["bias"] = ranged(-0.004, 0.006)
        return {"key": key, "name": name, "parameters": parameters, "seconds": seconds, "metrics": metrics}

    return [
        model("network", "network ensemble", 0.868, 0.292, 512_345, 601.3),
        model("boosting", "gradient boosting on statistics", 0.838, 0.331, 18_600, 8.4),
        model("ridge", "ridge regression on statistics", 0.771, 0.402, 64, 0.03),
    ]


def calibration() -> dict[str, Any]:
    names = ["lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth"]
    held = [0.912, 0.905, 0.898, 0.901, 0.852]
    return {
        "coverage": {"value": 0.896, "lower": 0.882, "upper": 0.909},
        "interval_score": 1.71,
        "width": 1.22,
        "by_group": [
            {"group": f"{name} of predictions", "n": 400, "coverage": ranged(share, 0.03), "width": 0.4 + 0.3 * i}
            for i, (name, share) in enumerate(zip(names, held, strict=True))
        ],
        "curve": [
            {"level": level, "coverage": ranged(level - 0.008, 0.015)} for level in (0.1, 0.3, 0.5, 0.7, 0.9, 0.95)
        ],
        "pit": [int(count) for count in np.random.default_rng(3).multinomial(2000, [0.05] * 20)],
    }


def support(table: pd.DataFrame) -> dict[str, Any]:
    rng = np.random.default_rng(8)
    labels = ["segregating sites per kb", "nucleotide diversity π per kb", "Watterson's θ per kb", "Tajima's D"]
    labels += [f"share of variants seen in {k} copies" for k in (2, 3, 4)]
    labels += ["mean r² at 0–1 kb", "mean r² at 1–5 kb", "mean r² at 5–25 kb", "haplotype homozygosity H12"]
    statistics = []
    for i, label in enumerate(labels):
        low, high = sorted(rng.uniform(0.1, 3, 2))
        observed = high + 0.9 * (high - low) if i == 3 else rng.uniform(low, high)
        p = 0.002 if i == 3 else float(rng.uniform(0.05, 1))
        entry = {"name": f"s{i}", "label": label, "observed": observed, "low": low, "high": high, "p": p}
        statistics.append(entry | {"holm_p": min(1.0, p * len(labels))})
    counts = table["support"].value_counts()
    status = "outside" if counts.get("outside", 0) > 0.5 * len(table) else "ok"
    windows = {name: int(counts.get(name, 0)) for name in ("ok", "warn", "outside")}
    batch = {"status": status, "windows": windows, "mmd_p": 0.21, "c2st": 0.53, "beyond_99": 0.03, "null_rate": 0.011}
    return batch | {"statistics": statistics}


def evaluation_json(table: pd.DataFrame) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    truth = rng.uniform(0, 4, 900)
    estimate = np.abs(truth + rng.normal(0, 0.18 + 0.1 * truth))
    difference = {
        "model": "network",
        "against": "boosting",
        "metric": "r2",
        "value": 0.03,
        "lower": 0.024,
        "upper": 0.036,
    }
    return {
        "job": "recombination",
        "target": {"name": "rho_over_theta", "unit": "recombinations per mutation (ρ/θ)", "transform": "sqrt"},
        "held_out": "2,000 simulated windows with histories of their own, used for nothing else",
        "n": 2000,
        "level": 0.9,
        "models": models(),
        "differences": [difference],
        "verdict": "The network beats the best simple model (gradient boosting) beyond chance: R² 0.868 against 0.838.",
        "simplest_adequate": "network",
        "calibration": calibration(),
        "scatter": np.column_stack([truth, estimate]).round(4).tolist(),
        "support": support(table),
        "learning": [
            {
                "member": m,
                "epoch": e,
                "train": 0.2 + 0.5 * np.exp(-e / 6),
                "tune": 0.24 + 0.5 * np.exp(-e / 6) + 0.004 * m,
            }
            for m in range(5)
            for e in range(1, 31 + m)
        ],
    }


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Return a function that writes a run directory."""

    def make(contigs: dict[str, tuple[int, int]] | None = None, outside: float = 0.03, seed: int = 11) -> Path:
        directory = tmp_path / "out"
        write_run(directory, contigs or {"chr2": (134_000_000, 60)}, outside, seed)
        return directory

    return make


def write_run(directory: Path, contigs: dict[str, tuple[int, int]], outside: float = 0.03, seed: int = 11) -> None:
    (directory / "bundle").mkdir(parents=True)
    table = windows_table(contigs, seed, outside)
    write_table(directory, table)
    (directory / "run.json").write_text(json.dumps(run_json(table)))
    (directory / "evaluation.json").write_text(json.dumps(evaluation_json(table)))
    (directory / "bundle" / "bundle.json").write_text(json.dumps({"format_version": 1, "job": "recombination"}))


TRAIT_MODELS = {
    "covariates": ("covariates only", 0.11),
    "components": ("ancestry components only", 0.51),
    "clumping": ("clumping and thresholding", 0.62),
    "lasso": ("LASSO", 0.69),
    "gblup": ("GBLUP", 0.71),
    "dominance": ("additive + dominance", 0.722),
    "x_linked": ("GBLUP + X + X by sex", 0.709),
    "gaussian": ("Gaussian kernel (RKHS)", 0.717),
    "network": ("network (mean of 5)", 0.713),
    "stack": ("stack of all models", 0.731),
}
WEIGHTS = {"clumping": 0.0, "lasso": 0.24, "gblup": 0.0, "dominance": 0.41, "x_linked": 0.03, "gaussian": 0.18}
WEIGHTS["network"] = 0.21


def trait_evaluation() -> dict[str, Any]:
    """What ``evaluation.json`` of a training holds: ten models, all pairs of differences, no support."""
    rng = np.random.default_rng(6)
    names = list(TRAIT_MODELS)
    models = [
        {"key": key, "name": name, "parameters": 10 * i + 1, "seconds": None}
        | {"metrics": {"pearson": ranged(r, 0.025), "r2": ranged(r**2, 0.03), "mae": ranged(4.1 - r, 0.1)}}
        for i, (key, (name, r)) in enumerate(TRAIT_MODELS.items())
    ]
    gaps = [
        {"model": key, "against": other, "metric": "pearson"}
        | ranged(TRAIT_MODELS[key][1] - TRAIT_MODELS[other][1], 0.008)
        for i, key in enumerate(names)
        for other in names[:i]
    ]
    held = [("females", 0.904), ("males", 0.893)]
    truth = rng.normal(40, 6, 120)
    folds = [{key: r + float(rng.normal(0, 0.02)) for key, (_, r) in TRAIT_MODELS.items()} for _ in range(5)]
    return {
        "job": "trait",
        "target": {"name": "CD8", "unit": "", "transform": "identity"},
        "n": 1521,
        "level": 0.9,
        "metric": "pearson",
        "models": models,
        "differences": gaps,
        "verdict": "The simplest adequate model is additive + dominance.",
        "simplest_adequate": "dominance",
        "beyond_base": {key: r - 0.02 for key, (_, r) in TRAIT_MODELS.items() if key != "covariates"},
        "stack": {
            "base": "covariates",
            "weights": WEIGHTS,
            "by_fold": [{key: max(0.0, w + float(rng.normal(0, 0.06))) for key, w in WEIGHTS.items()} for _ in folds],
        },
        "network_adds": {"value": 0.0034, "lower": -0.002, "upper": 0.009},
        "by_fold": [{"fold": i + 1, "n": 304, "pearson": fold} for i, fold in enumerate(folds)],
        "calibration": {
            "coverage": {"value": 0.898, "lower": 0.882, "upper": 0.912},
            "width": 14.2,
            "by_group": [{"group": name, "n": 760, "coverage": ranged(c, 0.02), "width": 14.0} for name, c in held],
            "curve": [{"level": at, "coverage": ranged(at - 0.004, 0.02)} for at in (0.5, 0.7, 0.9, 0.95)],
            "interval_score": 18.0,
        },
        "best_simple": {"key": "dominance", "name": "additive + dominance"},
        "scatter": np.column_stack([truth, 40 + 0.6 * (truth - 40) + rng.normal(0, 3, 120)]).round(3).tolist(),
        "learning": [
            {"member": m, "epoch": e, "train": 0.4 + 0.5 * np.exp(-e / 5), "tune": 0.5 + 0.4 * np.exp(-e / 5)}
            for m in range(5)
            for e in range(1, 15)
        ],
        "held_out": "1,521 individuals, each predicted by models that were fitted without its fold (5 folds)",
    }


def trait_record(verb: str, **arguments: Any) -> dict[str, Any]:
    """What ``run.json`` of the job holds."""
    contigs = [{"name": str(k), "first": 3_000_000, "last": 190_000_000 - k, "variants": 500} for k in range(1, 20)]
    given = {"path": "data/mouse_hs1940.bed", "digest": "content:5f0c", "samples": 1521, "sites": 9500}
    return {
        "sewall": "0.2.0",
        "job": "trait",
        "verb": verb,
        "command": ["sewall", "trait", verb, "data/mouse_hs1940.bed", "-o", "out"],
        "arguments": arguments,
        "seed": 7,
        "started": "2026-11-21T08:36:00+00:00",
        "seconds": 512.0,
        "stages": {"train": 512.0},
        "versions": {"python": "3.11.2"},
        "inputs": [given | {"contigs": contigs}],
        "citations": [{"what": "GBLUP", "text": "VanRaden P. M. (2008). J Dairy Sci 91: 4414.", "doi": ""}],
        "level": 0.9,
        "dropped": [{"reason": "no variation", "count": 12, "of": 9512}],
        "notes": ["419 individuals have no CD8; they were left out"],
    }


def trait_people(number: int, seed: int) -> pd.DataFrame:
    """Answers to some individuals, and what was measured of them."""
    rng = np.random.default_rng(seed)
    estimate = rng.normal(40, 4, number)
    half = rng.uniform(6.5, 8, number)
    table = pd.DataFrame({"sample_id": [f"A{k:04d}" for k in range(number)], "estimate": estimate})
    table["lower"], table["upper"] = estimate - half, estimate + half
    table["simple"], table["support"] = estimate + rng.normal(0, 1, number), "ok"
    table["network"], table["measured"] = estimate + rng.normal(0, 2, number), estimate + rng.normal(0, 4.4, number)
    return table


def write_training(directory: Path) -> None:
    """Write what ``sewall trait train`` leaves."""
    (directory / "bundle").mkdir(parents=True)
    write_table(directory, trait_people(600, 4))
    run = trait_record("train", trait="CD8", folds=5, groups=None, window=None, model="default")
    (directory / "run.json").write_text(json.dumps(run | {"covariates": ["age", "sex (male)"]}))
    (directory / "evaluation.json").write_text(json.dumps(trait_evaluation()))
    about = {"format_version": 1, "job": "trait", "trained_on": {"folds": 5, "window": [18, 20, 20, 19, 20]}}
    about["limits"] = ["Association, not causation: a site may predict because it lies near a cause, or by ancestry."]
    (directory / "bundle" / "bundle.json").write_text(json.dumps(about))


def write_prediction(directory: Path, number: int = 140, outside: int = 6) -> None:
    """Write what ``sewall trait predict`` leaves: no bundle, but what became of its sites."""
    directory.mkdir(parents=True)
    table = trait_people(number, 9).drop(columns="measured")
    table["reason"] = ""
    table.loc[:outside, ["support", "reason"]] = ["outside", "unusual missing calls"]
    table.loc[outside + 1 : outside + 9, ["support", "reason"]] = ["warn", "unusual heterozygous calls"]
    table.loc[table["support"] == "outside", ["lower", "upper"]] = np.nan
    table.loc[0, ["estimate", "simple", "network"]] = np.nan
    write_table(directory, table)
    (directory / "run.json").write_text(json.dumps(trait_record("predict", bundle="out/bundle")))
    support = {"status": "outside" if outside > number / 2 else "ok", "p": 0.4, "beyond_99": 0.03, "mmd_p": None}
    names = {
        "missing": "missing calls",
        "heterozygous": "heterozygous calls",
        "reliability": "likeness to the training",
    }
    support["statistics"] = [
        {"name": name, "label": label, "observed": 0.4, "low": 0.1, "high": 0.5 + 0.1 * i, "p": 0.3, "holm_p": 0.9}
        for i, (name, label) in enumerate(names.items())
    ]
    counts = {status: int((table["support"] == status).sum()) for status in ("ok", "warn", "outside")}
    support |= {"c2st": None, "null_rate": 0.01, "examples": counts}
    (directory / "evaluation.json").write_text(json.dumps(trait_evaluation() | {"support": support}))
    outcomes = ["same alleles"] * 90 + ["REF and ALT swapped"] * 5 + ["left out: not in these data"] * 25
    sites = pd.DataFrame({"chrom": "1", "position": range(1, 121), "outcome": outcomes})
    (directory / "match_report.tsv").write_text("# sites\n" + sites.to_csv(sep="\t", index=False))


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """The directory of a finished training of a trait."""
    write_training(tmp_path / "trained")
    return tmp_path / "trained"


@pytest.fixture
def prediction(tmp_path: Path) -> Path:
    """The directory of finished predictions of a trait."""
    write_prediction(tmp_path / "predicted")
    return tmp_path / "predicted"
