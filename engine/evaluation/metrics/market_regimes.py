"""The state a market was in when a decision fell, known at that close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.features.regimes import TrendRegime, VolatilityRegime

if TYPE_CHECKING:
    from collections.abc import Mapping

VOLATILITY_WINDOW = 20
MAX_HISTORY = 252
MIN_HISTORY = 60
TREND_WINDOW = 60

REGIME_NAMES: Mapping[str, Mapping[float, str]] = {
    "volatility": {-1.0: "calm", 0.0: "usual", 1.0: "turbulent"},
    "trend": {-1.0: "falling", 1.0: "rising"},
}
"""Kind -> label -> its name; a bar without a label is in none."""


def label_regimes(bars: pd.DataFrame, first_bar: pd.Timestamp) -> pd.DataFrame:
    """Volatility and trend at every close, each from bars up to that one.

    volatility: the tercile of the deviation of the last 20 log returns among its last 252 values,
    see `features.VolatilityRegime`; among fewer, but no less than 60, where fewer bars come before
    `first_bar`. trend: the sign of the mean of the last 60 log returns.

    Args:
        bars: One symbol's, index timestamp, as of `Indicator.compute`.
        first_bar: First bar that matters: the bars before it decide how long the history is, and
            nothing after it does.

    Returns:
        Columns `volatility` and `trend` with the index of `bars`: names as in `REGIME_NAMES`,
            missing
        (None) while there are too few bars, or without a trend at all.
    """
    before = int((bars.index <= first_bar).sum())
    history = min(MAX_HISTORY, max(MIN_HISTORY, before - VOLATILITY_WINDOW))
    measures = {
        "volatility": VolatilityRegime(window=VOLATILITY_WINDOW, history=history),
        "trend": TrendRegime(window=TREND_WINDOW, threshold=0.0),
    }
    return pd.DataFrame(
        {
            kind: measure.compute(bars).map(dict(REGIME_NAMES[kind])).astype("object")
            for kind, measure in measures.items()
        },
        index=bars.index,
    )
