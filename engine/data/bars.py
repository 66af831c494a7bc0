"""Bars: the one shape they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.types import BAR_COLUMNS, PRICE_COLUMNS
from engine.data.calendar import interval_length, is_daily_or_longer

if TYPE_CHECKING:
    from engine.core.types import BarsFrame
    from engine.data.config import BarInterval

VALUE_COLUMNS = (*PRICE_COLUMNS, "volume")

EVENT_COLUMNS = ("adj_close", "dividends", "split")
"""What some sources carry beside bars: the rules look at it, and no run trades on it."""

# Vendors keep prices as 32-bit floats and adjust them afterwards, which can push a close that was
# the day's high past it by a unit or two in the last place: 2**-22 is two such units.
ROUNDING_TOLERANCE = 2.0**-22


def normalise_bars(raw: pd.DataFrame, symbol: str) -> BarsFrame:
    """The columns of bars in their order and types; rows, their order and values unchanged.

    Args:
        raw: Columns timestamp (aware, or naive in UTC) and float-like open, high, low, close,
            volume, and `EVENT_COLUMNS` where the source carries them; others are dropped.
        symbol: Written into every row.
    """
    bars = pd.DataFrame({"timestamp": pd.to_datetime(raw["timestamp"], utc=True)})
    bars["timestamp"] = bars["timestamp"].astype("datetime64[us, UTC]")
    bars["symbol"] = pd.Series(symbol, index=bars.index, dtype="str")
    events = [column for column in EVENT_COLUMNS if column in raw]
    for column in (*VALUE_COLUMNS, *events):
        bars[column] = raw[column].astype("float64")
    return bars[[*BAR_COLUMNS, *events]].reset_index(drop=True)


def drop_unfinished_bar(bars: BarsFrame, interval: BarInterval, now: pd.Timestamp) -> BarsFrame:
    """The bars without the newest one if that is not over yet at `now`.

    Only one bar can be unfinished; any other that ends after `now` is left for the rules to find.
    """
    if bars.empty:
        return bars
    newest = bars["timestamp"].max()
    if newest + interval_length(interval) <= now:
        return bars
    finished: BarsFrame = bars[bars["timestamp"] != newest].reset_index(drop=True)
    return finished


def format_timestamp(stamp: pd.Timestamp, interval: BarInterval) -> str:
    """A bar's timestamp as a user would write it: the day alone where that says it all."""
    midnight = stamp == stamp.normalize()
    return (
        f"{stamp:%Y-%m-%d}"
        if midnight and is_daily_or_longer(interval)
        else f"{stamp:%Y-%m-%d %H:%M}"
    )
