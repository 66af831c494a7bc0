from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.signals.orders import (
    defer_orders,
    find_pending_orders,
    find_waits,
    place_orders,
    schedule_orders,
)

NONE = np.nan
NOW = pd.Timestamp("2020-01-01", tz="UTC")


def weights(*columns: list[float]) -> pd.DataFrame:
    days = pd.date_range("2020-01-01", periods=len(columns[0]), tz="UTC", name="timestamp")
    return pd.DataFrame(dict(zip("AB", columns, strict=False)), index=days)


@pytest.mark.parametrize(
    ("decided", "delay", "due"),
    [
        pytest.param(
            [0, 1, 1, 0.5, 0, 0],
            1,
            [NONE, NONE, 1, NONE, 0.5, 0],
            id="decided-at-close-t-due-at-bar-t-plus-1",
        ),
        pytest.param([1, 1, 0, 0, -1, -1], 2, [NONE, NONE, 1, NONE, 0, NONE], id="a-longer-delay"),
        pytest.param([1, 1, 1], 1, [NONE, 1, NONE], id="a-first-weight-is-an-order"),
        pytest.param([0, 0, 0], 1, [NONE, NONE, NONE], id="a-first-weight-of-0-is-none"),
        pytest.param([0, 0, 1], 1, [NONE, NONE, NONE], id="too-late-to-be-filled"),
        pytest.param([1, -1, 1], 1, [NONE, 1, -1], id="a-turn-is-one-order"),
    ],
)
def test_orders_are_due_delay_bars_after_the_weight_changed(
    decided: list[float], delay: int, due: list[float]
) -> None:
    schedule = schedule_orders(weights(decided), delay)
    np.testing.assert_array_equal(schedule["A"], due)
    assert schedule.index.equals(weights(decided).index)


def test_symbols_have_separate_orders() -> None:
    schedule = schedule_orders(weights([0, 0.5, 0.5], [0.5, 0.5, 0]), 1)
    np.testing.assert_array_equal(schedule["A"], [NONE, NONE, 0.5])
    np.testing.assert_array_equal(schedule["B"], [NONE, 0.5, NONE])


@pytest.mark.parametrize("delay", [0, -1])
def test_nothing_is_filled_at_the_close_of_its_decision(delay: int) -> None:
    with pytest.raises(UsageError, match="before they are decided"):
        schedule_orders(weights([0.0, 1.0]), delay)


@given(
    st.lists(st.sampled_from([-1.0, 0.0, 0.3, 1.0]), min_size=1, max_size=40), st.integers(1, 5)
)
def test_executed_orders_give_the_weights_delay_bars_later(
    decided: list[float], delay: int
) -> None:
    followed = schedule_orders(weights(decided), delay)["A"].ffill().fillna(0.0)
    assert followed.tolist() == ([0.0] * delay + decided)[: len(decided)]


@given(
    st.lists(
        st.tuples(st.sampled_from([-1.0, 0.0, 0.3]), st.sampled_from([0.0, 1.0])), min_size=1
    ),
    st.integers(1, 5),
)
def test_orders_placed_close_by_close_are_those_of_the_schedule(
    decided: list[tuple[float, float]], delay: int
) -> None:
    frame = weights(*map(list, zip(*decided, strict=True)))
    schedule = schedule_orders(frame, delay)
    previous: dict[str, float] = {}
    placed = pd.DataFrame(np.nan, index=frame.index, columns=frame.columns)
    for row, stamp in enumerate(frame.index):
        targets = frame.loc[stamp].to_dict()
        for order in place_orders(previous, targets, decided_on=stamp, delay=delay):
            assert order.decided_on == stamp
            if row + order.due_in_bars < len(frame):
                placed.iloc[row + order.due_in_bars, frame.columns.get_loc(order.symbol)] = (
                    order.target_weight
                )
        previous = targets
    pd.testing.assert_frame_equal(placed, schedule)


def test_a_symbol_that_is_not_decided_on_has_no_order() -> None:
    assert place_orders({"A": 0.5}, {}, decided_on=NOW) == ()


def test_an_order_needs_a_delay_and_a_finite_weight() -> None:
    with pytest.raises(UsageError, match="before they are decided"):
        place_orders({}, {"A": 1.0}, decided_on=NOW, delay=0)
    with pytest.raises(UsageError, match="A at 2020-01-01"):
        place_orders({}, {"A": np.nan}, decided_on=NOW)


def halted(pattern: str) -> pd.DataFrame:
    """Whether something trades: `x` where it does, `.` where nothing does."""
    return weights([0] * len(pattern)).assign(A=[letter == "x" for letter in pattern])[["A"]]


@pytest.mark.parametrize(
    ("decided", "trades", "filled"),
    [
        pytest.param(
            [0, 1, 1, 1, 1, 1],
            "xx..xx",
            [NONE, NONE, NONE, NONE, 1, NONE],
            id="filled-at-the-next-bar-that-trades",
        ),
        pytest.param(
            [0, 1, 1, 0.5, 0.5, 0.5],
            "xx...x",
            [NONE, NONE, NONE, NONE, NONE, 0.5],
            id="the-newest-replaces-what-waits",
        ),
        pytest.param(
            [0, 1, 1, 0, 0, 0],
            "xx...x",
            [NONE] * 6,
            id="an-entry-that-is-taken-back-is-not-filled",
        ),
        pytest.param(
            [0.5, 0.5, 0, 0.5, 0.5, 1],
            "xxx..x",
            [NONE, 0.5, NONE, NONE, NONE, NONE],
            id="an-exit-that-is-taken-back-leaves-the-position-as-it-is",
        ),
        pytest.param(
            [0.5, 0, 1, 0, 0.5, 0.5],
            "xx...x",
            [NONE, 0.5, NONE, NONE, NONE, NONE],
            id="several-turns-back-to-what-is-held-fill-nothing",
        ),
        pytest.param(
            [0, 0, 1, -1, -1, -1],
            "x.xx.x",
            [NONE, NONE, NONE, 1, NONE, -1],
            id="a-turn-waits-as-a-whole",
        ),
        pytest.param([0, 1, 1, 1], "xx..", [NONE] * 4, id="not-filled-by-the-last-row"),
        pytest.param(
            [0, 1, 1, 0], ".xxx", [NONE, NONE, 1, NONE], id="a-halt-without-an-order-is-none"
        ),
    ],
)
def test_orders_wait_where_nothing_trades(
    decided: list[float], trades: str, filled: list[float]
) -> None:
    orders = defer_orders(schedule_orders(weights(decided), 1), halted(trades))
    np.testing.assert_array_equal(orders["A"], filled)


def test_with_a_longer_delay_what_waits_is_filled_before_what_is_not_due_yet() -> None:
    orders = schedule_orders(weights([1, 1, 0.3, 0.3, 0.3, 0.3, 0.3]), 3)
    filled = defer_orders(orders, halted("xxx.xxx"))
    np.testing.assert_array_equal(filled["A"], [NONE] * 4 + [1, 0.3, NONE])


def test_a_symbol_waits_alone() -> None:
    orders = schedule_orders(weights([1, 1, 1, 1], [0.5, 0.5, 0.5, 0]), 1)
    trades = halted("x.xx").assign(B=True)
    filled = defer_orders(orders, trades)
    np.testing.assert_array_equal(filled["A"], [NONE, NONE, 1, NONE])
    np.testing.assert_array_equal(filled["B"], [NONE, 0.5, NONE, NONE])


@given(
    st.lists(st.sampled_from([-1.0, 0.0, 0.3, 1.0]), min_size=1, max_size=40),
    st.lists(st.booleans(), min_size=40, max_size=40),
    st.integers(1, 5),
)
def test_after_every_bar_that_trades_the_book_has_what_is_due(
    decided: list[float], trades: list[bool], delay: int
) -> None:
    orders = schedule_orders(weights(decided), delay)
    pattern = "".join("x" if each else "." for each in trades[: len(decided)])
    filled = defer_orders(orders, halted(pattern))["A"]
    due = ([0.0] * delay + decided)[: len(decided)]
    followed, expected = filled.ffill().fillna(0.0).tolist(), 0.0
    for row, letter in enumerate(pattern):
        expected = due[row] if letter == "x" else expected
        assert followed[row] == expected
    before = [0.0, *followed[:-1]]
    given = filled.notna().tolist()
    assert given == [now != then for now, then in zip(followed, before, strict=True)]


def test_every_order_that_waited_is_listed_with_its_bars() -> None:
    decided = weights([1, 1, 0.5, 0.5, 0.5, 0.5, 0, 0.2], [0, 0, 0, 0, 1, 1, 1, 1])
    trades = halted("x....xxx").assign(B=[*[True] * 5, False, True, True])
    waits = find_waits(schedule_orders(decided, 1), trades)
    days = decided.index
    assert waits.to_dict("list") == {
        "symbol": ["A", "A", "B"],
        "target_weight": [1.0, 0.5, 1.0],
        "due": [days[1], days[3], days[5]],
        "bars": [2, 2, 1],
    }


def test_what_is_taken_back_waits_no_longer() -> None:
    waits = find_waits(schedule_orders(weights([1, 1, 0, 0, 0]), 1), halted("x...."))
    assert waits[["target_weight", "bars"]].to_numpy().tolist() == [[1.0, 2]]


def test_without_a_halt_no_order_waits() -> None:
    orders = schedule_orders(weights([1, 0, 1]), 1)
    for trades in (None, halted("xxx")):
        assert defer_orders(orders, trades) is orders
        waits = find_waits(orders, trades)
        assert waits.empty
        assert [*waits] == ["symbol", "target_weight", "due", "bars"]


def pending(decided: list[float], trades: str, delay: int = 1) -> list[list[float]]:
    """Day of the decision, target, bars to the fill, bars waited."""
    found = find_pending_orders(weights(decided), delay, halted(trades))
    found["decided_on"] = found["decided_on"].dt.day
    columns = ["decided_on", "target_weight", "due_in_bars", "waited_bars"]
    return found[columns].to_numpy().tolist()


def test_an_order_that_waits_at_the_last_row_is_pending() -> None:
    assert pending([0, 1, 1, 1], "xx..") == [[2, 1, 1, 2]]
    assert pending([0, 1, 1, 1], "xx.x") == []


def test_a_decision_at_the_last_row_replaces_what_waits_or_takes_it_back() -> None:
    assert pending([0, 1, 1, 0.5], "xx..") == [[4, 0.5, 1, 0]]
    assert pending([0, 1, 1, 0], "xx..") == []


def test_what_waits_is_pending_before_what_is_due_later() -> None:
    assert pending([1, 1, 1, 0.5, 0.2], "xxxx.", delay=4) == [
        [1, 1, 1, 1],
        [4, 0.5, 3, 0],
        [5, 0.2, 4, 0],
    ]
