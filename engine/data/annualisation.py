"""Bars a year of a dataset: by its calendar, counted in its bars, or declared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError
from engine.data.calendar import (
    ALWAYS_OPEN,
    exchange_timezone,
    holidays_known_from,
    interval_length,
    is_longer_than_a_day,
    periods_per_year,
    require_known_calendar,
    trading_schedule,
)

if TYPE_CHECKING:
    from engine.core.types import IntVector, Vector
    from engine.data.calendar import BarInterval

MAX_DEVIATION = 0.05
"""Largest difference of bars a year between a calendar and a file, as a fraction."""

_MIN_WEEKS = 4
"""Weeks of bars without which the days and hours of trading cannot be told."""

# A time of the week at which bars are this much rarer than at the others has no trading. Minutes
# of thin markets are rarer at night too, but not by so much.
_CLOSED_SHARE = 0.03

# Calendars that are tried where the dataset's does not fit, and how alike the bars have to be.
_CANDIDATES = (
    *(ALWAYS_OPEN, "24/5", "XNYS", "CMES", "XLON", "XETR", "XTKS", "XHKG", "XSHG", "XBOM"),
)
_MIN_LIKENESS = 0.9

# Calendars without holidays are the ones to name, unless the holidays of another fit clearly.
_WITHOUT_HOLIDAYS, _ADVANTAGE = (ALWAYS_OPEN, "24/5"), 0.02

_SECONDS_PER_YEAR = 365.25 * 86_400
_WEEK_US, _DAY_US = 7 * 86_400 * 10**6, 86_400 * 10**6
# A Monday at midnight.
_MONDAY_US = 4 * _DAY_US


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
            for a wrong calendar; 1 where that cannot be told.
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
        found = _compare(_to_microseconds(stamps), calendar, interval, by_calendar, span)
    if declared is None:
        return found
    if declared == "measured":
        if found.measured is None:
            raise InvalidBarsError(
                "there are too few bars to measure how many a year has",
                expected=f"bars of more than {_MIN_WEEKS} weeks",
                found=f"{len(stamps)} bars",
                where="periods_per_year",
                fix=f"declare the number: `periods_per_year: {by_calendar:g}`",
            )
        return replace(found, periods_per_year=found.measured, basis="measured")
    return replace(found, periods_per_year=float(declared), basis="declared")


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
    micro = _to_microseconds(stamps)
    best, likeness = None, _MIN_LIKENESS
    for calendar in _CANDIDATES:
        if calendar == excluded:
            continue
        week = _TimesOfWeek.of(micro, calendar, interval)
        if week is None or _deviates(week.expected_per_bar):
            continue
        own = week.likeness + (_ADVANTAGE if calendar in _WITHOUT_HOLIDAYS else 0.0)
        if own > likeness:
            best, likeness = calendar, own
    return best


def _deviates(expected_per_bar: float) -> bool:
    return not 1 / (1 + MAX_DEVIATION) <= expected_per_bar <= 1 + MAX_DEVIATION


def _compare(
    stamps: IntVector,
    calendar: str,
    interval: BarInterval,
    by_calendar: float,
    span: tuple[pd.Timestamp, pd.Timestamp],
) -> Annualisation:
    week = _TimesOfWeek.of(stamps, calendar, interval)
    if week is None:
        return Annualisation(by_calendar, "calendar", by_calendar, _measure(stamps))
    if week.by_clock:
        by_calendar = periods_per_year(calendar, interval, span, by_clock=True)
    return Annualisation(
        by_calendar, "calendar", by_calendar, _measure(stamps), week.expected_per_bar
    )


def _measure(stamps: IntVector) -> float | None:
    """Bars of the whole weeks that have any, scaled to a year; None for too few weeks."""
    week = (stamps - _MONDAY_US) // _WEEK_US
    counts = np.bincount(week - week[0])
    whole = counts[counts > 0][1:-1]
    if whole.size < _MIN_WEEKS:
        return None
    return float(whole.mean() * _SECONDS_PER_YEAR / (_WEEK_US / 10**6))


@dataclass(frozen=True, eq=False)
class _TimesOfWeek:
    """Bars that a calendar expects and bars that are there, by the time of the week.

    Attributes:
        expected: Of each time of the week, how many bars the calendar expects.
        present: How many there are.
        hits: How many of them are expected.
        by_clock: Whether bars begin by the clock instead of at the opens of sessions.
    """

    expected: Vector
    present: Vector
    hits: Vector
    by_clock: bool

    @classmethod
    def of(cls, stamps: IntVector, calendar: str, interval: BarInterval) -> _TimesOfWeek | None:
        """Compares bars with a calendar; None for fewer than four weeks that it knows."""
        length = int(interval_length(interval) / pd.Timedelta(microseconds=1))
        if length == _DAY_US:
            stamps = _drop_repeats(stamps // _DAY_US * _DAY_US)
        if calendar == ALWAYS_OPEN:
            phase = stamps[0] % length
            expected = np.arange(stamps[0], stamps[-1] + 1, length)
            stamps = (stamps - phase) // length * length + phase
            return cls._count(stamps, expected, calendar, length, by_clock=False)
        known = _to_microseconds(pd.DatetimeIndex([holidays_known_from(calendar)]))[0]
        stamps = stamps[stamps >= known]
        if not stamps.size:
            return None
        day_before, day_after = _to_timestamps(stamps[[0, -1]] + np.array([-_DAY_US, _DAY_US]))
        schedule = trading_schedule(calendar, day_before, day_after)
        days = _to_microseconds(schedule.index)
        if not days.size:
            return None
        stamps = stamps[stamps < days[-1] + _DAY_US]
        if length == _DAY_US:
            return cls._count(stamps, _clip(days, stamps), calendar, length, by_clock=False)
        by_session, by_clock = (
            _clip(_fill_spans(*_trading_spans(schedule), length, by_clock=clock), stamps)
            for clock in (False, True)
        )
        clock_fits = _count_common(by_clock, stamps) > _count_common(by_session, stamps)
        expected = by_clock if clock_fits else by_session
        return cls._count(stamps, expected, calendar, length, by_clock=bool(clock_fits))

    @classmethod
    def _count(
        cls, stamps: IntVector, expected: IntVector, calendar: str, length: int, *, by_clock: bool
    ) -> _TimesOfWeek | None:
        if stamps.size < 2 or stamps[-1] - stamps[0] < _MIN_WEEKS * _WEEK_US - _DAY_US:
            return None
        hits = stamps[_find_hits(stamps, expected, length)]
        return cls(
            expected=_count_times_of_week(expected, calendar, length),
            present=_count_times_of_week(stamps, calendar, length),
            hits=_count_times_of_week(hits, calendar, length),
            by_clock=by_clock,
        )

    @property
    def expected_per_bar(self) -> float:
        """Bars that the calendar expects, for each bar that the file would have without holes.

        At a time of the week at which the file has bars, all that the calendar expects count as
        there; bars at other times count in the proportion of those.
        """
        shared = (self.expected > 0) & (self.present > 0)
        shares = np.minimum(1.0, self.present[shared] / self.expected[shared])
        filled = float(np.median(shares)) if shares.size else 1.0
        closed = self.present < _CLOSED_SHARE * filled * self.expected
        beyond = np.maximum(self.present - self.hits, 0.0) / filled
        there = np.where(closed, self.hits / filled, self.expected).sum() + beyond.sum()
        return float(self.expected.sum() / there)

    @property
    def likeness(self) -> float:
        """Bars that are both expected and present, of those that are one or the other."""
        both = self.hits.sum()
        return float(both / (self.expected.sum() + self.present.sum() - both))


def _count_times_of_week(stamps: IntVector, calendar: str, length: int) -> Vector:
    """Number of bars at each time of the week of the exchange, in steps of a bar's length."""
    local = stamps if length == _DAY_US else stamps + _utc_offsets(stamps, calendar)
    slots = (local - _MONDAY_US) % _WEEK_US // length
    return np.bincount(slots, minlength=-(-_WEEK_US // length)).astype(np.float64)


def _utc_offsets(stamps: IntVector, calendar: str) -> IntVector | int:
    """What is added to UTC for the exchange's clock, by the day; one lookup a day is enough."""
    if calendar == ALWAYS_OPEN or not stamps.size:
        return 0
    days = np.arange(stamps[0] // _DAY_US, stamps[-1] // _DAY_US + 1) * _DAY_US
    utc = pd.DatetimeIndex(days.astype("datetime64[us]")).tz_localize("UTC")
    local = utc.tz_convert(exchange_timezone(calendar)).tz_localize(None)
    offsets = local.to_numpy().astype("datetime64[us]").astype(np.int64) - days
    return np.asarray(offsets[stamps // _DAY_US - stamps[0] // _DAY_US])


def _trading_spans(schedule: pd.DataFrame) -> tuple[IntVector, IntVector]:
    """Begin and end of each session, or of its halves where it has a break, ascending."""
    opens, pauses, ends, closes = (
        schedule[name] for name in ("open", "break_start", "break_end", "close")
    )
    has_break = pauses.notna()
    begins = pd.concat([opens, ends[has_break]])
    until = pd.concat([pauses.where(has_break, closes), closes[has_break]])
    return np.sort(_to_microseconds(begins)), np.sort(_to_microseconds(until))


def _fill_spans(begins: IntVector, ends: IntVector, length: int, *, by_clock: bool) -> IntVector:
    """Opens of the bars that cover spans, from their begins or by the clock; each once."""
    first = begins // length * length if by_clock else begins
    counts = -((first - ends) // length)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return _drop_repeats(np.repeat(first, counts) + number * length)


def _find_hits(stamps: IntVector, expected: IntVector, length: int) -> IntVector:
    """Positions of the first bar that begins within each expected bar, where there is one."""
    if not expected.size:
        return np.array([], dtype=np.int64)
    own = np.searchsorted(expected, stamps, side="right") - 1
    within = np.flatnonzero((own >= 0) & (stamps - expected[np.maximum(own, 0)] < length))
    return within[np.diff(own[within], prepend=-1) > 0]


def _count_common(some: IntVector, others: IntVector) -> int:
    """How many ascending instants are among others, ascending too."""
    # np.isin and np.unique hash: of numpy 2.4 they take 3 s for a million whole minutes.
    if not others.size:
        return 0
    nearest = others[np.minimum(np.searchsorted(others, some), others.size - 1)]
    return int((nearest == some).sum())


def _drop_repeats(ascending: IntVector) -> IntVector:
    return ascending[np.diff(ascending, prepend=ascending[:1] - 1) > 0]


def _clip(expected: IntVector, stamps: IntVector) -> IntVector:
    return (
        expected[(expected >= stamps[0]) & (expected <= stamps[-1])] if stamps.size else expected
    )


def _to_microseconds(stamps: pd.Series[pd.Timestamp] | pd.DatetimeIndex) -> IntVector:
    index = pd.DatetimeIndex(stamps)
    naive = index.tz_convert("UTC").tz_localize(None) if index.tz is not None else index
    return np.asarray(naive.to_numpy().astype("datetime64[us]").astype(np.int64))


def _to_timestamps(micro: IntVector) -> list[pd.Timestamp]:
    return [pd.Timestamp(int(each), unit="us", tz="UTC") for each in micro]
