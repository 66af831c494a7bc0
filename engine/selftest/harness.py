"""Runs the stages of a backtest on a generated market, in the order of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.backtest.evaluate import evaluate_backtest
from engine.core.progress import NullProgress
from engine.leakage.certify import run_leakage_test
from engine.pipeline.metrics import compute_run_metrics
from engine.pipeline.prepare import prepare_data
from engine.pipeline.result import BacktestResult
from engine.pipeline.steps import (
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
    from engine.data.rates import InterestRates
    from engine.runs.documents import Metrics, Significance
    from engine.runs.documents.significance import SharpeFigures
    from engine.training.executors.base import Executor

RESAMPLES = 999
"""Resamples of each market: the p-value (1 + extreme) / (1 + resamples) of a 5 % test is exact."""

ZERO_COSTS: dict[str, float] = {"fee_bps": 0.0, "slippage_bps": 0.0}
MA_CROSSOVER: dict[str, Any] = {"kind": "ma_crossover", "fast": 5, "slow": 40}

_UNUSED_STORE_PATH = Path("selftest-stores-nothing")
"""The folder is never created: the models fit in the current process and are not stored."""


@dataclass(frozen=True)
class HarnessResult:
    """The result of the stages on one market, with the documents that a run would write.

    Attributes:
        result: Forecasts, decisions and books.
        metrics: As in `metrics.json`.
        significance: As in `significance.json`, without other trials.
    """

    result: BacktestResult
    metrics: Metrics
    significance: Significance

    def sharpe(self, book: str) -> SharpeFigures:
        """Estimate, interval and p-value of the Sharpe ratio of a book."""
        return self.significance.sharpe[book]


def make_strategy(**sections: object) -> Strategy:
    """A ridge regression on the last two returns, always long or short, without costs.

    The benchmarks are buy-and-hold and a moving-average crossover.

    Args:
        sections: Keys of a strategy file, which replace the defaults.
    """
    defaults = {
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
    return Strategy.model_validate(defaults | sections)


def run_stages(spec: Strategy, market: Market) -> HarnessResult:
    """From bars to metrics and significance."""
    result = run_to_books(spec, market)
    return HarnessResult(result, compute_run_metrics(result), evaluate_backtest(result))


def run_to_books(spec: Strategy, market: Market) -> BacktestResult:
    """From bars to fits, forecasts and books."""
    return run_backtest(spec, market, *_executor_and_store(spec))


def certify_strategy(spec: Strategy, market: Market) -> Mapping[str, Any]:
    """The certificate of the leakage test, computed as in a run.

    Raises:
        LookaheadError: The test detects look-ahead.
    """
    executor, store = _executor_and_store(spec)
    return run_leakage_test(
        run_backtest(spec, market, executor, store), executor, store, NullProgress(), fresh=False
    )


def is_significant(p_value: float | None, level: float) -> bool:
    """Whether the p-value is below the level; a missing p-value is not significant."""
    return p_value is not None and p_value < level


def interval_covers(figures: Mapping[str, Any], true_value: float) -> bool:
    """Whether the interval contains the value; a missing interval does not."""
    low, high = figures["low"], figures["high"]
    return low is not None and high is not None and bool(low <= true_value <= high)


def run_backtest(
    spec: Strategy,
    market: Market,
    executor: Executor,
    store: FitStore,
    rates: InterestRates | None = None,
) -> BacktestResult:
    """From bars to books.

    Args:
        spec: The strategy.
        market: Its bars.
        executor: Who fits.
        store: Of fits.
        rates: Interest rates, where they are not those of `spec`.
    """
    prepared = prepare_data(spec, market.rejoined(), rates)
    predictions, fits = fit_and_predict(
        spec, prepared, executor, store, NullProgress(), fresh=False
    )
    weights = decide_positions(spec, prepared, predictions)
    return BacktestResult(
        spec, prepared, fits, predictions, weights, simulate_books(spec, prepared, weights)
    )


def _executor_and_store(spec: Strategy) -> tuple[LocalExecutor, FitStore]:
    return LocalExecutor(1, spec.compute.backend), FitStore(_UNUSED_STORE_PATH)
