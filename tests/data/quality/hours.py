"""Intraday bars on the schedules of exchanges, in UTC and as other clocks show them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.data.bars import normalise_bars
from engine.data.calendar import trading_schedule
from engine.data.quality import CheckSettings, check_bars

NOW = pd.Timestamp("2026-01-01", tz="UTC")


def session_stamps(calendar, first, last, every="1h", *, pause=True, floor=False):
    """The timestamps of every bar of the sessions, counted from the open, naive in UTC.

    Args:
        calendar: A code of exchange-calendars.
        first: Date.
        last: Date.
        every: Length of a bar.
        pause: Whether bars are counted anew after a break; otherwise they go on through it.
        floor: Whether bars begin at multiples of their length, as on a clock.
    """
    length = pd.Timedelta(every.replace("m", "min"))
    table = trading_schedule(calendar, pd.Timestamp(first), pd.Timestamp(last))
    stamps = []
    for row in table.itertuples():
        spans = [(row.open, row.close)]
        if pause and not pd.isna(row.break_start):
            spans = [(row.open, row.break_start), (row.break_end, row.close)]
        for begin, end in spans:
            start = begin.floor(length) if floor else begin
            span = pd.date_range(start, end, freq=length, inclusive="left")
            stamps.append(span.tz_localize(None).to_numpy())
    return pd.DatetimeIndex(np.unique(np.concatenate(stamps)))


def local_stamps(calendar, first, last, begin, end, every="1h", zone="America/New_York"):
    """The timestamps from one time of day to another of every session, naive in UTC."""
    days = trading_schedule(calendar, pd.Timestamp(first), pd.Timestamp(last)).index
    freq = every.replace("m", "min")
    spans = [
        pd.date_range(f"{day:%Y-%m-%d} {begin}", f"{day:%Y-%m-%d} {end}", freq=freq, tz=zone)
        for day in days
    ]
    stamps = [span[:-1].tz_convert("UTC").tz_localize(None).to_numpy() for span in spans]
    return pd.DatetimeIndex(np.concatenate(stamps))


def on_wall(stamps, zone):
    """The same instants as the clocks of a zone show them."""
    return stamps.tz_localize("UTC").tz_convert(zone).tz_localize(None)


def bars_at(stamps, *, seed=0, volume=None):
    """A random walk at these timestamps, which are naive in UTC."""
    rng = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.002, len(stamps))))
    opens = np.r_[100.0, closes[:-1]]
    raw = pd.DataFrame({"timestamp": stamps, "open": opens, "close": closes})
    raw["high"], raw["low"] = np.maximum(opens, closes) * 1.001, np.minimum(opens, closes) * 0.999
    raw["volume"] = rng.integers(100, 1_000, len(stamps)) if volume is None else volume
    return normalise_bars(raw, "X")


def findings(bars, interval, calendar, **terms):
    return check_bars(bars, CheckSettings(interval, NOW, calendar, **terms)).findings


def finding(bars, interval, calendar, rule, **terms):
    """The only finding of a rule."""
    (found,) = [one for one in findings(bars, interval, calendar, **terms) if one.rule == rule]
    return found
