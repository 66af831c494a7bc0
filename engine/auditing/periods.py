"""Bars a year of audited returns: declared, or inferred from the calendar of their timestamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.data.annualisation import find_fitting_calendar
from engine.data.calendar import INTERVAL_LENGTHS, BarInterval, periods_per_year

if TYPE_CHECKING:
    from engine.core.types import IntVector

_YEAR = pd.Timedelta(days=365.25)
_DAYS_PER_MONTH = (28, 31)
_DAYS_PER_QUARTER = (89, 92)
_NO_CALENDAR = ""


@dataclass(frozen=True)
class BarsPerYear:
    """Bars a year.

    Attributes:
        value: The number.
        basis: Where it is from, for the middle of a sentence.
    """

    value: float
    basis: str


def find_bars_per_year(stamps: pd.DatetimeIndex, declared: float | None) -> BarsPerYear:
    """Bars a year of these timestamps.

    Months and quarters have 12 and 4; bars of a length that the engine knows, the number of the
    calendar that fits them; others are counted over the span.

    Args:
        stamps: UTC, ascending; at least two.
        declared: The user's number; None to infer it.

    Raises:
        UsageError: The declared number is not above 0.
    """
    if declared is not None:
        if not 0 < declared < float("inf"):
            raise UsageError(
                "bars a year are not a number above 0",
                expected="a number such as 252",
                found=f"{declared}",
                where="--periods-per-year",
                fix="leave it out to have it inferred",
            )
        return BarsPerYear(float(declared), "as declared")
    steps = np.diff(stamps.asi8) * pd.Timedelta(1, unit=stamps.unit).value
    usual = pd.Timedelta(int(np.median(steps)))
    for (low, high), count, name in (
        (_DAYS_PER_MONTH, 12.0, "months"),
        (_DAYS_PER_QUARTER, 4.0, "quarters"),
    ):
        if low <= usual / pd.Timedelta(days=1) <= high:
            return BarsPerYear(count, f"the bars are {name}")
    return _by_calendar(stamps, usual) or _counted(stamps, steps)


def _by_calendar(stamps: pd.DatetimeIndex, usual: pd.Timedelta) -> BarsPerYear | None:
    """By the calendar that fits the bars; None for bars of another length, or of no calendar."""
    known: tuple[BarInterval, ...] = get_args(BarInterval)
    interval = next((each for each in known if INTERVAL_LENGTHS.get(each) == usual), None)
    if interval is None:
        return None
    if interval == "1w":
        return BarsPerYear(365.0 / 7.0, "the bars are weeks")
    calendar = find_fitting_calendar(_days_or_bars(stamps, interval), interval, _NO_CALENDAR)
    if calendar is None:
        return None
    value = periods_per_year(calendar, interval, (stamps[0], stamps[-1]))
    return BarsPerYear(value, f"the bars of {interval} fit the calendar {calendar}")


def _days_or_bars(stamps: pd.DatetimeIndex, interval: str) -> pd.Series[pd.Timestamp]:
    """The timestamps; of daily bars their days, whatever time of the day they have."""
    return pd.Series(stamps.normalize() if interval == "1d" else stamps)


def _counted(stamps: pd.DatetimeIndex, steps: IntVector) -> BarsPerYear:
    """Bars of the span, scaled to a year."""
    span = (stamps[-1] - stamps[0]) * len(stamps) / len(steps)
    return BarsPerYear(float(len(stamps) * (_YEAR / span)), "counted over the span of the file")
