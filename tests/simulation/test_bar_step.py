from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, UsageError
from engine.signals.orders import Order
from engine.simulation import Account, BarPrices, Fill, step
from engine.simulation.config import Costs, Execution
from engine.simulation.costs import BoundCosts, CostRates
from tests.simulation.folded_books import Case, fold

FREE = Costs(fee_bps=0, slippage_bps=0)


def day(number: int) -> pd.Timestamp:
    """Days of March 2024; the 7th is a Thursday."""
    return pd.Timestamp("2024-02-29", tz="UTC") + pd.Timedelta(number, "D")


def bar(number: int, opens: dict[str, float], closes: dict[str, float] | None = None) -> BarPrices:
    return BarPrices(timestamp=day(number), open=opens, close=closes or opens)


def order(symbol: str, weight: float, decided_on: int, due_in_bars: int = 1) -> Order:
    return Order(
        symbol=symbol, target_weight=weight, decided_on=day(decided_on), due_in_bars=due_in_bars
    )


def walk(
    *bars: tuple[BarPrices, list[Order]], costs: Costs = FREE
) -> tuple[list[Account], list[tuple[Fill, ...]]]:
    """Account and fills after each bar."""
    account, accounts, fills = Account(), [], []
    for prices, orders in bars:
        account, filled = step(account, prices, orders, costs)
        accounts.append(account)
        fills.append(filled)
    return accounts, fills


def test_three_bars_of_a_long_and_a_short_by_hand() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0, "B": 20.0}), []),
        (
            bar(8, {"A": 10.0, "B": 20.0}, {"A": 11.0, "B": 20.0}),
            [order("A", 0.5, 7), order("B", -0.5, 7)],
        ),
        (bar(11, {"A": 12.0, "B": 20.0}, {"A": 12.0, "B": 18.0}), [order("A", 0.0, 8)]),
        costs=Costs(fee_bps=100, slippage_bps=0, borrow_bps_per_year=3652.5),
    )
    # Friday, equity 1. The sale is first: 0.5 / 20 = 0.025 of B; 0.5 less 1 % of fee is received,
    # cash 1.495. Then 0.5 / 10 = 0.05 of A are bought; 0.505 is paid, cash 0.99.
    sold, bought = fills[1]
    assert (sold.symbol, sold.side, bought.symbol, bought.side) == ("B", "sell", "A", "buy")
    assert (sold.size, sold.price, sold.fee) == pytest.approx((0.025, 20.0, 0.005))
    assert (bought.size, bought.price, bought.fee) == pytest.approx((0.05, 10.0, 0.005))
    # At the close 0.99 + 0.05 x 11 - 0.025 x 20 = 1.04.
    assert accounts[1].cash == pytest.approx(0.99)
    assert accounts[1].units == pytest.approx({"A": 0.05, "B": -0.025})
    assert accounts[1].equity == pytest.approx(1.04)
    assert accounts[1].bar_return == pytest.approx(0.04)
    assert accounts[1].held_weights == pytest.approx({"A": 0.55 / 1.04, "B": -0.5 / 1.04})
    # Monday. 0.36525 a year is 0.001 a day, for three days on 0.5 short: cash 0.9885, equity at
    # the open 0.9885 + 0.05 x 12 - 0.025 x 20 = 1.0885. All of A is sold: 0.6 less 0.006; cash
    # 1.5825. At the close 1.5825 - 0.025 x 18 = 1.1325.
    (closed,) = fills[2]
    assert accounts[2].borrow == pytest.approx(0.0015)
    assert closed.equity == pytest.approx(1.0885)
    assert (closed.size, closed.price, closed.fee) == pytest.approx((0.05, 12.0, 0.006))
    assert accounts[2].cash == pytest.approx(1.5825)
    assert accounts[2].units == {"A": 0.0, "B": pytest.approx(-0.025)}
    assert accounts[2].bar_return == pytest.approx(1.1325 / 1.04 - 1)
    assert accounts[2].equity == pytest.approx(1.1325)


def test_slippage_is_on_the_price_and_told_in_money() -> None:
    _, fills = walk(
        (bar(7, {"A": 10.0}), []),
        (bar(8, {"A": 10.0}), [order("A", 0.5, 7)]),
        costs=Costs(fee_bps=0, slippage_bps=100),
    )
    ((fill,),) = fills[1:]
    assert fill.price == pytest.approx(10.1)
    assert fill.slippage_cost == pytest.approx(0.05 * 0.1)


def test_a_buy_is_reduced_to_the_cash_and_the_next_finds_none() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0, "B": 10.0}), []),
        (bar(8, {"A": 10.0, "B": 10.0}), [order("A", 1.0, 7)]),
        (bar(9, {"A": 10.0, "B": 10.0}), [order("B", 0.5, 8)]),
        costs=Costs(fee_bps=100, slippage_bps=0),
    )
    assert fills[1][0].size == pytest.approx(1 / (10 * 1.01))
    assert fills[2] == ()
    assert accounts[2].targets == {"A": 1.0, "B": 0.5}


def test_orders_below_the_smallest_size_are_not_filled() -> None:
    _, fills = walk((bar(7, {"A": 10.0}), []), (bar(8, {"A": 10.0}), [order("A", 1e-22, 7)]))
    assert fills == [(), ()]


def test_an_order_waits_in_the_account_until_its_delay_is_over() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0}), []),
        (bar(8, {"A": 11.0}), [order("A", 0.5, 7, due_in_bars=3)]),
        (bar(9, {"A": 12.0}), [order("A", 0.2, 8, due_in_bars=3)]),
        (bar(10, {"A": 13.0}), []),
        (bar(11, {"A": 14.0}), []),
    )
    assert [[due.due_in_bars for due in account.orders] for account in accounts] == [
        [],
        [2],
        [1, 2],
        [1],
        [],
    ]
    assert [[(fill.side, fill.price) for fill in each] for each in fills[3:]] == [
        [("buy", 13.0)],
        [("sell", 14.0)],
    ]


def test_the_targets_of_an_account_are_those_decided_last() -> None:
    accounts, _ = walk(
        (bar(7, {"A": 10.0, "B": 10.0}), []),
        (bar(8, {"A": 10.0, "B": 10.0}), [order("A", 0.5, 7), order("B", 0.1, 7)]),
        (bar(9, {"A": 10.0, "B": 10.0}), [order("A", -0.5, 8, due_in_bars=2)]),
    )
    assert accounts[-1].targets == {"A": -0.5, "B": 0.1}


def test_a_symbol_without_a_bar_is_held_at_its_last_close_and_pays_its_last_borrow_rate() -> None:
    borrow = pd.DataFrame(
        {"A": [0.0, 0.36525, 0.7305, 0.0]}, index=[day(n) for n in (7, 8, 9, 11)]
    )
    costs = BoundCosts(FREE, CostRates(0.0, 0.0, borrow), 0.0)
    account = Account()
    for prices, orders in (
        (bar(7, {"A": 10.0}), []),
        (bar(8, {"A": 10.0}), [order("A", -0.5, 7)]),
        (bar(9, {}), []),
        (bar(11, {"A": 10.0}), []),
    ):
        account, fills = step(account, prices, orders, costs)
        if prices.timestamp == day(9):
            assert fills == ()
            assert account.bar_return == pytest.approx(-0.001 * 0.5)
            assert account.held_weights == pytest.approx({"A": -0.5 / 0.9995})
    # The rate of the 9th is that of a bar which the symbol does not have.
    assert account.bar_return == pytest.approx(-0.001 * 2 * 0.5 / 0.9995)


def test_an_order_waits_for_the_next_bar_of_its_symbol() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0, "B": 5.0}), []),
        (bar(8, {"B": 5.0}), [order("A", 0.5, 7), order("B", 0.5, 7)]),
        (bar(9, {"B": 5.0}), []),
        (bar(11, {"A": 20.0, "B": 5.0}), []),
    )
    assert [fill.symbol for fill in fills[1]] == ["B"]
    assert [due.due_in_bars for due in accounts[2].orders] == [0]
    assert [(fill.symbol, fill.price, fill.size) for fill in fills[3]] == [("A", 20.0, 0.025)]


def test_a_later_order_replaces_one_that_waits_for_the_same_bar() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0, "B": 5.0}), []),
        (bar(8, {"B": 5.0}), [order("A", 0.5, 7)]),
        (bar(9, {"A": 20.0, "B": 5.0}), [order("A", -0.2, 8)]),
    )
    assert [(fill.side, fill.size) for fill in fills[2]] == [("sell", 0.01)]
    assert accounts[2].orders == ()


def test_other_symbols_are_sized_with_the_last_close_of_one_without_a_bar() -> None:
    _, fills = walk(
        (bar(7, {"A": 10.0, "B": 5.0}), []),
        (bar(8, {"A": 10.0, "B": 5.0}, {"A": 20.0, "B": 5.0}), [order("A", 0.5, 7)]),
        (bar(9, {"B": 5.0}), [order("B", 0.2, 8)]),
    )
    # Half of 1 doubled: equity 1.5, a fifth of it at price 5.
    assert fills[2][0].equity == pytest.approx(1.5)
    assert fills[2][0].size == pytest.approx(0.06)


def test_a_symbol_may_be_listed_later() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0}), []), (bar(8, {"A": 10.0, "B": 5.0}), [order("B", 0.5, 7)])
    )
    assert fills[1][0].size == pytest.approx(0.1)
    assert accounts[1].units == pytest.approx({"A": 0.0, "B": 0.1})


def test_a_ruined_account_holds_nothing_and_trades_nothing() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0}), []),
        (bar(8, {"A": 10.0}, {"A": 10.0}), [order("A", -1.0, 7), order("A", 0.5, 7, 4)]),
        (bar(9, {"A": 21.0}), []),
        (bar(10, {"A": 5.0}), [order("A", 1.0, 9)]),
    )
    assert [account.bar_return for account in accounts] == [0.0, 0.0, -1.0, 0.0]
    assert [account.ruined for account in accounts] == [False, False, True, True]
    last = accounts[-1]
    assert (last.equity, last.cash, last.units, last.orders) == (0.0, 0.0, {}, ())
    assert fills[2:] == [(), ()]


def test_borrow_costs_can_ruin_an_account() -> None:
    # At 9 a year, 41 days cost a little more than the whole equity.
    accounts, _ = walk(
        (bar(7, {"A": 10.0}), []),
        (bar(8, {"A": 10.0}), [order("A", -1.0, 7)]),
        (bar(8 + 41, {"A": 10.0}), []),
        costs=Costs(fee_bps=0, slippage_bps=0, borrow_bps_per_year=90_000),
    )
    assert accounts[-1].ruined
    assert accounts[-1].bar_return == -1.0


@pytest.fixture(scope="module")
def case() -> Case:
    rng = np.random.default_rng(5)
    index = pd.date_range("2024-01-01", periods=40, freq="B", tz="UTC", name="timestamp")
    opens, closes, weights = (
        pd.DataFrame(values, index=index.as_unit("us"), columns=list("ABC"))
        for values in (
            np.exp(0.05 * rng.standard_normal((40, 3)).cumsum(axis=0)),
            np.exp(0.05 * rng.standard_normal((40, 3)).cumsum(axis=0)),
            rng.choice([-0.4, 0.0, 0.3, 1.0], (40, 3)),
        )
    )
    costs = Costs(borrow_bps_per_year=400)
    return Case(weights, opens, closes, costs, Execution(delay=3))


@pytest.mark.parametrize("cut", [1, 2, 17, 38])
def test_a_fold_goes_on_from_a_saved_account_bit_for_bit(case: Case, cut: int) -> None:
    whole = fold(case, range(40))
    account, orders = fold(case, range(cut)).state
    saved = account.model_dump_json(), [each.model_dump_json() for each in orders]
    loaded = (
        Account.model_validate_json(saved[0]),
        tuple(Order.model_validate_json(text) for text in saved[1]),
    )
    assert loaded == (account, orders)
    rest = fold(case, range(cut, 40), loaded)
    assert rest.accounts == whole.accounts[cut:]
    assert rest.fills == [
        fill for fill in whole.fills if fill.timestamp >= case.weights.index[cut]
    ]


def test_a_step_leaves_the_account_before_it_as_it_was() -> None:
    account = Account()
    step(account, bar(7, {"A": 10.0}), [], FREE)
    assert account == Account()


def test_an_account_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Account().ruined = True


def test_an_order_decided_at_the_bar_itself_is_an_error() -> None:
    with pytest.raises(UsageError, match="before they are decided"):
        step(Account(), bar(7, {"A": 10.0}), [order("A", 1.0, 7)], FREE)


@pytest.mark.parametrize("number", [6, 7])
def test_a_bar_that_is_not_later_than_the_last_is_an_error(number: int) -> None:
    account, _ = step(Account(), bar(7, {"A": 10.0}), [], FREE)
    with pytest.raises(UsageError, match="order of time"):
        step(account, bar(number, {"A": 10.0}), [], FREE)


@pytest.mark.parametrize("close", [0.0, -1.0, np.nan, np.inf])
def test_a_price_that_cannot_be_traded_at_names_symbol_and_bar(close: float) -> None:
    with pytest.raises(InvalidBarsError, match="A at 2024-03-07"):
        step(Account(), bar(7, {"A": 10.0}, {"A": close}), [], FREE)


def test_a_symbol_with_an_open_alone_is_an_error() -> None:
    prices = bar(7, {"A": 10.0, "B": 5.0}, {"A": 10.0})
    with pytest.raises(InvalidBarsError, match="B at 2024-03-07"):
        step(Account(), prices, [], FREE)


def test_costs_without_the_bar_are_an_error() -> None:
    fee = pd.DataFrame({"A": [0.01]}, index=[day(7)])
    costs = BoundCosts(FREE, CostRates(fee, 0.0), 0.0)
    with pytest.raises(UsageError, match="no fee"):
        step(Account(), bar(8, {"A": 10.0}), [], costs)


def test_costs_without_the_symbol_are_an_error() -> None:
    fee = pd.DataFrame({"A": [0.01]}, index=[day(7)])
    costs = BoundCosts(FREE, CostRates(fee, 0.0), 0.0)
    with pytest.raises(UsageError, match="no fee for a symbol") as caught:
        step(Account(), bar(7, {"A": 10.0, "B": 10.0}), [], costs)
    assert caught.value.where == "B"


def halt(number: int, prices: dict[str, float], *symbols: str) -> BarPrices:
    """A bar at which nothing trades of these symbols."""
    return bar(number, prices).model_copy(update={"traded": dict.fromkeys(symbols, False)})


def test_an_order_waits_where_nothing_trades_and_is_filled_at_the_next_bar_that_does() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0, "B": 5.0}), []),
        (halt(8, {"A": 10.0, "B": 5.0}, "A"), [order("A", 0.5, 7), order("B", 0.5, 7)]),
        (halt(9, {"A": 10.0, "B": 5.0}, "A"), []),
        (bar(11, {"A": 20.0, "B": 5.0}), []),
    )
    assert [[fill.symbol for fill in each] for each in fills] == [[], ["B"], [], ["A"]]
    assert [(due.due_in_bars, due.waited_bars) for due in accounts[2].orders] == [(0, 2)]
    assert accounts[2].targets == {"A": 0.5, "B": 0.5}
    assert (fills[3][0].price, fills[3][0].size) == (20.0, 0.025)
    assert accounts[3].orders == ()


def test_a_position_is_marked_and_pays_its_borrow_through_a_halt() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0}), []),
        (bar(8, {"A": 10.0}), [order("A", -0.5, 7)]),
        (halt(9, {"A": 11.0}, "A"), [order("A", 0.0, 8)]),
        costs=Costs(fee_bps=0, slippage_bps=0, borrow_bps_per_year=3652.5),
    )
    assert fills[2] == ()
    assert accounts[2].units == {"A": -0.05}
    assert accounts[2].bar_return == pytest.approx(0.95 - 0.001 * 0.5 - 1)


def test_an_exit_that_is_taken_back_in_a_halt_leaves_the_position_as_it_is() -> None:
    accounts, fills = walk(
        (bar(7, {"A": 10.0, "B": 1.0}), []),
        (bar(8, {"A": 10.0, "B": 1.0}, {"A": 15.0, "B": 1.0}), [order("A", 0.5, 7)]),
        (halt(9, {"A": 15.0, "B": 1.0}, "A"), [order("A", 0.0, 8)]),
        (halt(10, {"A": 15.0, "B": 1.0}, "A"), [order("A", 0.5, 9)]),
        (bar(11, {"A": 18.0, "B": 1.0}), []),
    )
    assert fills[2:] == [(), (), ()]
    assert accounts[3].orders == ()
    assert accounts[-1].units == {"A": 0.05, "B": 0.0}
    assert accounts[-1].targets == {"A": 0.5, "B": 0.0}


def test_the_same_target_again_without_a_wait_is_a_rebalance() -> None:
    _, fills = walk(
        (bar(7, {"A": 10.0}), []),
        (bar(8, {"A": 10.0}, {"A": 20.0}), [order("A", 0.5, 7)]),
        (bar(9, {"A": 20.0}), [order("A", 0.5, 8)]),
    )
    assert [(fill.side, fill.price) for fill in fills[2]] == [("sell", 20.0)]


def test_a_long_halt_leaves_one_order_a_symbol() -> None:
    account, _ = step(Account(), bar(7, {"A": 10.0}), [], FREE)
    for number in range(8, 40):
        weight = 0.1 + 0.01 * (number % 7)
        account, _ = step(
            account, halt(number, {"A": 10.0}, "A"), [order("A", weight, number - 1)], FREE
        )
        assert [due.target_weight for due in account.orders] == [weight]
        assert Account.model_validate_json(account.model_dump_json()) == account


def test_a_symbol_that_has_no_bar_cannot_have_traded_or_not() -> None:
    wrong = bar(7, {"A": 10.0}).model_copy(update={"traded": {"AA": False}})
    with pytest.raises(UsageError, match="AA"):
        step(Account(), wrong, [], FREE)
