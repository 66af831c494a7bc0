from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.signals.orders import place_orders, schedule_orders

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
