"""Spreads, volatility and volume before a bar."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.simulation.bar_estimates import (
    estimate_abdi_ranaldo_spread,
    estimate_corwin_schultz_spread,
    estimate_volatility,
    estimate_volume,
)
from engine.testing.markets import make_bars

if TYPE_CHECKING:
    from collections.abc import Callable

SPREADS = {
    "corwin_schultz": estimate_corwin_schultz_spread,
    "abdi_ranaldo": estimate_abdi_ranaldo_spread,
}
ESTIMATES: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "corwin_schultz": (estimate_corwin_schultz_spread, ("high", "low", "close")),
    "abdi_ranaldo": (estimate_abdi_ranaldo_spread, ("high", "low", "close")),
    "volatility": (estimate_volatility, ("close",)),
    "volume": (estimate_volume, ("volume",)),
}


def columns(count: int, seed: int, names: tuple[str, ...]) -> list[np.ndarray]:
    bars = make_bars(count, seed)
    return [bars[name].to_numpy()[:, None] for name in names]


@pytest.mark.parametrize("name", ESTIMATES)
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 40), st.integers(1, 12))
def test_a_row_knows_the_bars_before_it_alone(name: str, seed: int, row: int, window: int) -> None:
    estimate, names = ESTIMATES[name]
    real = columns(45, seed, names)
    altered = [each.copy() for each in columns(45, seed + 1, names)]
    for own, other in zip(real, altered, strict=True):
        other[:row] = own[:row]
    one, two = estimate(*real, window), estimate(*altered, window)
    np.testing.assert_array_equal(one[: row + 1], two[: row + 1])


@pytest.mark.parametrize("name", ESTIMATES)
def test_a_row_does_not_depend_on_where_the_history_begins(name: str) -> None:
    estimate, names = ESTIMATES[name]
    whole = columns(60, 3, names)
    np.testing.assert_array_equal(
        estimate(*whole, 7)[40:], estimate(*(each[30:] for each in whole), 7)[10:]
    )


def test_two_bars_of_corwin_and_schultz_by_hand() -> None:
    # Ranges 2 % and 3 %, the second moved down by the gap of 1 above the close before.
    high, low, close = [102.0, 106.09], [100.0, 103.0], [102.0, 104.0]
    beta = log(102 / 100) ** 2 + log(105.09 / 102) ** 2
    gamma = log(105.09 / 100) ** 2
    root = 3 - 2 * sqrt(2)
    alpha = (sqrt(2 * beta) - sqrt(beta)) / root - sqrt(gamma / root)
    spread = max(0.0, 2 * (exp(alpha) - 1) / (1 + exp(alpha)))
    bars = [np.array([*each, 1.0])[:, None] for each in (high, low, close)]
    assert estimate_corwin_schultz_spread(*bars, 1)[2, 0] == pytest.approx(spread, abs=1e-15)
    # The same range twice is all spread: alpha = ln(H / L).
    same = [np.full((3, 1), value) for value in (101.0, 100.0, 100.5)]
    assert estimate_corwin_schultz_spread(*same, 1)[2, 0] == pytest.approx(2 / 201, rel=1e-9)


def test_two_bars_of_abdi_and_ranaldo_by_hand() -> None:
    high, low, close = ([102.0, 103.0, 1.0], [100.0, 99.0, 1.0], [102.0, 100.0, 1.0])
    middles = [(log(102) + log(100)) / 2, (log(103) + log(99)) / 2]
    squared = 4 * (log(102) - middles[0]) * (log(102) - middles[1])
    bars = [np.array(each)[:, None] for each in (high, low, close)]
    assert estimate_abdi_ranaldo_spread(*bars, 1)[2, 0] == pytest.approx(sqrt(squared))


@pytest.mark.parametrize("name", SPREADS)
def test_a_negative_estimate_is_a_spread_of_zero(name: str) -> None:
    trend = np.exp(0.05 * np.arange(30.0))[:, None]
    bars = (1.001 * trend, 0.999 * trend, trend)
    np.testing.assert_array_equal(SPREADS[name](*bars, 3)[2:], 0.0)


@pytest.mark.parametrize("name", SPREADS)
@pytest.mark.parametrize("spread", [0.02, 0.05])
def test_the_spread_of_a_simulated_market_is_found(name: str, spread: float) -> None:
    """Trades at the bid or the ask of a random walk, 390 a day for two thousand days.

    Both estimators are means of roots or of clipped values, and have a bias of a tenth here.
    """
    rng = np.random.default_rng(7)
    steps = rng.normal(0.0, 0.01 / sqrt(390), (2_000, 390))
    middle = np.exp(steps.cumsum().reshape(steps.shape))
    traded = middle * (1 + spread / 2 * rng.choice([-1.0, 1.0], steps.shape))
    high, low, close = (
        each[:, None] for each in (traded.max(axis=1), traded.min(axis=1), traded[:, -1])
    )
    estimated = SPREADS[name](high, low, close, 2_000)[-1, 0]
    assert estimated == pytest.approx(spread, rel=0.12)
