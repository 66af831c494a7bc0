"""Figures of the strategy's and the benchmark's returns: regression, distribution, periods."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.inference.regression import fit_hac_regression
from engine.evaluation.metrics.distribution import OUTLIER_DEVIATIONS, distribution_statistics
from engine.evaluation.metrics.histogram import (
    bin_edges,
    exceedance_curve,
    fit_normal,
    normal_bin_shares,
    normal_tail_shares,
)
from engine.evaluation.metrics.period_returns import compound_returns_pct
from engine.runs.documents.analysis_returns import (
    BenchmarkRegressionFigures,
    DistributionFigures,
    HistogramFigures,
    PeriodReturns,
    TailCurves,
    TailFigures,
)
from engine.runs.run import BENCHMARK_BOOK

if TYPE_CHECKING:
    from engine.core.types import Vector

_TAIL_CURVE_MARGIN = 1.04
"""The normal distribution is evaluated up to this multiple of the largest loss or gain."""


def compared_books(returns: pd.DataFrame) -> list[str]:
    """The strategy, and the benchmark where the run has it."""
    return [book for book in (STRATEGY_BOOK, BENCHMARK_BOOK) if book in returns]


def regress_on_benchmark(
    returns: pd.DataFrame, periods_per_year: float, confidence: float
) -> BenchmarkRegressionFigures | None:
    """Beta and alpha of the strategy against buy and hold, see `fit_hac_regression`.

    Args:
        returns: Index timestamp, a column a book: returns above the risk-free rate.
        periods_per_year: Annualises alpha.
        confidence: Level of the intervals: estimate -+ z x HAC standard error.

    Returns:
        None without the benchmark, below 30 bars, or where the benchmark does not vary.
    """
    if BENCHMARK_BOOK not in returns:
        return None
    own, other = (
        returns[book].to_numpy(dtype=np.float64) for book in (STRATEGY_BOOK, BENCHMARK_BOOK)
    )
    return regress_returns(own, other, periods_per_year, confidence)


def regress_returns(
    own: Vector, other: Vector, periods_per_year: float, confidence: float
) -> BenchmarkRegressionFigures | None:
    """The same of any two series of returns above the risk-free rate, shapes (n,); no NaN."""
    line = fit_hac_regression(other, own)
    if line is None:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    unit = 100.0 * periods_per_year
    alpha, error = unit * line.intercept, line.intercept_standard_error
    alpha_bounds = _bounds(alpha, None if error is None else unit * error, z)
    beta_bounds = _bounds(line.slope, line.slope_standard_error, z)
    return BenchmarkRegressionFigures(
        observations=line.observations,
        beta=line.slope,
        beta_low=beta_bounds[0],
        beta_high=beta_bounds[1],
        correlation=line.correlation,
        alpha_pct_per_year=alpha,
        alpha_low_pct_per_year=alpha_bounds[0],
        alpha_high_pct_per_year=alpha_bounds[1],
        alpha_t_statistic=line.intercept_t_statistic,
    )


def _bounds(estimate: float, error: float | None, z: float) -> tuple[float | None, float | None]:
    return (None, None) if error is None else (estimate - z * error, estimate + z * error)


def describe_distributions(returns: pd.DataFrame) -> dict[str, DistributionFigures]:
    """Of strategy and benchmark, see `distribution_statistics`; none below two bars."""
    index = pd.DatetimeIndex(returns.index)
    found = {
        book: distribution_statistics(returns[book].to_numpy(dtype=np.float64))
        for book in compared_books(returns)
    }
    return {
        book: DistributionFigures(
            bars=each.bars,
            zero_return_bars=each.zero_return_bars,
            mean_pct=100.0 * each.mean,
            standard_deviation_pct=100.0 * each.standard_deviation,
            skewness=each.skewness,
            excess_kurtosis=each.excess_kurtosis,
            worst_pct=100.0 * each.worst,
            worst_bar=index[each.worst_row].isoformat(),
            best_pct=100.0 * each.best,
            best_bar=index[each.best_row].isoformat(),
            tails=tuple(
                TailFigures(
                    level=tail.level,
                    bars=tail.bars,
                    value_at_risk_pct=100.0 * tail.value_at_risk,
                    expected_shortfall_pct=100.0 * tail.expected_shortfall,
                )
                for tail in each.tail_losses
            ),
            tail_ratio=each.tail_ratio,
            outlier_deviations=OUTLIER_DEVIATIONS,
            lower_outliers=each.lower_outliers,
            expected_lower_outliers=each.expected_lower_outliers,
            lower_outliers_p_value=each.lower_outliers_p_value,
        )
        for book, each in found.items()
        if each is not None
    }


def bin_returns(returns: pd.DataFrame) -> HistogramFigures | None:
    """Returns of strategy and benchmark in the same bins; None below two bars."""
    if len(returns) < 2:
        return None
    samples = _samples_pct(returns)
    moved = {book: values[values != 0] for book, values in samples.items()}
    edges = bin_edges(np.concatenate(list(moved.values())))
    normal = fit_normal(samples[STRATEGY_BOOK])
    curve = (np.zeros(0), np.zeros(0)) if normal is None else normal_bin_shares(normal, edges)
    return HistogramFigures(
        edges_pct=tuple(edges.tolist()),
        shares_pct={
            book: tuple((100.0 * np.histogram(values, edges)[0] / len(returns)).tolist())
            for book, values in moved.items()
        },
        normal_returns_pct=tuple(curve[0].tolist()),
        normal_shares_pct=tuple(curve[1].tolist()),
    )


def trace_tails(returns: pd.DataFrame) -> dict[str, TailCurves]:
    """Losses and gains of strategy and benchmark by size; none below two bars."""
    if len(returns) < 2:
        return {}
    samples = _samples_pct(returns)
    reach = max(float(np.abs(values).max()) for values in samples.values())
    normal = fit_normal(samples[STRATEGY_BOOK])
    curves = {}
    for book, values in samples.items():
        losses, gains = exceedance_curve(-values), exceedance_curve(values)
        drawn = (np.zeros(0), np.zeros(0))
        if normal is not None and book == STRATEGY_BOOK:
            drawn = normal_tail_shares(normal, _TAIL_CURVE_MARGIN * reach)
        curves[book] = TailCurves(
            bars=len(values),
            loss_sizes_pct=tuple(losses[0].tolist()),
            loss_bars=tuple(losses[1].tolist()),
            gain_sizes_pct=tuple(gains[0].tolist()),
            gain_bars=tuple(gains[1].tolist()),
            normal_sizes_pct=tuple(drawn[0].tolist()),
            normal_shares_pct=tuple(drawn[1].tolist()),
        )
    return curves


def compound_periods(returns: pd.DataFrame) -> dict[str, PeriodReturns]:
    """Returns of strategy and benchmark by month and year."""
    return {
        book: PeriodReturns(
            months=compound_returns_pct(returns[book], "M"),
            years=compound_returns_pct(returns[book], "Y"),
        )
        for book in compared_books(returns)
    }


def _samples_pct(returns: pd.DataFrame) -> dict[str, Vector]:
    return {
        book: 100.0 * returns[book].to_numpy(dtype=np.float64) for book in compared_books(returns)
    }
