"""Formats of numbers, dates and intervals on every page.

A figure that does not exist (None, NaN, infinite) is an en dash, never a zero.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from datetime import datetime

MISSING = "\N{EN DASH}"
MINUS_SIGN = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class NumberFormat:
    """Format of one kind of figure; the script of the pages applies the same three rules.

    Attributes:
        digits: Decimals.
        suffix: Text after the figure, including the space before it.
        signed: Whether a positive figure has a plus sign.
    """

    digits: int
    suffix: str = ""
    signed: bool = False

    def __call__(self, value: float | None) -> str:
        """The figure with its unit; `MISSING` where there is none."""
        return self.without_suffix(value) + (self.suffix if is_finite(value) else "")

    def without_suffix(self, value: float | None) -> str:
        """The figure without its unit."""
        if value is None or not is_finite(value):
            return MISSING
        text = f"{abs(value):,.{self.digits}f}"
        if float(text.replace(",", "")) == 0.0:
            return text
        return (MINUS_SIGN if value < 0 else "+" if self.signed else "") + text

    def interval(self, low: float | None, high: float | None) -> str:
        """`low to high`, the unit written once; `MISSING` unless both ends exist."""
        if not (is_finite(low) and is_finite(high)):
            return MISSING
        return f"{self.without_suffix(low)} to {self(high)}"


COUNT = NumberFormat(0)
RATIO = NumberFormat(2)
SIGNED_RATIO = NumberFormat(2, signed=True)
FINE_SIGNED_RATIO = NumberFormat(3, signed=True)
FINE_RATIO = NumberFormat(4, signed=True)
GROWTH = NumberFormat(3, "\N{MULTIPLICATION SIGN}")
FINE_GROWTH = NumberFormat(4, "\N{MULTIPLICATION SIGN}")
WEIGHT = NumberFormat(2)
PRICE = NumberFormat(2)
MONEY = NumberFormat(2)
PERCENT = NumberFormat(1, f"{NO_BREAK_SPACE}%")
SIGNED_PERCENT = NumberFormat(1, f"{NO_BREAK_SPACE}%", signed=True)
FINE_PERCENT = NumberFormat(2, f"{NO_BREAK_SPACE}%")
SIGNED_FINE_PERCENT = NumberFormat(2, f"{NO_BREAK_SPACE}%", signed=True)
BARE_PERCENT = NumberFormat(1, signed=True)
BPS = NumberFormat(1, f"{NO_BREAK_SPACE}bps")
FINE_BPS = NumberFormat(2, f"{NO_BREAK_SPACE}bps")
SIGNED_BPS = NumberFormat(1, f"{NO_BREAK_SPACE}bps", signed=True)
TIMES_PER_YEAR = NumberFormat(1, f"{NO_BREAK_SPACE}a year")
BARS = NumberFormat(0, f"{NO_BREAK_SPACE}bars")
DAYS = NumberFormat(1, f"{NO_BREAK_SPACE}days")
AVERAGE_BARS = NumberFormat(1, f"{NO_BREAK_SPACE}bars")


def is_finite(value: float | None) -> bool:
    """Whether the figure exists: neither None nor NaN nor infinite."""
    return value is not None and math.isfinite(value)


def p_value(value: float | None) -> str:
    """Three decimals, or `< 0.001`."""
    if value is None or not is_finite(value):
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def full_precision(value: float) -> str:
    """Nine significant digits, for the script of the page."""
    return f"{value:.9g}"


def price(value: float | None) -> str:
    """Two decimals; below 1,000 as many as give five significant digits."""
    if value is None or not is_finite(value):
        return MISSING
    size = math.floor(math.log10(abs(value))) if value else 0
    return NumberFormat(max(2, 4 - size))(value)


def loss_value(value: float) -> str:
    """Three significant digits, because losses have no common scale."""
    return f"{value:#.3g}"


def confidence_level(fraction: float | None) -> str:
    """A fraction such as 0.95 as `95 %`."""
    if fraction is None or not is_finite(fraction):
        return MISSING
    return f"{100 * fraction:g}{NO_BREAK_SPACE}%"


def tick_label(value: float) -> str:
    """A round number on an axis, in its shortest form."""
    text = f"{abs(value):,.10g}" if abs(value) < 1e6 else f"{abs(value):.3g}"
    return (MINUS_SIGN if value < 0 else "") + text


def timestamp(value: str | datetime | None) -> str:
    """The day (UTC), with hour and minute unless they are midnight."""
    if value is None:
        return MISSING
    at = pd.Timestamp(value)
    if at.tzinfo is not None:
        at = at.tz_convert("UTC")
    return str(at.strftime("%Y-%m-%d" if at == at.normalize() else "%Y-%m-%d %H:%M"))


def date_range(first: str | datetime | None, last: str | datetime | None) -> str:
    """`first to last`."""
    return f"{timestamp(first)} to {timestamp(last)}"


def duration(seconds: float | None) -> str:
    """Seconds as `0.35 s`, `12.1 s` or `3 min 05 s`."""
    if seconds is None or not is_finite(seconds):
        return MISSING
    if seconds < 60:
        return f"{seconds:.{2 if seconds < 10 else 1}f}{NO_BREAK_SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}{NO_BREAK_SPACE}min {rest:02d}{NO_BREAK_SPACE}s"


def age(seconds: float | None) -> str:
    """A length of time in its largest two units: `3 days 4 h`, `12 min`, `8 s`."""
    if seconds is None or not is_finite(seconds):
        return MISSING
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}{NO_BREAK_SPACE}s"
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    parts = (
        [count_of(days, "day"), f"{hours}{NO_BREAK_SPACE}h"]
        if days
        else [f"{hours}{NO_BREAK_SPACE}h", f"{minutes}{NO_BREAK_SPACE}min"]
        if hours
        else [f"{minutes}{NO_BREAK_SPACE}min"]
    )
    return " ".join(part for part in parts if not part.startswith("0"))


def instant(value: datetime) -> str:
    """Day and time to the second, UTC."""
    return pd.Timestamp(value).tz_convert("UTC").strftime("%Y-%m-%d %H:%M:%S")


def count_of(number: int, singular: str, plural: str = "") -> str:
    """`1 window`, `15 windows`."""
    return (
        f"{COUNT(number)}{NO_BREAK_SPACE}{singular if number == 1 else plural or singular + 's'}"
    )


def short_hash(value: str | None) -> str:
    """The first twelve digits of a hash."""
    return f"{value[:12]}\N{HORIZONTAL ELLIPSIS}" if value else MISSING


def typeset(sentence: str) -> str:
    """A sentence of a JSON file with minus signs, and with units kept on the line of their figure.

    A hyphen becomes a minus sign where a digit follows and neither a letter nor a digit precedes
    it, so that dates and names keep their hyphens.
    """
    return re.sub(r"(?<![\w-])-(?=\.?\d)", MINUS_SIGN, sentence).replace(
        " %", f"{NO_BREAK_SPACE}%"
    )
