"""The last close of a week or month is known beforehand, from the calendar alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.data.calendar import sessions_known_until, trading_schedule, unforeseen_closures
from engine.data.sessions import DayBegin
from engine.portfolio import (
    BookTerms,
    PortfolioRow,
    PortfolioSpec,
    PortfolioState,
    TradingCalendar,
    rebalance,
)
from tests.hypothesis_examples import examples

NEW_YORK = TradingCalendar("XNYS", "1d")


def ends(bars: list[str], kind: str, calendar: TradingCalendar = NEW_YORK) -> list[str]:
    """The bars that end a period, of all but the first."""
    stamps = [pd.Timestamp(bar, tz="UTC") for bar in bars]
    return [
        bar
        for bar, before, stamp in zip(bars[1:], stamps, stamps[1:], strict=False)
        if calendar.ends_period(before, stamp, kind)
    ]


def sessions(first: str, last: str) -> list[str]:
    days = trading_schedule("XNYS", pd.Timestamp(first), pd.Timestamp(last)).index
    return [f"{day:%Y-%m-%d}" for day in days]


def test_month_ends_of_new_york_are_its_last_sessions() -> None:
    found = ends(sessions("2018-01-02", "2018-12-31"), "month_end")
    assert found == [
        *("2018-01-31", "2018-02-28", "2018-03-29", "2018-04-30", "2018-05-31", "2018-06-29"),
        *("2018-07-31", "2018-08-31", "2018-09-28", "2018-10-31", "2018-11-30", "2018-12-31"),
    ]


def test_a_week_ends_on_thursday_where_friday_is_a_holiday() -> None:
    found = ends(sessions("2018-03-19", "2018-04-13"), "week_end")
    assert found == ["2018-03-23", "2018-03-29", "2018-04-06", "2018-04-13"]


def test_a_closure_that_nobody_knew_of_ends_no_week_before_it() -> None:
    """After Monday, 10 September 2001, New York opened again a week later."""
    found = ends(sessions("2001-09-04", "2001-09-25"), "week_end")
    assert found == ["2001-09-07", "2001-09-17", "2001-09-21"]
    assert not len(unforeseen_closures("XHKG"))


def test_a_missing_last_bar_is_replaced_by_the_next_one() -> None:
    days = [day for day in sessions("2018-01-22", "2018-02-09") if day != "2018-01-31"]
    assert ends(days, "month_end") == ["2018-02-01"]


def test_a_month_without_any_bar_ends_once() -> None:
    assert ends(["2018-01-30", "2018-03-14", "2018-03-15"], "month_end") == ["2018-03-14"]


def test_an_hour_that_reaches_the_close_of_a_half_day_ends_its_month() -> None:
    """The session of 29 November 2019 ends at 18:00 UTC."""
    hourly = TradingCalendar("XNYS", "1h")
    hours = [f"2019-11-29 {hour}:30" for hour in range(14, 18)]
    assert ends(hours, "month_end", hourly) == ["2019-11-29 17:30"]


def test_an_evening_session_belongs_to_the_week_of_its_day() -> None:
    """In Chicago the session of a Monday opens on Sunday evening; Friday's closes at 22:00 UTC."""
    hourly = TradingCalendar("CMES", "1h")
    hours = ["2019-01-11 20:00", "2019-01-11 21:00", "2019-01-11 22:00", "2019-01-13 23:00"]
    assert ends(hours, "week_end", hourly) == ["2019-01-11 21:00"]


def test_periods_of_a_market_that_is_always_open_end_at_midnight() -> None:
    daily, quarter = TradingCalendar("24/7", "1d"), TradingCalendar("24/7", "4h")
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2021-01-28", "2021-03-02")]
    assert ends(days, "month_end", daily) == ["2021-01-31", "2021-02-28"]
    assert ends(days, "week_end", daily)[:2] == ["2021-01-31", "2021-02-07"]
    hours = ["2021-01-31 16:00", "2021-01-31 20:00", "2021-02-01 00:00"]
    assert ends(hours, "month_end", quarter) == ["2021-01-31 20:00"]


@pytest.mark.parametrize("calendar", ["24/7", "24/5"])
def test_periods_of_days_that_begin_in_the_evening_end_then(calendar) -> None:
    """At 17:00 in New York, which is 22:00 UTC; the 29th of January 2021 is a Friday."""
    begins = DayBegin.parse("17:00 America/New_York")
    hourly = TradingCalendar(calendar, "1h", begins)
    last = {"24/7": "2021-01-31", "24/5": "2021-01-29"}[calendar]
    hours = [f"{last} {hour}:00" for hour in (20, 21, 22, 23)] + ["2021-02-01 00:00"]
    assert ends(hours, "month_end", hourly) == [f"{last} 21:00"]
    assert ends(hours, "week_end", hourly) == [f"{last} 21:00"]
    days = [f"{day:%Y-%m-%d}" for day in pd.bdate_range("2021-01-25", "2021-02-04")]
    daily = TradingCalendar(calendar, "1d", begins)
    assert ends(days, "month_end", daily) == (
        ["2021-02-01"] if calendar == "24/7" else ["2021-01-29"]
    )


@pytest.mark.parametrize("interval", ["1w", "1mo"])
def test_longer_bars_end_a_month_with_the_first_close_that_is_not_before_its_end(interval) -> None:
    calendar = TradingCalendar("XNYS", interval)
    bars = {"1w": ["2021-01-18", "2021-01-25", "2021-02-01"], "1mo": ["2021-01-01", "2021-02-01"]}
    due = {"1w": ["2021-01-25"], "1mo": ["2021-02-01"]}
    assert ends(bars[interval], "month_end", calendar) == due[interval]


def test_beyond_the_calendar_a_period_ends_with_its_last_day() -> None:
    known = sessions_known_until("XNYS")
    later = (known + pd.DateOffset(months=3)).replace(day=1)
    days = pd.date_range(later, periods=40)
    assert not NEW_YORK.knows(later, days[-1])
    found = ends([f"{day:%Y-%m-%d}" for day in days], "month_end")
    assert found == [f"{later + pd.offsets.MonthEnd(1):%Y-%m-%d}"]


def test_without_a_calendar_there_is_an_error_that_says_what_is_missing() -> None:
    row = PortfolioRow(("A",), np.ones(1), np.ones(1), np.ones(1), np.empty((0, 1)))
    state = PortfolioState(pd.Timestamp("2021-01-01", tz="UTC"), 0, np.zeros(1))
    day = pd.Timestamp("2021-01-02", tz="UTC")
    with pytest.raises(UsageError, match="needs the calendar of the bars"):
        rebalance(state, row, day, PortfolioSpec(rebalance="month_end"))


@examples(60)
@given(
    kept=st.lists(st.booleans(), min_size=90, max_size=90),
    t=st.integers(1, 89),
    kind=st.sampled_from(["week_end", "month_end"]),
)
def test_a_rebalancing_does_not_depend_on_which_bars_come_later(
    kept: list[bool], t: int, kind: str
) -> None:
    """The bar after a close may be any later one, or missing: it is decided the same."""
    days = pd.DatetimeIndex(sessions("2019-03-01", "2019-07-12"), tz="UTC")[:90]
    full = days[[own or place == t for place, own in enumerate(kept)]]
    terms, spec = BookTerms(calendar=NEW_YORK), PortfolioSpec(rebalance=kind)

    def rebalanced(bars: pd.DatetimeIndex) -> list[pd.Timestamp]:
        state, found = PortfolioState.start(1), []
        for stamp in bars:
            row = PortfolioRow(("A",), np.ones(1), np.ones(1), np.ones(1), np.empty((0, 1)))
            state = rebalance(state, row, stamp, spec, terms)
            found += [stamp] if state.bars == 0 else []
        return found

    until = full[full <= days[t]]
    assert [stamp for stamp in rebalanced(full) if stamp <= days[t]] == rebalanced(until)
