"""Leaks that several tests plant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.features.indicator import Indicator

if TYPE_CHECKING:
    import pandas as pd


class CentredMean(Indicator):
    """Close over the mean of five closes, two of them still to come."""

    kind: Literal["centred_mean"] = "centred_mean"

    @property
    def warmup(self) -> int:
        return 5

    def _measure(self, bars: pd.DataFrame) -> pd.Series[float]:
        mean = bars["close"].rolling(5, center=True).mean()
        return (bars["close"] / mean - 1).ffill()
