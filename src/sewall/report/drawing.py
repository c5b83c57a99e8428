"""One style for all figures, and SVG that follows the colours and the fonts of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.style import context

from sewall.report.blocks import Drawing

# Blue-green, amber and vermilion stay apart in the three common kinds of colour blindness (after Okabe & Ito 2008);
# every status also has a form of its own (hatching, a filled diamond), so that no meaning hangs on colour alone.
LIGHT = {
    "ink": "#20272c",
    "muted": "#5f6b75",
    "faint": "#9aa4ad",
    "rule": "#dfe2e4",
    "paper": "#fdfcfa",
    "accent": "#0b6a82",
    "warn": "#b97a00",
    "outside": "#b5381f",
}
DARK = {
    "ink": "#e6e9eb",
    "muted": "#a3aeb7",
    "faint": "#6f7b85",
    "rule": "#31393f",
    "paper": "#14181b",
    "accent": "#62c0d8",
    "warn": "#e5ac3c",
    "outside": "#f0825f",
}
INK, MUTED, FAINT, RULE = LIGHT["ink"], LIGHT["muted"], LIGHT["faint"], LIGHT["rule"]
PAPER, ACCENT, WARN, OUTSIDE = LIGHT["paper"], LIGHT["accent"], LIGHT["warn"], LIGHT["outside"]

WIDE, HALF, NARROW = 960, 430, 358
_FONTS = "'Helvetica Neue', Arial, sans-serif"

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sewall",
    "font.family": ["DejaVu Sans"],
    "font.size": 12.5,
    "axes.labelsize": 12.5,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
    "legend.fontsize": 12,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.unicode_minus": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.major.size": 4,
    "ytick.major.size": 0,
    "ytick.major.pad": 6,
    "lines.linewidth": 1.8,
    "hatch.linewidth": 1.0,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


@contextmanager
def style() -> Iterator[None]:
    """Give matplotlib the style of the report for the time of the block."""
    with context(_STYLE):
        yield


def grid_figure(
    width: int,
    row_height: int,
    rows: int = 1,
    columns: int = 1,
    *,
    left: int = 52,
    right: int = 26,
    top: int = 26,
    bottom: int = 46,
    gap: int = 44,
    share_y: bool = False,
) -> tuple[Figure, list[Axes]]:
    """Return an empty figure and its axes, row by row, laid out in CSS pixels."""
    height = top + bottom + rows * row_height + (rows - 1) * gap
    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=share_y)
    panel = (width - left - right - (columns - 1) * 32) / columns
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        hspace=gap / row_height,
        wspace=32 / panel,
    )
    return figure, [panel_axes for row in axes for panel_axes in row]


def heading(axes: Axes, text: str, indent: int = 44) -> None:
    """Set the name of the vertical axis above it, where it can be read without turning the head."""
    axes.annotate(text, (0, 1), (-indent, 8), xycoords="axes fraction", textcoords="offset points", color=MUTED)
    axes.spines["left"].set_visible(False)


def drawing(key: str, alt: str, draw: Callable[[int], Figure], width: int = HALF) -> Drawing:
    """Draw a picture at its natural width, and once more for a phone where that is wide.

    Args:
        key: short name, unique on the page.
        alt: what the picture shows, for those who cannot see it.
        draw: makes the figure for a width in CSS pixels.
        width: natural width, CSS pixels.
    """
    narrow = _svg(f"{key}-narrow", alt, draw(NARROW)) if width > HALF else Markup()
    return Drawing(_svg(key, alt, draw(width)), narrow, width)


def _svg(key: str, alt: str, figure: Figure) -> Markup:
    buffer = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with context(_STYLE):
        figure.savefig(buffer, format="svg", metadata=metadata, transparent=True)
    width, height = (round(inches * 72) for inches in figure.get_size_inches())
    return Markup(clean_svg(buffer.getvalue(), key, alt, width, height))


def clean_svg(svg: str, key: str, alt: str, width: int, height: int) -> str:
    """Make matplotlib's SVG fit to stand in a page: own names, the page's colours and fonts, a description.

    Colours become ``var(--accent, #0b6a82)``, so that a figure follows light and dark in the page and still has its
    own colours where it is lifted out of it.
    """
    inner = svg[svg.index("<svg") :]
    inner = inner[inner.index(">") + 1 : inner.rindex("</svg>")]
    inner = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", inner, flags=re.DOTALL)
    inner = _own_names(inner, key)
    for name, colour in LIGHT.items():
        inner = re.sub(f"{colour}\\b", f"var(--{name}, {colour})", inner, flags=re.IGNORECASE)
    inner = inner.replace("'DejaVu Sans'", _FONTS)
    # A hundredth of a pixel is fine enough; numbers that are read stand between tags and stay as they are.
    inner = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\.\d\d)\d+", r"\1", tag[0]), inner)
    inner = re.sub(r"\s*\n\s*", "\n", inner).strip()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{escape(alt)}" '
        f'stroke-linejoin="round" stroke-linecap="butt">{inner}</svg>'
    )


def _own_names(inner: str, key: str) -> str:
    """Keep only the ids that something refers to, each prefixed: two figures must not share one."""
    used = set(re.findall(r"#([\w-]+)(?=[\")])", inner))
    inner = re.sub(r' id="([^"]+)"', lambda m: f' id="{key}-{m[1]}"' if m[1] in used else "", inner)
    return re.sub(r"(href=\"|url\()#([\w-]+)", rf"\1#{key}-\2", inner)
