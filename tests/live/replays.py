"""Backtests of generated strategies, and their replay through the live path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.progress import NullProgress
from engine.live.loop.window_source import HistoryWindows
from engine.live.parity.strategy_replay import compute_backtest, replay_result
from engine.selftest.random_strategies import draw_case

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Market
    from engine.live import Replay
    from engine.live.loop.recent_bars import RecentBars
    from engine.live.loop.window_source import WindowSource
    from engine.pipeline.result import BacktestResult
    from engine.strategy import Strategy


def backtest(spec: Strategy, market: Market, home: Path) -> BacktestResult:
    """Forecasts, weights and book of all bars at once."""
    return compute_backtest(spec, market, home=home, workers=1, progress=NullProgress())


def replay_live(result: BacktestResult, home: Path, bars: int | None = None) -> Replay:
    """Bar by bar; each window is fitted when it begins, on the bars up to it."""

    def fit_as_they_begin(recent: RecentBars) -> WindowSource:
        return HistoryWindows.of_bars(
            recent, result.prepared.market.until, home=home, workers=1, progress=NullProgress()
        )

    return replay_result(result, bars=bars, windows=fit_as_they_begin)


def drawn_backtest(seed: int, home: Path) -> BacktestResult:
    """That of a strategy that is drawn at random with its bars."""
    case = draw_case(seed)
    return backtest(case.spec, case.market, home)


def assert_equal(replay: Replay) -> None:
    """No bit differs, and forecasts and weights of every bar were compared."""
    assert replay.first_difference is None
    assert replay.differing.total == 0
    assert replay.compared.forecasts >= replay.bars
    assert replay.compared.weights >= replay.bars
