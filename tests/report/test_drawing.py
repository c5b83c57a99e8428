from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from sewall.report.drawing import ACCENT, DARK, HALF, LIGHT, WIDE, clean_svg, drawing, grid_figure, style
from sewall.report.recombination_map import MAX_CONTIGS, contigs_to_draw, draw_map, steps, top_of_scale


def plain(width: int):
    with style():
        figure, (axes,) = grid_figure(width, 100)
        axes.plot([0, 1], [0, 1], "o-", color=ACCENT)
        axes.axhspan(0, 1, facecolor="none", edgecolor=ACCENT, hatch="//")
    return figure


def luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "outside"])
def test_text_colours_have_contrast(palette, name):
    light, dark = sorted((luminance(palette["paper"]), luminance(palette[name])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_svg_is_whole_and_themed():
    picture = drawing("a", "a line", plain)
    root = ElementTree.fromstring(str(picture.wide))
    assert root.get("aria-label") == "a line"
    assert f"var(--accent, {ACCENT})" in picture.wide
    # No colour of the palette is left bare, or it would not follow light and dark.
    bare = re.sub(r"var\([^)]*\)", "", str(picture.wide)).lower()
    assert not [colour for colour in LIGHT.values() if colour in bare]
    assert "DejaVu" not in picture.wide


def test_numbers_that_are_read_keep_their_decimals():
    svg = '<svg><text x="1.23456">0.705</text><path d="M 0.12345 7\n L 3.9876 1"/></svg>'
    assert '<text x="1.23">0.705</text><path d="M 0.12 7\nL 3.98 1"/>' in clean_svg(svg, "a", "", 10, 10)


def test_ids_of_two_figures_differ_and_resolve():
    svgs = [str(drawing(key, "", plain).wide) for key in ("a", "b")]
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in svgs]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, own in zip(svgs, ids, strict=True):
        assert set(re.findall(r'(?:url\(|href=")#([\w-]+)', svg)) <= own


def test_same_figure_same_bytes():
    assert drawing("a", "", plain).wide == drawing("a", "", plain).wide


def test_only_wide_pictures_are_drawn_twice():
    assert not drawing("a", "", plain, HALF).narrow
    assert 'viewBox="0 0 358 ' in drawing("a", "", plain, WIDE).narrow


def test_description_is_escaped():
    assert 'aria-label="&quot;&lt;x&gt;&quot;"' in clean_svg("<svg></svg>", "k", '"<x>"', 1, 1)


def windows(**columns) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    base = {"chrom": "1", "start": np.arange(count) * 10, "end": np.arange(count) * 10 + 10}
    return pd.DataFrame(base | columns)


def test_steps_break_at_gaps_and_missing_values():
    x, y = steps(np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 4.0]), np.array([5.0, np.nan, 6.0]))
    assert x.tolist() == [0, 1, 1, 2, 2, 3, 4]
    assert np.array_equal(y, [5, 5, np.nan, np.nan, np.nan, 6, 6], equal_nan=True)


def test_windows_outside_get_no_band():
    def bands(support: list[str]) -> float:
        table = windows(estimate=[1e-8, 2e-8], lower=[5e-9, 1e-8], upper=[2e-8, 3e-8], support=support)
        axes = draw_map(table, WIDE, "90 %").axes[0]
        path = axes.collections[0].get_paths()[0] if axes.collections[0].get_paths() else None
        return 0.0 if path is None else float(np.ptp(path.vertices[:, 0]))

    assert bands(["ok", "ok"]) == pytest.approx(2e-5)
    assert bands(["ok", "outside"]) == pytest.approx(1e-5)
    assert bands(["outside", "outside"]) == 0


def test_scale_ignores_the_few_outside_but_not_the_many():
    few = windows(estimate=[1e-8, 1e-8, 9e-7], support=["ok", "ok", "outside"])
    many = windows(estimate=[1e-8, 9e-7, 9e-7], support=["ok", "outside", "outside"])
    assert top_of_scale(few) == pytest.approx(1.06)
    assert top_of_scale(many) == pytest.approx(1.06 * 90)


def test_map_without_any_estimate():
    draw_map(windows(estimate=[np.nan, np.nan], support=["outside", "outside"]), WIDE, "90 %")


def test_many_contigs_keep_those_with_most_windows():
    small = [windows(estimate=[1e-8]).assign(chrom=f"s{i}") for i in range(40)]
    table = pd.concat([*small, windows(estimate=[1e-8] * 5).assign(chrom="big")])
    drawn = contigs_to_draw(table)
    assert len(drawn) == MAX_CONTIGS
    assert drawn[-1] == "big"
