from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.evaluation.forecasts.time_series_rank_correlation import (
    TimeSeriesRankCorrelation,
    time_series_rank_correlation,
)
from tests.evaluation.forecasts.tables import made

RNG = np.random.default_rng(8)
YEAR = made(RNG.normal(size=366).round(1), RNG.normal(size=366).round(1))


def test_the_whole_is_scipys_rank_correlation_and_months_weighted_by_bars_add_up_to_it() -> None:
    found = time_series_rank_correlation(YEAR)
    other = stats.spearmanr(YEAR["predicted"], YEAR["actual"]).statistic
    assert found.overall == pytest.approx(other)
    assert np.average(found.values, weights=found.rows) == pytest.approx(other)
    assert (found.period, found.period_labels[2], found.rows[2]) == ("month", "2020-03", 31)


def test_a_month_is_the_mean_product_of_its_standardised_ranks() -> None:
    found = time_series_rank_correlation(YEAR)
    ranks = [
        stats.zscore(stats.rankdata(YEAR[name].to_numpy())) for name in ("predicted", "actual")
    ]
    march = YEAR["timestamp"].dt.month.to_numpy() == 3
    expected = sum(a * b for a, b in zip(ranks[0][march], ranks[1][march], strict=True)) / 31
    assert found.values[2] == pytest.approx(expected)


def test_t_and_share_are_those_of_the_months() -> None:
    found = time_series_rank_correlation(YEAR)
    sums = np.array(found.values) * np.array(found.rows)
    assert found.t_statistic == pytest.approx(stats.ttest_1samp(sums, 0.0).statistic)
    assert found.positive_share == sum(value > 0 for value in found.values) / 12


def mean_reversion_on_noise(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Forecasts that a random walk returns to its latest mean."""
    returns = rng.normal(size=rows + 1)
    walk = pd.Series(np.cumsum(returns))
    forecast = (walk.rolling(20).mean() - walk).fillna(0.0)
    return made(forecast.to_numpy()[:-1], returns[1:])


def test_a_bet_on_the_return_to_the_mean_has_no_skill_on_a_random_walk() -> None:
    markets = [mean_reversion_on_noise(np.random.default_rng(seed), 1500) for seed in range(60)]
    within = [
        np.mean([
            stats.spearmanr(rows["predicted"], rows["actual"]).statistic
            for _, rows in market.groupby(market["timestamp"].dt.strftime("%Y-%m"))
        ])
        for market in markets[:5]
    ]  # fmt: skip
    found = [time_series_rank_correlation(market) for market in markets]
    assert np.mean(within) > 0.1
    assert np.mean([each.overall for each in found if each.overall is not None]) < 0.01
    assert sum(abs(each.t_statistic) > 1.96 for each in found if each.t_statistic is not None) <= 8


def test_symbols_are_ranked_each_for_itself() -> None:
    rising = made(np.arange(31), np.arange(31))
    falling = made(100 + np.arange(31), -np.arange(31), symbol="B")
    found = time_series_rank_correlation(pd.concat([rising, falling]))
    assert (found.overall, found.rows) == (pytest.approx(0.0, abs=1e-12), (62,))
    assert time_series_rank_correlation(
        pd.concat([rising, rising.assign(symbol="B")])
    ).overall == pytest.approx(1.0)


@pytest.mark.parametrize(("freq", "rows", "period"), [("D", 90, "month"), ("W", 104, "quarter")])
def test_weekly_bars_are_taken_by_the_quarter(freq: str, rows: int, period: str) -> None:
    values = RNG.normal(size=rows)
    found = time_series_rank_correlation(made(values, values, freq=freq))
    assert (found.period, found.overall) == (period, pytest.approx(1.0))


def test_constant_forecasts_rank_nothing() -> None:
    assert time_series_rank_correlation(
        made(np.zeros(90), RNG.normal(size=90))
    ) == TimeSeriesRankCorrelation("year")
    steady = made(np.zeros(90), RNG.normal(size=90), symbol="B")
    alone = time_series_rank_correlation(YEAR)
    assert time_series_rank_correlation(pd.concat([YEAR, steady])) == alone


def test_one_month_has_a_figure_and_no_t() -> None:
    found = time_series_rank_correlation(made(np.arange(20), np.arange(20)))
    assert (found.overall, found.t_statistic, found.positive_share) == (
        pytest.approx(1.0),
        None,
        1.0,
    )


def test_no_forecasts_have_no_months() -> None:
    assert time_series_rank_correlation(made([], [])) == TimeSeriesRankCorrelation("year")
