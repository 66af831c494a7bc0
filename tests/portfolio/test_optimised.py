"""Shares that are an optimum: what they minimise, who takes part, and when there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from engine.portfolio import (
    HierarchicalRiskParityAllocation,
    MaximumSharpeAllocation,
    MeanVarianceAllocation,
    MinimumShortfallAllocation,
    MinimumVarianceAllocation,
    PortfolioRow,
    RiskParityAllocation,
)
from engine.portfolio.optimum import SMALLEST_SHARE, forget_optima
from engine.portfolio.shrinkage import estimate_covariance, shrink_forecasts

pytestmark = pytest.mark.slow

WINDOW = 60
RISK = [
    RiskParityAllocation,
    HierarchicalRiskParityAllocation,
    MinimumVarianceAllocation,
    MinimumShortfallAllocation,
]
FORECAST = [MeanVarianceAllocation, MaximumSharpeAllocation]
EVERY = [*RISK, *FORECAST]


def closes_of(seed: int = 0, symbols: int = 4) -> np.ndarray:
    """Symbols with volatilities from half to twice 1 %, and a common part."""
    rng = np.random.default_rng(seed)
    own = 0.01 * rng.standard_normal((WINDOW + 1, symbols)) * np.linspace(0.5, 2, symbols)
    common = 0.005 * rng.standard_normal((WINDOW + 1, 1))
    return 100 * np.exp(np.cumsum(own + common, axis=0))


def row_of(
    closes: np.ndarray, predicted: list[float] | None = None, positions: list[float] | None = None
) -> PortfolioRow:
    count = closes.shape[1]
    forecasts = 0.004 * np.arange(1, count + 1) if predicted is None else np.array(predicted)
    held = np.ones(count) if positions is None else np.array(positions)
    return PortfolioRow(tuple("ABCDEF"[:count]), forecasts, held, np.full(count, 0.8), closes)


def returns_of(closes: np.ndarray) -> np.ndarray:
    return closes[1:] / closes[:-1] - 1.0


def covariance_of(closes: np.ndarray) -> np.ndarray:
    return np.cov(returns_of(closes), rowvar=False)


def test_the_minimum_variance_is_that_of_the_inverse_covariance() -> None:
    """Where all shares are above 0: S^-1 1, over its sum."""
    closes = closes_of(1)
    allocation = MinimumVarianceAllocation(window=WINDOW, covariance="sample")
    due = np.linalg.solve(covariance_of(closes), np.ones(4))
    assert (due > 0).all()
    np.testing.assert_allclose(allocation.divide(row_of(closes)), 0.8 * due / due.sum(), atol=1e-5)


def test_risk_parity_has_equal_parts_of_the_variance_also_where_some_are_short() -> None:
    closes = closes_of(2)
    allocation = RiskParityAllocation(window=WINDOW, covariance="sample")
    weights = allocation.divide(row_of(closes, positions=[1, -1, 1, -1]))
    assert np.sign(weights).tolist() == [1, -1, 1, -1]
    parts = weights * (covariance_of(closes) @ weights)
    np.testing.assert_allclose(parts, parts.mean(), rtol=1e-3)


def test_the_smallest_shortfall_is_not_above_that_of_other_shares() -> None:
    closes = closes_of(3)
    own = MinimumShortfallAllocation(window=WINDOW, level=0.9).divide(row_of(closes)) / 0.8

    def shortfall(shares: np.ndarray) -> float:
        return float(-np.sort(returns_of(closes) @ shares)[: WINDOW // 10].mean())

    others = np.random.default_rng(0).dirichlet(np.ones(4), 300)
    assert shortfall(own) <= min(map(shortfall, others)) + 1e-6


def test_the_largest_sharpe_ratio_is_that_of_the_inverse_covariance() -> None:
    closes, expected = closes_of(4), np.array([0.02, 0.03, 0.04, 0.05])
    allocation = MaximumSharpeAllocation(window=WINDOW, covariance="sample", shrinkage=0)
    due = np.linalg.solve(covariance_of(closes), expected)
    assert (due > 0).all()
    found = allocation.divide(row_of(closes, expected.tolist()))
    np.testing.assert_allclose(found, 0.8 * due / due.sum(), atol=1e-4)


def test_mean_and_variance_leave_cash_where_risk_is_not_worth_it() -> None:
    """One symbol that is worth holding: the forecast of a bar over twice aversion x variance."""
    closes = closes_of(5)
    forecasts = [0.002, -0.02, -0.02, -0.02]
    variance = covariance_of(closes)[0, 0]
    allocation = MeanVarianceAllocation(
        window=WINDOW, covariance="sample", shrinkage=0, risk_aversion=0.002 / variance
    )
    found = allocation.divide(row_of(closes, forecasts))
    np.testing.assert_allclose(found, [0.4, 0, 0, 0], atol=1e-4)
    weekly = allocation.divide(replace(row_of(closes, forecasts), horizon=5))
    np.testing.assert_allclose(weekly, [0.08, 0, 0, 0], atol=1e-4)


@pytest.mark.parametrize(("gain", "switches"), [(0.0025, True), (0.0015, False)])
def test_a_cost_is_paid_once_and_not_in_every_bar_of_the_horizon(
    gain: float, switches: bool
) -> None:
    """A switch costs 2 x 10 basis points, and earns the gain over the five bars."""
    allocation = MeanVarianceAllocation(
        window=WINDOW, shrinkage=0, risk_aversion=1e-3, cost_bps=10
    )
    row = replace(
        row_of(closes_of(6, symbols=2), [0.01, 0.01 + gain]),
        horizon=5,
        before=np.array([0.8, 0.0]),
    )
    due = [0.0, 0.8] if switches else [0.8, 0.0]
    np.testing.assert_allclose(allocation.divide(row), due, atol=1e-4)
    # Over a bar instead of five, the same change does not pay for itself.
    hasty = allocation.model_copy(update={"cost_bars": 1})
    np.testing.assert_allclose(hasty.divide(row), [0.8, 0.0], atol=1e-4)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("covariance", ["ledoit_wolf", "sample"])
def test_two_symbols_with_the_same_bars_share_alike(kind, covariance: str) -> None:
    closes = closes_of(7)
    closes[:, 1] = closes[:, 0]
    weights = kind(window=WINDOW, covariance=covariance).divide(
        row_of(closes, [0.01, 0.01, 0.004, 0.002])
    )
    assert weights is not None
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-4)
    assert 0 < np.abs(weights).sum() <= 0.8 + 1e-9


@pytest.mark.parametrize("kind", EVERY)
def test_a_share_is_never_negative_nor_above_its_limit(kind) -> None:
    weights = kind(window=WINDOW, max_share=0.3).divide(row_of(closes_of(8)))
    assert (weights >= 0).all()
    assert (weights <= 0.8 * 0.3 + 1e-6).all()
    assert not ((weights > 0) & (weights < 0.8 * SMALLEST_SHARE)).any()


@pytest.mark.parametrize("kind", [*RISK, MaximumSharpeAllocation])
def test_there_is_no_optimum_where_the_limits_do_not_reach_the_whole(kind) -> None:
    assert kind(window=WINDOW, max_share=0.2).divide(row_of(closes_of(9))) is None


@pytest.mark.parametrize("kind", EVERY)
def test_a_symbol_with_too_few_closes_or_that_did_not_move_is_left_out(kind) -> None:
    closes = closes_of(10)
    closes[:10, 0], closes[:, 2] = np.nan, 50.0
    weights = kind(window=WINDOW).divide(row_of(closes))
    assert (weights[[0, 2]] == 0).all()
    assert np.abs(weights[[1, 3]]).sum() > 0
    alone = kind(window=WINDOW).divide(row_of(closes[:, [1, 3]], [0.008, 0.016]))
    np.testing.assert_array_equal(weights[[1, 3]], alone)


@pytest.mark.parametrize("kind", EVERY)
def test_nothing_is_held_without_closes_positions_or_sizes(kind) -> None:
    closes = closes_of(11)
    allocation = kind(window=WINDOW)
    assert not allocation.divide(row_of(closes[1:])).any()
    idle = replace(row_of(closes), positions=np.zeros(4), sizes=np.zeros(4))
    assert not allocation.divide(idle).any()


@pytest.mark.parametrize("kind", FORECAST)
def test_forecasts_that_are_all_equal_or_negative_hold_nothing(kind) -> None:
    allocation = kind(window=WINDOW)
    for predicted in ([0.01] * 4, [-0.01, -0.02, -0.03, -0.04], [np.nan] * 4):
        assert not allocation.divide(row_of(closes_of(12), predicted)).any()


@pytest.mark.parametrize("kind", FORECAST)
def test_what_is_expected_to_fall_is_sold_short_where_that_is_allowed(kind) -> None:
    row = row_of(closes_of(13), [0.01, -0.02, 0.02, -0.01])
    weights = kind(window=WINDOW, side="long_short", shrinkage=0).divide(row)
    assert (np.sign(weights) * np.sign(row.predicted) >= 0).all()
    assert (weights < 0).any()
    assert np.abs(weights).sum() <= 0.8 + 1e-9


@pytest.mark.parametrize("kind", EVERY)
def test_shares_have_the_same_bits_whatever_the_number_of_threads(kind) -> None:
    row, found = row_of(closes_of(14)), set()
    for threads in (1, 2):
        forget_optima()
        with threadpool_limits(threads):
            found.add(kind(window=WINDOW).divide(row).tobytes())
    assert len(found) == 1


@pytest.mark.parametrize("scale", [1e-3, 0.1, 3.0])
def test_the_unit_of_the_returns_changes_no_share(scale: float) -> None:
    """As minutes have smaller returns than days."""
    closes = closes_of(15)
    other = 100 * np.cumprod(np.vstack([np.ones(4), 1 + scale * returns_of(closes)]), axis=0)
    for kind in (MinimumVarianceAllocation, RiskParityAllocation, MinimumShortfallAllocation):
        one, two = (kind(window=WINDOW).divide(row_of(each)) for each in (closes, other))
        np.testing.assert_allclose(one, two, atol=1e-3)


def test_bayes_and_stein_move_forecasts_together_that_returns_could_not_tell_apart() -> None:
    returns = returns_of(closes_of(16))
    expected = np.array([0.001, 0.002, 0.003, 0.004])
    close, apart = (
        shrink_forecasts(factor * expected, returns, None, "sample") / factor
        for factor in (0.01, 100.0)
    )
    np.testing.assert_allclose(close, expected.mean(), rtol=1e-2)
    np.testing.assert_allclose(apart, expected, rtol=1e-2)
    deviation = expected - expected.mean()
    inverse = np.linalg.inv(estimate_covariance(returns, "sample"))
    share = 6 / (6 + len(returns) * deviation @ inverse @ deviation)
    np.testing.assert_allclose(
        shrink_forecasts(expected, returns, None, "sample"),
        expected.mean() + (1 - share) * deviation,
    )
    np.testing.assert_allclose(
        shrink_forecasts(expected, returns, 0.25, "sample"), expected.mean() + 0.75 * deviation
    )
