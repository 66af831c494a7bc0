from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.signals.benchmarks import BuyAndHold, MovingAverageCrossover
from engine.signals.orders import Order, find_pending_orders, place_orders
from engine.simulation import Account, BarPrices, simulate, step
from engine.simulation.config import Costs, Execution
from engine.simulation.costs import BoundCosts, CostRates
from tests.hypothesis_examples import examples
from tests.simulation.folded_books import Case, assert_fold_equals_simulation, fold

ROUND = [-1.5, -1.0, -0.5, -0.3, 0.0, 0.0, 0.1, 0.25, 1 / 3, 0.5, 1.0, 1.2]
"""Full investment, flips, shorts that ruin, targets that the cash does not cover."""

AT_A_TOLERANCE = [0.0, 1e-22, 1e-16, 1e-10, 0.5, 1 - 1e-10, 1.0, 1 + 1e-10, -1e-10, -1.0]
"""Around what vectorbt rounds away: 1e-12 units and 1e-9 of an amount."""


@st.composite
def cases(
    draw: st.DrawFn, *, halted_at_fixed_costs: bool = False, financed: bool | None = None
) -> Case:
    """Markets of 1 to 5 symbols at any price and volatility, on days with gaps.

    `financed` books pay for their shorts, earn a yield on their cash and may be called; None draws
    whether they do.
    """
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

    financed = draw(st.booleans()) if financed is None else financed
    fixed = Costs(
        fee_bps=draw(st.sampled_from([0.0, 1.0, 10.0, 300.0])),
        slippage_bps=draw(st.sampled_from([0.0, 5.0, 200.0])),
        borrow_bps_per_year=draw(st.sampled_from([0.0, 50.0, 5_000.0, 90_000.0]))
        if financed
        else 0.0,
    )
    varying = CostRates(
        fee=wide(rng.uniform(0, 0.03, shape)),
        slippage=wide(rng.uniform(0, 0.03, shape)),
        borrow_per_year=wide(rng.uniform(0, 3.0, shape)) if financed else 0.0,
    )
    every_costs = [fixed, BoundCosts(fixed, varying, 15.0)]
    every_traded = [wide(random_halts(rng, shape)), None]
    varying_yield = pd.Series(rng.uniform(-0.02, 0.3, bars), index=index.as_unit("us"))
    every_yield = [0.0, 0.05, varying_yield] if financed else [0.0]
    if halted_at_fixed_costs:
        every_yield = [0.0]
    return Case(
        weights=wide(held / draw(st.sampled_from([1, symbols]))),
        opens=wide(opens),
        closes=wide(opens * np.exp(rng.normal(0, volatility, shape))),
        costs=draw(st.sampled_from(every_costs[: 1 if halted_at_fixed_costs else 2])),
        execution=Execution(
            delay=draw(st.integers(1, 4)),
            price=draw(st.sampled_from(["open", "close"])),
            maintenance_margin=draw(st.sampled_from([None, 0.25, 0.9] if financed else [None])),
        ),
        traded=draw(st.sampled_from(every_traded[: 1 if halted_at_fixed_costs else 2])),
        cash_rates=draw(st.sampled_from(every_yield)),
    )


def random_halts(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Whether something trades: halts of one bar and of many, at any share of the bars."""
    halted = rng.random(shape) < rng.choice([0.05, 0.3, 0.8])
    return ~np.repeat(halted, rng.integers(1, 9), axis=0)[: shape[0]]


NEVER_CALLED = 1e-300
"""A maintenance margin that no book falls below, and that makes the compiled fold fill it."""


@examples(60)
@given(cases())
def test_the_fold_of_any_book_equals_its_simulation(case: Case) -> None:
    assert_fold_equals_simulation(case)


def assert_compiled_fold_equals_vectorbt(case: Case) -> None:
    """Every figure, bit for bit."""
    margin = case.execution.model_copy(update={"maintenance_margin": NEVER_CALLED})
    filled, folded = case.simulated(), replace(case, execution=margin).simulated()
    pd.testing.assert_series_equal(filled.returns, folded.returns, check_exact=True)
    for name in ("held_weights", "trades", "waits", "financing"):
        left, right = getattr(filled, name), getattr(folded, name)
        pd.testing.assert_frame_equal(left, right, check_exact=True)
    assert folded.margin_calls.empty


@pytest.mark.slow
@examples(150)
@given(cases(financed=False))
def test_the_compiled_fold_of_an_ordinary_book_equals_vectorbt(case: Case) -> None:
    assert_compiled_fold_equals_vectorbt(case)


@pytest.mark.slow
@examples(500)
@given(cases(financed=False))
def test_the_compiled_folds_of_more_ordinary_books_equal_vectorbt(case: Case) -> None:
    assert_compiled_fold_equals_vectorbt(case)


@examples(30)
@given(cases(halted_at_fixed_costs=True))
def test_a_halt_at_the_last_close_is_as_a_gap_in_the_bars(case: Case) -> None:
    """A symbol may be left out of a bar, or have one without a trade that repeats its close."""
    assert case.traded is not None
    assert isinstance(case.costs, Costs)
    trades = case.traded.copy()
    trades.iloc[0] = True
    closes = case.closes.where(trades).ffill()
    opens = case.opens.where(trades, closes)
    halted = replace(case, traded=trades, opens=opens, closes=closes)
    account, orders = Account(), ()
    for row, expected in enumerate(fold(halted, range(len(trades))).accounts):
        bar = halted.bar(row)
        there = [symbol for symbol, each in bar.traded.items() if each]
        shorter = BarPrices(
            timestamp=bar.timestamp,
            open={symbol: bar.open[symbol] for symbol in there},
            close={symbol: bar.close[symbol] for symbol in there},
        )
        account, _ = step(
            account,
            shorter,
            orders,
            case.costs,
            price=case.execution.price,
            maintenance_margin=case.execution.maintenance_margin,
        )
        orders = place_orders(
            account.targets,
            case.weights.iloc[row].to_dict(),
            decided_on=bar.timestamp,
            delay=case.execution.delay,
        )
        assert account == expected


@examples(30)
@given(cases(financed=False))
def test_the_orders_left_by_the_fold_are_those_that_are_pending(case: Case) -> None:
    folded = fold(case, range(len(case.weights)))
    account, decided = folded.state
    assume(not account.ruined)
    last = BarPrices(
        timestamp=case.weights.index[-1] + pd.Timedelta(1, "D"),
        open=case.closes.iloc[-1].to_dict(),
        close=case.closes.iloc[-1].to_dict(),
    )
    costs = Costs(fee_bps=0, slippage_bps=0)
    pending = find_pending_orders(case.weights, case.execution.delay, case.traded)
    listed = [
        Order(**{str(name): value for name, value in row.items()})
        for row in pending.to_dict("records")
    ]
    after, fills = step(account, last, decided, costs)
    same, others = step(account.model_copy(update={"orders": ()}), last, listed, costs)
    assert fills == others
    # Orders that take each other back are not listed, so that `same` does not know the last one.
    told = {order.symbol for order in listed}
    unlisted = {order.symbol for order in (*account.orders, *decided)} - told
    assert {s: t for s, t in after.targets.items() if s not in unlisted} == {
        s: t for s, t in same.targets.items() if s not in unlisted
    }
    assert after.held_weights == same.held_weights
    assert [(due.symbol, due.target_weight, due.due_in_bars) for due in after.orders] == [
        (due.symbol, due.target_weight, due.due_in_bars) for due in same.orders
    ]


@examples(30)
@given(cases(financed=False))
def test_the_bars_that_orders_waited_are_those_of_the_fold(case: Case) -> None:
    book, folded = case.simulated(), fold(case, range(len(case.weights)))
    waited: dict[tuple[str, pd.Timestamp], int] = {}
    for account in folded.accounts:
        waited |= {
            (each.symbol, each.decided_on): each.waited_bars
            for each in account.orders
            if each.waited_bars
        }
    assume(not folded.accounts[-1].ruined)
    decided = case.weights.index[
        case.weights.index.get_indexer(book.waits["due"]) - case.execution.delay
    ]
    keys = zip(book.waits["symbol"], decided, strict=True)
    assert dict(zip(keys, book.waits["bars"], strict=True)) == waited


def test_no_fill_is_at_a_bar_at_which_nothing_traded() -> None:
    rng = np.random.default_rng(9)
    index = pd.date_range("2021-01-01", periods=400, tz="UTC", name="timestamp").as_unit("us")
    closes = pd.DataFrame(
        np.exp(0.02 * rng.standard_normal((400, 3)).cumsum(axis=0)), index=index, columns=[*"ABC"]
    )
    traded = pd.DataFrame(random_halts(rng, (400, 3)), index=index, columns=[*"ABC"])
    weights = pd.DataFrame(rng.choice([-0.3, 0.0, 0.3], (400, 3)), index=index, columns=[*"ABC"])
    book = simulate(weights, closes, closes, costs=Costs(), execution=Execution(), traded=traded)
    rows = traded.index.get_indexer(book.trades["timestamp"])
    columns = traded.columns.get_indexer(book.trades["symbol"])
    assert len(book.trades) > 100
    assert traded.to_numpy()[rows, columns].all()
    assert not traded.to_numpy().all()


@examples(60)
@given(cases(), st.integers(0, 39), st.integers(0, 2**32 - 1))
def test_what_trades_after_a_bar_changes_nothing_up_to_it(
    case: Case, last: int, seed: int
) -> None:
    known = last % len(case.weights) + 1
    shape = case.weights.shape
    before = np.ones(shape, dtype=bool) if case.traded is None else case.traded.to_numpy()
    other = np.concatenate([before[:known], random_halts(np.random.default_rng(seed), shape)])
    changed = replace(
        case,
        traded=pd.DataFrame(
            other[: shape[0]], index=case.weights.index, columns=case.weights.columns
        ),
    )
    one, two = case.simulated(), changed.simulated()
    bar = case.weights.index[known - 1]
    for table in ("returns", "held_weights"):
        left, right = (getattr(book, table).iloc[:known] for book in (one, two))
        np.testing.assert_array_equal(left, right)
    left, right = (book.trades[book.trades["timestamp"] <= bar] for book in (one, two))
    pd.testing.assert_frame_equal(left, right)


@pytest.mark.slow
@examples(400)
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
