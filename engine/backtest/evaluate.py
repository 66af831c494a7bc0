"""The evaluation stage of a run: every interval and test of `significance.json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.backtest.deployment_section import make_deployment_section
from engine.backtest.path_sections import make_path_sections
from engine.core.book_names import STRATEGY_BOOK
from engine.core.randomness import derive_seed
from engine.evaluation.evidence import VerdictInputs
from engine.evaluation.forecasts.cross_section import DECAY_BARS, measure_cross_section
from engine.evaluation.forecasts.model_diagnostics import (
    run_forecast_tests,
    run_input_tests,
    run_residual_tests,
)
from engine.evaluation.forecasts.price_level_r2 import check_price_level_r2
from engine.evaluation.forecasts.window_ranking import rank_forecasts_by_window
from engine.evaluation.inference.permutation import (
    FinancingRates,
    fill_to_fill_returns,
    timing_permutation_test,
)
from engine.evaluation.metrics.return_metrics import sharpe_by_window
from engine.evaluation.metrics.trade_metrics import mean_cost_paid, round_trip_profits
from engine.evaluation.robustness.capacity import measure_capacity
from engine.evaluation.robustness.seed_variance import decompose_seed_variance
from engine.evaluation.robustness.sensitivity import TradingParameters, compute_sensitivity_surface
from engine.evaluation.significance import assess_significance
from engine.features.target import forward_returns
from engine.pipeline.steps import (
    assemble_predictions_by_seed,
    decide_model_positions,
)
from engine.portfolio import TradingCalendar
from engine.runs.documents.significance_models import (
    ModelSections,
    PriceLevelFigures,
    SeedFigures,
    TimingFigures,
)
from engine.signals.inputs import SignalInputs
from engine.signals.orders import schedule_orders
from engine.simulation.book_values import Variation
from engine.simulation.costs import BPS, BoundCosts, Costs
from engine.simulation.portfolio import simulate_variations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.backtest.further_paths import FurtherPaths
    from engine.core.types import Matrix, WideFrame
    from engine.evaluation.inference.trial_set import TrialSet
    from engine.pipeline.prepared_data import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.runs.documents import Significance
    from engine.runs.documents.significance_capacity import CapacityFigures
    from engine.runs.documents.significance_cross_section import CrossSectionFigures
    from engine.runs.documents.significance_models import InputTestFigures, SensitivityFigures
    from engine.strategy import Strategy
    from engine.training.out_of_sample import Predictions
    from engine.training.results import FitResults


def evaluate_backtest(
    result: BacktestResult,
    trials: TrialSet | None = None,
    further: FurtherPaths | None = None,
) -> Significance:
    """`significance.json`: every interval and test, and the verdict.

    Args:
        result: Forecasts, decisions and books.
        trials: All trials; None where they are not known.
        further: The strategy on the paths of `paths`, which no grade depends on.
    """
    spec, prepared = result.spec, result.prepared
    inputs = VerdictInputs(
        returns=result.returns,
        periods_per_year=prepared.market.periods_per_year,
        trials=trials,
        round_trips=len(round_trip_profits(result.books[STRATEGY_BOOK].trades)),
        rates=prepared.rates_by_bar,
        model_sections=ModelSections(
            timing=measure_timing(spec, prepared, result.books[STRATEGY_BOOK].held_weights),
            **_test_forecasts(prepared, result.predictions),
            **_make_cross_section(prepared, result.predictions[STRATEGY_BOOK]),
            price_level=_check_price_level(spec, prepared, result.predictions[STRATEGY_BOOK]),
            inputs=_test_input_stationarity(prepared),
            seeds=_measure_seed_variance(spec, prepared, result.fits),
            sensitivity=_measure_sensitivity(result),
            **make_path_sections(result, further),
            **make_deployment_section(result),
            **_make_capacity_section(result),
        ),
    )
    rng = np.random.default_rng(derive_seed(spec.seed, "bootstrap"))
    return assess_significance(inputs, spec.evaluation, rng)


def measure_timing(
    spec: Strategy, prepared: PreparedData, held_weights: WideFrame
) -> TimingFigures | None:
    """The permutation test of the timing of positions; None where it is not defined.

    Args:
        spec: The strategy.
        prepared: Its bars and rates.
        held_weights: Fraction of the equity held at each out-of-sample close.
    """
    opens, closes = (prepared.wide(price) for price in ("open", "close"))
    test = timing_permutation_test(
        *fill_to_fill_returns(held_weights, opens, closes, spec.execution.price),
        _financing_rates(prepared),
    )
    if test is None:
        return None
    return TimingFigures(
        sharpe=test.sharpe * prepared.market.periods_per_year**0.5,
        p_value=test.p_value,
        shifts=test.shifts,
        nearest_bars=test.nearest_bars,
    )


def _financing_rates(prepared: PreparedData) -> FinancingRates | None:
    """The rates from each fill to that of the next bar; None where both are 0."""
    rates = prepared.rates_by_bar
    if rates.is_zero:
        return None
    cash, risk_free = (
        np.asarray(each, dtype=np.float64)[1:]
        for each in (rates.cash_per_bar, rates.risk_free_per_bar)
    )
    return FinancingRates(cash, risk_free)


def _test_forecasts(
    prepared: PreparedData, predictions: Mapping[str, Predictions]
) -> dict[str, Any]:
    """Tests of the forecasts of all target symbols, over the traded horizon."""
    own = predictions[STRATEGY_BOOK]
    forecasts = {book: each.predicted.to_numpy() for book, each in predictions.items()}
    actual = prepared.feature_history.forward_returns[own.horizon].loc[prepared.span].to_numpy()
    return {
        "forecasts": run_forecast_tests(
            forecasts, actual, _train_drift(prepared, own.horizon), own.horizon
        ),
        "ranks": rank_forecasts_by_window(forecasts, actual, own.window_index),
        "residuals": run_residual_tests(
            forecasts[STRATEGY_BOOK], actual, _residual_regressors(prepared), own.horizon
        ),
    }


def _make_cross_section(
    prepared: PreparedData, predictions: Predictions
) -> dict[str, CrossSectionFigures]:
    """`cross_section` and its figures; no section with fewer than three symbols."""
    horizons = sorted({*DECAY_BARS, predictions.horizon})
    figures = measure_cross_section(
        predictions.predicted.to_numpy(),
        {
            bars: forward_returns(prepared.target_close, bars).loc[prepared.span].to_numpy()
            for bars in horizons
        },
        predictions.horizon,
    )
    return {} if figures is None else {"cross_section": figures}


def _residual_regressors(prepared: PreparedData) -> Matrix:
    """(n, k) the features at each out-of-sample bar; of several targets the mean of the known."""
    features = prepared.feature_history.features
    values = features.values[prepared.tested.start :]
    if len(prepared.targets) == 1:
        return values
    by_symbol = values.reshape(len(values), len(features.symbol_columns), -1)
    mean: Matrix
    if prepared.feature_history.panel is None:
        mean = by_symbol.mean(axis=1)
        return mean
    known = np.isfinite(by_symbol)
    total = np.where(known, by_symbol, 0.0).sum(axis=1)
    mean = total / np.maximum(known.sum(axis=1), 1)
    return mean


def _check_price_level(
    spec: Strategy, prepared: PreparedData, predictions: Predictions
) -> PriceLevelFigures | None:
    """Of all target symbols; None where the forecasts are of no return, but relative to others."""
    if spec.target.compares_symbols:
        return None
    horizon, close = predictions.horizon, prepared.target_close
    check = check_price_level_r2(
        close.loc[prepared.span].to_numpy(),
        _later_closes(prepared, horizon).loc[prepared.span].to_numpy(),
        predictions.predicted.to_numpy(),
        _train_drift(prepared, horizon),
        horizon=horizon,
        confidence=spec.evaluation.confidence,
    )
    return PriceLevelFigures(**asdict(check))


def _later_closes(prepared: PreparedData, horizon: int) -> WideFrame:
    """The close that each forecast is of; NaN where it is not known."""
    if prepared.feature_history.panel is None:
        return prepared.target_close.shift(-horizon)
    return prepared.target_close * (1.0 + prepared.feature_history.forward_returns[horizon])


def _train_drift(prepared: PreparedData, horizon: int) -> Matrix:
    """(n, m) mean return of each symbol over the train rows of each out-of-sample bar's window."""
    return np.concatenate(
        [
            np.tile([own.mean() for own in returns], (rows, 1))
            for rows, returns in prepared.train_returns(horizon)
        ]
    )


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
    if prepared.feature_history.panel is not None:
        inputs = {name: column[np.isfinite(column)] for name, column in inputs.items()}
    return run_input_tests(inputs)


def _measure_seed_variance(
    spec: Strategy, prepared: PreparedData, fits: FitResults
) -> SeedFigures | None:
    """The strategy traded on the forecasts of each seed alone."""
    by_seed = assemble_predictions_by_seed(prepared, fits)
    if not by_seed:
        return None
    opens, closes = (prepared.wide(price) for price in ("open", "close"))
    costs = spec.bind_costs(prepared.market)
    decided = (decide_model_positions(spec, prepared, each) for each in by_seed.values())
    delay, rates = spec.execution.delay, prepared.rates_by_bar
    lags = prepared.fill_lags(spec)
    variations = (
        Variation(schedule_orders(weights, delay, lags), delay, costs, lags) for weights in decided
    )
    columns = list(
        simulate_variations(
            variations,
            opens,
            closes,
            execution=spec.execution,
            traded=prepared.traded,
            settlements=prepared.settlements,
            cash_rates=rates.cash,
        )
    )
    returns, periods = np.column_stack(columns), prepared.market.periods_per_year
    variance = decompose_seed_variance(
        rates.excess_values(returns), periods, spec.evaluation.confidence
    )
    if variance is None:
        return None
    window = next(iter(by_seed.values())).window_index
    by_window = sharpe_by_window(returns, window, periods, rates)
    return SeedFigures(**asdict(variance), sharpe_by_window=tuple(by_window.values()))


def _make_capacity_section(result: BacktestResult) -> dict[str, CapacityFigures]:
    """`capacity` and its figures; no section where the costs do not depend on the capital."""
    spec, prepared = result.spec, result.prepared
    costs = spec.bind_costs(prepared.market)
    if spec.capital is None or isinstance(costs, Costs) or not costs.rates.needs_capital:
        return {}
    figures = measure_capacity(
        result.weights[STRATEGY_BOOK],
        prepared.wide("open"),
        prepared.wide("close"),
        costs,
        spec.execution,
        capital=spec.capital,
        periods_per_year=prepared.market.periods_per_year,
        rates=prepared.rates_by_bar,
        traded=prepared.traded,
        lags=prepared.fill_lags(spec),
        settlements=prepared.settlements,
    )
    return {"capacity": figures}


def _measure_sensitivity(result: BacktestResult) -> SensitivityFigures:
    """The strategy with other costs, delays and thresholds, from the same forecasts.

    Costs that are not a fixed share of the value are told as what the fills of the run paid, to
    three digits.
    """
    spec, prepared, predictions = result.spec, result.prepared, result.predictions[STRATEGY_BOOK]
    costs = spec.bind_costs(prepared.market)
    paid = mean_cost_paid(result.books[STRATEGY_BOOK].trades)
    if isinstance(costs, BoundCosts) and paid is not None:
        costs = costs.paying(float(f"{BPS * paid:.3g}"))
    return compute_sensitivity_surface(
        SignalInputs.from_predictions(predictions),
        prepared.wide("open"),
        prepared.target_close,
        TradingParameters(
            signal=spec.signal,
            sizing=spec.sizing,
            costs=costs,
            execution=spec.execution,
            periods_per_year=prepared.market.periods_per_year,
            max_weight=spec.max_weight,
            rates=prepared.rates_by_bar,
            portfolio=spec.portfolio,
            lags=prepared.fill_lags(spec),
            horizon=spec.target.horizon,
            calendar=TradingCalendar.of_market(prepared.market),
        ),
        prepared.traded,
        prepared.settlements,
    ).to_document()
