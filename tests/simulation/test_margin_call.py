from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

from engine.signals.orders import schedule_orders
from engine.simulation import Costs, Execution, Variation, simulate_variations
from tests.simulation.folded_books import Case, assert_fold_equals_simulation, fold
from tests.simulation.one_symbol import FREE, book, daily

CALLED_BELOW_HALF = Execution(maintenance_margin=0.5)


def told(case: Case) -> list[tuple[int, str, float, bool]]:
    """Day of March, side, price, and whether a margin call placed the order, of each fill."""
    trades = case.simulated().trades
    columns = zip(
        trades["timestamp"], trades["side"], trades["price"], trades["margin_call"], strict=True
    )
    return [(stamp.day, side, price, called) for stamp, side, price, called in columns]


def called_days(case: Case) -> list[int]:
    return [stamp.day for stamp in case.simulated().margin_calls]


# Short one at 10. At 14 the equity is 0.6 and the exposure 1.4: 0.43.
RISING = [10.0, 10.0, 14.0, 15.0, 11.0, 11.0]


def test_a_book_below_the_margin_at_a_close_is_closed_at_the_next_open() -> None:
    case = book([-1] * 6, RISING, execution=CALLED_BELOW_HALF)
    assert called_days(case) == [3]
    assert told(case) == [(2, "sell", 10.0, False), (4, "buy", 15.0, True)]
    assert (case.simulated().held_weights.iloc[3:] == 0).all(axis=None)
    assert_fold_equals_simulation(case)


def test_without_the_setting_it_is_held() -> None:
    case = book([-1] * 6, RISING, costs=Costs(borrow_bps_per_year=1))
    assert called_days(case) == []
    assert len(told(case)) == 1


def test_the_call_knows_nothing_of_the_bar_that_closes_it() -> None:
    for later in (1.0, 15.0, 19.0):
        case = book([-1] * 4, [10, 10, 14, later], execution=CALLED_BELOW_HALF)
        assert told(case)[1] == (4, "buy", later, True)


def test_a_fill_at_the_close_closes_at_the_next_close_whatever_the_delay() -> None:
    slow = Execution(delay=3, price="close", maintenance_margin=0.5)
    case = book([-1] * 8, [10.0] * 8, [10, 10, 10, 10, 14, 15, 12, 12], execution=slow)
    assert told(case) == [(4, "sell", 10.0, False), (6, "buy", 15.0, True)]
    assert_fold_equals_simulation(case)


def test_it_stays_flat_until_the_strategy_decides_another_target() -> None:
    case = book(
        [-1, -1, -1, -1, -1, -0.5, -0.5, -0.5], [*RISING, 11, 11], execution=CALLED_BELOW_HALF
    )
    assert told(case)[2:] == [(7, "sell", 11.0, False)]
    accounts = fold(case, range(8)).accounts
    assert [account.targets["A"] for account in accounts[3:]] == [-1, -1, -1, -0.5, -0.5]
    assert_fold_equals_simulation(case)


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_what_was_decided_by_the_call_is_cancelled(delay: int) -> None:
    row = delay + 2  # of the call
    weights = [*[-1.0] * (row - 1), -0.95, *[-0.7] * 8]
    opens = [*[10.0] * (row + 1), *[14.0] * 7]
    closes = [*[10.0] * row, *[14.0] * 8]
    execution = Execution(delay=delay, maintenance_margin=0.5)
    case = book(weights, opens, closes, execution=execution)
    assert called_days(case) == [row + 1]
    # -0.95 is filled before the call, or never; -0.7, decided at its close, is not filled.
    assert told(case)[-1] == (row + 2, "buy", 14.0, True)
    assert len(told(case)) == (3 if delay == 1 else 2)
    assert fold(case, range(len(weights))).accounts[-1].targets == {"A": -0.7}
    assert_fold_equals_simulation(case)


def test_all_positions_are_closed_and_one_that_does_not_trade_waits() -> None:
    prices = daily([10, 10, 14, 15, 15, 15], [10, 10, 10, 10, 10, 10])
    weights = daily([-1] * 6, [-0.2] * 6)
    traded = daily([1, 1, 1, 0, 0, 1], [1] * 6).astype(bool)
    case = Case(weights, prices, prices, costs=FREE, execution=CALLED_BELOW_HALF, traded=traded)
    trades = case.simulated().trades
    called = trades[trades["margin_call"]]
    assert list(zip(called["symbol"], called["timestamp"].dt.day, strict=True)) == [
        ("B", 4),
        ("A", 6),
    ]
    waits = case.simulated().waits
    assert waits[["symbol", "target_weight", "bars"]].to_numpy().tolist() == [["A", 0.0, 2]]
    assert_fold_equals_simulation(case)


def test_a_target_decided_while_it_waits_replaces_it_once_the_margin_is_kept() -> None:
    # Closing B brings the margin back, while A is halted; the strategy then halves A itself.
    prices = daily([10, 10, 14, 14, 14, 14, 14], [10, 10, 10, 10, 10, 10, 10])
    weights = daily([-0.4] * 4 + [-0.1] * 3, [-1.2] * 7)
    traded = daily([1, 1, 1, 0, 0, 1, 1], [1] * 7).astype(bool)
    case = Case(weights, prices, prices, costs=FREE, execution=CALLED_BELOW_HALF, traded=traded)
    last = case.simulated().trades.iloc[-1]
    assert (last["symbol"], last["margin_call"]) == ("A", False)
    held = case.simulated().held_weights["A"]
    assert held.iloc[-1] == pytest.approx(-0.1)
    assert_fold_equals_simulation(case)


def test_variations_are_called_alike() -> None:
    case = book([-1] * 6, RISING, execution=CALLED_BELOW_HALF)
    orders = schedule_orders(case.weights, 1)
    (returns,) = simulate_variations(
        [Variation(orders, 1, FREE)], case.opens, case.closes, execution=CALLED_BELOW_HALF
    )
    assert returns.tolist() == case.simulated().returns.tolist()


@pytest.mark.parametrize("margin", [0.0, 1.0, -0.3, 25])
def test_a_margin_is_a_share(margin: float) -> None:
    with pytest.raises(ValidationError, match="maintenance_margin"):
        Execution(maintenance_margin=margin)


def test_a_long_book_without_leverage_is_never_called() -> None:
    case = book([1] * 5, [10, 10, 1, 0.1, 20], execution=Execution(maintenance_margin=0.99))
    assert isinstance(case.simulated().margin_calls, pd.DatetimeIndex)
    assert called_days(case) == []
