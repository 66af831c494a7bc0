"""Tables of generated forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd


def forecast_table(
    predicted: object, actual: object, *, symbol: str = "A", freq: str = "D"
) -> pd.DataFrame:
    """A row a bar of one symbol, as `scores.average_over_seeds` returns it."""
    values = np.asarray(predicted, dtype=np.float64)
    stamps = pd.date_range("2020-01-01", periods=len(values), tz="UTC", freq=freq)
    table = {"timestamp": stamps, "symbol": symbol, "predicted": values}
    return pd.DataFrame(table | {"actual": np.asarray(actual, dtype=np.float64)})
