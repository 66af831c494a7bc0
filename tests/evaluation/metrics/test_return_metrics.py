from __future__ import annotations

import math

import numpy as np
import pytest

from engine.evaluation.metrics import return_metrics

# Equity 1.10, 0.88, 1.056, 1.056, 1.1088.
RETURNS = np.array([0.10, -0.20, 0.20, 0.0, 0.05])
STILL = np.zeros(5)
NOTHING = np.array([])
RUINED = np.array([0.1, -1.0, 0.0])


def test_total_return_compounds() -> None:
    assert return_metrics.total_return(RETURNS) == pytest.approx(0.1088, rel=1e-12)


def test_cagr_takes_the_years_from_the_bars() -> None:
    assert return_metrics.cagr(RETURNS, 10) == pytest.approx(1.1088**2 - 1, rel=1e-12)
    assert return_metrics.cagr(RUINED, 10) == -1.0


def test_volatility_uses_ddof_1() -> None:
    deviation = math.sqrt((0.07**2 + 0.23**2 + 0.17**2 + 0.03**2 + 0.02**2) / 4)
    assert return_metrics.annualised_volatility(RETURNS, 252) == pytest.approx(
        deviation * math.sqrt(252), rel=1e-12
    )


def test_sharpe_is_mean_over_deviation_of_ddof_1() -> None:
    deviation = math.sqrt((0.07**2 + 0.23**2 + 0.17**2 + 0.03**2 + 0.02**2) / 4)
    assert return_metrics.sharpe(RETURNS, 365) == pytest.approx(
        0.03 / deviation * math.sqrt(365), rel=1e-12
    )


def test_sortino_takes_the_downside_over_all_bars() -> None:
    downside = math.sqrt(0.2**2 / 5)
    assert return_metrics.sortino(RETURNS, 365) == pytest.approx(
        0.03 / downside * math.sqrt(365), rel=1e-12
    )


def test_max_drawdown_is_from_the_highest_close() -> None:
    assert return_metrics.max_drawdown(RETURNS) == pytest.approx(-0.2, rel=1e-12)


def test_the_start_is_a_peak() -> None:
    assert return_metrics.max_drawdown(np.array([-0.1, 0.05])) == pytest.approx(-0.1, rel=1e-12)
    assert return_metrics.max_drawdown_bars(np.array([-0.1, 0.05])) == 2


@pytest.mark.parametrize(
    ("returns", "deepest", "longest"),
    [
        # Peak at the first bar, recovered at the fourth.
        ([0.10, -0.20, 0.10, 0.20, 0.0], 3, 3),
        # Never recovered: to the end.
        ([0.10, -0.20, 0.10, 0.0, 0.0], 4, 4),
        # The second drawdown is deeper, and shorter.
        ([-0.1, 0.0, 0.2, -0.5, 1.5, 0.0], 2, 3),
        # The last drawdown is longer, less deep, and not recovered.
        ([-0.5, 2.0, -0.1, 0.0, 0.0], 2, 3),
        # Steady at the peak is no drawdown.
        ([0.1, 0.0, 0.0, -0.1, 0.2], 2, 2),
        ([0.1, 0.1], 0, 0),
        ([], 0, 0),
    ],
)
def test_drawdown_durations_are_of_the_deepest_and_of_the_longest(
    returns: list[float], deepest: int, longest: int
) -> None:
    values = np.array(returns)
    assert return_metrics.max_drawdown_bars(values) == deepest
    assert return_metrics.longest_drawdown_bars(values) == longest


@pytest.mark.parametrize("seed", range(20))
def test_longest_drawdown_is_the_longest_stretch_below_a_peak(seed: int) -> None:
    returns = 0.01 * np.random.default_rng(seed).standard_normal(60)
    peak, longest, equity = (-1, 1.0), 0, np.cumprod(1 + returns)
    for bar, value in enumerate(equity):
        below = value < peak[1]
        longest = max(longest, bar - peak[0]) if below or bar - peak[0] > 1 else longest
        peak = peak if below else (bar, value)
    assert return_metrics.longest_drawdown_bars(returns) == longest
    assert longest >= return_metrics.max_drawdown_bars(returns)


def test_calmar_is_cagr_over_the_depth() -> None:
    assert return_metrics.calmar(RETURNS, 10) == pytest.approx((1.1088**2 - 1) / 0.2, rel=1e-12)


@pytest.mark.parametrize("name", ["sharpe", "sortino", "calmar"])
@pytest.mark.parametrize("returns", [STILL, NOTHING, np.full(50, 0.1 / 3), np.array([0.01])])
def test_ratios_of_constant_or_missing_returns_are_none(name: str, returns: np.ndarray) -> None:
    assert getattr(return_metrics, name)(returns, 365) is None


@pytest.mark.parametrize("name", ["cagr", "annualised_volatility", "sharpe", "sortino", "calmar"])
def test_a_nan_return_gives_none(name: str) -> None:
    assert getattr(return_metrics, name)(np.array([0.1, np.nan, -0.1]), 365) is None


def test_constant_equity_has_no_drawdown_and_no_return() -> None:
    assert return_metrics.total_return(STILL) == 0.0
    assert return_metrics.annualised_volatility(STILL, 365) == 0.0
    assert return_metrics.max_drawdown(STILL) == 0.0


def test_a_ruined_book_has_lost_everything() -> None:
    assert return_metrics.total_return(RUINED) == -1.0
    assert return_metrics.max_drawdown(RUINED) == -1.0
    assert return_metrics.max_drawdown_bars(RUINED) == 2
    assert return_metrics.longest_drawdown_bars(RUINED) == 2


def test_each_window_uses_its_own_bars_only() -> None:
    returns = np.array([[0.01, 0.0], [0.03, 0.0], [0.02, 0.1], [-0.02, 0.3], [0.0, 0.2]])
    ratios = return_metrics.sharpe_by_window(
        returns, np.array([4, 4, 5, 5, 5]), periods_per_year=4
    )
    assert list(ratios) == [4, 5]
    # Means 0.02 and 0, deviations 0.01 sqrt(2) and 0.02, two periods a half year each.
    assert ratios[4] == (pytest.approx(2 * 0.02 / (0.01 * 2**0.5)), None)
    assert ratios[5] == (pytest.approx(0.0, abs=1e-12), pytest.approx(4.0))


def test_a_window_of_one_bar_has_no_sharpe_ratio() -> None:
    assert return_metrics.sharpe_by_window(np.array([[0.1]]), np.array([0]), 252) == {0: (None,)}
