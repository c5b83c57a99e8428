"""Many histories of one population as arrays: what each leads one to expect, thousands at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sewall.simulate.history import Floats, History, branch_lengths_of, fold, visible, waiting_times

STRETCHES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # ends of the stretches of time that `Histories.drift` looks at
AT_ONCE = 2_000  # histories, which bounds the memory


@dataclass(frozen=True)
class Histories:
    """Piecewise-constant sizes, all with as many epochs; see `sewall.simulate.history.History`.

    Attributes:
        sizes: ``(histories, epochs)`` numbers of diploid individuals, the most recent first.
        times: ``(histories, epochs - 1)`` generations ago at which the size becomes the next one, increasing.
    """

    sizes: Floats
    times: Floats
    _lengths: dict[int, Floats] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, histories: Sequence[History]) -> Histories:
        """Return given histories; the oldest epoch of one that has fewer than others is divided."""
        epochs = max(len(history.sizes) for history in histories)
        sizes, times = np.empty((len(histories), epochs)), np.empty((len(histories), epochs - 1))
        for row, history in enumerate(histories):
            own = len(history.sizes)
            oldest = history.times[-1] if history.times else history.sizes[0]
            sizes[row] = (*history.sizes, *[history.sizes[-1]] * (epochs - own))
            times[row] = (*history.times, *[oldest * 2.0 ** (k + 1) for k in range(epochs - own)])
        return cls(sizes, times)

    def __len__(self) -> int:
        return len(self.sizes)

    def branch_lengths(self, n: int) -> Floats:
        """Return ``(histories, n - 1)`` as `sewall.simulate.history.branch_lengths` does for each; computed once."""
        if n not in self._lengths:
            found = self._lengths.setdefault(n, np.empty((len(self), n - 1)))
            for first in range(0, len(self), AT_ONCE):
                part = slice(first, first + AT_ONCE)
                found[part] = branch_lengths_of(waiting_times(self.sizes[part], self.times[part], n))
        return self._lengths[n]

    def spectra(self, n: int, min_count: int = 1) -> Floats:
        """Return ``(histories, classes)`` expected shares of the folded spectrum, from *min_count* on."""
        folded = fold(self.branch_lengths(n))[:, min_count - 1 :]
        return np.asarray(folded / folded.sum(axis=1, keepdims=True))

    def effective_sizes(self, n: int, min_count: int = 1) -> Floats:
        """Return ``(histories,)`` the constant size that leads one to expect as many variants as each."""
        seen, unit = visible(n, min_count), 4 / np.arange(1, n)
        return np.asarray(self.branch_lengths(n)[:, seen].sum(axis=1) / unit[seen].sum())

    def drift(self, n: int, min_count: int = 1) -> Floats:
        """Return ``(histories, stretches)`` the log of the size in stretches of time, relative to the effective one.

        A harmonic mean, since drift adds up over time as 1 / 2N does; `STRETCHES` are in units of 2 Ne generations. It
        changes smoothly with every size and time.
        """
        edges = 2 * self.effective_sizes(n, min_count)[:, None] * np.array(STRETCHES)
        begun = np.pad(self.times, ((0, 0), (1, 0)))
        passed = np.cumsum(np.diff(begun, axis=1) / (2 * self.sizes[:, :-1]), axis=1)
        passed = np.pad(passed, ((0, 0), (1, 0)))  # coalescent units before each epoch
        epoch = (edges[:, :, None] >= begun[:, None]).sum(axis=2) - 1
        at_epoch, size, since = (np.take_along_axis(values, epoch, 1) for values in (passed, self.sizes, begun))
        until = at_epoch + (edges - since) / (2 * size)
        return np.asarray(-np.log(np.diff(until, axis=1) / np.diff(np.array(STRETCHES))))
