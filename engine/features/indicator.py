"""What every feature is: a frozen choice that knows its name, its warm-up and its values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.types import Spec

if TYPE_CHECKING:
    import pandas as pd

Window = Annotated[int, Field(ge=2, le=1000)]
"""Bars a rolling feature looks at, the current one included."""


class Indicator(Spec, ABC):
    """A feature of one symbol, causal and free of the scale of prices and of volumes.

    The value at bar t uses bars up to t. From row `warmup` on it is finite on any valid bars and
    does not depend on which bar came first: to rounding for features that look at a fixed number
    of bars; RSI and MACD, which smooth exponentially, state what is left of the first bar.
    """

    @property
    def name(self) -> str:
        """The kind and every parameter: `rsi_14`, `macd_12_26_9`."""
        return "_".join(str(value).removesuffix(".0") for value in self.model_dump().values())

    @property
    @abstractmethod
    def warmup(self) -> int:
        """Leading bars without a valid value."""

    @abstractmethod
    def _measure(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The values; whatever stands in the first `warmup` rows is thrown away."""

    def compute(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The feature at each bar.

        Args:
            bars: One symbol's bars in time order: columns open, high, low, close (above 0) and
                volume (0 or more), without NaN.

        Returns:
            float64 with the index of `bars`, named `name`; NaN in the first `warmup` rows.
        """
        values = self._measure(bars).astype("float64").rename(self.name)
        values.iloc[: self.warmup] = float("nan")
        return values
