"""Funding of perpetuals: which bar pays which payment, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.data.funding_rates import FundingRates, SymbolFunding
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.simulation import Execution, ItemisedCosts, SimulationResult, simulate
from engine.simulation.funding import align_funding, check_funding, find_unfunded_bars
from tests.hypothesis_examples import examples

HOUR = 3_600_000_000
FUNDED = ItemisedCosts.model_validate(
    {
        "commission": {"kind": "bps", "bps": 0},
        "spread": {"kind": "constant", "half_bps": 0},
        "funding": {},
    }
)


def market_with(payments: dict[str, float]):
    """Six days of one symbol, and payments by their instants."""
    market = generate_market(
        np.random.default_rng(2), 6, BarPattern(symbols=("A",), weekdays=False, still_share=0)
    )
    stamps = pd.DatetimeIndex(market.wide("close").index)
    days = pd.date_range("2024-01-01", periods=6, tz="UTC", unit="us", name="timestamp")
    bars = market.bars.assign(timestamp=days.repeat(1)[: len(stamps)])
    instants = pd.DatetimeIndex([pd.Timestamp(each, tz="UTC") for each in payments])
    own = SymbolFunding.from_frame(instants, np.array([*payments.values()]))
    return replace(market, bars=bars, funding=FundingRates({"A": own}))


def held_from_the_third_bar_to_the_fifth(payments: dict[str, float], price: str, size: float):
    market = market_with(payments)
    closes = market.wide("close")
    weights = pd.DataFrame([0.0, size, size, 0.0, 0.0, 0.0], closes.index, closes.columns)
    result = simulate(
        weights,
        market.wide("open"),
        closes,
        costs=FUNDED.bind(market),
        execution=Execution(price=price),
    )
    return result, closes["A"].to_numpy()


def paid(result: SimulationResult) -> list[int]:
    return np.flatnonzero(result.financing["funding"]).tolist()


@pytest.mark.parametrize(
    ("instant", "price", "bar"),
    [
        ("2024-01-03 00:00", "open", None),  # the fill is at the open, after the payment
        ("2024-01-03 00:01", "open", 2),
        ("2024-01-04 00:00", "open", 2),
        ("2024-01-05 00:00", "open", 3),  # the exit is after it
        ("2024-01-05 00:01", "open", None),
        ("2024-01-03 16:00", "close", None),
        ("2024-01-04 00:00", "close", None),
        ("2024-01-04 08:00", "close", 3),
        ("2024-01-06 00:00", "close", 4),  # paid at the close, before the exit
        ("2024-01-06 08:00", "close", None),
    ],
)
def test_a_position_pays_from_after_its_fill_up_to_its_exit(instant, price, bar) -> None:
    result, _ = held_from_the_third_bar_to_the_fifth({instant: 0.001}, price, 0.5)
    assert paid(result) == ([] if bar is None else [bar])


def test_it_pays_units_times_the_last_close_times_the_rate() -> None:
    result, closes = held_from_the_third_bar_to_the_fifth({"2024-01-04 08:00": 0.002}, "open", 0.5)
    units = result.trades["size"].iloc[0]
    assert result.financing["funding"].iloc[3] == pytest.approx(units * closes[2] * 0.002)


@pytest.mark.parametrize(("size", "sign"), [(0.5, 1), (-0.5, -1)])
@pytest.mark.parametrize("rate", [0.001, -0.001])
def test_longs_pay_shorts_where_the_rate_is_above_zero(size, sign, rate) -> None:
    result, _ = held_from_the_third_bar_to_the_fifth({"2024-01-04 08:00": rate}, "open", size)
    assert np.sign(result.financing["funding"].iloc[3]) == sign * np.sign(rate)


def test_payments_of_one_bar_add_up_and_those_beyond_the_last_bar_are_left_out() -> None:
    times = [0, 8, 16, 24, 32, 100]
    opens, closes = np.array([0, 24]) * HOUR, np.array([24, 48]) * HOUR
    to_open, to_close = align_funding(
        opens, closes, np.array(times) * HOUR, np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    )
    assert to_open.tolist() == [0, 0]
    assert to_close.tolist() == [14, 16]


def test_payments_in_a_gap_between_bars_are_due_before_the_next_open() -> None:
    to_open, to_close = align_funding(
        np.array([0, 72]) * HOUR,
        np.array([24, 96]) * HOUR,
        np.array([24, 32, 72, 80]) * HOUR,
        np.array([1.0, 2.0, 4.0, 8.0]),
    )
    assert to_open.tolist() == [0, 6]
    assert to_close.tolist() == [1, 8]


@examples(40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 19))
def test_later_payments_and_later_bars_change_no_bar(seed, row) -> None:
    rng = np.random.default_rng(seed)
    opens = np.arange(20) * 24 * HOUR
    instants = np.unique(rng.integers(0, 21 * 24 * HOUR, 60))
    rates = rng.normal(0, 1, len(instants))
    whole = align_funding(opens, opens + 24 * HOUR, instants, rates)
    last = opens[row - 1] + 24 * HOUR
    other = np.where(instants > last, -2 * rates, rates)
    for found in (
        align_funding(opens, opens + 24 * HOUR, instants, other),
        align_funding(opens[:row], opens[:row] + 24 * HOUR, instants, other),
    ):
        for one, two in zip(whole, found, strict=True):
            np.testing.assert_array_equal(one[:row], two[:row])


def test_bars_with_a_payment_that_is_not_known_are_found() -> None:
    every_eight_hours = pd.date_range("2024-01-02", "2024-01-06", freq="8h")
    known = [str(each) for each in every_eight_hours if not 3 < each.day + each.hour / 24 < 4]
    market = market_with(dict.fromkeys(known, 0.001))
    # Before the first payment, those of 08:00 and 16:00 of the third, and after the last.
    assert np.flatnonzero(find_unfunded_bars(market, "A")).tolist() == [0, 2, 5]


def test_the_offline_dataset_may_close_and_lacks_every_rate() -> None:
    market = replace(market_with({}), calendar="XNYS", funding=FundingRates({}))
    check_funding(market)
    assert find_unfunded_bars(market, "A").all()


def test_a_market_that_closes_is_refused() -> None:
    market = replace(market_with({"2024-01-04": 0.001}), calendar="XNYS")
    with pytest.raises(UsageError, match="around the clock"):
        check_funding(market)
