"""Borrowed cash: what it buys, what it costs, and when its lender closes the book."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from engine.selftest.harness import make_strategy
from engine.simulation import Costs, Execution, simulate
from tests.simulation.one_symbol import daily

RATE = Costs(fee_bps=0, slippage_bps=0, financing_bps_per_year=3652.5)
"""0.001 a day."""


def book(weights, prices, *, costs=RATE, margin=None):
    return simulate(
        daily(weights),
        daily(prices),
        daily(prices),
        costs=costs,
        execution=Execution(maintenance_margin=margin),
    )


def test_a_book_of_twice_its_equity_pays_for_half_of_it() -> None:
    result = book([2.0, 2.0, 2.0, 2.0], [10.0, 10.0, 10.0, 10.0])
    owed = 1.0
    assert result.held_weights.iloc[1, 0] == pytest.approx(2.0)
    assert result.financing["loan_interest"].tolist() == pytest.approx(
        [0, 0, 0.001 * owed, 0.001 * (owed + 0.001)]
    )


def test_gains_and_losses_are_twice_those_of_the_symbol() -> None:
    result = book([2.0, 2.0, 2.0], [10.0, 10.0, 11.0])
    assert result.returns.iloc[-1] == pytest.approx(0.2 - 0.001)


def test_nobody_lends_without_a_rate() -> None:
    plain = Costs(fee_bps=0, slippage_bps=0)
    result = book([2.0, 2.0, 2.0], [10.0, 10.0, 10.0], costs=plain)
    assert result.held_weights.iloc[-1, 0] == pytest.approx(1.0)


def test_a_loan_of_rate_zero_is_a_loan() -> None:
    free = Costs(fee_bps=0, slippage_bps=0, financing_bps_per_year=0)
    result = book([2.0, 2.0], [10.0, 10.0], costs=free)
    assert result.held_weights.iloc[-1, 0] == pytest.approx(2.0)


def test_short_sales_borrow_no_cash() -> None:
    result = book([-2.0, -2.0, -2.0], [10.0, 10.0, 10.0])
    assert not result.financing["loan_interest"].any()


def test_the_lender_closes_the_book_below_its_margin() -> None:
    # 4 x 10 = 40 held, 30 owed of an equity of 10: at 8.5 it is 34 against 30, a ratio of 0.12.
    prices = [10.0, 10.0, 8.5, 8.5, 8.5]
    result = book([4.0] * 5, prices, margin=0.15)
    assert result.margin_calls.tolist() == [result.returns.index[2]]
    assert result.trades["margin_call"].tolist() == [False, True]
    assert result.held_weights.iloc[-1, 0] == 0


def test_a_gap_through_the_loan_ruins_the_book() -> None:
    result = book([4.0] * 4, [10.0, 10.0, 7.0, 10.0], margin=0.15)
    assert result.returns.tolist()[2:] == [-1.0, 0.0]


LOAN = {"financing_bps_per_year": 500}


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"max_weight": 2}, "financing_bps_per_year"),
        ({"max_weight": 2, "costs": LOAN}, "maintenance_margin"),
        (
            {"max_weight": 4, "costs": LOAN, "execution": {"maintenance_margin": 0.25}},
            "maintenance_margin",
        ),
        ({"max_weight": 11, "costs": LOAN, "execution": {"maintenance_margin": 0.05}}, "10"),
    ],
)
def test_leverage_needs_a_lender_and_a_margin_below_its_ratio(sections, named) -> None:
    with pytest.raises(ValidationError, match=named):
        make_strategy(**sections)


def test_weights_up_to_the_maximum_are_held() -> None:
    spec = make_strategy(
        max_weight=3, costs=LOAN, execution={"maintenance_margin": 0.2}, name="levered"
    )
    assert spec.decision_spec(365.25).max_weight == 3
    assert np.isclose(spec.costs.loan_per_year, 0.05)
