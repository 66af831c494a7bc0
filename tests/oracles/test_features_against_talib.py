"""Features against what TA-Lib 0.8.2 found on the same closes, written down here.

TA-Lib is no dependency: what it computes on made-up closes without randomness is kept as numbers.
Its RSI counts to 100, its MACD in units of price, its STDDEV divides by n; BETA takes prices and
their simple returns, so it was given such that have these log returns.
"""

from __future__ import annotations

from math import cos, exp, sin

import numpy as np
import pandas as pd
import pytest

from engine.features.config import (
    Beta,
    BollingerPercent,
    BollingerWidth,
    Correlation,
    Macd,
    Obv,
    Rsi,
    SimpleReturn,
    SpreadZscore,
    Volatility,
    VolumeZscore,
)

ROWS = [250, 330, 399]
TALIB = {
    Rsi(): (0.6651523856, 0.4328391571, 0.4858939163),
    Macd(): (0.002087891927, -0.006178892952, 0.006083969661),
    BollingerPercent(): (0.9685965033, 0.0458380928, 0.526443185),
    BollingerWidth(): (0.2340251195, 0.2100686903, 0.2071318187),
    Volatility(): (0.0342873352, 0.06302265865, 0.05780625893),
    SimpleReturn(): (0.03625390437, -0.09323110479, 0.08486219777),
    Obv(): (0.8696254813, -0.480470484, 0.2058814346),
    VolumeZscore(): (0.5010833652, -0.2235964459, -1.198351483),
    SpreadZscore(symbol="B"): (1.490933674, -1.95366892, 0.43059194),
    Correlation(symbol="B"): (0.74917681, 0.8616572038, 0.7598336228),
    Beta(symbol="B"): (0.8950023617, 1.184140613, 1.038610693),
}


def bars(close: list[float], volume: list[float]) -> pd.DataFrame:
    days = pd.date_range("2020-01-01", periods=len(close), tz="UTC", name="timestamp")
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    return pd.DataFrame(prices | {"volume": volume}, index=days)


@pytest.fixture(scope="module")
def market() -> dict[str, pd.DataFrame]:
    steps = range(400)
    own = [
        100 * exp(0.3 * sin(t / 37) + 0.05 * sin(t * t / 11) + 0.02 * cos(1.7 * t)) for t in steps
    ]
    other = [50 * exp(0.2 * sin(t / 41) + 0.04 * sin(t * t / 11 + 0.5)) for t in steps]
    volume = [1000 + 900 * sin(t * t / 7) for t in steps]
    return {"A": bars(own, volume), "B": bars(other, volume)}


@pytest.mark.parametrize("feature", TALIB, ids=lambda feature: feature.name)
def test_a_feature_is_that_of_talib(feature, market: dict[str, pd.DataFrame]) -> None:
    result = feature.compute_for_symbol(market, "A").iloc[ROWS]
    # RSI and MACD remember their first bar: 250 bars later by less than this.
    tolerance = 1e-7 if feature.kind in {"rsi", "macd"} else 1e-9
    np.testing.assert_allclose(result, TALIB[feature], rtol=1e-8, atol=tolerance)
