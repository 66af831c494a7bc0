from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import kurtosis, norm, skew

from engine.evaluation.inference.sharpe_significance import (
    TrackRecord,
    deflated_sharpe,
    expected_maximum_sharpe,
    measure_track_record,
    minimum_track_record_length,
    probabilistic_sharpe,
)


def noise(seed: int, bars: int = 500, mean: float = 0.08) -> np.ndarray:
    return 0.01 * (np.random.default_rng(seed).standard_t(5, bars) + mean)


def test_the_deflated_sharpe_ratio_of_the_papers_example() -> None:
    # Bailey & Lopez de Prado (2014), A Numerical Example: 100 trials whose annual Sharpe ratios
    # have the variance 1/2; the best has 2.5 over five years of 250 days, skewness -3, kurtosis
    # 10. They print a benchmark of 0.1132 a day and a deflated Sharpe ratio of 0.9004, and say
    # that 46 independent trials would have left 0.9505.
    best = TrackRecord(2.5 / np.sqrt(250), 1250, -3.0, 10.0)
    deviation = np.sqrt(0.5 / 250)
    benchmark = expected_maximum_sharpe(100, deviation)
    assert round(benchmark, 4) == 0.1132
    assert round(best.probability_above(benchmark), 4) == 0.9004
    fewer = expected_maximum_sharpe(46, deviation)
    assert round(best.probability_above(fewer), 4) == 0.9505
    # And with normal returns, 88 trials instead of 46.
    normal = TrackRecord(2.5 / np.sqrt(250), 1250)
    many = expected_maximum_sharpe(88, deviation)
    assert round(normal.probability_above(many), 4) == 0.9505


@pytest.mark.parametrize(
    ("periods", "tails", "printed"),
    [
        (250, (0.0, 3.0), 2.73),
        (52, (0.0, 3.0), 2.83),
        (12, (0.0, 3.0), 3.24),
        (12, (-0.72, 5.78), 4.99),
    ],
)
def test_the_track_record_lengths_that_the_paper_prints(
    periods: int, tails: tuple[float, float], printed: float
) -> None:
    # Bailey & Lopez de Prado (2012): normal returns with an annual Sharpe ratio of 2 need 2.73
    # years of days, 2.83 of weeks or 3.24 of months to show one above 1 with 95 % confidence;
    # with the skewness -0.72 and the kurtosis 5.78 of hedge funds 4.99 years of months.
    record = TrackRecord(2 / np.sqrt(periods), 1, *tails)
    bars = record.minimum_bars(1 / np.sqrt(periods), 0.95)
    assert round(bars / periods, 2) == printed


def test_the_formulas_written_out_on_independent_returns() -> None:
    returns = noise(3)
    record = measure_track_record(returns)
    ratio = returns.mean() / returns.std(ddof=1)
    tails = skew(returns), kurtosis(returns, fisher=False)
    assert (record.skewness, record.kurtosis) == pytest.approx(tails)
    free = replace(record, variance_inflation=1.0)
    variance = 1 - tails[0] * ratio + (tails[1] - 1) / 4 * ratio**2
    expected = norm.cdf((ratio - 0.01) * np.sqrt(499) / np.sqrt(variance))
    assert free.probability_above(0.01) == pytest.approx(expected, rel=1e-9)
    bars = 1 + variance * (norm.ppf(0.9) / (ratio - 0.01)) ** 2
    assert free.minimum_bars(0.01, 0.9) == pytest.approx(bars, rel=1e-9)


def test_a_record_of_the_minimum_length_has_the_required_probability() -> None:
    record = measure_track_record(noise(4))
    longer = replace(record, bars=minimum_track_record_length(noise(4), 0.02, 0.9))
    assert longer.probability_above(0.02) == pytest.approx(0.9)


@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_without_skill_one_in_twenty_books_exceeds_95_percent(
    rho: float,
) -> None:
    shocks = np.random.default_rng(5).standard_normal((600, 600))
    books = lfilter([1.0], [1.0, -rho], shocks, axis=1)[:, 100:]
    sure = np.mean([probabilistic_sharpe(book) > 0.95 for book in books])
    # Two standard errors of 600 draws are 1.8 %; taken for independent, 14 % would pass at 0.4.
    assert sure == pytest.approx(0.05, abs=0.025)


def test_negative_autocorrelation_does_not_raise_the_probability() -> None:
    shocks = np.random.default_rng(6).standard_normal(1_000)
    assert measure_track_record(np.diff(shocks) + 0.01).variance_inflation == 1.0


@pytest.mark.parametrize("trials", [2, 5, 20, 300])
def test_the_expected_maximum_is_that_of_so_many_normal_draws(trials: int) -> None:
    draws = 0.3 * np.random.default_rng(7).standard_normal((10_000, trials))
    simulated = draws.max(axis=1).mean()
    assert expected_maximum_sharpe(trials, 0.3) == pytest.approx(simulated, rel=0.04)


def test_the_expected_maximum_is_zero_for_one_trial_and_rises_with_the_number() -> None:
    assert expected_maximum_sharpe(1.0, 0.3) == 0.0
    assert expected_maximum_sharpe(0.4, 0.3) == 0.0
    assert expected_maximum_sharpe(50, 0.0) == 0.0
    rising = [expected_maximum_sharpe(trials, 0.3) for trials in np.arange(1.0, 4.0, 0.1)]
    assert (np.diff(rising) > 0).all()


@pytest.mark.parametrize("trials", [1.0, 1.1, 1.5, 2.0, 2.9, 3.0, 7.5, 1_000.0])
def test_the_expected_maximum_is_at_most_2_6_percent_above_the_exact_one(trials: float) -> None:
    # The maximum of N draws has the distribution Phi^N, for any N.
    at = np.linspace(-9, 9, 20_001)
    exact = np.trapezoid(at * trials * norm.pdf(at) * norm.cdf(at) ** (trials - 1), at)
    assert exact - 1e-6 < expected_maximum_sharpe(trials, 1.0) < 1.026 * exact + 1e-6


def test_more_trials_deflate_more_and_one_trial_not_at_all() -> None:
    returns = noise(8)
    falling = [deflated_sharpe(returns, trials, 0.05) for trials in (1, 2, 10, 100)]
    assert falling[0] == pytest.approx(probabilistic_sharpe(returns))
    assert (np.diff(falling) < 0).all()


def test_a_ratio_at_or_below_the_benchmark_has_no_minimum_length() -> None:
    assert minimum_track_record_length(noise(9, mean=-0.2)) is None
    assert minimum_track_record_length(noise(9), benchmark=1.0) is None


@pytest.mark.parametrize("returns", [np.zeros(500), np.full(500, 0.01), noise(1, bars=29)])
def test_constant_returns_or_too_few_bars_have_no_inference(returns: np.ndarray) -> None:
    assert measure_track_record(returns) is None
    assert probabilistic_sharpe(returns) is None
    assert deflated_sharpe(returns, 10, 0.05) is None
    assert minimum_track_record_length(returns) is None
