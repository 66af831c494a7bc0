from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.signals.orders import schedule_orders

NONE = np.nan


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
