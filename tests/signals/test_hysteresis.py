from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.signals.hysteresis import EntryExitThresholds, Side, apply_hysteresis, next_position

FIVE_AND_ONE = EntryExitThresholds.symmetric(5.0, 1.0)


@pytest.mark.parametrize(
    ("values", "stances"),
    [
        pytest.param([0, 4, 5], [0, 0, 0], id="at-the-level-is-not-above-it"),
        pytest.param([6, 4, 1, 0.9, 4], [1, 1, 1, 0, 0], id="in-between-keeps-what-is-held"),
        pytest.param([6, -9, 0, 9], [1, 0, 0, 1], id="below-the-exit-is-out"),
        pytest.param([9, np.nan, 2], [1, 1, 1], id="nan-keeps-what-is-held"),
        pytest.param([np.nan, 2], [0, 0], id="it-begins-out-of-the-market"),
    ],
)
def test_long_only(values: list[float], stances: list[float]) -> None:
    assert apply_hysteresis(np.array(values), [FIVE_AND_ONE], "long_only").tolist() == stances


@pytest.mark.parametrize(
    ("values", "stances"),
    [
        pytest.param([-5, -6, -4, -1, -0.9], [0, -1, -1, -1, 0], id="shorts-mirror-longs"),
        pytest.param([6, -6, 6], [1, -1, 1], id="an-opposite-entry-turns"),
        pytest.param([6, 0, -6, 0], [1, 0, -1, 0], id="an-exit-goes-flat-first"),
        pytest.param([-6, np.nan, 2], [-1, -1, 0], id="nan-keeps-a-short"),
    ],
)
def test_long_short(values: list[float], stances: list[float]) -> None:
    assert apply_hysteresis(np.array(values), [FIVE_AND_ONE], "long_short").tolist() == stances


def test_an_opposite_entry_reverses_before_the_exit_threshold() -> None:
    wide = EntryExitThresholds.symmetric(5.0, -20.0)
    values = np.array([6.0, -4.0, -10.0])
    assert apply_hysteresis(values, [wide], "long_short").tolist() == [1, 1, -1]
    assert apply_hysteresis(values, [wide], "long_only").tolist() == [1, 1, 1]


def test_each_row_has_its_own_thresholds() -> None:
    levels = [FIVE_AND_ONE, EntryExitThresholds.symmetric(9.0, 3.0)]
    values, in_force = np.array([6.0, 2.0, 2.0, 8.0]), np.array([0, 0, 1, 1])
    assert apply_hysteresis(values, levels, "long_only", in_force).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("side", ["long_only", "long_short"])
@given(data=st.data())
def test_all_rows_at_once_equal_one_row_after_the_other(side: Side, data: st.DataObject) -> None:
    numbers = st.sampled_from([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, np.nan])
    levels = data.draw(
        st.lists(st.builds(EntryExitThresholds, *[numbers] * 4), min_size=1, max_size=3)
    )
    rows = data.draw(st.lists(st.tuples(numbers, st.integers(0, len(levels) - 1)), max_size=30))
    values, in_force = (np.array([row[part] for row in rows]) for part in (0, 1))
    position, expected = 0.0, []
    for value, number in zip(values.tolist(), in_force.tolist(), strict=True):
        position = next_position(position, value, levels[int(number)], side)
        expected.append(position)
    result = apply_hysteresis(values, levels, side, in_force.astype(np.int64))
    assert result.tolist() == expected


@pytest.mark.parametrize("side", ["long_only", "long_short"])
@pytest.mark.parametrize("rows", [1, 7, 2_500])
def test_a_row_does_not_depend_on_later_rows(side: Side, rows: int) -> None:
    values = np.random.default_rng(0).normal(0, 5, 5_000)
    whole = apply_hysteresis(values, [FIVE_AND_ONE], side)
    assert apply_hysteresis(values[:rows], [FIVE_AND_ONE], side).tolist() == whole[:rows].tolist()
    assert set(whole) == ({0.0, 1.0} if side == "long_only" else {-1.0, 0.0, 1.0})
