"""A strategy bar by bar: its fits, the forecasts of the newest bar, and the signal."""

from __future__ import annotations

from engine.live.fitted_strategy import FittedStrategy, fit
from engine.live.market import load_market
from engine.live.newest_bar import predict
from engine.live.newest_signal import signal
from engine.live.signal_document import Signal

__all__ = ["FittedStrategy", "Signal", "fit", "load_market", "predict", "signal"]
