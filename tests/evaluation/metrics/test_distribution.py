from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from engine.evaluation.metrics.distribution import distribution_statistics, tail_loss

RETURNS = np.random.default_rng(5).standard_t(4, 1000) * 0.01


def test_moments_equal_scipys() -> None:
    statistics = distribution_statistics(RETURNS)
    assert statistics
    assert statistics.mean == pytest.approx(RETURNS.mean())
    assert statistics.standard_deviation == pytest.approx(RETURNS.std(ddof=1))
    assert statistics.skewness == pytest.approx(stats.skew(RETURNS))
    assert statistics.excess_kurtosis == pytest.approx(stats.kurtosis(RETURNS))


def test_the_worst_and_the_best_bar_have_their_rows() -> None:
    statistics = distribution_statistics(np.array([0.01, -0.03, 0.0, 0.05, -0.03]))
    assert statistics
    assert (statistics.worst, statistics.worst_row) == (-0.03, 1)
    assert (statistics.best, statistics.best_row) == (0.05, 3)
    assert (statistics.bars, statistics.zero_return_bars) == (5, 1)


def test_expected_shortfall_is_the_mean_of_the_tail_and_value_at_risk_its_maximum() -> None:
    twenty = np.arange(-10, 10) / 100.0
    shuffled = np.random.default_rng(1).permutation(twenty)
    statistics = tail_loss(shuffled, 0.15)
    assert (statistics.bars, statistics.value_at_risk) == (3, -0.08)
    assert statistics.expected_shortfall == pytest.approx(-0.09)


def test_a_whole_number_of_bars_is_not_rounded_up_by_float_error() -> None:
    assert tail_loss(np.arange(100.0), 0.07).bars == 7
    assert tail_loss(np.arange(20.0), 0.05).bars == 1
    assert tail_loss(np.arange(21.0), 0.05).bars == 2


def test_tail_losses_equal_a_count_bar_by_bar() -> None:
    statistics = distribution_statistics(RETURNS)
    assert statistics
    for each in statistics.tail_losses:
        as_bad = [value for value in RETURNS.tolist() if value <= each.value_at_risk]
        assert len(as_bad) == each.bars == math.ceil(each.level * 1000)
        assert each.expected_shortfall == pytest.approx(sum(as_bad) / len(as_bad))


def test_the_tail_ratio_equals_quantstats() -> None:
    import pandas as pd
    import quantstats

    statistics = distribution_statistics(RETURNS)
    assert statistics
    index = pd.date_range("2020-01-01", periods=len(RETURNS))
    other = quantstats.stats.tail_ratio(pd.Series(RETURNS, index))
    assert statistics.tail_ratio == pytest.approx(other)


def test_a_heavy_tail_has_more_outliers_than_a_normal_one() -> None:
    statistics = distribution_statistics(RETURNS)
    assert statistics
    assert statistics.expected_lower_outliers == pytest.approx(1000 * stats.norm.sf(3))
    limit = RETURNS.mean() - 3 * RETURNS.std(ddof=1)
    assert (
        statistics.lower_outliers
        == sum(value < limit for value in RETURNS)
        > statistics.expected_lower_outliers
    )
    rare = stats.norm.sf(3)
    fewer = sum(stats.binom.pmf(count, 1000, rare) for count in range(statistics.lower_outliers))
    assert statistics.lower_outliers_p_value == pytest.approx(1 - fewer)
    thin = distribution_statistics(np.tile([-1.0, 1.0], 50))
    assert thin
    assert (thin.lower_outliers, thin.lower_outliers_p_value) == (0, 1.0)


def test_constant_returns_have_no_moments() -> None:
    statistics = distribution_statistics(np.full(50, 0.1))
    assert statistics
    assert (statistics.standard_deviation, statistics.skewness, statistics.excess_kurtosis) == (
        0.0,
        None,
        None,
    )
    assert statistics.lower_outliers == 0
    held = distribution_statistics(np.zeros(50))
    assert held
    assert (held.zero_return_bars, held.tail_ratio) == (50, None)


def test_one_bar_has_no_distribution() -> None:
    assert distribution_statistics(np.array([0.1])) is None
