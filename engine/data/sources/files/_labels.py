"""Moves bars that are labelled by their close to their open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import interval_length, is_daily_or_longer

if TYPE_CHECKING:
    from engine.data.calendar import BarInterval

_MICROSECOND = pd.Timedelta(microseconds=1)
_DAY = pd.Timedelta(days=1)


def move_to_open(closes: pd.Series, interval: BarInterval) -> pd.Series:
    """The opens of bars within a day, from their closes.

    A bar opens one interval before its close, or at the close of the bar before it where that is
    later: the last bar of a session may be shorter than the others.

    Args:
        closes: UTC, in any order.
        interval: Length of a bar.
    """
    micros = closes.dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    ordered = np.unique(micros)
    length = interval_length(interval) // _MICROSECOND
    opens = ordered - length
    opens[1:] = np.maximum(opens[1:], ordered[:-1])
    moved = opens[np.searchsorted(ordered, micros)].astype("datetime64[us]")
    return pd.Series(moved, index=closes.index).dt.tz_localize("UTC")


def day_of_close(closes: pd.Series, interval: BarInterval, *, dates_only: bool) -> pd.Series:
    """Midnight UTC of the first day of each day, week or month that ends with a timestamp.

    Args:
        closes: Local times, labelled as UTC. Midnight ends the day before.
        interval: `1d` or longer.
        dates_only: Whether they are dates without a time. Such a date is the day itself; of a
            longer bar it is the last day, or the day after it where that begins the next bar.
    """
    if not is_daily_or_longer(interval):
        raise ValueError(f"{interval} is shorter than a day")
    if interval == "1d":
        return closes.dt.floor("D") if dates_only else (closes - _MICROSECOND).dt.floor("D")
    last = (closes - _MICROSECOND).dt.floor("D")
    if dates_only:
        begins = closes.dt.day_of_week == 0 if interval == "1w" else closes.dt.day == 1
        last = closes.dt.floor("D").where(~begins, last)
    if interval == "1w":
        return last - _DAY * last.dt.day_of_week
    return last - _DAY * (last.dt.day - 1)
