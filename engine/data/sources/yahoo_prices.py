"""From the history that yfinance hands over to bars, adjusted as the dataset says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from engine.core.errors import SourceError
from engine.data.calendar import is_daily_or_longer

if TYPE_CHECKING:
    from engine.data.calendar import BarInterval

    Adjust = Literal["splits+dividends", "splits", "none"]

_PRICE_COLUMNS = ["Open", "High", "Low", "Close"]


def history_to_bars(
    history: pd.DataFrame, adjust: Adjust, interval: BarInterval, ticker: str
) -> pd.DataFrame:
    """Bars of a ticker; those for which Yahoo has no price at all are left out.

    Yahoo's prices and volumes are adjusted for splits, and it sends closes adjusted for dividends
    beside them. What follows, the same for all four prices of a bar:

    - `splits`: as they came.
    - `splits+dividends`: price x adjusted close / close.
    - `none`: price x the product of the ratios of all later splits, as it was paid on that day,
      and volume divided by it.

    Args:
        history: Of yfinance with `auto_adjust=False` and `actions=True`.
        adjust: Which of the three.
        interval: Length of a bar. A day or a week is labelled by its date on the exchange, at
            midnight UTC, and a shorter bar by its instant.
        ticker: For messages.

    Raises:
        SourceError: Dividends were paid and Yahoo sent no closes adjusted for them; or unadjusted
            weeks are wanted, of which one with a split in it has prices of two kinds.
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
    # What is paid on the first bar changes no price there is.
    paid = priced["Dividends"].iloc[1:]
    paid = paid[paid > 0]
    if len(paid) and (priced["Adj Close"] == priced["Close"]).all():
        raise SourceError(
            f"{interval} bars of {ticker} are not adjusted for dividends",
            expected="closes adjusted for dividends beside the closes",
            found=f"dividends paid: {len(paid)}, the last on {paid.index[-1]:%Y-%m-%d}",
            where=f"{ticker} of yahoo",
            fix="add `adjust: splits` to the yahoo source, or take interval 1d",
        )
    return _scale_prices(history, history["Adj Close"] / history["Close"]).assign(
        # To divide by the close and multiply by it again is not always exact.
        Close=history["Adj Close"]
    )


def _undo_split_adjustment(
    history: pd.DataFrame, interval: BarInterval, ticker: str
) -> pd.DataFrame:
    if interval == "1w":
        raise SourceError(
            "no unadjusted weeks",
            expected="`adjust: splits` or `splits+dividends` for interval 1w",
            found="adjust: none",
            where=f"{ticker} of yahoo",
            fix="take interval 1d, or adjust for splits",
        )
    ratios = history["Stock Splits"].where(history["Stock Splits"] > 0.0, 1.0)
    later = ratios[::-1].cumprod()[::-1].shift(-1, fill_value=1.0)
    return _scale_prices(history, later).assign(Volume=history["Volume"] / later)


def _scale_prices(history: pd.DataFrame, factors: pd.Series[float]) -> pd.DataFrame:
    return history.assign(**{name: history[name] * factors for name in _PRICE_COLUMNS})
