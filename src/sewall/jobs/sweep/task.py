"""The sweep job: did selection act in the middle of a window, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from sewall.encode import statistics as classical
from sewall.jobs.sweep.one_number import COMPOSITE, H12, TAJIMAS_D, OneNumber
from sewall.jobs.sweep.windows import FEWEST_SITES, PLACES
from sewall.jobs.windows.source import windows_of
from sewall.nets.landscape import LandscapeNet, LandscapeShape
from sewall.nets.network import Network
from sewall.simple import ClassBoosting, ClassForest, GradientBoosting, OnStatistics, Ridge
from sewall.task import Examples, Rows, SimpleModel, Target

MIDDLE, BESIDE = "middle", "beside"
# What the support check reads: linkage by distance needs more sites than a sub-window may hold.
CHECKED = tuple(
    name
    for name in classical.NAMES
    if not name.startswith(("r2_", "four_gametes_")) and name not in ("rm_unevenness", "information")
)
LABELS = {
    **{f"{MIDDLE}_{name}": f"{classical.LABELS[name]}, central sub-window" for name in CHECKED},
    **{f"{BESIDE}_{name}": f"{classical.LABELS[name]}, mean of the other sub-windows" for name in CHECKED},
}
KIND, STRENGTH, AGE = "kind", "s", "age"


class SweepTask:
    """A question about a window in whose middle selection may have acted.

    Args:
        target: the kind of sweep (classes), its strength or its age.
        sub_windows: in a window.
    """

    name = "sweep"
    labels: Mapping[str, str] = LABELS

    def __init__(self, target: Target, sub_windows: int) -> None:
        self.target, self.sub_windows = target, sub_windows

    def usable(self, examples: Examples) -> NDArray[np.bool_]:
        """Return which windows have at least 10 sites; of quantities, those of which it is known."""
        enough = np.asarray(windows_of(examples).encoded["sites"]) >= FEWEST_SITES
        if self.target.classes or examples.target is None:
            return enough
        return np.asarray(enough & np.isfinite(examples.target))

    def tensors(self, examples: Examples, rows: Rows) -> dict[str, Tensor]:
        """Return ``landscape`` (rows, numbers, places) and ``statistics`` (rows, statistics, sub-windows).

        The last of the statistics is what is known of recombination.
        """
        encoded = windows_of(examples).encoded
        landscape = np.asarray(encoded["landscape"][rows], np.float32)
        read = _filled(np.asarray(encoded["statistics"][rows], np.float32))
        image = np.concatenate([read, _known(examples, rows)[:, :, None]], axis=2).transpose(0, 2, 1)
        return {"landscape": torch.from_numpy(landscape), "statistics": torch.from_numpy(np.ascontiguousarray(image))}

    def network(self, examples: Examples, rows: Rows) -> Network:
        """Return an untrained `LandscapeNet` for windows like these."""
        encoded = windows_of(examples).encoded
        shape = LandscapeShape(
            encoded["landscape"].shape[1], encoded["statistics"].shape[2] + 1, self.sub_windows, PLACES,
            classes=len(self.target.classes),
        )  # fmt: skip
        return LandscapeNet(shape)

    def network_like(self, recipe: Mapping[str, Any]) -> Network:
        """Return an untrained `LandscapeNet` by its recipe."""
        return LandscapeNet.like(recipe)

    def statistics(self, examples: Examples, rows: Rows) -> pd.DataFrame:
        """Return the classical statistics of the central sub-window, and their means over the others."""
        columns = [classical.NAMES.index(name) for name in CHECKED]
        image = _filled(np.asarray(windows_of(examples).encoded["statistics"][rows], float))[:, :, columns]
        middle = self.sub_windows // 2
        beside = np.delete(image, middle, axis=1).mean(axis=1)
        return pd.DataFrame(np.hstack([image[:, middle], beside]), columns=list(LABELS))

    def apart(self, examples: Examples, rows: Rows) -> NDArray[np.bool_]:
        """Return ``(rows,)`` windows of a genome that do not overlap; of simulations, which have no place, all."""
        chosen = np.ones(len(rows), bool)
        if "start" not in examples.keys:
            return chosen
        keys = examples.keys.iloc[rows]
        last: tuple[str, int] = ("", 0)
        places = zip(keys["chrom"], keys["start"], keys["end"], strict=True)
        for k, (chrom, start, end) in enumerate(places):
            chosen[k] = chrom != last[0] or start >= last[1]
            if chosen[k]:
                last = (chrom, start + self.sub_windows * (end - start))
        return chosen

    def simple_models(self, seed: int) -> list[SimpleModel]:
        """Return scans by one number, and forest and boosting on the statistics of all sub-windows."""
        image = _Image(self.target, self.sub_windows)
        if not self.target.classes:
            return [OnStatistics(image, Ridge()), OnStatistics(image, GradientBoosting(seed))]
        number = len(self.target.classes)
        scans = [OnStatistics(self, OneNumber.of(scan, number)) for scan in (TAJIMAS_D, H12, COMPOSITE)]
        return [
            *scans, OnStatistics(image, ClassForest(number, seed)), OnStatistics(image, ClassBoosting(number, seed)),
        ]  # fmt: skip


class _Image(SweepTask):
    """The same question, with the statistics of every sub-window, as they are and as shares of their sum.

    Shares are what diploS/HIC reads (Kern and Schrider 2018, G3 8:1959): they say where in the window a number is high,
    whatever its level.
    """

    def statistics(self, examples: Examples, rows: Rows) -> pd.DataFrame:
        """Return ``(rows, (2 x statistics + 1) x sub-windows)``; the last are what is known of recombination."""
        image = _filled(np.asarray(windows_of(examples).encoded["statistics"][rows], float))
        shares = image / np.maximum(np.abs(image).sum(axis=1, keepdims=True), 1e-9)
        parts = (image.reshape(len(rows), -1), shares.reshape(len(rows), -1), _known(examples, rows))
        return pd.DataFrame(np.hstack(parts))


def _known(examples: Examples, rows: Rows) -> NDArray[np.float32]:
    return np.asarray(windows_of(examples).encoded["known"][rows], np.float32)


def _filled(image: NDArray[Any]) -> NDArray[Any]:
    """Return statistics with 0 where a sub-window holds too few sites: in a sweep that is what one sees."""
    return np.nan_to_num(image, nan=0.0)


def kind_task(classes: tuple[str, ...], sub_windows: int) -> SweepTask:
    """Return the question of the kind of sweep."""
    return SweepTask(Target(KIND, "", "identity", 0, len(classes) - 1, classes), sub_windows)


def strength_task(upper: float, sub_windows: int) -> SweepTask:
    """Return the question of the strength of a sweep that is there; *upper* is the largest of training."""
    return SweepTask(Target(STRENGTH, "advantage of homozygotes", "log", 0.0, upper), sub_windows)


def age_task(upper: float, sub_windows: int) -> SweepTask:
    """Return the question of the age of a sweep that is complete; *upper* is the largest of training."""
    return SweepTask(Target(AGE, "generations since fixation", "sqrt", 0.0, upper), sub_windows)


def sweep_rows(examples: Examples, what: str) -> Examples:
    """Return the examples with strength or age of their sweep as target, NaN where there is none in the middle."""
    keys = examples.keys
    here = keys["distance"].to_numpy(float) == 0
    known = keys[what].to_numpy(float)
    if what == AGE:
        here = here & (keys["end_frequency"].to_numpy(float) >= 1)
    return replace(examples, target=np.where(here, known, np.nan))
