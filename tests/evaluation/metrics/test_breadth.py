"""How many independent bets correlated returns amount to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.metrics.breadth import effective_bets
from tests.hypothesis_examples import examples

RNG = np.random.default_rng(5)
BARS = 2_000


def by_eigenvalues(returns: np.ndarray) -> float:
    """The definition, without the correction for the length of the sample."""
    values = np.linalg.eigvalsh(np.cov(returns.T))
    return float(values.sum() ** 2 / (values**2).sum())


def test_independent_returns_are_as_many_bets() -> None:
    assert effective_bets(RNG.standard_normal((BARS, 20)), standardised=False) == pytest.approx(
        20, rel=0.02
    )


def test_equal_returns_are_one_bet() -> None:
    one = RNG.standard_normal((BARS, 1))
    assert effective_bets(one @ np.ones((1, 7)), standardised=True) == pytest.approx(1.0)


def test_ten_sectors_of_equal_symbols_are_ten_bets() -> None:
    sectors = np.repeat(RNG.standard_normal((BARS, 10)), 5, axis=1)
    assert effective_bets(sectors, standardised=True) == pytest.approx(10, rel=0.03)


def test_in_long_samples_it_is_the_ratio_of_the_eigenvalues() -> None:
    mixed = RNG.standard_normal((20_000, 8)) @ RNG.standard_normal((8, 8))
    assert effective_bets(mixed, standardised=False) == pytest.approx(
        by_eigenvalues(mixed), rel=0.01
    )


def test_many_symbols_on_few_bars_are_not_called_correlated() -> None:
    noise = RNG.standard_normal((100, 200))
    assert by_eigenvalues(noise) < 80
    assert effective_bets(noise, standardised=True) == pytest.approx(200, rel=0.05)


def test_a_book_with_one_large_position_is_about_one_bet() -> None:
    contributions = RNG.standard_normal((BARS, 30)) * np.array([50.0] + [1.0] * 29)
    assert effective_bets(contributions, standardised=False) == pytest.approx(1.02, abs=0.02)
    assert effective_bets(contributions, standardised=True) == pytest.approx(30, rel=0.02)


def test_a_symbol_that_lists_later_is_compared_on_the_bars_that_it_has() -> None:
    market = RNG.standard_normal((BARS, 1))
    returns = market @ np.ones((1, 4))
    returns[:1_500, 3] = np.nan
    assert effective_bets(returns, standardised=True) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    "returns",
    [np.ones((BARS, 3)), RNG.standard_normal((29, 3)), np.full((BARS, 2), np.nan)],
    ids=["constant", "too few bars", "no returns"],
)
def test_without_variation_there_is_none(returns: np.ndarray) -> None:
    assert effective_bets(returns, standardised=True) is None


@examples(40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.booleans())
def test_it_is_between_one_and_all_whatever_the_order_and_the_unit(
    seed: int, symbols: int, standardised: bool
) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.standard_normal((60, symbols)) @ rng.standard_normal((symbols, symbols))
    found = effective_bets(returns, standardised=standardised)
    assert found is not None
    assert 1.0 <= found <= symbols
    turned = 7.0 * returns[:, rng.permutation(symbols)]
    assert effective_bets(turned, standardised=standardised) == pytest.approx(found)
