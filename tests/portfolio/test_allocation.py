"""How a book is divided over its symbols at one close."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portfolio import (
    EqualAllocation,
    InverseVolatilityAllocation,
    LongShortAllocation,
    PortfolioRow,
    ProportionalAllocation,
    TopAllocation,
)

ALLOCATIONS = [
    EqualAllocation(),
    ProportionalAllocation(),
    InverseVolatilityAllocation(window=3),
    TopAllocation(count=2),
    LongShortAllocation(quantile=0.4),
]
CLOSES = np.exp(np.array([[0.0, 0.0, 0.0, 0.0]] * 2 + [[0.01, 0.02, -0.04, 0.0], [0, 0, 0, 0]]))
"""Log returns of the columns: 0, then 1 %, 2 %, -4 % and 0 up, and the same back."""


def row_of(
    predicted: list[float],
    positions: list[float] | None = None,
    size: float = 1.0,
    symbols: tuple[str, ...] = ("A", "B", "C", "D"),
) -> PortfolioRow:
    held = np.sign(predicted) if positions is None else np.array(positions)
    return PortfolioRow(
        symbols[: len(predicted)],
        np.array(predicted),
        np.nan_to_num(held),
        np.full(len(predicted), size),
        CLOSES[:, : len(predicted)],
    )


def test_equal_parts_leave_the_part_of_a_flat_symbol_in_cash() -> None:
    row = row_of([0.02, 0.01, -0.01, 0.0], size=0.8)
    assert EqualAllocation().divide(row).tolist() == [0.2, 0.2, -0.2, 0.0]


def test_proportional_parts_are_those_of_the_forecasts_of_all_positions() -> None:
    row = row_of([0.03, 0.01, -0.04, 0.5], positions=[1, 1, -1, 0])
    np.testing.assert_allclose(ProportionalAllocation().divide(row), [0.375, 0.125, -0.5, 0.0])


def test_inverse_volatility_gives_the_calmer_symbol_more_and_a_still_one_nothing() -> None:
    row = row_of([0.01] * 4)
    weights = InverseVolatilityAllocation(window=3).divide(row)
    np.testing.assert_allclose(weights, [4 / 7, 2 / 7, 1 / 7, 0.0])


def test_inverse_volatility_holds_nothing_before_it_has_all_its_returns() -> None:
    assert not InverseVolatilityAllocation(window=4).divide(row_of([0.01] * 4)).any()


def test_the_top_forecasts_are_held_whatever_their_sign() -> None:
    row = row_of([-0.03, -0.01, np.nan, -0.02], positions=[0, 0, 0, 0])
    assert TopAllocation(count=2).divide(row).tolist() == [0.0, 0.5, 0.0, 0.5]


def test_fewer_forecasts_than_the_count_leave_cash() -> None:
    row = row_of([0.01, np.nan, np.nan, np.nan])
    assert TopAllocation(count=4).divide(row).tolist() == [0.25, 0.0, 0.0, 0.0]


def test_long_short_has_both_sides_alike() -> None:
    row = row_of([0.03, 0.04, 0.01, 0.02])
    assert LongShortAllocation(quantile=0.5).divide(row).tolist() == [0.25, 0.25, -0.25, -0.25]
    assert LongShortAllocation(quantile=0.2).divide(row).tolist() == [0.0, 0.5, -0.5, 0.0]


def test_one_forecast_has_no_other_side() -> None:
    assert not LongShortAllocation().divide(row_of([0.03, np.nan, np.nan, np.nan])).any()


def test_some_equal_forecasts_are_settled_by_the_names_of_the_symbols() -> None:
    row = row_of([0.01, 0.01, 0.01, -0.01], symbols=("D", "C", "B", "A"))
    assert TopAllocation(count=1).divide(row).tolist() == [0.0, 0.0, 1.0, 0.0]
    assert TopAllocation(count=2).divide(row).tolist() == [0.0, 0.5, 0.5, 0.0]


@pytest.mark.parametrize("allocation", [TopAllocation(count=1), LongShortAllocation()])
@pytest.mark.parametrize("predicted", [[0.0] * 4, [0.01, np.nan, 0.01, 0.01], [0.0, -0.0, 0, 0]])
def test_forecasts_that_are_all_equal_choose_nothing(
    allocation: TopAllocation | LongShortAllocation, predicted: list[float]
) -> None:
    assert not allocation.divide(row_of(predicted)).any()


@pytest.mark.parametrize("allocation", ALLOCATIONS, ids=lambda each: each.kind)
@given(
    predicted=st.lists(st.floats(-0.1, 0.1) | st.just(np.nan), min_size=1, max_size=4),
    size=st.floats(0, 1),
    order=st.permutations(range(4)),
)
def test_parts_add_up_to_the_size_at_most_and_follow_the_symbols_in_any_order(
    allocation, predicted: list[float], size: float, order: list[int]
) -> None:
    row = row_of(predicted, size=size)
    weights = allocation.divide(row)
    assert np.isfinite(weights).all()
    assert np.abs(weights).sum() <= size + 1e-12
    assert not weights[np.isnan(row.predicted)].any()
    places = [place for place in order if place < len(predicted)]
    moved = PortfolioRow(
        tuple(row.symbols[place] for place in places),
        *(values[places] for values in (row.predicted, row.positions, row.sizes)),
        row.closes[:, places],
    )
    np.testing.assert_allclose(allocation.divide(moved), weights[places], atol=1e-15)
