"""The volatility of the whole book, from the past bars alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.portfolio import BookTerms, BookVolatilityTarget
from engine.portfolio.past_returns import compute_past_returns, known_over
from tests.hypothesis_examples import examples

TERMS = BookTerms(max_weight=1.0, periods_per_year=252)


def closes_of(seed: int, bars: int = 41, symbols: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    moves = 0.02 * rng.standard_normal((bars, symbols)) + 0.01 * rng.standard_normal((bars, 1))
    return 100 * np.exp(np.cumsum(moves, axis=0))


def volatility_of(weights: np.ndarray, closes: np.ndarray, window: int) -> float:
    returns = closes[-window:] / closes[-window - 1 : -1] - 1.0
    covariance = np.cov(returns, rowvar=False)
    return float(np.sqrt(weights @ covariance @ weights * 252))


@examples(40)
@given(
    seed=st.integers(0, 10**6),
    weights=st.lists(st.floats(-0.4, 0.4), min_size=3, max_size=3).filter(
        lambda own: sum(map(abs, own)) > 0.05
    ),
    annual=st.floats(0.01, 1.0),
)
def test_the_book_has_the_target_or_the_largest_weight(
    seed: int, weights: list[float], annual: float
) -> None:
    closes, own = closes_of(seed), np.array(weights)
    scaled = BookVolatilityTarget(annual=annual, window=40).scale(own, closes, TERMS)
    gross = np.abs(scaled).sum()
    np.testing.assert_allclose(scaled * np.abs(own).sum(), own * gross, atol=1e-12)
    assert gross <= 1.0 + 1e-12
    found = volatility_of(scaled, closes, 40)
    assert found == pytest.approx(annual) or (gross == pytest.approx(1.0) and found < annual)


def test_a_book_whose_closes_never_moved_has_the_largest_weight() -> None:
    target = BookVolatilityTarget(annual=0.1, window=10)
    np.testing.assert_allclose(
        target.scale(np.array([0.1, -0.1]), np.ones((11, 2)), TERMS), [0.5, -0.5]
    )
    assert target.scale(np.zeros(2), np.ones((11, 2)), TERMS).tolist() == [0.0, 0.0]


def test_a_symbol_without_enough_closes_has_no_weight() -> None:
    closes = closes_of(1, bars=21)
    closes[0, 1] = np.nan
    scaled = BookVolatilityTarget(annual=0.05, window=20).scale(
        np.array([0.3, 0.3, 0.3]), closes, TERMS
    )
    assert scaled[1] == 0.0
    assert volatility_of(scaled[[0, 2]], closes[:, [0, 2]], 20) == pytest.approx(0.05)


def test_a_volatility_of_a_year_needs_the_bars_of_a_year() -> None:
    with pytest.raises(UsageError, match="bars a year"):
        BookVolatilityTarget(annual=0.1).scale(np.ones(1), np.ones((61, 1)), BookTerms())


def test_a_return_over_a_halt_is_whole_at_the_next_close() -> None:
    closes = np.array([[1.0], [np.nan], [np.nan], [2.0], *[[2.0]] * 17])
    past = compute_past_returns(closes, 20, np.array([True]))
    assert past.values[:4, 0].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert past.places.tolist() == [0]


@pytest.mark.parametrize("missing", [0, -1])
def test_a_window_needs_its_first_and_its_last_close(missing: int) -> None:
    closes = np.ones((21, 2))
    closes[missing, 1] = np.nan
    assert known_over(closes, 20).tolist() == [True, False]


def test_a_window_needs_nine_tenths_of_its_closes() -> None:
    closes = np.ones((21, 2))
    closes[5:7, 0], closes[5:8, 1] = np.nan, np.nan
    assert known_over(closes, 20).tolist() == [True, False]
    assert known_over(closes, 21).tolist() == [False, False]
