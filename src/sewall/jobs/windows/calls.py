"""Simulated haplotypes as the calls of the data would show them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.jobs.windows.observed import Sample
from sewall.simulate.defects import Defects
from sewall.simulate.nuisances import add_errors, apply_mask, drop_rare, mask_calls, switch_phase, unphase


def as_called(
    window: Alignment,
    sample: Sample,
    accessible: NDArray[np.int32],
    defects: Defects,
    least: int,
    rng: np.random.Generator,
) -> Alignment:
    """Return simulated haplotypes with errors, lost phase, mask, missing calls and rare variants as in the data.

    Args:
        window: haplotypes, all that vary.
        sample: who was sequenced, and which calls are missing.
        accessible: ``(intervals, 2)`` where variants could be called.
        defects: rates of errors and of phase switches.
        least: smallest minor-allele count that is kept.
        rng: draws what is wrong or missing.
    """
    window = add_errors(window, defects.errors, rng, sample.ploidy)
    if sample.phased and (sample.ploidy == 2).all():
        window = switch_phase(window, defects.switches, rng)
    window = apply_mask(window, accessible)
    if not sample.phased:
        window = unphase(window, sample.ploidy)
    return drop_rare(mask_calls(window, sample.missing, rng), least)
