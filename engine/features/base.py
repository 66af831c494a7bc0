"""The base of all features: frozen specifications with a name, a warm-up and values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from engine.core.types import Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

RollingWindow = Annotated[int, Field(ge=2, le=1000)]
"""Bars in the window of a rolling feature, the current one included."""


class FeatureSpec(Spec, ABC):
    """A feature: one column per symbol, causal and independent of the scale of prices and volumes.

    The value at bar t uses bars up to t. From row `warmup` on it is finite on any valid bars and
    does not depend on the first bar of the history: up to rounding for features with a window of
    fixed length; RSI and MACD, which smooth exponentially, state the remaining dependence.

    Attributes:
        required_columns: Columns of the bars that the values depend on; none where they depend
            on the time of the bar.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close", "volume")

    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """The value of `kind` in a file."""

    @property
    def name(self) -> str:
        """The kind and every parameter: `rsi_14`, `macd_12_26_9`."""
        return "_".join(str(value).removesuffix(".0") for value in self.model_dump().values())

    @property
    @abstractmethod
    def warmup(self) -> int:
        """Leading bars without a valid value."""

    @property
    @abstractmethod
    def input_columns(self) -> tuple[str, ...]:
        """What the values depend on: columns such as `close` or `ETH-USD:close`, or `time`."""

    @abstractmethod
    def compute_for_symbol(
        self, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> pd.Series[float]:
        """The feature of one symbol at each bar.

        Args:
            market: Symbol -> bars as in `Indicator.compute`, all on the same timestamps.
            symbol: A symbol of the market.

        Returns:
            float64 with the index of the symbol's bars, named `name`; NaN in the first `warmup`
            rows.

        Raises:
            UsageError: The feature needs a symbol that the market does not have.
        """

    def _mask_warmup(self, values: pd.Series[float]) -> pd.Series[float]:
        """Sets the name, and NaN in the warm-up."""
        trimmed = values.astype("float64").rename(self.name)
        trimmed.iloc[: self.warmup] = float("nan")
        return trimmed


class Indicator(FeatureSpec, ABC):
    """A feature of a symbol's own bars."""

    @property
    def input_columns(self) -> tuple[str, ...]:
        """Columns of the symbol's own bars, or their `time`."""
        return self.required_columns or ("time",)

    @abstractmethod
    def _compute_raw(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The values; those of the first `warmup` rows are replaced by NaN."""

    def compute(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The feature at each bar.

        Args:
            bars: One symbol's bars in time order: index UTC, the open of each bar; columns open,
                high, low, close (above 0, open and close within low and high) and volume (0 or
                more), without NaN.

        Returns:
            float64 with the index of `bars`, named `name`; NaN in the first `warmup` rows.
        """
        return self._mask_warmup(self._compute_raw(bars))

    def compute_for_symbol(
        self, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> pd.Series[float]:
        """The feature of one symbol, independent of the others."""
        return self.compute(market[symbol])
