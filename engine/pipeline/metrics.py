"""The last stage of a run: the metrics of every book, and the scores of every model."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.forecasts.scores import score_forecasts, score_quantiles
from engine.evaluation.metrics.performance import performance_metrics
from engine.evaluation.metrics.trade_metrics import limit_metrics, wait_metrics
from engine.pipeline.portfolio_figures import count_rebalancings
from engine.runs.documents import Metrics
from engine.runs.documents.metrics import (
    BookMetrics,
    ForecastScores,
    SpanFigures,
    VolumeFigures,
)
from engine.runs.documents.rates import AnnualRate
from engine.simulation.funding import unfunded_bars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Matrix
    from engine.data.rates import RatesByBar
    from engine.pipeline.prepared_data import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.simulation.costs import CostModel
    from engine.simulation.portfolio import SimulationResult
    from engine.training.out_of_sample import HorizonForecast, Predictions


def compute_run_metrics(result: BacktestResult) -> Metrics:
    """`metrics.json` of a run, with the figures of its rebalancings."""
    counts = count_rebalancings(result.spec, result.prepared, result.predictions)
    return compute_metrics(
        result.prepared, result.predictions, result.books, result.spec.costs, counts
    )


def compute_metrics(
    prepared: PreparedData,
    predictions: Mapping[str, Predictions],
    books: Mapping[str, SimulationResult],
    costs: CostModel,
    rebalancings: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Metrics:
    """`metrics.json`: the span, every book's figures, every model's forecast scores.

    Args:
        prepared: Bars and rates.
        predictions: Forecasts of the books with a model.
        books: Book -> simulated result.
        costs: Of the strategy.
        rebalancings: By `count_rebalancings`.
    """
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
                measure_book(book, costs, periods_per_year=periods, rates=rates)
                | dict(rebalancings.get(name, {}))
            )
            for name, book in books.items()
        },
        forecasts={
            name: ForecastScores.model_validate(_score_forecasts(prepared, forecast))
            for name, forecast in predictions.items()
        },
        **count_special_bars(prepared, costs),
    )


def measure_book(
    book: SimulationResult, costs: CostModel, *, periods_per_year: float, rates: RatesByBar
) -> dict[str, Any]:
    """The figures of one book in `metrics.json`, but those of its rebalancings.

    Args:
        book: Simulated result.
        costs: Of the strategy.
        periods_per_year: Bars a year.
        rates: Interest rates on the bars of the book.
    """
    returns = np.asarray(book.returns, dtype=np.float64)
    performance = performance_metrics(
        book.returns,
        book.held_weights,
        book.trades,
        periods_per_year=periods_per_year,
        excess_returns=rates.excess_values(returns),
    )
    return (
        performance
        | wait_metrics(book.waits)
        | {"margin_calls": len(book.margin_calls)}
        | _limit_figures(book)
        | _financing_figures(book, costs)
    )


def count_special_bars(prepared: PreparedData, costs: CostModel) -> dict[str, Any]:
    """The sections `zero_volume` and `unfunded_bars`, each where it has something to say."""
    unfunded = _count_unfunded_bars(prepared) if costs.charges_funding else {}
    return _count_zero_volumes(prepared) | unfunded


def _limit_figures(book: SimulationResult) -> dict[str, Any]:
    """What bars could not fill; no figure where they filled everything."""
    if book.limited.empty:
        return {}
    return limit_metrics(book.trades, book.limited) | {"unfilled_orders": book.waiting or {}}


def _financing_figures(book: SimulationResult, costs: CostModel) -> dict[str, float]:
    """Funding and loan interest over the equity before each bar, where the costs charge them."""
    charged = {
        "funding": costs.charges_funding,
        "loan_interest": costs.loan_per_year is not None,
    }
    equity = (1.0 + book.returns).cumprod().shift(fill_value=1.0)
    return {
        f"{name}_pct": 100.0 * float((book.financing[name] / equity)[equity > 0].sum())
        for name, is_charged in charged.items()
        if is_charged
    }


def _count_unfunded_bars(prepared: PreparedData) -> dict[str, Any]:
    """The section `unfunded_bars`; no section where every payment has a rate."""
    counts = {
        symbol: len(unfunded_bars(prepared.market, symbol, prepared.span))
        for symbol in prepared.targets
    }
    found = {symbol: count for symbol, count in counts.items() if count}
    return {"unfunded_bars": found} if found else {}


def _count_zero_volumes(prepared: PreparedData) -> dict[str, Any]:
    """The section `zero_volume`; no section where no traded symbol has such a bar."""
    figures = {}
    volumes = prepared.market.wide("volume", prepared.targets).loc[prepared.span]
    for symbol, volume in zip(prepared.targets, volumes.to_numpy().T, strict=True):
        zero = volume == 0.0
        if zero.any():
            ignored = int((zero & prepared.traded[symbol].to_numpy()).sum())
            figures[symbol] = VolumeFigures(
                untraded_bars=int(zero.sum()) - ignored, ignored_bars=ignored
            )
    return {"zero_volume": figures} if figures else {}


def _score_forecasts(prepared: PreparedData, predictions: Predictions) -> dict[str, Any]:
    """Scores of the traded horizon; with several horizons, of each under `horizons`."""
    by_horizon = {
        horizon: score_horizon(prepared, horizon, outlook)
        for horizon, outlook in predictions.by_horizon.items()
    }
    traded = by_horizon[predictions.horizon]
    if len(by_horizon) == 1:
        return traded
    return traded | {"horizons": {str(bars): scores for bars, scores in by_horizon.items()}}


def score_horizon(
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
    parts = [
        np.tile([np.quantile(own, level) for own in returns], (rows, 1))
        for rows, returns in prepared.train_returns(horizon)
    ]
    return np.concatenate(parts)
