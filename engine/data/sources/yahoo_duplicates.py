"""Bars that Yahoo sends twice with different prices, of which yfinance keeps one in silence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.data.calendar import is_daily_or_longer

if TYPE_CHECKING:
    from engine.data.calendar import BarInterval

_PRICE_COLUMNS = ["open", "high", "low", "close"]


def find_conflicting_bars(body: bytes, interval: BarInterval) -> pd.DatetimeIndex:
    """Days, or instants of shorter bars and of weeks, that an answer prices in two ways.

    The last one is left out: Yahoo sends the price of the moment as a second row beside it, and
    yfinance makes one bar of the two. Rows without prices contradict none.

    Args:
        body: The answer of the chart server that yfinance made a history of.
        interval: Length of a bar.

    Returns:
        Each once, ascending; days are naive dates on the exchange.
    """
    result = json.loads(body)["chart"]["result"][0]
    rows = _parse_rows(result)
    if interval == "1d":
        rows["at"] = _exchange_dates(rows["at"], result["meta"]["exchangeTimezoneName"])
    rows = rows[rows["at"] < rows["at"].max()].dropna(how="all", subset=_PRICE_COLUMNS)
    distinct = rows.drop_duplicates(["at", *_PRICE_COLUMNS])
    repeated = distinct.loc[distinct["at"].duplicated(), "at"]
    return pd.DatetimeIndex(repeated.drop_duplicates().sort_values())


def describe_conflicts(ticker: str, interval: BarInterval, timestamps: pd.DatetimeIndex) -> str:
    """The contradictions in one sentence."""
    count = "1 bar" if len(timestamps) == 1 else f"{len(timestamps)} bars"
    first = (
        f"{timestamps[0]:%Y-%m-%d}"
        if is_daily_or_longer(interval)
        else f"{timestamps[0]:%Y-%m-%d %H:%M}"
    )
    return (
        f"{ticker} of yahoo: {count} came twice with different prices, the first on {first}; "
        "of each the earlier row is taken"
    )


def _parse_rows(result: dict[str, Any]) -> pd.DataFrame:
    quote = result["indicators"]["quote"][0]
    rows = pd.DataFrame({name: quote[name] for name in _PRICE_COLUMNS}, dtype="float64")
    return rows.assign(at=pd.to_datetime(result["timestamp"], unit="s", utc=True))


def _exchange_dates(timestamps: pd.Series[pd.Timestamp], zone: str) -> pd.Series[pd.Timestamp]:
    """Dates on the exchange, found as yfinance finds them: 22:00 and 23:00 are a late midnight."""
    local = timestamps.dt.tz_convert(zone)
    early = local.dt.hour.isin([22, 23]) & (local.dt.minute == 0)
    shift = pd.to_timedelta((24 - local.dt.hour).where(early, 0), unit="h")
    return (local + shift).dt.tz_localize(None).dt.normalize()
