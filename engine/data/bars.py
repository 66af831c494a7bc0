"""Bars of one symbol: their columns and types, their hash, and how messages write them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from engine.core.types import PRICE_COLUMNS, TIMESTAMP_DTYPE
from engine.data.calendar import interval_length, is_daily_or_longer

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame
    from engine.data.bar_times import TradingTimes
    from engine.data.calendar import BarInterval

VALUE_COLUMNS = (*PRICE_COLUMNS, "volume")

RANGE_COLUMNS = ("open", "high", "low")
"""What close-only bars lack: NaN in every row of a symbol whose source has closes alone."""

EVENT_COLUMNS = ("adj_close", "dividends", "split")
"""What some sources deliver with the bars: the quality rules use it, no run trades on it."""

# Vendors keep prices as 32-bit floats and adjust them afterwards, which can push a close that was
# the day's high past it by a unit or two in the last place: 2**-22 is two such units.
ROUNDING_TOLERANCE = 2.0**-22

MIN_PRICE, MAX_PRICE = 1e-10, 1e15
"""Prices between which a simulation keeps its accuracy.

It fills no order of less than 1e-12 units, and none at a price of 1e-12 or less. The margin is for
slippage, and for the certificate's synthetic bars, which may fall further than the real ones.
"""

MAX_VOLUME = 1e25
"""The highest volume of a bar.

At the lowest price of a bar, 1e-10, all money of the world, 1e14 dollars, buys 1e24 units. Sums,
turnovers and their squares stay far below the largest float, 1.8e308.
"""

SHORT_HASH_LENGTH = 12
"""Hex digits of a hash that users type."""


def normalise_bars(raw: pd.DataFrame, symbol: str) -> BarsFrame:
    """The columns of bars in their order and types; rows, their order and values unchanged.

    Args:
        raw: Columns timestamp (aware, or naive in UTC) and float-like open, high, low, close,
            volume (NaN in every row where the source has none, as are open, high and low where
            it has closes alone), and `EVENT_COLUMNS` where the source has them; others are
            dropped.
        symbol: Written into every row.
    """
    stamps = raw["timestamp"]
    if stamps.dtype != TIMESTAMP_DTYPE:
        stamps = pd.to_datetime(stamps, utc=True).astype("datetime64[us, UTC]")
    names = pa.repeat(pa.scalar(symbol, pa.large_string()), len(raw))
    columns = {"timestamp": stamps, "symbol": pd.Series(names, index=raw.index, dtype="str")}
    values = [*VALUE_COLUMNS, *(column for column in EVENT_COLUMNS if column in raw)]
    columns |= {column: raw[column].astype("float64") for column in values}
    return pd.DataFrame(columns, copy=False).reset_index(drop=True)


NO_DELAY = pd.Timedelta(0)
"""Of a source that has a bar when it has closed."""

_MAX_CLOCK_ERROR = pd.Timedelta(minutes=5)
_MAX_ZONE_AHEAD = pd.Timedelta(hours=14)


def label_lead(times: TradingTimes) -> pd.Timedelta:
    """How long before its timestamp a bar may begin.

    A day is labelled by midnight UTC of its date: in Kiritimati it begins 14 hours before that,
    and the session of a Monday in Chicago on Sunday evening. On `24/7` days begin at midnight UTC,
    unless the dataset says when. This machine's clock may be late by five minutes, and by the
    length of a shorter bar.

    Args:
        times: Of the bars.
    """
    if times.follow_sessions:
        return _MAX_ZONE_AHEAD
    if interval_length(times.interval) >= pd.Timedelta(days=1):
        return _MAX_CLOCK_ERROR
    return max(_MAX_CLOCK_ERROR, interval_length(times.interval))


def drop_unfinished_bars(
    bars: BarsFrame,
    times: TradingTimes,
    now: pd.Timestamp,
    delay: pd.Timedelta = NO_DELAY,
) -> BarsFrame:
    """The bars without those that have begun and not closed at `now`.

    One bar can be unfinished. Where the clock of the server is ahead of ours, the bars before it
    that close within five minutes have closed there and not here: they are left out too. The
    quality rules report any other that closes after `now`, and one that has not begun.

    Args:
        bars: Of one symbol.
        times: When they close.
        now: The present instant.
        delay: How long after the close of a session its source completes the bar.
    """
    if bars.empty:
        return bars
    whole_at = now - delay if times.follow_sessions else now
    newest = bars["timestamp"].max()
    if times.close(newest) <= whole_at or newest - label_lead(times) > now:
        return bars
    closes = times.close_series(bars["timestamp"])
    unfinished = (closes > whole_at) & (closes <= now + _MAX_CLOCK_ERROR)
    unfinished |= bars["timestamp"] == newest
    finished: BarsFrame = bars[~unfinished].reset_index(drop=True)
    return finished


def sort_bars(bars: BarsFrame) -> BarsFrame:
    """The bars sorted by timestamp; those of one timestamp stay in their order."""
    if bars["timestamp"].is_monotonic_increasing:
        return bars.reset_index(drop=True)
    return bars.sort_values("timestamp", kind="stable", ignore_index=True)


def utc_datetime64(bars: BarsFrame) -> npt.NDArray[np.datetime64]:
    """The timestamps of bars as microseconds of UTC, without a time zone."""
    stamps = bars["timestamp"].dt.tz_localize(None)
    return np.asarray(stamps.to_numpy(), dtype="datetime64[us]")


def has_values(bars: pd.DataFrame, column: str) -> bool:
    """Whether the source of some bars has a column: whether any of its rows is not NaN.

    Args:
        bars: Of one symbol, with or without that column.
        column: One of `VALUE_COLUMNS`.
    """
    if column not in bars:
        return False
    values = bars[column].to_numpy(dtype=np.float64)
    # A source has it at every bar, or at none: the first shows it of most.
    return bool(len(values)) and not (np.isnan(values[0]) and np.isnan(values).all())


def has_volume(bars: pd.DataFrame) -> bool:
    """Whether the source of the bars of one symbol has a volume, see `has_values`."""
    return has_values(bars, "volume")


def is_close_only(bars: pd.DataFrame) -> bool:
    """Whether the source of the bars of one symbol has closes, and no open, high or low at all.

    Args:
        bars: Of one symbol; none of no bars is.
    """
    return bool(len(bars)) and not any(has_values(bars, column) for column in RANGE_COLUMNS)


def hash_bars(bars: BarsFrame) -> str:
    """SHA-256 of the bars of one symbol, 64 hex digits, whatever file or client delivered them.

    Over the timestamps as little-endian int64 microseconds since 1970, followed by open, high,
    low, close and volume as little-endian float64, each column whole and in that order; -0.0
    counts as 0.0, and every NaN as the one with the bits 0x7ff8000000000000.
    """
    digest = hashlib.sha256(utc_datetime64(bars).astype("<i8").tobytes())
    for column in VALUE_COLUMNS:
        values = bars[column].to_numpy(dtype="<f8") + 0.0
        values[np.isnan(values)] = np.nan
        digest.update(values.tobytes())
    return digest.hexdigest()


def format_timestamp(stamp: pd.Timestamp, interval: BarInterval) -> str:
    """A bar's timestamp as a user would write it: the date alone for daily and longer bars."""
    midnight = stamp == stamp.normalize()
    return (
        f"{stamp:%Y-%m-%d}"
        if midnight and is_daily_or_longer(interval)
        else f"{stamp:%Y-%m-%d %H:%M}"
    )


def format_bar_count(count: int) -> str:
    """A number of bars with its unit: `1 bar`, `1,200 bars`."""
    return "1 bar" if count == 1 else f"{count:,} bars"
