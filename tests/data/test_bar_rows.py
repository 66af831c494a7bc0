"""Bars as rows of numbers, and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.bar_rows import bars_to_rows, rows_to_bars

STAMPS = ["1927-12-30", "1969-12-31 23:59:59.999999", "2024-02-29 14:30", "2250-01-01 00:00:01"]


@pytest.fixture
def tables() -> list[pd.DataFrame]:
    index = pd.DatetimeIndex(STAMPS, tz="UTC", name="timestamp").as_unit("us")
    columns = np.random.default_rng(0).lognormal(0, 30, (3, 2, len(index)))
    return [pd.DataFrame({"close": close, "volume": volume}, index) for close, volume in columns]


def test_rows_hold_the_times_and_the_bits_of_bars(tables) -> None:
    rows = bars_to_rows(tables, ("close", "volume"))
    assert rows.dtype == np.float64
    assert rows.shape == (4, 1 + 3 * 2)
    for found, bars in zip(rows_to_bars(rows, ("close", "volume"), 3), tables, strict=True):
        pd.testing.assert_frame_equal(found, bars, check_exact=True)


def test_without_columns_rows_hold_the_times_alone(tables) -> None:
    found = rows_to_bars(bars_to_rows(tables, ()), (), 3)
    assert [bars.shape for bars in found] == [(4, 0)] * 3
    assert all(bars.index.equals(tables[0].index) for bars in found)
