"""Whether the newest bar is the one that the calendar expects to be complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import StaleBarsError
from engine.data.bar_grid import next_bar_labels
from engine.data.calendar import interval_length

if TYPE_CHECKING:
    from engine.data import Market
    from engine.data.bar_times import TradingTimes

_FORMAT = "%Y-%m-%d %H:%M"
_MAX_COUNTED_BARS = 100_000
"""Missing bars above this number are not counted."""


def newest_bar(market: Market) -> pd.Timestamp:
    """The last bar that all symbols have."""
    return pd.Timestamp(market.bars["timestamp"].iloc[-1])


def require_fresh_bars(market: Market, now: pd.Timestamp) -> None:
    """Refuses bars that close before the newest one that is complete by the dataset's calendar.

    A bar is complete at its close, see `TradingTimes`, and the delay of the slowest source. Where
    symbols have calendars of their own, each is judged by its own, and one that was delisted by
    the newest bar is not.

    Args:
        market: Its last bar is the newest one that all symbols have.
        now: The present instant.

    Raises:
        StaleBarsError: A later bar is complete.
        UsageError: exchange-calendars does not know the calendar.
    """
    where = f"dataset {market.provenance['name']}, symbols "
    if market.assembly is None:
        where += ", ".join(market.symbols)
        _require_fresh(newest_bar(market), market.times, now, market.publication_delay, where)
        return
    listed = market.listed.iloc[-1]
    for symbol, frame in market.assembly.frames.items():
        if symbol in market.symbols and not listed[symbol]:
            continue
        last, times = pd.Timestamp(frame["timestamp"].iloc[-1]), market.assembly.times[symbol]
        _require_fresh(last, times, now, market.publication_delay, where + symbol)


def _require_fresh(
    last: pd.Timestamp, times: TradingTimes, now: pd.Timestamp, delay: pd.Timedelta, where: str
) -> None:
    due = now - delay if times.follow_sessions else now

    def complete_bars(count: int) -> pd.Series[pd.Timestamp]:
        labels = next_bar_labels(last, times.interval, times.calendar, count)
        return labels[times.close_series(labels) <= due]

    if not len(complete_bars(1)):
        return
    possible = int((now - last) / interval_length(times.interval)) + 1
    complete = complete_bars(min(possible, _MAX_COUNTED_BARS))
    expected, closed = complete.iloc[-1], times.close(last)
    count = f"{len(complete):,}" + (" or more" if len(complete) == _MAX_COUNTED_BARS else "")
    raise StaleBarsError(
        f"the newest bar is too old for a signal; complete bars that are missing: {count}",
        expected=f"the bar {expected:{_FORMAT}}, complete since "
        f"{times.close(expected):{_FORMAT}} UTC by the calendar {times.calendar}",
        found=f"{last:{_FORMAT}}, which closed {format_age(now - closed)} before "
        f"{now:{_FORMAT}} UTC",
        where=where,
        fix="try again when the source has that bar (not with --offline), or ask what would have "
        f"been said then: --as-of {closed:%Y-%m-%dT%H:%M}",
    )


def format_age(age: pd.Timedelta) -> str:
    """A length of time in its largest two units: `3 days 4 h`, `12 min`."""
    minutes = max(0, int(age / pd.Timedelta(minutes=1)))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days:,} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
    return f"{hours} h" + (f" {rest} min" if rest else "") if hours else f"{rest} min"
