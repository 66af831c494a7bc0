from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.evaluation.forecasts.time_series_rank_correlation import (
    TimeSeriesRankCorrelation,
    time_series_rank_correlation,
)
from tests.evaluation.forecasts.tables import forecast_table

RNG = np.random.default_rng(8)
YEAR = forecast_table(RNG.normal(size=366).round(1), RNG.normal(size=366).round(1))


def test_overall_is_scipys_rank_correlation_and_the_weighted_mean_of_the_months() -> None:
    correlation = time_series_rank_correlation(YEAR)
    other = stats.spearmanr(YEAR["predicted"], YEAR["actual"]).statistic
    assert correlation.overall == pytest.approx(other)
    assert np.average(correlation.values, weights=correlation.rows) == pytest.approx(other)
    assert (correlation.period, correlation.period_labels[2], correlation.rows[2]) == (
        "month",
        "2020-03",
        31,
    )


def test_a_month_is_the_mean_product_of_its_standardised_ranks() -> None:
    correlation = time_series_rank_correlation(YEAR)
    ranks = [
        stats.zscore(stats.rankdata(YEAR[name].to_numpy())) for name in ("predicted", "actual")
    ]
    march = YEAR["timestamp"].dt.month.to_numpy() == 3
    expected = sum(a * b for a, b in zip(ranks[0][march], ranks[1][march], strict=True)) / 31
    assert correlation.values[2] == pytest.approx(expected)


def test_t_statistic_and_positive_share_are_over_months() -> None:
    correlation = time_series_rank_correlation(YEAR)
    sums = np.array(correlation.values) * np.array(correlation.rows)
    assert correlation.t_statistic == pytest.approx(stats.ttest_1samp(sums, 0.0).statistic)
    assert correlation.positive_share == sum(value > 0 for value in correlation.values) / 12


def mean_reversion_on_noise(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Forecasts that a random walk returns to its latest mean."""
    returns = rng.normal(size=rows + 1)
    walk = pd.Series(np.cumsum(returns))
    forecast = (walk.rolling(20).mean() - walk).fillna(0.0)
    return forecast_table(forecast.to_numpy()[:-1], returns[1:])


@pytest.mark.slow
def test_mean_reversion_forecasts_have_no_skill_on_a_random_walk() -> None:
    markets = [mean_reversion_on_noise(np.random.default_rng(seed), 1500) for seed in range(60)]
    within = [
        np.mean([
            stats.spearmanr(rows["predicted"], rows["actual"]).statistic
            for _, rows in market.groupby(market["timestamp"].dt.strftime("%Y-%m"))
        ])
        for market in markets[:5]
    ]  # fmt: skip
    correlation = [time_series_rank_correlation(market) for market in markets]
    assert np.mean(within) > 0.1
    assert np.mean([each.overall for each in correlation if each.overall is not None]) < 0.01
    assert (
        sum(abs(each.t_statistic) > 1.96 for each in correlation if each.t_statistic is not None)
        <= 8
    )


def test_each_symbol_is_ranked_separately() -> None:
    rising = forecast_table(np.arange(31), np.arange(31))
    falling = forecast_table(100 + np.arange(31), -np.arange(31), symbol="B")
    correlation = time_series_rank_correlation(pd.concat([rising, falling]))
    assert (correlation.overall, correlation.rows) == (pytest.approx(0.0, abs=1e-12), (62,))
    assert time_series_rank_correlation(
        pd.concat([rising, rising.assign(symbol="B")])
    ).overall == pytest.approx(1.0)


@pytest.mark.parametrize(("freq", "rows", "period"), [("D", 90, "month"), ("W", 104, "quarter")])
def test_weekly_bars_have_quarters_as_periods(freq: str, rows: int, period: str) -> None:
    values = RNG.normal(size=rows)
    correlation = time_series_rank_correlation(forecast_table(values, values, freq=freq))
    assert (correlation.period, correlation.overall) == (period, pytest.approx(1.0))


def test_constant_forecasts_have_no_rank_correlation() -> None:
    assert time_series_rank_correlation(
        forecast_table(np.zeros(90), RNG.normal(size=90))
    ) == TimeSeriesRankCorrelation("year")
    steady = forecast_table(np.zeros(90), RNG.normal(size=90), symbol="B")
    alone = time_series_rank_correlation(YEAR)
    assert time_series_rank_correlation(pd.concat([YEAR, steady])) == alone


def test_one_month_has_a_figure_and_no_t() -> None:
    correlation = time_series_rank_correlation(forecast_table(np.arange(20), np.arange(20)))
    assert (correlation.overall, correlation.t_statistic, correlation.positive_share) == (
        pytest.approx(1.0),
        None,
        1.0,
    )


def test_no_forecasts_have_no_months() -> None:
    assert time_series_rank_correlation(forecast_table([], [])) == TimeSeriesRankCorrelation(
        "year"
    )
