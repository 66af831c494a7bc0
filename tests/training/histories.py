"""Forty synthetic bars of one symbol, with features and targets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.features.build import FeatureMatrix
from engine.features.config import TargetSpec
from engine.features.target import forward_returns
from engine.splits.scaling import StandardScaling
from engine.splits.walk_forward import WalkForwardWindow
from engine.training.feature_history import FeatureHistory

STAMPS = pd.date_range("2020-01-01", periods=40, freq="D", tz="UTC", name="timestamp")
WINDOWS = (
    WalkForwardWindow(0, range(5, 15), range(16, 20), range(21, 30)),
    WalkForwardWindow(1, range(14, 24), range(25, 29), range(30, 40)),
)
CLOSE = pd.DataFrame({"X": np.linspace(1, 2, 40) ** 2}, index=STAMPS)


NEXT_BAR = TargetSpec()


def history_of(
    target: TargetSpec = NEXT_BAR, bars: int = 40, changed_from: int = 40
) -> FeatureHistory:
    """One feature, the number of the bar.

    Args:
        target: The horizons.
        bars: How many there are.
        changed_from: The bar from which feature and close are others.
    """
    other = np.arange(40) >= changed_from
    values = np.arange(40.0) + 5.0 * other
    features = FeatureMatrix(
        STAMPS[:bars], values[:bars, None], ("X:a",), (("X", (0,)),), warmup=0
    )
    close = CLOSE.mul(1.0 + other, axis=0).iloc[:bars]
    return FeatureHistory(
        features,
        {horizon: forward_returns(close, horizon) for horizon in target.return_horizons},
        {horizon: close.pct_change(horizon) for horizon in target.return_horizons},
        target,
        StandardScaling(),
    )


def ahead(bars: int, rows: slice | range) -> np.ndarray:
    """The return over the next bars, counted from the closes."""
    close = CLOSE["X"].to_numpy()
    rows = range(rows.start, rows.stop)
    return np.array(
        [close[row + bars] / close[row] - 1 if row + bars < 40 else np.nan for row in rows]
    )
