"""The engine's intervals in ccxt's names of timeframes, and those that an exchange really has."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pandas as pd

from engine.core.errors import SourceError
from engine.data.calendar import BarInterval, interval_length
from engine.data.intervals import divides

if TYPE_CHECKING:
    from engine.data.sources.exchange.ccxt_types import CcxtExchange

_CCXT_NAMES = {"1mo": "1M"}
"""ccxt's names of intervals, where they differ."""

_SHORTEST_LENGTHS = {"1mo": pd.Timedelta(days=28)}
"""Shortest length of intervals whose candles are not all of one length."""

_MONTH_RATIO = (30 / 28, 31 / 28)
"""A month may be asked for as 30 or 31 days, another interval as its length alone."""

_UNITS_PER_HOUR = {"60": 60.0, "3600": 3_600.0, "3600000": 3_600_000.0}


def ccxt_timeframe(interval: BarInterval) -> str:
    """The name of an interval in ccxt."""
    return _CCXT_NAMES.get(interval, interval)


def shortest_length(interval: BarInterval) -> pd.Timedelta:
    """Length of a candle; of months, that of the shortest."""
    length = _SHORTEST_LENGTHS.get(interval)
    return interval_length(interval) if length is None else length


def requested_length(exchange: CcxtExchange, interval: BarInterval) -> pd.Timedelta | None:
    """Length of the candles that ccxt asks the exchange for; None where its name does not say.

    An exchange that counts lengths in minutes, seconds or milliseconds does so for all of them.
    ccxt 4.5.90 asks Bitstamp for three days as `1w` and ZebPay for eight hours as `4h`.
    """
    names = exchange.timeframes or {}
    per_hour = _UNITS_PER_HOUR.get(str(names.get("1h")))
    try:
        units = float(names[ccxt_timeframe(interval)])
    except (KeyError, TypeError, ValueError):
        return None
    return None if per_hour is None else pd.Timedelta(hours=units / per_hour)


def offers(exchange: CcxtExchange, interval: BarInterval) -> bool:
    """Whether the exchange has candles of this length, under ccxt's name of it."""
    if ccxt_timeframe(interval) not in (exchange.timeframes or {}):
        return False
    requested = requested_length(exchange, interval)
    if requested is None:
        return True
    ratio = requested / shortest_length(interval)
    least, most = _MONTH_RATIO if interval in _SHORTEST_LENGTHS else (1.0, 1.0)
    return bool(least - 1e-9 <= ratio <= most + 1e-9)


def require_offered(exchange: CcxtExchange, interval: BarInterval, where: str) -> None:
    """Raises where the exchange has no candles of this length.

    Raises:
        SourceError: It has none; names those that it has, and the one to resample.
    """
    if offers(exchange, interval):
        return
    usable = [name for name in get_args(BarInterval) if offers(exchange, name)]
    finer = [name for name in usable if divides(name, interval)]
    found = f"{interval} is not among them"
    requested = requested_length(exchange, interval)
    if requested is not None:
        found = f"what ccxt names {ccxt_timeframe(interval)} there lasts {_words(requested)}"
    fix = "change the interval of the dataset, or use another exchange"
    if finer:
        best = max(finer, key=interval_length)
        fix = f"add `interval: {best}` to this source: its bars are then resampled to {interval}"
    raise SourceError(
        f"no {interval} candles",
        expected=f"one of {', '.join(usable)}" if usable else "an exchange with candles",
        found=found if usable else "ccxt gets no candles from this exchange",
        where=where,
        fix=fix if usable else "use another exchange",
    )


def _words(length: pd.Timedelta) -> str:
    hours = length / pd.Timedelta(hours=1)
    return f"{hours / 24:g} days" if hours >= 24 else f"{hours:g} hours"
