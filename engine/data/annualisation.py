"""Bars a year of a dataset: by its calendar, counted in its bars, or declared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.core.errors import InvalidBarsError
from engine.data.calendar import (
    ALWAYS_OPEN,
    days_per_year,
    is_longer_than_a_day,
    periods_per_year,
    require_known_calendar,
)
from engine.data.times_of_week import MIN_WEEKS, MONDAY_US, WEEK_US, TimesOfWeek, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from engine.core.types import IntVector
    from engine.data.calendar import BarInterval

MAX_DEVIATION = 0.05
"""Largest difference of bars a year between a calendar and a file, as a fraction."""

# Calendars that are tried where the dataset's does not fit, and how alike the bars have to be.
_CANDIDATES = (
    *(ALWAYS_OPEN, "24/5", "XNYS", "CMES", "XLON", "XETR", "XTKS", "XHKG", "XSHG", "XBOM"),
)
_MIN_LIKENESS = 0.9

# Calendars without holidays are the ones to name, unless the holidays of another fit clearly.
_WITHOUT_HOLIDAYS, _ADVANTAGE = (ALWAYS_OPEN, "24/5"), 0.02

_SECONDS_PER_YEAR = 365.25 * 86_400


@dataclass(frozen=True)
class Annualisation:
    """Bars a year, by which returns are annualised.

    Attributes:
        periods_per_year: The figure used.
        basis: `calendar`, `measured` in the bars, or `declared` in the dataset.
        by_calendar: By the dataset's calendar; see `engine.data.calendar.periods_per_year`.
        measured: Counted in the weeks that have bars; None for fewer than four whole weeks.
        expected_per_bar: How many times as many bars as the file has the calendar expects at the
            times of the week at which the file has bars at all, so that missing bars are not taken
            for a wrong calendar; 1 where that cannot be measured.
    """

    periods_per_year: float
    basis: Literal["calendar", "measured", "declared"]
    by_calendar: float
    measured: float | None
    expected_per_bar: float = 1.0

    @property
    def deviates(self) -> bool:
        """Whether figures annualised by the calendar would be wrong by a few per cent."""
        return self.measured is not None and _deviates(self.expected_per_bar)

    def as_json(self) -> dict[str, Any]:
        """The attributes that say which figure was used, for a manifest."""
        return {
            "periods_per_year": self.periods_per_year,
            "basis": self.basis,
            "by_calendar": self.by_calendar,
            "measured": self.measured,
        }


def annualise(
    stamps: pd.Series[pd.Timestamp],
    calendar: str,
    interval: BarInterval,
    declared: float | Literal["measured"] | None = None,
) -> Annualisation:
    """Bars a year of a dataset.

    Args:
        stamps: Of its bars, ascending, each once; at least one.
        calendar: `24/7` or a code of exchange-calendars.
        interval: Length of a bar.
        declared: The dataset's `periods_per_year`.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
        InvalidBarsError: `measured` is declared, and there are not enough bars to measure.
    """
    require_known_calendar(calendar)
    span = stamps.iloc[0], stamps.iloc[-1]
    by_calendar = periods_per_year(calendar, interval, span)
    if is_longer_than_a_day(interval):
        found = Annualisation(by_calendar, "calendar", by_calendar, by_calendar)
    else:
        found = _compare(to_microseconds(stamps), calendar, interval, by_calendar, span)
    return _declare(found, declared, len(stamps))


def _declare(
    found: Annualisation, declared: float | Literal["measured"] | None, bars: int
) -> Annualisation:
    """With the figure that the dataset declares, where it does."""
    if declared is None:
        return found
    if declared == "measured":
        if found.measured is None:
            raise InvalidBarsError(
                "there are too few bars to measure how many a year has",
                expected=f"bars of more than {MIN_WEEKS} weeks",
                found=f"{bars} bars",
                where="periods_per_year",
                fix=f"declare the number: `periods_per_year: {found.by_calendar:g}`",
            )
        return replace(found, periods_per_year=found.measured, basis="measured")
    return replace(found, periods_per_year=float(declared), basis="declared")


def annualise_union(
    stamps: pd.Series[pd.Timestamp],
    calendars: Sequence[str],
    declared: float | Literal["measured"] | None = None,
    *,
    shared: bool = False,
) -> Annualisation:
    """Daily bars a year of a book whose symbols are on several calendars.

    A book has a bar on every day on which one of its exchanges is open: a year has the days that
    an average year of 2000-2019 had (of calendars that begin later, of their years since), 365
    where one of them is `24/7`. Where rows are kept alone that all symbols have, it has those on
    which all are open.

    Args:
        stamps: Of the rows.
        calendars: Of the symbols.
        declared: The dataset's `periods_per_year`.
        shared: Whether rows are those that all symbols have.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
        InvalidBarsError: As `annualise`.
    """
    one, *others = sorted(set(calendars))
    if not others:
        return annualise(stamps, one, "1d", declared)
    by_calendars = float(days_per_year([one, *others], shared=shared))
    found = Annualisation(
        by_calendars, "calendar", by_calendars, _measure(to_microseconds(stamps))
    )
    return _declare(found, declared, len(stamps))


def require_fitting_calendar(
    annualisation: Annualisation,
    stamps: pd.Series[pd.Timestamp],
    calendar: str,
    interval: BarInterval,
    where: str,
) -> None:
    """Refuses bars of which a year has more or fewer than its calendar says.

    Args:
        annualisation: What `annualise` returned for them.
        stamps: Of the bars.
        calendar: The dataset's.
        interval: Length of a bar.
        where: The dataset, for the message.

    Raises:
        InvalidBarsError: They differ by more than `MAX_DEVIATION`, and the dataset declares no
            `periods_per_year`.
    """
    if annualisation.basis == "calendar" and annualisation.deviates:
        raise InvalidBarsError(
            describe_deviation(annualisation, calendar),
            expected=f"a calendar that expects bars when the file has them, "
            f"about {annualisation.measured:.0f} a year",
            found=f"{calendar} expects {annualisation.by_calendar:.0f} a year",
            where=where,
            fix=advise(annualisation, stamps, calendar, interval),
        )


def describe_deviation(annualisation: Annualisation, calendar: str) -> str:
    """How far the calendar is from the file, in a sentence."""
    times = annualisation.expected_per_bar
    error = times**0.5 - 1
    return (
        f"the calendar {calendar} expects {times:.2f} times as many bars as the file has; annual "
        f"volatilities and Sharpe ratios would be {abs(error):.0%} too "
        f"{'high' if error > 0 else 'low'}"
    ).replace("%", " %")


def advise(
    annualisation: Annualisation,
    stamps: pd.Series[pd.Timestamp],
    calendar: str,
    interval: BarInterval,
) -> str:
    """The calendar that fits, or the measured figure."""
    measured = f"add `periods_per_year: measured` ({annualisation.measured:.0f}) to the dataset"
    fitting = find_fitting_calendar(stamps, interval, calendar)
    return f"set `calendar: {fitting}`, which fits; or {measured}" if fitting else measured


def find_fitting_calendar(
    stamps: pd.Series[pd.Timestamp], interval: BarInterval, excluded: str
) -> str | None:
    """Of some calendars the one whose bars are most like these; None where none is like them.

    Likeness is the number of bars that are expected and present, of all that are one or the other.
    """
    micro = to_microseconds(stamps)
    best, likeness = None, _MIN_LIKENESS
    for calendar in _CANDIDATES:
        if calendar == excluded or likeness >= 1.0 + _advantage(calendar):
            continue
        week = TimesOfWeek.of(micro, calendar, interval)
        if week is None or _deviates(week.expected_per_bar):
            continue
        own = week.likeness + _advantage(calendar)
        if own > likeness:
            best, likeness = calendar, own
    return best


def _advantage(calendar: str) -> float:
    return _ADVANTAGE if calendar in _WITHOUT_HOLIDAYS else 0.0


def _deviates(expected_per_bar: float) -> bool:
    return not 1 / (1 + MAX_DEVIATION) <= expected_per_bar <= 1 + MAX_DEVIATION


def _compare(
    stamps: IntVector,
    calendar: str,
    interval: BarInterval,
    by_calendar: float,
    span: tuple[pd.Timestamp, pd.Timestamp],
) -> Annualisation:
    week = TimesOfWeek.of(stamps, calendar, interval)
    if week is None:
        return Annualisation(by_calendar, "calendar", by_calendar, _measure(stamps))
    if week.by_clock:
        by_calendar = periods_per_year(calendar, interval, span, by_clock=True)
    return Annualisation(
        by_calendar, "calendar", by_calendar, _measure(stamps), week.expected_per_bar
    )


def _measure(stamps: IntVector) -> float | None:
    """Bars of the whole weeks that have any, scaled to a year; None for too few weeks."""
    week = (stamps - MONDAY_US) // WEEK_US
    counts = np.bincount(week - week[0])
    whole = counts[counts > 0][1:-1]
    if whole.size < MIN_WEEKS:
        return None
    return float(whole.mean() * _SECONDS_PER_YEAR / (WEEK_US / 10**6))
