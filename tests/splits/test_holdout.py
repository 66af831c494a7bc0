"""A holdout begins on a day, and seals at least what was asked for."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.splits.holdout import find_sealed_day, last_open_day
from tests.hypothesis_examples import examples


def stamps(first: str, count: int, freq: str = "D") -> pd.DatetimeIndex:
    return pd.date_range(first, periods=count, freq=freq, tz="UTC")


@pytest.mark.parametrize(
    ("index", "holdout", "day"),
    [
        (stamps("2020-01-01", 731), "1y", date(2021, 1, 1)),
        (stamps("2020-01-01", 100), 10, date(2020, 3, 31)),
        (stamps("2020-01-01", 100), "10d", date(2020, 3, 31)),
        (stamps("2020-01-01 00:00", 240, "h"), 30, date(2020, 1, 9)),
        (stamps("2020-01-06", 10, "7D"), "2w", date(2020, 3, 2)),
    ],
)  # fmt: skip
def test_it_begins_with_the_day_of_its_first_bar(
    index: pd.DatetimeIndex, holdout: int | str, day: date
) -> None:
    assert find_sealed_day(index, holdout) == day
    assert (day - last_open_day(day)).days == 1


@examples(60)
@given(st.integers(2, 400), st.integers(1, 400), st.sampled_from(["h", "D", "3D"]))
def test_so_many_bars_are_sealed_at_least_or_it_is_refused(
    count: int, holdout: int, freq: str
) -> None:
    index = stamps("2020-02-27", count, freq)
    try:
        day = find_sealed_day(index, holdout)
    except UsageError:
        assert holdout >= count or index[-holdout].date() == index[0].date()
        return
    sealed = index >= pd.Timestamp(day, tz="UTC")
    assert sealed.sum() >= holdout
    assert not sealed.all()
    # None of the bars before the first day is sealed, and that day has one of the asked ones.
    assert index[sealed][0].date() == day == index[-holdout].date()
