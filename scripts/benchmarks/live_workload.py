"""The workload of `scripts/bench live`: seven features, a lookback of 30, hourly bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.data.next_bar import NextBar
from engine.live.loop.bar_loop import BarLoop
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.data import Market

FEATURES = (
    {"kind": "log_return"},
    {"kind": "rsi", "window": 14},
    {"kind": "macd"},
    {"kind": "volatility", "window": 20},
    {"kind": "bollinger_percent", "window": 20},
    {"kind": "bollinger_width", "window": 20},
    {"kind": "range"},
)
LOOKBACK = 30
WARMUP = 185
"""Bars before the first MACD."""

MODELS: dict[str, dict[str, Any]] = {
    "LSTM(50)": {"kind": "lstm", "units": 50, "lookback": LOOKBACK},
    "MICDL": {"kind": "micdl", "lookback": LOOKBACK},
}
TRAIN, VALIDATION = 300, 60
HISTORY = WARMUP + LOOKBACK + TRAIN + VALIDATION + 30
"""Bars of the history with which a loop starts: one window, and some of its test bars."""

TEST = 5_000_000
"""Bars of a test part: no window begins while bars are measured."""


def make_spec(model: dict[str, Any], test: int = TEST) -> Strategy:
    """The strategy, trained for one epoch: its speed is measured, not its skill."""
    return Strategy.model_validate(
        {
            "name": "live",
            "data": {"dataset": "generated"},
            "features": FEATURES,
            "model": model,
            "windows": {"train": TRAIN, "validation": VALIDATION, "test": test},
            "training": {"epochs": 1},
            "signal": {"kind": "threshold", "enter_bps": 0, "exit_bps": 0, "side": "long_only"},
            "benchmarks": [{"kind": "buy_and_hold"}],
        }
    )


def make_market(bars: int, symbols: int = 1) -> Market:
    """Generated bars without an edge; every bar has a volume."""
    names = tuple(f"S{number:03}" for number in range(symbols))
    pattern = BarPattern(names, interval="1h", process="garch", still_share=0.0)
    return generate_market(np.random.default_rng(0), bars, pattern)


def start_loop(spec: Strategy, market: Market, home: Path, history: int = HISTORY) -> BarLoop:
    """A loop after the first `history` bars of a market."""
    known = market.until(_stamps(market)[history - 1])
    return BarLoop.start(spec, known, load_history=_refuse_history, home=home, workers=1)


def following_bars(market: Market, history: int = HISTORY) -> list[NextBar]:
    """The bars after the history."""
    later = market.bars[market.bars["timestamp"] > _stamps(market)[history - 1]]
    return list(NextBar.of_market(later, market.symbols))


def endless_bars(symbol: str, first: pd.Timestamp, close: float) -> Iterator[NextBar]:
    """One bar after another, drawn in blocks, so that no history is in memory."""
    rng, block = np.random.default_rng(1), 10_000
    while True:
        path = np.cumsum(0.003 * rng.normal(size=block))
        share = np.arange(1, block + 1) / block
        path -= share * (path[-1] + np.log(close / 100))  # each block ends at a price of 100
        closes = close * np.exp(path)
        opens = np.concatenate([[close], closes[:-1]])
        stamps = pd.date_range(first, periods=block, freq="1h")
        table = pd.DataFrame(
            {
                "timestamp": stamps,
                "symbol": symbol,
                "open": opens,
                "high": np.maximum(opens, closes) * 1.001,
                "low": np.minimum(opens, closes) * 0.999,
                "close": closes,
                "volume": rng.lognormal(10.0, 0.5, block),
            }
        )
        yield from NextBar.of_market(table, [symbol])
        first, close = stamps[-1] + pd.Timedelta(hours=1), float(closes[-1])


def _stamps(market: Market) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(market.bars_by_symbol[market.symbols[0]].index)


def _refuse_history(until: pd.Timestamp) -> Market:
    raise UsageError(
        "a loop that is measured asks for its history",
        expected="no window that begins, and costs of the engine",
        found=f"the history up to {until}",
    )
