"""Market regimes (volatility, trend) at each close, from bars up to that close only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.features.regimes import TrendRegime, VolatilityRegime

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from engine.core.types import Matrix, Vector

VOLATILITY_WINDOW = 20
MAX_HISTORY = 252
MIN_HISTORY = 60
TREND_WINDOW = 60

REGIME_NAMES: Mapping[str, Mapping[float, str]] = {
    "volatility": {-1.0: "calm", 0.0: "usual", 1.0: "turbulent"},
    "trend": {-1.0: "falling", 1.0: "rising"},
}
"""Kind of regime -> label -> name; a bar without a label is in no regime."""


def compute_regimes(bars: pd.DataFrame, first_bar: pd.Timestamp) -> dict[str, Vector]:
    """Volatility regime and trend regime at every close, from bars up to that close.

    volatility: tercile of the standard deviation of the last 20 log returns among its last 252
    values, see `features.VolatilityRegime`; among fewer values, but at least 60, where fewer bars
    precede `first_bar`. trend: sign of the mean of the last 60 log returns.

    Args:
        bars: Bars of one symbol, index timestamp, as `Indicator.compute` takes them.
        first_bar: First bar of interest. The number of bars before it sets the length of the
            history; no later bar does.

    Returns:
        `volatility` and `trend`, shape (n,): labels as in `REGIME_NAMES`; another number or NaN
        while there are too few bars, or where the mean return is exactly 0.
    """
    earlier_bars = int((bars.index <= first_bar).sum())
    history = min(MAX_HISTORY, max(MIN_HISTORY, earlier_bars - VOLATILITY_WINDOW))
    regimes = {
        "volatility": VolatilityRegime(window=VOLATILITY_WINDOW, history=history),
        "trend": TrendRegime(window=TREND_WINDOW, threshold=0.0),
    }
    return {
        kind: np.asarray(regime.compute(bars), dtype=np.float64)
        for kind, regime in regimes.items()
    }


def label_regimes(bars: pd.DataFrame, first_bar: pd.Timestamp) -> pd.DataFrame:
    """The names of the regimes of `compute_regimes`.

    Returns:
        Columns `volatility` and `trend` with the index of `bars`: names as in `REGIME_NAMES`;
        missing where a label has none.
    """
    named = {
        kind: name_labels(labels, REGIME_NAMES[kind])
        for kind, labels in compute_regimes(bars, first_bar).items()
    }
    return pd.DataFrame(named, index=bars.index)


def name_labels(labels: Matrix, names: Mapping[float, str]) -> npt.NDArray[np.object_]:
    """The name of each label, of any shape; NaN where it has none."""
    named: npt.NDArray[np.object_] = np.full(labels.shape, np.nan, dtype=object)
    for label, name in names.items():
        named[labels == label] = name
    return named
