"""Of what kind data are: what a bundle was trained for, what a run says of its input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sewall.errors import SewallError
from sewall.jobs.windows.observed import Observed, WindowReader


def kind_of(observed: Observed) -> dict[str, Any]:
    """Return what simulations copy from the data, in words and numbers: ``trained_on`` of a bundle."""
    return {
        "chromosomes": sorted({sample.chromosomes for sample in observed.samples}),
        "phased": sorted({sample.phased for sample in observed.samples}),
        "least_minor_count": observed.least,
        "missing_calls": round(observed.missing, 4),
        "theta_per_bp": observed.theta,
    }


def check_kind(variants: Path, expected: dict[str, Any], found: dict[str, Any]) -> None:
    """Refuse data that a bundle cannot read rightly; the support check judges the rest.

    Args:
        variants: the file, for the message.
        expected: `kind_of` the data that the bundle was trained for.
        found: that of the data at hand.

    Raises:
        SewallError: phase is known in one of them alone, or numbers of chromosomes are more than a tenth apart.
    """
    if expected["phased"] != found["phased"]:
        words = {True: "phased", False: "unphased"}
        raise SewallError(
            f"{variants}: the bundle was trained on {words[expected['phased'][0]]} data and these are "
            f"{words[found['phased'][0]]}; "
            + ("add --unphased" if False in expected["phased"] else "train a bundle on unphased data")
        )
    low, high = 0.9 * min(expected["chromosomes"]), 1.1 * max(expected["chromosomes"])
    if strange := [n for n in found["chromosomes"] if not low <= n <= high]:
        raise SewallError(
            f"{variants}: {strange[0]} chromosomes, and the bundle was trained for "
            f"{min(expected['chromosomes'])} to {max(expected['chromosomes'])}; choose as many with --samples, or "
            "leave out --bundle"
        )


def described(reader: WindowReader, observed: Observed) -> dict[str, Any]:
    """Return what ``run.json`` says of the input: ``inputs``, and what was ``dropped`` from it."""
    variants = reader.variants
    contigs = [
        {"name": c.name, "first": c.first, "last": c.last, "variants": c.variants}
        for c in variants.contigs
        if c.name in reader.phased
    ]
    given = {
        "path": str(variants.path), "digest": variants.digest, "samples": len(variants.sample_ids),
        "chromosomes": observed.main.chromosomes, "contigs": contigs, "phased": observed.main.phased,
    }  # fmt: skip
    dropped = [{"reason": r, "count": n, "of": variants.rows_read} for r, n in variants.counts.items()]
    return {"inputs": [given], "dropped": dropped}
