"""The stages of a run, the same for every book: fit, predict, decide, simulate, metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.evaluation.forecasts.scores import score_forecasts, score_quantiles
from engine.evaluation.metrics.performance import performance_metrics
from engine.evaluation.metrics.trade_metrics import wait_metrics
from engine.runs.documents import Metrics
from engine.runs.documents.metrics import (
    BookMetrics,
    ForecastScores,
    SpanFigures,
    VolumeFigures,
)
from engine.runs.documents.rates import AnnualRate
from engine.signals.benchmarks import BenchmarkRule, compute_benchmark_weights
from engine.signals.inputs import SignalInputs
from engine.signals.target_weights import compute_target_weights
from engine.simulation.portfolio import simulate_all
from engine.training.forecast import Forecast, predict_window
from engine.training.jobs import make_fit_tasks
from engine.training.out_of_sample import HorizonForecast, Predictions, concat_out_of_sample
from engine.training.results import FitResults, run_fits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.progress import Progress
    from engine.core.types import Matrix, WideFrame
    from engine.pipeline.prepare import PreparedData
    from engine.simulation.costs import TradingCosts
    from engine.simulation.portfolio import SimulationResult
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.strategy import Strategy
    from engine.training.executors.base import Executor
    from engine.training.store import FitStore
    from engine.training.task import FitTask


def fit_and_predict(
    spec: Strategy,
    prepared: PreparedData,
    executor: Executor,
    store: FitStore,
    progress: Progress,
    *,
    fresh: bool,
) -> tuple[dict[str, Predictions], FitResults]:
    """Out-of-sample forecasts of every book with a model, and the fits behind them."""
    skip = spec.on_failure == "skip"
    tasks = make_window_tasks(spec, prepared, prepared.windows)
    fits = run_fits(tasks, executor, store, progress, ignore_stored=fresh, skip_failures=skip)
    fits = replace(fits, forecasts=predict_windows(prepared, fits))
    return assemble_predictions(spec, prepared, fits), fits


def predict_windows(prepared: PreparedData, fits: FitResults) -> list[Forecast | TrainingError]:
    """For each fit what it predicts of its window's test rows, or its error."""
    test = {window.index: window.test for window in prepared.windows}
    return [
        outcome
        if isinstance(outcome, TrainingError)
        else predict_window(outcome, prepared.feature_history, task.symbol, test[task.window])
        for task, outcome in zip(fits.tasks, fits.outcomes, strict=True)
    ]


def make_window_tasks(
    spec: Strategy, prepared: PreparedData, windows: Sequence[WalkForwardWindow]
) -> list[FitTask]:
    """Every fit of these windows, for every book with a model."""
    return make_fit_tasks(
        spec.forecasters(),
        prepared.feature_history,
        windows,
        prepared.targets,
        training=spec.training,
        seeds=spec.seeds,
        seed=spec.seed,
    )


def assemble_predictions(
    spec: Strategy, prepared: PreparedData, fits: FitResults
) -> dict[str, Predictions]:
    """Book -> out-of-sample forecasts, for every book with a model."""
    return {
        name: concat_out_of_sample(
            prepared.feature_history, prepared.windows, *fits.for_book(name)
        )
        for name in spec.forecasters()
    }


def assemble_strategy_predictions(prepared: PreparedData, fits: FitResults) -> Predictions:
    """Out-of-sample forecasts of the strategy alone."""
    return concat_out_of_sample(
        prepared.feature_history, prepared.windows, *fits.for_book(STRATEGY_BOOK)
    )


def decide_positions(
    spec: Strategy,
    prepared: PreparedData,
    predictions: Mapping[str, Predictions],
    *,
    include_models: bool = True,
) -> dict[str, WideFrame]:
    """Every book's target weights at each out-of-sample close; models share signal and size.

    Args:
        spec: The strategy.
        prepared: Bars, features and windows.
        predictions: Forecasts of the books with a model.
        include_models: Whether to decide those books too, or the rules alone.
    """

    def decided(name: str, book: object) -> WideFrame:
        if isinstance(book, BenchmarkRule):
            return compute_benchmark_weights(
                book, prepared.target_close, prepared.span, spec.max_weight
            )
        return decide_model_positions(spec, prepared, predictions[name])

    return {
        name: decided(name, book)
        for name, book in spec.books().items()
        if include_models or isinstance(book, BenchmarkRule)
    }


def decide_model_positions(
    spec: Strategy, prepared: PreparedData, predictions: Predictions
) -> WideFrame:
    """The target weights that one model's forecasts lead to."""
    return compute_target_weights(
        SignalInputs.from_predictions(predictions),
        prepared.target_close,
        spec.signal,
        spec.sizing,
        round_trip_cost=spec.costs.round_trip_cost,
        periods_per_year=prepared.market.periods_per_year,
        max_weight=spec.max_weight,
    )


def assemble_predictions_by_seed(
    prepared: PreparedData, fits: FitResults
) -> dict[int, Predictions]:
    """Seed -> the strategy's forecasts of that seed alone; empty with one seed."""
    members = sorted({task.seed_index for task in fits.for_book(STRATEGY_BOOK)[0]})
    if len(members) < 2:
        return {}
    return {
        member: concat_out_of_sample(
            prepared.feature_history, prepared.windows, *fits.for_book(STRATEGY_BOOK, member)
        )
        for member in members
    }


def simulate_books(
    spec: Strategy,
    prepared: PreparedData,
    weights: Mapping[str, WideFrame],
    *,
    bar_by_bar: bool = False,
    costs: TradingCosts | None = None,
) -> dict[str, SimulationResult]:
    """Every book through the same bars, costs and execution; none is filled where none trades.

    Args:
        spec: The strategy.
        prepared: Bars, rates and the out-of-sample span.
        weights: Of each book.
        bar_by_bar: As in `simulate_all`: the same figures, faster in a process that has not
            imported vectorbt.
        costs: Bound to a market; to that of `prepared` unless given.
    """
    opens, closes = (prepared.market.wide(price).loc[prepared.span] for price in ("open", "close"))
    return simulate_all(
        weights,
        opens,
        closes,
        costs=costs or spec.costs.bind(prepared.market),
        execution=spec.execution,
        traded=prepared.traded,
        cash_rates=prepared.rates_by_bar.cash,
        bar_by_bar=bar_by_bar,
    )


def compute_metrics(
    prepared: PreparedData,
    predictions: Mapping[str, Predictions],
    books: Mapping[str, SimulationResult],
) -> Metrics:
    """`metrics.json`: the span, every book's figures, every model's forecast scores."""
    periods, rates = prepared.market.periods_per_year, prepared.rates_by_bar
    return Metrics(
        span=SpanFigures(
            first=prepared.span[0].isoformat(),
            last=prepared.span[-1].isoformat(),
            bars=len(prepared.span),
            periods_per_year=periods,
        ),
        risk_free_rate=AnnualRate.summarise(rates.risk_free),
        cash_yield=AnnualRate.summarise(rates.cash),
        books={
            name: BookMetrics.model_validate(
                performance_metrics(
                    book.returns,
                    book.held_weights,
                    book.trades,
                    periods_per_year=periods,
                    excess_returns=rates.excess_values(np.asarray(book.returns, dtype=np.float64)),
                )
                | wait_metrics(book.waits)
                | {"margin_calls": len(book.margin_calls)}
            )
            for name, book in books.items()
        },
        forecasts={
            name: ForecastScores.model_validate(_score_forecasts(prepared, forecast))
            for name, forecast in predictions.items()
        },
        **_count_zero_volumes(prepared),
    )


def _count_zero_volumes(prepared: PreparedData) -> dict[str, Any]:
    """The section `zero_volume`; no section where no traded symbol has such a bar."""
    figures = {}
    for symbol in prepared.targets:
        zero = prepared.market.wide("volume").loc[prepared.span, symbol].to_numpy() == 0.0
        if zero.any():
            ignored = int((zero & prepared.traded[symbol].to_numpy()).sum())
            figures[symbol] = VolumeFigures(
                untraded_bars=int(zero.sum()) - ignored, ignored_bars=ignored
            )
    return {"zero_volume": figures} if figures else {}


def _score_forecasts(prepared: PreparedData, predictions: Predictions) -> dict[str, Any]:
    """Scores of the traded horizon; with several horizons, of each under `horizons`."""
    by_horizon = {
        horizon: _score_horizon(prepared, horizon, outlook)
        for horizon, outlook in predictions.by_horizon.items()
    }
    traded = by_horizon[predictions.horizon]
    if len(by_horizon) == 1:
        return traded
    return traded | {"horizons": {str(bars): scores for bars, scores in by_horizon.items()}}


def _score_horizon(
    prepared: PreparedData, horizon: int, forecast: HorizonForecast
) -> dict[str, Any]:
    """Scores of one horizon against no change, on the rows that have a forecast."""
    predicted = forecast.predicted.to_numpy()
    actual = prepared.feature_history.forward_returns[horizon].loc[prepared.span].to_numpy()
    known = np.isfinite(predicted)
    scores = score_forecasts(predicted[known], actual[known], np.zeros(int(known.sum())))
    if not forecast.quantiles:
        return scores
    quantiles = {level: wide.to_numpy()[known] for level, wide in forecast.quantiles.items()}
    past = {level: _train_quantiles(prepared, horizon, level)[known] for level in quantiles}
    return scores | score_quantiles(quantiles, actual[known], past)


def _train_quantiles(prepared: PreparedData, horizon: int, level: float) -> Matrix:
    """For each test row the quantile of the returns of its window's train rows."""
    ahead = prepared.feature_history.forward_returns[horizon].to_numpy()
    parts = [
        np.tile(np.quantile(ahead[w.train.start : w.train.stop], level, axis=0), (len(w.test), 1))
        for w in prepared.windows
    ]
    return np.concatenate(parts)
