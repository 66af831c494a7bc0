from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import simulate
from tests.hypothesis_examples import examples

# tests/ is no package, so the module beside this one is run by its path.
equity_curve = run_path(str(Path(__file__).with_name("pure_simulator.py")))["equity_curve"]

Cases = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
HALTED_SHARES = [0.0, 0.1, 0.5]
CASH_RATES = [0.0, 0.0, 0.5, -0.01]


@st.composite
def books(
    draw: st.DrawFn, *, symbols: int, low: float, high: float, move: float, most: int = 24
) -> Cases:
    """Weights, opens and closes on irregular days; each price moves by at most `move`."""
    bars = draw(st.integers(2, most))
    factors = st.floats(1 - move, 1 + move).map(lambda x: round(x, 4))
    targets = st.floats(low, high).map(lambda x: round(x, 2))
    shape = bars * symbols
    steps = draw(st.lists(factors, min_size=2 * shape, max_size=2 * shape))
    prices = 100 * np.cumprod(np.array(steps).reshape(2 * bars, symbols), axis=0)
    decided = np.array(draw(st.lists(targets, min_size=shape, max_size=shape)))
    # Repeats make targets stay, so that positions are held over several bars.
    decided = np.repeat(decided.reshape(bars, symbols), draw(st.integers(1, 4)), axis=0)[:bars]
    days = np.cumsum(draw(st.lists(st.integers(1, 5), min_size=bars, max_size=bars)))
    index = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(days, unit="D")
    index = pd.DatetimeIndex(index, name="timestamp").as_unit("us")
    names = [f"S{number}" for number in range(symbols)]
    opens, closes, weights = (
        pd.DataFrame(values, index=index, columns=names)
        for values in (prices[0::2], prices[1::2], decided)
    )
    return weights, opens, closes


costs_of_any_size = st.builds(
    Costs,
    fee_bps=st.sampled_from([0.0, 1.0, 10.0, 300.0]),
    slippage_bps=st.sampled_from([0.0, 5.0, 200.0]),
    borrow_bps_per_year=st.sampled_from([0.0, 50.0, 5_000.0]),
)
executions = st.builds(
    Execution, delay=st.integers(1, 4), price=st.sampled_from(["open", "close"])
)


def halts(weights: pd.DataFrame, share: float) -> pd.DataFrame:
    """Whether something trades; of that share of the bars it does not."""
    drawn = np.random.default_rng(len(weights)).random(weights.shape) >= share
    return pd.DataFrame(drawn, index=weights.index, columns=weights.columns)


def assert_equal_equity(
    case: Cases,
    costs: Costs,
    execution: Execution,
    halted: float = 0.0,
    cash_rate: float = 0.0,
) -> None:
    weights, opens, closes = case
    traded = halts(weights, halted)
    result = simulate(
        weights,
        opens,
        closes,
        costs=costs,
        execution=execution,
        traded=traded,
        cash_rates=cash_rate,
    )
    days = np.diff(weights.index.to_numpy(), prepend=weights.index.to_numpy()[:1])
    expected = equity_curve(
        weights.to_numpy().tolist(),
        (opens if execution.price == "open" else closes).to_numpy().tolist(),
        closes.to_numpy().tolist(),
        (days / np.timedelta64(1, "D") / 365.25).tolist(),
        delay=execution.delay,
        fee=costs.fee_bps / 10_000,
        slippage=costs.slippage_bps / 10_000,
        borrow_rate=costs.borrow_bps_per_year / 10_000,
        cash_rate=cash_rate,
        traded=traded.to_numpy().tolist(),
    )
    np.testing.assert_allclose((1 + result.returns).cumprod(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@examples(100)
@given(
    books(symbols=1, low=-1.5, high=1.2, move=0.3),
    costs_of_any_size,
    executions,
    st.sampled_from(HALTED_SHARES),
    st.sampled_from(CASH_RATES),
)
def test_one_symbol_long_and_short_has_the_equity_of_the_plain_simulator(
    case: Cases, costs: Costs, execution: Execution, halted: float, cash_rate: float
) -> None:
    assert_equal_equity(case, costs, execution, halted, cash_rate)


@pytest.mark.slow
@examples(100)
@given(
    books(symbols=3, low=-0.8, high=0.8, move=0.3),
    costs_of_any_size,
    executions,
    st.sampled_from(HALTED_SHARES),
    st.sampled_from(CASH_RATES),
)
def test_three_symbols_sharing_cash_have_the_equity_of_the_plain_simulator(
    case: Cases, costs: Costs, execution: Execution, halted: float, cash_rate: float
) -> None:
    assert_equal_equity(case, costs, execution, halted, cash_rate)


@examples(40)
@given(
    books(symbols=2, low=-1.0, high=1.0, move=0.3),
    costs_of_any_size,
    st.sampled_from(["fee_bps", "slippage_bps", "borrow_bps_per_year"]),
    executions,
)
def test_a_higher_cost_never_helps(
    case: Cases, costs: Costs, raised: str, execution: Execution
) -> None:
    dearer = costs.model_copy(update={raised: getattr(costs, raised) + 40.0})
    cheap, dear = (
        (1 + simulate(*case, costs=each, execution=execution).returns).cumprod()
        for each in (costs, dearer)
    )
    assert (dear <= cheap + 1e-12).all()


@examples(40)
@given(books(symbols=2, low=0.0, high=0.5, move=0.3), costs_of_any_size, executions)
def test_returns_are_finite_and_a_long_book_never_loses_more_than_all(
    case: Cases, costs: Costs, execution: Execution
) -> None:
    result = simulate(*case, costs=costs, execution=execution)
    assert np.isfinite(result.returns).all()
    assert (result.returns > -1).all()
    assert result.returns.iloc[0] == 0
    assert result.held_weights.to_numpy().sum(axis=1).max() <= 1 + 1e-9


@pytest.mark.parametrize("price", ["open", "close"])
def test_years_of_real_bars_have_the_equity_of_the_plain_simulator(
    price: Literal["open", "close"], market_data: Path
) -> None:
    bars = {
        symbol: pd.read_csv(
            market_data / "crypto_daily" / f"{symbol}.csv", index_col=0, parse_dates=True
        ).tz_localize("UTC")
        for symbol in ("BTC", "ETH", "XRP")
    }
    opens, closes = (
        pd.DataFrame({symbol: frame[column] for symbol, frame in bars.items()}).dropna()
        for column in ("open", "close")
    )
    targets = np.random.default_rng(8).choice([-0.3, 0.0, 0.2, 0.5], (len(closes) // 5 + 1, 3))
    weights = pd.DataFrame(
        targets.repeat(5, axis=0)[: len(closes)], index=closes.index, columns=closes.columns
    )
    costs = Costs(fee_bps=10, slippage_bps=5, borrow_bps_per_year=300)
    assert_equal_equity((weights, opens, closes), costs, Execution(price=price), halted=0.1)
