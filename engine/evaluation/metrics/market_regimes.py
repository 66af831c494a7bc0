"""Market regimes (volatility, trend) at each close, from bars up to that close only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.features.regimes import TrendRegime, VolatilityRegime

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

VOLATILITY_WINDOW = 20
MAX_HISTORY = 252
MIN_HISTORY = 60
TREND_WINDOW = 60

REGIME_NAMES: Mapping[str, Mapping[float, str]] = {
    "volatility": {-1.0: "calm", 0.0: "usual", 1.0: "turbulent"},
    "trend": {-1.0: "falling", 1.0: "rising"},
}
"""Kind of regime -> label -> name; a bar without a label is in no regime."""


def label_regimes(bars: pd.DataFrame, first_bar: pd.Timestamp) -> pd.DataFrame:
    """Volatility regime and trend regime at every close, from bars up to that close.

    volatility: tercile of the standard deviation of the last 20 log returns among its last 252
    values, see `features.VolatilityRegime`; among fewer values, but at least 60, where fewer bars
    precede `first_bar`. trend: sign of the mean of the last 60 log returns.

    Args:
        bars: Bars of one symbol, index timestamp, as `Indicator.compute` takes them.
        first_bar: First bar of interest. The number of bars before it sets the length of the
            history; no later bar does.

    Returns:
        Columns `volatility` and `trend` with the index of `bars`: names as in `REGIME_NAMES`; None
        while there are too few bars, or where the mean return is exactly 0.
    """
    earlier_bars = int((bars.index <= first_bar).sum())
    history = min(MAX_HISTORY, max(MIN_HISTORY, earlier_bars - VOLATILITY_WINDOW))
    regimes = {
        "volatility": VolatilityRegime(window=VOLATILITY_WINDOW, history=history),
        "trend": TrendRegime(window=TREND_WINDOW, threshold=0.0),
    }
    return pd.DataFrame(
        {
            kind: _name_labels(regime.compute(bars), REGIME_NAMES[kind])
            for kind, regime in regimes.items()
        },
        index=bars.index,
    )


def _name_labels(labels: pd.Series[float], names: Mapping[float, str]) -> npt.NDArray[np.object_]:
    """(n,) the name of each label; NaN where it has none."""
    named: npt.NDArray[np.object_] = np.full(len(labels), np.nan, dtype=object)
    for label, name in names.items():
        named[labels.to_numpy() == label] = name
    return named
