"""Generated returns have the moments and autocorrelations of their process."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kurtosis, skew

from engine.selftest.return_processes import ar1, garch11, iid_normal, jump_diffusion, student_t

LONG = 40_000
PROCESSES = {
    "independent": iid_normal,
    "heavy_tailed": student_t,
    "garch": garch11,
    "jumps": jump_diffusion,
    "autoregressive": lambda rng, bars, deviation: ar1(rng, bars, deviation, 0.4),
}


def draw(name: str, bars: int = LONG, seed: int = 1) -> np.ndarray:
    return PROCESSES[name](np.random.default_rng(seed), bars, 0.01)


def autocorrelation(values: np.ndarray, lag: int = 1) -> float:
    return float(np.corrcoef(values[lag:], values[:-lag])[0, 1])


@pytest.mark.parametrize("name", PROCESSES)
def test_the_mean_is_0_and_the_deviation_as_given(name: str) -> None:
    returns = draw(name)

    assert returns.shape == (LONG,)
    assert abs(returns.mean()) < 4 * 0.017 / LONG**0.5
    assert returns.std() == pytest.approx(0.01, rel=0.06)


@pytest.mark.parametrize("name", ["garch", "autoregressive"])
def test_the_first_bar_has_the_stationary_deviation(name: str) -> None:
    first = [draw(name, 1, seed)[0] for seed in range(800)]

    assert np.std(first) == pytest.approx(0.01, rel=0.15)


@pytest.mark.parametrize("name", ["independent", "heavy_tailed", "garch", "jumps"])
def test_noise_has_no_autocorrelation(name: str) -> None:
    returns = draw(name)
    # Autocorrelations of a GARCH process have a larger standard error.
    bound = 4 / LONG**0.5 * (3 if name == "garch" else 1)

    assert max(abs(autocorrelation(returns, lag)) for lag in range(1, 6)) < bound


def test_the_autocorrelation_of_an_ar1_decays_geometrically() -> None:
    returns = draw("autoregressive")

    for lag in (1, 2, 3):
        assert autocorrelation(returns, lag) == pytest.approx(0.4**lag, abs=0.02)


def test_garch_has_its_theoretical_kurtosis_and_clustering() -> None:
    returns = draw("garch", 400_000)
    alpha, beta = 0.1, 0.88
    total = alpha + beta
    squared_autocorrelation = alpha * (1 - total * beta) / (1 - total**2 + alpha**2)

    # Bollerslev (1986), equations 15 and 21.
    assert kurtosis(returns, fisher=False) == pytest.approx(
        3 * (1 - total**2) / (1 - total**2 - 2 * alpha**2), rel=0.12
    )
    assert autocorrelation(returns**2) == pytest.approx(squared_autocorrelation, abs=0.06)


def test_garch_follows_its_recursion() -> None:
    returns = garch11(np.random.default_rng(3), 50, 0.01)
    draws = np.random.default_rng(3).standard_normal(250)
    variance = np.empty(250)
    variance[0] = 1e-4
    for row in range(1, 250):
        variance[row] = 1e-4 * 0.02 + variance[row - 1] * (0.1 * draws[row - 1] ** 2 + 0.88)

    np.testing.assert_allclose(returns, (np.sqrt(variance) * draws)[200:], rtol=1e-12)


def test_jumps_have_their_theoretical_skewness_and_kurtosis() -> None:
    returns = draw("jumps", 1_000_000)
    share, mean, deviation = 0.01, -3.0, 3.0
    # Cumulants of a normal variable plus a jump that is there with probability p.
    jump = [
        1.0,
        share * mean,
        share * (mean**2 + deviation**2),
        share * (mean**3 + 3 * mean * deviation**2),
        share * (mean**4 + 6 * mean**2 * deviation**2 + 3 * deviation**4),
    ]
    variance = 1 + jump[2] - jump[1] ** 2
    third = jump[3] - 3 * jump[2] * jump[1] + 2 * jump[1] ** 3
    central = jump[4] - 4 * jump[3] * jump[1] + 6 * jump[2] * jump[1] ** 2 - 3 * jump[1] ** 4
    fourth = 3 + 6 * (variance - 1) + central

    assert skew(returns) == pytest.approx(third / variance**1.5, rel=0.05)
    assert kurtosis(returns, fisher=False) == pytest.approx(fourth / variance**2, rel=0.05)


def test_student_t_tails_are_heavy() -> None:
    share = np.mean(np.abs(draw("heavy_tailed")) > 0.04)
    # P(|t_4| > 4 sqrt 2), against 0.00006 of a normal.
    assert share == pytest.approx(0.00482, rel=0.2)


@pytest.mark.parametrize("name", PROCESSES)
def test_returns_depend_on_the_seed_alone(name: str) -> None:
    np.testing.assert_array_equal(draw(name, 50, 7), draw(name, 50, 7))
    assert not np.array_equal(draw(name, 50, 7), draw(name, 50, 8))
