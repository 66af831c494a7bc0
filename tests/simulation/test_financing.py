from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.simulation import Account, Costs, Execution, SimulationResult, simulate, step
from engine.simulation.accounting.compiled import fold_arrays
from tests.hypothesis_examples import examples
from tests.simulation.folded_books import Case, assert_fold_equals_simulation
from tests.simulation.one_symbol import FREE, book, daily

A_DAY = 1 / 365.25
BORROW = Costs(fee_bps=0, slippage_bps=0, borrow_bps_per_year=3652.5)
"""0.001 a day."""


def equity_from_the_tables(case: Case, result: SimulationResult) -> np.ndarray:
    """Cash + units x close at each bar, of the fills and of what was paid and earned."""
    index, trades = case.weights.index, result.trades
    signed = trades["size"].where(trades["side"] == "buy", -trades["size"])
    paid = signed * trades["price"] + trades["fee"]
    flow = paid.groupby(trades["timestamp"]).sum().reindex(index, fill_value=0.0)
    earned = result.financing["interest"] - result.financing["borrow"]
    cash = 1.0 + (earned - flow).cumsum()
    units = (
        signed.groupby([trades["timestamp"], trades["symbol"]])
        .sum()
        .unstack(fill_value=0.0)
        .reindex(index=index, columns=case.weights.columns, fill_value=0.0)
        .cumsum()
    )
    return (cash + (units * case.closes).sum(axis=1)).to_numpy()


@st.composite
def financed_books(draw: st.DrawFn) -> Case:
    """Three symbols, long and short, that pay for shorts and earn a yield that varies."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bars = draw(st.integers(2, 40))
    opens = 10 * np.exp(rng.normal(0, 0.05, (bars, 3)).cumsum(axis=0))
    closes = opens * np.exp(rng.normal(0, 0.05, (bars, 3)))
    weights = np.repeat(rng.choice([-0.5, -0.2, 0.0, 0.3, 0.6], (bars, 3)), 3, axis=0)[:bars]
    frames = [daily(*table.T.tolist()) for table in (weights, opens, closes)]
    return Case(
        *frames,
        costs=Costs(borrow_bps_per_year=draw(st.sampled_from([0.0, 300.0, 20_000.0]))),
        execution=Execution(
            price=draw(st.sampled_from(["open", "close"])),
            maintenance_margin=draw(st.sampled_from([None, 0.8])),
        ),
        cash_rates=pd.Series(rng.uniform(-0.1, 1.0, bars), index=frames[0].index),
    )


@examples(60)
@given(financed_books())
def test_the_equity_at_each_bar_is_cash_and_units_at_the_close(case: Case) -> None:
    result = case.simulated()
    living = (result.returns > -1).cummin().to_numpy()
    equity = (1 + result.returns).cumprod().to_numpy()
    np.testing.assert_allclose(
        equity_from_the_tables(case, result)[living], equity[living], rtol=1e-9, atol=1e-12
    )


@examples(60)
@given(financed_books(), st.integers(0, 39))
def test_what_a_bar_pays_and_earns_depends_on_earlier_bars_only(case: Case, last: int) -> None:
    row = last % len(case.weights)
    opens, closes, weights = case.opens.copy(), case.closes.copy(), case.weights.copy()
    for frame in (opens, closes):
        frame.iloc[row:] *= 1.01
    weights.iloc[row:] = 0.0
    yields = case.cash_rates.copy()
    yields.iloc[row:] += 0.5
    other = replace(case, opens=opens, closes=closes, weights=weights, cash_rates=yields)
    one, two = (each.simulated().financing.iloc[: row + 1] for each in (case, other))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_borrow_is_charged_on_the_short_value_at_the_last_close() -> None:
    case = book([-0.5] * 4, [10, 10, 12, 12], [10, 10, 12, 15], costs=BORROW)
    # Sold at 10: 0.05 units. They pay for 0.5 over the first night and for 0.6 over the next.
    assert case.simulated().financing["borrow"].tolist() == pytest.approx([0, 0, 0.0005, 0.0006])
    assert_fold_equals_simulation(case)


def test_units_are_as_they_were_traded_and_cash_pays() -> None:
    held = book([-0.5, -0.5, -0.5, 0, 0], [10, 10, 12, 12, 9], costs=BORROW).simulated().trades
    assert held["size"].tolist() == [0.05, 0.05]


def test_an_order_after_a_charge_is_sized_by_the_equity_that_is_left() -> None:
    trades = book([-0.5, -0.6, -0.6], [10, 10, 10], costs=BORROW).simulated().trades
    assert trades["equity"].tolist() == pytest.approx([1.0, 0.9995])
    assert trades["size"].iloc[1] == pytest.approx((0.6 * 0.9995 - 0.5) / 10)


def test_a_book_in_cash_earns_the_yield_by_calendar_time() -> None:
    flat = daily([10.0, 10.0, 10.0])
    flat.index = pd.DatetimeIndex(["2024-03-07", "2024-03-08", "2024-03-11"], tz="UTC")
    result = simulate(flat * 0, flat, flat, costs=FREE, execution=Execution(), cash_rates=0.036525)
    earned = [0.0, 0.0001, 0.0003 * 1.0001]
    assert result.financing["interest"].tolist() == pytest.approx(earned)
    assert (1 + result.returns).prod() == pytest.approx(1.0001 * 1.0003)


def test_cash_in_a_long_position_and_the_proceeds_of_a_short_earn_nothing() -> None:
    def second_night(weight: float) -> float:
        case = book([weight] * 3, [10.0] * 3, cash_rates=0.36525)
        return float(case.simulated().financing["interest"].iloc[2])

    equity = 1.001  # after the first night, before the fill
    assert second_night(0.0) == pytest.approx(0.001 * equity)
    assert second_night(0.4) == pytest.approx(0.001 * 0.6 * equity)
    assert second_night(1.0) == pytest.approx(0.0, abs=1e-12)
    assert second_night(-0.5) == pytest.approx(0.001 * equity)


def test_a_bar_earns_the_yield_that_was_known_at_the_bar_before() -> None:
    case = book([0.0] * 4, [10.0] * 4, cash_rates=[0.0, 0.36525, 0.0, 0.9])
    assert case.simulated().financing["interest"].tolist() == pytest.approx([0, 0, 0.001, 0])
    assert_fold_equals_simulation(case)


def test_a_yield_may_be_negative() -> None:
    case = book([0.0] * 3, [10.0] * 3, cash_rates=-0.36525)
    assert case.simulated().returns.tolist() == pytest.approx([0, -0.001, -0.001])
    assert_fold_equals_simulation(case)


def test_charges_that_leave_no_cash_leave_none_to_buy_with() -> None:
    # Long 1 with all the cash, of which a short of 0.2 brings back 0.2 that is spent as well.
    long_short = daily([1.0, 1.0, 1.0, 1.2], [-0.2, -0.2, -0.2, -0.2])
    case = Case(
        daily([1.2, 1.2, 1.2, 1.4], [-0.2, -0.2, -0.2, -0.2]),
        long_short * 0 + 10,
        long_short * 0 + 10,
        costs=BORROW,
        execution=Execution(),
    )
    result = case.simulated()
    assert len(result.trades) == 2
    assert result.returns.iloc[2:].tolist() == pytest.approx([-0.0002, -0.0002], rel=1e-3)
    assert_fold_equals_simulation(case)


def test_the_fold_is_compiled_once_whatever_the_frames() -> None:
    for rates in (0.01, [0.01, 0.02, 0.03]):
        for traded in (None, "x.x"):
            book(
                [-0.5, 0, 1], [10.0] * 3, costs=BORROW, cash_rates=rates, traded=traded
            ).simulated()
    read_only = daily([10.0] * 3)
    read_only.to_numpy().flags.writeable = False
    simulate(
        read_only * 0, read_only, read_only, costs=FREE, execution=Execution(), cash_rates=1.0
    )
    assert len(fold_arrays.signatures) == 1


def test_yields_on_other_rows_than_the_weights_are_an_error() -> None:
    case = book([0.0] * 3, [10.0] * 3)
    shorter = pd.Series([0.01, 0.01], index=case.weights.index[:2])
    with pytest.raises(UsageError, match="yields on cash do not match"):
        replace(case, cash_rates=shorter).simulated()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_error_of_a_yield_that_is_not_finite_names_its_bar(bad: float) -> None:
    with pytest.raises(UsageError, match="2024-03-02"):
        book([0.0] * 3, [10.0] * 3, cash_rates=[0.01, bad, 0.01]).simulated()
    bar = book([0.0] * 3, [10.0] * 3).bar(0)
    with pytest.raises(UsageError, match="yield on cash"):
        step(Account(), bar, [], FREE, cash_rate=bad)
