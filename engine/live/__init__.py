"""A strategy bar by bar: its fits, the newest forecasts, the signal, and paper accounts."""

from __future__ import annotations

from engine.live.fitted_strategy import FittedStrategy, fit
from engine.live.loop.bar_loop import BarLoop
from engine.live.loop.loop_state import BarOutcome, LoopState
from engine.live.market import load_market
from engine.live.newest_bar import predict
from engine.live.newest_signal import signal
from engine.live.parity.document import Replay
from engine.live.parity.strategy_replay import replay
from engine.live.signal_document import Signal

__all__ = [
    "BarLoop",
    "BarOutcome",
    "FittedStrategy",
    "LoopState",
    "Replay",
    "Signal",
    "fit",
    "load_market",
    "predict",
    "replay",
    "signal",
]
