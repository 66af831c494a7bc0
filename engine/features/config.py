"""The union of features, and the forecast target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, get_args

import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from engine.core.types import Spec
from engine.data import BarInterval
from engine.features.bands import BollingerPercent, BollingerWidth
from engine.features.calendar import CalendarFeature, TurnOfMonth
from engine.features.cross_asset import Beta, Correlation, RelativeStrength, SpreadZscore
from engine.features.cross_section import (
    CrossSectionalRank,
    CrossSectionalZscore,
    TargetTransform,
    transform_returns,
)
from engine.features.fractional import FractionalDifference
from engine.features.kinds import FEATURE_KINDS, Feature
from engine.features.oscillators import Macd, Rsi
from engine.features.price import HighLowRange, LogReturn, SimpleReturn, Volatility
from engine.features.range_volatility import GarmanKlass, Parkinson, RogersSatchell, YangZhang
from engine.features.regimes import TrendRegime, VolatilityRegime
from engine.features.volume import Obv, VolumeZscore, Vwap

if TYPE_CHECKING:
    from engine.core.types import WideFrame

__all__ = [
    "FEATURE_KINDS",
    "Beta",
    "BollingerPercent",
    "BollingerWidth",
    "CalendarFeature",
    "Correlation",
    "CrossSectionalRank",
    "CrossSectionalZscore",
    "Feature",
    "FractionalDifference",
    "GarmanKlass",
    "HighLowRange",
    "LogReturn",
    "Macd",
    "Obv",
    "Parkinson",
    "RelativeStrength",
    "Resolutions",
    "RogersSatchell",
    "Rsi",
    "SimpleReturn",
    "SpreadZscore",
    "TargetSpec",
    "TrendRegime",
    "TurnOfMonth",
    "Volatility",
    "VolatilityRegime",
    "VolumeZscore",
    "Vwap",
    "YangZhang",
]

FEATURE_KINDS.add(
    SimpleReturn,
    LogReturn,
    HighLowRange,
    Rsi,
    Macd,
    BollingerPercent,
    BollingerWidth,
    Vwap,
    Obv,
    Volatility,
    VolumeZscore,
    Parkinson,
    GarmanKlass,
    RogersSatchell,
    YangZhang,
    FractionalDifference,
    VolatilityRegime,
    TrendRegime,
    CalendarFeature,
    TurnOfMonth,
    SpreadZscore,
    RelativeStrength,
    Beta,
    Correlation,
    CrossSectionalRank,
    CrossSectionalZscore,
)


def _check_ascending(resolutions: tuple[BarInterval, ...]) -> tuple[BarInterval, ...]:
    order = get_args(BarInterval)
    if list(resolutions) != sorted(set(resolutions), key=order.index):
        raise ValueError("expected intervals from the finest to the coarsest, each once")
    return resolutions


Resolutions = Annotated[tuple[BarInterval, ...], AfterValidator(_check_ascending)]
"""Intervals coarser than the dataset's, ascending."""

Horizon = Annotated[int, Field(ge=1, le=250)]
"""Bars ahead."""


class TargetSpec(Spec):
    """The forecast target: close_{t+h} / close_t - 1, a simple return over h bars.

    Attributes:
        horizon: Bars ahead of the forecast that is traded.
        horizons: All horizons that the strategy's model forecasts, ascending, including `horizon`;
            by default `horizon` only. Benchmark models forecast `horizon`.
        strategy: `direct` fits one model per horizon; `multi_output` one network with one output
            per horizon; `recursive` one network for the next bar, iterated over its own forecasts
            of the inputs. The names are those of Ben Taieb et al. (2012).
        transform: `raw`: the return itself. `demeaned`: less its mean over the target symbols at
            the bar. `rank`: its rank among them, in [-0.5, 0.5]. Forecasts and their scores are
            of what is chosen.
    """

    horizon: Horizon = 1
    horizons: tuple[Horizon, ...] = ()
    strategy: Literal["direct", "multi_output", "recursive"] = "direct"
    transform: TargetTransform = Field(
        default="raw", exclude_if=lambda transform: transform == "raw"
    )

    @model_validator(mode="after")
    def _check_horizons(self) -> TargetSpec:
        if self.horizons and (
            list(self.horizons) != sorted(set(self.horizons)) or self.horizon not in self.horizons
        ):
            raise ValueError(
                f"horizons must ascend and include the traded one, horizon: {self.horizon}"
            )
        return self

    @property
    def forecast_horizons(self) -> tuple[int, ...]:
        """All horizons that the strategy's model forecasts, ascending."""
        return self.horizons or (self.horizon,)

    @property
    def is_multi_horizon(self) -> bool:
        """Whether more than one horizon is forecast."""
        return len(self.forecast_horizons) > 1

    @property
    def max_horizon(self) -> int:
        """The longest horizon in bars, which is the gap between the parts of a window."""
        return self.forecast_horizons[-1]

    @property
    def compares_symbols(self) -> bool:
        """Whether the target depends on the returns of the other symbols of the bar."""
        return self.transform != "raw"

    def relate(self, returns: WideFrame) -> WideFrame:
        """The target of all symbols from their returns, of which it keeps index and columns."""
        if not self.compares_symbols:
            return returns
        related = transform_returns(returns.to_numpy(), self.transform)
        return pd.DataFrame(related, index=returns.index, columns=returns.columns)

    @property
    def return_horizons(self) -> tuple[int, ...]:
        """All horizons of which returns are needed; `recursive` trains on the next bar's."""
        trained = (1,) if self.strategy == "recursive" else ()
        return tuple(sorted({*self.forecast_horizons, *trained}))
