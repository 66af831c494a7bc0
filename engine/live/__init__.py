"""A strategy bar by bar: its fits, the newest forecasts, the signal, and paper accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
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

# A signal in a new process needs neither the loop nor the replay, whose documents are large.
_EXPORTS = {
    "BarLoop": "loop.bar_loop",
    "BarOutcome": "loop.loop_state",
    "FittedStrategy": "fitted_strategy",
    "LoopState": "loop.loop_state",
    "Replay": "parity.document",
    "fit": "fitted_strategy",
    "load_market": "market",
    "predict": "newest_bar",
    "replay": "parity.strategy_replay",
    "signal": "newest_signal",
    "Signal": "signal_document",
}
__getattr__ = lazy_exports(__name__, _EXPORTS)
