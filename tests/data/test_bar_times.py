"""When bars are known: at the close of their session, and never before it."""

from __future__ import annotations

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.bar_grid import next_bar_labels
from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars
from engine.data.calendar import holidays_known_from, sessions_known_until, trading_schedule
from engine.data.intervals import bar_end
from engine.data.sessions import DayBegin
from tests.hypothesis_examples import examples

NEW_YORK_EVENING = DayBegin.parse("17:00 America/New_York")
SECOND = pd.Timedelta(seconds=1)
CALENDARS = ("XNYS", "XTKS", "CMES", "XASX", "XNZE", "24/5", "us_futures")
"""Half days, a lunch break, sessions of the evening before, and days without a pause."""

EXCHANGES = sorted(set(exchange_calendars.get_calendar_names(include_aliases=False)) - {"24/7"})


def instant(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


CLOSES = [
    ("24/7", "1d", "2024-03-10", "2024-03-11 00:00"),
    ("24/7", "1w", "2024-03-04", "2024-03-11 00:00"),
    ("24/7", "1h", "2024-03-10 12:00", "2024-03-10 13:00"),
    ("24/5", "1d", "2024-03-08", "2024-03-09 00:00"),
    ("XNYS", "1d", "2024-03-08", "2024-03-08 21:00"),
    ("XNYS", "1d", "2024-03-11", "2024-03-11 20:00"),  # clocks went forward
    ("XNYS", "1d", "2024-07-03", "2024-07-03 17:00"),  # a half day
    ("XNYS", "1d", "2024-07-03 04:00", "2024-07-03 17:00"),  # labelled by the local midnight
    ("XNYS", "1d", "2024-07-04", "2024-07-05 00:00"),  # a holiday: no session has such a bar
    ("XNYS", "1h", "2024-07-03 16:30", "2024-07-03 17:30"),
    ("XNYS", "1w", "2024-07-01", "2024-07-05 20:00"),
    ("XNYS", "1w", "2024-03-25", "2024-03-28 20:00"),  # Good Friday
    ("XNYS", "1w", "2024-03-23", "2024-03-28 20:00"),  # labelled by a Saturday
    ("XNYS", "1mo", "2024-08-01", "2024-08-30 20:00"),
    ("XTKS", "1d", "2024-03-11", "2024-03-11 06:00"),  # the lunch break ends no day
    ("CMES", "1d", "2024-03-08", "2024-03-08 22:00"),
    ("CMES", "1d", "2024-03-11", "2024-03-11 21:00"),
    ("XASX", "1d", "2024-01-15", "2024-01-15 05:00"),
    ("XNZE", "1d", "2024-01-15", "2024-01-15 03:45"),
]


@pytest.mark.parametrize(("calendar", "interval", "bar", "closes"), CLOSES)
def test_a_bar_closes_with_its_session(calendar, interval, bar, closes) -> None:
    assert TradingTimes(interval, calendar).close(instant(bar)) == instant(closes)


@pytest.mark.parametrize("calendar", ["24/7", "24/5"])
@pytest.mark.parametrize(
    ("bar", "closes"), [("2024-01-16", "2024-01-16 22:00"), ("2024-07-16", "2024-07-16 21:00")]
)
def test_a_day_that_begins_in_the_evening_closes_in_the_next_one(calendar, bar, closes) -> None:
    times = TradingTimes("1d", calendar, NEW_YORK_EVENING)
    assert times.close(instant(bar)) == instant(closes)


def test_a_bar_of_a_day_that_the_calendar_does_not_know_closes_at_midnight() -> None:
    known = sessions_known_until("XSHG")
    late = known + pd.Timedelta(days=20)
    assert TradingTimes("1d", "XSHG").close(late) == late + pd.Timedelta(days=1)
    week = known - pd.Timedelta(days=3)  # whose last days are not known
    assert TradingTimes("1w", "XSHG").close(week) == week + pd.Timedelta(days=7)
    assert TradingTimes("1d", "XSHG").close(instant("1950-01-04")) == instant("1950-01-05")


def test_no_bars_have_no_times() -> None:
    opens, closes = TradingTimes("1d", "XNYS").spans(np.array([], dtype=np.int64))
    assert opens.size == closes.size == 0


@st.composite
def weeks(draw: st.DrawFn) -> tuple[str, pd.DataFrame]:
    """A calendar and about a month of its sessions, wherever in its history."""
    calendar = draw(st.sampled_from(CALENDARS))
    first, last = holidays_known_from(calendar), sessions_known_until(calendar)
    days = draw(st.integers(0, (last - first).days - 50))
    begin = first + pd.Timedelta(days=days)
    return calendar, trading_schedule(calendar, begin, begin + pd.Timedelta(days=45))


def require_known_at_the_close(calendar: str, schedule: pd.DataFrame, seed: int) -> None:
    """A day closes with its session, not after the next open, and is dropped until then."""
    times = TradingTimes("1d", calendar)
    labels = pd.DatetimeIndex(schedule.index).tz_localize("UTC")
    micro = labels.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    opens, closes = (
        pd.DatetimeIndex(each.astype("datetime64[us]")).tz_localize("UTC")
        for each in times.spans(micro)
    )
    assert (opens == pd.DatetimeIndex(schedule["open"])).all()
    assert (closes == pd.DatetimeIndex(schedule["close"])).all()
    assert (closes[:-1] <= opens[1:]).all()
    assert (np.diff(closes.asi8) > 0).all()
    rng = np.random.default_rng(seed)
    bars = pd.DataFrame({"timestamp": labels})
    for row in rng.integers(1, len(labels), 3):
        before = drop_unfinished_bars(bars[: row + 1], times, closes[row] - SECOND)
        after = drop_unfinished_bars(bars[: row + 1], times, closes[row])
        assert (len(before), len(after)) == (row, row + 1)


@examples(40)
@given(chosen=weeks(), seed=st.integers(0, 2**32 - 1))
def test_a_day_is_known_from_its_close_on_and_before_the_next_open(chosen, seed) -> None:
    require_known_at_the_close(*chosen, seed)


@pytest.mark.slow
@pytest.mark.parametrize("group", range(4))
def test_so_it_is_on_every_calendar(group) -> None:
    for calendar in EXCHANGES[group::4]:
        last = sessions_known_until(calendar)
        schedule = trading_schedule(calendar, last - pd.Timedelta(days=1_200), last)
        require_known_at_the_close(calendar, schedule, seed=group)


@examples(30)
@given(chosen=weeks(), interval=st.sampled_from(["1w", "1mo"]))
def test_a_week_is_known_at_the_close_of_its_last_session(chosen, interval) -> None:
    calendar, schedule = chosen
    days = pd.DatetimeIndex(schedule.index)
    label = days[0] - pd.Timedelta(days=days[0].weekday()) + pd.Timedelta(days=7)
    if interval == "1mo":
        label = days[0].replace(day=1)
    end = bar_end(label, interval)
    whole = trading_schedule(calendar, label, end - pd.Timedelta(days=1))
    known = holidays_known_from(calendar).tz_localize(None)
    times = TradingTimes(interval, calendar)
    expected = whole["close"].iloc[-1] if label >= known and len(whole) else end
    assert times.close(label.tz_localize("UTC")) == pd.Timestamp(expected).tz_localize(
        None
    ).tz_localize("UTC")


@examples(30)
@given(
    calendar=st.sampled_from([*CALENDARS, "24/7"]),
    interval=st.sampled_from(["1d", "1w"]),
    hours=st.integers(0, 24 * 300),
    pulled=st.integers(0, 24 * 20),
    waited=st.integers(0, 24 * 20),
)
def test_a_later_close_is_found_wherever_it_lies(
    calendar, interval, hours, pulled, waited
) -> None:
    times = TradingTimes(interval, calendar)
    last = sessions_known_until(calendar if calendar != "24/7" else "XNYS") - pd.Timedelta(
        days=380
    )
    bar = next_bar_labels(last + pd.Timedelta(hours=hours // 24 * 24), interval, calendar, 1)[0]
    first = bar + pd.Timedelta(hours=pulled)
    until = first + pd.Timedelta(hours=waited)
    following = next_bar_labels(bar, interval, calendar, 60)
    closes = times.close_series(following)
    expected = ((closes > first) & (closes <= until)).any()
    found = times.has_closed_between(bar, first, until)
    assert found or not expected
    # On days without a session a pull is made too, as it is at every midnight on `24/7`.
    assert not found or expected or calendar != "24/7"
