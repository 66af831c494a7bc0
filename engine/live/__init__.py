"""A strategy bar by bar: the fit that trades from the newest bar on, and its forecasts."""

from __future__ import annotations

from engine.live.fitted_strategy import FittedStrategy, fit
from engine.live.market import load_market
from engine.live.newest_bar import predict

__all__ = ["FittedStrategy", "fit", "load_market", "predict"]
