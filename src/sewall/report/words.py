"""Numbers, times and places in words, the same way everywhere on the page."""

from __future__ import annotations

import math
from typing import Any

from sewall.report.files import number_or_none

MISSING = "–"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: object, digits: int = 3) -> str:
    """Return a number with *digits* significant digits, in powers of ten where it is very small or large.

    >>> number(0.93512), number(1.25e-8), number(-0.0042), number(12345.6), number(None)
    ('0.935', '1.25 × 10⁻⁸', '−0.0042', '12,346', '–')
    """
    plain = number_or_none(value)
    if plain is None:
        return MISSING
    if plain == 0:
        return "0"
    exponent = math.floor(math.log10(abs(plain)))
    if -4 < exponent < 6:
        text = f"{plain:,.{max(digits - 1 - exponent, 0)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text and exponent < -1 else text
    else:
        mantissa = f"{plain / 10.0**exponent:.{digits - 1}f}".rstrip("0").rstrip(".")
        text = f"{mantissa} × 10{str(exponent).translate(_SUPERSCRIPTS)}"
    return text.replace("-", "−")


def bound(value: object) -> str:
    """Return a number without trailing zeros.

    >>> bound(4.0), bound(0.05)
    ('4', '0.05')
    """
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "×" not in text else text


def count(value: object) -> str:
    """Return a whole number with separators.

    >>> count(20000), count(None)
    ('20,000', '–')
    """
    plain = number_or_none(value)
    return MISSING if plain is None else f"{round(plain):,}"


def counted(value: int, noun: str) -> str:
    """Return a number with its noun, plural where it should be.

    >>> counted(1, "window"), counted(60, "window")
    ('1 window', '60 windows')
    """
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def percent(value: object, digits: int = 1) -> str:
    """Return a share as per cent.

    >>> percent(0.8963), percent(0.9), percent(None)
    ('89.6 %', '90 %', '–')
    """
    plain = number_or_none(value)
    if plain is None:
        return MISSING
    text = f"{100 * plain:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def probability(value: object) -> str:
    """Return a p-value.

    >>> probability(0.0002), probability(0.034), probability(1.0)
    ('< 0.001', '0.034', '1')
    """
    plain = number_or_none(value)
    if plain is None:
        return MISSING
    return "< 0.001" if plain < 0.001 else f"{plain:.2g}"


def decimal(value: object, digits: int = 3) -> str:
    """Return a number to *digits* decimals, for what lies between -1 and 1.

    >>> decimal(0.7312), decimal(-0.05, 2), decimal(None)
    ('0.731', '−0.05', '–')
    """
    plain = number_or_none(value)
    return MISSING if plain is None else f"{plain:.{digits}f}".replace("-", "−")


def signed(value: object, digits: int = 3) -> str:
    """Return a difference with its sign, to *digits* decimals.

    >>> signed(0.0023), signed(-0.01), signed(0.0001), signed(None)
    ('+0.002', '−0.010', '0.000', '–')
    """
    plain = number_or_none(value)
    if plain is None:
        return MISSING
    rounded = round(plain, digits)
    return ("+" if rounded > 0 else "") + decimal(rounded if rounded else 0.0, digits)


def estimate(metric: dict[str, Any], digits: int = 3) -> str:
    """Return a value with its 95 % interval.

    >>> estimate({"value": 0.941, "lower": 0.936, "upper": 0.9459})
    '0.941 (0.936 to 0.946)'
    """
    value = number(metric.get("value"), digits)
    if number_or_none(metric.get("lower")) is None or number_or_none(metric.get("upper")) is None:
        return value
    return f"{value} ({number(metric['lower'], digits)} to {number(metric['upper'], digits)})"


def share(metric: dict[str, Any]) -> str:
    """Return a share with its 95 % interval in per cent.

    >>> share({"value": 0.9, "lower": 0.887, "upper": 0.913})
    '90 % (88.7 to 91.3)'
    """
    value = percent(metric.get("value"))
    if number_or_none(metric.get("lower")) is None or number_or_none(metric.get("upper")) is None:
        return value
    return f"{value} ({percent(metric['lower'])[:-2]} to {percent(metric['upper'])[:-2]})"


def duration(seconds: object) -> str:
    """Return a time span.

    >>> duration(0.03), duration(4.23), duration(95), duration(8000)
    ('< 0.1 s', '4.2 s', '1 min 35 s', '2 h 13 min')
    """
    plain = number_or_none(seconds)
    if plain is None:
        return MISSING
    if plain < 0.05:
        return "< 0.1 s"
    if plain < 59.95:
        return f"{plain:.1f} s"
    minutes, rest = divmod(round(plain), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def length(bp: object) -> str:
    """Return a length of sequence.

    >>> length(100_000), length(6_000_000), length(850), length(2_350_000)
    ('100 kb', '6 Mb', '850 bp', '2.35 Mb')
    """
    plain = number_or_none(bp)
    if plain is None:
        return MISSING
    for unit, size in (("Mb", 1e6), ("kb", 1e3)):
        if plain >= size:
            return f"{plain / size:.4g} {unit}"
    return f"{plain:.0f} bp"


def place(chrom: str, start: float, end: float) -> str:
    """Return an interval of a contig in megabases.

    >>> place("chr2", 134_000_000, 134_100_000)
    'chr2:134–134.1 Mb'
    """
    return f"{chrom}:{start / 1e6:.6g}–{end / 1e6:.6g} Mb"


def listed(items: list[str]) -> str:
    """Join items in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
