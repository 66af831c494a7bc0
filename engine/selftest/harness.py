"""A generated market through the engine's own stages: those of a run, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.backtest.evaluate import evaluate_backtest
from engine.core.progress import NullProgress
from engine.leakage.certify import run_leakage_test
from engine.pipeline.prepare import prepare_data
from engine.pipeline.result import BacktestResult
from engine.pipeline.steps import (
    compute_metrics,
    decide_positions,
    fit_and_predict,
    simulate_books,
)
from engine.strategy import Strategy
from engine.training.executors.local import LocalExecutor
from engine.training.store import FitStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data import Market
    from engine.runs.documents import Metrics, Significance
    from engine.runs.documents.significance import SharpeFigures

RESAMPLES = 999
"""Of a market: with (1 + extreme) / (1 + resamples) a test at 5 % is as exact as with more."""

ZERO_COSTS: dict[str, float] = {"fee_bps": 0.0, "slippage_bps": 0.0}
MA_CROSSOVER: dict[str, Any] = {"kind": "ma_crossover", "fast": 5, "slow": 40}

_UNUSED_STORE_PATH = Path("selftest-stores-nothing")
"""No folder is ever made: every model here is fitted at once, and none is worth storing."""


@dataclass(frozen=True)
class HarnessResult:
    """What the stages made of a market, and what a run would tell of it.

    Attributes:
        result: Forecasts, decisions and books.
        metrics: As in `metrics.json`.
        significance: As in `significance.json`; nobody knows of other trials.
    """

    result: BacktestResult
    metrics: Metrics
    significance: Significance

    def sharpe(self, book: str) -> SharpeFigures:
        """Estimate, interval and p-value of a book's Sharpe ratio."""
        return self.significance.sharpe[book]


def make_strategy(**sections: Any) -> Strategy:  # noqa: ANN401 - whatever a strategy file may hold
    """A ridge on the last two returns, always long or short, without costs, against two rules.

    Args:
        sections: Keys of a strategy file, in place of those here.
    """
    told = {
        "name": "selftest",
        "data": {"dataset": "generated"},
        "features": [{"kind": "log_return"}],
        "windows": {"train": 300, "validation": 60, "test": 260},
        "model": {"kind": "ridge", "lookback": 2, "alphas": [1.0]},
        "signal": {"kind": "threshold", "enter_bps": 0, "exit_bps": 0, "side": "long_short"},
        "costs": ZERO_COSTS,
        "benchmarks": [{"kind": "buy_and_hold"}, MA_CROSSOVER],
        "evaluation": {"resamples": RESAMPLES},
    }
    return Strategy.model_validate(told | sections)


def run_stages(spec: Strategy, market: Market) -> HarnessResult:
    """From bars to judgement."""
    made = _run_backtest(spec, market)
    metrics = compute_metrics(made.prepared, made.predictions, made.books)
    return HarnessResult(made, metrics, evaluate_backtest(made, metrics))


def certify_strategy(spec: Strategy, market: Market) -> Mapping[str, Any]:
    """The leak certificate, made as a run makes it.

    Raises:
        LookaheadError: The strategy knows the future.
    """
    return run_leakage_test(
        _run_backtest(spec, market), *_executor_and_store(spec), NullProgress(), fresh=False
    )


def is_significant(p_value: float | None, level: float) -> bool:
    """Whether something was found; where nothing can be said, nothing was."""
    return p_value is not None and p_value < level


def interval_covers(figures: Mapping[str, Any], true_value: float) -> bool:
    """Whether an interval holds a value; one that is not there does not."""
    low, high = figures["low"], figures["high"]
    return low is not None and high is not None and bool(low <= true_value <= high)


def _run_backtest(spec: Strategy, market: Market) -> BacktestResult:
    """From bars to books."""
    ground = prepare_data(spec, market)
    predictions, fits = fit_and_predict(
        spec, ground, *_executor_and_store(spec), NullProgress(), fresh=False
    )
    weights = decide_positions(spec, ground, predictions)
    return BacktestResult(
        spec, ground, fits, predictions, weights, simulate_books(spec, ground, weights)
    )


def _executor_and_store(spec: Strategy) -> tuple[LocalExecutor, FitStore]:
    return LocalExecutor(1, spec.compute.backend), FitStore(_UNUSED_STORE_PATH)
