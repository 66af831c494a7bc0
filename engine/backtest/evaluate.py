"""What a run's books and forecasts are worth: every test there is, and the verdict."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.core.randomness import derive_seed
from engine.evaluation.forecasts.model_diagnostics import (
    run_forecast_tests,
    run_input_tests,
    run_residual_tests,
)
from engine.evaluation.forecasts.price_level_r2 import check_price_level_r2
from engine.evaluation.forecasts.window_ranking import rank_forecasts_by_window
from engine.evaluation.inference.permutation import fill_to_fill_returns, timing_permutation_test
from engine.evaluation.metrics.return_metrics import sharpe_by_window
from engine.evaluation.robustness.seed_variance import decompose_seed_variance
from engine.evaluation.robustness.sensitivity import TradingParameters, compute_sensitivity_surface
from engine.evaluation.significance import assess_significance
from engine.pipeline.steps import (
    assemble_predictions_by_seed,
    decide_model_positions,
)
from engine.runs.documents.significance_models import (
    ModelSections,
    PriceLevelFigures,
    SeedFigures,
    TimingFigures,
)
from engine.signals.inputs import SignalInputs
from engine.signals.orders import schedule_orders
from engine.simulation.portfolio import simulate_variations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.evaluation.inference.trial_set import TrialSet
    from engine.pipeline.prepare import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.runs.documents import Metrics, Significance
    from engine.runs.documents.significance_models import InputTestFigures, SensitivityFigures
    from engine.simulation.portfolio import SimulationResult
    from engine.strategy import Strategy
    from engine.training.out_of_sample import Predictions
    from engine.training.results import FitResults


def evaluate_backtest(
    result: BacktestResult, metrics: Metrics, trials: TrialSet | None = None
) -> Significance:
    """`significance.json`: every interval and test, and the verdict.

    Args:
        result: The run.
        metrics: As `measure` gives them.
        trials: What was tried on these bars; None where nobody knows.
    """
    spec, ground = result.spec, result.prepared
    return assess_significance(
        result.returns,
        periods_per_year=ground.market.periods_per_year,
        spec=spec.evaluation,
        rng=np.random.default_rng(derive_seed(spec.seed, "bootstrap")),
        trials=trials,
        skill_scores=metrics.forecasts[STRATEGY_BOOK],
        model_sections=ModelSections(
            timing=_test_timing(spec, ground, result.books[STRATEGY_BOOK]),
            **_test_forecasts(ground, result.predictions),
            price_level=_check_price_level(spec, ground, result.predictions[STRATEGY_BOOK]),
            inputs=_test_input_stationarity(ground),
            seeds=_measure_seed_variance(spec, ground, result.fits),
            sensitivity=_measure_sensitivity(spec, ground, result.predictions[STRATEGY_BOOK]),
        ),
    )


def _test_timing(
    spec: Strategy, prepared: PreparedData, simulation_result: SimulationResult
) -> TimingFigures | None:
    opens, closes = (prepared.market.wide(price).loc[prepared.span] for price in ("open", "close"))
    found = timing_permutation_test(
        *fill_to_fill_returns(simulation_result.held_weights, opens, closes, spec.execution.price)
    )
    if found is None:
        return None
    return TimingFigures(
        sharpe=found.sharpe * prepared.market.periods_per_year**0.5,
        p_value=found.p_value,
        shifts=found.shifts,
        nearest_bars=found.nearest_bars,
    )


def _test_forecasts(
    prepared: PreparedData, predictions: Mapping[str, Predictions]
) -> dict[str, Any]:
    """Of the first symbol and the horizon that is traded."""
    own, symbol = predictions[STRATEGY_BOOK], prepared.targets[0]
    forecasts = {name: made.predicted[symbol].to_numpy() for name, made in predictions.items()}
    actual = (
        prepared.feature_history.forward_returns[own.horizon][symbol].loc[prepared.span].to_numpy()
    )
    features = prepared.feature_history.features
    first = features.timestamps.get_loc(prepared.span[0])
    return {
        "forecasts": run_forecast_tests(forecasts, actual, own.horizon),
        "ranks": rank_forecasts_by_window(forecasts, actual, own.window_index),
        "residuals": run_residual_tests(
            forecasts[STRATEGY_BOOK], actual, features.values[first:], own.horizon
        ),
    }


def _check_price_level(
    spec: Strategy, prepared: PreparedData, predictions: Predictions
) -> PriceLevelFigures:
    """Of the first symbol; what the train rows' mean return would have forecast is the drift."""
    symbol, horizon = prepared.targets[0], predictions.horizon
    close, ahead = (
        prepared.target_close[symbol],
        prepared.feature_history.forward_returns[horizon][symbol].to_numpy(),
    )
    drift = [
        np.full(len(w.test), ahead[w.train.start : w.train.stop].mean()) for w in prepared.windows
    ]
    forecast = predictions.predicted[symbol].to_numpy()
    there = np.isfinite(forecast)
    found = check_price_level_r2(
        close.loc[prepared.span].to_numpy()[there],
        close.shift(-horizon).loc[prepared.span].to_numpy()[there],
        forecast[there],
        np.concatenate(drift)[there],
        horizon=horizon,
        confidence=spec.evaluation.confidence,
    )
    return PriceLevelFigures(**asdict(found))


def _test_input_stationarity(prepared: PreparedData) -> InputTestFigures:
    """Features before scaling, on the rows before the first test part."""
    stop = prepared.windows[0].validation.stop
    features = prepared.feature_history.features
    tested = [(features.names, features.values[features.warmup : stop])]
    for coarse in prepared.feature_history.coarse:
        known = int(coarse.latest[stop - 1]) + 1
        tested.append(
            (coarse.features.names, coarse.features.values[coarse.features.warmup : known])
        )
    inputs = {
        name: column for names, rows in tested for name, column in zip(names, rows.T, strict=True)
    }
    return run_input_tests(inputs)


def _measure_seed_variance(
    spec: Strategy, prepared: PreparedData, fits: FitResults
) -> SeedFigures | None:
    """The strategy traded on each of its seeds alone."""
    alone = assemble_predictions_by_seed(prepared, fits)
    if not alone:
        return None
    opens, closes = (
        prepared.market.wide(price).loc[prepared.span, list(prepared.targets)]
        for price in ("open", "close")
    )
    costs = spec.costs.bind(prepared.market)
    due = (
        (
            schedule_orders(decide_model_positions(spec, prepared, made), spec.execution.delay),
            costs,
        )
        for made in alone.values()
    )
    each = simulate_variations(due, opens, closes, price=spec.execution.price)
    returns, periods = np.column_stack(list(each)), prepared.market.periods_per_year
    found = decompose_seed_variance(returns, periods, spec.evaluation.confidence)
    if found is None:
        return None
    window = next(iter(alone.values())).window_index
    by_window = sharpe_by_window(returns, window, periods)
    return SeedFigures(**asdict(found), sharpe_by_window=tuple(by_window.values()))


def _measure_sensitivity(
    spec: Strategy, prepared: PreparedData, predictions: Predictions
) -> SensitivityFigures:
    """The strategy with other costs, delays and thresholds, from the same forecasts."""
    return compute_sensitivity_surface(
        SignalInputs.from_predictions(predictions),
        prepared.market.wide("open").loc[prepared.span],
        prepared.target_close,
        TradingParameters(
            signal=spec.signal,
            sizing=spec.sizing,
            costs=spec.costs.bind(prepared.market),
            execution=spec.execution,
            periods_per_year=prepared.market.periods_per_year,
            max_weight=spec.max_weight,
        ),
    ).to_document()
