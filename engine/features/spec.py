"""The features a strategy may ask for, and what it forecasts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.features.bands import BollingerPercent, BollingerWidth
from engine.features.oscillators import Macd, Rsi
from engine.features.price import LogReturn, Range, Return, Volatility
from engine.features.volume import Obv, VolumeZscore, Vwap
from engine.types import Spec

__all__ = [
    "BollingerPercent",
    "BollingerWidth",
    "Feature",
    "LogReturn",
    "Macd",
    "Obv",
    "Range",
    "Return",
    "Rsi",
    "TargetSpec",
    "Volatility",
    "VolumeZscore",
    "Vwap",
]

Feature = Annotated[
    Return
    | LogReturn
    | Range
    | Rsi
    | Macd
    | BollingerPercent
    | BollingerWidth
    | Vwap
    | Obv
    | Volatility
    | VolumeZscore,
    Field(discriminator="kind"),
]


class TargetSpec(Spec):
    """What is forecast: close_{t+horizon} / close_t - 1, a simple return.

    Attributes:
        horizon: Bars ahead.
    """

    horizon: int = Field(default=1, ge=1, le=250)
