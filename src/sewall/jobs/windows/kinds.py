"""Of what kind data are: what a bundle was trained for, what a run says of its input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sewall.errors import SewallError
from sewall.jobs.windows.observed import Observed, WindowReader

SLACK = 0.1  # by which data may lie above the kinds that a general bundle was made for


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


def beyond(expected: dict[str, Any], found: dict[str, Any]) -> str | None:
    """Return in what data are of another kind than all those that a general bundle was made for; None if in nothing.

    Args:
        expected: ``trained_on`` of the bundle: ranges of ``chromosomes``, ``window_bp`` and ``theta_per_window``.
        found: of the data at hand, `kind_of` with ``window_bp``.
    """
    longest = found["theta_per_bp"] * found["window_bp"][1]
    measured = (
        ("chromosomes", found["chromosomes"], "chromosomes"),
        ("window_bp", found["window_bp"], "bp in a window"),
        ("theta_per_window", [longest], "differences between two chromosomes in a window"),
    )
    for name, values, unit in measured:
        low, high = expected[name]
        strange = [value for value in values if not low <= value <= high * (1 + SLACK)]
        if strange and not (
            name == "theta_per_window" and strange[0] < low
        ):  # few differences: a wide interval says it
            return f"{strange[0]:,.0f} {unit}, and the general bundle was made for {low:,.0f} to {high:,.0f}"
    return None


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
