"""Bars for tests: daily, of one symbol, on a straight line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data import normalise_bars

if TYPE_CHECKING:
    from engine.core.types import BarsFrame

START = pd.Timestamp("2024-01-01", tz="UTC")
DAY = pd.Timedelta(days=1)


def daily_bars(
    count: int, *, first: int = 0, price: float = 100.0, slope: float = 1.0, volume: float = 50.0
) -> BarsFrame:
    """Bars of the days `first` to `count` - 1 after `START`; day d closes at price + slope * d."""
    days = np.arange(first, count)
    raw = pd.DataFrame({"timestamp": START + DAY * days})
    raw["open"] = raw["close"] = price + slope * days
    raw["high"], raw["low"], raw["volume"] = raw["open"] + 1, raw["open"] - 1, volume
    return normalise_bars(raw, "X")
