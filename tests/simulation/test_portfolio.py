from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, UsageError
from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import simulate

if TYPE_CHECKING:
    from engine.simulation.portfolio import SimulationResult

FREE = Costs(fee_bps=0, slippage_bps=0)
NEXT_OPEN = Execution(delay=1, price="open")


def daily(*columns: list[float], symbols: str = "ABC") -> pd.DataFrame:
    index = pd.date_range("2024-03-01", periods=len(columns[0]), tz="UTC", name="timestamp")
    return pd.DataFrame(dict(zip(symbols, columns, strict=False)), index=index.as_unit("us"))


OPEN = daily([10.0, 11.0, 13.0, 12.0, 15.0])
CLOSE = daily([10.5, 12.5, 12.2, 14.0, 16.0])


def run(
    weights: list[float], costs: Costs = FREE, execution: Execution = NEXT_OPEN, **bars: object
) -> SimulationResult:
    frames = {"bars_open": OPEN, "bars_close": CLOSE, **bars}
    return simulate(daily(weights), **frames, costs=costs, execution=execution)


def equity(result: SimulationResult) -> pd.Series:
    return (1 + result.returns).cumprod()


def test_a_decision_at_a_close_is_filled_at_the_next_open() -> None:
    trades = run([1, 1, 0, 0, 0]).trades
    assert trades["price"].tolist() == [11.0, 12.0]
    assert trades["timestamp"].tolist() == [OPEN.index[1], OPEN.index[3]]
    assert trades["side"].tolist() == ["buy", "sell"]


@pytest.mark.parametrize(
    ("execution", "price", "row"),
    [
        (Execution(delay=2, price="open"), 13.0, 2),
        (Execution(delay=3, price="open"), 12.0, 3),
        (Execution(delay=1, price="close"), 12.5, 1),
        (Execution(delay=2, price="close"), 12.2, 2),
    ],
)
def test_the_fill_is_delay_bars_later_at_the_chosen_price(
    execution: Execution, price: float, row: int
) -> None:
    trades = run([1, 1, 1, 1, 1], execution=execution).trades
    assert trades["price"].tolist() == [price]
    assert trades["timestamp"].tolist() == [OPEN.index[row]]


def test_the_first_return_is_from_the_fill_to_its_close() -> None:
    returns = run([1, 1, 1, 1, 1]).returns
    np.testing.assert_allclose(returns, [0, 12.5 / 11 - 1, 12.2 / 12.5 - 1, 14 / 12.2 - 1, 2 / 14])


def test_buy_and_hold_without_cost_ends_at_last_close_over_first_open() -> None:
    assert equity(run([1, 1, 1, 1, 1])).iloc[-1] == pytest.approx(16 / 11, rel=1e-12)


def test_prices_before_the_fill_do_not_affect_the_book() -> None:
    moved_open, moved_close = OPEN.copy(), CLOSE.copy()
    moved_open.iloc[:3] *= 2
    moved_close.iloc[:3] *= 3
    moved = run([0, 0, 1, 1, 1], bars_open=moved_open, bars_close=moved_close)
    pd.testing.assert_series_equal(moved.returns, run([0, 0, 1, 1, 1]).returns)


def test_bars_after_t_change_nothing_at_or_before_t() -> None:
    changed_open, changed_close = OPEN.copy(), CLOSE.copy()
    changed_open.iloc[3:] *= 7
    changed_close.iloc[3:] *= 5
    costs = Costs(borrow_bps_per_year=500)
    before = run([-1, 0.5, 1, 0, 1], costs)
    after = run([-1, 0.5, 1, 0, 1], costs, bars_open=changed_open, bars_close=changed_close)
    pd.testing.assert_series_equal(before.returns[:3], after.returns[:3])
    pd.testing.assert_frame_equal(before.held_weights[:3], after.held_weights[:3])


def test_a_decision_at_the_last_bar_is_not_filled() -> None:
    result = run([0, 0, 0, 0, 1])
    assert result.trades.empty
    assert (result.returns == 0).all()


def test_zero_weights_trade_nothing_and_earn_nothing() -> None:
    result = run([0, 0, 0, 0, 0], Costs(fee_bps=30, borrow_bps_per_year=100))
    assert result.trades.empty
    assert (result.returns == 0).all()
    assert (result.held_weights == 0).all(axis=None)


def test_trades_of_an_idle_book_have_the_usual_dtypes() -> None:
    idle, busy = run([0] * 5).trades, run([1] * 5).trades
    assert idle.dtypes.to_dict() == busy.dtypes.to_dict()


def test_an_unchanged_target_is_not_traded_again() -> None:
    result = run([0.5, 0.5, 0.5, 0.5, 0.5])
    assert len(result.trades) == 1
    # 0.5/11 units, and the weight drifts with the price.
    units = 0.5 / 11
    np.testing.assert_allclose(
        result.held_weights["A"][1:], units * CLOSE["A"][1:] / (0.5 + units * CLOSE["A"][1:])
    )


def test_a_target_of_100_percent_is_reduced_to_cover_costs() -> None:
    costs = Costs(fee_bps=100, slippage_bps=50)
    trade = run([1, 1, 1, 1, 1], costs).trades.iloc[0]
    assert trade["price"] == pytest.approx(11 * 1.005, rel=1e-12)
    assert trade["size"] == pytest.approx(1 / (11 * 1.005 * 1.01), rel=1e-12)
    assert trade["size"] * trade["price"] + trade["fee"] == pytest.approx(1.0, rel=1e-12)


def test_fee_is_on_traded_value_and_slippage_on_price() -> None:
    trade = run([0.5] * 5, Costs(fee_bps=100, slippage_bps=50)).trades.iloc[0]
    size = 0.5 / 11
    assert trade["size"] == pytest.approx(size, rel=1e-12)
    assert trade["fee"] == pytest.approx(size * 11 * 1.005 * 0.01, rel=1e-12)
    assert trade["slippage_cost"] == pytest.approx(size * 11 * 0.005, rel=1e-12)


def test_a_sale_is_filled_below_the_price() -> None:
    trade = run([-0.5] * 5, Costs(fee_bps=0, slippage_bps=50)).trades.iloc[0]
    assert trade["side"] == "sell"
    assert trade["price"] == pytest.approx(11 * 0.995, rel=1e-12)
    assert trade["slippage_cost"] == pytest.approx(trade["size"] * 11 * 0.005, rel=1e-12)


def test_a_closed_position_has_holdings_of_exactly_zero() -> None:
    held = run([0.3, 0.7, 0.2, 0, 0], Costs(fee_bps=3)).held_weights["A"]
    assert (held[1:4] > 0).all()
    assert held.iloc[4] == 0.0


def test_a_position_may_be_a_tiny_share_of_the_units_of_an_earlier_one() -> None:
    prices = daily([1e-6, 1e-6, 1e-6, 1e4, 1e4, 2e4])
    result = simulate(
        daily([1.0, 0.0, 0.0, 1.0, 1.0, 1.0]), prices, prices, costs=FREE, execution=NEXT_OPEN
    )
    assert result.held_weights["A"].tolist() == [0.0, 1.0, 0.0, 0.0, 1.0, 1.0]
    np.testing.assert_allclose(result.returns, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0], atol=1e-12)


def test_a_short_gains_when_the_price_falls() -> None:
    falling = CLOSE[::-1].set_axis(CLOSE.index)
    result = run([-1] * 5, bars_open=falling, bars_close=falling)
    assert equity(result).iloc[-1] == pytest.approx(1 + (14 - 10.5) / 14, rel=1e-12)
    assert (result.held_weights["A"][1:] < 0).all()


def test_borrow_cost_is_charged_on_shorts_by_calendar_time() -> None:
    flat = daily([10.0, 10.0, 10.0, 10.0])
    flat.index = pd.DatetimeIndex(
        ["2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12"], tz="UTC", name="timestamp"
    )
    weights = flat * 0 - 0.5
    costs = Costs(fee_bps=0, slippage_bps=0, borrow_bps_per_year=400)
    returns = simulate(weights, flat, flat, costs=costs, execution=NEXT_OPEN).returns
    # Sold at Friday's open, 0.5 short: three nights to Monday, one to Tuesday.
    night = 0.5 * 0.04 / 365.25
    equity = [1.0, 1.0, 1.0 - 3 * night, 1.0 - 4 * night]
    np.testing.assert_allclose(returns[1:], np.divide(equity[1:], equity[:-1]) - 1, rtol=1e-9)


def test_longs_have_no_borrow_cost() -> None:
    dear = Costs(fee_bps=0, slippage_bps=0, borrow_bps_per_year=9_000)
    pd.testing.assert_series_equal(run([1] * 5, dear).returns, run([1] * 5).returns)


def test_a_ruined_short_ends_the_book() -> None:
    rising = daily([10.0, 10.0, 21.0, 5.0, 5.0])
    result = run([-1, -1, 1, 1, 1], bars_open=rising, bars_close=rising)
    assert result.returns.tolist() == [0, 0, -1, 0, 0]
    assert (result.held_weights[2:] == 0).all(axis=None)
    assert len(result.trades) == 1


def test_symbols_share_the_cash_and_sells_come_first() -> None:
    prices = daily([10.0] * 4, [20.0] * 4)
    weights = daily([1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0])
    result = simulate(weights, prices, prices, costs=FREE, execution=NEXT_OPEN)
    assert list(zip(result.trades["symbol"], result.trades["side"], strict=True)) == [
        ("A", "buy"),
        ("A", "sell"),
        ("B", "buy"),
    ]
    assert result.held_weights.iloc[-1].tolist() == [0.0, pytest.approx(1.0)]


def test_targets_are_shares_of_equity_at_the_fill_prices() -> None:
    opens = daily([10.0, 10.0, 20.0], [10.0, 10.0, 10.0])
    closes = daily([10.0, 10.0, 30.0], [10.0, 10.0, 10.0])
    weights = daily([0.5, 0.5, 0.5], [0.0, 0.2, 0.2])
    trades = simulate(weights, opens, closes, costs=FREE, execution=NEXT_OPEN).trades
    # A doubled to its fill-bar open: equity 1.5, a fifth of it at price 10.
    assert trades["equity"].tolist() == [1.0, 1.5]
    assert trades["size"].iloc[1] == pytest.approx(0.2 * 1.5 / 10)


def test_any_price_scale_trades_the_same_fractions() -> None:
    weights = [0.3, 0.300001, 0.7, -0.2, 0.0]
    costs = Costs(fee_bps=3)
    for scale in (1e-9, 1e7):
        scaled = run(weights, costs, bars_open=OPEN * scale, bars_close=CLOSE * scale)
        np.testing.assert_allclose(scaled.returns, run(weights, costs).returns, atol=1e-12)
        assert len(scaled.trades) == len(run(weights, costs).trades) == 4


def test_bars_may_have_more_symbols_than_the_weights() -> None:
    more = pd.concat([daily([1.0] * 5, symbols="Z"), OPEN], axis=1)
    pd.testing.assert_frame_equal(
        run([1] * 5, bars_open=more).held_weights, run([1] * 5).held_weights
    )


def test_bars_on_other_rows_than_the_weights_are_an_error() -> None:
    with pytest.raises(UsageError, match="do not match"):
        run([1] * 5, bars_close=CLOSE[1:])


def test_weights_without_prices_are_an_error() -> None:
    with pytest.raises(UsageError, match=r"no prices of \['A'\]"):
        run([1] * 5, bars_close=CLOSE.rename(columns={"A": "Z"}))


@pytest.mark.parametrize("price", [0.0, -3.0, np.nan, np.inf])
def test_the_error_of_an_invalid_price_names_symbol_and_bar(price: float) -> None:
    bad = OPEN.copy()
    bad.iloc[2, 0] = price
    with pytest.raises(InvalidBarsError, match=r"A at 2024-03-03"):
        run([1] * 5, bars_open=bad)


@pytest.mark.parametrize("weight", [np.nan, np.inf])
def test_the_error_of_a_weight_that_is_nan_names_symbol_and_bar(weight: float) -> None:
    with pytest.raises(UsageError, match=r"A at 2024-03-02"):
        run([1, weight, 0, 0, 0])


def test_the_simulation_runs_on_the_compiled_engine_without_numba() -> None:
    from vectorbt.portfolio.nb import simulate_from_orders_nb

    run([1, 0, 1, 0, 1])
    assert not simulate_from_orders_nb.overloads


def trading(pattern: str) -> pd.DataFrame:
    """Whether something trades: `x` where it does, `.` where nothing does."""
    return daily([float(letter == "x") for letter in pattern]).astype(bool)


@pytest.mark.parametrize(
    ("execution", "price", "row"),
    [
        (Execution(delay=1, price="open"), 12.0, 3),
        (Execution(delay=1, price="close"), 14.0, 3),
        (Execution(delay=2, price="open"), 12.0, 3),
        (Execution(delay=3, price="close"), 14.0, 3),
    ],
)
def test_where_nothing_trades_the_order_is_filled_at_the_next_bar_that_does(
    execution: Execution, price: float, row: int
) -> None:
    book = run([1, 1, 1, 1, 1], execution=execution, traded=trading("x..xx"))
    assert book.trades["price"].tolist() == [price]
    assert book.trades["timestamp"].tolist() == [OPEN.index[row]]
    assert book.waits["bars"].tolist() == [3 - execution.delay][: 3 - execution.delay]


def test_it_is_sized_by_the_equity_at_the_bar_that_fills_it() -> None:
    opens, closes = daily([10.0] * 4, [10.0] * 4), daily([10.0] * 4, [10.0, 20.0, 20.0, 20.0])
    opens.iloc[2:, 1] = 20.0
    weights = daily([0.2] * 4, [0.5] * 4)
    trades = trading("x.xx").assign(B=True)
    book = simulate(weights, opens, closes, costs=FREE, execution=NEXT_OPEN, traded=trades).trades
    assert book["symbol"].tolist() == ["B", "A"]
    assert book["equity"].tolist() == [1.0, 1.5]
    assert book["size"].iloc[1] == pytest.approx(0.2 * 1.5 / 10)


def test_a_position_is_marked_at_the_close_through_a_halt_and_pays_costs_at_its_exit() -> None:
    costs = Costs(fee_bps=100, slippage_bps=0)
    book = run([0.5, 0, 0, 0, 0], costs, traded=trading("xx.xx"))
    assert book.trades["timestamp"].tolist() == [OPEN.index[1], OPEN.index[3]]
    size = 0.5 / 11
    assert book.returns.iloc[2] == pytest.approx(
        (1 - 0.5 - 0.005 + size * 12.2) / (1 - 0.5 - 0.005 + size * 12.5) - 1
    )
    assert book.trades["fee"].iloc[1] == pytest.approx(0.01 * size * 12.0)


def test_a_ruined_book_has_no_orders_that_wait() -> None:
    rising = daily([10.0, 10.0, 21.0, 5.0, 5.0])
    book = run([-1, -1, 1, 1, 1], bars_open=rising, bars_close=rising, traded=trading("xxx.."))
    assert book.returns.tolist() == [0, 0, -1, 0, 0]
    assert book.waits.empty


def test_where_everything_trades_the_books_are_those_without_a_word_of_it() -> None:
    one, two = (run([1, 0, 0.5, -0.2, 0], traded=each) for each in (None, trading("xxxxx")))
    pd.testing.assert_series_equal(one.returns, two.returns, check_exact=True)
    pd.testing.assert_frame_equal(one.trades, two.trades, check_exact=True)


def test_bars_that_traded_on_other_rows_or_symbols_are_an_error() -> None:
    with pytest.raises(UsageError, match="bars that traded"):
        run([1] * 5, traded=trading("xxxxx").iloc[1:])
    with pytest.raises(UsageError, match=r"nothing about \['A'\]"):
        run([1] * 5, traded=trading("xxxxx").rename(columns={"A": "Z"}))
