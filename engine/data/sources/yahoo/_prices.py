"""Converts the history of yfinance to bars, with the declared price adjustment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from engine.core.errors import SourceError
from engine.data.calendar import is_daily_or_longer, is_longer_than_a_day

if TYPE_CHECKING:
    from engine.data.calendar import BarInterval

    Adjust = Literal["splits+dividends", "splits", "none"]

_PRICE_COLUMNS = ["Open", "High", "Low", "Close"]
_QUOTE_COLUMNS = ["open", "high", "low", "close"]


def history_to_bars(
    history: pd.DataFrame, adjust: Adjust, interval: BarInterval, ticker: str
) -> pd.DataFrame:
    """Converts a history to bars; bars without any price are left out.

    Yahoo's prices and volumes are adjusted for splits, and it sends closes adjusted for dividends
    too. The adjustment is the same for all four prices of a bar:

    - `splits`: unchanged.
    - `splits+dividends`: price x adjusted close / close.
    - `none`: price x the product of the ratios of all later splits, which is the price paid on
      that day, and volume divided by that product.

    Args:
        history: Of yfinance with `auto_adjust=False` and `actions=True`.
        adjust: The adjustment.
        interval: Length of a bar. A day or a week is labelled by its date on the exchange, at
            midnight UTC, and a shorter bar by its instant.
        ticker: For messages.

    Raises:
        SourceError: Dividends were paid and Yahoo sent no closes adjusted for them; or unadjusted
            weeks are requested, where a week with a split mixes two price levels.
    """
    if adjust == "splits+dividends":
        table = _adjust_for_dividends(history, interval, ticker)
    elif adjust == "none":
        table = _undo_split_adjustment(history, interval, ticker)
    else:
        table = history
    table = table[[*_PRICE_COLUMNS, "Volume"]].dropna(how="all", subset=_PRICE_COLUMNS)
    stamps = pd.DatetimeIndex(table.index)
    stamps = stamps.tz_localize(None) if is_daily_or_longer(interval) else stamps.tz_convert("UTC")
    return table.set_index(stamps.rename("timestamp")).reset_index().rename(columns=str.lower)


def _adjust_for_dividends(
    history: pd.DataFrame, interval: BarInterval, ticker: str
) -> pd.DataFrame:
    priced = history.dropna(subset=["Close"])
    # A dividend on the first bar changes no price.
    paid = priced["Dividends"].iloc[1:]
    paid = paid[paid > 0]
    if len(paid) and (priced["Adj Close"] == priced["Close"]).all():
        raise SourceError(
            f"{interval} bars of {ticker} are not adjusted for dividends",
            expected="closes adjusted for dividends, besides the closes",
            found=f"dividends paid: {len(paid)}, the last on {paid.index[-1]:%Y-%m-%d}",
            where=f"{ticker} of yahoo",
            fix="add `adjust: splits` to the yahoo source, or use interval 1d",
        )
    return _scale_prices(history, history["Adj Close"] / history["Close"]).assign(
        # Dividing by the close and multiplying by it again is not always exact.
        Close=history["Adj Close"]
    )


def _undo_split_adjustment(
    history: pd.DataFrame, interval: BarInterval, ticker: str
) -> pd.DataFrame:
    if is_longer_than_a_day(interval):
        raise SourceError(
            f"no unadjusted {'weekly' if interval == '1w' else 'monthly'} bars",
            expected=f"`adjust: splits` or `splits+dividends` for interval {interval}",
            found="adjust: none",
            where=f"{ticker} of yahoo",
            fix="use interval 1d, or adjust for splits",
        )
    ratios = history["Stock Splits"].where(history["Stock Splits"] > 0.0, 1.0)
    later = ratios[::-1].cumprod()[::-1].shift(-1, fill_value=1.0)
    return _scale_prices(history, later).assign(Volume=history["Volume"] / later)


def _scale_prices(history: pd.DataFrame, factors: pd.Series[float]) -> pd.DataFrame:
    return history.assign(**{name: history[name] * factors for name in _PRICE_COLUMNS})


def find_conflicting_bars(body: bytes, interval: BarInterval) -> pd.DatetimeIndex:
    """Timestamps, or days of daily bars, for which an answer has two different prices.

    The last bar is left out: Yahoo sends the current price as a second row of it, and yfinance
    makes one bar of the two. Rows without prices conflict with none.

    yfinance takes one of two conflicting rows without a word.

    Args:
        body: The answer of the chart server from which yfinance made the history.
        interval: Length of a bar.

    Returns:
        Each once, ascending; days are naive dates on the exchange.
    """
    chart = json.loads(body)["chart"]["result"][0]
    rows = _parse_rows(chart)
    if interval == "1d":
        rows["at"] = _exchange_dates(rows["at"], chart["meta"]["exchangeTimezoneName"])
    rows = rows[rows["at"] < rows["at"].max()].dropna(how="all", subset=_QUOTE_COLUMNS)
    distinct = rows.drop_duplicates(["at", *_QUOTE_COLUMNS])
    repeated = distinct.loc[distinct["at"].duplicated(), "at"]
    return pd.DatetimeIndex(repeated.drop_duplicates().sort_values())


def describe_conflicts(ticker: str, interval: BarInterval, timestamps: pd.DatetimeIndex) -> str:
    """The conflicts in one sentence."""
    count = "1 bar" if len(timestamps) == 1 else f"{len(timestamps)} bars"
    first = (
        f"{timestamps[0]:%Y-%m-%d}"
        if is_daily_or_longer(interval)
        else f"{timestamps[0]:%Y-%m-%d %H:%M}"
    )
    return (
        f"{ticker} of yahoo: {count} came twice with different prices, the first on {first}; "
        "the earlier row of each is used"
    )


def _parse_rows(chart: dict[str, Any]) -> pd.DataFrame:
    quote = chart["indicators"]["quote"][0]
    rows = pd.DataFrame({name: quote[name] for name in _QUOTE_COLUMNS}, dtype="float64")
    return rows.assign(at=pd.to_datetime(chart["timestamp"], unit="s", utc=True))


def _exchange_dates(timestamps: pd.Series[pd.Timestamp], zone: str) -> pd.Series[pd.Timestamp]:
    """Dates on the exchange, by yfinance's rule: 22:00 and 23:00 count as the next midnight."""
    local = timestamps.dt.tz_convert(zone)
    early = local.dt.hour.isin([22, 23]) & (local.dt.minute == 0)
    shift = pd.to_timedelta((24 - local.dt.hour).where(early, 0), unit="h")
    return (local + shift).dt.tz_localize(None).dt.normalize()
