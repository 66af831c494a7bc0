"""Generated bars that contract tests compute on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.core.types import BAR_COLUMNS, PRICE_COLUMNS
from engine.data import Market

SYMBOLS = ("AAA", "BBB")
PERIODS_PER_YEAR = 365.0


def make_bars(count: int = 600, seed: int = 0) -> pd.DataFrame:
    """Valid daily bars of one symbol: a random walk with bars inside their range.

    Args:
        count: Bars.
        seed: Of the random numbers.

    Returns:
        Columns open, high, low, close and volume; index UTC, named `timestamp`.
    """
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(0.02 * rng.standard_normal(count)))
    opened = close * np.exp(0.005 * rng.standard_normal(count))
    wide = 1.0 + 0.01 * rng.random((2, count))
    return pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * wide[0],
            "low": np.minimum(opened, close) / wide[1],
            "close": close,
            "volume": rng.lognormal(10.0, 1.0, count),
        },
        index=pd.date_range("2020-01-01", periods=count, tz="UTC", name="timestamp", unit="us"),
    )


def make_market(count: int = 600, seed: int = 0) -> Market:
    """Two symbols of such bars."""
    tables = [
        make_bars(count, seed + place).assign(symbol=symbol).reset_index()
        for place, symbol in enumerate(SYMBOLS)
    ]
    return market_of(pd.concat(tables)[list(BAR_COLUMNS)])


def market_of(bars: pd.DataFrame) -> Market:
    """A market of long bars."""
    return Market(
        bars=bars.sort_values(["timestamp", "symbol"], ignore_index=True),
        symbols=SYMBOLS,
        interval="1d",
        calendar="24/7",
        periods_per_year=PERIODS_PER_YEAR,
        provenance={},
    )


def scale_prices(bars: pd.DataFrame, factor: float) -> pd.DataFrame:
    """The same bars in another unit of money."""
    return bars.assign(**{name: bars[name] * factor for name in PRICE_COLUMNS})
