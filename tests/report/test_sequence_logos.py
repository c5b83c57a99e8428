from __future__ import annotations

import numpy as np
import pytest

from sewall.motifs.motif import Motif
from sewall.report.drawing import HALF, NARROW, WIDE
from sewall.report.sequence_logos import Track, draw_logo, draw_tracks


def heights(axes) -> list[float]:  # type: ignore[no-untyped-def]
    return sorted(path.get_extents().height for drawn in axes.collections for path in drawn.get_paths())


def test_letters_are_as_high_as_what_they_tell() -> None:
    motif = Motif("m", np.array([[1.0, 0, 0, 0], [0.5, 0, 0.5, 0], [0.25] * 4]))
    (axes,) = draw_logo(motif, HALF).axes
    assert heights(axes) == pytest.approx([0.5, 0.5, 2.0])


def test_a_doubtful_logo_has_no_colours() -> None:
    motif = Motif("m", np.eye(4))
    colours = [{tuple(c.get_facecolor()[0]) for c in draw_logo(motif, HALF, grey).axes[0].collections}
               for grey in (False, True)]  # fmt: skip
    assert [len(own) for own in colours] == [4, 1]


@pytest.mark.parametrize(("width", "shown"), [(WIDE, 90), (NARROW, 34)])
def test_a_track_shows_the_strongest_stretch(width: int, shown: int) -> None:
    added = np.zeros(300)
    added[200:204] = [1.0, -2.0, 1.0, 0.5]
    (axes,) = draw_tracks([Track("s", "ACGT" * 75, added, [(200, 204, "motif_1"), (2, 6, "far")])], width).axes
    assert heights(axes) == pytest.approx([0.5, 1.0, 1.0, 2.0])
    assert axes.get_xlim()[1] == pytest.approx(shown - 0.4)
    assert [text.get_text() for text in axes.texts] == ["motif_1"]
    low, high = axes.get_ylim()
    assert low < -2
    assert high > 1
