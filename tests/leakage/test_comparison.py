"""What was made twice is compared bit for bit, and the first difference is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import LookaheadError
from engine.leakage.comparison import OutputComparison, OutputPair, find_first_mismatch

DAYS = pd.date_range("2024-03-01", periods=4, tz="UTC")
VALUES = np.array([[1.0, np.nan], [2.0, 0.0], [3.0, 5.0], [4.0, 6.0]])


def part(other: np.ndarray, real: np.ndarray = VALUES, **chosen: object) -> OutputPair:
    return OutputPair("features", ("a", "b"), DAYS[: len(real)], real, other, **chosen)


def changed(row: int, column: int, value: float) -> np.ndarray:
    values = VALUES.copy()
    values[row, column] = value
    return values


def test_equal_bits_are_no_difference_and_neither_is_nan_for_nan() -> None:
    assert find_first_mismatch(part(VALUES.copy())) is None
    assert find_first_mismatch(part(np.asfortranarray(VALUES))) is None


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [(2, 0, np.nextafter(3.0, 4.0)), (1, 1, -0.0), (0, 1, 1.0), (3, 1, np.nan)],
)
def test_the_last_bit_a_sign_of_zero_and_a_missing_value_are_seen(row, column, value) -> None:
    found = find_first_mismatch(part(changed(row, column, value)))
    assert (found.name, found.bar) == ("ab"[column], DAYS[row])


def test_the_earliest_bar_comes_before_the_first_column() -> None:
    other = changed(3, 0, 9.0)
    other[2, 1] = 9.0
    found = find_first_mismatch(part(other))
    assert (found.name, found.bar, found.original, found.perturbed) == ("b", DAYS[2], 5.0, 9.0)


def test_another_type_of_the_same_numbers_differs() -> None:
    assert find_first_mismatch(part(VALUES.astype(np.float32))).bar == DAYS[0]


def test_a_row_that_only_one_of_them_has_differs_at_its_own_bar() -> None:
    assert find_first_mismatch(part(VALUES[:3])).bar == DAYS[3]
    found = find_first_mismatch(part(VALUES, VALUES[:3], perturbed_bars=DAYS))
    assert (found.bar, found.original, found.perturbed) == (DAYS[3], None, 4.0)


def test_rows_of_fills_that_moved_are_told_at_the_earlier_bar() -> None:
    found = find_first_mismatch(
        part(changed(1, 0, 9.0), perturbed_bars=DAYS - pd.Timedelta(days=1))
    )
    assert found.bar == DAYS[0]


def test_arrays_of_whole_numbers_and_empty_ones_are_compared_too() -> None:
    rows = np.arange(4)
    assert find_first_mismatch(OutputPair("fills", ("rows",), DAYS, rows, rows + 1)).bar == DAYS[0]
    assert find_first_mismatch(part(VALUES[:0], VALUES[:0])) is None


def test_the_error_names_stage_column_bar_cut_both_values_and_a_remedy() -> None:
    comparison = OutputComparison()
    comparison.require_equal(part(VALUES), DAYS[3])
    with pytest.raises(LookaheadError) as caught:
        comparison.require_equal(part(changed(2, 1, 9.0)), DAYS[3])
    error = caught.value
    assert error.exit_code == 4
    assert error.where == "features: b at 2024-03-03"
    assert error.problem == "Look-ahead: b knows what comes after 2024-03-04"
    assert error.found == "5 from the real bars, 9 with other bars after 2024-03-04"
    assert "centred" in error.fix
    counts = comparison.count_compared()
    assert {stage: each.as_dict() for stage, each in counts.items()} == {
        "features": {"columns": 2, "values": 8}
    }
