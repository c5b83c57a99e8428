"""Letters as pictures: logos of motifs, and what every letter of a sequence adds to an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from sewall.motifs.motif import Motif
from sewall.report.drawing import FAINT, MUTED, NARROW, grid_figure, style

Floats = NDArray[np.float64]

# The colours that the field is used to, each dark enough on paper and light enough at night.
COLOURS = {"A": "#2f9e44", "C": "#3b7dd8", "G": "#e08e00", "T": "#d9480f"}
GREY = FAINT  # of a motif that is not to be relied on
_WIDEST = 26  # CSS pixels of a letter
_LOGO, _TRACK = 84, 96  # heights
_LETTERS = {True: 34, False: 90}  # of a track, on a phone and elsewhere
_LEAST = 0.02  # of the highest letter, below which one is not drawn


@dataclass(frozen=True)
class Track:
    """What the letters of one sequence add.

    Attributes:
        name: of the sequence.
        letters: as text.
        added: ``(letters,)``.
        motifs: ``(start, end, name)`` of the motifs in it.
    """

    name: str
    letters: str
    added: Floats
    motifs: Sequence[tuple[int, int, str]]


@cache
def _glyph(letter: str) -> Path:
    """Return a letter that fills the unit square."""
    path = TextPath((0, 0), letter, size=1, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    box = path.get_extents()
    corner, size = np.array([box.x0, box.y0]), np.array([box.width, box.height])
    return Path((np.asarray(path.vertices) - corner) / size, path.codes)


def _letters(axes: Axes, stacks: Sequence[Sequence[tuple[str, float]]], colour: str | None = None) -> None:
    """Draw letters on top of each other at places 0, 1 ...: those above zero upwards, the others downwards."""
    drawn: dict[str, list[Path]] = {base: [] for base in COLOURS}
    highest = max((abs(size) for stack in stacks for _, size in stack), default=0.0)
    for place, stack in enumerate(stacks):
        level = 0.0
        for base, size in stack:
            if abs(size) > _LEAST * highest:
                shape = _glyph(base)
                corners = np.asarray(shape.vertices) * [0.94, size] + [place - 0.47, level]
                drawn[base].append(Path(corners, shape.codes))
            level += size
    for base, paths in drawn.items():
        if paths:
            axes.add_collection(PathCollection(paths, facecolors=colour or COLOURS[base], edgecolors="none"))


def draw_logo(motif: Motif, width: int, grey: bool = False) -> Figure:
    """Draw the logo of a motif: letters as high as what their place tells, in bits (Schneider & Stephens 1990).

    Args:
        motif: the motif.
        width: of the figure, CSS pixels.
        grey: whether it is not to be relied on.
    """
    with style():
        canvas, (axes,) = grid_figure(width, _LOGO, left=34, right=8, top=8, bottom=22)
        stacks = [
            sorted(zip("ACGT", row * told, strict=True), key=lambda own: own[1])
            for row, told in zip(motif.frequencies, motif.information, strict=True)
        ]
        _letters(axes, stacks, GREY if grey else None)
        places = max(len(motif), (width - 42) / _WIDEST)
        axes.set(xlim=(-0.6, places - 0.4), ylim=(0, 2), yticks=[0, 1, 2], xticks=[0, len(motif) - 1])
        axes.set_xticklabels(["1", str(len(motif))])
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.set_ylabel("bits", color=MUTED)
    return canvas


def draw_tracks(tracks: Sequence[Track], width: int) -> Figure:
    """Draw what the letters of some sequences add, around the place where that is most.

    Args:
        tracks: the sequences.
        width: of the figure, CSS pixels.
    """
    with style():
        canvas, panels = grid_figure(width, _TRACK, rows=len(tracks), left=46, right=10, top=24, bottom=26, gap=50)
        most = min(_LETTERS[width <= NARROW], max(len(track.added) for track in tracks))
        for axes, track in zip(panels, tracks, strict=True):
            _track(axes, track, most)
    return canvas


def _track(axes: Axes, track: Track, most: int) -> None:
    start = _strongest(track.added, most)
    end = min(start + most, len(track.added))
    stacks = [
        [(base, float(size))] if base in COLOURS else []
        for base, size in zip(track.letters[start:end], track.added[start:end], strict=True)
    ]
    _letters(axes, stacks)
    sizes = track.added[start:end]
    high = max(float(sizes.max(initial=0)), 1e-9)
    low = min(float(sizes.min(initial=0)), 0.0)
    axes.set(xlim=(-0.6, most - 0.4), ylim=(low * 1.05, high * 1.3), xticks=[0, end - start - 1])
    axes.set_xticklabels([f"{start + 1:,}", f"{end:,}"])
    axes.locator_params(axis="y", nbins=3)
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_title(track.name, loc="left", fontsize=12, color=MUTED)
    for first, last, name in track.motifs:
        if first >= start and last <= end:
            axes.plot([first - start - 0.45, last - start - 0.55], [high * 1.1] * 2, color=MUTED, linewidth=1.6)
            axes.text((first + last - 1) / 2 - start, high * 1.13, name, ha="center", va="bottom", fontsize=10.5)


def _strongest(added: Floats, most: int) -> int:
    """Return where the stretch of *most* letters begins that adds most, either way.

    >>> _strongest(np.array([0.0, 0, 0, 2, -3, 0, 0]), 3)
    3
    """
    if len(added) <= most:
        return 0
    sums = np.convolve(np.abs(added), np.ones(most), "valid")
    best = np.flatnonzero(sums >= sums.max() - 1e-12)
    return int(best[len(best) // 2])
