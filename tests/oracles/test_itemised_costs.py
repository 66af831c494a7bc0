"""Books that pay itemised costs beside a plain account, a fold bar by bar, and bare vectorbt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from engine.selftest.generated_bars import BarPattern, generate_market
from engine.simulation import Costs, Execution, ItemisedCosts, simulate
from tests.oracles.itemised_account import Terms, equity_curve
from tests.oracles.itemised_books import SYMBOLS, books, charges_of
from tests.simulation.folded_books import Case, assert_fold_equals_simulation

if TYPE_CHECKING:
    from engine.data import Market


@settings(max_examples=10, deadline=None)
@given(books())
def test_the_fold_of_a_book_that_pays_item_by_item_equals_its_simulation(book) -> None:
    assert_fold_equals_simulation(book[0])


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(books())
def test_the_folds_of_more_such_books_equal_their_simulations(book) -> None:
    assert_fold_equals_simulation(book[0])


def assert_has_the_equity_of_the_plain_account(
    case: Case, costs: ItemisedCosts, market: Market, capital: float
) -> None:
    days = np.diff(case.weights.index.to_numpy(), prepend=case.weights.index.to_numpy()[:1])
    expected = equity_curve(
        case.weights.to_numpy().tolist(),
        (case.opens if case.execution.price == "open" else case.closes).to_numpy().tolist(),
        case.closes.to_numpy().tolist(),
        (days / np.timedelta64(1, "D") / 365.25).tolist(),
        [charges_of(costs, market, symbol) for symbol in SYMBOLS],
        Terms(delay=case.execution.delay, capital=capital),
    )
    found = (1 + case.simulated().returns).cumprod().to_numpy()
    alive = np.logical_and.accumulate(np.minimum(found, expected) > 0.01)
    np.testing.assert_allclose(found[alive], np.array(expected)[alive], rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(books(low=-0.6))
def test_it_has_the_equity_of_a_plain_account_in_money(book) -> None:
    case, costs, market, capital = book
    plain = case.execution.model_copy(update={"maintenance_margin": None})
    own = Case(case.weights, case.opens, case.closes, case.costs, plain)
    assert_has_the_equity_of_the_plain_account(own, costs, market, capital)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(books(low=-0.6))
def test_more_of_them_have_the_equity_of_a_plain_account(book) -> None:
    case, costs, market, capital = book
    plain = case.execution.model_copy(update={"maintenance_margin": None})
    own = Case(case.weights, case.opens, case.closes, case.costs, plain)
    assert_has_the_equity_of_the_plain_account(own, costs, market, capital)


@pytest.mark.slow
def test_costs_by_symbol_and_an_estimated_spread_have_the_equity_of_bare_vectorbt() -> None:
    import vectorbt as vbt

    market = generate_market(np.random.default_rng(3), 300, BarPattern(SYMBOLS))
    closes, opens = market.wide("close"), market.wide("open")
    rng = np.random.default_rng(4)
    targets = np.repeat(rng.uniform(0, 0.3, (60, 3)), 5, axis=0)
    weights = pd.DataFrame(targets, index=closes.index, columns=closes.columns)
    spread = {"kind": "corwin_schultz", "window": 10}
    by_symbol = {"B": {"commission": {"kind": "bps", "bps": 40}}}
    costs = ItemisedCosts.model_validate(
        {"commission": {"kind": "bps", "bps": 5}, "spread": spread, "by_symbol": by_symbol}
    )
    own = simulate(weights, opens, closes, costs=costs.bind(market), execution=Execution())
    before = weights.shift(fill_value=0.0)
    size = weights.where(weights != before).shift(1)
    portfolio = vbt.Portfolio.from_orders(
        closes,
        size=size,
        size_type="targetpercent",
        price=opens,
        val_price=opens,
        fees=np.array([[5e-4, 40e-4, 5e-4]]),
        slippage=costs.compute_rates(market).slippage,
        group_by=True,
        cash_sharing=True,
        call_seq="auto",
        init_cash=1e9,
        freq="1D",
    )
    found = (1 + own.returns).cumprod().to_numpy()
    np.testing.assert_allclose(found, portfolio.value().to_numpy() / 1e9, rtol=1e-9)


def test_a_symbol_named_in_fixed_costs_pays_its_own_rates_and_the_others_as_before() -> None:
    market = generate_market(np.random.default_rng(1), 30, BarPattern(SYMBOLS))
    closes, opens = market.wide("close"), market.wide("open")
    weights = pd.DataFrame(0.0, index=closes.index, columns=closes.columns)
    weights.iloc[3:] = 0.3
    costs = Costs.model_validate({"by_symbol": {"B": {"fee_bps": 100, "slippage_bps": 0}}})
    trades = simulate(
        weights, opens, closes, costs=costs.bind(market), execution=Execution()
    ).trades.set_index("symbol")
    share = trades["fee"] / (trades["size"] * trades["price"])
    assert share.to_dict() == pytest.approx({"A": 1e-3, "B": 1e-2, "C": 1e-3})
    assert trades["slippage_cost"]["B"] == 0
    assert trades["slippage_cost"]["A"] > 0
