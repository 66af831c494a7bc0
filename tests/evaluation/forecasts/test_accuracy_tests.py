from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from engine.evaluation.forecasts.accuracy_tests import (
    average_by_bar,
    clark_west,
    diebold_mariano,
    direction_test,
    pesaran_timmermann,
)
from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def moving_sum(generator: np.random.Generator, count: int, terms: int) -> np.ndarray:
    """Errors of forecasts `terms` bars ahead: sums of what comes in between."""
    return np.convolve(generator.standard_normal(count + terms - 1), np.ones(terms), "valid")


def corrected(bars: int, horizon: int) -> float:
    return np.sqrt((bars + 1 - 2 * horizon + horizon * (horizon - 1) / bars) / bars)


def hac_statistic(differences: np.ndarray, horizon: int, kernel: str) -> float:
    from statsmodels.api import OLS

    model = OLS(differences, np.ones(len(differences)))
    options = {"maxlags": horizon - 1, "kernel": kernel}
    return model.fit(cov_type="HAC", cov_kwds=options, use_t=True).tvalues[0]


@pytest.mark.parametrize("power", [1, 2])
def test_one_bar_ahead_diebold_mariano_is_the_paired_t_test_of_the_losses(power: int) -> None:
    first, second = rng(1).standard_normal(80), 1.2 * rng(2).standard_normal(80)
    expected = stats.ttest_rel(np.abs(first) ** power, np.abs(second) ** power)
    result = diebold_mariano(first, second, horizon=1, power=power)
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert (result.degrees, result.lags, result.observations) == (79, 0, 80)


@pytest.mark.parametrize("horizon", [2, 3, 6])
def test_several_bars_ahead_it_is_statsmodels_with_the_correction(horizon: int) -> None:
    first, second = (moving_sum(rng(seed), 120, horizon) for seed in (3, 4))
    raw = hac_statistic(first**2 - second**2, horizon, "uniform")
    result = diebold_mariano(first, second, horizon)
    assert result.statistic == pytest.approx(raw * corrected(120, horizon), rel=1e-9)
    assert result.p_value == pytest.approx(2 * stats.t.sf(abs(result.statistic), 119), rel=1e-9)
    assert result.lags == horizon - 1


def test_a_negative_variance_is_replaced_by_the_weighted_one() -> None:
    # Losses that swing to and fro, so that the first autocovariance is nearly -g_0.
    differences = np.tile([1.0, -0.8], 25) + 0.05 * rng(5).standard_normal(50)
    first, second = np.sqrt(differences + 2), np.full(50, np.sqrt(2))
    centred = differences - differences.mean()
    assert centred @ centred + 2 * centred[1:] @ centred[:-1] < 0
    result = diebold_mariano(first, second, horizon=2)
    expected = hac_statistic(differences, 2, "bartlett") * corrected(50, 2)
    assert result.statistic == pytest.approx(expected, rel=1e-9)


def test_the_better_forecast_has_the_negative_statistic() -> None:
    good, bad = rng(6).standard_normal(200), 2 * rng(7).standard_normal(200)
    result, mirrored = diebold_mariano(good, bad, 1), diebold_mariano(bad, good, 1)
    assert result.statistic < -3
    assert mirrored.statistic == pytest.approx(-result.statistic)
    assert mirrored.p_value == result.p_value


@pytest.mark.parametrize(
    ("first", "second", "horizon"),
    [
        ([1.0, -2.0, 3.0, 0.5], [1.0, 2.0, -3.0, 0.5], 1),
        ([2.0, 2.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0], 1),
        ([1.0, -2.0, 3.0, 0.5], [1.0 + 1e-15, 2.0, -3.0, 0.5], 1),
        ([1.0, 2.0, 3.0], [3.0, 1.0, 4.0], 3),
        ([1.0], [2.0], 1),
        ([], [], 1),
    ],
    ids=["alike", "worse by the same", "alike but for rounding", "n = h", "one row", "no row"],
)
def test_no_test_for_constant_loss_differences_or_too_few_rows(first, second, horizon) -> None:
    assert diebold_mariano(np.array(first), np.array(second), horizon) == HypothesisTestResult()


@pytest.mark.parametrize(("bars", "horizon"), [(16, 1), (60, 1), (60, 3)])
def test_diebold_mariano_rejects_equal_forecasts_at_the_nominal_rate(
    bars: int, horizon: int
) -> None:
    generator = rng(8)
    rejected = [
        diebold_mariano(
            moving_sum(generator, bars, horizon), moving_sum(generator, bars, horizon), horizon
        ).p_value
        < 0.05
        for _ in range(1_000)
    ]
    assert 0.025 < np.mean(rejected) < 0.085


@pytest.mark.parametrize("seed", range(4))
def test_pesaran_timmermann_is_pearsons_chi_square_of_the_two_by_two_table(seed: int) -> None:
    # S^2 (n - 1) / n is Pearson's statistic, whatever the shares.
    generator = rng(seed)
    actual = generator.standard_normal(90) + 0.3
    predicted = 0.3 * actual + generator.standard_normal(90) - 0.2
    predicted_up, actual_up = predicted > 0, actual > 0
    table = [
        [np.sum((predicted_up == a) & (actual_up == b)) for b in (True, False)]
        for a in (True, False)
    ]
    expected = stats.chi2_contingency(table, correction=False).statistic
    result = pesaran_timmermann(predicted, actual)
    assert result.statistic**2 * 89 / 90 == pytest.approx(expected, rel=1e-9)
    assert np.sign(result.statistic) == np.sign(np.corrcoef(predicted_up, actual_up)[0, 1])
    assert result.p_value == pytest.approx(stats.norm.sf(result.statistic), rel=1e-9)
    assert result.observations == 90


def test_pesaran_timmermann_written_out() -> None:
    # 6 of 8 right; x = 1/2, y = 1/2, P* = 1/2: (3/4 - 1/2) / sqrt(1/32 - 4 / 16 / 64).
    predicted = np.array([1.0, 1, 1, 1, -1, -1, -1, -1])
    actual = np.array([1.0, 1, 1, -1, -1, -1, -1, 1])
    result = pesaran_timmermann(predicted, actual)
    assert result.statistic == pytest.approx(0.25 / np.sqrt(1 / 32 - 1 / 256))


def test_zero_is_down_on_both_sides() -> None:
    predicted, actual = np.array([0.1, 0.0, -0.1, 0.2]), np.array([0.3, 0.0, 0.1, -0.1])
    lowered = pesaran_timmermann(predicted - 1e-9, actual - 1e-9)
    assert pesaran_timmermann(predicted, actual) == lowered


@pytest.mark.parametrize(
    ("predicted", "actual"),
    [([1, 1, 1], [1, -1, 1]), ([1, -1, 1], [0, 0, 0]), ([-1, 0], [1, -1]), ([], [])],
)
def test_no_test_with_one_direction_only(predicted, actual) -> None:
    result = pesaran_timmermann(np.array(predicted, dtype=float), np.array(actual, dtype=float))
    assert result == HypothesisTestResult()


def test_always_up_in_a_rising_market_is_no_skill() -> None:
    actual = rng(9).standard_normal(500) + 1.0
    predicted = np.where(rng(10).random(500) < 0.98, 1.0, -1.0)
    assert np.mean((predicted > 0) == (actual > 0)) > 0.8
    assert pesaran_timmermann(predicted, actual).p_value > 0.05


def test_pesaran_timmermann_rejects_chance_at_the_nominal_rate() -> None:
    generator = rng(11)
    rejected = [
        pesaran_timmermann(
            generator.standard_normal(150) + 0.4, generator.standard_normal(150) - 0.2
        ).p_value
        < 0.05
        for _ in range(1_000)
    ]
    assert 0.03 < np.mean(rejected) < 0.075


def with_gaps(values: np.ndarray, seed: int) -> np.ndarray:
    return np.where(rng(seed).random(values.shape) < 0.2, np.nan, values)


def test_an_average_by_bar_is_over_the_symbols_that_have_a_value() -> None:
    none = np.nan
    values = np.array([[1.0, 3.0, none], [none, none, none], [none, -2.0, none], [0.0, 3.0, 6.0]])
    assert average_by_bar(values).tolist() == [2.0, -2.0, 3.0]
    for alone in (values[:, 1], values[:, 1:2]):
        assert average_by_bar(alone).tolist() == [3.0, -2.0, 3.0]


@pytest.mark.parametrize("horizon", [1, 4])
def test_the_same_symbol_many_times_is_no_more_evidence_than_once(horizon: int) -> None:
    actual, first, second = (rng(seed).standard_normal((120, 1)) for seed in (31, 32, 33))
    many = [np.repeat(each, 7, axis=1) for each in (actual, first, second)]

    def statistics(actual: np.ndarray, first: np.ndarray, second: np.ndarray) -> list[float]:
        tests = (
            diebold_mariano(actual - first, actual - second, horizon),
            clark_west(first, second, actual, horizon),
        )
        assert [test.observations for test in tests] == [120, 120]
        return [test.statistic for test in tests]

    expected = statistics(actual[:, 0], first[:, 0], second[:, 0])
    assert statistics(actual, first, second) == expected
    assert statistics(*many) == pytest.approx(expected, rel=1e-12)


def test_cells_without_a_forecast_are_left_out_of_the_mean_of_their_bar() -> None:
    actual, first, second = (rng(seed).standard_normal((90, 4)) for seed in (41, 42, 43))
    first = with_gaps(first, 44)
    first[10] = np.nan
    losses = (actual - first) ** 2 - (actual - second) ** 2
    adjusted = 2 * (actual - second) * (first - second)
    rows = [row for row in range(90) if row != 10]
    for test, cells in (
        (diebold_mariano(actual - first, actual - second, 1), losses),
        (clark_west(first, second, actual, 1), adjusted),
    ):
        by_bar = [np.mean([cell for cell in cells[row] if np.isfinite(cell)]) for row in rows]
        assert test.observations == 89
        assert test.statistic == pytest.approx(stats.ttest_1samp(by_bar, 0).statistic, rel=1e-9)


def test_the_direction_of_one_symbol_is_the_test_of_pesaran_and_timmermann() -> None:
    predicted, actual = with_gaps(rng(51).standard_normal(200), 52), rng(53).standard_normal(200)
    known = np.isfinite(predicted)
    expected = pesaran_timmermann(predicted[known], actual[known])
    assert direction_test(predicted, actual) == expected
    assert direction_test(predicted[:, None], actual[:, None]) == expected


def correlated_symbols(generator: np.random.Generator, share: float = 0.7) -> np.ndarray:
    """150 bars of six symbols that rise more often than they fall, moved by one market."""
    market, own = generator.standard_normal((150, 1)), generator.standard_normal((150, 6))
    return np.sqrt(share) * market + np.sqrt(1 - share) * own + 0.3


def test_the_direction_of_correlated_symbols_is_right_by_chance_at_the_nominal_rate() -> None:
    generator = rng(61)
    rejected = [
        direction_test(correlated_symbols(generator), correlated_symbols(generator)).p_value < 0.05
        for _ in range(600)
    ]
    assert 0.03 < np.mean(rejected) < 0.075


def test_the_direction_of_a_market_that_is_always_up_is_no_skill_and_that_of_skill_is() -> None:
    actual = correlated_symbols(rng(71)) + 1.0
    assert direction_test(np.ones_like(actual), actual) == HypothesisTestResult()
    seldom_down = np.where(rng(72).random(actual.shape) < 0.98, 1.0, -1.0)
    assert direction_test(seldom_down, actual).p_value > 0.05
    skilled = with_gaps(correlated_symbols(rng(73)) + 0.5 * actual, 74)
    assert direction_test(skilled, actual).p_value < 0.001
    assert direction_test(-skilled, actual).p_value > 0.999
