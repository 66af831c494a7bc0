from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.metrics import performance_metrics
from engine.signals.orders import schedule_orders
from engine.simulation import Costs, Execution, SimulationResult, Variation, simulate_variations
from engine.simulation.accounting import RUIN_FLOOR
from tests.hypothesis_examples import examples
from tests.simulation.folded_books import Case, assert_fold_equals_simulation, fold
from tests.simulation.one_symbol import FREE, book, churning_book

BORROWING = Costs(fee_bps=0, slippage_bps=0, borrow_bps_per_year=1e-9)
"""Costs that change nothing but who fills the book: the compiled fold instead of vectorbt."""


def ruin_row(result: SimulationResult) -> int:
    """Row of the ruin; the number of rows where there is none."""
    ruined = (result.returns <= -1.0).to_numpy()
    return int(ruined.argmax()) if ruined.any() else len(ruined)


def assert_ruined_in_every_figure(case: Case, row: int) -> None:
    result = case.simulated()
    assert ruin_row(result) == row
    assert (result.returns.iloc[row + 1 :] == 0).all()
    assert (result.held_weights.iloc[row:] == 0).all(axis=None)
    assert (result.trades["timestamp"] <= case.weights.index[row]).all()
    assert (result.waits["due"] <= case.weights.index[row]).all()
    delay = case.execution.delay
    varied = simulate_variations(
        [Variation(schedule_orders(case.weights, delay), delay, case.costs)],
        case.opens,
        case.closes,
        execution=case.execution,
        traded=case.traded,
    )
    np.testing.assert_array_equal(next(iter(varied)), result.returns)
    accounts = fold(case, range(len(case.weights))).accounts
    assert [account.ruined for account in accounts] == [
        number >= row for number in range(len(accounts))
    ]
    assert_fold_equals_simulation(case)


@pytest.mark.parametrize("costs", [FREE, BORROWING], ids=["vectorbt", "fold"])
def test_a_short_under_water_at_the_fill_price_is_ruined_though_the_close_is_lower(
    costs: Costs,
) -> None:
    # Short at 10; at the open of the third bar, at 21, all is lost, whatever the close is.
    case = book([-1, 0, 0, 0], [10, 10, 21, 8], [10, 10, 8, 8], costs=costs)
    assert_ruined_in_every_figure(case, 2)
    assert len(case.simulated().trades) == 1


@pytest.mark.parametrize("costs", [FREE, BORROWING], ids=["vectorbt", "fold"])
def test_it_is_ruined_at_the_fill_price_of_a_bar_without_an_order(costs: Costs) -> None:
    case = book([-1, -1, -1, -1], [10, 10, 21, 8], [10, 10, 8, 8], costs=costs)
    assert_ruined_in_every_figure(case, 2)


def test_a_fill_at_the_close_is_at_no_open() -> None:
    at_close = Execution(price="close")
    case = book([-1, -1, -1, -1], [10, 10, 21, 8], [10, 10, 8, 8], execution=at_close)
    assert ruin_row(case.simulated()) == 4


@pytest.mark.parametrize("costs", [FREE, BORROWING], ids=["vectorbt", "fold"])
def test_a_short_under_water_at_the_close_is_ruined(costs: Costs) -> None:
    case = book([-1, -1, -1, -1], [10, 10, 11, 8], [10, 10, 20, 8], costs=costs)
    assert_ruined_in_every_figure(case, 2)


@pytest.mark.parametrize("borrow", [0.0, 1e-9], ids=["vectorbt", "fold"])
def test_fees_that_cost_all_the_equity_ruin_at_the_fill(borrow: float) -> None:
    # A short of 0.9 is raised to six times the equity at a fee of 40 %; the close would save it.
    dear = Costs(fee_bps=4_000, slippage_bps=0, borrow_bps_per_year=borrow)
    case = book([-0.9, -6, -6, -6], [10, 10, 10, 1], [10, 10, 1, 1], costs=dear)
    assert_ruined_in_every_figure(case, 2)
    assert len(case.simulated().trades) == 2


def test_a_book_below_the_floor_is_ruined_on_the_bar_it_falls() -> None:
    case = churning_book(700, cost_bps=300)
    result = case.simulated()
    row = ruin_row(result)
    growth = (1 + result.returns.iloc[:row]).cumprod()
    assert growth.iloc[-1] >= RUIN_FLOOR > growth.iloc[-1] * 0.94
    assert_ruined_in_every_figure(case, row)
    # Until then every order is filled: one at each bar from the third on.
    assert len(result.trades) == row - 1


@pytest.mark.parametrize("price", [1e-3, 1.0, 1e5, 1e7])
def test_the_floor_is_reached_on_the_same_bar_at_any_price(price: float) -> None:
    result = churning_book(700, cost_bps=300, price=price).simulated()
    usual = churning_book(700, cost_bps=300).simulated()
    assert ruin_row(result) == ruin_row(usual) < 700
    np.testing.assert_allclose(result.returns, usual.returns, rtol=0, atol=1e-7)


def test_figures_near_the_floor_are_those_of_a_book_that_begins_there() -> None:
    case = churning_book(700, cost_bps=300)
    result = case.simulated()
    row = ruin_row(result) - 4  # still alive, and the last row at which it was out of the market
    row -= row % 2
    later = replace(
        case,
        weights=case.weights.iloc[row - 1 : row + 3],
        opens=case.opens.iloc[row - 1 : row + 3],
        closes=case.closes.iloc[row - 1 : row + 3],
    )
    np.testing.assert_allclose(
        result.returns.iloc[row : row + 3], later.simulated().returns.iloc[1:], atol=1e-9
    )


def test_a_million_one_minute_bars_of_a_churning_book_end_in_ruin() -> None:
    case = churning_book(1_170_000, cost_bps=15)
    result = case.simulated()
    assert ruin_row(result) < 20_000
    metrics = performance_metrics(
        result.returns, result.held_weights, result.trades, periods_per_year=525_600
    )
    assert metrics["total_return_pct"] == -100.0
    assert metrics["sharpe"] is metrics["break_even_cost_bps"] is None


@st.composite
def leveraged_books(draw: st.DrawFn) -> Case:
    """One symbol, to twice short and fully long, at prices that move by up to a half."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bars = draw(st.integers(2, 40))
    prices = 10 * np.exp(rng.uniform(-0.5, 0.5, 2 * bars).cumsum())
    held = draw(st.integers(1, 6))
    weights = np.repeat(rng.choice([-2.0, -1.0, -0.5, 0.0, 0.5], bars), held)[:bars]
    return book(
        weights.tolist(),
        prices[0::2].tolist(),
        prices[1::2].tolist(),
        costs=Costs(
            fee_bps=draw(st.sampled_from([0.0, 10.0, 300.0])),
            slippage_bps=draw(st.sampled_from([0.0, 5.0])),
            borrow_bps_per_year=draw(st.sampled_from([0.0, 5_000.0])),
        ),
        execution=Execution(price=draw(st.sampled_from(["open", "close"]))),
    )


@examples(80)
@given(leveraged_books(), st.sampled_from(["fee_bps", "slippage_bps", "borrow_bps_per_year"]))
def test_a_higher_cost_never_revives_a_book(case: Case, raised: str) -> None:
    dearer = case.costs.model_copy(update={raised: getattr(case.costs, raised) + 100.0})
    cheap, dear = case.simulated(), replace(case, costs=dearer).simulated()
    assert ruin_row(dear) <= ruin_row(cheap)


def test_a_ruined_book_has_no_ratio_of_return_to_risk() -> None:
    result = book([-1, -1, -1, -1], [10, 10, 11, 8], [10, 10, 20, 8]).simulated()
    metrics = performance_metrics(
        result.returns, result.held_weights, result.trades, periods_per_year=365
    )
    undefined = {"volatility_pct", "sharpe", "sortino", "calmar", "break_even_cost_bps"}
    assert {name for name in undefined if metrics[name] is None} == undefined
    assert metrics["total_return_pct"] == metrics["cagr_pct"] == -100.0
    assert metrics["max_drawdown_pct"] == -100.0


def test_the_returns_of_a_living_book_never_reach_minus_one() -> None:
    result = churning_book(400, cost_bps=300).simulated()
    assert isinstance(result.returns, pd.Series)
    assert result.returns.min() > -1.0
