from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def bars() -> pd.DataFrame:
    """2,600 daily bars of a volatile coin, its first year with runs of no volume, one flat."""
    rng = np.random.default_rng(20130429)
    n = 2600
    close = 100 * np.exp(np.cumsum(rng.standard_t(4, n) * 0.03))
    close[700:760] = close[700]
    wide = np.abs(rng.normal(0, 0.02, (2, n)))
    wide[:, 700:760] = 0
    volume = rng.lognormal(20, 1.5, n)
    volume[:240] = 0
    volume[300:330] = 0
    return pd.DataFrame(
        {
            "open": close,
            "high": close * (1 + wide[0]),
            "low": close * (1 - wide[1]),
            "close": close,
            "volume": volume,
        },
        index=pd.date_range("2013-04-29", periods=n, freq="D", tz="UTC", name="timestamp"),
    )


COINS = ("BTC", "ETH", "XRP", "LTC", "DOGE")


@pytest.fixture(scope="session", params=COINS)
def real_bars(request: pytest.FixtureRequest, market_data: Path) -> pd.DataFrame:
    """Real daily bars of one coin; those of 2013 have no volume."""
    path = market_data / "crypto_daily" / f"{request.param}.csv"
    bars = pd.read_csv(path, index_col="timestamp", parse_dates=True).tz_localize("UTC")
    return bars[["open", "high", "low", "close", "volume"]].astype("float64")
