"""The newest bar that has to be there, by the calendar of the dataset."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from engine.core.errors import StaleBarsError
from engine.data import Market
from engine.live.freshness import format_age, require_fresh_bars


def market_until(last: str, *, interval: str, calendar: str) -> Market:
    """A market whose newest bar is this one."""
    bar = {"timestamp": pd.Timestamp(last, tz="UTC"), "symbol": "AAA", "close": 1.0}
    return Market(
        bars=pd.DataFrame([bar]),
        symbols=("AAA",),
        interval=interval,
        calendar=calendar,
        periods_per_year=365.25,
        provenance={"name": "made-up"},
    )


FRESH = [
    ("24/7", "1d", "2024-05-09", "2024-05-10 23:59"),
    ("24/7", "1h", "2024-05-10 12:00", "2024-05-10 13:59"),
    ("XNYS", "1d", "2024-05-10", "2024-05-13 19:59:59"),  # a weekend
    ("XASX", "1d", "2024-01-12", "2024-01-15 04:59:59"),
    ("CMES", "1d", "2024-03-08", "2024-03-11 20:59:59"),
    ("XNYS", "1w", "2024-03-18", "2024-03-28 19:59:59"),
    ("XNYS", "1d", "2024-05-24", "2024-05-28 12:00"),  # and Memorial Day
    ("XNYS", "1h", "2024-05-10 19:30", "2024-05-13 14:00"),
]
STALE = [
    ("24/7", "1d", "2024-05-09", "2024-05-11", "2024-05-10"),
    ("24/7", "1h", "2024-05-10 12:00", "2024-05-10 15:10", "2024-05-10 14:00"),
    ("XNYS", "1d", "2024-05-10", "2024-05-13 20:00", "2024-05-13"),
    ("XASX", "1d", "2024-01-12", "2024-01-15 05:00", "2024-01-15"),
    ("CMES", "1d", "2024-03-08", "2024-03-11 21:00", "2024-03-11"),
    ("XNYS", "1w", "2024-03-18", "2024-03-28 20:00", "2024-03-25"),  # Good Friday
    ("XNYS", "1d", "2024-05-24", "2024-05-29 00:00", "2024-05-28"),
]


@pytest.mark.parametrize(("calendar", "interval", "last", "now"), FRESH)
def test_no_bar_is_missed_that_is_not_complete(calendar, interval, last, now) -> None:
    market = market_until(last, interval=interval, calendar=calendar)
    require_fresh_bars(market, pd.Timestamp(now, tz="UTC"))


@pytest.mark.parametrize(("calendar", "interval", "last", "now", "expected"), STALE)
def test_a_complete_bar_that_is_missing_is_named(calendar, interval, last, now, expected) -> None:
    market = market_until(last, interval=interval, calendar=calendar)
    with pytest.raises(StaleBarsError) as caught:
        require_fresh_bars(market, pd.Timestamp(now, tz="UTC"))
    assert f"the bar {expected}" in caught.value.expected
    assert last[:10] in caught.value.found


def test_a_source_that_publishes_late_has_its_delay() -> None:
    market = replace(
        market_until("2024-05-10", interval="1d", calendar="XNYS"),
        publication_delay=pd.Timedelta(minutes=30),
    )
    require_fresh_bars(market, pd.Timestamp("2024-05-13 20:29:59", tz="UTC"))
    with pytest.raises(StaleBarsError):
        require_fresh_bars(market, pd.Timestamp("2024-05-13 20:30", tz="UTC"))


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0 min"),
        (59, "59 min"),
        (60, "1 h"),
        (125, "2 h 5 min"),
        (1440, "1 day"),
        (2 * 1440 + 185, "2 days 3 h"),
    ],
)
def test_an_age_has_its_largest_two_units(minutes: int, text: str) -> None:
    assert format_age(pd.Timedelta(minutes=minutes)) == text
