"""Whether the newest bar is the one that the calendar expects to be complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import StaleBarsError
from engine.data.bar_grid import next_bar_labels
from engine.data.intervals import bar_end

if TYPE_CHECKING:
    from engine.data import Market

_FORMAT = "%Y-%m-%d %H:%M"
_MAX_COUNTED_BARS = 100_000
"""Missing bars above this number are not counted."""


def newest_bar(market: Market) -> pd.Timestamp:
    """The last bar that all symbols have."""
    return pd.Timestamp(market.bars["timestamp"].iloc[-1])


def require_fresh_bars(market: Market, now: pd.Timestamp) -> None:
    """Refuses bars that end before the newest one that is complete by the dataset's calendar.

    Args:
        market: Its last bar is the newest one that all symbols have.
        now: The present instant.

    Raises:
        StaleBarsError: A later bar is complete.
        UsageError: exchange-calendars does not know the calendar.
    """
    last = newest_bar(market)
    following = next_bar_labels(last, market.interval, market.calendar, 1)
    if not len(following) or bar_end(following.iloc[0], market.interval) > now:
        return
    length = bar_end(last, market.interval) - last
    possible = min(int((now - last) / length) + 1, _MAX_COUNTED_BARS)
    complete = [
        label
        for label in next_bar_labels(last, market.interval, market.calendar, possible)
        if bar_end(label, market.interval) <= now
    ]
    expected = complete[-1]
    count = f"{len(complete):,}" + (" or more" if len(complete) == _MAX_COUNTED_BARS else "")
    raise StaleBarsError(
        f"the newest bar is too old for a signal; complete bars that are missing: {count}",
        expected=f"the bar {expected:{_FORMAT}}, complete since "
        f"{bar_end(expected, market.interval):{_FORMAT}} UTC by the calendar {market.calendar}",
        found=f"{last:{_FORMAT}}, which ended "
        f"{format_age(now - bar_end(last, market.interval))} before {now:{_FORMAT}} UTC",
        where=f"dataset {market.provenance['name']}, symbols {', '.join(market.symbols)}",
        fix="try again when the source has that bar (not with --offline), or ask what would have "
        f"been said then: --as-of {bar_end(last, market.interval):%Y-%m-%dT%H:%M}",
    )


def format_age(age: pd.Timedelta) -> str:
    """A length of time in its largest two units: `3 days 4 h`, `12 min`."""
    minutes = max(0, int(age / pd.Timedelta(minutes=1)))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days:,} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
    return f"{hours} h" + (f" {rest} min" if rest else "") if hours else f"{rest} min"
