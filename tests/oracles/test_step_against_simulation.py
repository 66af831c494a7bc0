from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.signals.benchmarks import BuyAndHold, MovingAverageCrossover
from engine.simulation.config import Costs, Execution
from engine.simulation.costs import BoundCosts, CostRates
from tests.simulation.folded_books import Case, assert_fold_equals_simulation

ROUND = [-1.5, -1.0, -0.5, -0.3, 0.0, 0.0, 0.1, 0.25, 1 / 3, 0.5, 1.0, 1.2]
"""Full investment, flips, shorts that ruin, targets that the cash does not cover."""

AT_A_TOLERANCE = [0.0, 1e-22, 1e-16, 1e-10, 0.5, 1 - 1e-10, 1.0, 1 + 1e-10, -1e-10, -1.0]
"""Around what vectorbt rounds away: 1e-12 units and 1e-9 of an amount."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Markets of 1 to 5 symbols at any price and volatility, on days with gaps."""
    # Numbers are NumPy's, from a seed: hypothesis takes longer to draw them than all the rest.
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    symbols, bars = draw(st.integers(1, 5)), draw(st.integers(2, 40))
    volatility = draw(st.sampled_from([0.01, 0.1, 0.5]))
    shape = (bars, symbols)
    targets = {
        "round": rng.choice(ROUND, shape),
        "tolerance": rng.choice(AT_A_TOLERANCE, shape),
        "normal": rng.normal(0.0, 0.5, shape),
    }[draw(st.sampled_from(["round", "tolerance", "normal"]))]
    held = np.repeat(targets, draw(st.integers(1, 4)), axis=0)[:bars]
    opens = 10.0 ** rng.integers(-6, 7, symbols) * np.exp(
        rng.normal(0, volatility, shape).cumsum(axis=0)
    )
    days = pd.to_timedelta(rng.integers(1, 5, bars).cumsum(), unit="D")
    index = pd.DatetimeIndex(pd.Timestamp("2020-01-01", tz="UTC") + days, name="timestamp")

    def wide(values: np.ndarray) -> pd.DataFrame:
        columns = [f"S{number}" for number in range(symbols)]
        return pd.DataFrame(values, index=index.as_unit("us"), columns=columns)

    fixed = Costs(
        fee_bps=draw(st.sampled_from([0.0, 1.0, 10.0, 300.0])),
        slippage_bps=draw(st.sampled_from([0.0, 5.0, 200.0])),
        borrow_bps_per_year=draw(st.sampled_from([0.0, 50.0, 5_000.0, 90_000.0])),
    )
    varying = CostRates(
        fee=wide(rng.uniform(0, 0.03, shape)),
        slippage=wide(rng.uniform(0, 0.03, shape)),
        borrow_per_year=wide(rng.uniform(0, 3.0, shape)),
    )
    return Case(
        weights=wide(held / draw(st.sampled_from([1, symbols]))),
        opens=wide(opens),
        closes=wide(opens * np.exp(rng.normal(0, volatility, shape))),
        costs=draw(st.sampled_from([fixed, BoundCosts(fixed, varying, 15.0)])),
        execution=Execution(
            delay=draw(st.integers(1, 4)), price=draw(st.sampled_from(["open", "close"]))
        ),
    )


@settings(max_examples=40, deadline=None)
@given(cases())
def test_the_fold_of_any_book_equals_its_simulation(case: Case) -> None:
    assert_fold_equals_simulation(case)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(cases())
def test_the_folds_of_more_books_equal_their_simulations(case: Case) -> None:
    assert_fold_equals_simulation(case)


@pytest.mark.parametrize("rule", [BuyAndHold(), MovingAverageCrossover()], ids=lambda r: r.kind)
def test_the_fold_of_a_benchmark_on_ten_symbols_equals_its_simulation(rule) -> None:
    rng = np.random.default_rng(3)
    index = pd.date_range("2021-01-01", periods=200, freq="B", tz="UTC", name="timestamp")
    closes = pd.DataFrame(
        np.exp(0.02 * rng.standard_normal((200, 10)).cumsum(axis=0)),
        index=index.as_unit("us"),
        columns=list("ABCDEFGHIJ"),
    )
    case = Case(
        weights=rule.compute_positions(closes) / 10,
        opens=closes.shift(fill_value=1.0),
        closes=closes,
        costs=Costs(borrow_bps_per_year=100),
        execution=Execution(),
    )
    assert_fold_equals_simulation(case)
