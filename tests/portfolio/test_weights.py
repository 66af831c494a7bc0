"""Limits of a book, and the closes at which it is rebalanced."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portfolio import (
    LongShortAllocation,
    PortfolioRow,
    PortfolioSpec,
    PortfolioState,
    ProportionalAllocation,
    TradingCalendar,
    find_due_rows,
    rebalance,
)
from engine.portfolio.terms import BookTerms

DAYS = pd.date_range("2021-01-28", periods=40, freq="D", tz="UTC")
"""From a Thursday; the first of February is a Monday."""


def row_of(weights: list[float]) -> PortfolioRow:
    """A row whose equal parts are these weights."""
    values = np.array(weights)
    return PortfolioRow(
        tuple("ABC"[: len(weights)]),
        values,
        np.sign(values),
        np.abs(values) * len(weights),
        np.empty((0, len(weights))),
    )


def weights_after(wanted: list[float], before: list[float] | None = None, **limits) -> list[float]:
    state = PortfolioState(None, 0, np.array(before or [0.0] * len(wanted)))
    return rebalance(state, row_of(wanted), DAYS[0], PortfolioSpec(**limits)).weights.tolist()


def rebalanced_on(rebalancing: object, days: pd.DatetimeIndex = DAYS) -> list[str]:
    """The days at which the weights were made anew, from a wish that differs every day."""
    state, spec, found = PortfolioState.start(1), PortfolioSpec(rebalance=rebalancing), []
    for number, day in enumerate(days, start=1):
        state = rebalance(state, row_of([number / 100]), day, spec)
        if state.weights[0] == number / 100:
            found.append(f"{day:%m-%d}")
    return found


@pytest.mark.parametrize("rebalancing", [1, 3, 7, "weekly", "monthly", "week_end", "month_end"])
@pytest.mark.parametrize("every", ["D", "B", "4h"])
def test_the_closes_that_divide_the_book_are_known_all_at_once(rebalancing, every) -> None:
    days = pd.date_range("2018-12-20", periods=120, freq=every, tz="UTC")
    terms = BookTerms(calendar=TradingCalendar("24/7", "4h" if every == "4h" else "1d"))
    spec, state, divided = PortfolioSpec(rebalance=rebalancing), PortfolioState.start(1), []
    for day in days:
        state = rebalance(state, row_of([0.5]), day, spec, terms)
        divided.append(state.bars == 0)
    assert find_due_rows(days, spec, terms).tolist() == divided


def test_without_limits_the_weights_are_the_parts() -> None:
    assert weights_after([0.5, -0.25, 0.0]) == [0.5, -0.25, 0.0]


def test_a_symbol_above_its_limit_is_cut_and_the_rest_is_cash() -> None:
    found = weights_after([0.5, -0.25, 0.1], max_symbol_weight=0.2)
    np.testing.assert_allclose(found, [0.2, -0.2, 0.1])


@pytest.mark.parametrize("sign", [1, -1])
def test_the_larger_side_is_made_smaller_to_keep_the_net_limit(sign: int) -> None:
    wanted = [sign * each for each in (0.4, 0.2, -0.2)]
    found = np.array(weights_after(wanted, max_net_weight=0.1))
    np.testing.assert_allclose(found, [sign * each for each in (0.2, 0.1, -0.2)])


def test_a_small_change_is_not_made_unless_it_is_an_exit() -> None:
    found = weights_after([0.31, 0.25, 0.0], [0.3, 0.2, 0.01], min_change=0.02)
    assert found == [0.3, 0.25, 0.0]


def test_a_small_change_of_sign_is_made() -> None:
    assert weights_after([0.01, 0.25], [-0.01, 0.25], min_change=0.05) == [0.01, 0.25]


@pytest.mark.parametrize(
    ("wanted", "before", "limits"),
    [
        ([0.35, 0.35, 0.3], [0.5, 0.5, 0.0], {}),
        ([0.1, 0.3, -0.4], [0.2, 0.0, -0.2], {"max_net_weight": 0.0}),
        ([0.15, 0.5], [0.4, 0.4], {"max_symbol_weight": 0.3}),
    ],
    ids=["gross", "net", "symbol"],
)
def test_small_changes_are_made_where_the_old_weights_break_a_limit(
    wanted: list[float], before: list[float], limits: dict
) -> None:
    everything = weights_after(wanted, before, **limits)
    assert weights_after(wanted, before, min_change=0.27, **limits) == everything


def test_a_symbol_without_a_forecast_is_left_at_that_very_close() -> None:
    state = PortfolioState(DAYS[0], 0, np.array([0.4, -0.4, 0.1]))
    gone = dataclasses.replace(row_of([0.4, 0.0, 0.1]), predicted=np.array([1, np.nan, 1]))
    idle = PortfolioSpec(rebalance=9)
    after = rebalance(state, gone, DAYS[1], idle)
    assert (after.weights.tolist(), after.bars) == ([0.4, 0.0, 0.1], 1)
    again = rebalance(after, row_of([0.4, -0.4, 0.1]), DAYS[2], idle)
    assert again.weights.tolist() == [0.4, 0.0, 0.1]
    slow = rebalance(state, gone, DAYS[1], PortfolioSpec(max_turnover=0.01))
    np.testing.assert_allclose(slow.weights, [0.4, 0.0, 0.1])
    net = PortfolioSpec(rebalance=9, max_net_weight=0.25)
    np.testing.assert_allclose(rebalance(state, gone, DAYS[1], net).weights, [0.2, 0.0, 0.05])


def test_too_much_turnover_is_made_smaller_by_one_factor() -> None:
    found = weights_after([0.4, -0.2], [0.0, 0.0], max_turnover=0.3)
    np.testing.assert_allclose(found, [0.2, -0.1])


def test_a_position_that_is_left_in_steps_of_the_limit_ends_at_nothing() -> None:
    held = [0.8]
    for _ in range(4):
        held = weights_after([0.0], held, max_turnover=0.2)
    assert held == [0.0]


def test_every_few_bars() -> None:
    assert rebalanced_on(5)[:3] == ["01-28", "02-02", "02-07"]
    assert len(rebalanced_on(1)) == len(DAYS)


def test_weekly_is_the_first_close_of_a_week_also_after_a_holiday() -> None:
    assert rebalanced_on("weekly")[:3] == ["01-28", "02-01", "02-08"]
    assert rebalanced_on("weekly", DAYS.delete(4))[:3] == ["01-28", "02-02", "02-08"]


def test_a_week_goes_on_over_the_end_of_a_year() -> None:
    days = pd.date_range("2020-12-28", periods=9, freq="D", tz="UTC")
    assert rebalanced_on("weekly", days) == ["12-28", "01-04"]


def test_monthly_is_the_first_close_of_a_month() -> None:
    assert rebalanced_on("monthly") == ["01-28", "02-01", "03-01"]


@given(
    wanted=st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3),
    before=st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=3),
    limits=st.fixed_dictionaries(
        {
            "max_symbol_weight": st.sampled_from([None, 0.15]),
            "max_net_weight": st.sampled_from([None, 0.0, 0.2]),
        }
    ),
    max_turnover=st.sampled_from([None, 0.05]),
)
def test_limits_hold_and_no_limit_turns_a_side(
    wanted: list[float], before: list[float], limits: dict, max_turnover: float | None
) -> None:
    free = np.array(weights_after(wanted, before, **limits))
    assert (np.sign(free) * np.sign(wanted) >= 0).all()
    assert (np.abs(free) <= (limits["max_symbol_weight"] or 1) + 1e-12).all()
    if limits["max_net_weight"] is not None:
        assert abs(free.sum()) <= limits["max_net_weight"] + 1e-9
    slow = np.array(weights_after(wanted, before, max_turnover=max_turnover, **limits))
    assert np.abs(slow - before).sum() <= (max_turnover or 9) + 1e-12


@given(
    forecasts=st.lists(
        st.lists(st.floats(-0.1, 0.1) | st.just(np.nan), min_size=3, max_size=3), max_size=12
    ),
    allocation=st.sampled_from([ProportionalAllocation(), LongShortAllocation(quantile=0.5)]),
    rebalancing=st.sampled_from([1, 3]),
    max_net_weight=st.sampled_from([None, 0.0, 0.3]),
    min_change=st.sampled_from([0.05, 0.2, 0.5]),
    max_turnover=st.sampled_from([None, 0.5]),
)
def test_a_book_is_within_its_size_and_net_limit_at_every_close(
    forecasts: list[list[float]], allocation, rebalancing: int, **limits
) -> None:
    spec = PortfolioSpec(allocation=allocation, rebalance=rebalancing, **limits)
    state = PortfolioState.start(3)
    for day, predicted in zip(DAYS, map(np.array, forecasts), strict=False):
        positions = np.nan_to_num(np.sign(predicted))
        row = PortfolioRow(tuple("ABC"), predicted, positions, np.full(3, 0.8), np.empty((0, 3)))
        state = rebalance(state, row, day, spec)
        assert np.abs(state.weights).sum() <= 0.8 + 1e-9
        if spec.max_net_weight is not None:
            assert abs(state.weights.sum()) <= spec.max_net_weight + 1e-9
        assert not state.weights[np.isnan(predicted)].any()
